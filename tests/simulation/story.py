"""What is sent in one simulated world: patients, messages, ticks, policies, and things nobody should send.

A story is made from its number alone and is the same on any machine. It comes in two forms: as *messages*
(intake and ticks; translate makes the patient log of them) and as a *log* (the patient log itself, ready
made, so that many schedules of faults can be run over the same entries). Both hold what is hard: corrected,
late, doubled and retracted reports, absences, counts exactly at a threshold, facts that reach behind the cut
of a record, policies that change in the middle, poison, and patients for whom a rule fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from rules.catalogue import RULES_VERSION
from schemas.events import Entry, EntryKind, PolicyActivation
from schemas.inlet import Merge, PatientFact, PatientIdentity, read_event, write_structured
from schemas.reading import Reading, ReadingContext
from schemas.values.patient import build_patient_key
from streams.policy_commands import profile_text, read
from streams.ports import Arrived, instant_of, milliseconds_of
from streams.simulator.event_writer import FEED, SOURCE, structured_event
from streams.simulator.happenings import Happening, Mishap, Reported, ResultStatus
from streams.simulator.people import AUTHORITY
from streams.simulator.ward import OPENS_ON, Place, walk_place
from streams.topics import SOURCES, Subject, partition_of
from streams.translate import HEADER_FEED, HEADER_KIND, HEADER_PROTOCOL, KIND_TICK, PROTOCOL_EVENT, TICK_KEY

SECRET = b"a secret of the simulated world "
CONTEXT = ReadingContext(feed=FEED, zone=ZoneInfo("Asia/Seoul"), secret=SECRET)
ZONE = ZoneInfo("Asia/Seoul")

_DAY_MS = 86_400_000
MERGES_AS_LOG = 5
"""Of each eight stories told as a log the one whose people have several numbers."""
_LIVELY = (
    Mishap.FALLING_COUNTS,
    Mishap.RELAPSING_NEUTROPENIA,
    Mishap.PLATELET_FALL,
    Mishap.FEVER,
    Mishap.CORRECTED_RESULT,
    Mishap.WRONG_UNIT,
    Mishap.ANC_BY_PERCENT,
    Mishap.PRELIMINARY_THEN_FINAL,
    Mishap.LATE_RESULT,
    Mishap.DELAYED_REPORT,
    Mishap.MISSED_CBC,
    Mishap.DUPLICATED_MESSAGE,
    Mishap.FORGOTTEN_VTE_PROPHYLAXIS,
    Mishap.FORGOTTEN_INFECTION_PROPHYLAXIS,
    Mishap.DISPENSE_DURING_HOLD,
    Mishap.STOPPED_COURSE,
)
_POISON = (b"", b"\xff\xfe not json", b"{", b'{"v":1,"kind":"facts","facts":[]}', b'{"v":1,"kind":"policy-activated"}')
"""What must never stop a partition: nothing, no text, half an object, facts of nobody, a policy without its text."""

_CHANGES = (
    {"anc_severe": "600"},
    {"anc_severe": "400", "plt_hold_below": "40000"},
    {"keep_head_days": "90"},
    {"cbc_interval_early_days": "10"},
)
"""Numbers that a site may set, within the bounds of the key table."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One record that somebody outside the workers appends to a topic, at the broker's time."""

    topic: Subject
    partition: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is sent, in order, and for whom a rule fails."""

    number: int
    partitions: int
    is_log: bool
    sent: tuple[Sent, ...]
    has_merges: bool = False
    """Whether people have several numbers, merged and unmerged as it goes on."""
    failing: frozenset[tuple[str, datetime]] = field(default_factory=frozenset)
    """(patient key, `known_at` of the entry or tick) at which a rule raises."""
    default_policy: PolicyActivation = field(default_factory=lambda: policy_of())  # noqa: PLW0108 - defined below


@lru_cache(maxsize=8)
def policy_of(changes: tuple[tuple[str, str], ...] = ()) -> PolicyActivation:
    """The default profile with some numbers changed in its text, as a site would do it."""
    text = profile_text("kr-panel")
    for key, value in changes:
        text, count = re.subn(rf'(?m)^(  {key}: {{value: ")[^"]*', rf"\g<1>{value}", text)
        assert count == 1, f"{key} is not in the profile"
    policy = read(text)
    return PolicyActivation(
        profile=policy.profile, version=policy.version, hash=policy.hash, rules_version=RULES_VERSION, text=text
    )


def tell_story(number: int, *, as_log: bool) -> Story:
    """The story of this number."""
    chance = Random(f"story/{number}/{'log' if as_log else 'messages'}")
    partitions = chance.choice((1, 2, 2, 3))
    has_merges = number % 8 in (MERGES_AS_LOG, 0)
    happenings = _happenings(chance, number, as_log=as_log)
    if has_merges:
        happenings = _renumber(chance, happenings)
    stamped = _stamp(chance, happenings)
    first, last = stamped[0][0], max(at for at, _ in stamped)
    ends_at = last + chance.choice((2, 9, 30)) * _DAY_MS
    ticks = _tick_times(chance, first, ends_at, 25 if as_log else 10)
    clock = _draw_clock(chance, first, last)
    build = _build_log if as_log else _build_messages
    timed = build(chance, partitions, stamped, ticks, clock)
    timed.extend(_policies(chance, partitions, clock, first, last))
    if has_merges:
        timed.extend(_merges(chance, partitions, stamped, clock, as_log=as_log))
    timed.sort(key=lambda row: row[0])
    failing = _failing(chance, stamped, ticks, clock)
    return Story(number, partitions, as_log, tuple(sent for _, sent in timed), has_merges, failing)


def _happenings(chance: Random, number: int, *, as_log: bool) -> list[Happening]:
    """A few patients with a trouble or two each; now and then a long, sparse course that outgrows a record's head."""
    is_long = chance.random() < 0.12
    weeks = 34 if is_long else chance.randint(5, 8)
    patients = chance.randint(1, 2) if is_long else chance.randint(2, 3 if as_log else 2)
    told: list[Happening] = []
    for place in range(patients):
        mishaps = frozenset(chance.sample(_LIVELY, chance.randint(1, 2)))
        first_dose_on = OPENS_ON + timedelta(days=7 + chance.randint(0, 6))
        walked = walk_place(Place(f"SIM-{number:06d}-{place}", mishaps, first_dose_on), weeks, number)
        if is_long:
            walked = [each for each in walked if not isinstance(each.what, Reported) or chance.random() < 0.6]
        told.extend(walked)
    told.extend(_edges(chance, number, weeks))
    return told


