"""How much dexamethasone there is in the present cycle: doses given, else the plan, else what was handed over.

Doses given are summed over any window inside the cycle: a cycle that is delayed holds a fifth weekly dose, and a
window that began before day 1 would hold doses of the cycle before. What was handed over in the last week of a cycle
is for the next one; a supply for several cycles counts for each of them in equal parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from rules.answers import earliest, latest
from rules.calendar import completed_years, local_day, start_of_day
from rules.course_moment import begin_of
from rules.dexamethasone import PLAN, amount_of, given_mg, supplies_of
from rules.ledger import Cycle
from rules.picture import Statement, Supply
from rules.policy.terms import Number
from rules.view import View


@dataclass(frozen=True, slots=True)
class CycleDose:
    """The sum in mg for 28 days, the greatest dose of one day where it is known, and the facts it stands on."""

    mg: Decimal
    day_mg: Decimal | None
    how: str
    facts: tuple[Supply | Statement, ...]


@dataclass(frozen=True, slots=True)
class CycleDoses:
    """What stands for the present cycle; `until` is when an order or home statement that counts runs out."""

    cycle: Cycle | None
    begins: datetime | None
    doses: tuple[CycleDose, ...] = ()
    until: datetime | None = None

    def above(self, limit: Number, day_limit: Number | None = None) -> CycleDose | None:
        """The first that is above the limit for 28 days, or above that for one day."""
        return next((d for d in self.doses if d.mg > limit.value or _is_above(d.day_mg, day_limit)), None)


def cycle_doses(view: View) -> CycleDoses:
    """The doses of the cycle that runs, worked out once for the rules."""
    return view.derive(_cycle_doses)


def _cycle_doses(view: View) -> CycleDoses:
    cycle = view.cycle
    begins = begin_of(cycle, view.zone) if cycle is not None else None
    if cycle is None or begins is None or begins > view.at:
        return CycleDoses(None, None)
    doses = _given(view, cycle)
    plan, until = view.statement(PLAN), None
    if plan is not None and plan.number is not None:
        doses.append(CycleDose(plan.number, None, "planned for the cycle", (plan,)))
    else:
        supplied, until = _supplied(view, cycle)
        doses.extend(supplied)
    return CycleDoses(cycle, begins, tuple(doses), until)


def _is_above(day_mg: Decimal | None, limit: Number | None) -> bool:
    return limit is not None and day_mg is not None and day_mg > limit.value


def _given(view: View, cycle: Cycle) -> list[CycleDose]:
    first, window = local_day(cycle.day_1, view.zone).toordinal(), view.policy.terms.dex_window_days.whole
    daily: dict[int, list[Supply]] = {}
    for supply in supplies_of(view):
        day = local_day(supply.at, view.zone).toordinal()
        if day >= first and given_mg(supply) is not None:
            daily.setdefault(day, []).append(supply)
    if not daily:
        return []
    sums = {day: sum((given_mg(s) or Decimal(0) for s in here), Decimal(0)) for day, here in daily.items()}

    def of_window(begin: int) -> Decimal:
        return sum((mg for day, mg in sums.items() if begin <= day < begin + window), Decimal(0))

    # Of windows that hold as much the first one counts: what is given later does not make it anew.
    best = max(daily, key=lambda day: (of_window(day), -day))
    facts = tuple(s for day, here in daily.items() if best <= day < best + window for s in here)
    return [CycleDose(of_window(best), max(sums.values()), "given in the cycle", facts)]


def _supplied(view: View, cycle: Cycle) -> tuple[list[CycleDose], datetime | None]:
    by_way = {way: [s for s in supplies_of(view) if s.way == way] for way in ("dispensed", "home", "ordered")}
    way = next((way for way, supplies in by_way.items() if supplies), "dispensed")
    if way != "dispensed":
        return _taken(view, by_way[way][-1])
    place, total, facts = view.ledger.cycles.index(cycle), Decimal(0), []
    for supply in by_way[way]:
        amount = amount_of(supply, view)
        if amount is None:
            continue
        mg, days = amount
        parts = -(-days // view.policy.terms.cycle_length_days.whole)
        if 0 <= place - _place(view, supply) < parts:
            total += mg / parts
            facts.append(supply)
    day_mg = max((dose for s in facts if (dose := s.daily_mg or s.dose_mg) is not None), default=None)
    return ([CycleDose(total, day_mg, "dispensed for the cycle", tuple(facts))] if facts else []), None


def _taken(view: View, supply: Supply) -> tuple[list[CycleDose], datetime | None]:
    """The newest home statement or order, while it runs."""
    until, terms = supply.until or supply.at + view.policy.terms.order_open_days.span, view.policy.terms
    amount = amount_of(supply, view)
    if view.at >= until or amount is None:
        return [], None
    mg, days = amount
    parts = -(-days // terms.cycle_length_days.whole)
    how = "ordered" if supply.way == "ordered" else "taken at home"
    return [CycleDose(mg / parts, supply.daily_mg or supply.dose_mg, how, (supply,))], until


def _place(view: View, supply: Supply) -> int:
    """For which of the cycles it was handed over, by place in the ledger; one that has not begun comes after the last."""
    day, zone, terms = local_day(supply.at, view.zone), view.zone, view.policy.terms
    places = [
        place
        for place, cycle in enumerate(view.ledger.cycles, start=1)
        if (day - local_day(cycle.day_1, zone)).days >= terms.cycle_infer_after_days.whole
    ]
    first = local_day(view.ledger.cycles[0].day_1, zone)
    is_before = (first - day).days > terms.cycle_plan_match_days.whole
    return -1 if is_before else max(places, default=0)


def age_in_cycle(view: View, cycle: Cycle) -> tuple[int, bool] | None:
    """Completed years on day 1, and whether that is over the age of the lower dose; None without a birth date.

    Of a birth date known only in part the earlier end counts: the lower dose is the safe side.
    """
    person, terms = view.ledger.person, view.policy.terms
    if person is None or person.birth is None:
        return None
    day = local_day(cycle.day_1, view.zone)
    years, limit = completed_years(person.birth, day), terms.dex_elderly_over_years.whole
    is_past_birthday = completed_years(person.birth, date.fromordinal(day.toordinal() - 1)) >= limit
    return years, years > limit or (terms.dex_elderly_from_birthday and is_past_birthday)


def begun_on(view: View, doses: CycleDoses) -> datetime:
    """The first instant of the day on which the cycle began: what one alert of a cycle is about."""
    begins = doses.begins or view.at
    return start_of_day(local_day(begins, view.zone), view.zone)


def took_effect(view: View, doses: CycleDoses, dose: CycleDose) -> datetime:
    """When the last of what decides was there."""
    person = view.ledger.person
    facts = [fact.at for fact in dose.facts]
    return latest(doses.begins or view.at, *facts, view.answer_since(PLAN), person.at if person else None)


def recheck_of(doses: CycleDoses, border: datetime | None) -> datetime | None:
    """When it changes by itself."""
    return earliest(doses.until, border)
