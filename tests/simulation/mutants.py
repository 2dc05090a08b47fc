"""Bugs planted on purpose: a harness is worth what it catches.

Each mutant changes one thing in the bodies or around them, in this room only; the product has no switch.
`NONE` changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rules.picture import Result
from rules.record import Record
from schemas.events import Entry
from streams.monitor import Batch, Monitor, Outcome
from streams.ports import Arrived, Heard, Medicine, Put, SteppedLike
from streams.state import Frame, is_newer, read_frame
from streams.translate import HEADER_KIND, KIND_TICK, Translate, Translation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.simulation.worker import Process


class Mutant:
    """What a simulated worker is put together from; a planted bug replaces one part."""

    name: str = "none"
    says: str = "nothing is wrong"
    monitor: type[Monitor] = Monitor
    translate: type[Translate] = Translate
    overwrites_newer: bool = False
    """Whether an acknowledged write is shown to readers although a newer record was recovered meanwhile."""
    claims_gaps: bool = False
    """Whether a local copy claims to follow the changelog up to its own write, whatever others wrote before it."""

    def medicine(self, medicine: Medicine) -> Medicine:
        """The medicine that monitor is given."""
        return medicine

    def wins(self, candidate: bytes, held: bytes | None) -> bool:
        """Which of two records of a key is kept at recovery."""
        return is_newer(candidate, held)

    def order(self, batch: Sequence[Arrived]) -> Sequence[Arrived]:
        """The order in which monitor is given a batch."""
        return batch

    def know(self, monitor: Monitor, process: Process) -> None:
        """For bugs that reach from the body into its shell."""

    def begin(self, monitor: Monitor, batch: Sequence[Arrived]) -> None:
        """For the same."""


NONE: Final = Mutant()


class _StateFirst(Monitor):
    async def write(self, batch: Batch, *, is_last: bool = False) -> None:
        self._drop_lost(batch)
        await self.keep_segments(batch)
        await self.keep_records(batch, with_markers=is_last)
        batch.changed.clear()
        batch.policies.clear()
        batch.segments.clear()
        markers, batch.markers = batch.markers, {}
        await super().write(batch)
        batch.markers = markers


class StateBeforeAlert(Mutant):
    """A crash between the two leaves a record that proves an alert nobody was told."""

    name = "state-before-alert"
    says = "the record is kept before its alert is acknowledged"
    monitor = _StateFirst


class _CommitsEarly(Monitor):
    process: Process
    offered: Sequence[Arrived]

    async def keep_records(self, batch: Batch, *, with_markers: bool) -> None:
        if with_markers and batch.taking and not any(held.is_lost for held in batch.taking.values()):
            done = {(record.topic, record.partition) for record in self.offered}
            self.process._finish(list(self.offered), done)
            self.process._commit()
        await super().keep_records(batch, with_markers=with_markers)


class CommitBeforeState(Mutant):
    """A crash between the two loses the record for good."""

    name = "commit-before-state"
    says = "the offset is committed before the record is acknowledged"
    monitor = _CommitsEarly

    def know(self, monitor: Monitor, process: Process) -> None:
        assert isinstance(monitor, _CommitsEarly)
        monitor.process = process

    def begin(self, monitor: Monitor, batch: Sequence[Arrived]) -> None:
        assert isinstance(monitor, _CommitsEarly)
        monitor.offered = batch


class _MarksSeen(Monitor):
    async def say(self, batch: Batch) -> None:
        marks = [
            Put(partition, b"~seen/" + patient.key, Frame(applied=patient.applied, payload=b"").to_bytes())
            for (partition, _), patient in batch.changed.items()
        ]
        if marks:
            await self._store.put(marks)
        await super().say(batch)

    def _facts(self, batch: Batch, held: Any, record: Arrived, entry: Entry) -> None:
        if entry.patient is not None:
            raw = self._store.get(record.partition, b"~seen/" + entry.patient.key.encode())
            if raw is not None and read_frame(raw).applied >= record.offset:
                batch.outcome.redelivered += 1
                return
        super()._facts(batch, held, record, entry)


class SeenBeforeAlert(Mutant):
    """The classic way to deduplicate: the replay finds the mark, skips, and nobody is ever told."""

    name = "seen-before-alert"
    says = "'event seen' is kept before the alert is acknowledged"
    monitor = _MarksSeen


class LastWriteWins(Mutant):
    """What the engine does: a worker paused past its session brings an older record back."""

    name = "last-write-wins"
    says = "recovery keeps the record that was written last"

    def wins(self, candidate: bytes, held: bytes | None) -> bool:
        return True


class _Proxy:
    """The medicine, with one method changed."""

    def __init__(self, medicine: Medicine) -> None:
        self._medicine = medicine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._medicine, name)


class _Swallows(_Proxy):
    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None
    ) -> SteppedLike:
        try:
            return self._medicine.step(record, entry, heard, policy, history)
        except Exception:
            if record is None:
                raise
            silent = msgspec.structs.replace(record, header=msgspec.structs.replace(record.header, offset=heard.offset))
            return _Silent(silent)


class _Silent:
    """An answer that says nothing."""

    transitions: Sequence[Any] = ()
    outcomes: Sequence[Any] = ()
    segments: Mapping[str, bytes] | None = None
    needs: Sequence[str] = ()
    sends: Sequence[Any] = ()
    refused: str | None = None

    def __init__(self, record: Any) -> None:
        self.record = record


class SwallowedRuleError(Mutant):
    """A rule that fails looks like a rule that found nothing."""

    name = "swallowed-rule-error"
    says = "an exception of a rule is caught and forgotten"

    def medicine(self, medicine: Medicine) -> Medicine:
        return _Swallows(medicine)  # type: ignore[return-value]


class _TicksFirst(Monitor):
    def _check_place(self, held: Any, record: Arrived) -> None:
        """Takes any order."""

    async def take(self, arrived: Sequence[Arrived]) -> Outcome:
        return await super().take(sorted(arrived, key=lambda record: record.key != b"~tick"))


class TickBeforeEntries(Mutant):
    """An absence is raised although the result stands in the same batch."""

    name = "tick-before-entries"
    says = "monitor handles the ticks of a batch before its older entries"
    monitor = _TicksFirst


class _PassesTicksFirst(Translate):
    async def take(self, arrived: Sequence[Arrived]) -> Translation:
        ticks = [record for record in arrived if record.header(HEADER_KIND) == KIND_TICK]
        rest = [record for record in arrived if record.header(HEADER_KIND) != KIND_TICK]
        early = await super().take(ticks)
        late = await super().take(rest)
        late.ticks += early.ticks
        late.done |= early.done
        return late


class TickPassedEarly(Mutant):
    """The watermark in the log says more than is true."""

    name = "tick-passed-early"
    says = "translate passes a tick on before the messages that stand before it"
    translate = _PassesTicksFirst


class _ForgetsTimers(Monitor):
    def assigned(self, partition: int, begins_at: int | None = None) -> None:
        super().assigned(partition, begins_at)
        held = self._held[partition]
        held.due.clear()
        held.heap.clear()


class TimerLostAtRebalance(Mutant):
    """A test that never comes is never missed."""

    name = "timer-lost-at-rebalance"
    says = "due checks are not rebuilt when a partition is taken over"
    monitor = _ForgetsTimers


class _Floats(_Proxy):
    def read_record(self, raw: bytes) -> Any:
        record: Record = self._medicine.read_record(raw)
        newest = {
            name: msgspec.structs.replace(result, value=_through_float(result))
            for name, result in record.ledger.newest.items()
        }
        ledger = msgspec.structs.replace(record.ledger, newest=newest)
        return msgspec.structs.replace(record, ledger=ledger)


def _through_float(result: Result) -> Decimal | None:
    return None if result.value is None else Decimal(float(result.value) / 1000.0) * 1000


class CounterAsFloat(Mutant):
    """A count at the threshold falls to one side or the other by the way it is stored."""

    name = "counter-as-float"
    says = "counts are kept as floats"

    def medicine(self, medicine: Medicine) -> Medicine:
        return _Floats(medicine)  # type: ignore[return-value]


class _SendsAndForgets(Monitor):
    async def say(self, batch: Batch) -> None:
        try:
            await super().say(batch)
        except RuntimeError:
            return


class AlertNotAwaited(Mutant):
    """What the engine's own `send` does: a failed one is logged."""

    name = "alert-not-awaited"
    says = "an alert that was not acknowledged is only logged"
    monitor = _SendsAndForgets


