"""Lenalidomide was dispensed before the result that holds it was known.

Watches for    a dispense after collection of the specimen, and before the result that opens a hold.
Stays silent   once every hold is released, the dispense was returned, or its supply is used up.
Cannot assess  never by itself: the hold rules speak for counts that are missing.
Numbers        cycle_length_days (supply of unknown size), and the limits of the hold rules
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Found
from rules.dosing.held_supply import describe, standing
from rules.view import View

RULE_ID = "dispense-before-result"


def assess(view: View) -> Answer:
    """Each such dispense, while the patient may still have its capsules."""
    if not view.ledger.held_dispenses or not view.is_on_treatment:
        return NOTHING
    here, ends = standing(view, was_known=False)
    if not here:
        return NOTHING
    title = "Lenalidomide dispensed before a result that holds it"
    message = (
        "Lenalidomide was dispensed after the specimen was taken and before its result was known ({count}). "
        "Reach the patient today: do not take it until the hold is released."
    )
    return Found(tuple(describe(held, view, title, message) for held in here), ends)
