"""Lenalidomide was resumed at a higher dose than allowed after a hold.

Watches for    the first dispense after every hold was released, at a dose above the allowed one.
Stays silent   at or below it, after a later dispense at the allowed dose, and once a new hold opens.
Cannot assess  where the dose dispensed is not stated, or no allowed dose can be named.
Numbers        dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found
from rules.resuming import as_limit, is_within
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "resume-dose-high"


def assess(view: View) -> Answer:
    """The first dispense after release against the dose that was allowed."""
    resumed = view.ledger.resumed
    if resumed is None or not view.is_on_treatment:
        return NOTHING
    if not resumed.is_defined:
        return CannotAssess(("the dose allowed after the hold",))
    fits = is_within(resumed.supply, resumed.allowed_mg, view.policy)
    if fits is None:
        return CannotAssess(("the dose of lenalidomide dispensed after the hold",))
    if fits:
        return NOTHING
    supply, limit = resumed.supply, as_limit(resumed.allowed_mg, view.policy)
    dose = f"{supply.dose:f} mg"
    return found(
        Finding(
            subject=supply.id,
            since=supply.at,
            effective_at=supply.at,
            title=f"Lenalidomide resumed at {dose}, allowed is {limit} mg",
            message=f"The first dispense after the hold is {dose}; the dose allowed after it is {limit} mg a day. "
            "Call the prescriber and the pharmacy: the dose was not reduced as planned.",
            advice=Advice(action=Action.REDUCE_STEP, agent="lenalidomide", dose_mg=str(limit)),
            evidence=(Shown("first dispense after the hold", supply), Shown("opened the hold", resumed.opened)),
            thresholds=(limit,),
        )
    )
