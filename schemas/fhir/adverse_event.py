"""AdverseEvent: with the CTCAE grade a clinician gave it."""

from __future__ import annotations

from typing import Final

from schemas.events import AdverseEventRecorded, FactStatus
from schemas.fhir.elements import codings_in, group_of, groups_of, text_of
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding

GRADE_EXTENSION: Final = "http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade"
GRADE_SYSTEM: Final = "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"
"""Draft guide for CTCAE adverse events: grades 0 to 5 as codes."""

ROWS: Final = (
    Row("what", ("event (R4)", "code (R5)"), "fact.codes"),
    Row("CTCAE grade", ("severity", "extension (ctcae-grade)"), "fact.grade"),
    Row(
        "when it began",
        ("date (R4)", "occurrenceDateTime (R5)", "occurrencePeriod (R5)", "detected"),
        "fact.began_at",
    ),
    Row("when it was recorded", ("recordedDate",), "recorded_at"),
    Row("medicines thought to have caused it", ("suspectEntity", "contained"), "fact.related_to"),
    Row("really happened", ("actuality", "status (R5)"), "status"),
    Row("who", ("subject",), "patient"),
)
READS: Final = elements_of(ROWS)
READS_EXTENSIONS: Final = frozenset({GRADE_EXTENSION})
STATUS: Final[StatusMap] = {
    "in-progress": FactStatus.FINAL,
    "completed": FactStatus.FINAL,
    "unknown": FactStatus.PRELIMINARY,
    "on-hold": FactStatus.PRELIMINARY,
    "entered-in-error": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One event that happened; a potential one is not one."""
    body = resource.body
    if text_of(body, "actuality") == "potential":
        resource.notes.ignore(IgnoreReason.NOT_DONE, "AdverseEvent potential")
        return []
    codings = resource.codings("event") or resource.codings("code")
    concepts = resource.codes.concepts_of(codings)
    grade = _grade(resource)
    if not concepts and grade is None:
        resource.ignore_code(codings)
        return []
    status = STATUS.get(text_of(body, "status") or "completed", FactStatus.PRELIMINARY)
    began, ended, usable = resource.choice_time("occurrence")
    if began is None and usable:
        began, usable = resource.time("date", "detected")
    recorded, recorded_usable = resource.time("recordedDate")
    if not (usable and recorded_usable):
        return []
    when = began if began is not None else from_issue(recorded) if recorded is not None else resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "AdverseEvent has neither date nor recordedDate")
        return []
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=recorded)
    fact = AdverseEventRecorded(
        **stamp, concepts=concepts, codes=codings, grade=grade, related_to=_suspects(resource), abated=ended
    )
    return [resource.place(fact, recorded)]


def _grade(resource: Resource) -> int | None:
    concepts = [group_of(resource.body, "severity")]
    concepts += [
        group_of(extension, "valueCodeableConcept")
        for extension in groups_of(resource.body, "extension")
        if text_of(extension, "url") == GRADE_EXTENSION
    ]
    for concept in concepts:
        for coding in codings_in(concept, resource.codes):
            if coding.system == GRADE_SYSTEM and coding.code in {"0", "1", "2", "3", "4", "5"}:
                return int(coding.code)
    return None


def _suspects(resource: Resource) -> tuple[str, ...]:
    found: set[str] = set()
    for suspect in groups_of(resource.body, "suspectEntity"):
        codings = codings_in(group_of(suspect, "instanceCodeableConcept"), resource.codes)
        reference = group_of(suspect, "instance") or group_of(suspect, "instanceReference")
        named = resource.find(text_of(reference, "reference"))
        if named is not None:
            codings += _medicine_codings(named, resource)
        match = resource.codes.medicine_of(codings)
        if match is not None:
            found.add(match.medicine)
        else:
            resource.notes.leave("AdverseEvent.suspectEntity, no medicine we know")
    return tuple(sorted(found))


def _medicine_codings(named: dict[str, object], resource: Resource) -> tuple[Coding, ...]:
    concept = group_of(named, "medicationCodeableConcept") or group_of(group_of(named, "medication"), "concept")
    if concept:
        return codings_in(concept, resource.codes)
    return codings_in(group_of(named, "code"), resource.codes)