def _renumber(chance: Random, happenings: list[Happening]) -> list[Happening]:
    """Now and then a message comes under another number of the same person, or of somebody else's."""
    share = chance.choice((0.1, 0.3, 0.5))
    patients = sorted({each.patient for each in happenings})
    numbers = [f"{patient}{suffix}" for patient in patients for suffix in ("", "-B")]
    return [
        replace(each, patient=f"{each.patient}-B" if chance.random() < 0.9 else chance.choice(numbers))
        if chance.random() < share
        else each
        for each in happenings
    ]


def _merges(
    chance: Random, partitions: int, stamped: list[tuple[int, Happening]], clock: BrokerClock, *, as_log: bool
) -> list[tuple[int, Sent]]:
    """Merges and unmerges of the numbers, at any time, some of them contradicting each other, some written twice."""
    patients = sorted({each.patient.removesuffix("-B") for _, each in stamped})
    numbers = [*patients, *(f"{patient}-B" for patient in patients)]
    first, last = stamped[0][0], stamped[-1][0]
    told: list[tuple[int, str, str, bool]] = []
    for patient in patients:
        pair = [patient, f"{patient}-B"]
        chance.shuffle(pair)
        at = chance.choice((first - _DAY_MS, chance.randint(first, last), chance.randint(first, last)))
        told.append((at, pair[0], pair[1], False))
        if chance.random() < 0.5:
            later = chance.choice((at, at + 1, chance.randint(at, max(at, last))))
            told.append((later, *chance.choice(((pair[0], pair[1], True), (pair[1], pair[0], False)))))
    for _ in range(chance.choice((0, 1, 2))):
        one, other = chance.sample(numbers, 2)
        told.append((chance.randint(first, last), one, other, chance.random() < 0.3))
    return [(at, _merge_sent(chance, partitions, clock, (at, one, other, undone), place, as_log=as_log))
            for place, (at, one, other, undone) in enumerate(told)]  # fmt: skip


def _merge_sent(
    chance: Random,
    partitions: int,
    clock: BrokerClock,
    told: tuple[int, str, str, bool],
    place: int,
    *,
    as_log: bool,
) -> Sent:
    at, one, other, is_undone = told
    fact = Merge(retired=PatientIdentity(authority=AUTHORITY, id=one), is_undone=is_undone)
    event = PatientFact(patient=PatientIdentity(authority=AUTHORITY, id=other), fact=fact)
    when = instant_of(at)
    body = write_structured(event, event_id=f"MERGE-{place}", source=SOURCE, time=when, known_at=when)
    stamp = clock.stamp(at)
    survivor = build_patient_key(AUTHORITY, other, SECRET).encode()
    if not as_log:
        headers = ((HEADER_FEED, FEED.encode()), (HEADER_PROTOCOL, PROTOCOL_EVENT.encode()))
        return Sent(Subject.INTAKE, partition_of(survivor, partitions), stamp, survivor, body, headers)
    (entry,) = read_once(body, instant_of(stamp)).entries
    assert entry.patient is not None
    key = entry.patient.key.encode()
    value = entry.model_copy(update={"known_at": instant_of(stamp)}).to_json()
    return Sent(Subject.LOG, partition_of(key, partitions), stamp, key, value)