class _SkipsByMarker(Monitor):
    async def _judge(self, batch: Batch, held: Any, record: Arrived) -> None:
        if held.marker is None or record.offset > held.marker:
            await super()._judge(batch, held, record)
        else:
            batch.outcome.redelivered += 1


class _MarksFirst(_SkipsByMarker):
    async def say(self, batch: Batch) -> None:
        if batch.markers:
            await self.keep_records(Batch(markers=batch.markers), with_markers=True)
        await super().say(batch)


class MarkerFirst(Mutant):
    """The marker claims what is not kept yet."""

    name = "marker-first"
    says = "the marker is kept before the records and trusted at recovery"
    monitor = _MarksFirst


class _ForgetsPolicies(Monitor):
    def assigned(self, partition: int, begins_at: int | None = None) -> None:
        super().assigned(partition, begins_at)
        self._held[partition].policies.clear()


class PolicyForgotten(Mutant):
    """The new owner judges by the default again."""

    name = "policy-forgotten"
    says = "the policy in force is not recovered"
    monitor = _ForgetsPolicies


class _Forgetful(_Proxy):
    def mark_not_monitored(self, record: Any, since: datetime) -> Any:
        return record


class QuarantineForgotten(Mutant):
    """The patient looks fine again after the next entry."""

    name = "quarantine-unmarked"
    says = "a patient whose entry is in quarantine is not marked"

    def medicine(self, medicine: Medicine) -> Medicine:
        return _Forgetful(medicine)  # type: ignore[return-value]


