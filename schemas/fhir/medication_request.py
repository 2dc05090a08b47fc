"""MedicationRequest: a medicine was ordered, or is planned."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, MedicineOrdered
from schemas.fhir.elements import group_of, groups_of, text_of
from schemas.fhir.medication import (
    DOSAGE_ROWS,
    MEDICINE_ROWS,
    Dosage,
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
from schemas.reading.timing import from_instant
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import When

ROWS: Final = (
    *MEDICINE_ROWS,
    Row("order or plan", ("intent", "doNotPerform"), "status (`planned`)"),
    Row("when ordered", ("authoredOn",), "ordered_at"),
    Row(
        "when it ends",
        ("dosageInstruction.timing.repeat.boundsPeriod", "dispenseRequest.validityPeriod", "statusChanged (R5)"),
        "ends_at",
    ),
    Row("number of units", ("dispenseRequest.quantity",), "quantity"),
    Row(
        "days it lasts",
        ("dispenseRequest.expectedSupplyDuration", "dosageInstruction.timing.repeat.boundsDuration"),
        "days_supply",
    ),
    *DOSAGE_ROWS,
    Row("purpose, in our codes", ("category", "reasonCode", "reason"), "purpose"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "active": FactStatus.FINAL,
    "completed": FactStatus.FINAL,
    "on-hold": FactStatus.FINAL,
    "stopped": FactStatus.FINAL,
    "ended": FactStatus.FINAL,
    "draft": FactStatus.PLANNED,
    "unknown": FactStatus.PRELIMINARY,
    "cancelled": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}
_ENDED: Final = frozenset({"on-hold", "stopped", "ended"})
_PLANS: Final = frozenset({"proposal", "plan", "option"})


def read(resource: Resource) -> list[PlacedFact]:
    """One order; a stopped one ends when it was stopped, a proposal is a plan."""
    body = resource.body
    if body.get("doNotPerform") is True:
        resource.notes.ignore(IgnoreReason.NOT_DONE, "MedicationRequest not to be performed")
        return []
    text = text_of(body, "status") or "unknown"
    status = STATUS.get(text, FactStatus.PRELIMINARY)
    if status is FactStatus.FINAL and text_of(body, "intent") in _PLANS:
        status = FactStatus.PLANNED
    instructions = groups_of(body, "dosageInstruction")
    medicine = read_medicine(resource, routes_in(instructions, resource))
    if medicine is None:
        return []
    authored, usable = resource.time("authoredOn")
    if not usable:
        return []
    strength = medicine.match.strength_mg
    dosage = read_dosage(instructions, strength, resource)
    when = authored
    if when is None:
        when, usable = resource.time_in(dosage.bounds_start, "boundsPeriod.start")
    if when is None and usable:
        when = resource.stand_in
    until, until_usable = _until(resource, dosage, text, when)
    if not (usable and until_usable):
        return []
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "MedicationRequest has no authoredOn")
        return []
    request = group_of(body, "dispenseRequest")
    days = read_days(group_of(request, "expectedSupplyDuration"), resource, "expectedSupplyDuration")
    fields = MedicineStamp(
        medicine=medicine.match.medicine,
        classes=medicine.match.classes,
        codes=medicine.codings,
        strength_mg=strength,
        quantity=read_quantity(group_of(request, "quantity"), strength, resource, "dispenseRequest.quantity"),
        days_supply=days if days is not None else dosage.bounds_days,
        dose_mg=dosage.dose_mg,
        daily_dose_mg=dosage.daily_dose_mg,
        schedule=dosage.schedule,
        until=until,
        purpose=read_purpose(resource),
        cycle_day_1=None,
    )
    stamp = resource.stamp(
        resource.fact_id(fallback=derived_key(when, medicine.codings)), when, status, issued=authored
    )
    return [resource.place(MedicineOrdered(**stamp, **fields), authored)]


def _until(resource: Resource, dosage: Dosage, status: str, when: When | None) -> tuple[When | None, bool]:
    end, usable = resource.time_in(dosage.bounds_end, "boundsPeriod.end")
    if end is None and usable:
        validity = group_of(group_of(resource.body, "dispenseRequest"), "validityPeriod")
        end, usable = resource.time_in(text_of(validity, "end"), "validityPeriod.end")
    if status not in _ENDED or not usable:
        return end, usable
    changed, usable = resource.time("statusChanged")
    if changed is None and usable:
        by = resource.stated_by
        changed = from_instant(by) if by is not None else when
    candidates = [found for found in (end, changed) if found is not None]
    return min(candidates, key=lambda found: found.earliest, default=None), usable
