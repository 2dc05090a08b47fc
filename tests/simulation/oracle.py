"""What the patient log means: a plain fold of `rules.watch.step`, with no batches, no ports and no memory of a crash.

It shares the medicine with monitor and nothing else; what monitor promises is written here a second time, in
the fewest words that do it. Simulation and chaos compare everything that was ever written with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from schemas.alerts import Transition
from schemas.events import Entry, EntryKind, PolicyActivation, entry_from_json
from streams.ports import Arrived, Heard, Medicine
from streams.topics import partition_of


@dataclass(frozen=True, slots=True)
class Expected:
    """A patient's record as it must be after one entry of the log."""

    offset: int
    payload: bytes
    next_check: datetime | None
    reason: str = ""
    """Why the patient is not monitored; empty for one who is."""


@dataclass(slots=True)
class Patient:
    """The running record of one patient."""

    key: str
    record: Any = None
    next_check: datetime | None = None
    reason: str = ""
    history: list[Expected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A transition that must be on the notification topic, and the entry that makes it due."""

    offset: int
    key: str
    transition: Transition
    value: bytes


@dataclass(frozen=True, slots=True)
class HandedOn:
    """An entry for another number that must be in the log, and the entry that makes it due."""

    offset: int
    key: str
    partition: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Aside:
    """Something held apart at an offset: an entry nobody can read (no key), or a patient's entry in quarantine."""

    offset: int
    key: str
    reason: str


class PartitionFold:
    """One partition of the log, folded as far as it was given."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        medicine: Medicine,
        default_policy: PolicyActivation,
        decode: Callable[[bytes], Entry] = entry_from_json,
    ) -> None:
        """Nothing folded yet."""
        self.partition = partition
        self.patients: dict[str, Patient] = {}
        self.spoken: dict[str, Spoken] = {}
        self.in_order: list[Spoken] = []
        self.aside: list[Aside] = []
        self.handed_on: list[HandedOn] = []
        self.handed_values: set[bytes] = set()
        self.said_twice: list[str] = []
        """Ids that the medicine itself gave to two transitions: consumers would take the second for a repeat."""
        self.met: set[str] = set()
        """Situations that only the fold can see."""
        self.facts_offered = 0
        self.facts: Counter[str] = Counter()
        self.folded = 0
        self._partitions = partitions
        self._medicine = medicine
        self._decode = decode
        self._segments: dict[str, bytes] = {}
        self._policy = medicine.read_policy(default_policy)
        self._policy_hash = default_policy.hash

    def fold(self, rows: Iterable[Arrived]) -> None:
        """Go on, in offset order."""
        for row in rows:
            self._take(row)
            self.folded = row.offset + 1

    def newest(self, key: str, upto: int) -> Expected | None:
        """The record of a patient after all entries below an offset."""
        patient = self.patients.get(key)
        if patient is None:
            return None
        for expected in reversed(patient.history):
            if expected.offset < upto:
                return expected
        return None

    def at(self, key: str, offset: int) -> Expected | None:
        """The record that this very entry made, if it made one for this patient."""
        expected = self.newest(key, offset + 1)
        return expected if expected is not None and expected.offset == offset else None

    def _take(self, row: Arrived) -> None:
        try:
            entry = self._decode(row.value or b"")
        except ValidationError:
            self.aside.append(Aside(row.offset, "", "rejected"))
            return
        if entry.kind is EntryKind.TICK:
            self._pass_time(row, entry)
        elif entry.kind is EntryKind.POLICY:
            self._change_policy(row, entry)
        else:
            self._hear(row, entry)

    def _hear(self, row: Arrived, entry: Entry) -> None:
        patient = entry.patient
        if (
            patient is None
            or entry.lacks
            or patient.key.startswith("~")
            or "/" in patient.key
            or partition_of(patient.key.encode(), self._partitions) != self.partition
        ):
            self.aside.append(Aside(row.offset, "", "rejected"))
            return
        if entry.kind is EntryKind.FACTS:
            self.facts_offered += len(entry.facts)
        self._step(row, entry, self.patients.setdefault(patient.key, Patient(patient.key)))

    def _pass_time(self, row: Arrived, entry: Entry) -> None:
        now = entry.known_at or row.stamp
        due = [
            (each.next_check, each.key) for each in self.patients.values() if each.next_check and each.next_check <= now
        ]
        for _, key in sorted(due):
            self._step(row, entry, self.patients[key], until=now)

    def _change_policy(self, row: Arrived, entry: Entry) -> None:
        if entry.policy is None:
            self.aside.append(Aside(row.offset, "", "rejected"))
            return
        if entry.policy.hash == self._policy_hash:
            return
        self._policy, self._policy_hash = self._medicine.read_policy(entry.policy), entry.policy.hash
        for key in sorted(self.patients):
            self._step(row, entry, self.patients[key])

    def _step(self, row: Arrived, entry: Entry, patient: Patient, until: datetime | None = None) -> None:
        heard = Heard(entry.known_at or row.stamp, self.partition, row.offset)
        try:
            stepped = self._medicine.step(patient.record, entry, heard, self._policy, None)
            if stepped.needs:
                pages = {name: self._segments.get(name, b"") for name in stepped.needs}
                stepped = self._medicine.step(patient.record, entry, heard, self._policy, pages)
            payload = self._medicine.write_record(stepped.record)
            next_check = stepped.record.header.next_check
            if until is not None and next_check is not None and next_check <= until:
                raise RuntimeError("a check that was run is due again at once")
        except Exception:  # noqa: BLE001 - whatever a rule raises concerns its patient alone
            self._hold_aside(row, entry, patient)
            return
        if entry.kind is EntryKind.MERGE:
            self._note_merge(patient)
        self._segments.update(stepped.segments or {})
        for sent in stepped.sends:
            assert sent.patient is not None
            target, value = partition_of(sent.patient.key.encode(), self._partitions), sent.to_json()
            self.handed_on.append(HandedOn(row.offset, patient.key, target, value))
            self.handed_values.add(value)
        if stepped.refused is not None:
            self.aside.append(Aside(row.offset, "", "rejected"))
            if "circle" in stepped.refused or "itself merged" in stepped.refused:
                self.met.add("a merge that leads in a circle was refused")
        self.facts.update(outcome.outcome for outcome in stepped.outcomes)
        for transition in stepped.transitions:
            if patient.reason and not transition.not_monitored:
                transition = transition.model_copy(update={"not_monitored": True})
            spoken = Spoken(row.offset, patient.key, transition, transition.to_json())
            if transition.transition_id in self.spoken:
                self.said_twice.append(transition.transition_id)
            self.spoken[transition.transition_id] = spoken
            self.in_order.append(spoken)
        patient.record, patient.next_check = stepped.record, next_check
        patient.history.append(Expected(row.offset, payload, next_check, patient.reason))

    def _note_merge(self, patient: Patient) -> None:
        if patient.record is None:
            self.met.add("a merge came before any message of the retired number")
        elif patient.next_check is not None and self._medicine.standing(patient.record).open_alerts:
            self.met.add("a merge came while an alert was open and a check pending")

    def _hold_aside(self, row: Arrived, entry: Entry, patient: Patient) -> None:
        patient.reason = "rule-failed"
        if entry.kind is EntryKind.FACTS:
            self.facts["quarantined"] += len(entry.facts)
        self.aside.append(Aside(row.offset, patient.key, patient.reason))
        payload = b""
        if patient.record is not None:
            patient.record = self._medicine.mark_not_monitored(patient.record, row.stamp)
            payload = self._medicine.write_record(patient.record)
        if entry.kind in (EntryKind.TICK, EntryKind.POLICY):
            patient.next_check = None
        patient.history.append(Expected(row.offset, payload, patient.next_check, patient.reason))
