"""MedicationStatement (MedicationUsage in drafts of R5): what the patient is said to take at home."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, MedicineTakenAtHome
from schemas.fhir.elements import groups_of, text_of
from schemas.fhir.medication import MEDICINE_ROWS, read_dosage, read_medicine, read_purpose, routes_in
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.stamp import MedicineStamp
from schemas.reading.timing import from_instant, from_issue
from schemas.rejection import RejectionReason

ROWS: Final = (
    *MEDICINE_ROWS,
    Row("from when", ("effectiveDateTime", "effectivePeriod.start"), "taken_from"),
    Row("until when", ("effectivePeriod.end",), "taken_until"),
    Row("when it was said", ("dateAsserted",), "recorded_at"),
    Row("dose and how often", ("dosage.doseAndRate", "dosage.timing"), "dose_mg, times_per_day, schedule"),
    Row("route (local use does not count)", ("dosage.route",), "route"),
    Row("purpose, in our codes", ("category", "reasonCode", "reason"), "purpose"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "active": FactStatus.FINAL,
    "completed": FactStatus.FINAL,
    "stopped": FactStatus.FINAL,
    "on-hold": FactStatus.FINAL,
    "recorded": FactStatus.FINAL,
    "intended": FactStatus.PLANNED,
    "draft": FactStatus.PRELIMINARY,
    "unknown": FactStatus.PRELIMINARY,
    "not-taken": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}
_ENDED: Final = frozenset({"completed", "stopped", "on-hold"})


def read(resource: Resource) -> list[PlacedFact]:
    """One statement; "not taken" takes back what an earlier version said."""
    body = resource.body
    text = text_of(body, "status") or "unknown"
    status = STATUS.get(text, FactStatus.PRELIMINARY)
    instructions = groups_of(body, "dosage")
    medicine = read_medicine(resource, routes_in(instructions, resource))
    if medicine is None:
        return []
    when, until, usable = resource.choice_time("effective")
    asserted, asserted_usable = resource.time("dateAsserted")
    if not (usable and asserted_usable):
        return []
    start = when if when is not None else from_issue(asserted) if asserted is not None else resource.stand_in
    if start is None:
        resource.reject(RejectionReason.TIME_MISSING, "MedicationStatement has neither effective[x] nor dateAsserted")
        return []
    if until is None and text in _ENDED:
        by = asserted.latest if asserted is not None else resource.stated_by
        until = from_instant(by) if by is not None else start
    strength = medicine.match.strength_mg
    dosage = read_dosage(instructions, strength, resource)
    fields = MedicineStamp(
        medicine=medicine.match.medicine,
        classes=medicine.match.classes,
        codes=medicine.codings,
        strength_mg=strength,
        quantity=None,
        days_supply=None,
        dose_mg=dosage.dose_mg,
        daily_dose_mg=dosage.daily_dose_mg,
        schedule=dosage.schedule,
        until=until,
        purpose=read_purpose(resource),
        cycle_day_1=None,
    )
    stamp = resource.stamp(
        resource.fact_id(fallback=derived_key(start, medicine.codings)), start, status, issued=asserted
    )
    return [resource.place(MedicineTakenAtHome(**stamp, **fields), asserted)]
