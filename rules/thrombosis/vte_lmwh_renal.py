"""LMWH with a low creatinine clearance.

Watches for    LMWH taken or ordered with a clearance below its limit.
Stays silent   at or above it, or without LMWH.
Cannot assess  on LMWH without creatinine, weight, birth date or sex.
Numbers        vte_lmwh_clcr
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.thrombosis.agents import LMWH, on_treatment_since, present, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-lmwh-renal"


def assess(view: View) -> Answer:
    """The table moves to warfarin here."""
    span = present(taken(view, LMWH, with_orders=True), view.at)
    if not view.is_on_treatment or span is None:
        return NOTHING
    recheck = earliest(span.ends, view.next_cycle_at, next_recorded_end(view))
    clearance, limit = view.clearance, view.policy.terms.vte_lmwh_clcr
    if clearance is None:
        return CannotAssess(view.clearance_missing, recheck)
    if clearance.ml_per_min >= limit.value:
        return Nothing(recheck)
    before = view.clearance_by(view.previous("creatinine"))[0]
    low = before if before is not None and before.ml_per_min < limit.value else clearance
    since = on_treatment_since(view, span.begins, low.creatinine.at)
    # Rounded down: a clearance just below the limit must not be shown as the limit.
    value = clearance.ml_per_min.quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
    return found(
        Finding(
            since=since,
            effective_at=max(since, clearance.creatinine.at, clearance.weight.at),
            title=f"{span.newest.medicine.capitalize()} with creatinine clearance {value} mL/min",
            message=f"Creatinine clearance {value} mL/min (Cockcroft-Gault), below {limit}, with "
            f"{span.newest.medicine} active: it accumulates. Review it today. The table moves to warfarin; reduced "
            "LMWH or unfractionated heparin are alternatives a site may prefer.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent=span.newest.medicine),
            evidence=(
                Shown("LMWH", span.newest),
                Shown("creatinine of the clearance", clearance.creatinine),
                Shown("weight of the clearance", clearance.weight),
            ),
            thresholds=(limit,),
        ),
        recheck,
    )
