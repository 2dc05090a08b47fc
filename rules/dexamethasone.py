"""High-dose dexamethasone: when did the sum over a window reach the limit, and until when.

Three sources, never added together. Doses given are summed as they were given, over the window that ends with
the day; a day is judged when it is over, so that a schedule that just reaches the limit does not lapse between
midnight and the day's dose. The plan counts as a whole from its statement on. A dispense is spread evenly over its
days of supply (a whole cycle where none are stated), after what is left of an earlier one, and counts for every
window that it fills; where a plan stands the plan counts instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import lcm

from rules.calendar import local_day, start_of_day
from rules.course import DEXAMETHASONE
from rules.picture import Statement, Supply
from rules.view import View
from schemas.events import FactStatus

PLAN = "dexamethasone-plan-mg-per-cycle"
_NONE = Decimal(0)
_DAYS_A_DOSE = {"daily": 1, "alternate-days": 2, "weekly": 7}


@dataclass(frozen=True, slots=True)
class HighDose:
    """A stretch of time in which the sum is at or above the limit; the last of `facts` brought it there."""

    begins: datetime
    ends: datetime | None
    facts: tuple[Supply | Statement, ...]
    how: str


@dataclass(frozen=True, slots=True)
class _Share:
    """An amount spread evenly over calendar days (ordinals), the last one excluded."""

    first: int
    end: int
    mg: Decimal
    days: int
    supply: Supply

    def overlap(self, first: int, end: int) -> int:
        return max(0, min(self.end, end) - max(self.first, first))


def find_high_doses(view: View) -> tuple[HighDose, ...]:
    """Every stretch of high-dose dexamethasone that the kept facts show, by source."""
    return (*_given(view), *_planned(view), *_supplied(view))


def is_dose_known(view: View) -> bool:
    """Whether any source says how much dexamethasone there is."""
    if view.ledger.statements.get(PLAN) is not None:
        return True
    return any(given_mg(s) is not None or amount_of(s, view) is not None for s in supplies_of(view))


def supplies_of(view: View) -> tuple[Supply, ...]:
    """Dexamethasone that was not only planned, oldest first."""
    return view.derive(_find_supplies)


def _find_supplies(view: View) -> tuple[Supply, ...]:
    return tuple(s for s in view.supplies(DEXAMETHASONE) if s.status is not FactStatus.PLANNED)


def _given(view: View) -> list[HighDose]:
    terms, zone = view.policy.terms, view.zone
    window, limit = terms.dex_window_days.whole, terms.dex_high_mg.value
    doses = [(local_day(s.at, zone).toordinal(), given_mg(s), s) for s in supplies_of(view)]
    counted = [(day, mg, s) for day, mg, s in doses if mg is not None]
    if sum(mg for _, mg, _ in counted) < limit:
        return []
    change: dict[int, Decimal] = {}
    for day, mg, _ in counted:
        change[day] = change.get(day, Decimal(0)) + mg
        change[day + window] = change.get(day + window, Decimal(0)) - mg
    spans: list[HighDose] = []
    total, since = Decimal(0), None
    for day in sorted(change):
        total += change[day]
        if total >= limit and since is None:
            since = day
        elif total < limit and since is not None:
            summed = tuple(s for on, _, s in counted if since - window < on <= since)
            spans.append(HighDose(summed[-1].at, _midnight(day + 1, zone), summed, "sum of doses given"))
            since = None
    return spans


def given_mg(supply: Supply) -> Decimal | None:
    """What one administration gave, in mg."""
    return (supply.total_mg() or supply.dose) if supply.way == "given" else None


def _planned(view: View) -> list[HighDose]:
    terms, plan = view.policy.terms, view.ledger.statements.get(PLAN)
    if plan is None or plan.number is None:
        return []
    if plan.number * terms.dex_window_days.whole < terms.dex_high_mg.value * terms.cycle_length_days.whole:
        return []
    first = view.stated_since(PLAN) or plan
    return [HighDose(first.at, plan.until, (plan,), "plan for a cycle")]


def _supplied(view: View) -> list[HighDose]:
    terms = view.policy.terms
    window, limit = terms.dex_window_days.whole, terms.dex_high_mg.value
    shares = _shares(view)
    if not any(share.mg * window >= limit * share.days for share in shares):
        # No stretch of supply is dense enough to fill a window.
        return []
    unit = lcm(*(share.days for share in shares))
    daily: dict[int, Decimal] = {}
    for share in shares:
        for day in range(share.first, share.end):
            daily[day] = daily.get(day, _NONE) + share.mg * (unit // share.days)
    full: list[int] = []
    filled = _NONE
    # The window that begins with `first`, moved on day by day from one that lies before all supply.
    for first in range(min(share.first for share in shares) - window, max(share.end for share in shares)):
        filled += daily.get(first + window - 1, _NONE) - daily.get(first - 1, _NONE)
        if filled >= limit * unit:
            full.append(first)
    spans: list[HighDose] = []
    for place, first in enumerate(full):
        over = _midnight(first + window + 1, view.zone)
        if place and first <= full[place - 1] + window:
            spans[-1] = HighDose(spans[-1].begins, over, spans[-1].facts, spans[-1].how)
        else:
            touched = dict.fromkeys(share.supply for share in shares if share.overlap(first, first + window))
            facts = tuple(sorted(touched, key=lambda supply: supply.at))
            spans.append(HighDose(facts[-1].at, over, facts, "dispensed, spread over its days of supply"))
    return spans


def _shares(view: View) -> list[_Share]:
    """What was dispensed (else taken at home, else ordered), outside the days that a plan rules."""
    zone, plan = view.zone, view.ledger.statements.get(PLAN)
    ruled: tuple[int, int] | None = None
    if plan is not None and plan.number is not None:
        end = local_day(plan.until, zone).toordinal() if plan.until else date.max.toordinal()
        ruled = (local_day(plan.at, zone).toordinal(), end)
    by_way = {way: [s for s in supplies_of(view) if s.way == way] for way in ("dispensed", "home", "ordered")}
    way = next((way for way, supplies in by_way.items() if supplies), "dispensed")
    shares: list[_Share] = []
    stock = 0
    for supply in by_way[way]:
        amount = amount_of(supply, view)
        if amount is None:
            continue
        mg, days = amount
        day = local_day(supply.at, zone).toordinal()
        first = max(day, stock) if way == "dispensed" else day
        stock = first + days
        pieces = [(first, stock)] if ruled is None else [(first, min(stock, ruled[0])), (max(first, ruled[1]), stock)]
        shares.extend(_Share(begin, end, mg, days, supply) for begin, end in pieces if end > begin)
    return shares


def amount_of(supply: Supply, view: View) -> tuple[Decimal, int] | None:
    """How much it is in mg, and over how many days."""
    if supply.way == "given":
        return None
    terms = view.policy.terms
    days = supply.days
    if supply.way != "dispensed":
        until = supply.until or supply.at + terms.order_open_days.span
        days = max(1, (local_day(until, view.zone) - local_day(supply.at, view.zone)).days)
    if supply.strength_mg is not None and supply.quantity is not None:
        return supply.strength_mg * supply.quantity, days or terms.cycle_length_days.whole
    each, apart = supply.daily_mg or supply.dose_mg, _DAYS_A_DOSE.get(supply.schedule or "")
    if each is not None and apart is not None and days:
        return each * days / apart, days
    return (supply.dose_mg, days or terms.cycle_length_days.whole) if supply.dose_mg is not None else None


def _midnight(day: int, zone: str) -> datetime:
    return start_of_day(date.fromordinal(day), zone)
