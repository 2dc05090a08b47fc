"""What happened, in the past tense: the facts of a patient's history and the entries of the log."""

from schemas.events.administration import MedicineAdministered
from schemas.events.allergy import AllergyRecorded
from schemas.events.condition import AdverseEventRecorded, ConditionRecorded
from schemas.events.dispense import MedicineDispensed
from schemas.events.encounter import EncounterRecorded
from schemas.events.entry import Entry, EntryKind, Fact, PolicyActivation, entry_from_json, facts_adapter
from schemas.events.fact import FactBase, FactStatus
from schemas.events.home_medicine import MedicineTakenAtHome
from schemas.events.immunization import VaccineGiven
from schemas.events.lab_result import Comparator, LabResultReported, ReferenceRange, ResultDoubt
from schemas.events.medicine import MedicineFact, Schedule
from schemas.events.merge import PatientsMerged
from schemas.events.order import MedicineOrdered
from schemas.events.patient import PatientDescribed
from schemas.events.procedure import ProcedureRecorded
from schemas.events.statement import StatementRecorded

__all__ = [
    "AdverseEventRecorded",
    "AllergyRecorded",
    "Comparator",
    "ConditionRecorded",
    "EncounterRecorded",
    "Entry",
    "EntryKind",
    "Fact",
    "FactBase",
    "FactStatus",
    "LabResultReported",
    "MedicineAdministered",
    "MedicineDispensed",
    "MedicineFact",
    "MedicineOrdered",
    "MedicineTakenAtHome",
    "PatientDescribed",
    "PatientsMerged",
    "PolicyActivation",
    "ProcedureRecorded",
    "ReferenceRange",
    "ResultDoubt",
    "Schedule",
    "StatementRecorded",
    "VaccineGiven",
    "entry_from_json",
    "facts_adapter",
]
