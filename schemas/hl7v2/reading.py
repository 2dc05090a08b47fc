"""Bytes of one HL7 v2 message, or of a batch, to facts; never raises on bad data."""

from __future__ import annotations

from typing import Final

from schemas.codes.tables import tables
from schemas.events import PatientsMerged
from schemas.hl7v2 import medicine, observation, person, records
from schemas.hl7v2.batch import split_batch
from schemas.hl7v2.faults import MessageUnreadable
from schemas.hl7v2.feed_map import STANDARD, FeedMap
from schemas.hl7v2.groups import Grouped, Order, group
from schemas.hl7v2.header import Header, events_read, peek
from schemas.hl7v2.identity import choose_number
from schemas.hl7v2.message import Message, parse
from schemas.hl7v2.subject import Subject
from schemas.hl7v2.timing import read_dtm
from schemas.reading.context import ReadingContext
from schemas.reading.entries import Mode, PlacedFact, build_entries, build_merges
from schemas.reading.result import Notes, Reading, name_part
from schemas.rejection import IgnoreReason, RejectionReason

_MOST_FAULTS: Final = 20
"""A list for a person."""


def read_message(raw: bytes, context: ReadingContext, feed_map: FeedMap | None = None, mode: Mode = "live") -> Reading:
    """Read one message, or every message of a batch.

    `feed_map` is the feed's own; without one the standard's reading counts. Whatever `peek` finds a fault with is
    rejected here for the same reason. Live: one entry a patient. With `mode="file"` each entry carries when its
    facts could be known: OBR-22 or OBX-19 where earlier, else MSH-7 (contract part 1).
    """
    feed_map = feed_map or STANDARD
    notes = Notes(context, raw)
    if len(raw) > context.max_bytes:
        notes.reject(RejectionReason.TOO_LARGE, f"larger than {context.max_bytes} bytes")
        return notes.finish(())
    try:
        batch = split_batch(raw)
    except MessageUnreadable as error:
        notes.reject(error.reason, error.detail)
        return notes.finish(())
    for fault in batch.faults:
        notes.reject(fault.reason, fault.text, _named(fault.place))
    if batch.faults:
        return notes.finish(())
    if not batch.messages:
        notes.ignore(IgnoreReason.EMPTY, "a batch without messages")
        return notes.finish(())
    if len(batch.messages) == 1 and not batch.has_envelope:
        return _read_one(batch.messages[0], notes, feed_map, mode)
    return _join(batch.messages, notes, feed_map, mode)


def _join(messages: tuple[bytes, ...], notes: Notes, feed_map: FeedMap, mode: Mode) -> Reading:
    """Each message as if it had come alone: its entries and rejections keep its own name."""
    readings = [_read_one(raw, Notes(notes.context, raw), feed_map, mode) for raw in messages]
    for reading in readings:
        for ignored in reading.ignored:
            for _ in range(ignored.count):
                notes.ignore(ignored.reason, ignored.what)
        notes.unread.update(reading.unread)
    whole = notes.finish(())
    return Reading(
        entries=tuple(entry for reading in readings for entry in reading.entries),
        rejections=tuple(rejection for reading in readings for rejection in reading.rejections),
        ignored=whole.ignored,
        unread=whole.unread,
        merges=tuple(merge for reading in readings for merge in reading.merges),
    )


