"""MedicationDispense: a medicine was handed over."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, MedicineDispensed
from schemas.fhir.elements import group_of, groups_of, text_of
from schemas.fhir.medication import (
    DOSAGE_ROWS,
    MEDICINE_ROWS,
    read_cycle_mark,
    read_days,
    read_dosage,
    read_medicine,
    read_purpose,
    read_quantity,
    routes_in,
)
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.stamp import MedicineStamp
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason

ROWS: Final = (
    *MEDICINE_ROWS,
    Row("when handed over", ("whenHandedOver", "whenPrepared"), "handed_over_at"),
    Row("number of units", ("quantity",), "quantity"),
    Row("days it lasts", ("daysSupply",), "days_supply"),
    *DOSAGE_ROWS,
    Row("purpose and first dose of a cycle, in our codes", ("category", "type"), "purpose, cycle_day_1"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "completed": FactStatus.FINAL,
    "stopped": FactStatus.FINAL,
    "unknown": FactStatus.PRELIMINARY,
    "cancelled": FactStatus.WITHDRAWN,
    "declined": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One dispense; what is only prepared has not been handed over."""
    body = resource.body
    status = STATUS.get(text_of(body, "status") or "unknown")
    if status is None:
        resource.notes.ignore(IgnoreReason.NOT_DONE, "MedicationDispense not handed over")
        return []
    instructions = groups_of(body, "dosageInstruction")
    medicine = read_medicine(resource, routes_in(instructions, resource))
    if medicine is None:
        return []
    when, usable = resource.time("whenHandedOver")
    prepared, prepared_usable = resource.time("whenPrepared")
    if not (usable and prepared_usable):
        return []
    if when is None and prepared is not None:
        when = from_issue(prepared)
    if when is None and status is FactStatus.WITHDRAWN:
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "MedicationDispense has no whenHandedOver")
        return []
    strength = medicine.match.strength_mg
    dosage = read_dosage(instructions, strength, resource)
    fields = MedicineStamp(
        medicine=medicine.match.medicine,
        classes=medicine.match.classes,
        codes=medicine.codings,
        strength_mg=strength,
        quantity=read_quantity(group_of(body, "quantity"), strength, resource, "quantity"),
        days_supply=read_days(group_of(body, "daysSupply"), resource, "daysSupply"),
        dose_mg=dosage.dose_mg,
        daily_dose_mg=dosage.daily_dose_mg,
        schedule=dosage.schedule,
        until=None,
        purpose=read_purpose(resource),
        cycle_day_1=read_cycle_mark(resource),
    )
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, medicine.codings)), when, status)
    return [resource.place(MedicineDispensed(**stamp, **fields), when if not when.from_issue else None)]
