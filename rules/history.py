"""Placing facts into a record's history by clinical time.

A new fact that lies behind everything else is folded onto the ledger as it stands. Any other - late,
corrected, retracted, of the same instant - folds the history anew from the opening balance. Both ways
end in the same ledger; a property test holds that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from rules.course import advance, fold
from rules.holds import HoldRules
from rules.ledger import Ledger
from rules.picture import AnyKept, Person, Result, Stay, Supply, merge_versions
from rules.policy.terms import Policy
from rules.record import (
    Chunk,
    Record,
    Segment,
    fact_digest,
    holds_digest,
    pack_chunk,
    pack_raw,
    read_fact,
    read_ledger,
    segment_of,
    unpack,
    write_fact,
    write_ledger,
)
from schemas.events import FactStatus

_CHUNK = 16
"""Facts a chunk: what lies open is read and written with every entry, so little does."""
_SEGMENT = 2
"""Chunks a segment: the head names every segment, so there are few."""
_MOST_UNENROLLED = 600


@dataclass(slots=True)
class History:
    """The part of a record that placing facts changes; private to one step."""

    key: str
    zone: str
    ledger: Ledger
    opening: bytes
    chunks: tuple[Chunk, ...]
    recent: tuple[msgspec.Raw, ...]
    recent_digests: bytes
    future: tuple[AnyKept, ...]
    segments: tuple[Segment, ...]
    was_refolded: bool = False
    has_replaced: bool = False
    """Some fact of the last placing was another version of one already held."""
    written: dict[str, bytes] = field(default_factory=dict)
    """Segments to be written before the record."""


def open_history(record: Record) -> History:
    """A private copy of a record's history."""
    return History(
        key=record.header.key,
        zone=record.header.zone,
        ledger=msgspec.structs.replace(record.ledger),
        opening=record.opening,
        chunks=record.chunks,
        recent=record.recent,
        recent_digests=record.recent_digests,
        future=record.future,
        segments=record.segments,
    )


def reaches_behind_cut(history: History, facts: Sequence[AnyKept]) -> bool:
    """Whether these facts can only be placed with the segments at hand.

    A fact from before the cut, and a correction of a fact that is not in the head.
    """
    if not history.segments:
        return False
    cut = history.segments[-1].last
    return any(
        fact.at <= cut
        or (fact.status in (FactStatus.CORRECTED, FactStatus.WITHDRAWN) and not is_in_head(history, fact))
        for fact in facts
    )


def is_in_head(history: History, fact: AnyKept) -> bool:
    """Whether some version of this fact is among those since the cut."""
    return are_in_head(history, (fact,))[0]


def are_in_head(history: History, facts: Sequence[AnyKept]) -> list[bool]:
    """For each fact, whether some version of it is among those since the cut."""
    return _are_held(history, facts, [fact_digest(fact.id) for fact in facts])


def _are_held(history: History, facts: Sequence[AnyKept], digests: Sequence[bytes]) -> list[bool]:
    held = b"".join((*(chunk.digests for chunk in history.chunks), history.recent_digests))
    future = {fact.id for fact in history.future}
    return [
        (digest in held and holds_digest(held, digest)) or fact.id in future
        for fact, digest in zip(facts, digests, strict=True)
    ]


def place(
    history: History,
    facts: Sequence[AnyKept],
    at: datetime,
    policy: Policy,
    hold_rules: HoldRules,
    behind: Mapping[str, bytes] | None,
) -> tuple[str, ...]:
    """Place new facts; the answer says for each `applied` or `duplicate`.

    `behind` holds the segments, and is needed where `reaches_behind_cut` said so.
    """
    horizon = at + policy.terms.future_tolerance_minutes.span
    digests = [fact_digest(fact.id) for fact in facts]
    is_known = _are_held(history, facts, digests)
    history.has_replaced = any(is_known)
    if behind is None and not history.has_replaced and _come_in_order(history, facts, horizon):
        _append(history, facts, digests, policy, hold_rules)
        return ("applied",) * len(facts)
    held = _all_facts(history, behind)
    merged = merge_versions(held, facts)
    before = {fact.id: fact for fact in held}
    answer = tuple(
        "duplicate" if before.get(fact.id) is merged[fact.id] or not fact.became(merged[fact.id]) else "applied"
        for fact in facts
    )
    if "applied" in answer:
        refold(history, tuple(merged.values()), at, policy, hold_rules, is_whole=behind is not None)
    return answer