def _edges(chance: Random, number: int, weeks: int) -> list[Happening]:
    """Counts exactly at a threshold, and shares of white cells whose product is exact in decimals and not in floats."""
    found = [each for each in walk_place(_edge_place(number), weeks, number) if isinstance(each.what, Reported)]
    chance.shuffle(found)
    patient = f"SIM-{number:06d}-0"
    edges = []
    for nth, each in enumerate(found[: chance.randint(1, 3)]):
        assert isinstance(each.what, Reported)
        results = tuple(
            replace(result, id=f"edge-{nth}-{result.id}", value=chance.choice(("1.0", "0.5", "0.50", "0.999", "0.57")))
            for result in each.what.results
            if result.unit == "10*3/uL"
        )
        if not results:
            continue
        report = f"edge-{nth}"
        what = replace(each.what, report=report, specimen=f"{patient}-{report}", results=results)
        edges.append(replace(each, patient=patient, message=f"{patient}-EDGE{nth}", what=what))
        if chance.random() < 0.5:
            after = timedelta(hours=chance.randint(1, 60))
            status = chance.choice((ResultStatus.CORRECTED, ResultStatus.FINAL))
            again = tuple(replace(result, value="2.5") for result in results)
            corrected = replace(what, status=status, results=again, issued_at=what.issued_at + after)
            edges.append(
                replace(
                    each,
                    patient=patient,
                    message=f"{patient}-EDGE{nth}C",
                    what=corrected,
                    known_at=each.known_at + after,
                )
            )
    return edges


def _edge_place(number: int) -> Place:
    return Place(f"SIM-{number:06d}-X", frozenset(), OPENS_ON + timedelta(days=10))


