"""The tests of the test: every planted bug is caught, and a tampered outcome is noticed whatever is tampered with."""

from __future__ import annotations

import pytest

from streams.monitor import Batch, Monitor
from tests.simulation.campaign import run_range
from tests.simulation.mutants import MUTANTS, REQUIRED, Mutant
from tests.simulation.world import run_seed

pytestmark = pytest.mark.simulation

SEEDS_A_MUTANT = 200


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_planted_bug_is_caught(name: str) -> None:
    tally = run_range(0, SEEDS_A_MUTANT, name, until_broken=True)

    assert tally.broken, f"{name} ({MUTANTS[name].says}) went unseen through {SEEDS_A_MUTANT} seeds"


@pytest.mark.parametrize("name", [mutant.name for mutant in REQUIRED])
def test_a_planted_bug_does_harm_that_is_seen_in_the_outcome_alone(name: str) -> None:
    tally = run_range(2_000, 2_000 + SEEDS_A_MUTANT, name, until_broken=True, only_outcomes=True)

    assert tally.broken


class _Drops(Monitor):
    async def say(self, batch: Batch) -> None:
        del batch.transitions[-1:]
        await super().say(batch)


class _Invents(Monitor):
    async def say(self, batch: Batch) -> None:
        for said in batch.transitions[:1]:
            changed = tuple((name, b"0" * 24 if name == "ce_id" else value) for name, value in said.headers)
            batch.transitions.append(type(said)(said.topic, said.partition, said.key, said.value, changed))
        await super().say(batch)


class _Changes(Monitor):
    async def say(self, batch: Batch) -> None:
        for place, said in enumerate(batch.transitions):
            value = (said.value or b"").replace(b'"severity":"', b'"severity": "')
            batch.transitions[place] = type(said)(said.topic, said.partition, said.key, value, said.headers)
        await super().say(batch)


class _Swaps(Monitor):
    async def say(self, batch: Batch) -> None:
        batch.transitions.reverse()
        await super().say(batch)


class _Repeats(Monitor):
    async def say(self, batch: Batch) -> None:
        batch.transitions.extend(batch.transitions)
        await super().say(batch)


def tampered(monitor_class: type[Monitor], *, seeds: int = 64) -> list[str]:
    """What is broken when monitor is this one; no fault is needed for it."""

    class Tampering(Mutant):
        monitor = monitor_class

    reports = (run_seed(seed, Tampering(), only_outcomes=True) for seed in range(16, 16 + seeds))
    return [report.broken for report in reports if report.broken]


def test_an_alert_less_is_noticed() -> None:
    broken = tampered(_Drops, seeds=16)

    assert len(broken) == 16
    assert all(each.startswith("S1: never said") or "the sequence of alert" in each for each in broken)


def test_an_alert_more_is_noticed() -> None:
    assert any("the log does not say" in broken for broken in tampered(_Invents, seeds=4))


def test_a_changed_field_is_noticed() -> None:
    assert any("is not what the log says" in broken for broken in tampered(_Changes, seeds=4))


def test_a_changed_order_is_noticed() -> None:
    assert any("the sequence of alert" in broken for broken in tampered(_Swaps))


def test_an_alert_said_twice_with_the_same_id_is_no_harm() -> None:
    assert tampered(_Repeats, seeds=8) == []
