"""How the numbers of one patient hand facts to each other: merge, unmerge, and all that comes later.

Every number has a record of its own. A merge leaves a tombstone in the retired number's record (`moved_to`) and
sends its facts and open alerts to the surviving one; what comes for a retired number is sent on along the
tombstones. An unmerge takes the tombstone away and asks for the facts back by the number they came under; until
they are there the number keeps what it hears and asks no rule. Nothing is sent here: `Moves.sends` says what is
to be sent, and the step stays pure.

What makes it safe to say anything twice: entries from one number to another come in the order in which they were
first said, each with the place in the log that made its sender say it, and one that is not above the last heard
of its sender is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final, Protocol

from rules.cargo import arriving, departing, pack_cargo, unpack_cargo
from rules.picture import AnyKept
from rules.record import Alert, Arrival, Asked, Deferred, Kinship, Member, Part, RecordDamaged, Ref, Segment
from schemas.alerts import Cause
from schemas.events import Entry, EntryKind
from schemas.events.merge import PatientsMerged
from schemas.events.moving import Carried, CarriedOn, MoveAcknowledged, Moved, ReturnAsked
from schemas.values import PatientRef

PART_FACTS = 250
"""Facts of one entry of a move: some 20 kB; a year of a patient is about one part."""
_MOST_HOPS: Final = 8

BETWEEN_NUMBERS: Final = frozenset(
    (
        EntryKind.MERGE,
        EntryKind.UNMERGE,
        EntryKind.FORWARDED,
        EntryKind.MOVED,
        EntryKind.RETURN_ASKED,
        EntryKind.MOVE_ACKNOWLEDGED,
    )
)
"""Kinds of entry that are about which number a patient goes by."""


class SentInCircles(RuntimeError):
    """An entry was sent on more often than any honest chain of merges is long."""


class Bedside(Protocol):
    """The part of a step that is medicine."""

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The register."""

    def put(self, facts: Sequence[AnyKept], *, is_paused: bool) -> None:
        """Place facts; rules are asked by `settle`, and never while it is paused."""

    def give(self, origins: AbstractSet[str]) -> tuple[AnyKept, ...]:
        """Take the facts that came under these numbers out of the history."""

    def clear(self) -> tuple[AnyKept, ...]:
        """Take everything out of the history and end the watch; the register stays as it is."""

    def settle(self, cause: Cause, predecessors: Sequence[Alert]) -> tuple[tuple[Alert, ...], tuple[CarriedOn, ...]]:
        """Ask every rule. The alerts that closed, and what became of each predecessor."""

    def close(self, cause: Cause, alerts: Sequence[CarriedOn]) -> None:
        """Close these alerts of the register."""

    def hear(self) -> None:
        """Take the facts of a message that was sent on to this number."""

    def send_on(self) -> None:
        """Count the facts of a message that is sent on to another number."""

    def note(self, not_monitored_since: datetime | None) -> None:
        """An entry of a number whose facts come here is in quarantine."""


