"""Lenalidomide above the standard dose was ordered or handed over.

Watches for    an order, dispense, home statement or dose given above the greatest daily dose: as stated, or as strength
               by quantity over the days of supply makes it.
Stays silent   at or below it, once a later one is, when it was corrected or returned, and after the course.
Cannot assess  where the newest states neither a dose nor what it could be computed from.
Numbers        len_max_daily_mg
"""

from __future__ import annotations

from decimal import Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Nothing, Shown
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-dose-ceiling"


def assess(view: View) -> Answer:
    """One alert an order or dispense."""
    supplies, limit = view.supplies(LENALIDOMIDE), view.policy.terms.len_max_daily_mg
    if not supplies or view.has_ended:
        return NOTHING
    high: list[Supply] = []
    for supply in supplies:
        dose = _daily(supply)
        if dose is None:
            continue
        # A new order takes no capsules back: only a new dispense or dose answers one that was handed over.
        stays = [held for held in high if held.way != "ordered" and supply.way == "ordered"]
        high = [*high, supply] if dose > limit.value else stays
    recheck = next_border(view)
    if not high:
        return (
            CannotAssess(("daily dose of lenalidomide",), recheck) if _daily(supplies[-1]) is None else Nothing(recheck)
        )
    return Found(tuple(_describe(view, supply) for supply in high), recheck)


def _daily(supply: Supply) -> Decimal | None:
    """The dose of a day of taking: the greatest that the facts can mean."""
    readings = [supply.daily_mg, supply.dose_mg, supply.strength_mg]
    if supply.strength_mg is not None and supply.quantity is not None and supply.days:
        readings.append(supply.strength_mg * supply.quantity / supply.days)
    return max((reading for reading in readings if reading is not None), default=None)


def _describe(view: View, supply: Supply) -> Finding:
    limit, dose = view.policy.terms.len_max_daily_mg, _daily(supply) or Decimal(0)
    done = {"ordered": "ordered", "given": "given", "home": "taken at home"}.get(supply.way, "dispensed")
    return Finding(
        subject=supply.id,
        since=supply.at,
        effective_at=supply.at,
        title=f"Lenalidomide {dose.normalize():f} mg a day {done}, above {limit} mg",
        message=f"Lenalidomide {dose.normalize():f} mg a day was {done}; the standard dose is at most {limit} mg. Call "
        "the prescriber and the pharmacy now.",
        advice=Advice(action=Action.REDUCE_STEP, agent=LENALIDOMIDE, dose_mg=f"{limit}"),
        evidence=(Shown(done, supply),),
        thresholds=(limit,),
    )
