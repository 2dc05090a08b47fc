"""Our own events: what a hospital's producer writes straight onto an inlet topic.

One data model a subject, codes and units exactly as the source system has them: the
sender maps nothing, the reader does. Carried as CloudEvents 1.0, binary or structured.
"""

from schemas.inlet.event_types import EVENT_TYPES, InletEvent, event_type_of
from schemas.inlet.fields import (
    Code,
    MedicineCode,
    PatientIdentity,
    RecordStatus,
    ResultComparator,
    ResultStatus,
    TakingSchedule,
)
from schemas.inlet.lab_report import LabReport, LabResult
from schemas.inlet.medicines import Administration, Dispense, HomeMedicine, Order
from schemas.inlet.patient_fact import (
    AdverseEvent,
    Allergy,
    Condition,
    Encounter,
    Merge,
    PatientDescription,
    PatientFact,
    Procedure,
    Statement,
    Vaccine,
)
from schemas.inlet.reading import read_event
from schemas.inlet.writing import write_binary, write_structured

__all__ = [
    "EVENT_TYPES",
    "Administration",
    "AdverseEvent",
    "Allergy",
    "Code",
    "Condition",
    "Dispense",
    "Encounter",
    "HomeMedicine",
    "InletEvent",
    "LabReport",
    "LabResult",
    "MedicineCode",
    "Merge",
    "Order",
    "PatientDescription",
    "PatientFact",
    "PatientIdentity",
    "Procedure",
    "RecordStatus",
    "ResultComparator",
    "ResultStatus",
    "Statement",
    "TakingSchedule",
    "Vaccine",
    "event_type_of",
    "read_event",
    "write_binary",
    "write_structured",
]
