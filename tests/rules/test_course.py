"""Cycles, day 1, coverage, baseline and the end of a course."""

from __future__ import annotations

import pytest

from rules.course import supplied_until, used_up_at
from rules.picture import AnyKept, Supply
from tests.rules.asking import start
from tests.rules.bedside import ZONE, cbc, ledger, lenalidomide, on, policy, result, statement, supply, view


def given(day: float, hour: float = 20.0) -> Supply:
    return supply("lenalidomide", day, hour, way="given", dose="25")


@pytest.mark.parametrize(
    ("shows", "facts", "cycles"),
    [
        ("a dispense begins cycle 1, inferred", [lenalidomide(1)], [(1, on(1, 10), "inferred")]),
        ("an order begins nothing", [lenalidomide(1, way="ordered")], []),
        ("a dose given is the most trusted word", [lenalidomide(1), given(2)], [(1, on(2, 20), "administered")]),
        ("a patient's word", [lenalidomide(1), statement("cycle-day-1-taken", 3, when=on(2))], [(1, on(2), "patient-reported")]),
        ("a plan near the dispense", [statement("planned-cycle-day-1", -5, when=on(4)), lenalidomide(1)], [(1, on(4), "planned")]),
        ("a plan too far from it", [statement("planned-cycle-day-1", -5, when=on(12)), lenalidomide(1)], [(1, on(1, 10), "inferred")]),
        ("20 days later is the same cycle", [lenalidomide(1), lenalidomide(21)], [(1, on(1, 10), "inferred")]),
        ("21 days later is the next", [lenalidomide(1), lenalidomide(22)], [(1, on(1, 10), "inferred"), (2, on(22, 10), "inferred")]),
        ("marked as a first dose, it is the next cycle sooner", [lenalidomide(1), lenalidomide(15, cycle_day_1=True)], [(1, on(1, 10), "inferred"), (2, on(15, 10), "patient-reported")]),
        ("two packages of one day are one cycle", [lenalidomide(1, "15", cycle_day_1=True), lenalidomide(1, "10", hour=10.1, cycle_day_1=True)], [(1, on(1, 10), "patient-reported")]),
        ("doses of every day are one cycle", [given(day) for day in range(1, 15)], [(1, on(1, 20), "administered")]),
    ],
)  # fmt: skip
def test_cycles(shows: str, facts: list[AnyKept], cycles: list[tuple[int, object, str]]) -> None:
    assert [(cycle.number, cycle.day_1, cycle.trust) for cycle in ledger(facts).cycles] == cycles


def test_a_planned_day_1_that_lies_ahead_is_looked_at_when_it_comes() -> None:
    facts = [lenalidomide(1), statement("planned-cycle-day-1", 20, when=on(29)), lenalidomide(24)]
    before, after = view(facts, day=27), view(facts, day=29, hour=0)
    assert before.cycle is not None
    assert after.cycle is not None
    assert (before.cycle.number, before.next_cycle_at) == (1, on(29, 0))
    assert (after.cycle.number, after.next_cycle_at) == (2, None)


@pytest.mark.parametrize(
    ("shows", "supplies", "until"),
    [
        ("28 days from day 1 cover day 28", [lenalidomide(1)], on(29, 0)),
        ("the hour of the dispense is no matter", [lenalidomide(1, hour=23)], on(29, 0)),
        ("an early refill is added", [lenalidomide(1), lenalidomide(22)], on(57, 0)),
        ("a late refill begins anew", [lenalidomide(1), lenalidomide(40)], on(68, 0)),
        ("capsules where no days are said", [supply("aspirin", 1, quantity="30", strength="100")], on(31, 0)),
        ("an order to its end", [supply("aspirin", 1, way="ordered", until=on(90))], on(90)),
        ("an order without an end", [supply("aspirin", 1, way="ordered")], on(29, 10)),
        ("a dose given", [supply("enoxaparin", 1, way="given")], on(3, 10)),
        ("nothing", [], None),
    ],
)
def test_supply(shows: str, supplies: list[Supply], until: object) -> None:
    assert supplied_until(supplies, policy(), ZONE) == until


def test_grace_ends_at_the_first_uncovered_day() -> None:
    """A dispense on day d for n days: the first uncovered day is d + n + 7 (clinical reference, part 0.4)."""
    dispensed = supply("aspirin", 1, days=30)
    assert view(dispensed, day=37, hour=23.9).covered_by("aspirin") is not None
    assert view(dispensed, day=38, hour=0).covered_by("aspirin") is None