def _come_in_order(history: History, facts: Sequence[AnyKept], horizon: datetime) -> bool:
    """Whether they lie behind everything that is folded, none is to come or withdrawn, and none is there twice."""
    folded_to = history.ledger.folded_to
    for fact in facts:
        at = fact.at
        if at > horizon or (folded_to is not None and at <= folded_to) or fact.status is FactStatus.WITHDRAWN:
            return False
    return len({fact.id for fact in facts}) == len(facts)


def _append(
    history: History, facts: Sequence[AnyKept], digests: Sequence[bytes], policy: Policy, hold_rules: HoldRules
) -> None:
    """Fold facts that lie behind everything else; each comes with the fingerprint of its id."""
    in_order = sorted(zip(facts, digests, strict=True), key=lambda pair: pair[0].order)
    ordered = [fact for fact, _ in in_order]
    _fold_on(history, ordered, policy, hold_rules)
    history.recent = (*history.recent, *map(write_fact, ordered))
    history.recent_digests += b"".join(digest for _, digest in in_order)
    if len(history.recent) >= 2 * _CHUNK:
        _pack_oldest(history)


def _pack_oldest(history: History) -> None:
    """Move the older half of the open facts into a chunk, which never splits an instant."""
    size = _CHUNK
    end = read_fact(history.recent[size - 1]).at
    while size < len(history.recent) and read_fact(history.recent[size]).at == end:
        size += 1
    chunk = pack_raw(history.recent[:size], history.recent_digests)
    history.chunks = (*history.chunks, chunk)
    history.recent = history.recent[size:]
    history.recent_digests = history.recent_digests[len(chunk.digests) :]


def _fold_on(history: History, ordered: Sequence[AnyKept], policy: Policy, hold_rules: HoldRules) -> None:
    group: list[AnyKept] = []
    for fact in ordered:
        if group and (fact.at, type(fact) is Result) != (group[0].at, type(group[0]) is Result):
            advance(history.ledger, tuple(group), policy, hold_rules)
            group = []
        group.append(fact)
    if group:
        advance(history.ledger, tuple(group), policy, hold_rules)


def fold_due(history: History, at: datetime, policy: Policy, hold_rules: HoldRules) -> Sequence[AnyKept]:
    """Fold facts that lay in the future and whose time has come; which these are."""
    due = [fact for fact in history.future if fact.at <= at]
    if not due:
        return due
    history.future = tuple(fact for fact in history.future if fact.at > at)
    place(history, due, at, policy, hold_rules, None)
    return due


def _all_facts(history: History, behind: Mapping[str, bytes] | None) -> list[AnyKept]:
    facts: list[AnyKept] = []
    if behind is not None:
        for segment in history.segments:
            facts.extend(unpack(behind[segment.name]))
    for chunk in history.chunks:
        facts.extend(unpack(chunk.packed))
    facts.extend(read_fact(raw) for raw in history.recent)
    facts.extend(history.future)
    return facts


def all_facts(history: History, behind: Mapping[str, bytes] | None = None) -> tuple[AnyKept, ...]:
    """Every fact of the head (and of the segments at hand), in clinical order."""
    return tuple(sorted(_all_facts(history, behind), key=lambda fact: fact.order))


def refold(
    history: History,
    facts: Sequence[AnyKept],
    at: datetime,
    policy: Policy,
    hold_rules: HoldRules,
    *,
    is_whole: bool,
) -> None:
    """Fold the history anew from these facts (all of the head, or all there are)."""
    horizon = at + policy.terms.future_tolerance_minutes.span
    ordered = sorted(facts, key=lambda fact: fact.order)
    here = [fact for fact in ordered if fact.at <= horizon]
    history.future = tuple(fact for fact in ordered if fact.at > horizon)
    if is_whole:
        history.opening, history.segments = b"", ()
    history.ledger = fold(read_ledger(history.opening, history.zone), here, policy, hold_rules)
    history.was_refolded = True
    _store(history, here)


def _store(history: History, ordered: list[AnyKept]) -> None:
    """Keep facts in clinical order: the newest open, the older in chunks that never split an instant."""
    chunks: list[Chunk] = []
    while len(ordered) >= 2 * _CHUNK:
        size = _CHUNK
        while size < len(ordered) and ordered[size].at == ordered[size - 1].at:
            size += 1
        chunks.append(pack_chunk(tuple(ordered[:size])))
        ordered = ordered[size:]
    history.chunks = tuple(chunks)
    history.recent = tuple(write_fact(fact) for fact in ordered)
    history.recent_digests = b"".join(fact_digest(fact.id) for fact in ordered)


