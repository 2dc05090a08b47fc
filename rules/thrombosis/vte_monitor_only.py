"""Table 3 asks for no drug: watch for symptoms of venous thromboembolism.

Watches for    tier 3; tier 2 with platelets below the aspirin limit; tier 1 after its cycles below that limit, where
               the source says nothing and no aspirin is proposed.
Stays silent   wherever the table asks for an agent or a specialist.
Cannot assess  without platelets where they decide, or when facts of the tier were never recorded and nobody assessed
               the risk.
Numbers        vte_aspirin_platelets, vte_tier1_cycles, vte_tier3_aspirin
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.ledger import LENALIDOMIDE
from rules.thrombosis.table3 import Outcome, decide_prophylaxis
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-monitor-only"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert."""
    if not view.is_on_treatment:
        return NOTHING
    decision = decide_prophylaxis(view)
    tier, recheck, count = decision.tier, decision.tier.changes_at, decision.platelets
    if decision.outcome is None:
        return CannotAssess(decision.missing, recheck)
    if decision.outcome not in (Outcome.NONE, Outcome.REVIEW):
        return Nothing(recheck)
    if decision.gaps:
        return CannotAssess(decision.gaps, recheck)
    started, terms = view.ledger.started_at or view.at, view.policy.terms
    low = f" and platelets {count.shown} cells/uL" if count is not None else ""
    what = "review" if decision.outcome is Outcome.REVIEW else "no drug"
    return found(
        Finding(
            since=max(started, tier.begins or started),
            effective_at=decision.decided_at(started),
            title=f"VTE {tier.named}{low}: {what}, watch for symptoms",
            message=f"{tier.sentence}{low}: the table asks for no drug. Watch for leg swelling, chest pain and "
            "breathlessness, and review when platelets or risk change.",
            advice=Advice(action=Action.INFORM),
            evidence=decision.evidence or tuple(Shown("treatment", s) for s in view.supplies(LENALIDOMIDE)[:1]),
            thresholds=decision.numbers(terms)
            or (terms.vte_recent_months, terms.vte_age_at, terms.vte_ecog_at, terms.vte_bmi_at),
            is_provisional=decision.is_provisional,
            context=decision.context,
        ),
        recheck,
    )