def test_a_single_dispense_is_used_up() -> None:
    assert used_up_at(supply("lenalidomide", 1, days=28), policy(), ZONE) == on(29, 0)
    assert used_up_at(supply("lenalidomide", 1, quantity="21"), policy(), ZONE) == on(22, 0)
    assert used_up_at(supply("lenalidomide", 1), policy(), ZONE) == on(29, 0)


def test_baseline_is_the_newest_of_the_window() -> None:
    facts = [*cbc(-15, "700", hour=23), *cbc(-14, "800", hour=1), result("anc", "900", -3), lenalidomide(1)]
    held = ledger(facts)
    assert {name: str(found.value) for name, found in held.baseline.items() if name in ("anc", "platelets")} == {
        "anc": "900",
        "platelets": "180000",
    }


def test_baseline_moves_with_day_1() -> None:
    """Dispensed on day 1, first taken on day 4: a count of day 3 is a baseline count."""
    facts = [*cbc(-1, "2500"), lenalidomide(1), *cbc(3, "900"), given(4)]
    assert str(ledger(facts).baseline["anc"].value) == "900"
    reported = [*cbc(-1, "2500"), lenalidomide(1), *cbc(3, "900"), statement("cycle-day-1-taken", 5, when=on(2))]
    assert str(ledger(reported).baseline["anc"].value) == "2500"


# --- the end of a course


def test_a_stop_ends_the_course_and_a_dispense_begins_the_next() -> None:
    facts = [*start(), statement("lenalidomide-stopped", 20, "toxicity")]
    assert ledger(facts).end_reason == "toxicity"
    assert not view(facts, day=21).is_on_treatment
    again = ledger(facts, lenalidomide(60, "10"))
    assert (again.number, again.ended_at, [cycle.number for cycle in again.cycles]) == (2, None, [1])


def test_a_stop_clears_no_hold() -> None:
    """Absence of a result never clears a hold: only a recovered count does, before or after the stop."""
    facts = [*start(), *cbc(8, "400"), statement("lenalidomide-stopped", 9, "toxicity")]
    assert [hold.cause for hold in ledger(facts).holds] == ["anc"]
    assert [hold.cause for hold in ledger(facts, lenalidomide(60)).holds] == ["anc"]
    assert ledger(facts, cbc(40)).holds == ()
    assert ledger(facts, cbc(40), lenalidomide(60)).released == ()


def test_a_count_after_the_end_opens_nothing() -> None:
    facts = [*start(), statement("lenalidomide-stopped", 9, "other"), *cbc(12, "400", "9000")]
    assert ledger(facts).holds == ()


def test_a_fever_hold_after_the_end_still_ends_by_recovery() -> None:
    facts = [*start(), *cbc(8, "900"), result("temperature", "39", 8), statement("lenalidomide-stopped", 9, "toxicity")]
    assert [hold.cause for hold in ledger(facts).holds] == ["fever"]
    well = [result("temperature", "36.8", 10), *cbc(12, "1500"), result("temperature", "36.8", 13)]
    assert ledger(facts, well).holds == ()


@pytest.mark.parametrize(
    ("shows", "facts", "waiting", "resumed"),
    [
        ("a hold that is open", [*cbc(8, "2500", "20000")], 0, False),
        ("released and waiting", [*cbc(8, "2500", "20000"), *cbc(10)], 1, False),
        ("dispensed", [*cbc(8, "2500", "20000"), *cbc(10), lenalidomide(11, "15")], 0, True),
        ("given", [*cbc(8, "2500", "20000"), *cbc(10), given(11)], 0, False),
        ("a new hold ends the resumption", [*cbc(8, "2500", "20000"), *cbc(10), lenalidomide(11, "15"), *cbc(12, "400")], 0, False),
        ("a fever too", [*cbc(8, "2500", "20000"), *cbc(10, "900"), lenalidomide(11, "15"), result("temperature", "39", 12)], 0, False),
    ],
)  # fmt: skip
def test_waiting_for_the_first_dose(shows: str, facts: list[AnyKept], waiting: int, resumed: bool) -> None:
    held = ledger(start(), facts)
    assert (len(held.released), held.resumed is not None) == (waiting, resumed)
