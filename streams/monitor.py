"""The body of monitor: entries of the patient log in, transitions and state records out.

Reads `patient.log.v1` and nothing else. Writes `alert.lifecycle.v1`, `alert.current.v1`, entries in
quarantine to `intake.rejected.v1`, entries from one number of a patient to another to `patient.log.v1` itself,
and the state records of its partitions. Keeps, for each partition it
holds, the due checks (rebuilt from the heads of the state records), the policies by the offset at which
they take effect, and a bounded number of decoded records. Knows no engine: a shell hands it batches and
commits offsets; a simulator crashes it between any two steps.

**What an acknowledgement means here.** When `take` returns, every entry of the batch in the partitions it
names is durably done, and their offsets may be committed. The order inside is the safe one:

1. every transition and every quarantined entry is acknowledged by the broker;
2. what a number hands to another one after a merge is acknowledged on the patient log (the tombstone comes later);
3. the changed current alerts are acknowledged;
4. history segments are acknowledged (a record may point to them);
5. the records, with the marker of each partition behind them, are acknowledged on the changelog;
6. only then may the offsets be committed.

A crash anywhere before 5 runs the step again from the old record. The step is pure and the log is one
ordered history, so it says the same transitions with the same ids: consumers know them by id. That is why
nothing here ever keeps "event seen" *before* its transitions are acknowledged - such a mark would turn the
crash between the two into a lost alert.

**Skipping what is already in a record.** An entry whose offset is at or below the record's applied offset
is a second delivery. It is skipped, and that is right only because of the order above: a record that is
on the changelog proves that all transitions up to its offset were acknowledged before it was written.
The guard is per record, not per partition: of the records of one batch some may be kept and others not.

**Ticks.** A tick runs the checks that fell due for patients whose record is older than the tick, in order
of (due instant, key), each patient once with the tick as its entry (`step` runs every due instant of its
patient, in order). Running an old tick again is harmless, so a redelivered tick is judged like any other.

**A policy on trial** (`lifecycle=Subject.SHADOW`) is judged by the same body as a second monitor with its own
group and store. It writes its transitions to `alert.shadow.v1` and its state, and nothing else: no alert, no
current state, nothing held aside. Activations in the log are about the policy in force and leave it alone;
where the trial itself changed since the state was written, the next tick judges everybody anew by it.

**Faults.** An entry that cannot be decoded becomes a rejection. An exception out of a step puts the entry
into quarantine, marks the patient "not monitored" (durable, on all later transitions), and the others go on.
Anything else leaves `take` as an exception: the shell ends the process and commits nothing.
"""

from __future__ import annotations

import asyncio
import heapq
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from schemas.alerts import Transition, TransitionKind
from schemas.events import Entry, EntryKind, PolicyActivation, entry_from_json
from schemas.rejection import Rejection, RejectionReason
from schemas.values import Source
from streams.ports import (
    Arrived,
    Clock,
    Headers,
    Heard,
    Log,
    Medicine,
    Meters,
    MustStop,
    NoMeters,
    Outgoing,
    Put,
    Standing,
    SteppedLike,
    Store,
    SystemClock,
    where_raised,
)
from streams.quarantine import Quarantined, QuarantineReason
from streams.state import (
    POLICY_PREFIX,
    Frame,
    FrameDamaged,
    Mark,
    is_patient_key,
    marker_key,
    policy_key,
    read_frame,
)
from streams.topics import Subject, TopicNames, partition_of

RECORD_LIMIT: Final = 65_536
"""Bytes of a patient's record at most (design part 7); a larger one is quarantined."""

_SEGMENT_READS: Final = 8
"""How often one step may ask for history before it is taken to be broken."""

_STEPS_A_TURN: Final = 16
"""Steps between two turns of the event loop, so that heartbeats and acknowledgements are not held up."""

HEADER_KIND: Final = "kind"
KIND_MOVE: Final = b"move"
"""Marks what monitor itself writes to the patient log."""

_CLOSED: Final = frozenset({TransitionKind.RESOLVED, TransitionKind.WITHDRAWN, TransitionKind.SUPERSEDED})


@dataclass(slots=True)
class _Patient:
    """A patient's record as it stands in memory; `frame` is what is kept or about to be."""

    key: bytes
    applied: int = -1
    record: Any = None
    payload: bytes | None = None
    next_check: datetime | None = None
    marks: Mark = Mark.NONE
    reason: str = ""
    standing: Standing | None = None
    """What the counts of the partition hold for this record; None where it was not looked at yet."""
    is_damaged: bool = False


