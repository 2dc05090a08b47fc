"""Lenalidomide dispensed against a hold: known, or not yet known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Supply
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, lenalidomide, on, result, statement, supply

KNOWN, BEFORE = "hold-dispense", "dispense-before-result"
HOLD = cbc(8, "400")


def both(facts: list[AnyKept], day: float, hour: float = 12.0) -> tuple[str, str]:
    return answer_of(KNOWN, start(), facts, day=day, hour=hour), answer_of(BEFORE, start(), facts, day=day, hour=hour)


def anc(day: float, value: str, hour: float = 9.0, known: float | None = None, **more: object) -> AnyKept:
    return result("anc", value, day, hour, known=on(day, known) if known is not None else None, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answers"),
    [
        ("dispensed after the hold was known", [*HOLD, lenalidomide(9)], 9, ("critical", "quiet")),
        ("dispensed at the instant it was known", [anc(8, "400", known=15), lenalidomide(8, hour=15)], 9, ("critical", "quiet")),
        ("dispensed a minute before it was known", [anc(8, "400", known=15), lenalidomide(8, hour=14.98)], 9, ("quiet", "high")),
        ("dispensed a minute after collection", [anc(8, "400", known=15), lenalidomide(8, hour=9.02)], 9, ("quiet", "high")),
        ("dispensed before collection", [lenalidomide(8, hour=8.9), anc(8, "400", known=15)], 9, ("quiet", "quiet")),
        ("no hold", [*cbc(8, "501"), lenalidomide(9)], 9, ("quiet", "quiet")),
        ("another medicine", [*HOLD, supply("aspirin", 9, days=30)], 9, ("quiet", "quiet")),
        ("only ordered", [*HOLD, lenalidomide(9, way="ordered")], 9, ("quiet", "quiet")),
        ("dispensed after release", [*HOLD, *cbc(10, "1000"), lenalidomide(11)], 11, ("quiet", "quiet")),
        ("hold released since", [*HOLD, lenalidomide(9), *cbc(10, "1000")], 10, ("quiet", "quiet")),
        ("not recovered", [*HOLD, lenalidomide(9), *cbc(10, "999")], 10, ("critical", "quiet")),
        ("a preliminary count is no hold", [anc(8, "400", status=FactStatus.PRELIMINARY), lenalidomide(9)], 9, ("quiet", "quiet")),
        ("a hold in doubt of its unit is one", [anc(8, "25"), lenalidomide(9)], 9, ("critical", "quiet")),
        ("a hold by clumped platelets is one", [result("platelets", "20000", 8, doubt=ResultDoubt.CLUMPED), lenalidomide(9)], 9, ("critical", "quiet")),
        ("a delayed cycle is one", [anc(28, "900"), lenalidomide(29)], 29, ("critical", "quiet")),
        ("two dispenses are two alerts", [*HOLD, lenalidomide(9), lenalidomide(10)], 10, ("critical, critical", "quiet")),
        ("one before and one after it was known", [anc(8, "400", known=15), lenalidomide(8, hour=14), lenalidomide(9)], 9, ("critical", "high")),
        ("the cause it met is released, another still holds", [*cbc(8, "400", "20000"), lenalidomide(9), *cbc(10, "1500", "29999")], 10, ("critical", "quiet")),
        ("every cause released", [*cbc(8, "400", "20000"), lenalidomide(9), *cbc(10, "1500", "30000")], 10, ("quiet", "quiet")),
        ("a new hold later does not bring it back", [*HOLD, lenalidomide(9), *cbc(10, "1500"), *cbc(12, "400")], 12, ("quiet", "quiet")),
        ("dispensed again after a recorded stop, nothing released", [*HOLD, statement("lenalidomide-stopped", 9, "toxicity"), lenalidomide(12)], 12, ("critical", "quiet")),
        ("dispensed again after a stop, released in between", [*HOLD, statement("lenalidomide-stopped", 9, "toxicity"), *cbc(11, "1500"), lenalidomide(12)], 12, ("quiet", "quiet")),
        ("a stop leaves the capsules at home", [*HOLD, lenalidomide(9), statement("lenalidomide-stopped", 10, "toxicity")], 10, ("critical", "quiet")),
    ],
)  # fmt: skip
def test_dispense(shows: str, facts: list[AnyKept], day: float, answers: tuple[str, str]) -> None:
    assert both(facts, day) == answers


def test_returned_dispense_closes_it() -> None:
    returned = lenalidomide(9, status=FactStatus.WITHDRAWN)
    assert both([*HOLD, returned], 10) == ("quiet", "quiet")


@pytest.mark.parametrize(
    ("shows", "given", "last_day"),
    [
        ("28 days of supply", supply("lenalidomide", 9, days=28, dose="25"), 36),
        ("21 capsules and no days", supply("lenalidomide", 9, quantity="21", strength="25"), 29),
        ("neither said: a whole cycle", supply("lenalidomide", 9, dose="25"), 36),
    ],
)
def test_used_up_supply_closes_it(shows: str, given: Supply, last_day: int) -> None:
    assert both([*HOLD, given], last_day, 23.99)[0] == "critical"
    assert both([*HOLD, given], last_day + 1, 0.0)[0] == "quiet"
    assert recheck_of(KNOWN, start(), HOLD, given, day=10) == on(last_day + 1, 0)


def test_a_dispense_of_the_day_without_hour_may_have_come_after_the_hold() -> None:
    """A date without a time is an interval: the safe end counts, whichever side of the result it is kept on."""
    given = lenalidomide(8, hour=0)
    dated = replace(given, latest=given.at + timedelta(hours=24) - timedelta(seconds=1))
    assert both([dated, *HOLD], 8) == ("critical", "quiet")
    assert both([replace(dated, at=on(7, 0), latest=on(8, 0)), *HOLD], 8) == ("quiet", "quiet")


def test_it_names_the_count_and_stands_on_both_facts() -> None:
    given = lenalidomide(9)
    finding = finding_of(KNOWN, start(), HOLD, given, day=9)
    assert (finding.subject, finding.effective_at) == (given.id, given.at)
    assert "ANC 400 cells/uL" in finding.message
    assert [shown.what for shown in finding.evidence] == ["dispensed", "ANC that opened the hold"]


def test_a_missing_count_is_said_by_the_hold_rule() -> None:
    facts = [lenalidomide(1), lenalidomide(9)]
    assert answer_of(KNOWN, facts, day=9) == "quiet"
    assert answer_of("anc-hold", facts, day=9) == "cannot: ANC"
