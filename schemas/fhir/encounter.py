"""Encounter: admissions and visits."""

from __future__ import annotations

from typing import Final

from schemas.events import EncounterRecorded, FactStatus
from schemas.fhir.elements import concept_codings, first_code, group_of, groups_of, text_of
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.rejection import RejectionReason

ROWS: Final = (
    Row("setting", ("class",), "fact.setting"),
    Row("kind of visit", ("type",), "fact.codes"),
    Row("admission and discharge", ("period", "actualPeriod (R5)"), "fact.began_at, ended_at"),
    Row("how firm", ("status",), "status"),
    Row("who", ("subject",), "patient"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "planned": FactStatus.PLANNED,
    "unknown": FactStatus.PRELIMINARY,
    "cancelled": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}
SETTINGS: Final = {
    "IMP": "inpatient",
    "ACUTE": "inpatient",
    "NONAC": "inpatient",
    "OBSENC": "inpatient",
    "EMER": "emergency",
    "AMB": "ambulatory",
    "SS": "ambulatory",
    "PRENC": "ambulatory",
    "HH": "home",
    "VR": "virtual",
}
"""HL7 v3 ActCode, encounter class."""


def read(resource: Resource) -> list[PlacedFact]:
    """One encounter with its setting."""
    body = resource.body
    status = STATUS.get(text_of(body, "status") or "unknown", FactStatus.FINAL)
    start, end, usable = resource.period("period" if "period" in body else "actualPeriod")
    if not usable:
        return []
    when = start or end
    if when is None and status in (FactStatus.WITHDRAWN, FactStatus.PLANNED):
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "Encounter has no period")
        return []
    codings = concept_codings(body, "type", resource.codes)
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status)
    fact = EncounterRecorded(**stamp, setting=SETTINGS.get(_class(resource), "other"), codes=codings, ended=end)
    return [resource.place(fact, None, clinical_end=end)]


def _class(resource: Resource) -> str:
    """R4 has one Coding, R5 a list of CodeableConcepts."""
    code = text_of(group_of(resource.body, "class"), "code")
    if code is not None:
        return code
    for concept in groups_of(resource.body, "class"):
        found = first_code({"class": concept}, "class")
        if found is not None:
            return found
    return ""
