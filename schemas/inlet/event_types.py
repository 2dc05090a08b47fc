"""Which event type carries which model, and on which inlet topic it travels."""

from __future__ import annotations

from typing import Final

from schemas.inlet.lab_report import LabReport
from schemas.inlet.medicines import Administration, Dispense, HomeMedicine, Order
from schemas.inlet.patient_fact import PatientFact

InletEvent = LabReport | Dispense | Administration | Order | HomeMedicine | PatientFact

EVENT_TYPES: Final[dict[str, type[InletEvent]]] = {
    "org.myelowatch.lab.result.v1": LabReport,
    "org.myelowatch.pharmacy.dispense.v1": Dispense,
    "org.myelowatch.pharmacy.administration.v1": Administration,
    "org.myelowatch.pharmacy.order.v1": Order,
    "org.myelowatch.pharmacy.home-medicine.v1": HomeMedicine,
    "org.myelowatch.patient.fact.v1": PatientFact,
}
"""CloudEvents `type` to the model of its data."""

INLETS: Final[dict[str, str]] = {
    "org.myelowatch.lab.result.v1": "lab.result.v1",
    "org.myelowatch.pharmacy.dispense.v1": "pharmacy.dispense.v1",
    "org.myelowatch.pharmacy.administration.v1": "pharmacy.dispense.v1",
    "org.myelowatch.pharmacy.order.v1": "pharmacy.dispense.v1",
    "org.myelowatch.pharmacy.home-medicine.v1": "pharmacy.dispense.v1",
    "org.myelowatch.patient.fact.v1": "patient.fact.v1",
}
"""CloudEvents `type` to the inlet it belongs on, without the site's topic prefix."""

_TYPE_OF: Final = {model: name for name, model in EVENT_TYPES.items()}


def event_type_of(event: InletEvent) -> str:
    """The CloudEvents `type` of an event."""
    return _TYPE_OF[type(event)]
