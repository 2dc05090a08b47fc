"""MedicationAdministration: a dose was given."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, MedicineAdministered
from schemas.fhir.elements import codings_in, group_of, text_of
from schemas.fhir.medication import (
    MEDICINE_ROWS,
    read_cycle_mark,
    read_dosage,
    read_medicine,
    read_purpose,
)
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.stamp import MedicineStamp
from schemas.rejection import RejectionReason

ROWS: Final = (
    *MEDICINE_ROWS,
    Row(
        "when given",
        (
            "effectiveDateTime",
            "effectivePeriod",
            "occurenceDateTime (R5)",
            "occurencePeriod (R5)",
            "occurrenceDateTime",
            "occurrencePeriod",
        ),
        "given_at",
    ),
    Row("dose given", ("dosage.dose",), "dose_mg"),
    Row("route (local use does not count)", ("dosage.route",), "route"),
    Row(
        "purpose and first dose of a cycle, in our codes", ("category", "reasonCode", "reason"), "purpose, cycle_day_1"
    ),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "completed": FactStatus.FINAL,
    "in-progress": FactStatus.FINAL,
    "stopped": FactStatus.FINAL,
    "on-hold": FactStatus.FINAL,
    "unknown": FactStatus.PRELIMINARY,
    "not-done": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
    "cancelled": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One dose; `not-done` takes back what an earlier version said."""
    body = resource.body
    status = STATUS.get(text_of(body, "status") or "unknown", FactStatus.PRELIMINARY)
    dosage_body = group_of(body, "dosage")
    medicine = read_medicine(resource, codings_in(group_of(dosage_body, "route"), resource.codes))
    if medicine is None:
        return []
    # R5 spells the element "occurence"; later drafts mend it.
    when, end, usable = resource.choice_time("effective", "occurence", "occurrence")
    if not usable:
        return []
    if when is None and status is FactStatus.WITHDRAWN:
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "MedicationAdministration has no effective[x]")
        return []
    strength = medicine.match.strength_mg
    dosage = read_dosage([dosage_body] if dosage_body else [], strength, resource)
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
        until=end,
        purpose=read_purpose(resource),
        cycle_day_1=read_cycle_mark(resource),
    )
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, medicine.codings)), when, status)
    return [resource.place(MedicineAdministered(**stamp, **fields), None if when.from_issue else end or when)]
