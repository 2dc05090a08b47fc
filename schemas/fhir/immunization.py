"""Immunization: a vaccine was given."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, VaccineGiven
from schemas.fhir.elements import text_of
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.rejection import RejectionReason

ROWS: Final = (
    Row("which vaccine", ("vaccineCode",), "fact.codes"),
    Row("when given", ("occurrenceDateTime",), "fact.given_at"),
    Row("given or not", ("status",), "status"),
    Row("when it was recorded", ("recorded",), "recorded_at"),
    Row("who", ("patient",), "patient"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "completed": FactStatus.FINAL,
    "not-done": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One vaccine of the table."""
    codings = resource.codings("vaccineCode")
    vaccines = resource.codes.vaccines_of(codings)
    if not vaccines:
        resource.ignore_code(codings)
        return []
    status = STATUS.get(text_of(resource.body, "status") or "completed", FactStatus.PRELIMINARY)
    when, usable = resource.time("occurrenceDateTime")
    recorded, recorded_usable = resource.time("recorded")
    if not (usable and recorded_usable):
        return []
    if when is None and status is FactStatus.WITHDRAWN:
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "Immunization has no occurrenceDateTime")
        return []
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=recorded)
    return [resource.place(VaccineGiven(**stamp, vaccines=vaccines, codes=codings), recorded)]