def _read_one(raw: bytes, notes: Notes, feed_map: FeedMap, mode: Mode) -> Reading:
    try:
        header = peek(raw, feed_map)
    except MessageUnreadable as error:
        notes.reject(error.reason, error.detail)
        return notes.finish(())
    if header.control_id.strip():
        notes.name_message(header.control_id.strip())
    for fault in header.faults[:_MOST_FAULTS]:
        notes.reject(fault.reason, fault.text, _named(fault.place))
    if header.faults:
        return notes.finish(())
    if header.event not in events_read(header.code, feed_map):
        notes.ignore(IgnoreReason.NO_RULE_READS_IT, f"message {name_part(header.code)}^{name_part(header.event)}")
        return notes.finish(())
    message = Message(header=header, notes=notes, feed_map=feed_map, codes=tables())
    if not _read_sent(message) or not parse(raw, message):
        return notes.finish(())
    placed, merges = _read_parts(group(message.segments), message)
    if not (placed or merges or notes.has_told):
        notes.ignore(IgnoreReason.EMPTY, f"message {header.message_type}")
    entries = (*build_entries(placed, notes, mode), *build_merges(merges, notes, mode))
    return notes.finish(entries, merges=tuple(merges))


def _read_sent(message: Message) -> bool:
    """MSH-7; False only where every time of the feed will lack its zone."""
    header = message.header
    reading = read_dtm(header.field(7).split(header.separators.component, 1)[0], message.context)
    if reading.reason is RejectionReason.ZONE_MISSING:
        message.notes.reject(reading.reason, reading.named("MSH-7"), "MSH[1]")
        return False
    if reading.reason is not None:
        message.notes.leave("MSH-7, unreadable")
    message.sent = reading.when
    return True


def _read_parts(grouped: Grouped, message: Message) -> tuple[list[PlacedFact], list[PatientsMerged]]:
    header = message.header
    placed: list[PlacedFact] = []
    merges: list[PatientsMerged] = []
    subjects: list[Subject] = []
    for stray in grouped.strays:
        message.notes.leave(f"{stray.name} before PID")
    for part in grouped.parts:
        number = choose_number(part.pid.sent(message.feed_map.patient.field), header, message.feed_map)
        if number is None:
            part.pid.reject(RejectionReason.NO_PATIENT, "PID has no identifier")
            continue
        subject = Subject(message, message.context.refer(number.authority, number.id), part)
        subjects.append(subject)
        merges.extend(person.read_merges(subject))
        placed.extend(_read_subject(subject, grouped, header))
    if header.code == "ADT" and header.event == "A37":
        merges.extend(_unlinked(subjects))
    return placed, merges


def _unlinked(subjects: list[Subject]) -> list[PatientsMerged]:
    if len(subjects) != 2:
        return []
    survivor, retired = subjects
    message = survivor.message
    source = message.notes.source(retired.part.pid.place)
    return [
        PatientsMerged(
            survivor=survivor.patient, retired=retired.patient, is_undone=True, when=survivor.stand_in, source=source
        )
    ]


def _read_subject(subject: Subject, grouped: Grouped, header: Header) -> list[PlacedFact]:
    part = subject.part
    placed = person.read_person(subject)
    if header.code == "ADT":
        placed += person.read_visit(header.event, grouped.event, subject)
    for record in part.records:
        placed += records.read_record(record, subject)
    placed += observation.read_loose(part.observed, subject)
    for order in part.orders:
        placed += _read_order(order, subject, header)
        placed += observation.read_order(order, subject)
    return placed


def _read_order(order: Order, subject: Subject, header: Header) -> list[PlacedFact]:
    """The medicine of an order, by what kind of message it stands in."""
    match header.code:
        case "RDS":
            return medicine.read_dispense(order, subject)
        case "RAS":
            return medicine.read_given(order, subject)
        case "VXU":
            return records.read_vaccination(order, subject)
        case "RDE" | "OMP" | "ORM":
            if order.rxe is None and order.rxo is None:
                subject.message.notes.ignore(IgnoreReason.NOT_CLINICAL, f"{header.code} without a medicine")
                return []
            is_dispense = f"{header.code}^{header.event}" in subject.message.feed_map.dispenses
            return medicine.read_order(order, subject, is_dispense=is_dispense)
        case _:
            return []


def _named(place: tuple[str, int, int] | None) -> str:
    return f"{place[0]}[{place[1]}]-{place[2]}" if place is not None else ""
