"""Monitor: the safe order, redelivery, ticks, policies, and every way an entry can be unusable."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.alerts import Transition
from schemas.rejection import Rejection, RejectionReason
from streams.monitor import Monitor, Outcome
from streams.ports import MustStop, NoMeters, NotAcknowledged, Outgoing, Put
from streams.quarantine import Quarantined, QuarantineReason
from streams.state import Frame, Mark, marker_key, read_frame
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
LIFECYCLE = NAMES[Subject.LIFECYCLE]
CURRENT = NAMES[Subject.CURRENT]
REJECTED = NAMES[Subject.REJECTED]
DAY = timedelta(days=1)


class Process:
    """One worker process over a world that survives it."""

    def __init__(self, world: World, partitions: tuple[int, ...] = (3,), **options: object) -> None:
        self.world = world
        self.log = FakeLog(world)
        self.store = FakeStore(world)
        self.medicine = ToyMedicine()
        self.monitor = Monitor(
            log=self.log,
            store=self.store,
            medicine=self.medicine,
            topics=NAMES,
            partitions=12,
            default_policy=toy_activation(),
            clock=FixedClock(),
            **options,  # type: ignore[arg-type]
        )
        for partition in partitions:
            self.store.recover(partition)
            self.monitor.assigned(partition)

    async def run(self, partition: int = 3, start: int = 0) -> Outcome:
        return await self.monitor.take(self.world.offer(LOG, partition, at=START, start=start))


@pytest.fixture
def world() -> World:
    return World()


def said(world: World) -> list[Transition]:
    return [Transition.model_validate_json(row.value or b"") for row in world.records(LIFECYCLE)]


def frame_of(world: World, key: bytes, partition: int = 3) -> Frame:
    newest = [put.value for put in world.changelog[partition] if put.key == key]
    return read_frame(newest[-1] or b"")


async def test_a_low_result_is_said_and_remembered(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))

    outcome = await Process(world).run()

    assert [(t.rule, t.sequence, t.patient.key) for t in said(world)] == [("toy-low", 1, key)]
    assert frame_of(world, key.encode()).applied == 0
    assert frame_of(world, marker_key(3)).applied == 0
    assert outcome.done == {3}
    assert outcome.facts["lab-result", "applied"] == 1


async def test_the_order_is_said_shown_kept(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START, "deep"), known_at=START))

    await Process(world).run()

    kinds = [each.topic if isinstance(each, Outgoing) else each.key for each in world.history]
    assert kinds == [LIFECYCLE, CURRENT, f"{key}/2025-1".encode(), key.encode(), marker_key(3)]


async def test_no_state_before_the_alert_is_acknowledged(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))
    process = Process(world)
    process.log.fail = lambda record: True

    with pytest.raises(NotAcknowledged):
        await process.run()

    assert not world.changelog[3]


@pytest.mark.parametrize("stop_at", range(6))
async def test_a_crash_at_any_write_says_the_same_ids_again(world: World, stop_at: int) -> None:
    key, other = patient_in(3), patient_in(3, nth=1)
    for number, value in enumerate(("0.4", "2", "0.3")):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", value, START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "0.2", START), known_at=START))
    calm = World()
    calm.topics.update({place: list(rows) for place, rows in world.topics.items()})
    await Process(calm).run()
    crashing = Process(world)
    written = 0

    def crash(_: object) -> bool:
        nonlocal written
        written += 1
        return written > stop_at

    crashing.log.fail = crashing.store.fail = crash
    with pytest.raises(NotAcknowledged):
        await crashing.run()

    await Process(world).run()

    assert {t.transition_id for t in said(world)} == {t.transition_id for t in said(calm)}
    for patient in (key, other):
        assert frame_of(world, patient.encode()) == frame_of(calm, patient.encode())


async def test_a_redelivered_entry_is_not_counted_twice(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))
    process = Process(world)
    await process.run()
    before = len(world.history)

    outcome = await process.run()

    assert outcome.redelivered == 1
    assert outcome.done == {3}
    assert [put.key for put in world.history[before:] if isinstance(put, Put)] == [marker_key(3)]


async def test_batches_of_any_cut_say_the_same(world: World) -> None:
    key = patient_in(3)
    for number in range(9):
        value = "0.4" if number % 2 else "3"
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", value, START), known_at=START))
    together, apart = World(), World()
    together.topics.update({place: list(rows) for place, rows in world.topics.items()})
    apart.topics.update({place: list(rows) for place, rows in world.topics.items()})

    await Process(together).run()
    one_by_one = Process(apart, cached_records=1)
    for arrived in apart.offer(LOG, 3, at=START):
        await one_by_one.monitor.take([arrived])

    assert said(apart) == said(together)
    assert frame_of(apart, key.encode()) == frame_of(together, key.encode())


async def test_a_closed_alert_is_a_tombstone_on_the_current_topic(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))
    process = Process(world)
    await process.run()
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "2", START), known_at=START))
    await process.run(start=1)

    assert [row.value is None for row in world.records(CURRENT)] == [False, True]


# --- ticks ---


async def test_a_tick_runs_what_is_due_and_nothing_else(world: World) -> None:
    early, late = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(early, lab_fact(early, "e", "2", START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(late, lab_fact(late, "l", "2", START), known_at=START + DAY))
    write_entry(world, LOG, 3, tick_entry(START + 7 * DAY))

    outcome = await Process(world).run()

    assert [(t.rule, t.patient.key, t.at) for t in said(world)] == [("toy-silent", early, START + 7 * DAY)]
    assert outcome.checks == 1


async def test_checks_survive_a_change_of_owner(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f", "2", START), known_at=START))
    await Process(world).run()
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))

    await Process(world).run(start=1)

    assert [t.rule for t in said(world)] == ["toy-silent"]


async def test_a_tick_again_changes_nothing(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f", "2", START), known_at=START))
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))
    await Process(world).run()

    await Process(world).run()

    assert [t.rule for t in said(world)] == ["toy-silent"]


async def test_a_tick_over_many_patients_is_written_in_parts(world: World) -> None:
    keys = [patient_in(3, nth=nth) for nth in range(25)]
    for key in keys:
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, key, "2", START), known_at=START))
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))

    await Process(world, write_every=10).run()

    assert [t.patient.key for t in said(world)] == sorted(keys)
    assert [put.key for put in world.changelog[3]].count(marker_key(3)) == 1


async def test_a_crash_inside_a_tick_finishes_it_later(world: World) -> None:
    keys = [patient_in(3, nth=nth) for nth in range(25)]
    for key in keys:
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, key, "2", START), known_at=START))
    write_entry(world, LOG, 3, tick_entry(START + 8 * DAY))
    crashing = Process(world, write_every=10)
    crashing.store.fail = lambda put: len(world.changelog[3]) >= 40

    with pytest.raises(NotAcknowledged):
        await crashing.run()
    await Process(world, write_every=10).run()

    assert sorted({t.patient.key for t in said(world)}) == sorted(keys)
    assert len({t.transition_id for t in said(world)}) == 25


# --- policies ---


async def test_a_policy_judges_everybody_from_its_offset_on(world: World) -> None:
    key, other = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "1.5", START), known_at=START))
    write_entry(world, LOG, 3, policy_entry(toy_activation("2"), START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "1.5", START), known_at=START))

    await Process(world).run()

    assert [(t.rule, t.patient.key) for t in said(world)] == [("toy-policy", key), ("toy-low", other)]


async def test_an_entry_before_the_policy_is_judged_by_the_old_one_after_a_crash(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "1.5", START), known_at=START))
    write_entry(world, LOG, 3, policy_entry(toy_activation("2"), START))
    crashing = Process(world)
    crashing.store.fail = lambda put: put.key == key.encode()
    with pytest.raises(NotAcknowledged):
        await crashing.run()
    assert any(put.key.startswith(b"~policy/") for put in world.changelog[3])

    await Process(world).run()

    assert {t.rule for t in said(world)} == {"toy-policy"}


class _Shown(NoMeters):
    """Remembers which policy was shown last."""

    def __init__(self) -> None:
        self.hash = ""

    def policy(self, profile: str, policy_version: str, policy_hash: str) -> None:
        self.hash = policy_hash


async def test_an_activated_policy_is_shown_again_after_a_restart(world: World) -> None:
    write_entry(world, LOG, 3, policy_entry(toy_activation("2"), START))
    await Process(world).run()

    shown = _Shown()
    Process(world, meters=shown)

    assert shown.hash == toy_activation("2").hash


async def test_a_policy_nobody_here_knows_stops_the_worker(world: World) -> None:
    write_entry(world, LOG, 3, policy_entry(toy_activation("2", rules_version="other"), START))

    with pytest.raises(MustStop, match="not known here"):
        await Process(world).run()


# --- what cannot be used ---


@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b"[]", b'{"kind": "facts", "facts": [{"kind": "alien"}]}', b"{}"])
async def test_what_is_no_entry_becomes_a_rejection_and_the_stream_goes_on(world: World, value: bytes) -> None:
    key = patient_in(3)
    world.topics[LOG, 3].append(Outgoing(LOG, 3, key.encode(), value))
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))

    outcome = await Process(world).run()

    (row,) = world.records(REJECTED)
    rejection = Rejection.model_validate_json(row.value or b"")
    assert (rejection.reason, rejection.original_offset) == (RejectionReason.WRONG_SHAPE, 0)
    assert len(said(world)) == 1
    assert outcome.rejected == 1


async def test_a_patient_in_the_wrong_partition_is_refused(world: World) -> None:
    key = patient_in(4)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))

    await Process(world).run()

    assert not said(world)
    assert len(world.records(REJECTED)) == 1


async def test_a_failing_rule_concerns_one_patient(world: World) -> None:
    key, other = patient_in(3), patient_in(3, nth=1)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START, "boom"), known_at=START))
    write_entry(world, LOG, 3, facts_entry(other, lab_fact(other, "o1", "0.4", START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "0.4", START), known_at=START))

    outcome = await Process(world).run()

    (row,) = world.records(REJECTED)
    note = Quarantined.model_validate_json(row.value or b"")
    assert (note.reason, note.patient_key) == (QuarantineReason.RULE_FAILED, key)
    assert note.detail.startswith("RuntimeError at toy.py:")
    assert "900101" not in (row.value or b"").decode()
    assert [(t.patient.key, t.not_monitored) for t in said(world)] == [(other, False), (key, True)]
    assert frame_of(world, key.encode()).marks & Mark.NOT_MONITORED
    assert outcome.facts["lab-result", "quarantined"] == 1


async def test_the_mark_outlives_the_process(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START, "boom"), known_at=START))
    await Process(world).run()
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "0.4", START), known_at=START))

    await Process(world).run()

    assert [t.not_monitored for t in said(world)] == [True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("huge", QuarantineReason.RECORD_TOO_LARGE)],
)
async def test_a_record_that_cannot_be_kept_is_quarantined(world: World, text: str, reason: QuarantineReason) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "2", START), known_at=START))
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f2", "2", START, text), known_at=START))

    await Process(world).run()

    (row,) = world.records(REJECTED)
    assert Quarantined.model_validate_json(row.value or b"").reason == reason
    assert ToyMedicine().read_record(frame_of(world, key.encode()).payload).total == "2"


async def test_a_check_that_does_not_move_is_run_once(world: World) -> None:
    key = patient_in(3)
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "2", START, "stuck"), known_at=START))
    process = Process(world)
    process.medicine.step = _never_moving(process.medicine)  # type: ignore[method-assign]
    write_entry(world, LOG, 3, tick_entry(START + DAY))
    write_entry(world, LOG, 3, tick_entry(START + 2 * DAY))

    await process.run()

    (row,) = world.records(REJECTED)
    assert Quarantined.model_validate_json(row.value or b"").reason == QuarantineReason.CHECK_STUCK


def _never_moving(medicine: ToyMedicine):  # type: ignore[no-untyped-def]
    real = medicine.step

    def step(record, entry, heard, policy, history=None):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        stepped = real(record, entry, heard, policy, history)
        header = replace(stepped.record.header, next_check=START)
        return replace(stepped, record=replace(stepped.record, header=header))

    return step


async def test_a_damaged_record_is_not_overwritten(world: World) -> None:
    key = patient_in(3)
    damaged = Frame(applied=0, payload=b"x").to_bytes()[:-1] + b"y"
    world.changelog[3].append(Put(3, key.encode(), damaged))
    write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, "f1", "0.4", START), known_at=START))

    await Process(world).run()

    assert [put.value for put in world.changelog[3] if put.key == key.encode()][-1] == damaged
    assert len(world.records(REJECTED)) == 1


async def test_history_is_read_once_and_written_before_the_record(world: World) -> None:
    key = patient_in(3)
    for number in range(2):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", "2", START, "deep"), known_at=START))

    await Process(world).run()

    assert frame_of(world, f"{key}/2025-1".encode()).payload == b"++"


# --- places ---


async def test_a_hole_in_the_log_stops_the_worker(world: World) -> None:
    key = patient_in(3)
    for number in range(4):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", "2", START), known_at=START))
    process = Process(world)
    offered = world.offer(LOG, 3, at=START)

    with pytest.raises(MustStop, match="entries are missing"):
        await process.monitor.take([offered[0], offered[1], offered[3]])


async def test_offsets_committed_beyond_the_state_stop_the_worker(world: World) -> None:
    key = patient_in(3)
    for number in range(4):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", "2", START), known_at=START))
    await Process(world).monitor.take(world.offer(LOG, 3, at=START)[:2])

    with pytest.raises(MustStop, match="State was lost in partition 3"):
        await Process(world).run(start=3)


async def test_an_emptied_changelog_stops_the_worker(world: World) -> None:
    key = patient_in(3)
    for number in range(4):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", "2", START), known_at=START))

    with pytest.raises(MustStop, match="trimmed or recreated"):
        await Process(world).run(start=3)


# --- owners ---


async def test_a_partition_given_up_in_flight_is_neither_written_nor_committed(world: World) -> None:
    mine, lost = patient_in(3), patient_in(4)
    write_entry(world, LOG, 3, facts_entry(mine, lab_fact(mine, "m", "0.4", START), known_at=START))
    write_entry(world, LOG, 4, facts_entry(lost, lab_fact(lost, "l", "0.4", START), known_at=START))
    process = Process(world, partitions=(3, 4))
    process.log.before_send = lambda records: process.monitor.revoked(4)

    offered = world.offer(LOG, 3, at=START) + world.offer(LOG, 4, at=START)
    outcome = await process.monitor.take(offered)

    assert outcome.done == {3}
    assert not world.changelog[4]
    assert world.changelog[3]


async def test_a_paused_owner_that_wakes_does_not_win(world: World) -> None:
    key = patient_in(3)
    for number in range(3):
        write_entry(world, LOG, 3, facts_entry(key, lab_fact(key, f"f{number}", "2", START), known_at=START))
    paused = Process(world)
    await Process(world).run()
    await paused.monitor.take(world.offer(LOG, 3, at=START)[:1])
    assert frame_of(world, key.encode()).applied == 0

    heir = Process(world)

    assert read_frame(heir.store.get(3, key.encode()) or b"").applied == 2
    assert frame_of(world, key.encode()).applied == 2, "repaired, so that compaction keeps the newest"
    assert heir.store.get(3, marker_key(3)) is not None


async def test_records_of_partitions_not_held_are_passed_over(world: World) -> None:
    key = patient_in(4)
    write_entry(world, LOG, 4, facts_entry(key, lab_fact(key, "f", "0.4", START), known_at=START))

    outcome = await Process(world).run(partition=4)

    assert outcome.done == frozenset()
    assert not world.history