class Moves:
    """One step's worth of it for one number; private to the step."""

    def __init__(self, kin: Kinship, me: PatientRef, entry: Entry, offset: int, clock: datetime, zone: str) -> None:
        """`offset` is the place of the entry in the log."""
        self.me = Ref(me.key, me.authority, me.id)
        self.moved_to = kin.moved_to
        self.move = kin.move
        self.members = dict(kin.members)
        self.waiting = list(kin.waiting)
        self.heard = kin.heard
        self.parts = list(kin.parts)
        self.arrivals = list(kin.arrivals)
        self.deferred = list(kin.deferred)
        self.entry = entry
        self.sends: list[Entry] = []
        self.laid_by: dict[str, bytes] = {}
        """Parts of a move to be kept until the others are here."""
        self.refused: str | None = None
        self.live_from: datetime | None = None
        self.not_monitored_since: datetime | None = None
        self._offset = offset
        self._clock = clock
        self._zone = zone
        self._made = 0
        self._must_settle = False
        self._returns: list[tuple[Ref, str, tuple[Ref, ...], tuple[AnyKept, ...]]] = []

    def kin(self) -> Kinship:
        """What is to be remembered."""
        return Kinship(
            moved_to=self.moved_to,
            move=self.move,
            members=dict(sorted(self.members.items())),
            waiting=tuple(self.waiting),
            heard=self.heard,
            parts=tuple(self.parts),
            arrivals=tuple(self.arrivals),
            deferred=tuple(self.deferred),
        )

    # --- what must be at hand ---

    def needs(self, segments: Iterable[Segment]) -> tuple[str, ...]:
        """Names of what was laid by, or lies behind the cut, and is wanted for this entry."""
        entry = self.entry
        if self._is_repeat():
            return ()
        behind = tuple(segment.name for segment in segments) if self.moved_to is None else ()
        if entry.kind in (EntryKind.MERGE, EntryKind.RETURN_ASKED):
            return behind
        if entry.moved is not None and self._is_last_part(entry.moved):
            return (*(part.name for part in self.parts if part.move == entry.moved.id), *behind)
        return ()

    def _is_repeat(self) -> bool:
        carried = self.entry.carried
        if carried is None:
            return False
        last = self.heard.get(carried.path[-1].key)
        return last is not None and (carried.offset, carried.index) <= last

    def _is_last_part(self, moved: Moved) -> bool:
        return 1 + sum(part.move == moved.id for part in self.parts) == moved.parts

    # --- the entry ---

    def hear(self, step: Bedside, behind: Mapping[str, bytes]) -> None:
        """Do what the entry asks for."""
        entry = self.entry
        if self._is_repeat():
            return
        if entry.carried is not None:
            self.heard = {**self.heard, entry.carried.path[-1].key: (entry.carried.offset, entry.carried.index)}
        match entry.kind:
            case EntryKind.FACTS | EntryKind.FORWARDED:
                self._facts(step)
            case EntryKind.MERGE:
                self._merge(step)
            case EntryKind.UNMERGE:
                self._unmerge()
            case EntryKind.MOVED:
                self._moved(step, behind)
            case EntryKind.RETURN_ASKED:
                assert entry.asked is not None
                self._asked(step, Deferred(self._path(), entry.asked.id, entry.asked.origins))
            case EntryKind.MOVE_ACKNOWLEDGED:
                assert entry.acknowledged is not None
                if entry.acknowledged.id == self.move:
                    step.close(Cause.PATIENTS_MERGED, entry.acknowledged.alerts)
            case _:
                return
        self._go_on(step)

    def _path(self) -> tuple[Ref, ...]:
        carried = self.entry.carried
        return tuple(Ref(each.key, each.authority, each.id) for each in carried.path) if carried is not None else ()

    def _facts(self, step: Bedside) -> None:
        entry, path = self.entry, self._path()
        to = self.moved_to
        if to is None and path and path[0].key not in (self.me.key, *self.members):
            if self._came_round(path):
                to = path[0]  # it came round, and is no part of this number any more
            else:
                self._join(path[:1])
        if to is None:
            step.hear()
            return
        if entry.kind is EntryKind.FACTS:
            step.send_on()
        self._send(EntryKind.FORWARDED, to, path, facts=entry.facts, feed=entry.feed, live_from=entry.live_from)

    # --- merge and unmerge ---

    def _merge(self, step: Bedside) -> None:
        assert self.entry.merge is not None
        survivor = self.entry.merge.survivor
        to = Ref(survivor.key, survivor.authority, survivor.id)
        if to.key == self.me.key:
            self.refused = "a number cannot be merged with itself"
        elif to.key in self.members:
            self.refused = "the surviving number was itself merged into this one: take that merge back first"
        elif self.moved_to is not None:
            if self.moved_to.key != to.key:
                self.refused = "the number is merged into another one already: take that merge back first"
        else:
            self._hand_over(step, to)

    def _hand_over(self, step: Bedside, to: Ref) -> None:
        """Facts and open alerts go to the survivor; what this number still owes to others goes with them."""
        register, facts = step.open_alerts, step.clear()
        returned = [alert for arrival in self.arrivals if arrival.is_return for alert in arrival.alerts]
        self.moved_to, self.move = to, self._new_id()
        numbers = (self.me, *(member.ref for _, member in sorted(self.members.items())))
        self._send_move(to, self.move, facts, (*register, *returned), numbers=numbers, joins=True)
        for arrival in self.arrivals:
            if not arrival.is_return:
                self._send_cargo(to, (arrival.sender,), Moved(id=arrival.move, cargo=pack_cargo((), arrival.alerts)))
        self.arrivals.clear()

    def _unmerge(self) -> None:
        assert self.entry.merge is not None
        other = self.entry.merge.survivor
        if self.moved_to is not None and self.moved_to.key == other.key:
            self._stand_alone(self.members.keys())
        elif other.key in self.members and self.entry.carried is None:
            # It names the two the other way round: which of them is the retired one is known here alone.
            merge = PatientsMerged(
                survivor=self.me.patient, retired=other, is_undone=True, source=self.entry.merge.source
            )
            self._send(EntryKind.UNMERGE, Ref(other.key, other.authority, other.id), (), merge=merge)
        else:
            self.refused = "the two numbers are not merged with each other"

    def _stand_alone(self, comes_back: AbstractSet[str]) -> None:
        """The tombstone is taken away, and what went over it asked for; `comes_back` is what surely did."""
        former = self.moved_to
        assert former is not None
        self.moved_to, self.move = None, ""
        asked = ReturnAsked(id=self._new_id(), origins=(self.me.key, *sorted(self.members)))
        self.waiting.append(Asked(asked.id, (self.me.key, *sorted(comes_back))))
        self._send(EntryKind.RETURN_ASKED, former, (), asked=asked)

    # --- facts on their way ---

    def _moved(self, step: Bedside, behind: Mapping[str, bytes]) -> None:
        moved, path = self.entry.moved, self._path()
        assert moved is not None
        if not self._is_last_part(moved):
            name = f"{self.me.key}/moved/{moved.id.replace('/', '-')}-{moved.part}"
            if all(part.name != name for part in self.parts):
                self.parts.append(Part(moved.id, moved.part, name))
                self.laid_by[name] = moved.to_json()
            return
        pieces = self._pieces(moved, behind)
        self.waiting = [asked for asked in self.waiting if asked.id != moved.answers]
        is_own = path[0].key == self.me.key
        if is_own and self.moved_to is not None and moved.id == self.move:
            # It came back along the tombstones: merges that contradict each other were made at the same time.
            self.refused = "merges that lead in a circle were made at the same time: this one does not count"
            self._stand_alone({key for key, member in self.members.items() if set(member.via) - {path[-1].key}})
        numbers = tuple(Ref(each.key, each.authority, each.id) for each in moved.numbers)
        if moved.joins and not self._came_round(path):
            self._join(numbers)
        if self.moved_to is not None:
            for piece in pieces:
                self._send_cargo(self.moved_to, path, piece.model_copy(update={"answers": None}))
            return
        cargoes = [unpack_cargo(piece.cargo) for piece in pieces]
        facts = tuple(arriving(fact, self.me.key) for cargo in cargoes for fact in cargo.facts)
        self._send_strays(facts, numbers, path)
        step.note(moved.not_monitored_since)
        mine = tuple(fact for fact in facts if fact.origin is None or fact.origin in self.members)
        step.put(mine, is_paused=bool(self.waiting))
        self._must_settle = True
        if not is_own:
            alerts = tuple(alert for cargo in cargoes for alert in cargo.alerts)
            self.arrivals.append(Arrival(moved.id, path[0], alerts, moved.answers is not None))

    def _send_strays(self, facts: Sequence[AnyKept], numbers: Sequence[Ref], path: tuple[Ref, ...]) -> None:
        """Facts of a number that stood alone again meanwhile go to that number, which knows where they belong."""
        for ref in numbers:
            if ref.key != self.me.key and ref.key not in self.members:
                strays = [fact for fact in facts if fact.origin == ref.key]
                if strays:
                    self._send_move(ref, self._new_id(), strays, (), numbers=(ref,), path=path)

    def _pieces(self, moved: Moved, behind: Mapping[str, bytes]) -> list[Moved]:
        """All parts of a move, in order; what was laid by is laid by no more."""
        mine = [part for part in self.parts if part.move == moved.id]
        self.parts = [part for part in self.parts if part.move != moved.id]
        try:
            pieces = [Moved.model_validate_json(behind[part.name]) for part in mine]
        except ValueError as error:
            raise RecordDamaged("a part of a move that was laid by cannot be read") from error
        return sorted((*pieces, moved), key=lambda piece: piece.part)

    def _came_round(self, path: tuple[Ref, ...]) -> bool:
        """Whether it was somewhere twice: what such a way says of who belongs to whom is out of date."""
        return len({self.me.key, *(each.key for each in path)}) <= len(path)

    def _join(self, numbers: Iterable[Ref]) -> None:
        """These numbers are part of this one."""
        via = self._path()[-1].key
        again = {ref.key for ref in numbers}
        # What asked to leave by this way, and was made to wait, has come back by it.
        self.deferred = [
            Deferred(each.path, each.id, tuple(key for key in each.origins if key not in again))
            if each.path[-1].key == via
            else each
            for each in self.deferred
        ]
        for ref in numbers:
            if ref.key != self.me.key:
                held = self.members.get(ref.key)
                ways = {via, *(held.via if held is not None else ())}
                self.members[ref.key] = Member(ref, tuple(sorted(ways)))

    def _asked(self, step: Bedside, asked: Deferred) -> None:
        asker = asked.path[0]
        if asker.key == self.me.key:
            # Our own question came round: nobody else holds anything of ours.
            self.waiting = [own for own in self.waiting if own.id != asked.id]
            if self.moved_to is None:
                step.put((), is_paused=bool(self.waiting))
                self._must_settle = True
            return
        # Whoever asks can have no more than what it sent here itself.
        via = asked.path[-1].key
        leaving = {key: each for key in asked.origins if (each := self.members.get(key)) and via in each.via}
        if self.me.key < asker.key and any(not leaving.keys().isdisjoint(own.origins) for own in self.waiting):
            # Some of it may be on its way here: what is given now would not be the whole. (Never both of two
            # wait for each other: where the order of the keys forbids to wait, the rest follows as strays.)
            self.deferred.append(asked)
            return
        for key, member in list(leaving.items()):
            ways = tuple(way for way in member.via if way != via)
            if ways:
                del leaving[key]
                self.members[key] = Member(member.ref, ways)
            else:
                del self.members[key]
        if self.moved_to is not None:
            on = ReturnAsked(id=asked.id, origins=tuple(leaving))
            self._send(EntryKind.RETURN_ASKED, self.moved_to, asked.path, asked=on)
            return
        numbers = tuple(member.ref for member in leaving.values())
        self._returns.append((asker, asked.id, numbers, step.give(leaving.keys())))

    def _go_on(self, step: Bedside) -> None:
        """Requests that need not wait any more; then the rules, if the history is whole; then the answers."""
        deferred, self.deferred = self.deferred, []
        for asked in deferred:
            self._asked(step, asked)
        closed: tuple[Alert, ...] = ()
        if self.moved_to is None and not self.waiting and (self._must_settle or self._returns or self.arrivals):
            has_merged = any(not arrival.is_return for arrival in self.arrivals)
            cause = Cause.PATIENTS_MERGED if has_merged else Cause.PATIENTS_UNMERGED
            predecessors = [alert for arrival in self.arrivals for alert in arrival.alerts]
            closed, became = step.settle(cause, predecessors)
            for arrival in self.arrivals:
                if not arrival.is_return:
                    ids = {alert.alert_id for alert in arrival.alerts}
                    told = MoveAcknowledged(id=arrival.move, alerts=tuple(e for e in became if e.alert_id in ids))
                    self._send(EntryKind.MOVE_ACKNOWLEDGED, arrival.sender, (), acknowledged=told)
            self.arrivals.clear()
        for to, answers, numbers, facts in self._returns:
            self._send_move(to, self._new_id(), facts, closed, numbers=numbers, answers=answers)

    # --- what is to be sent ---

    def _new_id(self) -> str:
        self._made += 1
        return f"{self.me.key}/{self._offset}/{self._made}"

    def _send_move(
        self,
        to: Ref,
        move: str,
        facts: Sequence[AnyKept],
        alerts: Sequence[Alert],
        *,
        numbers: tuple[Ref, ...],
        joins: bool = False,
        answers: str | None = None,
        path: tuple[Ref, ...] = (),
    ) -> None:
        leaving = [departing(fact, self.me.key) for fact in facts]
        pieces = [tuple(leaving[at : at + PART_FACTS]) for at in range(0, len(leaving), PART_FACTS)] or [()]
        for part, piece in enumerate(pieces, start=1):
            moved = Moved(
                id=move,
                numbers=tuple(ref.patient for ref in numbers),
                joins=joins,
                part=part,
                parts=len(pieces),
                facts=len(piece),
                cargo=pack_cargo(piece, tuple(alerts) if part == 1 else ()),
                answers=answers,
                not_monitored_since=self.not_monitored_since,
            )
            self._send_cargo(to, path, moved)

    def _send_cargo(self, to: Ref, path: tuple[Ref, ...], moved: Moved) -> None:
        self._send(EntryKind.MOVED, to, path, moved=moved)

    def _send(self, kind: EntryKind, to: Ref, path: tuple[Ref, ...], **content: Any) -> None:
        """An entry for another number; with a path it is one that is sent on."""
        if len(path) >= _MOST_HOPS:
            raise SentInCircles(f"sent on {len(path)} times")
        carried = Carried(
            path=(*(each.patient for each in path), self.me.patient), offset=self._offset, index=len(self.sends)
        )
        content.setdefault("live_from", self.live_from)
        self.sends.append(
            Entry(
                kind=kind,
                event_id=self.entry.event_id,
                patient=to.patient,
                zone=self._zone,
                known_at=self._clock,
                carried=carried,
                **content,
            )
        )


__all__ = ["BETWEEN_NUMBERS", "PART_FACTS", "Bedside", "Moves", "SentInCircles"]