class ShelfClaimsGap(Mutant):
    """A warm start begins behind records that were never read."""

    name = "shelf-claims-gap"
    says = "the local copy claims the changelog up to its own write, over what somebody else wrote between"
    claims_gaps = True


class ShelfOverwrites(Mutant):
    """What was recovered is replaced by what was under way before."""

    name = "shelf-overwrites"
    says = "an older record that is acknowledged late replaces a newer one in the local copy"
    overwrites_newer = True


class _TombstoneFirst(Monitor):
    async def hand_on(self, batch: Batch) -> None:
        """Later."""

    async def keep_records(self, batch: Batch, *, with_markers: bool) -> None:
        await super().keep_records(batch, with_markers=with_markers)
        await super().hand_on(batch)


class TombstoneBeforeFacts(Mutant):
    """A crash between the two loses all that was known of a patient."""

    name = "tombstone-before-facts"
    says = "the tombstone of a retired number is kept before its facts are acknowledged on the log"
    monitor = _TombstoneFirst


class _HearsTwice(_Proxy):
    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None
    ) -> SteppedLike:
        if record is not None and record.kin.heard:
            record = msgspec.structs.replace(record, kin=msgspec.structs.replace(record.kin, heard={}))
        return self._medicine.step(record, entry, heard, policy, history)


class MoveHeardTwice(Mutant):
    """What was written again after a crash brings a patient's facts back to where they do not belong any more."""

    name = "move-heard-twice"
    says = "an entry from one number to another that comes again is carried out again"

    def medicine(self, medicine: Medicine) -> Medicine:
        return _HearsTwice(medicine)  # type: ignore[return-value]


REQUIRED: Final[tuple[Mutant, ...]] = (
    StateBeforeAlert(),
    CommitBeforeState(),
    SeenBeforeAlert(),
    LastWriteWins(),
    SwallowedRuleError(),
    TickBeforeEntries(),
    TimerLostAtRebalance(),
    CounterAsFloat(),
)
"""The eight that every release must catch."""

MUTANTS: Final[dict[str, Mutant]] = {
    mutant.name: mutant
    for mutant in (
        *REQUIRED,
        TickPassedEarly(),
        AlertNotAwaited(),
        MarkerFirst(),
        PolicyForgotten(),
        QuarantineForgotten(),
        ShelfClaimsGap(),
        ShelfOverwrites(),
        TombstoneBeforeFacts(),
        MoveHeardTwice(),
    )
}