def _stamp(chance: Random, happenings: list[Happening]) -> list[tuple[int, Happening]]:
    """In which order they come: mostly as told, sometimes days late, sometimes twice."""
    stamped = []
    for each in happenings:
        at = milliseconds_of(each.known_at)
        drawn = chance.random()
        if drawn < 0.04:
            at += chance.randint(1, 12) * _DAY_MS
        stamped.append((at, each))
        if 0.04 <= drawn < 0.09:
            stamped.append((at + chance.randint(0, 9) * _DAY_MS // 2, each))
    stamped.sort(key=lambda row: (row[0], row[1].patient, row[1].message))
    if stamped[-1][0] - stamped[0][0] > 200 * _DAY_MS:
        # In a long course something turns up that everybody had forgotten.
        for place in chance.sample(range(len(stamped) // 3), 2):
            stamped[place] = (stamped[-1][0] - chance.randint(0, 20) * _DAY_MS, stamped[place][1])
        stamped.sort(key=lambda row: (row[0], row[1].patient, row[1].message))
    return stamped


@dataclass(frozen=True, slots=True)
class BrokerClock:
    """What the broker stamps at a true instant: its clock may be set back by hours, and forth again days later."""

    set_back_at: int = 0
    set_forth_at: int = 0
    step: int = 0

    def stamp(self, at: int) -> int:
        """Milliseconds since 1970."""
        return at - self.step if self.set_back_at <= at < self.set_forth_at else at


def _draw_clock(chance: Random, first: int, last: int) -> BrokerClock:
    if chance.random() >= 0.3:
        return BrokerClock()
    at = chance.randint(first, last)
    return BrokerClock(at, at + chance.randint(1, 20) * _DAY_MS, chance.randint(1, 72) * 3_600_000)


def _tick_times(chance: Random, first: int, ends_at: int, about: int) -> list[int]:
    """Every day or few days: that it is not ten seconds makes no difference to any due check."""
    ticks = []
    at = first + chance.randint(0, _DAY_MS)
    longest = (ends_at - first) // _DAY_MS
    step = max(1, longest // about)
    while at < ends_at:
        ticks.append(at)
        at += chance.randint(step * _DAY_MS // 2, step * 2 * _DAY_MS)
    return [*ticks, ends_at]


def _failing(
    chance: Random, stamped: list[tuple[int, Happening]], ticks: list[int], clock: BrokerClock
) -> frozenset[tuple[str, datetime]]:
    """Entries and ticks at which a rule raises for one patient."""
    failing = set()
    if chance.random() < 0.3:
        at, each = chance.choice(stamped)
        failing.add((_key_of(each), instant_of(clock.stamp(at))))
    if chance.random() < 0.15:
        _, each = chance.choice(stamped)
        failing.add((_key_of(each), instant_of(clock.stamp(chance.choice(ticks)))))
    return frozenset(failing)


def _key_of(happening: Happening) -> str:
    return build_patient_key(AUTHORITY, happening.patient, SECRET)


# --- as messages ---


def _build_messages(
    chance: Random, partitions: int, stamped: list[tuple[int, Happening]], ticks: list[int], clock: BrokerClock
) -> list[tuple[int, Sent]]:
    """Intake messages keyed by patient, some on an inlet under a foreign key, and ticks to every source partition."""
    headers = ((HEADER_FEED, FEED.encode()), (HEADER_PROTOCOL, PROTOCOL_EVENT.encode()))
    sent = []
    for at, each in stamped:
        key, stamp = _key_of(each).encode(), clock.stamp(at)
        body = structured_event(each)
        drawn = chance.random()
        if drawn < 0.05:
            topic = chance.choice((Subject.LAB, Subject.PATIENT_FACT))
            sent.append((at, Sent(topic, chance.randrange(partitions), stamp, b"a foreign key", body, headers[:1])))
        elif drawn < 0.08:
            feed = chance.choice(("no-such-feed", FEED))
            unread = ((HEADER_FEED, feed.encode()), (HEADER_PROTOCOL, b"hl7" if feed == FEED else b"event"))
            sent.append((at, Sent(Subject.INTAKE, partition_of(key, partitions), stamp, key, body[:40], unread)))
        else:
            sent.append((at, Sent(Subject.INTAKE, partition_of(key, partitions), stamp, key, body, headers)))
        if drawn > 0.97:
            garbage = chance.choice((b"\x00\x01", body[:100], b"[]", b'{"specversion":"1.0"}'))
            sent.append((at, Sent(Subject.INTAKE, chance.randrange(partitions), stamp, key, garbage, headers)))
    for at in ticks:
        sent.extend(
            (at, Sent(topic, partition, clock.stamp(at), TICK_KEY, None, ((HEADER_KIND, KIND_TICK),)))
            for topic in SOURCES
            for partition in range(partitions)
        )
    return sent


@lru_cache(maxsize=4_096)
def read_once(body: bytes, received_at: datetime | None) -> Reading:
    """What our reader makes of a message; the same bytes are read again and again under other faults."""
    return read_event(body, None, replace(CONTEXT, received_at=received_at))


# --- as a log ---


def _build_log(
    chance: Random, partitions: int, stamped: list[tuple[int, Happening]], ticks: list[int], clock: BrokerClock
) -> list[tuple[int, Sent]]:
    """The entries as translate would write them, with poison between."""
    sent = []
    for at, each in stamped:
        stamp = clock.stamp(at)
        known_at = instant_of(stamp)
        for entry in read_once(structured_event(each), known_at).entries:
            assert entry.patient is not None
            key = entry.patient.key.encode()
            value = entry.model_copy(update={"known_at": known_at}).to_json()
            sent.append((at, Sent(Subject.LOG, partition_of(key, partitions), stamp, key, value)))
            if chance.random() < 0.02:
                wrong = chance.choice((*_POISON, value[:-20], value))
                sent.append((at, Sent(Subject.LOG, chance.randrange(partitions), stamp, key, wrong)))
    for at in ticks:
        for partition in range(partitions):
            sent.append((at, _tick(partition, clock.stamp(at), clock.stamp(at))))
            if chance.random() < 0.05:
                # A second ticker that is behind: to be heard and to change nothing.
                sent.append((at, _tick(partition, clock.stamp(at), clock.stamp(at) - 2 * _DAY_MS)))
    return sent


def _tick(partition: int, stamp: int, says: int) -> Sent:
    entry = Entry(kind=EntryKind.TICK, event_id=f"tick:{says}", known_at=instant_of(says))
    return Sent(Subject.LOG, partition, stamp, TICK_KEY, entry.to_json())


def _policies(chance: Random, partitions: int, clock: BrokerClock, first: int, last: int) -> list[tuple[int, Sent]]:
    """Activations in the middle, to every partition of the log; one may be the same again."""
    if chance.random() < 0.5:
        return []
    activations = [tuple(chance.choice(_CHANGES).items())]
    if chance.random() < 0.4:
        activations.append(chance.choice((activations[0], ())))
    sent = []
    for changes in activations:
        at = chance.randint(first, last)
        activation = policy_of(changes)
        entry = Entry(kind=EntryKind.POLICY, event_id=f"policy:{activation.hash}", policy=activation)
        sent.extend(
            (at, Sent(Subject.LOG, partition, clock.stamp(at), b"~policy", entry.to_json()))
            for partition in range(partitions)
        )
    return sent


def log_of(story: Story) -> list[Arrived]:
    """The records of a story that is a log, each with its offset."""
    offsets = [0] * story.partitions
    records = []
    for row in story.sent:
        offset = offsets[row.partition]
        offsets[row.partition] += 1
        records.append(Arrived(str(row.topic), row.partition, offset, row.stamp_ms, row.key, row.value, row.headers))
    return records
