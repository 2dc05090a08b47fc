"""What must hold at every step, whatever is crashed, paused, doubled or slow (reliability.md, C2).

S1 no alert of the oracle is missing; S2 none is there that the oracle does not say, and each says exactly the
same bytes; S7 every record ever kept equals the fold of the log up to the offset it carries; S8 every message
that was taken is in the log or on the rejections; S9 everything offered is counted once; and the order: alert
acknowledged, then state, then commit. `Broken` names the promise.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from rules.history import all_facts, open_history
from schemas.alerts import Cause, TransitionKind
from schemas.events import EntryKind
from streams.monitor import KIND_MOVE, Outcome
from streams.ports import Arrived
from streams.state import POLICY_PREFIX, Recovery, applied_in, is_patient_key, marker_key, read_frame
from streams.topics import partition_of
from streams.translate import HEADER_KIND, KIND_TICK, Translation
from tests.simulation.oracle import Aside, PartitionFold
from tests.simulation.situations import Situations
from tests.simulation.worker import CURRENT, INTAKE, LIFECYCLE, LOG, NAMES, REJECTED, SOURCES, translation_total

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.events import Entry
    from tests.simulation.broker import SimulatedBroker
    from tests.simulation.worker import Process

_CLOSED = frozenset({TransitionKind.RESOLVED, TransitionKind.WITHDRAWN, TransitionKind.SUPERSEDED})


class Broken(AssertionError):
    """A promise was broken; the message says which and where."""


class _Partition:
    """What was seen of one partition."""

    def __init__(self, fold: PartitionFold) -> None:
        self.fold = fold
        self.spoken: set[str] = set()
        self.spoken_upto = 0
        """So many transitions of the oracle, in its order, have all been spoken."""
        self.aside: set[Aside] = set()
        self.aside_upto = 0
        self.highest: dict[str, int] = {}
        self.marker = -1
        self.settled: dict[tuple[str, int], bool] = {}
        self.settled_upto: Counter[str] = Counter()
        self.compactable = 0
        self.handed_upto = 0
        """So many entries for other numbers, in the order of the oracle, are in the log."""
        self.ticked = -1


class Promises:
    """Watches everything the broker keeps; raises `Broken` at the step that breaks a promise."""

    def __init__(
        self,
        folds: list[PartitionFold],
        situations: Situations,
        decode: Callable[[bytes], Entry],
        *,
        only_outcomes: bool = False,
    ) -> None:
        """`folds` go on by themselves as the log grows.

        With `only_outcomes` the order of writes is not looked at, only what comes of it: a planted bug must
        then do harm to be found.
        """
        self._only_outcomes = only_outcomes
        self.broker: SimulatedBroker = None  # type: ignore[assignment]
        self.seen = situations
        self.partitions = [_Partition(fold) for fold in folds]
        self.alert_sequence: dict[str, int] = {}
        self.newest_said: dict[str, tuple[int, bytes | None]] = {}
        self.shown: dict[str, bytes | None] = {}
        self.doubles = 0
        self.transitions = 0
        self.commits = 0
        self.stale_current = 0
        self.owed: dict[bytes, list[tuple[str, int, int]]] = {}
        """Entry bytes that messages must become, with the place of each message."""
        self.entries_left: dict[tuple[str, int, int], Counter[bytes]] = {}
        self.handed_on: set[bytes] = set()
        """Entries between numbers that are in the log."""
        self._decode = decode
        self._appended = {LIFECYCLE: self._said, REJECTED: self._set_aside, CURRENT: self._show, LOG: self._logged}

    # --- the broker's side ---

    def appended(self, topic: str, partition: int, offset: int, record: Arrived) -> None:
        """A record was kept on a topic."""
        look = self._appended.get(topic)
        if look is not None:
            look(partition, record)

    def _reach(self, partition: int, upto: int) -> PartitionFold:
        """The oracle of a partition, at least up to an offset."""
        fold = self.partitions[partition].fold
        if fold.folded < upto:
            fold.fold(self.broker.read((LOG, partition), fold.folded, upto - fold.folded))
        return fold

    def _said(self, partition: int, record: Arrived) -> None:
        watched = self.partitions[partition]
        identity = (record.header("ce_id") or b"").decode()
        spoken = watched.fold.spoken.get(identity)
        if spoken is None:
            spoken = self._reach(partition, self.broker.end((LOG, partition))).spoken.get(identity)
        if spoken is None or spoken.offset >= self.broker.end((LOG, partition)):
            raise Broken(
                f"S2: partition {partition} says {identity}, which the log does not say: {_gist(record.value)}"
            )
        if record.value != spoken.value or record.key != spoken.key.encode():
            raise Broken(f"S2: {identity} is not what the log says: {_gist(record.value)} for {_gist(spoken.value)}")
        if identity in watched.spoken:
            self.doubles += 1
            return
        watched.spoken.add(identity)
        self.transitions += 1
        transition = spoken.transition
        last = self.alert_sequence.get(transition.alert_id, 0)
        if transition.sequence != last + 1:
            raise Broken(f"the sequence of alert {transition.alert_id} goes from {last} to {transition.sequence}")
        self.alert_sequence[transition.alert_id] = transition.sequence
        shown = None if transition.transition in _CLOSED else spoken.value
        self.newest_said[transition.alert_id] = (transition.sequence, shown)
        self._note_transition(spoken.transition.transition, transition.cause, caused_by=transition.caused_by)
        if transition.not_monitored:
            self.seen.add("a transition said that the patient is not monitored")

    def _note_transition(self, kind: TransitionKind, cause: Cause, *, caused_by: str) -> None:
        if kind is TransitionKind.RAISED and caused_by.startswith("due:"):
            self.seen.add("an absence was raised by time alone")
        if kind is TransitionKind.WITHDRAWN:
            self.seen.add("an alert was withdrawn by a later fact")
        if cause is Cause.CORRECTED:
            self.seen.add("a corrected result moved an alert")
        if kind is TransitionKind.SUPERSEDED and cause is Cause.PATIENTS_MERGED:
            self.seen.add("an alert was carried on by the surviving number")
        if cause is Cause.PATIENTS_UNMERGED:
            self.seen.add("an unmerge moved an alert")

    def _set_aside(self, partition: int, record: Arrived) -> None:
        note = orjson.loads(record.value or b"{}")
        place = (note["original_topic"], note["original_partition"], note["original_offset"])
        if place[0] != LOG:
            if place in self.entries_left and b"rejected" not in self.entries_left[place]:
                self.seen.add("a rejection was written twice")
            self._settle(place, b"rejected")
            return
        watched = self.partitions[partition]
        is_quarantine = record.header(HEADER_KIND) == b"quarantine"
        aside = Aside(
            place[2], note["patient_key"] if is_quarantine else "", note["reason"] if is_quarantine else "rejected"
        )
        self._reach(partition, place[2] + 1)
        if aside not in watched.fold.aside:
            raise Broken(f"S9: {aside} was held aside, and the log can be read")
        if aside in watched.aside:
            self.seen.add(
                "a rule failed and its entry came again" if is_quarantine else "an entry nobody can read came again"
            )
        watched.aside.add(aside)

    def _show(self, partition: int, record: Arrived) -> None:
        self.shown[(record.key or b"").decode()] = record.value

    # --- the state ---

    def kept(self, partition: int, key: bytes, value: bytes | None) -> None:
        """A record was kept on the changelog."""
        if value is None or self._only_outcomes:
            return
        watched = self.partitions[partition]
        if key == marker_key(partition):
            applied = applied_in(value)
            assert applied is not None
            self._check_done(partition, applied + 1, "marker")
            watched.marker = max(watched.marker, applied)
        elif is_patient_key(key):
            self._check_record(partition, key.decode(), value)
        elif b"/" in key and not key.startswith(POLICY_PREFIX):
            self.seen.add("a record outgrew its head: a segment was written")

    def _check_record(self, partition: int, key: str, value: bytes) -> None:
        watched = self.partitions[partition]
        frame = read_frame(value)
        fold = self._reach(partition, frame.applied + 1)
        expected = fold.at(key, frame.applied)
        if expected is None:
            raise Broken(f"S7: a record of {key} is kept for offset {frame.applied}, which does not change it")
        got = (frame.payload, frame.next_check, frame.reason)
        if got != (expected.payload, expected.next_check, expected.reason):
            raise Broken(f"S7: the record of {key} at offset {frame.applied} is not the fold of the log")
        self._advance_spoken(watched)
        for spoken in fold.in_order[watched.spoken_upto :]:
            if spoken.offset > frame.applied:
                break
            if spoken.key == key and spoken.transition.transition_id not in watched.spoken:
                raise Broken(f"order: the record of {key} at {frame.applied} is kept before its alert was said")
        for aside in fold.aside:
            if aside.key == key and aside.offset <= frame.applied and aside not in watched.aside:
                raise Broken(f"order: the record of {key} is kept before {aside} was held aside")
        self._advance_handed(watched)
        for handed in fold.handed_on[watched.handed_upto :]:
            if handed.offset > frame.applied:
                break
            if handed.key == key and handed.value not in self.handed_on:
                raise Broken(
                    f"order: the record of {key} at {frame.applied} is kept before what it hands on is in the log"
                )
        highest = watched.highest.get(key, -1)
        if frame.applied < highest:
            self.seen.add("a zombie wrote an older record behind a newer one")
        watched.highest[key] = max(highest, frame.applied)

    def _advance_spoken(self, watched: _Partition) -> None:
        in_order, spoken = watched.fold.in_order, watched.spoken
        while watched.spoken_upto < len(in_order) and in_order[watched.spoken_upto].transition.transition_id in spoken:
            watched.spoken_upto += 1

    def _advance_handed(self, watched: _Partition) -> None:
        handed = watched.fold.handed_on
        while watched.handed_upto < len(handed) and handed[watched.handed_upto].value in self.handed_on:
            watched.handed_upto += 1

    def _check_done(self, partition: int, upto: int, what: str) -> None:
        """Everything below an offset is said, held aside and remembered."""
        watched = self.partitions[partition]
        fold = self._reach(partition, upto)
        self._advance_spoken(watched)
        if watched.spoken_upto < len(fold.in_order) and fold.in_order[watched.spoken_upto].offset < upto:
            missing = fold.in_order[watched.spoken_upto]
            raise Broken(
                f"S1: the {what} stands at {upto} and {_gist(missing.value)} of offset {missing.offset} was not said"
            )
        self._advance_handed(watched)
        if watched.handed_upto < len(fold.handed_on) and fold.handed_on[watched.handed_upto].offset < upto:
            missing_entry = fold.handed_on[watched.handed_upto]
            raise Broken(f"S10: the {what} stands at {upto} and what {missing_entry.key} hands on is not in the log")
        for aside in fold.aside[watched.aside_upto :]:
            if aside.offset >= upto:
                break
            if aside not in watched.aside:
                raise Broken(f"S9: the {what} stands at {upto} and {aside} was not held aside")
            watched.aside_upto += 1
        for key in fold.patients:
            newest = fold.newest(key, upto)
            if newest is not None and watched.highest.get(key, -1) < newest.offset:
                raise Broken(f"S7: the {what} stands at {upto} and the record of {key} at {newest.offset} is not kept")

    def committed(self, topic: str, partition: int, offset: int) -> None:
        """A commit was accepted."""
        self.commits += 1
        if self._only_outcomes:
            return
        if topic == LOG:
            if self.partitions[partition].marker < offset - 1:
                raise Broken(
                    f"order: partition {partition} is committed to {offset}, its state to {self.partitions[partition].marker}"
                )
            self._check_done(partition, offset, "commit")
        else:
            for row in self.broker.read((topic, partition), 0, offset):
                place = (topic, partition, row.offset)
                if self.entries_left.get(place):
                    raise Broken(f"S8: message {place} is committed and not in the log")

    def recovered(self, process: Process, partition: int, end: int) -> None:
        """A process rebuilt a partition: whatever was committed must be in what it has."""
        watched = self.partitions[partition]
        watched.compactable = max(watched.compactable, end)
        if self._only_outcomes:
            return
        committed = self.broker.committed((LOG, partition))
        fold = self._reach(partition, committed)
        for key in fold.patients:
            newest = fold.newest(key, committed)
            raw = process.store.get(partition, key.encode())
            has = -1 if raw is None else applied_in(raw)
            if newest is not None and (has is None or has < newest.offset):
                raise Broken(f"S7: the record of {key} was recovered at {has}, and {newest.offset} is committed past")

    # --- the log, where translate writes it ---

    def sent(self, record: Arrived, values: list[bytes], *, is_rejected: bool) -> None:
        """A message was put into a source topic; `values` are the entries that it must become."""
        place = (record.topic, record.partition, record.offset)
        left = Counter(values)
        if is_rejected:
            left[b"rejected"] += 1
        if left:
            self.entries_left[place] = left
        for value in values:
            self.owed.setdefault(value, []).append(place)

    def _settle(self, place: tuple[str, int, int], value: bytes) -> None:
        left = self.entries_left.get(place)
        if left is not None:
            left.pop(value, None)

    def _handed_on(self, partition: int, record: Arrived) -> None:
        """An entry between two numbers must be one that the log of its sender makes due."""
        value = record.value or b""
        entry = self._decode(value)
        assert entry.carried is not None
        sender = entry.carried.path[-1].key
        number = partition_of(sender.encode(), len(self.partitions))
        # The entry itself may stand in the partition whose fold is asked: nothing is folded beyond what made it due.
        fold = self._reach(number, entry.carried.offset + 1)
        if value not in fold.handed_values:
            raise Broken(
                f"S10: an entry {entry.kind} that {sender} does not say is in the log of partition {partition}"
            )
        if value in self.handed_on:
            self.seen.add("an entry between two numbers was written again")
        self.handed_on.add(value)
        self._note_crossing(entry)

    def _note_crossing(self, entry: Entry) -> None:
        assert entry.carried is not None
        if entry.kind is EntryKind.FORWARDED:
            self.seen.add("a message came for a retired number")
        if entry.kind is EntryKind.FORWARDED and len(entry.carried.path) > 1:
            self.seen.add("a message went over two tombstones")
        if entry.moved is not None and len(entry.carried.path) > 1:
            self.seen.add("a merge met a tombstone")
        if entry.moved is not None and entry.moved.answers is not None:
            self.seen.add("facts went back after an unmerge")

    def _logged(self, partition: int, record: Arrived) -> None:
        if record.header(HEADER_KIND) == KIND_MOVE:
            self._handed_on(partition, record)
            return
        if not self.owed and not self.entries_left:
            return
        value = record.value or b""
        if record.header(HEADER_KIND) == KIND_TICK:
            self._check_watermark(partition, value)
            return
        places = self.owed.get(value)
        if places is None:
            if self._decode(value).kind not in (EntryKind.TICK, EntryKind.POLICY):
                raise Broken(f"S8: an entry that nobody sent is in the log: {value[:80]!r}")
            return
        if all(not self.entries_left.get(place) for place in places):
            self.seen.add("a message was translated twice")
        for place in places:
            self._settle(place, value)

    def _check_watermark(self, partition: int, value: bytes) -> None:
        """What was kept for a patient before a tick stands before it in the log."""
        at = self._decode(value).known_at
        assert at is not None
        for row in self.broker.read((INTAKE, partition), 0, 1_000_000):
            if row.header(HEADER_KIND) == KIND_TICK:
                if row.stamp >= at:
                    return
            elif self.entries_left.get((INTAKE, partition, row.offset)):
                raise Broken(f"watermark: tick {at} of partition {partition} stands before message {row.offset}")

    # --- the bodies' own counts ---

    def judged(self, batch: list[Arrived], outcome: Outcome) -> None:
        """S9: what monitor was given and what it says became of it."""
        if {record.partition for record in batch} != outcome.done:
            return
        entries = []
        for record in batch:
            try:
                entries.append(self._decode(record.value or b""))
            except ValueError:
                entries.append(None)
        for record, entry in zip(batch, entries, strict=True):
            if entry is not None and entry.kind is EntryKind.TICK:
                watched = self.partitions[record.partition]
                if record.offset <= watched.ticked:
                    self.seen.add("a tick that was already heard came again")
                watched.ticked = max(watched.ticked, record.offset)
        policies = sum(1 for entry in entries if entry and entry.kind is EntryKind.POLICY and entry.policy)
        total = outcome.entries + outcome.redelivered + outcome.ticks + outcome.rejected + policies
        if total != len(batch):
            raise Broken(f"S9: {len(batch)} entries were offered and {total} are accounted for")
        offered = sum(len(entry.facts) for entry in entries if entry and entry.kind is EntryKind.FACTS)
        counted = sum(outcome.facts.values())
        if counted > offered or (not outcome.redelivered and not outcome.rejected and counted != offered):
            raise Broken(f"S9: {offered} facts were offered and {counted} are accounted for")

    def translated(self, batch: list[Arrived], outcome: Translation) -> None:
        """S9 for messages."""
        if {(record.topic, record.partition) for record in batch} != outcome.done:
            return
        messages = sum(1 for record in batch if record.header(HEADER_KIND) != KIND_TICK)
        if messages < len(batch) and not outcome.ticks:
            self.seen.add("a tick waited for a slower source")
        if outcome.messages != messages or translation_total(outcome) != messages:
            raise Broken(f"S9: {messages} messages were offered, {translation_total(outcome)} are accounted for")

    # --- at the end ---

    def at_the_end(self, owners: dict[int, Process]) -> None:
        """Everything is read, nothing is running: now the whole must be right."""
        for number, watched in enumerate(self.partitions):
            end = self.broker.end((LOG, number))
            fold = self._reach(number, end)
            for met in fold.met:
                self.seen.add(met)
            missing = fold.spoken.keys() - watched.spoken
            if missing:
                raise Broken(
                    f"S1: never said: {', '.join(_gist(fold.spoken[each].value) for each in sorted(missing)[:3])}"
                )
            if not self._only_outcomes:
                self._check_done(number, end, "end")
            if fold.said_twice:
                raise Broken(f"the medicine gave the id {fold.said_twice[0]} to two transitions")
            if set(fold.aside) != watched.aside:
                raise Broken(f"S9: partition {number} held {watched.aside ^ set(fold.aside)} aside or did not")
            if sum(fold.facts.values()) != fold.facts_offered:
                raise Broken(f"S9: {fold.facts_offered} facts in the log, {dict(fold.facts)} accounted for")
            self._check_final_state(number, fold, owners[number])
        self._check_numbers()
        for place, left in self.entries_left.items():
            if left:
                raise Broken(f"S8: message {place} never came to the log or the rejections")
        for alert, (_, value) in self.newest_said.items():
            if self.shown.get(alert) != value:
                self.stale_current += 1

    def _check_numbers(self) -> None:
        """Nothing is on its way any more, and every fact lies with the number that stands for where it came."""
        records = {
            key: patient.record
            for each in self.partitions
            for key, patient in each.fold.patients.items()
            if patient.record
        }
        if any(aside.key for each in self.partitions for aside in each.fold.aside):
            return  # what is in quarantine was not carried out
        for key, record in records.items():
            kin = record.kin
            if kin.waiting or kin.deferred or kin.arrivals or kin.parts:
                raise Broken(f"S10: {key} still waits for what it asked or was sent")
            if kin.moved_to is not None and (record.register or record.header.next_check):
                raise Broken(f"S10: {key} is retired and still has alerts or a check")
            for fact in all_facts(open_history(record)):
                if _home(records, fact.origin or key) != key:
                    raise Broken(f"S10: a fact of {fact.origin} lies with {key}")

    def _check_final_state(self, number: int, fold: PartitionFold, owner: Process) -> None:
        recovery = Recovery()
        for row in self.broker.changelog[number]:
            if row is not None:
                recovery.read(*row)
        held = {key.decode(): read_frame(raw) for key, raw in recovery.held.items() if is_patient_key(key)}
        expected = {key: patient.history[-1] for key, patient in fold.patients.items() if patient.history}
        if held.keys() != expected.keys():
            raise Broken(
                f"S7: partition {number} has records of {sorted(held.keys() ^ expected.keys())} too many or too few"
            )
        for key, last in expected.items():
            frame = held[key]
            if (frame.applied, frame.payload, frame.next_check, frame.reason) != (
                last.offset,
                last.payload,
                last.next_check,
                last.reason,
            ):
                raise Broken(f"S7: the last record of {key} is not the fold of the log")
            if owner.store.get(number, key.encode()) != recovery.held[key.encode()]:
                raise Broken(f"S7: the owner of partition {number} has another record of {key} than the changelog")
        due = {key.decode(): at for key, at in owner.monitor._held[number].due.items()}
        planned = {key: patient.next_check for key, patient in fold.patients.items() if patient.next_check}
        if due != planned:
            raise Broken(f"the due checks of partition {number} are {due}, not {planned}")
        policies = sum(1 for key in recovery.held if key.startswith(POLICY_PREFIX))
        if policies:
            self.seen.add("a policy changed in the middle of the log")


def _home(records: dict[str, Any], key: str) -> str:
    for _ in range(20):
        record = records.get(key)
        if record is None or record.kin.moved_to is None:
            return key
        key = record.kin.moved_to.key
    raise Broken(f"S10: the tombstones from {key} lead in a circle")


def _gist(value: bytes | None) -> str:
    """A transition in a few words."""
    if not value:
        return "nothing"
    read = orjson.loads(value)
    return " ".join(str(read.get(name)) for name in ("rule", "transition", "sequence", "at", "cause", "alert_id"))


__all__ = ["NAMES", "SOURCES", "Broken", "Promises"]
