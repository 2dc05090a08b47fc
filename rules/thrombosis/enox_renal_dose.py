"""With a low clearance, reduced enoxaparin is an alternative to warfarin.

Watches for    tier 1 with a clearance below the LMWH limit and not below that of reduced enoxaparin.
Stays silent   outside that range, in tiers 2 and 3, and after the course. A note, never an alert.
Cannot assess  in tier 1 without creatinine, weight, birth date or sex.
Numbers        enox_renal_clcr_at, vte_lmwh_clcr, enox_renal_mg
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.thrombosis.risk import decide_tier
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "enox-renal-dose"


def assess(view: View) -> Answer:
    """Shown inside the alerts that propose warfarin or find LMWH with a low clearance."""
    if not view.is_on_treatment:
        return NOTHING
    tier, terms, clearance = decide_tier(view), view.policy.terms, view.clearance
    if tier.number > 1:
        return Nothing(tier.changes_at)
    if clearance is None:
        return CannotAssess(view.clearance_missing, tier.changes_at)
    if not terms.enox_renal_clcr_at.value <= clearance.ml_per_min < terms.vte_lmwh_clcr.value:
        return Nothing(tier.changes_at)
    started = view.ledger.started_at or view.at
    since = max(started, tier.reached_at or started, clearance.creatinine.at, clearance.weight.at)
    how = f"enoxaparin {terms.enox_renal_mg} mg daily"
    return found(
        Finding(
            since=since,
            effective_at=since,
            title=f"Clearance below {terms.vte_lmwh_clcr} mL/min: {how} is an alternative to warfarin",
            message=f"With a clearance of {terms.enox_renal_clcr_at} to below {terms.vte_lmwh_clcr} mL/min {how} "
            "(prophylaxis) is an alternative to warfarin.",
            advice=Advice(action=Action.INFORM, agent="enoxaparin", dose_mg=f"{terms.enox_renal_mg}", schedule="daily"),
            evidence=(
                Shown("creatinine of the clearance", clearance.creatinine),
                Shown("weight of the clearance", clearance.weight),
            ),
            thresholds=(terms.enox_renal_clcr_at, terms.vte_lmwh_clcr, terms.enox_renal_mg),
            is_provisional=tier.is_provisional,
        ),
        tier.changes_at,
    )
