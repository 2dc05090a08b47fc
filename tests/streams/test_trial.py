"""A policy on trial: the same body as a second monitor, that says what it would say and reaches nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.alerts import Transition
from streams.monitor import Monitor, Outcome
from streams.ports import NoMeters, Outgoing
from streams.topics import Subject, TopicNames
from tests.streams.fakes import FakeLog, FakeStore, FixedClock, World, write_entry
from tests.streams.toy import (
    START,
    ToyMedicine,
    facts_entry,
    lab_fact,
    patient_in,
    policy_entry,
    tick_entry,
    toy_activation,
)

NAMES = TopicNames("t")
LOG = NAMES[Subject.LOG]
SHADOW = NAMES[Subject.SHADOW]
DAY = timedelta(days=1)


class Shown(NoMeters):
    """Remembers which policy was shown last."""

    hash = ""

    def policy(self, profile: str, policy_version: str, policy_hash: str) -> None:
        self.hash = policy_hash


class Trial:
    """One process of the shadow monitor over a world that survives it."""

    def __init__(self, world: World, threshold: str = "1", **options: object) -> None:
        self.world = world
        self.store = FakeStore(world)
        self.monitor = Monitor(
            log=FakeLog(world),
            store=self.store,
            medicine=ToyMedicine(),
            topics=NAMES,
            partitions=12,
            default_policy=toy_activation(threshold),
            clock=FixedClock(),
            lifecycle=Subject.SHADOW,
            **options,  # type: ignore[arg-type]
        )
        self.store.recover(3)
        self.monitor.assigned(3)

    async def run(self, start: int = 0) -> Outcome:
        return await self.monitor.take(self.world.offer(LOG, 3, at=START, start=start))


@pytest.fixture
def world() -> World:
    return World()


def said(world: World) -> list[Transition]:
    return [Transition.model_validate_json(row.value or b"") for row in world.records(SHADOW)]


def topics_written(world: World) -> set[str]:
    return {each.topic for each in world.history if isinstance(each, Outgoing) and each.topic != LOG}


async def test_it_writes_to_the_shadow_topic_and_nowhere_else(world: World) -> None:
    """Not even what cannot be used is held aside a second time: the policy in force has done that."""
    key, other = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "1.5", START, "boom"), known_at=START))
    world.topics[LOG, 3].append(Outgoing(LOG, 3, None, b"no entry"))
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "2", START + DAY), known_at=START + DAY))
    outcome = await Trial(world).run()
    assert [(t.rule, t.transition, t.sequence) for t in said(world)] == [
        ("toy-low", "raised", 1), ("toy-low", "resolved", 2)]  # fmt: skip
    assert topics_written(world) == {SHADOW}
    assert (outcome.quarantined, outcome.rejected) == (1, 1)
    assert {dict(row.headers)["ce_type"] for row in world.records(SHADOW)} == {b"org.myelowatch.alert.shadow.v1"}


async def test_an_activation_in_the_log_leaves_it_alone(world: World) -> None:
    key, other = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "1.5", START), known_at=START))
    write_entry(world, LOG, 3, policy_entry(toy_activation("2", rules_version="of another day"), START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "1.5", START), known_at=START))
    shown = Shown()
    await Trial(world, meters=shown).run()
    assert said(world) == []
    assert shown.hash == toy_activation("1").hash


async def test_another_trial_judges_everybody_anew_at_the_next_tick_and_once(world: World) -> None:
    key, other = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "1.5", START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "9", START), known_at=START))
    write_entry(world, LOG, 3, tick_entry(START))
    await Trial(world).run()
    write_entry(world, LOG, 3, tick_entry(START + DAY))
    write_entry(world, LOG, 3, tick_entry(START + 2 * DAY))
    await Trial(world, "2").run(start=3)
    assert [(t.rule, t.patient.key) for t in said(world)] == [("toy-policy", key)]
    write_entry(world, LOG, 3, tick_entry(START + 3 * DAY))
    await Trial(world, "2").run(start=5)
    assert len(said(world)) == 1
    write_entry(world, LOG, 3, tick_entry(START + 4 * DAY))
    await Trial(world, "100").run(start=6)
    assert [(t.rule, t.patient.key) for t in said(world)[1:]] == [("toy-policy", other)]


async def test_what_fell_due_is_said_beside_a_new_trial(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "9", START), known_at=START))
    await Trial(world).run()
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))
    await Trial(world, "10").run(start=1)
    assert [t.rule for t in said(world)] == ["toy-silent", "toy-policy"]


async def test_another_trial_before_the_first_tick_judges_everybody_anew(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "1.5", START), known_at=START))
    await Trial(world).run()
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "0.1", START + DAY), known_at=START + DAY))
    write_entry(world, LOG, 3, tick_entry(START + 2 * DAY))
    await Trial(world, "5").run(start=1)
    assert [t.rule for t in said(world)] == ["toy-low", "toy-policy"]
    await Trial(world, "5").run(start=3)
    assert len(said(world)) == 2


async def test_a_trial_that_went_on_is_not_judged_anew(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))
    write_entry(world, LOG, 3, tick_entry(START))
    await Trial(world).run()
    again = Trial(world)
    write_entry(world, LOG, 3, tick_entry(START + DAY))
    await again.run(start=2)
    assert [t.rule for t in said(world)] == ["toy-low"]


async def test_equal_policies_say_equal_ids(world: World) -> None:
    live = World()
    for each in (world, live):
        for number in range(12):
            key = patient_in(3, nth=number % 3)
            at = START + number * DAY
            write_entry(each, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", f"0.{number}", at), known_at=at))
        write_entry(each, LOG, 3, tick_entry(START + 30 * DAY))
    await Trial(world).run()
    store = FakeStore(live)
    monitor = Monitor(
        log=FakeLog(live), store=store, medicine=ToyMedicine(), topics=NAMES, partitions=12,
        default_policy=toy_activation(), clock=FixedClock(),
    )  # fmt: skip
    store.recover(3)
    monitor.assigned(3)
    await monitor.take(live.offer(LOG, 3, at=START))
    ids = [Transition.model_validate_json(r.value or b"").transition_id for r in live.records(NAMES[Subject.LIFECYCLE])]
    assert ids
    assert [t.transition_id for t in said(world)] == ids
