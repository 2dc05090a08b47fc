"""`assessment-gap`: raised, quiet one step from the edge, updated, closed; and the question after 60 days."""

from __future__ import annotations

import pytest

from tests.rules.bedside import on
from tests.rules.log import Walk, described, dispense, lab, stated

KIDNEYS = {"weight": "60", "height": "170", "creatinine": "1.0"}
ASKED = {"vte-risk-assessment": "tier-3", "partner": "not-of-potential", "high-tumour-burden": "no"}


def known(*, count: bool = True) -> Walk:
    """A patient of whom every rule knows enough."""
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-1, KIDNEYS, hour=8.0), on(-1, 9))
    if count:
        one.hear(lab(-1), on(-1, 10))
    for code, value in ASKED.items():
        one.hear(stated(-1, code, value), on(-1, 10))
    one.hear(stated(-1, "dexamethasone-plan-mg-per-cycle", number="160"), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    return one


def gap(one: Walk) -> tuple[str, set[str]] | None:
    """Severity and rules of the open gap."""
    assert one.record is not None
    severity = next((severity for rule, severity in one.open() if rule == "assessment-gap"), None)
    return None if severity is None else (severity, {item.rule for item in one.record.gaps})


def test_nothing_is_missing() -> None:
    assert gap(known()) is None


def test_a_missing_count_blinds_the_hold_rules_and_its_arrival_closes_the_gap() -> None:
    one = known(count=False)
    found = gap(one)
    assert found is not None
    assert found[0] == "high"
    assert {"anc-hold", "plt-hold"} <= found[1]
    one.hear(lab(2), on(2, 12))
    assert gap(one) is None
    assert [told.transition.value for told in one.transitions if told.rule == "assessment-gap"][-1] == "resolved"


def test_with_one_of_two_counts_it_is_updated_and_stays_high() -> None:
    one = known(count=False)
    one.hear(lab(2, {"anc": "2500"}), on(2, 12))
    found = gap(one)
    assert found is not None
    assert found[0] == "high"
    assert "anc-hold" not in found[1]
    told = [told.transition.value for told in one.transitions if told.rule == "assessment-gap"]
    assert (told[0], set(told[1:])) == ("raised", {"updated"})


def test_a_count_that_cannot_be_used_blinds_an_open_watch_too() -> None:
    one = known()
    one.hear(lab(8, anc="900"), on(8, 12))
    one.hear(lab(9, {"anc": "<2000"}), on(9, 12))
    assert gap(one) == ("high", {"anc-hold"})
    assert ("anc-low-watch", "medium") in one.open()


@pytest.mark.parametrize(
    ("shows", "day", "hour", "asked"),
    [
        ("the last minute of the sixtieth day without supply", 88, 23.99, False),
        ("60 days without supply", 89, 0.0, True),
    ],
)
def test_after_sixty_days_without_supply_a_person_is_asked(shows: str, day: float, hour: float, asked: bool) -> None:
    one = known()
    one.tick(on(day, hour))
    found = gap(one)
    assert (found is not None and "course-end" in found[1]) is asked


def test_a_dispense_answers_the_question() -> None:
    one = known()
    one.tick(on(90))
    one.hear(dispense(91), on(91, 12))
    found = gap(one)
    assert found is None or "course-end" not in found[1]


def test_a_stop_answers_it() -> None:
    one = known()
    one.tick(on(90))
    one.hear(stated(91, "lenalidomide-stopped", "other"), on(91, 12))
    assert gap(one) is None