@dataclass(slots=True)
class _Held:
    """One partition held by this process, from assignment to revocation."""

    partition: int
    begins_at: int | None
    expected: int | None
    """The next offset; None until the first entry has shown where the log is read from."""
    marker: int | None
    due: dict[bytes, datetime] = field(default_factory=dict)
    heap: list[tuple[datetime, bytes]] = field(default_factory=list)
    policies: list[tuple[int, Any, str]] = field(default_factory=list)
    """(offset, policy, hash), by offset."""
    activation: tuple[int, PolicyActivation] | None = None
    """The newest activation and its offset, to show which policy judges."""
    open_alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    watched: int = 0
    unwatched: int = 0
    not_monitored: int = 0
    is_lost: bool = False
    is_new_trial: bool = False
    """The state does not say yet that this policy is on trial."""
    is_to_be_judged_anew: bool = False
    """It holds patients whom another policy on trial has judged."""

    def plan(self, key: bytes, at: datetime | None) -> None:
        """The next check of a patient; an entry of the heap that no longer agrees is passed over later."""
        if at is None:
            self.due.pop(key, None)
        elif self.due.get(key) != at:
            self.due[key] = at
            heapq.heappush(self.heap, (at, key))
            if len(self.heap) > 4 * len(self.due) + 1_000:
                self.heap = [(due, patient) for patient, due in self.due.items()]
                heapq.heapify(self.heap)

    def earliest(self) -> datetime | None:
        """When the first check is due."""
        while self.heap and self.due.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0][0] if self.heap else None

    def policy_at(self, offset: int) -> tuple[int, Any, str] | None:
        """The policy in force for an entry at this offset."""
        place = bisect_right(self.policies, offset, key=lambda row: row[0])
        return self.policies[place - 1] if place else None


@dataclass(slots=True)
class Batch:
    """What one batch has to write, in the order of `write`. `taking` are the partitions as held when it began."""

    taking: dict[int, _Held] = field(default_factory=dict)
    transitions: list[Outgoing] = field(default_factory=list)
    rejected: list[Outgoing] = field(default_factory=list)
    moves: list[Outgoing] = field(default_factory=list)
    """Entries of the log for other numbers of a patient, in the order in which they were said."""
    current: dict[str, Outgoing] = field(default_factory=dict)
    segments: dict[tuple[int, bytes], Put] = field(default_factory=dict)
    changed: dict[tuple[int, bytes], _Patient] = field(default_factory=dict)
    policies: list[Put] = field(default_factory=list)
    markers: dict[int, int] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=lambda: Outcome())  # noqa: PLW0108 - Outcome is defined below


@dataclass(slots=True)
class Outcome:
    """What became of a batch. `done` are the partitions whose offsets may be committed."""

    done: frozenset[int] = frozenset()
    entries: int = 0
    redelivered: int = 0
    rejected: int = 0
    quarantined: int = 0
    refused: int = 0
    """Merges that do not count; each is also a rejection, and its entry counted among the entries."""
    ticks: int = 0
    checks: int = 0
    facts: Counter[tuple[str, str]] = field(default_factory=Counter)
    transitions: list[Transition] = field(default_factory=list)
    heard: list[datetime] = field(default_factory=list)
    """The log's stamps of the entries judged, for the time to a decision."""


