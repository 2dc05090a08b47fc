"""Replay: the order of time, checks at their due instants, an account of everything, and the oracle of a log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from schemas.events import Entry
from schemas.reading import Ignored, Reading, ReadingContext
from schemas.rejection import IgnoreReason, Rejection, RejectionReason
from schemas.values import PatientRef, Source
from streams.monitor import Monitor
from streams.ports import Arrived
from streams.replay import (
    FileMessage,
    LogUnreadable,
    ReplayOfFiles,
    ReplayOutcome,
    fold_log,
    read_dump,
    write_dump_head,
    write_dump_line,
)
from streams.replay_command import account
from streams.state import marker_key
from streams.topics import Subject, TopicNames
from tests.streams.fakes import FakeLog, FakeStore, World, write_entry
from tests.streams.toy import (
    SILENCE,
    START,
    ToyMedicine,
    facts_entry,
    lab_fact,
    patient_in,
    policy_entry,
    tick_entry,
    toy_activation,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ONE, OTHER = patient_in(0, 1, 0), patient_in(0, 1, 1)
LOG = TopicNames("t")[Subject.LOG]


class Shelf:
    """A reader that answers what was put there under the bytes of a message."""

    def __init__(self) -> None:
        self.readings: dict[bytes, Reading] = {}
        self.asked: list[tuple[bytes, dict[str, PatientRef]]] = []

    def __call__(self, raw: bytes, context: ReadingContext) -> Reading:
        self.asked.append((raw, dict(context.patients)))
        return self.readings[raw]

    def put(self, name: str, *entries: Entry, **more: object) -> FileMessage:
        self.readings[name.encode()] = Reading(entries=entries, **more)  # type: ignore[arg-type]
        return FileMessage(name.encode(), "shelf", "files", name)


def result(patient: str, name: str, value: str, at: datetime) -> Entry:
    return facts_entry(patient, lab_fact(patient, name, value, at), known_at=at)


def replayed(shelf: Shelf, messages: Sequence[FileMessage], until: datetime | None = None) -> ReplayOutcome:
    body = ReplayOfFiles(
        readers={"shelf": shelf},
        context=ReadingContext(feed="", zone=None, secret=b"x"),
        medicine=ToyMedicine(),
        policy=toy_activation(),
    )
    for message in messages:
        body.read(message)
    body.read_strangers_again()
    return asyncio.run(body.run(until))


def said(outcome: ReplayOutcome) -> list[tuple[str, str, datetime]]:
    return [(each.rule, each.transition.value, each.at) for each in outcome.result.transitions]


def test_facts_take_effect_in_order_of_time_whatever_the_order_of_files() -> None:
    shelf = Shelf()
    late = shelf.put("late", result(ONE, "f2", "4.0", START + DAY))
    early = shelf.put("early", result(ONE, "f1", "0.4", START))
    expected = [("toy-low", "raised", START), ("toy-low", "resolved", START + DAY)]
    assert said(replayed(shelf, [late, early])) == expected
    assert said(replayed(shelf, [early, late])) == expected


def test_of_one_instant_the_place_in_the_input_decides() -> None:
    shelf = Shelf()
    low = shelf.put("low", result(ONE, "f1", "0.4", START))
    high = shelf.put("high", result(ONE, "f2", "4.0", START))
    assert said(replayed(shelf, [low, high])) == [("toy-low", "raised", START), ("toy-low", "resolved", START)]
    assert said(replayed(shelf, [high, low])) == [("toy-low", "raised", START)]


def test_a_check_runs_at_its_due_instant_between_what_came_before_and_after() -> None:
    shelf = Shelf()
    messages = [
        shelf.put("a", result(ONE, "f1", "4.0", START)),
        shelf.put("b", result(OTHER, "f2", "4.0", START + HOUR)),
        shelf.put("c", result(ONE, "f3", "4.0", START + 9 * DAY)),
    ]
    outcome = replayed(shelf, messages, until=START + 10 * DAY)
    assert said(outcome) == [
        ("toy-silent", "raised", START + SILENCE),
        ("toy-silent", "raised", START + HOUR + SILENCE),
        ("toy-silent", "resolved", START + 9 * DAY),
    ]


def test_now_is_the_last_instant_of_the_input_unless_until_says_otherwise() -> None:
    shelf = Shelf()
    messages = [shelf.put("a", result(ONE, "f1", "4.0", START))]
    assert said(replayed(shelf, messages)) == []
    assert said(replayed(shelf, messages, until=START + SILENCE)) == [("toy-silent", "raised", START + SILENCE)]
    assert said(replayed(shelf, messages, until=START + SILENCE - timedelta(seconds=1))) == []


def test_what_could_not_be_known_by_the_end_waits_and_is_counted() -> None:
    shelf = Shelf()
    messages = [
        shelf.put("a", result(ONE, "f1", "4.0", START)),
        shelf.put("b", result(ONE, "f2", "0.4", START + DAY)),
        shelf.put("both", result(ONE, "f3", "4.0", START), result(ONE, "f4", "4.0", START + DAY)),
    ]
    outcome = replayed(shelf, messages, until=START + HOUR)
    messages_account, facts_account = account(outcome)
    assert (outcome.waiting, outcome.facts_waiting) == (1, 2)
    assert said(outcome) == []
    assert messages_account.balances
    assert facts_account.balances
    assert str(messages_account).endswith("1 waiting")


def test_both_equations_balance_over_everything_that_can_happen() -> None:
    shelf = Shelf()
    rejection = Rejection(
        reason=RejectionReason.NOT_JSON, detail="not JSON", source=Source(feed="files", message="x"), part="[0]"
    )
    ignored = (Ignored(IgnoreReason.UNKNOWN_CODE, "Observation x", 2),)
    boom = facts_entry(OTHER, lab_fact(OTHER, "f9", "1", START, text="boom"), known_at=START)
    messages = [
        shelf.put("whole", result(ONE, "f1", "4.0", START)),
        shelf.put("again", result(ONE, "f1", "4.0", START)),
        shelf.put("partly", result(ONE, "f2", "4.0", START), rejections=(rejection,)),
        shelf.put("rejected", rejections=(rejection,)),
        shelf.put("ignored", ignored=ignored, unread={"resource Claim": 3}),
        shelf.put("poison", boom),
    ]
    outcome = replayed(shelf, messages)
    messages_account, facts_account = account(outcome)
    assert str(messages_account) == (
        "Messages: 6 received = 3 translated + 1 partly + 1 ignored + 1 rejected (2 not-json) + 0 waiting"
    )
    assert str(facts_account) == (
        "Facts:    4 translated = 2 applied + 1 duplicate + 0 ignored + 1 quarantined + 0 forwarded"
    )
    assert messages_account.balances
    assert facts_account.balances
    assert outcome.unread_parts == {"resource Claim": 3}
    assert outcome.ignored_parts == {("unknown-code", "Observation x"): 2}
    assert outcome.result.quarantined == 1


def test_a_patient_that_comes_after_what_refers_to_it_is_found() -> None:
    shelf = Shelf()
    known = PatientRef(key=ONE, authority="hospital", id="1")
    stranger = result(OTHER, "f1", "4.0", START)
    stranger = stranger.model_copy(update={"patient": PatientRef(key=OTHER, authority="files", id="resource-1")})
    message = shelf.put("observation", stranger)
    patient = shelf.put("patient", patients={"Patient/1": known})
    replayed(shelf, [message, patient])
    assert [raw for raw, _ in shelf.asked] == [b"observation", b"patient", b"observation"]
    assert shelf.asked[-1][1] == {"Patient/1": known}


def test_what_says_nothing_about_time_is_known_with_the_patients_first_facts() -> None:
    shelf = Shelf()
    timeless = result(ONE, "f0", "4.0", START).model_copy(update={"known_at": None})
    messages = [shelf.put("p", timeless), shelf.put("a", result(ONE, "f1", "4.0", START + DAY))]
    outcome = replayed(shelf, messages, until=START + DAY + SILENCE)
    assert said(outcome) == [("toy-silent", "raised", START + DAY + SILENCE)]
    assert outcome.result.facts_offered == 2


def test_twice_gives_the_same_bytes() -> None:
    rng = random.Random(7)
    shelf = Shelf()
    messages = [
        shelf.put(
            f"m{number}", result(rng.choice((ONE, OTHER)), f"f{number}", str(rng.randint(0, 3)), START + at * HOUR)
        )
        for number, at in enumerate(rng.sample(range(4000), 200))
    ]
    once, twice = replayed(shelf, messages), replayed(shelf, messages)
    assert [each.to_json() for each in once.result.transitions] == [each.to_json() for each in twice.result.transitions]
    assert once.result.state == twice.result.state
    assert len(once.result.transitions) > 50


# --- the oracle ---


def write_a_log(seed: int, partitions: int = 4) -> World:
    """A log of results, ticks, an activation and poison, over all partitions."""
    rng = random.Random(seed)
    world = World()
    patients = [
        (partition, patient_in(partition, partitions, nth)) for partition in range(partitions) for nth in range(3)
    ]
    at = START
    for number in range(300):
        at += timedelta(minutes=rng.randint(1, 600))
        if number % 10 == 9:
            for partition in range(partitions):
                write_entry(world, LOG, partition, tick_entry(at))
            continue
        if number == 155:
            for partition in range(partitions):
                write_entry(world, LOG, partition, policy_entry(toy_activation("2"), at))
            continue
        partition, key = rng.choice(patients)
        text = rng.choice((None, None, None, None, "deep", "boom"))
        fact = lab_fact(key, f"f{rng.randint(0, 250)}", str(rng.randint(0, 3)), at, text)
        write_entry(world, LOG, partition, facts_entry(key, fact, known_at=at))
    return world


def log_of(world: World, partitions: int = 4) -> list[Arrived]:
    return [row for partition in range(partitions) for row in world.offer(LOG, partition, at=START)]


@pytest.mark.parametrize("seed", range(4))
async def test_a_log_means_the_same_however_it_was_read(seed: int) -> None:
    """Batches of any size, redelivery and a new owner in the middle: transitions by id and records are equal."""
    world = write_a_log(seed)
    oracle = await asyncio.to_thread(
        fold_log, log_of(world), medicine=ToyMedicine(), default_policy=toy_activation(), partitions=4
    )
    rng = random.Random(seed + 100)
    ids: set[str] = set()
    state: dict[tuple[int, bytes], bytes] = {}
    for partition in range(4):
        rows, place = world.offer(LOG, partition, at=START), 0
        store = FakeStore(world)
        while place < len(rows):
            # Every turn is a new process: it recovers the state and reads a little again.
            store = FakeStore(world)
            store.recover(partition)
            monitor = Monitor(
                log=FakeLog(world),
                store=store,
                medicine=ToyMedicine(),
                topics=TopicNames("t"),
                partitions=4,
                default_policy=toy_activation(),
            )
            monitor.assigned(partition, begins_at=0)
            begin = max(0, place - rng.randint(0, 5))
            place = min(len(rows), place + rng.randint(1, 40))
            ids |= {each.transition_id for each in (await monitor.take(rows[begin:place])).transitions}
        state |= {(partition, key): value for key, value in store.scan(partition)}
    assert ids == {each.transition_id for each in oracle.transitions}
    assert len(ids) > 20
    assert state == oracle.state
    assert oracle.facts_offered == sum(oracle.facts.values())
    assert oracle.quarantined > 0


def test_a_dump_is_read_back_as_it_was() -> None:
    records = log_of(write_a_log(3))
    odd = Arrived(LOG, 2, 999, 5, b"\xff\x00key", b'{"b":1, "a":2}', (("kind", b"\x00\xff"),))
    empty = Arrived(LOG, 2, 1000, 5, None, None)
    lines = [write_dump_head(4), *(write_dump_line(each) for each in (*records, odd, empty))]
    partitions, read = read_dump(lines)
    assert partitions == 4
    topic = TopicNames()[Subject.LOG]
    assert [(each.partition, each.offset, each.stamp_ms, each.key, each.value, each.headers) for each in read] == [
        (each.partition, each.offset, each.stamp_ms, each.key, each.value, tuple(each.headers))
        for each in (*records, odd, empty)
    ]
    assert {each.topic for each in read} == {topic}


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[1]",
        b'{"partition": 0}',
        b'{"partition": "0", "offset": 1, "timestamp": 1, "value": {}}',
        b'{"partition": 0, "offset": -1, "timestamp": 1, "value": {}}',
        b'{"partition": 0, "offset": 1, "timestamp": "yesterday", "value": {}}',
        b'{"partition": 0, "offset": 1, "timestamp": 1, "value_base64": "?"}',
        b'{"partition": 0, "offset": 1, "timestamp": 1, "value": 7}',
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes) -> None:
    with pytest.raises(LogUnreadable, match="Line 2"):
        read_dump([write_dump_head(1), line])


def test_a_dump_may_hold_json_and_instants_written_by_others() -> None:
    value = result(ONE, "f1", "0.4", START).to_json().decode()
    partitions, (record,) = read_dump(
        [
            b'{"partition": 0, "offset": 0, "timestamp": "2026-01-05T09:00:00+01:00", "key": "k", "value": %s}'
            % value.encode()
        ]
    )
    assert partitions == 12
    assert record.stamp == START
    assert Entry.model_validate_json(record.value or b"").facts[0].fact_id == "f1"


def test_the_final_records_are_by_patient() -> None:
    shelf = Shelf()
    outcome = replayed(
        shelf, [shelf.put("a", result(ONE, "f1", "4.0", START)), shelf.put("b", result(OTHER, "f2", "4.0", START))]
    )
    assert set(outcome.result.records()) == {ONE.encode(), OTHER.encode()}
    assert (0, marker_key(0)) in outcome.result.state
