"""Runs of coverage: where they begin, where they end, what joins them."""

from __future__ import annotations

from datetime import datetime

import pytest

from rules.coverage import coverage_spans
from rules.picture import Supply
from schemas.events import FactStatus
from tests.rules.bedside import ZONE, on, policy, supply

MIDNIGHT = 0.0


def box(day: float, days: int = 14, medicine: str = "aspirin") -> Supply:
    return supply(medicine, day, days=days)


@pytest.mark.parametrize(
    ("shows", "supplies", "runs"),
    [
        ("none", [], []),
        ("day 1 for 14 days covers days 1 to 14, with grace to day 21", [box(1)], [(on(1, 10), on(15, MIDNIGHT), on(22, MIDNIGHT))]),
        ("carried stock: the second is begun when the first is used up", [box(1), box(8)], [(on(1, 10), on(29, MIDNIGHT), on(36, MIDNIGHT))]),
        ("stock is of one medicine only", [box(1, medicine="enoxaparin"), box(8, medicine="dalteparin")], [(on(1, 10), on(22, MIDNIGHT), on(29, MIDNIGHT))]),
        ("within grace it is one run", [box(1), box(21)], [(on(1, 10), on(35, MIDNIGHT), on(42, MIDNIGHT))]),
        ("after grace it is another", [box(1), box(23)], [(on(1, 10), on(15, MIDNIGHT), on(22, MIDNIGHT)), (on(23, 10), on(37, MIDNIGHT), on(44, MIDNIGHT))]),
        ("an order is not stock", [supply("aspirin", 1, way="ordered"), box(2)], [(on(1, 10), on(29, 10), on(36, 10))]),
        ("a dose given covers 2 days without grace", [supply("aspirin", 1, way="given")], [(on(1, 10), on(3, 10), on(3, 10))]),
        ("at home until a stated end", [supply("aspirin", 1, way="home", until=on(10))], [(on(1, 10), on(10), on(17))]),
        ("what was only planned covers nothing", [supply("aspirin", 1, days=14, status=FactStatus.PLANNED)], []),
        ("a shorter supply does not shorten a longer one", [box(1, 60), supply("aspirin", 5, way="given")], [(on(1, 10), on(61, MIDNIGHT), on(68, MIDNIGHT))]),
    ],
)  # fmt: skip
def test_runs(shows: str, supplies: list[Supply], runs: list[tuple[datetime, datetime, datetime]]) -> None:
    spans = coverage_spans(supplies, policy(), ZONE)
    assert [(span.begins, span.until, span.ends) for span in spans] == runs


def test_a_run_knows_its_first_and_newest_supply() -> None:
    first, second = box(1), box(8)
    (span,) = coverage_spans([first, second], policy(), ZONE)
    assert (span.first, span.newest) == (first, second)
    assert span.holds_at(on(35, 23.9))
    assert not span.holds_at(on(36, MIDNIGHT))
    assert not span.holds_at(on(1, 9))