class Monitor:
    """Judges entries with the medicine and keeps what it says. One task at a time calls `take`."""

    def __init__(
        self,
        *,
        log: Log,
        store: Store,
        medicine: Medicine,
        topics: TopicNames,
        partitions: int,
        default_policy: PolicyActivation,
        meters: Meters | None = None,
        clock: Clock | None = None,
        lifecycle: Subject = Subject.LIFECYCLE,
        cached_records: int = 8_192,
        write_every: int = 500,
    ) -> None:
        """`default_policy` judges until the log says otherwise; `write_every` bounds what one write may hold."""
        self._log = log
        self._store = store
        self._medicine = medicine
        self._topics = topics
        self._partitions = partitions
        self._meters: Meters = meters or NoMeters()
        self._clock: Clock = clock or SystemClock()
        self._is_trial = lifecycle is Subject.SHADOW
        self._said_type = f"org.myelowatch.{lifecycle.value}".encode()
        self._lifecycle_topic = topics[lifecycle]
        self._current_topic = topics[Subject.CURRENT] if lifecycle is Subject.LIFECYCLE else None
        self._rejected_topic = topics[Subject.REJECTED]
        self._log_topic = topics[Subject.LOG]
        self._write_every = write_every
        self._cached_records = cached_records
        self._default = (-1, medicine.read_policy(default_policy), default_policy.hash)
        self._default_activation = default_policy
        self._held: dict[int, _Held] = {}
        self._cache: OrderedDict[tuple[int, bytes], _Patient] = OrderedDict()
        self._ce_source = f"/myelowatch/{topics.prefix}".encode()

    # --- partitions come and go ---

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions held now."""
        return frozenset(self._held)

    def assigned(self, partition: int, begins_at: int | None = None) -> None:
        """Take a partition whose state is fully in the store; `begins_at` is the first offset the log still has."""
        self._forget(partition)
        held = _Held(partition=partition, begins_at=begins_at, expected=None, marker=None)
        for key, raw in self._store.scan(partition):
            self._recover(held, key, raw)
        heapq.heapify(held.heap)
        held.policies.sort(key=lambda row: row[0])
        if self._is_trial:
            self._compare_trial(held)
        self._held[partition] = held
        self._meters.partition_taken(partition)
        self._show_gauges(held)

    def _compare_trial(self, held: _Held) -> None:
        """Whether the policy on trial is the one that the state was written under."""
        ours, kept = self._default_activation, held.activation[1] if held.activation is not None else None
        held.is_new_trial = kept is None or (kept.hash, kept.rules_version) != (ours.hash, ours.rules_version)
        has_patients = any(is_patient_key(key) for key, _ in self._store.scan(held.partition))
        held.is_to_be_judged_anew = held.is_new_trial and has_patients
        held.activation = None

    def revoked(self, partition: int) -> None:
        """Give a partition up at once: a batch in flight writes no more of its state and does not commit it."""
        self._forget(partition)
        self._meters.partition_given_up(partition)

    def _forget(self, partition: int) -> None:
        held = self._held.pop(partition, None)
        if held is not None:
            held.is_lost = True
        for place in [place for place in self._cache if place[0] == partition]:
            del self._cache[place]

    def _recover(self, held: _Held, key: bytes, raw: bytes) -> None:
        try:
            frame = read_frame(raw)
        except FrameDamaged as error:
            if not is_patient_key(key):
                raise MustStop(
                    f"The state of partition {held.partition} is damaged ({error}, key {key!r}). Delete the worker's "
                    "local state and start it again; if it stays, rebuild the changelog from the log."
                ) from error
            held.not_monitored += 1
            return
        if key == marker_key(held.partition):
            held.marker = frame.applied
        elif key.startswith(POLICY_PREFIX):
            activation = PolicyActivation.model_validate_json(frame.payload)
            self._note_activation(held, frame.applied, activation)
            if not self._is_trial:
                held.policies.append((frame.applied, self._medicine.read_policy(activation), activation.hash))
        elif is_patient_key(key):
            if frame.next_check is not None:
                held.due[key] = frame.next_check
                held.heap.append((frame.next_check, key))
            held.watched += bool(frame.marks & Mark.WATCHED)
            held.unwatched += bool(frame.marks & Mark.UNWATCHED)
            held.not_monitored += not frame.is_monitored
            if frame.marks & Mark.HAS_OPEN_ALERTS:
                held.open_alerts.update(self._open_alerts_in(frame))

    def _open_alerts_in(self, frame: Frame) -> tuple[tuple[str, str], ...]:
        try:
            return self._medicine.standing(self._medicine.read_record(frame.payload)).open_alerts
        except Exception:  # noqa: BLE001 - a damaged record shows itself at the patient's next entry
            return ()

    # --- the batch ---

    async def take(self, arrived: Sequence[Arrived]) -> Outcome:
        """Judge a batch (any mix of held partitions, in offset order within each) and make it durable.

        Records of partitions that are not held are passed over and not named in `done`.
        """
        batch = Batch()
        taking = batch.taking
        # Before the first await: a partition that is given up and taken back while this batch waits has another
        # holder then, who reads from where it was committed and must not be shown records of this batch.
        for partition in {record.partition for record in arrived}:
            if partition in self._held:
                taking[partition] = self._held[partition]
        turn = 0
        for record in arrived:
            held = taking.get(record.partition)
            if held is None or held.is_lost:
                continue
            self._check_place(held, record)
            await self._judge(batch, held, record)
            if not held.is_lost:
                held.expected = max(held.expected or 0, record.offset + 1)
                batch.markers[record.partition] = max(batch.markers.get(record.partition, -1), record.offset)
            turn += 1
            if turn % _STEPS_A_TURN == 0:
                await asyncio.sleep(0)
        await self.write(batch, is_last=True)
        for held in taking.values():
            if not held.is_lost:
                self._show_gauges(held)
        batch.outcome.done = frozenset(partition for partition, held in taking.items() if not held.is_lost)
        self._count(batch.outcome)
        return batch.outcome

    def _check_place(self, held: _Held, record: Arrived) -> None:
        """No entry may be missing between what is applied and what is offered."""
        if held.expected is not None:
            if record.offset > held.expected:
                raise MustStop(
                    f"Partition {record.partition} of the patient log jumped from offset {held.expected} to "
                    f"{record.offset}: entries are missing. Nothing was committed; start the worker again."
                )
            return
        if held.marker is None and record.offset > 0 and record.offset != held.begins_at:
            raise MustStop(
                f"The patient log of partition {record.partition} is offered from offset {record.offset}, but its "
                "state is empty: the changelog was trimmed or recreated. Reset the group to the start of the log."
            )
        if held.marker is not None and record.offset > held.marker + 1:
            raise MustStop(
                f"State was lost in partition {record.partition}: committed up to offset {record.offset}, applied up "
                f"to {held.marker}. Reset the group to offset {held.marker + 1} and start the worker again."
            )

    async def _judge(self, batch: Batch, held: _Held, record: Arrived) -> None:
        try:
            entry = entry_from_json(record.value or b"")
        except ValidationError as error:
            self._reject(batch, record, RejectionReason.WRONG_SHAPE, _places(error))
            return
        if held.is_new_trial and not held.is_to_be_judged_anew:
            self._note_trial(batch, held, record.offset)
        match entry.kind:
            case EntryKind.TICK:
                await self._tick(batch, held, record, entry)
            case EntryKind.POLICY if self._is_trial:
                pass
            case EntryKind.POLICY:
                await self._activate(batch, held, record, entry)
            case _:
                self._facts(batch, held, record, entry)

    def _facts(self, batch: Batch, held: _Held, record: Arrived, entry: Entry) -> None:
        if entry.patient is None or entry.lacks:
            self._reject(batch, record, RejectionReason.WRONG_SHAPE, f"an entry {entry.kind} has its {entry.lacks}")
            return
        key = entry.patient.key.encode()
        if not is_patient_key(key) or partition_of(key, self._partitions) != record.partition:
            self._reject(batch, record, RejectionReason.WRONG_SHAPE, "the patient key belongs to another partition")
            return
        patient = self._look(batch, held, key)
        if patient.applied >= record.offset:
            batch.outcome.redelivered += 1
            # A batch that was under way when the partition was given up may have been kept after we took it back:
            # its records are in the store then, and the due checks that were rebuilt before know nothing of them.
            held.plan(patient.key, patient.next_check)
            return
        batch.outcome.entries += 1
        batch.outcome.heard.append(record.stamp)
        self._step(batch, held, patient, record, entry, self._policy_for(held, record.offset))

    async def _tick(self, batch: Batch, held: _Held, record: Arrived, entry: Entry) -> None:
        """Run every check that is due at the tick, for every patient whose record is older than it."""
        now = entry.known_at or record.stamp
        batch.outcome.ticks += 1
        already: list[_Patient] = []
        policy = self._policy_for(held, record.offset)
        if held.is_to_be_judged_anew:
            await self._begin_trial(batch, held, record, entry)
            if held.is_lost:
                return
        while True:
            due = held.earliest()
            if due is None or due > now:
                break
            _, key = heapq.heappop(held.heap)
            patient = self._look(batch, held, key)
            del held.due[key]
            if patient.applied >= record.offset:
                already.append(patient)
                continue
            batch.outcome.checks += 1
            self._step(batch, held, patient, record, entry, policy, checks_until=now)
            if batch.outcome.checks % _STEPS_A_TURN == 0:
                await asyncio.sleep(0)
            if len(batch.changed) >= self._write_every:
                await self.write(batch)
            if held.is_lost:
                return
        for patient in already:
            held.plan(patient.key, patient.next_check)
        self._meters.tick(record.partition, now)

    async def _activate(self, batch: Batch, held: _Held, record: Arrived, entry: Entry) -> None:
        """From this offset on another policy judges: everybody is judged anew under it, now."""
        activation = entry.policy
        if activation is None:
            self._reject(batch, record, RejectionReason.WRONG_SHAPE, "a policy activation carries its policy")
            return
        before = self._policy_for(held, record.offset - 1)
        if not any(offset == record.offset for offset, _, _ in held.policies):
            held.policies.append((record.offset, self._medicine.read_policy(activation), activation.hash))
            held.policies.sort(key=lambda row: row[0])
        frame = Frame(applied=record.offset, payload=activation.to_json())
        batch.policies.append(Put(held.partition, policy_key(record.offset), frame.to_bytes()))
        self._note_activation(held, record.offset, activation)
        self._meters.policy(activation.profile, activation.version, activation.hash)
        if before[2] == activation.hash:
            return
        await self._judge_everybody(batch, held, record, entry)

    async def _begin_trial(self, batch: Batch, held: _Held, record: Arrived, tick: Entry) -> None:
        """Judge whom another policy on trial has judged before, then note which one it is now."""
        trial = self._default_activation
        entry = Entry(
            kind=EntryKind.POLICY,
            event_id=f"policy:{trial.hash}:{trial.rules_version}",
            known_at=tick.known_at,
            policy=trial,
        )
        await self._judge_everybody(batch, held, record, entry)
        if not held.is_lost:
            held.is_to_be_judged_anew = False
            self._note_trial(batch, held, record.offset)

    def _note_trial(self, batch: Batch, held: _Held, offset: int) -> None:
        frame = Frame(applied=offset, payload=self._default_activation.to_json())
        batch.policies.append(Put(held.partition, policy_key(offset), frame.to_bytes()))
        held.is_new_trial = False

    async def _judge_everybody(self, batch: Batch, held: _Held, record: Arrived, entry: Entry) -> None:
        """Step every patient of the partition by the policy that holds from this entry on."""
        policy = self._policy_for(held, record.offset)
        known = {key for key, _ in self._store.scan(held.partition) if is_patient_key(key)}
        known.update(key for partition, key in batch.changed if partition == held.partition)
        for count, key in enumerate(sorted(known), start=1):
            patient = self._look(batch, held, key)
            if patient.applied < record.offset:
                self._step(batch, held, patient, record, entry, policy)
            else:
                held.plan(patient.key, patient.next_check)
            if count % _STEPS_A_TURN == 0:
                await asyncio.sleep(0)
            if len(batch.changed) >= self._write_every:
                await self.write(batch)
            if held.is_lost:
                return

    def _policy_for(self, held: _Held, offset: int) -> tuple[int, Any, str]:
        return held.policy_at(offset) or self._default

    # --- one patient, one entry ---

    def _look(self, batch: Batch, held: _Held, key: bytes) -> _Patient:
        """The patient as of everything judged so far: this batch, the cache, else the store."""
        place = (held.partition, key)
        patient = batch.changed.get(place) or self._cache.get(place)
        if patient is not None:
            return patient
        patient = _Patient(key=key)
        raw = self._store.get(held.partition, key)
        if raw is not None:
            try:
                frame = read_frame(raw)
            except FrameDamaged:
                patient.payload, patient.is_damaged = raw, True
                patient.marks, patient.reason = Mark.NOT_MONITORED, QuarantineReason.RECORD_DAMAGED
            else:
                patient.applied, patient.payload = frame.applied, frame.payload or None
                patient.next_check, patient.marks, patient.reason = frame.next_check, frame.marks, frame.reason
        self._cache[place] = patient
        return patient

    def _step(
        self,
        batch: Batch,
        held: _Held,
        patient: _Patient,
        record: Arrived,
        entry: Entry,
        policy: tuple[int, Any, str],
        checks_until: datetime | None = None,
    ) -> None:
        """Step one patient; whatever goes wrong in the medicine concerns this patient and entry alone."""
        known_at = entry.known_at or record.stamp
        heard = Heard(known_at=known_at, partition=record.partition, offset=record.offset)
        try:
            if patient.is_damaged:
                raise _Unfit(QuarantineReason.RECORD_DAMAGED, "the state record cannot be read")
            if patient.record is None and patient.payload is not None:
                patient.record = self._read(patient)
            stepped = self._ask(batch, held, patient, entry, heard, policy[1])
            payload = self._medicine.write_record(stepped.record)
            if len(payload) > RECORD_LIMIT:
                raise _Unfit(QuarantineReason.RECORD_TOO_LARGE, f"{len(payload)} bytes")
            next_check = stepped.record.header.next_check
            if checks_until is not None and next_check is not None and next_check <= checks_until:
                raise _Unfit(QuarantineReason.CHECK_STUCK, "a check that was run is due again at once")
            standing = self._medicine.standing(stepped.record)
            segments = self._segments(patient, record, stepped)
        except Exception as error:  # noqa: BLE001 - a rule that fails for one patient must not stop the others
            self._quarantine(batch, held, patient, record, entry, error)
            return
        self._say(batch, held, patient, stepped)
        self._hand_on(batch, record, stepped)
        for put in segments:
            batch.segments[held.partition, put.key] = put
        for outcome in stepped.outcomes:
            batch.outcome.facts[outcome.kind, outcome.outcome] += 1
        self._stand(held, patient, standing)
        patient.record, patient.payload, patient.applied = stepped.record, payload, record.offset
        patient.next_check = next_check
        held.plan(patient.key, next_check)
        self._change(batch, held, patient)

    def _segments(self, patient: _Patient, record: Arrived, stepped: SteppedLike) -> list[Put]:
        """History segments carry their whole key as their name: the patient's, a slash, and which one."""
        puts = []
        for name, content in (stepped.segments or {}).items():
            key = name.encode()
            if not key.startswith(patient.key + b"/"):
                raise _Unfit(QuarantineReason.HISTORY_UNREADABLE, "a segment is named after somebody else")
            puts.append(Put(record.partition, key, Frame(applied=record.offset, payload=content).to_bytes()))
        return puts

    def _ask(
        self, batch: Batch, held: _Held, patient: _Patient, entry: Entry, heard: Heard, policy: Any
    ) -> SteppedLike:
        """Call the step, with the history it asks for."""
        history: dict[str, bytes] | None = None
        for _ in range(_SEGMENT_READS):
            stepped = self._medicine.step(patient.record, entry, heard, policy, history)
            if not stepped.needs:
                return stepped
            history = dict(history or {})
            wanted = [name for name in stepped.needs if name not in history]
            if not wanted:
                raise _Unfit(QuarantineReason.HISTORY_UNREADABLE, "the step asks again for what it was given")
            for name in wanted:
                history[name] = self._segment(batch, held, name.encode())
        raise _Unfit(QuarantineReason.HISTORY_UNREADABLE, "the step asks for history without end")

    def _segment(self, batch: Batch, held: _Held, key: bytes) -> bytes:
        pending = batch.segments.get((held.partition, key))
        raw = pending.value if pending is not None else self._store.get(held.partition, key)
        if raw is None:
            return b""
        try:
            return read_frame(raw).payload
        except FrameDamaged as error:
            raise _Unfit(QuarantineReason.HISTORY_UNREADABLE, str(error)) from error

    def _read(self, patient: _Patient) -> Any:
        try:
            return self._medicine.read_record(patient.payload or b"")
        except Exception as error:
            raise _Unfit(QuarantineReason.RECORD_DAMAGED, type(error).__name__) from error

    def _say(self, batch: Batch, held: _Held, patient: _Patient, stepped: SteppedLike) -> None:
        """Put the transitions, and what they make of the current alerts, into the batch."""
        for transition in stepped.transitions:
            if patient.marks & Mark.NOT_MONITORED and not transition.not_monitored:
                transition = transition.model_copy(update={"not_monitored": True})
            value = transition.to_json()
            batch.transitions.append(
                Outgoing(self._lifecycle_topic, held.partition, patient.key, value, self._headers(transition))
            )
            if self._current_topic is not None:
                alert = transition.alert_id.encode()
                batch.current[transition.alert_id] = Outgoing(
                    self._current_topic,
                    partition_of(alert, self._partitions),
                    alert,
                    None if transition.transition in _CLOSED else value,
                )
            batch.outcome.transitions.append(transition)

    def _hand_on(self, batch: Batch, record: Arrived, stepped: SteppedLike) -> None:
        """Put what one number says to another into the batch; a merge that does not count is shown to people.

        A trial sends nothing: what the policy in force handed on is in the log, and the trial reads it there.
        """
        for entry in stepped.sends if not self._is_trial else ():
            if entry.patient is None:
                raise MustStop("A step wants to send an entry that names no patient: a fault of the rules.")
            key = entry.patient.key.encode()
            partition = partition_of(key, self._partitions)
            batch.moves.append(Outgoing(self._log_topic, partition, key, entry.to_json(), ((HEADER_KIND, KIND_MOVE),)))
        if stepped.refused is not None:
            self._hold_rejection(batch, record, RejectionReason.MERGE_REFUSED, stepped.refused)
            batch.outcome.refused += 1
            self._meters.message_rejected("", RejectionReason.MERGE_REFUSED)

    def _headers(self, transition: Transition) -> Headers:
        """CloudEvents 1.0, binary mode; nothing about the patient but the opaque key."""
        return (
            ("ce_specversion", b"1.0"),
            ("ce_id", transition.transition_id.encode()),
            ("ce_source", self._ce_source),
            ("ce_type", self._said_type),
            ("ce_subject", transition.patient.key.encode()),
            ("content-type", b"application/json"),
        )

    def _stand(self, held: _Held, patient: _Patient, standing: Standing) -> None:
        """Keep the counts of the partition in step with a patient's record."""
        before = patient.standing
        if before is None:
            before = Standing() if patient.record is None else self._medicine.standing(patient.record)
        held.open_alerts.subtract(before.open_alerts)
        held.open_alerts.update(standing.open_alerts)
        held.watched += standing.is_watched - before.is_watched
        held.unwatched += standing.is_unwatched - before.is_unwatched
        patient.standing = standing
        marks = patient.marks & Mark.NOT_MONITORED
        if standing.open_alerts:
            marks |= Mark.HAS_OPEN_ALERTS
        if standing.is_watched:
            marks |= Mark.WATCHED
        if standing.is_unwatched:
            marks |= Mark.UNWATCHED
        patient.marks = marks

    def _change(self, batch: Batch, held: _Held, patient: _Patient) -> None:
        place = (held.partition, patient.key)
        batch.changed[place] = patient
        self._cache[place] = patient
        self._cache.move_to_end(place)

    # --- what cannot be used ---

    def _quarantine(
        self, batch: Batch, held: _Held, patient: _Patient, record: Arrived, entry: Entry, error: Exception
    ) -> None:
        """The entry goes aside with its reason; the record stays as it was, marked, and applied up to here.

        A check that failed is not tried again at every tick: the patient's next entry does that.
        """
        reason = error.reason if isinstance(error, _Unfit) else QuarantineReason.RULE_FAILED
        detail = str(error) if isinstance(error, _Unfit) else where_raised(error)
        note = Quarantined(
            reason=reason,
            detail=detail,
            patient_key=patient.key.decode(),
            event_id=entry.event_id,
            feed=entry.feed,
            original_topic=record.topic,
            original_partition=record.partition,
            original_offset=record.offset,
            at=record.stamp,
        )
        self._hold_aside(batch, record.partition, patient.key, note.to_json(), b"quarantine")
        batch.outcome.quarantined += 1
        for fact in entry.facts if entry.kind is EntryKind.FACTS else ():
            batch.outcome.facts[fact.kind, "quarantined"] += 1
        if not patient.marks & Mark.NOT_MONITORED:
            held.not_monitored += 1
        patient.marks |= Mark.NOT_MONITORED
        patient.reason = reason
        self._mark(patient, record.stamp)
        patient.applied = record.offset
        if entry.kind in (EntryKind.TICK, EntryKind.POLICY):
            patient.next_check = None
        held.plan(patient.key, patient.next_check)
        self._change(batch, held, patient)

    def _mark(self, patient: _Patient, since: datetime) -> None:
        """Have the record itself say so where it can; the mark in its head stands either way."""
        if patient.record is None:
            return
        try:
            marked = self._medicine.mark_not_monitored(patient.record, since)
            payload = self._medicine.write_record(marked)
        except Exception:  # noqa: BLE001 - a record at its size limit, or a medicine that fails here too
            return
        patient.record, patient.payload = marked, payload

    def _reject(self, batch: Batch, record: Arrived, reason: RejectionReason, detail: str) -> None:
        self._hold_rejection(batch, record, reason, detail)
        batch.outcome.rejected += 1
        self._meters.message_rejected("", reason)

    def _hold_rejection(self, batch: Batch, record: Arrived, reason: RejectionReason, detail: str) -> None:
        rejection = Rejection(
            reason=reason,
            detail=detail,
            source=Source(feed="", message=""),
            original_topic=record.topic,
            original_partition=record.partition,
            original_offset=record.offset,
            rejected_at=record.stamp,
        )
        self._hold_aside(batch, record.partition, record.key, rejection.to_json(), b"rejection")

    def _hold_aside(self, batch: Batch, partition: int, key: bytes | None, note: bytes, kind: bytes) -> None:
        """Where operators look. A trial only counts: what the policy in force cannot use is there already."""
        if not self._is_trial:
            batch.rejected.append(Outgoing(self._rejected_topic, partition, key, note, (("kind", kind),)))

    # --- emit, then remember ---

    async def write(self, batch: Batch, *, is_last: bool = False) -> None:
        """The safe order. What belongs to a partition given up meanwhile is not written any more.

        Markers are written only with the last write of a batch: they say that everything up to them is kept.
        """
        await self.say(batch)
        await self.hand_on(batch)
        await self.show(batch)
        self._drop_lost(batch)
        await self.keep_segments(batch)
        self._drop_lost(batch)
        await self.keep_records(batch, with_markers=is_last)
        batch.transitions.clear()
        batch.rejected.clear()
        batch.moves.clear()
        batch.current.clear()
        batch.segments.clear()
        batch.policies.clear()
        batch.changed.clear()
        self._trim_cache()

    async def say(self, batch: Batch) -> None:
        """First of all: the transitions, and what is held aside."""
        if batch.transitions or batch.rejected:
            await self._log.send([*batch.transitions, *batch.rejected])

    async def hand_on(self, batch: Batch) -> None:
        """What one number says to another, before the record that says it was said."""
        if batch.moves:
            await self._log.send(batch.moves)

    async def show(self, batch: Batch) -> None:
        """The newest state of each alert that changed."""
        if batch.current:
            await self._log.send(list(batch.current.values()))

    async def keep_segments(self, batch: Batch) -> None:
        """History before the records that point to it."""
        if batch.segments:
            await self._store.put(list(batch.segments.values()))

    async def keep_records(self, batch: Batch, *, with_markers: bool) -> None:
        """The records and, at the end of a batch, the marker of each partition."""
        puts = [*batch.policies, *(self._put(place[0], patient) for place, patient in batch.changed.items())]
        if with_markers:
            puts.extend(
                Put(partition, marker_key(partition), Frame(applied=offset, payload=b"").to_bytes())
                for partition, offset in sorted(batch.markers.items())
            )
        if puts:
            await self._store.put(puts)

    def _put(self, partition: int, patient: _Patient) -> Put:
        if patient.is_damaged:
            # What cannot be read stays as it is, for whoever repairs it; the mark lives in memory and in quarantine.
            return Put(partition, patient.key, patient.payload)
        frame = Frame(
            applied=patient.applied,
            payload=patient.payload or b"",
            next_check=patient.next_check,
            marks=patient.marks,
            reason=patient.reason,
        )
        return Put(partition, patient.key, frame.to_bytes())

    def _drop_lost(self, batch: Batch) -> None:
        """A partition given up while we waited belongs to somebody else: its state is theirs to write."""
        lost = {partition for partition, held in batch.taking.items() if held.is_lost}
        if not lost:
            return
        batch.changed = {place: patient for place, patient in batch.changed.items() if place[0] not in lost}
        batch.segments = {place: put for place, put in batch.segments.items() if place[0] not in lost}
        batch.markers = {partition: offset for partition, offset in batch.markers.items() if partition not in lost}
        batch.policies = [put for put in batch.policies if put.partition not in lost]

    def _trim_cache(self) -> None:
        while len(self._cache) > self._cached_records:
            self._cache.popitem(last=False)

    # --- what is shown ---

    @staticmethod
    def _note_activation(held: _Held, offset: int, activation: PolicyActivation) -> None:
        if held.activation is None or offset >= held.activation[0]:
            held.activation = (offset, activation)

    def _show_gauges(self, held: _Held) -> None:
        self._meters.checks(held.partition, len(held.due), held.earliest())
        self._meters.alerts_open(held.partition, +held.open_alerts)
        self._meters.patients(held.partition, held.watched, held.unwatched + held.not_monitored)
        activation = held.activation[1] if held.activation is not None else self._default_activation
        self._meters.policy(activation.profile, activation.version, activation.hash)

    def _count(self, outcome: Outcome) -> None:
        now = self._clock.now()
        for (kind, word), count in outcome.facts.items():
            self._meters.fact(kind, word, count)
        for transition in outcome.transitions:
            self._meters.transition(transition.rule, transition.severity, transition.transition)
        for stamp in outcome.heard:
            self._meters.decision((now - stamp).total_seconds())


class _Unfit(Exception):
    """A patient's entry cannot be judged, for a reason of the closed list."""

    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _places(error: ValidationError) -> str:
    """Where a value has the wrong shape, without the value."""
    places: Iterable[str] = (
        f"{'.'.join(str(part) for part in fault['loc']) or 'entry'}: {fault['type']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:5]
    )
    return "; ".join(places)