def cut(history: History, at: datetime, policy: Policy, hold_rules: HoldRules) -> None:
    """Move chunks older than the head's reach behind the cut, into the opening balance."""
    oldest = at - policy.terms.keep_head_days.span
    while len(history.chunks) >= _SEGMENT and history.chunks[_SEGMENT - 1].last < oldest:
        facts = tuple(fact for chunk in history.chunks[:_SEGMENT] for fact in unpack(chunk.packed))
        opening = read_ledger(history.opening, history.zone)
        history.opening = write_ledger(fold(opening, facts, policy, hold_rules))
        whole = pack_chunk(facts)
        segment = segment_of(history.key, whole)
        history.segments = (*history.segments, segment)
        history.written[segment.name] = whole.packed
        history.chunks = history.chunks[_SEGMENT:]


def _is_kept_until(fact: AnyKept, oldest: datetime | None) -> bool:
    """Who a person is, is one small fact and is never forgotten; a file may know it from birth."""
    return oldest is None or fact.known >= oldest


def keep_unenrolled(history: History, facts: Sequence[AnyKept], at: datetime, policy: Policy) -> tuple[str, ...]:
    """Keep facts of a person not on lenalidomide, in case there will be treatment; nothing is folded.

    Results, supplies and visits are kept a while after they became known, everything else (conditions, history,
    statements, vaccines) longer; and never more than `_MOST_UNENROLLED`, newest first, so that a backfill of
    decades stays small.
    """
    held = {fact.id: fact for fact in _all_facts(history, None)}
    answer = []
    for fact in facts:
        before = held.get(fact.id)
        is_news = before is None or fact.outranks(before)
        answer.append("applied" if is_news else "duplicate")
        if is_news:
            held[fact.id] = fact
    terms = policy.terms
    short, long = at - terms.keep_unenrolled_days.span, at - terms.keep_history_days.span
    since = {Result: short, Supply: short, Stay: short, Person: None}
    kept = [fact for fact in held.values() if _is_kept_until(fact, since.get(type(fact), long))]
    kept.sort(key=lambda fact: fact.order)
    history.future = tuple(fact for fact in kept if fact.at > at)
    _store(history, [fact for fact in kept if fact.at <= at][-_MOST_UNENROLLED:])
    return tuple(answer)


def keep_waiting(history: History, facts: Sequence[AnyKept], at: datetime) -> tuple[str, ...]:
    """Keep facts while others of the same history are on their way here; nothing is folded, nothing forgotten."""
    held = _all_facts(history, None)
    merged = merge_versions(held, facts)
    before = {fact.id: fact for fact in held}
    _store_unfolded(history, merged.values(), at)
    return tuple("duplicate" if before.get(fact.id) is merged[fact.id] else "applied" for fact in facts)


def take_out(
    history: History,
    origins: AbstractSet[str],
    at: datetime,
    policy: Policy,
    hold_rules: HoldRules,
    behind: Mapping[str, bytes] | None,
    *,
    is_folded: bool,
) -> tuple[AnyKept, ...]:
    """Take the facts that came under these numbers out; all segments must be at hand. What was taken, in order."""
    facts = all_facts(history, behind)
    taken = tuple(fact for fact in facts if (fact.origin or history.key) in origins)
    kept = [fact for fact in facts if (fact.origin or history.key) not in origins]
    if is_folded:
        refold(history, kept, at, policy, hold_rules, is_whole=True)
    else:
        _store_unfolded(history, kept, at)
    return taken


def empty(history: History, behind: Mapping[str, bytes] | None) -> tuple[AnyKept, ...]:
    """Take everything out; all segments must be at hand."""
    facts = all_facts(history, behind)
    history.ledger, history.opening = Ledger(zone=history.zone), b""
    history.chunks, history.recent, history.recent_digests = (), (), b""
    history.future, history.segments = (), ()
    return facts


def _store_unfolded(history: History, facts: Iterable[AnyKept], at: datetime) -> None:
    ordered = sorted(facts, key=lambda fact: fact.order)
    history.future = tuple(fact for fact in ordered if fact.at > at)
    _store(history, [fact for fact in ordered if fact.at <= at])


def as_it_was(
    history: History, until: datetime, policy: Policy, hold_rules: HoldRules, *, issued_by: datetime | None
) -> Ledger:
    """The ledger on all that is known now, as of an earlier clinical time.

    With `issued_by`, only facts that had been issued by then: what an absence looked like to
    someone who had every result the moment it was issued.
    """
    facts = [
        fact
        for fact in all_facts(history)
        if fact.at <= until and (issued_by is None or (fact.issued or fact.at) <= issued_by)
    ]
    return fold(read_ledger(history.opening, history.zone), facts, policy, hold_rules)
