"""Procedure: transfusions, operations, imaging, catheters."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, ProcedureRecorded
from schemas.fhir.elements import text_of
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.rejection import RejectionReason

ROWS: Final = (
    Row("what", ("code",), "fact.codes"),
    Row(
        "when",
        ("performedDateTime", "performedPeriod", "occurrenceDateTime (R5)", "occurrencePeriod (R5)"),
        "fact.began_at, ended_at",
    ),
    Row("done, planned or not", ("status",), "status"),
    Row("when it was recorded", ("recorded (R5)",), "recorded_at"),
    Row("who", ("subject",), "patient"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "completed": FactStatus.FINAL,
    "in-progress": FactStatus.FINAL,
    "on-hold": FactStatus.FINAL,
    "stopped": FactStatus.FINAL,
    "preparation": FactStatus.PLANNED,
    "unknown": FactStatus.PRELIMINARY,
    "not-done": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One procedure that the rules look for."""
    codings = resource.codings("code")
    concepts = resource.codes.procedures_of(codings)
    if not concepts:
        resource.ignore_code(codings)
        return []
    status = STATUS.get(text_of(resource.body, "status") or "unknown", FactStatus.PRELIMINARY)
    when, end, usable = resource.choice_time("performed", "occurrence")
    recorded, recorded_usable = resource.time("recorded")
    if not (usable and recorded_usable):
        return []
    if when is None and status in (FactStatus.WITHDRAWN, FactStatus.PLANNED):
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "Procedure has no performed[x]")
        return []
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=recorded)
    fact = ProcedureRecorded(**stamp, concepts=concepts, codes=codings, ended=end)
    return [resource.place(fact, recorded, clinical_end=end)]
