"""Cycles, courses, supplies and doses at the edges.

The expected answers are those of the clinical reference (parts 0.4, 1.10, 1.12, 3.6).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from rules.calendar import days_after
from rules.catalogue import BY_ID, HOLD_RULES
from rules.course import fold, supplied_until
from rules.ledger import Ledger
from rules.picture import AnyKept, Person, Supply
from rules.resuming import allowed_dose
from rules.view import View
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, start
from tests.rules.bedside import cbc, ledger, lenalidomide, on, person, policy, result, statement, supply, view


def anc(day: float, value: str, hour: float = 9.0) -> AnyKept:
    return result("anc", value, day, hour)


def given(day: float, hour: float = 20.0, medicine: str = "lenalidomide") -> Supply:
    return supply(medicine, day, hour, way="given", dose="25")


WATCH, DELAY = {"anc-low-watch"}, {"anc-cycle-delay"}


def opened_by(facts: list[AnyKept], day: float) -> set[str]:
    return {
        rule
        for rule in ("anc-low-watch", "anc-cycle-delay", "anc-hold")
        if answer_of(rule, start(), facts, day=day) != "quiet"
    }


@pytest.mark.parametrize(
    ("shows", "facts", "day", "rules"),
    [
        ("a refill 20 days after is no new cycle: the next is still ahead", [lenalidomide(21), anc(27, "900")], 27, DELAY),
        ("a refill 21 days after is the next cycle: mid-cycle", [lenalidomide(22), anc(27, "900")], 27, WATCH),
        ("dispensed early, taken as planned: the dose decides", [lenalidomide(22), given(29), anc(31, "900")], 31, WATCH),
        ("planned 10 days after the dispense: the plan is day 1", [statement("planned-cycle-day-1", 20, when=on(35)), lenalidomide(25), anc(33, "900")], 33, DELAY),
        ("a plan moved later: the newest counts", [statement("planned-cycle-day-1", 20, when=on(29)), statement("planned-cycle-day-1", 27, when=on(36)), anc(32, "900")], 32, WATCH),
        ("a delay stretches the cycle: still before its day 1", [anc(29, "900", 8), anc(36, "1500", 8), anc(40, "900", 8)], 40, DELAY),
        ("started after a delay: mid-cycle", [anc(29, "900", 8), anc(36, "1500", 8), lenalidomide(36), given(36), anc(40, "1001", 8)], 40, set()),
        ("the next day 1 counts from the delayed one", [lenalidomide(36), given(36), anc(60, "900")], 60, WATCH),
        ("and its window too", [lenalidomide(36), given(36), anc(61, "900")], 61, DELAY),
        ("count and dispense at one instant: the count was before", [anc(29, "900", 10), lenalidomide(29, hour=10)], 29, DELAY),
        ("count and dose at one instant: the count was before", [anc(29, "900", 10), given(29, 10)], 29, DELAY),
        ("count and first dispense at one instant: a baseline count", [], 1, set()),
        ("a plan that is long past says nothing of the next cycle", [statement("planned-cycle-day-1", 2, when=on(3)), anc(26, "900")], 26, DELAY),
    ],
)  # fmt: skip
def test_before_a_cycle_or_in_it(shows: str, facts: list[AnyKept], day: float, rules: set[str]) -> None:
    assert opened_by(facts, day) == rules


def test_a_count_at_the_instant_of_the_first_dispense_is_the_baseline() -> None:
    facts = [*cbc(1, "400", hour=10), lenalidomide(1, hour=10)]
    held = ledger(facts)
    assert (held.holds, str(held.baseline["anc"].value)) == ((), "400")
    assert answer_of("cytopenia-start-caution", facts, day=1) == "high"


def test_a_dispense_as_the_very_first_fact_is_watched_and_blind() -> None:
    facts = [lenalidomide(1)]
    assert answer_of("anc-hold", facts, day=1) == "cannot: ANC"
    assert answer_of("plt-hold", facts, day=1) == "cannot: platelets"
    assert answer_of("cbc-baseline-missing", facts, day=1) == "high"
    assert answer_of("anc-hold", facts, anc(2, "400"), day=2) == "critical"


# --- what begins and ends a course

STOPPED: AnyKept = statement("lenalidomide-stopped", 20, "toxicity")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "on_treatment", "number"),
    [
        ("a stop", [STOPPED], 21, False, 1),
        ("a dispense after a stop", [STOPPED, lenalidomide(60)], 61, True, 2),
        ("a dose given after a stop", [STOPPED, given(60)], 61, True, 2),
        ("a dose at home after a stop", [STOPPED, supply("lenalidomide", 60, way="home", dose="25")], 61, True, 2),
        ("an order after a stop is no treatment", [STOPPED, lenalidomide(60, way="ordered")], 61, False, 1),
        ("the patient's word of a first dose after a stop", [STOPPED, statement("cycle-day-1-taken", 60, when=on(60))], 61, True, 2),
        ("the patient's word of a dose before the stop", [STOPPED, statement("cycle-day-1-taken", 25, when=on(1))], 26, False, 1),
        ("a stop that lies ahead has not come", [statement("lenalidomide-stopped", 20, "other", when=on(30))], 29, True, 1),
        ("and then it has", [statement("lenalidomide-stopped", 20, "other", when=on(30))], 30, False, 1),
        ("a dispense before the stop that lies ahead", [statement("lenalidomide-stopped", 20, "other", when=on(30)), lenalidomide(25)], 31, False, 1),
        ("a planned handing over is none", [STOPPED, lenalidomide(60, status=FactStatus.PLANNED)], 61, False, 1),
        ("two stops are one", [STOPPED, statement("lenalidomide-stopped", 22, "other"), lenalidomide(60)], 61, True, 2),
    ],
)  # fmt: skip
def test_course(shows: str, facts: list[AnyKept], day: float, on_treatment: bool, number: int) -> None:
    seen = view(start(), facts, day=day)
    assert (seen.is_on_treatment, seen.ledger.number) == (on_treatment, number)


def test_a_dispense_that_is_only_planned_starts_nothing() -> None:
    for way in ("dispensed", "home", "given"):
        planned = supply("lenalidomide", 1, way=way, dose="25", status=FactStatus.PLANNED)
        held = ledger(cbc(-1), planned, anc(8, "400"))
        assert (held.started_at, held.holds) == (None, ())
        assert held.enrolled_at is not None


def test_a_planned_handing_over_meets_no_hold() -> None:
    facts = [anc(8, "400"), lenalidomide(9, status=FactStatus.PLANNED)]
    assert answer_of("hold-dispense", start(), facts, day=9) == "quiet"


def test_death_ends_the_course_and_nothing_restarts_it() -> None:
    who = person()
    assert isinstance(who, Person)
    died = replace(who, id="died", at=on(15), died=on(14))
    seen = view(start(), died, lenalidomide(40), anc(41, "300"), day=42)
    assert not seen.is_on_treatment
    assert seen.ledger.holds == ()


def test_death_after_a_stop_stays_the_end() -> None:
    who = person()
    assert isinstance(who, Person)
    died = replace(who, id="died", at=on(25), died=on(25))
    assert not view(start(), STOPPED, died, lenalidomide(40), day=42).is_on_treatment


def test_a_hold_outlives_the_stop_and_meets_the_next_dispense() -> None:
    facts = [*cbc(8, "400", "20000"), STOPPED, anc(40, "2500"), lenalidomide(60)]
    assert answer_of("plt-hold", start(), facts, day=60) == "critical"
    assert answer_of("anc-hold", start(), facts, day=60) == "quiet"
    assert answer_of("hold-dispense", start(), facts, day=60) == "critical"


def test_the_baseline_of_a_new_course_is_its_own() -> None:
    facts = [STOPPED, lenalidomide(60)]
    assert answer_of("cbc-baseline-missing", start(), facts, day=60) == "high"
    assert answer_of("cbc-baseline-missing", start(), STOPPED, cbc(50), lenalidomide(60), day=60) == "quiet"


# --- supplies


def test_doses_given_in_hospital_do_not_push_out_what_is_at_home() -> None:
    """A dispense for 90 days covers them, whatever is given in between (part 0.4, course coverage)."""
    ward = [given(day, medicine="aspirin") for day in range(20, 32)]
    seen = view(supply("aspirin", 1, days=90), ward, day=60)
    assert seen.covered_by("aspirin") is not None
    assert seen.span_now("aspirin") is not None


def test_lenalidomide_given_in_hospital_does_not_push_out_what_is_at_home() -> None:
    ward = [given(day) for day in range(2, 14)]
    assert view(lenalidomide(1), ward, day=15).lenalidomide_until == on(29, 0)


@pytest.mark.parametrize(
    ("shows", "supplies", "day", "hour", "is_covered"),
    [
        ("the last day of grace", [supply("aspirin", 1, days=28)], 35, 23.9, True),
        ("the first uncovered day is d + n + 7", [supply("aspirin", 1, days=28)], 36, 0.0, False),
        ("carried stock is added", [supply("aspirin", 1, days=30), supply("aspirin", 20, days=30)], 67, 23.9, True),
        ("and no more", [supply("aspirin", 1, days=30), supply("aspirin", 20, days=30)], 68, 0.0, False),
        ("a gap within the grace adds no stock", [supply("aspirin", 1, days=28), supply("aspirin", 33, days=28)], 67, 23.9, True),
        ("a gap within the grace adds no stock, one day later", [supply("aspirin", 1, days=28), supply("aspirin", 33, days=28)], 68, 0.0, False),
        ("what was only planned covers nothing", [supply("aspirin", 1, days=28, status=FactStatus.PLANNED)], 2, 0.0, False),
    ],
)  # fmt: skip
def test_coverage(shows: str, supplies: list[Supply], day: float, hour: float, is_covered: bool) -> None:
    seen = view(supplies, day=day, hour=hour)
    assert (seen.span_now("aspirin") is not None, seen.covered_by("aspirin") is not None) == (is_covered, is_covered)


def test_sixty_days_without_supply() -> None:
    assert supplied_until([lenalidomide(1)], policy(), "Asia/Seoul") == on(29, 0)


# --- the dose after a hold

LOW = cbc(8, "2500", "20000")


def test_two_packages_of_one_day_are_one_dose() -> None:
    """15 mg and 10 mg handed over together are a dose of 25 mg."""
    begun = [*cbc(-1), lenalidomide(1, "15"), lenalidomide(1, "10", hour=10.1)]
    assert allowed_dose(ledger(begun, LOW).holds, policy()).dose_mg == Decimal(15)


def test_two_packages_that_make_too_high_a_dose_are_said() -> None:
    facts = [*LOW, *cbc(12), lenalidomide(13, "15"), lenalidomide(13, "10", hour=10.1)]
    assert answer_of("resume-dose-high", start(), facts, day=13) == "high"


@pytest.mark.parametrize(
    ("shows", "facts", "dose"),
    [
        ("first neutropenia: the same", [*cbc(8, "400"), *cbc(12)], "25"),
        ("persistent on the seventh day: one lower", [*cbc(8, "400"), *cbc(15, "999"), *cbc(16)], "15"),
        ("not persistent on the sixth", [*cbc(8, "400"), *cbc(14, "999"), *cbc(16)], "25"),
        ("delay in a second episode: one lower", [*cbc(8, "900"), *cbc(10), *cbc(28, "900"), *cbc(35)], "15"),
        ("ANC and platelets of one specimen: one", [*cbc(8, "400", "20000"), *cbc(15, "999", "20000"), *cbc(16)], "15"),
        ("another hold before the first dose: two", [*LOW, *cbc(10), *cbc(14, "2500", "20000"), *cbc(16)], "10"),
    ],
)
def test_allowed(shows: str, facts: list[AnyKept], dose: str) -> None:
    assert allowed_dose(ledger(start(), facts).released, policy()).dose_mg == Decimal(dose)


def test_what_was_dispensed_during_a_hold_does_not_end_the_wait() -> None:
    facts = [*LOW, lenalidomide(9), *cbc(12)]
    assert answer_of("plt-resume-ok", start(), facts, day=12) == "info"
    assert finding_of("plt-resume-ok", start(), facts, day=12).advice.dose_mg == "15"  # type: ignore[union-attr]


# --- zones with daylight saving

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(month: int, day: int, hour: float = 0.0) -> datetime:
    return (datetime(2026, month, day, tzinfo=BERLIN) + timedelta(hours=hour)).astimezone(UTC)


def at(fact: AnyKept, instant: datetime) -> AnyKept:
    return replace(fact, at=instant, known=instant, issued=instant, version=instant)


def in_berlin(facts: list[AnyKept], instant: datetime) -> View:
    held = fold(Ledger(zone="Europe/Berlin"), sorted(facts, key=lambda f: f.order), policy(), HOLD_RULES)
    return View(held, instant, policy())


def says(rule: str, facts: list[AnyKept], instant: datetime) -> str:
    return type(BY_ID[rule].assess(in_berlin(facts, instant))).__name__


def panel(instant: datetime, value: str = "2500") -> list[AnyKept]:
    return [at(result(name, number, 1), instant) for name, number in (("anc", value), ("platelets", "180000"))]


@pytest.mark.parametrize(
    ("shows", "day_1", "count", "rule"),
    [
        ("autumn: four days before is mid-cycle", berlin(10, 4), berlin(10, 28, 9), "anc-low-watch"),
        ("autumn: three days before delays", berlin(10, 4), berlin(10, 29, 9), "anc-cycle-delay"),
        ("spring: four days before is mid-cycle", berlin(3, 15), berlin(4, 8, 9), "anc-low-watch"),
        ("spring: three days before delays", berlin(3, 15), berlin(4, 9, 0.5), "anc-cycle-delay"),
        ("spring, late at night: four days before", berlin(3, 15, 23.5), berlin(4, 8, 9), "anc-low-watch"),
    ],
)
def test_the_window_before_a_cycle_over_a_change_of_the_clock(
    shows: str, day_1: datetime, count: datetime, rule: str
) -> None:
    facts = [*panel(day_1 - timedelta(days=1)), at(lenalidomide(1), day_1), *panel(count, "900")]
    other = ({"anc-low-watch", "anc-cycle-delay"} - {rule}).pop()
    assert (says(rule, facts, count), says(other, facts, count)) == ("Found", "Nothing")


def test_overdue_begins_at_midnight_after_the_clock_changed() -> None:
    """14 days and 3 of grace after 15 October: overdue from the first instant of 2 November."""
    facts = [at(person(), berlin(9, 1)), at(result("weight", "60", 1), berlin(9, 1)), at(result("creatinine", "1.0", 1), berlin(9, 1)),
             *panel(berlin(10, 15, 9)), at(lenalidomide(1), berlin(10, 15, 10))]  # fmt: skip
    assert says("cbc-overdue", facts, berlin(11, 2) - timedelta(seconds=1)) == "Nothing"
    assert says("cbc-overdue", facts, berlin(11, 2)) == "Found"
    assert BY_ID["cbc-overdue"].assess(in_berlin(facts, berlin(11, 1))).recheck_at == berlin(11, 2)


def test_persistence_counts_calendar_days_over_a_change_of_the_clock() -> None:
    begun = [*panel(berlin(10, 1)), at(lenalidomide(1), berlin(10, 1, 10)), *panel(berlin(10, 20, 23), "400")]
    assert says("anc-persistent-reduce", [*begun, *panel(berlin(10, 27, 0.5), "900")], berlin(10, 27, 1)) == "Found"
    assert says("anc-persistent-reduce", [*begun, *panel(berlin(10, 26, 23.5), "900")], berlin(10, 27, 1)) == "Nothing"


def test_coverage_over_a_change_of_the_clock_ends_at_midnight() -> None:
    dispensed = at(supply("aspirin", 1, days=28), berlin(10, 20, 17))
    assert in_berlin([dispensed], berlin(11, 24) - timedelta(seconds=1)).covered_by("aspirin") is not None
    assert in_berlin([dispensed], berlin(11, 24)).covered_by("aspirin") is None
    assert days_after(berlin(10, 20, 17), 28, "Europe/Berlin") == berlin(11, 17)
