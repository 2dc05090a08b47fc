"""One example of every fact, as FHIR and as our own event; tests read both and get the same fact.

They stand in `docs/facts.md` and in the AsyncAPI document. The patient does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from schemas.fhir import (
    adverse_event,
    allergy_intolerance,
    condition,
    encounter,
    immunization,
    medication_administration,
    medication_dispense,
    medication_request,
    medication_statement,
    observation,
    patient,
    procedure,
)
from schemas.fhir.rows import Row
from schemas.inlet.event_types import InletEvent
from schemas.inlet.fields import Code, MedicineCode, PatientIdentity, RecordStatus, ResultStatus, TakingSchedule
from schemas.inlet.lab_report import LabReport, LabResult
from schemas.inlet.medicines import Administration, Dispense, HomeMedicine, Order
from schemas.inlet.patient_fact import (
    AdverseEvent,
    Allergy,
    Condition,
    Encounter,
    PatientDescription,
    PatientFact,
    Procedure,
    Statement,
    Vaccine,
)
from schemas.values.coding import ATC, CVX, ICD10, LOINC, OWN, RXNORM, SNOMED

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One fact in two dialects, and the rows of the reader that reads it."""

    title: str
    resource: str
    rows: tuple[Row, ...]
    fhir: Json
    event: InletEvent
    hint: str = ""


WHO: Final = PatientIdentity(authority="urn:example:hospital", id="1001")
SUBJECT: Final[Json] = {"identifier": {"system": "urn:example:hospital", "value": "1001"}}
EVENT_TIME: Final = datetime(2026, 3, 2, 1, 40, tzinfo=UTC)


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


