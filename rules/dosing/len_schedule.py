"""More lenalidomide was handed over than the days of taking in its cycles need.

Watches for    a dispense whose capsules last for more days of taking than its cycles have (alternate days counted as
               the days they reach over).
Stays silent   up to that, when it was corrected or returned, once it is used up, and after the course.
Cannot assess  where quantity and days leave open how many capsules make a dose, or neither is stated.
Numbers        len_dosing_days, cycle_length_days
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-schedule"


def assess(view: View) -> Answer:
    """One alert a dispense; an early refill is the matter of the supply limit."""
    dispenses = [s for s in view.supplies(LENALIDOMIDE) if s.way == "dispensed"]
    if not dispenses or view.has_ended:
        return NOTHING
    limit, cycle = view.policy.terms.len_dosing_days, view.policy.terms.cycle_length_days
    findings: list[Finding] = []
    ends: list[datetime] = []
    for supply in dispenses:
        days, cycles = _days_of_taking(supply, limit.whole), -(-(supply.days or 1) // cycle.whole)
        if days is None or days <= limit.value * cycles:
            continue
        over = days_after(supply.at, max(int(days), supply.days or 0), view.zone)
        if view.at < over:
            ends.append(over)
            findings.append(_describe(view, supply, days, cycles))
    recheck = earliest(next_border(view), *ends)
    if findings:
        return Found(tuple(findings), recheck)
    is_open = _days_of_taking(dispenses[-1], limit.whole) is None
    return CannotAssess(("quantity and dose of the lenalidomide dispensed",), recheck) if is_open else Nothing(recheck)


def _days_of_taking(supply: Supply, limit: int) -> Decimal | None:
    """Over how many days its capsules reach; None where that is not known."""
    stated, quantity = supply.daily_mg or supply.dose_mg, supply.quantity
    if quantity is None or quantity <= 0:
        # Days alone say no more than for how long it is meant: a cycle has days without capsules.
        return Decimal(supply.days) if supply.days is not None and supply.days <= limit else None
    if stated and supply.strength_mg:
        doses = quantity * supply.strength_mg / stated
    elif supply.days is None or quantity <= supply.days:
        doses = quantity
    else:
        return Decimal(supply.days) if supply.days <= limit else None
    return 2 * doses - 1 if supply.schedule == "alternate-days" else doses


def _describe(view: View, supply: Supply, days: Decimal, cycles: int) -> Finding:
    limit = view.policy.terms.len_dosing_days
    return Finding(
        subject=supply.id,
        since=supply.at,
        effective_at=supply.at,
        title=f"Lenalidomide dispensed for {days.normalize():f} days of taking",
        message=f"The capsules last for {days.normalize():f} days of taking in {cycles} cycle{'s' if cycles > 1 else ''}; "
        f"a cycle has {limit}. Ask whether days without lenalidomide are kept, and take back what is too much.",
        advice=Advice(action=Action.REVIEW_MEDICINE, agent=LENALIDOMIDE, schedule=f"days 1-{limit}"),
        evidence=(Shown("dispensed", supply),),
        thresholds=(limit, view.policy.terms.cycle_length_days),
    )
