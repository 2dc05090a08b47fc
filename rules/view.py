"""One patient at one instant, in the words a rule uses.

A view is built for every assessment; it reads the ledger and never changes it. What takes work to
derive (clearance, coverage) is derived when first asked for and kept for the other rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from rules.calendar import completed_years, days_between, local_day, start_of_day
from rules.course import supplied_until
from rules.course_moment import cycle_at, expected_day_1
from rules.coverage import Span, coverage_spans
from rules.equations import estimate_creatinine_clearance_cockcroft_gault_1976
from rules.holds import Hold, Stop
from rules.ledger import LENALIDOMIDE, Cycle, Ledger
from rules.picture import Allergy, Diagnosis, Procedure, Result, Statement, Supply
from rules.policy.terms import Policy
from rules.stops import open_stops
from schemas.events import FactStatus

T = TypeVar("T")

_ADULT_YEARS = range(18, 101)
"""Ages for which Cockcroft-Gault is used; outside it the clearance is unknown (clinical reference, part 5)."""


class Coverage(msgspec.Struct, frozen=True, gc=False):
    """A medicine or class counts as taken: its newest supply, and when the grace after it ends."""

    supply: Supply
    until: datetime
    grace_until: datetime


class Clearance(msgspec.Struct, frozen=True, gc=False):
    """Creatinine clearance by Cockcroft-Gault, and the results it stands on."""

    ml_per_min: Decimal
    creatinine: Result
    weight: Result


class View:
    """See the module. `at` is the instant of assessment."""

    def __init__(self, ledger: Ledger, at: datetime, policy: Policy) -> None:
        self.ledger = ledger
        self.at = at
        self.policy = policy
        self.zone = ledger.zone
        """The patient's time zone."""
        ended = ledger.ended_at
        self.has_ended = ended is not None and ended <= at
        """A stop or the patient's death is recorded and its time has come."""
        self.is_on_treatment = ledger.started_at is not None and not self.has_ended
        """Between the first dose of a course and its recorded end."""
        self._coverage: dict[tuple[str, ...], Coverage | None] = {}
        self._clearance: tuple[Clearance | None, tuple[str, ...]] | None = None
        self._by_name: dict[str, list[Supply]] | None = None
        self._spans: dict[tuple[tuple[str, ...], bool], tuple[Span, ...]] = {}
        self._derived: dict[Callable[..., Any], Any] = {}

    def derive(self, how: Callable[[View], T]) -> T:
        """What a family works out once for all of its rules."""
        if how not in self._derived:
            self._derived[how] = how(self)
        found: T = self._derived[how]
        return found

    # --- treatment ---

    @property
    def has_started(self) -> bool:
        """A first dose was dispensed or taken in the present course."""
        return self.ledger.started_at is not None

    @property
    def restarted_at(self) -> datetime | None:
        """When treatment began again after a recorded stop; what was left open then is open since then."""
        return self.ledger.started_at if self.ledger.number > 1 else None

    @cached_property
    def cycle(self) -> Cycle | None:
        """The cycle that runs at the instant."""
        return cycle_at(self.ledger, self.at)

    @cached_property
    def next_cycle_at(self) -> datetime | None:
        """The beginning of the day on which a cycle that is already recorded begins, if that lies ahead."""
        ahead = (cycle.day_1 for cycle in self.ledger.cycles if cycle.day_1 > self.at)
        days = (start_of_day(local_day(day_1, self.zone), self.zone) for day_1 in ahead)
        return next((day for day in days if day > self.at), None)

    @property
    def first_cycle_day_1(self) -> datetime | None:
        """Day 1 of cycle 1 of the course, while that cycle is still remembered; else the course's start."""
        cycles = self.ledger.cycles
        if cycles and cycles[0].number == 1:
            return cycles[0].day_1
        return self.ledger.started_at

    @cached_property
    def cycle_day(self) -> int | None:
        """Day of the cycle, day 1 being 1; None before day 1."""
        cycle = self.cycle
        if cycle is None:
            return None
        day = days_between(cycle.day_1, self.at, self.zone) + 1
        return day if day > 0 else None

    @cached_property
    def expected_day_1(self) -> datetime | None:
        """Day 1 of the next cycle, planned or expected."""
        return expected_day_1(self.ledger, self.policy)

    @cached_property
    def today(self) -> date:
        """The calendar day of the instant in the patient's zone."""
        return local_day(self.at, self.zone)

    # --- results ---

    def newest(self, analyte: str) -> Result | None:
        """The newest valid result."""
        return self.ledger.newest.get(analyte)

    def previous(self, analyte: str) -> Result | None:
        """The valid result before the newest."""
        return self.ledger.previous.get(analyte)

    def series(self, analyte: str) -> tuple[Result, ...]:
        """The last valid values of an analyte that is followed over weeks, thinned, the oldest first."""
        return self.ledger.series.get(analyte, ())

    def baseline(self, analyte: str) -> Result | None:
        """The newest valid result in the baseline window before the course began."""
        return self.ledger.baseline.get(analyte)

    def preliminary(self, analyte: str) -> Result | None:
        """A preliminary result newer than the newest valid one."""
        return self.ledger.preliminary.get(analyte)

    def unusable(self, analyte: str) -> Result | None:
        """A newer result that no rule may decide on (unit, plausibility, a bound that proves nothing)."""
        return self.ledger.unusable.get(analyte)

    # --- holds ---

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Open causes to hold lenalidomide, in the order they opened."""
        return self.ledger.holds

    def hold_of(self, cause: str) -> Hold | None:
        """The open hold of one cause (`anc`, `platelets`, `fever`)."""
        return next((hold for hold in self.ledger.holds if hold.cause == cause), None)

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """Open causes to hold lenalidomide that are no counts (a rash, a clot, a pregnancy and their kin)."""
        return open_stops(self.ledger, self.at)

    def stops_of(self, rule: str) -> tuple[Stop, ...]:
        """The open causes that one rule named."""
        return tuple(stop for stop in self.stops if stop.rule == rule)

    @cached_property
    def stop_ends_at(self) -> datetime | None:
        """When the first of the open causes ends by itself, if an end is recorded."""
        return min((stop.until for stop in self.stops if stop.until is not None), default=None)

    # --- medicines ---

    def supplies(self, *names: str) -> tuple[Supply, ...]:
        """Supplies of these ingredients or classes, oldest first."""
        if self._by_name is None:
            self._by_name = {}
            for supply in self.ledger.supplies:
                for name in {supply.medicine, *supply.classes}:
                    self._by_name.setdefault(name, []).append(supply)
        if len(names) == 1:
            return tuple(self._by_name.get(names[0], ()))
        wanted = {id(supply) for name in names for supply in self._by_name.get(name, ())}
        return tuple(supply for supply in self.ledger.supplies if id(supply) in wanted)

    def covered_by(self, *names: str) -> Coverage | None:
        """Coverage by any of these ingredients or classes at the instant, grace included."""
        if names not in self._coverage:
            self._coverage[names] = self._cover(names)
        return self._coverage[names]

    def _cover(self, names: tuple[str, ...]) -> Coverage | None:
        best: Coverage | None = None
        by_medicine: dict[str, list[Supply]] = {}
        for supply in self.supplies(*names):
            by_medicine.setdefault(supply.medicine, []).append(supply)
        grace = self.policy.terms.coverage_grace_days.span
        for supplies in by_medicine.values():
            until = supplied_until(supplies, self.policy, self.zone)
            if until is None:
                continue
            grace_until = until + (grace if supplies[-1].way != "given" else timedelta())
            if self.at < grace_until and (best is None or grace_until > best.grace_until):
                best = Coverage(supplies[-1], until, grace_until)
        return best

    def spans(self, *names: str, with_orders: bool = False) -> tuple[Span, ...]:
        """Runs of coverage by any of these, oldest first; what was only ordered does not count unless asked for."""
        key = (names, with_orders)
        if key not in self._spans:
            chosen = (s for s in self.supplies(*names) if with_orders or s.way != "ordered")
            self._spans[key] = coverage_spans(chosen, self.policy, self.zone)
        return self._spans[key]

    def span_now(self, *names: str, with_orders: bool = False) -> Span | None:
        """The run of coverage that the instant lies in, grace included."""
        spans = self.spans(*names, with_orders=with_orders)
        return spans[-1] if spans and spans[-1].holds_at(self.at) else None

    def supply_since(self, since: datetime, *names: str) -> Supply | None:
        """The newest supply of these on or after an instant."""
        return next((supply for supply in reversed(self.supplies(*names)) if supply.at >= since), None)

    @cached_property
    def lenalidomide_until(self) -> datetime | None:
        """When the supply of lenalidomide runs out, grace not counted."""
        return supplied_until((s for s in self.supplies(LENALIDOMIDE) if s.way != "ordered"), self.policy, self.zone)

    # --- conditions, statements, procedures ---

    def diagnoses(self, *concepts: str) -> tuple[Diagnosis, ...]:
        """Conditions and events of these concepts, oldest first; history codes included."""
        wanted = set(concepts)
        return tuple(d for d in self.ledger.diagnoses if not wanted.isdisjoint(d.concepts))

    def active(self, *concepts: str) -> Diagnosis | None:
        """The newest condition of these concepts that is not over (and no mere history)."""
        return next(
            (d for d in reversed(self.diagnoses(*concepts)) if not d.is_over(self.at) and not d.is_history), None
        )

    def statement(self, code: str) -> Statement | None:
        """The newest statement of a code, unless it ended."""
        held = self.ledger.statements.get(code)
        if held is None or (held.until is not None and held.until <= self.at):
            return None
        return held

    def stated_since(self, code: str) -> Statement | None:
        """The first of the statements of a code that say what the newest one says."""
        return self.ledger.first_stated.get(code)

    def answer_since(self, code: str) -> datetime | None:
        """Since when a statement reads as it does now: when it was made, or when it ended if that is later."""
        held = self.ledger.statements.get(code)
        if held is None:
            return None
        if held.until is None or held.until > self.at:
            return held.at
        return max(held.at, held.until)

    def says_yes(self, code: str) -> bool:
        """A statement with the value `yes`."""
        held = self.statement(code)
        return held is not None and held.value_code == "yes"

    def procedure_since(self, since: datetime, *concepts: str) -> Procedure | None:
        """The newest procedure of these concepts done on or after an instant; a planned one is not done."""
        wanted = set(concepts)
        done = (p for p in reversed(self.ledger.procedures) if p.status is not FactStatus.PLANNED)
        return next((p for p in done if p.at >= since and not wanted.isdisjoint(p.concepts)), None)

    def allergies(self, substances: Iterable[str]) -> tuple[Allergy, ...]:
        """Active allergies to any of these substances."""
        wanted = set(substances)
        return tuple(a for a in self.ledger.allergies if a.is_active and not wanted.isdisjoint(a.substances))

    # --- the person ---

    @cached_property
    def age(self) -> int | None:
        """Completed years on day 1 of the cycle; the lower age where the birth date is partial."""
        person, cycle = self.ledger.person, self.cycle
        if person is None or person.birth_latest is None:
            return None
        on = local_day(cycle.day_1, self.zone) if cycle else self.today
        return completed_years(person.birth_latest, on)

    @property
    def clearance(self) -> Clearance | None:
        """Creatinine clearance (Cockcroft-Gault, actual weight); None where an input is missing."""
        return self._clear()[0]

    @property
    def clearance_missing(self) -> tuple[str, ...]:
        """Which inputs of the clearance are missing."""
        return self._clear()[1]

    def _clear(self) -> tuple[Clearance | None, tuple[str, ...]]:
        if self._clearance is None:
            self._clearance = self._estimate_clearance()
        return self._clearance

    def _estimate_clearance(self) -> tuple[Clearance | None, tuple[str, ...]]:
        return self.clearance_by(self.newest("creatinine"))

    def clearance_by(self, creatinine: Result | None) -> tuple[Clearance | None, tuple[str, ...]]:
        """The clearance by one creatinine with the newest weight, or which inputs are missing."""
        person, age = self.ledger.person, self.age
        weight = self.newest("weight")
        sex = person.sex if person is not None else None
        missing = [
            name
            for name, is_missing in (
                ("creatinine", creatinine is None or not creatinine.value or creatinine.bound is not None),
                ("weight", weight is None or not weight.value or weight.bound is not None),
                ("birth date", age is None),
                ("sex", sex not in ("female", "male")),
            )
            if is_missing
        ]
        if missing or creatinine is None or weight is None or age is None:
            return None, tuple(missing)
        if age not in _ADULT_YEARS or creatinine.value is None or weight.value is None:
            return None, ("age outside 18 to 100 years",)
        value = estimate_creatinine_clearance_cockcroft_gault_1976(
            age, weight.value, creatinine.value, is_female=sex == "female"
        )
        return Clearance(value, creatinine, weight), ()
