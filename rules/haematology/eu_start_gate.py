"""Counts with which lenalidomide must not be started, where the policy follows a label that says so.

Watches for    a baseline ANC or platelet count below the gate (a lower one for platelets where the marrow is heavily
               infiltrated), until the newest counts are at it or cycle 2 begins.
Stays silent   at or above the gate, from cycle 2 on, and where the policy has no gate.
Cannot assess  without a baseline count and none since.
Numbers        gate_anc_below, gate_plt_below, gate_plt_below_infiltrated, marrow_heavy_percent, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, earliest, found, latest
from rules.baseline import baseline_since, gate_counts, infiltration_ends_at
from rules.haematology.cytopenia_start_caution import evidence_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "eu-start-gate"


def assess(view: View) -> Answer:
    """The counts before the first dose and since, against the gate."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment or view.policy.severity(RULE_ID) is None:
        return NOTHING
    if view.cycle is not None and view.cycle.number > 1:
        return NOTHING
    counts, recheck = gate_counts(view), earliest(infiltration_ends_at(view), view.next_cycle_at)
    low = tuple(item for item in counts if item.is_low)
    if not low:
        missing = tuple(f"baseline {item.name}" for item in counts if item.is_unknown)
        return CannotAssess(missing, recheck) if missing else Nothing(recheck)
    evidence = evidence_of(view, low)
    told = " and ".join(f"{item.name} {item.count.shown} cells/uL" for item in low if item.count is not None)
    return found(
        Finding(
            since=started,
            effective_at=latest(started, baseline_since(view), *(shown.fact.at for shown in evidence)),
            title=f"Do not start lenalidomide: baseline {told}",
            message=f"Baseline {told}, below the label's gate. Treatment must not be started: call the prescriber and the "
            "pharmacy today.",
            advice=Advice(action=Action.HOLD, agent="lenalidomide"),
            evidence=evidence,
            thresholds=tuple(item.limit for item in low),
            is_provisional=any(item.count is not None and item.count.is_doubtful for item in low),
        ),
        recheck,
    )
