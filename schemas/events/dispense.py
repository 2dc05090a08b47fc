"""A medicine was handed over to the patient (FHIR MedicationDispense whenHandedOver, HL7 RXD)."""

from __future__ import annotations

from typing import Literal

from schemas.events.medicine import MedicineFact


class MedicineDispensed(MedicineFact):
    """A medicine was handed over to the patient (FHIR MedicationDispense whenHandedOver, HL7 RXD)."""

    kind: Literal["medicine-dispensed"] = "medicine-dispensed"
