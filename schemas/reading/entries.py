"""Facts to entries: one a message and patient on a live feed, one an instant and report in a file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from schemas.events import Entry, EntryKind, Fact, PatientsMerged
from schemas.reading.result import Notes
from schemas.rejection import RejectionReason
from schemas.values import PatientRef

Mode = Literal["live", "file"]

_NEVER = datetime.max.replace(tzinfo=UTC)


class PlacedFact(NamedTuple):
    """A fact with its patient, when it could be known, and the report it belongs to."""

    patient: PatientRef
    fact: Fact
    known_at: datetime | None = None
    is_assumed: bool = False
    """The clinical time stands in for the moment of knowledge."""
    report: str | None = None
    follows_others: bool = False
    """Says nothing about its own time (a Patient without `meta.lastUpdated`): known with the patient's first facts."""


def build_entries(placed: Iterable[PlacedFact], notes: Notes, mode: Mode) -> tuple[Entry, ...]:
    """Group the facts of one message; ids are derived from content and place."""
    by_patient: dict[str, list[PlacedFact]] = {}
    for item in placed:
        by_patient.setdefault(item.patient.key, []).append(item)
    entries: list[Entry] = []
    for items in by_patient.values():
        groups = _by_instant(items) if mode == "file" else [(None, False, items)]
        for known_at, is_assumed, group in groups:
            entries.append(_build_entry(group, notes, len(entries), known_at, is_assumed=is_assumed))
    # Stable: of one instant, the order within the message stays.
    return tuple(sorted(entries, key=lambda entry: entry.known_at or _NEVER)) if mode == "file" else tuple(entries)


def build_merges(merges: Iterable[PatientsMerged], notes: Notes, mode: Mode) -> tuple[Entry, ...]:
    """One entry a merge or unmerge, keyed by the retired number; a number with itself is refused."""
    entries: dict[tuple[str, str, bool], Entry] = {}
    for merge in merges:
        if merge.retired.key == merge.survivor.key:
            notes.reject(RejectionReason.MERGE_REFUSED, "a number is not merged with itself", merge.source.position)
            continue
        when = merge.when.latest if merge.when is not None else None
        entries.setdefault(
            (merge.retired.key, merge.survivor.key, merge.is_undone),
            Entry(
                kind=EntryKind.UNMERGE if merge.is_undone else EntryKind.MERGE,
                event_id=notes.event_id(f"merge {len(entries)}"),
                patient=merge.retired,
                feed=notes.context.feed,
                zone=notes.context.zone_name,
                live_from=notes.context.live_from,
                known_at=when if mode == "file" else None,
                merge=merge,
            ),
        )
    return tuple(entries.values())


def _by_instant(items: list[PlacedFact]) -> list[tuple[datetime | None, bool, list[PlacedFact]]]:
    known = [item.known_at for item in items if item.known_at is not None and not item.follows_others]
    first = min(known, default=None)
    groups: dict[tuple[datetime | None, str | None], list[PlacedFact]] = {}
    for item in items:
        at = (first or item.known_at) if item.follows_others else item.known_at
        groups.setdefault((at, item.report), []).append(item)
    # Who the patient is comes before what happened at the same instant.
    return sorted(
        ((at, all(item.is_assumed for item in group), group) for (at, _), group in groups.items()),
        key=lambda found: (found[0] or _NEVER, not any(item.follows_others for item in found[2])),
    )


def _build_entry(
    items: list[PlacedFact], notes: Notes, position: int, known_at: datetime | None, *, is_assumed: bool
) -> Entry:
    context = notes.context
    return Entry(
        event_id=notes.event_id(str(position)),
        patient=items[0].patient,
        feed=context.feed,
        zone=context.zone_name,
        live_from=context.live_from,
        known_at=known_at,
        known_at_assumed=is_assumed,
        facts=tuple(item.fact for item in items),
    )
