"""Tumour lysis at the start of lenalidomide: watch for it, and treat it.

Watches for    in cycle 1, a high tumour burden or a raised LDH or urate at the start; and enough values of the
               laboratory set (urate, potassium, phosphate, calcium) in the window around day 1.
Stays silent   after the window without the set, and once the set cleared.
Cannot assess  in the window, where neither LDH nor urate is known with its normal limit and nobody judged the burden.
Numbers        tls_urate_at, tls_potassium_at, tls_phosphate_at, tls_calcium_at, tls_change_percent, tls_findings_at,
               tls_days_before, tls_days_after, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found, latest
from rules.lysis import that_count
from rules.toxicity.lysis_risk import assess_risk
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "tls-watch"


def assess(view: View) -> Answer:
    """The laboratory set if there is one, else the risk while the window lasts."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    return _lysis(view) if view.ledger.lysis is not None else assess_risk(view)


def _lysis(view: View) -> Answer:
    terms, since, started = view.policy.terms, view.ledger.lysis, view.ledger.started_at
    assert since is not None
    values = that_count(view.ledger, terms)
    told = ", ".join(f"{value.analyte} {value.shown} {value.canonical or ''}".rstrip() for value in values)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, started, *(value.at for value in values)),
            reason="lab-set",
            title=f"Laboratory tumour lysis: {told}",
            message=f"{told}: laboratory tumour lysis at the start of lenalidomide. Treat it today and repeat the values.",
            advice=Advice(action=Action.REFER, agent="lenalidomide"),
            evidence=tuple(Shown("counts towards tumour lysis", value) for value in values),
            thresholds=(
                *(terms.tls_urate_at, terms.tls_potassium_at, terms.tls_phosphate_at, terms.tls_calcium_at),
                *(terms.tls_change_percent, terms.tls_findings_at),
            ),
        )
    )