EXAMPLES: Final = (
    Example(
        title="Who the patient is",
        resource="Patient",
        rows=patient.ROWS,
        fhir={
            "resourceType": "Patient",
            "id": "p1001",
            "meta": {"lastUpdated": "2026-03-01T09:00:00+09:00"},
            "identifier": [{"system": "urn:example:hospital", "value": "1001"}],
            "birthDate": "1955-07-14",
            "gender": "female",
            "address": [{"country": "KR"}],
            "extension": [
                {
                    "url": patient.RACE_EXTENSION,
                    "extension": [
                        {
                            "url": "ombCategory",
                            "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9"},
                        }
                    ],
                }
            ],
        },
        event=PatientFact(
            patient=WHO,
            id="p1001",
            recorded_at="2026-03-01T09:00:00+09:00",
            fact=PatientDescription(
                birth_date="1955-07-14",
                sex="female",
                country="KR",
                race=(Code(system="urn:oid:2.16.840.1.113883.6.238", code="2028-9"),),
            ),
        ),
    ),
    Example(
        title="Laboratory result, vital sign or score",
        resource="Observation",
        rows=observation.ROWS,
        hint="All results of one specimen belong into one message: a `DiagnosticReport` with its `Observation`s in one "
        "Bundle, or one event with several `results`.",
        fhir={
            "resourceType": "Observation",
            "id": "anc-77",
            "status": "final",
            "code": _concept(LOINC, "751-8"),
            "subject": SUBJECT,
            "effectiveDateTime": "2026-03-02T08:15:00+09:00",
            "issued": "2026-03-02T10:40:00+09:00",
            "valueQuantity": {"value": Decimal("0.9"), "code": "10*3/uL", "system": "http://unitsofmeasure.org"},
            "referenceRange": [{"low": {"value": Decimal("1.5"), "code": "10*3/uL"}}],
            "specimen": {"reference": "S-77"},
        },
        event=LabReport(
            patient=WHO,
            report_id="R-77",
            specimen="S-77",
            collected_at="2026-03-02T08:15:00+09:00",
            issued_at="2026-03-02T10:40:00+09:00",
            results=(
                LabResult(
                    code="751-8",
                    system=LOINC,
                    id="anc-77",
                    value="0.9",
                    unit="10*3/uL",
                    status=ResultStatus.FINAL,
                    low="1.5",
                ),
            ),
        ),
    ),
    Example(
        title="Medicine handed over",
        resource="MedicationDispense",
        rows=medication_dispense.ROWS,
        fhir={
            "resourceType": "MedicationDispense",
            "id": "d-5",
            "status": "completed",
            "medicationCodeableConcept": _concept(RXNORM, "643720"),
            "subject": SUBJECT,
            "whenHandedOver": "2026-03-02T14:00:00+09:00",
            "quantity": {"value": 21, "unit": "{capsule}"},
            "daysSupply": {"value": 28, "code": "d"},
            "dosageInstruction": [
                {
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 25, "code": "mg"}}],
                }
            ],
        },
        event=Dispense(
            patient=WHO,
            id="d-5",
            medicine=MedicineCode(system=RXNORM, code="643720"),
            handed_over_at="2026-03-02T14:00:00+09:00",
            quantity=Decimal(21),
            days_supply=28,
            dose_mg=Decimal(25),
            times_per_day=Decimal(1),
            schedule=TakingSchedule.DAILY,
        ),
    ),
    Example(
        title="Dose given",
        resource="MedicationAdministration",
        rows=medication_administration.ROWS,
        fhir={
            "resourceType": "MedicationAdministration",
            "id": "a-9",
            "status": "completed",
            "medicationCodeableConcept": _concept(ATC, "H02AB02"),
            "subject": SUBJECT,
            "effectiveDateTime": "2026-03-02T09:00:00+09:00",
            "dosage": {"dose": {"value": 40, "code": "mg"}},
        },
        event=Administration(
            patient=WHO,
            id="a-9",
            medicine=MedicineCode(system=ATC, code="H02AB02"),
            given_at="2026-03-02T09:00:00+09:00",
            dose_mg=Decimal(40),
        ),
    ),
    Example(
        title="Medicine ordered or planned",
        resource="MedicationRequest",
        rows=medication_request.ROWS,
        fhir={
            "resourceType": "MedicationRequest",
            "id": "o-3",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _concept(ATC, "B01AB05"),
            "subject": SUBJECT,
            "authoredOn": "2026-03-02T11:00:00+09:00",
            "category": [_concept(OWN, "purpose-prophylaxis")],
            "dispenseRequest": {"expectedSupplyDuration": {"value": 4, "code": "wk"}},
            "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
        },
        event=Order(
            patient=WHO,
            id="o-3",
            medicine=MedicineCode(system=ATC, code="B01AB05"),
            recorded_at="2026-03-02T11:00:00+09:00",
            ordered_at="2026-03-02T11:00:00+09:00",
            days_supply=28,
            schedule=TakingSchedule.DAILY,
            purpose="prophylaxis",
        ),
    ),
    Example(
        title="Medicine taken at home",
        resource="MedicationStatement",
        rows=medication_statement.ROWS,
        fhir={
            "resourceType": "MedicationStatement",
            "id": "h-2",
            "status": "active",
            "medicationCodeableConcept": _concept(RXNORM, "1191"),
            "subject": SUBJECT,
            "effectivePeriod": {"start": "2026-01-10"},
            "dateAsserted": "2026-03-02T09:30:00+09:00",
            "dosage": [
                {
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 100, "code": "mg"}}],
                }
            ],
        },
        event=HomeMedicine(
            patient=WHO,
            id="h-2",
            medicine=MedicineCode(system=RXNORM, code="1191"),
            recorded_at="2026-03-02T09:30:00+09:00",
            taken_from="2026-01-10",
            dose_mg=Decimal(100),
            times_per_day=Decimal(1),
            schedule=TakingSchedule.DAILY,
        ),
    ),
    Example(
        title="Condition, symptom or bleeding",
        resource="Condition",
        rows=condition.ROWS,
        fhir={
            "resourceType": "Condition",
            "id": "c-8",
            "clinicalStatus": _concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
            "verificationStatus": _concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
            "code": {"coding": [{"system": SNOMED, "code": "128053003"}, {"system": ICD10, "code": "I80.2"}]},
            "subject": SUBJECT,
            "onsetDateTime": "2026-02-20",
            "recordedDate": "2026-02-21T10:00:00+09:00",
        },
        event=PatientFact(
            patient=WHO,
            id="c-8",
            recorded_at="2026-02-21T10:00:00+09:00",
            fact=Condition(
                codes=(Code(system=SNOMED, code="128053003"), Code(system=ICD10, code="I80.2")),
                began_at="2026-02-20",
            ),
        ),
    ),
    Example(
        title="Adverse event with its grade",
        resource="AdverseEvent",
        rows=adverse_event.ROWS,
        fhir={
            "resourceType": "AdverseEvent",
            "id": "ae-1",
            "actuality": "actual",
            "event": _concept(SNOMED, "233604007"),
            "subject": SUBJECT,
            "date": "2026-03-01T00:00:00+09:00",
            "recordedDate": "2026-03-02T09:00:00+09:00",
            "extension": [
                {
                    "url": adverse_event.GRADE_EXTENSION,
                    "valueCodeableConcept": _concept(adverse_event.GRADE_SYSTEM, "3"),
                }
            ],
            "contained": [
                {"resourceType": "Medication", "id": "m", "code": _concept(RXNORM, "342369")},
            ],
            "suspectEntity": [{"instance": {"reference": "#m"}}],
        },
        event=PatientFact(
            patient=WHO,
            id="ae-1",
            recorded_at="2026-03-02T09:00:00+09:00",
            fact=AdverseEvent(
                codes=(Code(system=SNOMED, code="233604007"),),
                grade=3,
                began_at="2026-03-01T00:00:00+09:00",
                related_to=(MedicineCode(system=RXNORM, code="342369"),),
            ),
        ),
    ),
    Example(
        title="Allergy",
        resource="AllergyIntolerance",
        rows=allergy_intolerance.ROWS,
        fhir={
            "resourceType": "AllergyIntolerance",
            "id": "al-1",
            "code": _concept(SNOMED, "91939003"),
            "patient": SUBJECT,
            "recordedDate": "2026-02-01T09:00:00+09:00",
        },
        event=PatientFact(
            patient=WHO,
            id="al-1",
            recorded_at="2026-02-01T09:00:00+09:00",
            fact=Allergy(codes=(Code(system=SNOMED, code="91939003"),)),
        ),
    ),
    Example(
        title="Procedure, transfusion or imaging study",
        resource="Procedure",
        rows=procedure.ROWS,
        hint="An imaging study may also come as a `DiagnosticReport` with its code.",
        fhir={
            "resourceType": "Procedure",
            "id": "pr-1",
            "status": "completed",
            "code": _concept(SNOMED, "12719002"),
            "subject": SUBJECT,
            "performedDateTime": "2026-03-02T12:00:00+09:00",
        },
        event=PatientFact(
            patient=WHO,
            id="pr-1",
            fact=Procedure(codes=(Code(system=SNOMED, code="12719002"),), began_at="2026-03-02T12:00:00+09:00"),
        ),
    ),
    Example(
        title="Vaccine",
        resource="Immunization",
        rows=immunization.ROWS,
        fhir={
            "resourceType": "Immunization",
            "id": "v-1",
            "status": "completed",
            "vaccineCode": _concept(CVX, "187"),
            "patient": SUBJECT,
            "occurrenceDateTime": "2025-11-03T10:00:00+09:00",
        },
        event=PatientFact(
            patient=WHO,
            id="v-1",
            fact=Vaccine(codes=(Code(system=CVX, code="187"),), given_at="2025-11-03T10:00:00+09:00"),
        ),
    ),
    Example(
        title="Admission or visit",
        resource="Encounter",
        rows=encounter.ROWS,
        fhir={
            "resourceType": "Encounter",
            "id": "e-1",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": SUBJECT,
            "period": {"start": "2026-03-01T18:00:00+09:00"},
        },
        event=PatientFact(
            patient=WHO,
            id="e-1",
            fact=Encounter(setting="inpatient", began_at="2026-03-01T18:00:00+09:00"),
        ),
    ),
    Example(
        title="What no standard resource names",
        resource="Observation",
        rows=observation.STATEMENT_ROWS,
        hint="`code.system` is `urn:myelowatch:codes`; the codes are listed at the end of this page.",
        fhir={
            "resourceType": "Observation",
            "id": "st-1",
            "status": "final",
            "code": _concept(OWN, "vte-risk-assessment"),
            "subject": SUBJECT,
            "effectiveDateTime": "2026-03-02T09:00:00+09:00",
            "issued": "2026-03-02T09:05:00+09:00",
            "valueCodeableConcept": _concept(OWN, "tier-2"),
        },
        event=PatientFact(
            patient=WHO,
            id="st-1",
            recorded_at="2026-03-02T09:05:00+09:00",
            status=RecordStatus.FINAL,
            fact=Statement(code="vte-risk-assessment", stated_at="2026-03-02T09:00:00+09:00", value_code="tier-2"),
        ),
    ),
)
