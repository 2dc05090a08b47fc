"""Bytes of a FHIR resource or Bundle (R4; R4B and R5 tolerated) to facts; never raises on bad data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Final

from schemas.events import PatientsMerged
from schemas.fhir import (
    adverse_event,
    allergy_intolerance,
    condition,
    diagnostic_report,
    encounter,
    immunization,
    linking,
    medication_administration,
    medication_dispense,
    medication_request,
    medication_statement,
    observation,
    patient,
    procedure,
)
from schemas.fhir.elements import Body, group_of, groups_of, text_of
from schemas.fhir.patient import identify, resolve_subject
from schemas.fhir.resource import Message, Resource
from schemas.reading.context import ReadingContext
from schemas.reading.entries import Mode, PlacedFact, build_entries, build_merges
from schemas.reading.result import Notes, Reading, name_part
from schemas.reading.strict_json import read_json
from schemas.reading.timing import read_time
from schemas.rejection import RejectionReason

READERS: Final[dict[str, ModuleType]] = {
    "Patient": patient,
    "Observation": observation,
    "DiagnosticReport": diagnostic_report,
    "MedicationDispense": medication_dispense,
    "MedicationAdministration": medication_administration,
    "MedicationRequest": medication_request,
    "MedicationStatement": medication_statement,
    "MedicationUsage": medication_statement,
    "Condition": condition,
    "AdverseEvent": adverse_event,
    "AllergyIntolerance": allergy_intolerance,
    "Procedure": procedure,
    "Immunization": immunization,
    "Encounter": encounter,
}
"""Which module reads which resource; any other is counted as unread."""

_LOOKED_UP: Final = frozenset({"Medication", "Specimen", "Parameters"})
"""Read where another resource refers to them, or for a merge, and no facts by themselves."""
_NOT_COUNTED: Final = frozenset({"resourceType", "id", "meta", "text", "language", "contained", "extension"})
_DATED_BUNDLES: Final = frozenset({"message", "transaction", "batch"})
_DEEPEST_BUNDLE: Final = 4


def read_fhir(raw: bytes, context: ReadingContext, mode: Mode = "live") -> Reading:
    """Read one resource or Bundle.

    Live: one entry a patient. With `mode="file"`: one entry for each instant at which
    something could be known and each report of it, so that a Bundle of a whole course
    becomes the history it tells (contract part 1).
    """
    notes = Notes(context, raw)
    parsed = read_json(raw, context.max_bytes)
    if parsed.reason is not None:
        notes.reject(parsed.reason, parsed.detail)
        return notes.finish(())
    body = parsed.value
    if not isinstance(body, dict) or text_of(body, "resourceType") is None:
        notes.reject(RejectionReason.WRONG_SHAPE, "not a FHIR resource: no resourceType")
        return notes.finish(())
    message = Message(notes=notes, codes=context.codes)
    found = _unpack(body, message)
    _index(found, message)
    placed: list[PlacedFact] = []
    merges: list[PatientsMerged] = []
    for resource_body, position, owner in found:
        placed.extend(_read_one(resource_body, position, owner, message))
        merges.extend(_read_merges(resource_body, position, message))
    entries = (*build_entries(placed, notes, mode), *build_merges(merges, notes, mode))
    return notes.finish(entries, message.patients, tuple(merges))


def _read_merges(body: Body, position: str, message: Message) -> list[PatientsMerged]:
    if body["resourceType"] == "Parameters":
        return linking.read_parameters(body, position, message)
    if body["resourceType"] != "Patient" or "link" not in body or _has_modifier(body) or "implicitRules" in body:
        return []
    who = identify(body, message.context)
    return [] if who is None else linking.read_links(body, who, position, message)


_Found = tuple[Body, str, Body | None]


def _unpack(body: Body, message: Message) -> list[_Found]:
    """Every resource of the message with its place; contained results of a report follow it."""
    named = text_of(body, "id")
    if body["resourceType"] != "Bundle":
        if named is not None:
            message.notes.name_message(f"{body['resourceType']}/{named}")
        return [(body, "", None), *_contained_results(body, "")]
    identifier = text_of(group_of(body, "identifier"), "value")
    if named is not None or identifier is not None:
        message.notes.name_message(f"Bundle/{named or identifier}")
    message.timestamp = _timestamp(body, message)
    message.is_dated = text_of(body, "type") in _DATED_BUNDLES
    found: list[_Found] = []
    _unpack_entries(body, "", message, found, depth=1)
    return found


def _timestamp(body: Body, message: Message) -> datetime | None:
    when = read_time(text_of(body, "timestamp"), message.context).when
    if when is None and "timestamp" in body:
        message.notes.leave("Bundle.timestamp, unreadable")
    return when.latest if when is not None else None


def _unpack_entries(bundle: Body, place: str, message: Message, found: list[_Found], *, depth: int) -> None:
    for index, entry in enumerate(groups_of(bundle, "entry")):
        position = f"{place}entry[{index}]"
        inside = group_of(entry, "resource")
        kind = text_of(inside, "resourceType")
        if kind is None:
            if text_of(group_of(entry, "request"), "method") == "DELETE":
                message.notes.reject(
                    RejectionReason.UNSUPPORTED_TYPE,
                    "a deletion names no patient: send the resource as entered-in-error",
                    position,
                )
            else:
                message.notes.leave("Bundle.entry without a resource")
            continue
        if kind == "Bundle":
            if depth < _DEEPEST_BUNDLE:
                _unpack_entries(inside, f"{position}.", message, found, depth=depth + 1)
            else:
                message.notes.reject(RejectionReason.TOO_DEEP, "Bundles inside Bundles", position)
            continue
        named = text_of(inside, "id")
        for reference in (text_of(entry, "fullUrl"), f"{kind}/{named}" if named else None):
            if reference is not None:
                message.by_reference[reference] = inside
        if named is not None:
            message.by_reference.setdefault(f"urn:uuid:{named}", inside)
        found.append((inside, position, None))
        found.extend(_contained_results(inside, position))


def _contained_results(body: Body, position: str) -> list[_Found]:
    if body.get("resourceType") != "DiagnosticReport":
        return []
    return [
        (inside, f"{position}.contained[{index}]".lstrip("."), body)
        for index, inside in enumerate(groups_of(body, "contained"))
        if inside.get("resourceType") == "Observation"
    ]


def _index(found: list[_Found], message: Message) -> None:
    """Who the patients are, and which results belong together, before anything is read."""
    references: dict[int, list[str]] = {}
    for reference, body in message.by_reference.items():
        references.setdefault(id(body), []).append(reference)
    for body, position, _ in found:
        kind = body["resourceType"]
        if kind == "Patient":
            ref = identify(body, message.context)
            named = text_of(body, "id")
            if ref is not None:
                for reference in (*references.get(id(body), ()), f"Patient/{named}" if named else ""):
                    if reference:
                        message.patients[reference] = ref
        elif kind == "DiagnosticReport":
            diagnostic_report.collect(body, message, position)
    for body, position, _ in found:
        if body["resourceType"] == "Observation" and "hasMember" in body:
            diagnostic_report.collect_panel(body, message, position)


def _read_one(body: Body, position: str, owner: Body | None, message: Message) -> list[PlacedFact]:
    kind = body["resourceType"]
    reader = READERS.get(kind)
    if reader is None:
        if kind not in _LOOKED_UP:
            message.notes.leave(f"resource {name_part(kind)}")
        return []
    place = f"{position} {kind}".strip()
    if "implicitRules" in body or _has_modifier(body):
        message.notes.reject(
            RejectionReason.UNKNOWN_MODIFIER, "a modifier we do not know may change the meaning", place
        )
        return []
    if kind == "Patient":
        who = identify(body, message.context)
        if who is None:
            message.notes.reject(RejectionReason.NO_IDENTITY, "Patient has neither an identifier nor an id", place)
            return []
    else:
        who = resolve_subject(body, owner, message)
        if who is None and owner is not None:
            who = resolve_subject(owner, None, message)
        if who is None:
            message.notes.reject(RejectionReason.NO_PATIENT, f"{kind}: the patient cannot be known", place)
            return []
    _count_unread(body, kind, reader, message.notes)
    resource = Resource(body=body, type=kind, position=position, patient=who, message=message, owner=owner)
    read: Callable[[Resource], list[PlacedFact]] = reader.read
    return read(resource)


def _has_modifier(body: Body) -> bool:
    if "modifierExtension" in body:
        return True
    return any("modifierExtension" in part for name in body if name != "contained" for part in groups_of(body, name))


def _count_unread(body: Body, kind: str, reader: ModuleType, notes: Notes) -> None:
    reads: frozenset[str] = reader.READS
    for name in body:
        if name not in reads and name not in _NOT_COUNTED:
            notes.leave(f"{kind}.{name_part(name.lstrip('_'))}")
    known: frozenset[str] = getattr(reader, "READS_EXTENSIONS", frozenset())
    for extension in groups_of(body, "extension"):
        url = text_of(extension, "url") or "without url"
        if url not in known:
            notes.leave(f"{kind}.extension {name_part(url)}")
    for inside in groups_of(body, "contained"):
        inner = text_of(inside, "resourceType") or "?"
        if (
            inner not in _LOOKED_UP
            and inner != "Patient"
            and not (kind == "DiagnosticReport" and inner == "Observation")
        ):
            notes.leave(f"{kind}.contained {name_part(inner)}")
