"""The short run: real processes and a real broker, broken seven times; nothing lost, nothing false."""

from __future__ import annotations

import pytest

from tests.chaos.__main__ import run
from tests.chaos.plan import full, short


def test_the_full_plan_is_what_was_promised() -> None:
    plan = full(1)
    faults = plan.faults()
    kills = plan.aimed_kills + plan.kills
    assert (kills, plan.broker_kills + plan.broker_restarts, plan.pauses, plan.long_pauses) == (20, 5, 10, 5)
    assert len(faults) >= 40
    assert plan.aimed_kills * 2 >= kills
    assert plan.reports >= 20_000
    assert plan.short_pause[0] >= 2
    assert plan.short_pause[1] <= 15
    assert plan.long_pause[0] > plan.session_seconds


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.xdist_group("chaos")
def test_nothing_is_lost_and_nothing_is_false() -> None:
    said: list[str] = []

    figures, comparison = run(short(seed=1), say=said.append)

    assert comparison.is_equal, "\n".join([*said[-20:], str(comparison.faults())])
    assert figures["fault_total"] >= 6
    assert sum(figures["aimed_kills_by_point"].values()) >= 2
    assert comparison.expected >= 500
    assert comparison.records == figures["records_equal"]
