"""More lenalidomide was dispensed than the programme allows, or earlier.

Watches for    a dispense of more days than the limit (packages of one day and strength together), and a next fill of the
               same strength while more days than stated remain.
Stays silent   once the dispense was returned or corrected, or the surplus is used up.
Cannot assess  never: a supply of unknown size counts as one cycle.
Numbers        ppp_supply_days, ppp_supply_others_days, ppp_early_fill, ppp_early_fill_days, cycle_length_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_after, days_between
from rules.course import used_up_at
from rules.picture import Supply
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.obligation import dispenses
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-supply-limit"


def assess(view: View) -> Answer:
    """Each such dispense, until its surplus is used up."""
    potential, terms = potential_of(view), view.policy.terms
    limit = terms.ppp_supply_days if potential.is_possible else terms.ppp_supply_others_days
    given, findings, ends = dispenses(view), [], []
    for place, supply in enumerate(given):
        before = [s for s in given[:place] if _is_of_one_strength(s, supply)]
        same_day = [s for s in before if days_between(s.at, supply.at, view.zone) == 0]
        total = sum(_days(view, s) for s in (*same_day, supply))
        remaining = _remaining(view, before[: len(before) - len(same_day)], supply)
        is_early = terms.ppp_early_fill and remaining > terms.ppp_early_fill_days.whole
        surplus = total - limit.whole if total > limit.whole else remaining - terms.ppp_early_fill_days.whole
        until = days_after(supply.at, surplus, view.zone)
        if (total <= limit.whole and not is_early) or view.at >= until:
            continue
        number = limit if total > limit.whole else terms.ppp_early_fill_days
        if total > limit.whole:
            text = f"{total} days of lenalidomide dispensed; at most {limit} are."
        else:
            text = f"Lenalidomide dispensed again while {remaining} days of supply remained; at most {number} may."
        ends.append(until)
        findings.append(
            Finding(
                subject=supply.id,
                since=supply.at,
                effective_at=latest(supply.at, potential.since if total > limit.whole else None),
                reason="too-much" if total > limit.whole else "early",
                title="Lenalidomide supply above the limit" if total > limit.whole else "Lenalidomide filled early",
                message=f"{text} Call the pharmacy, and take back what is too much.",
                advice=Advice(action=Action.REVIEW_MEDICINE, agent="lenalidomide"),
                evidence=(*(Shown("dispensed before", s) for s in before[-1:]), Shown("dispensed", supply)),
                thresholds=(number,),
                context=potential.context if total > limit.whole else (),
            )
        )
    recheck = earliest(potential.changes_at, *ends)
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)


def _is_of_one_strength(one: Supply, other: Supply) -> bool:
    """A changed dose is another supply: what is left of the old one is not taken any more."""
    return one.strength_mg is None or other.strength_mg is None or one.strength_mg == other.strength_mg


def _days(view: View, supply: Supply) -> int:
    return days_between(supply.at, used_up_at(supply, view.policy, view.zone), view.zone)


def _remaining(view: View, before: list[Supply], supply: Supply) -> int:
    """Days of supply that are left of earlier dispenses on the day of a new one."""
    stock: datetime | None = None
    for earlier in before:
        begin = earlier.at if stock is None or stock < earlier.at else stock
        stock = days_after(begin, _days(view, earlier), view.zone)
    return days_between(supply.at, stock, view.zone) if stock is not None and stock > supply.at else 0
