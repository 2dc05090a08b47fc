"""Lenalidomide was dispensed although a hold was known.

Watches for    a dispense after the alert of a hold could be seen and before every cause was released.
Stays silent   once every hold is released, the dispense was returned, or its supply is used up.
Cannot assess  never by itself: the hold rules speak for counts that are missing.
Numbers        cycle_length_days (supply of unknown size), and the limits of the hold rules
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Found
from rules.dosing.held_supply import describe, standing
from rules.view import View

RULE_ID = "hold-dispense"


def assess(view: View) -> Answer:
    """Each such dispense, while the patient may still have its capsules."""
    if not view.ledger.held_dispenses:
        return NOTHING
    here, ends = standing(view, was_known=True)
    if not here:
        return NOTHING
    title = "Lenalidomide dispensed during a hold"
    message = (
        "Lenalidomide was dispensed while a hold was known ({count}). Call the pharmacy and the prescriber today: "
        "the patient must not take it until every hold is released."
    )
    return Found(tuple(describe(held, view, title, message) for held in here), ends)
