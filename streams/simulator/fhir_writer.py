"""Happenings as FHIR R4: one transaction Bundle a message, one NDJSON file a patient.

A Bundle's `timestamp` is the instant it could be known. Every resource is written by PUT under an id of
its own, so that a correction is a new version of the same resource, as on a real server. Written by
hand with no FHIR library: the readers are tested against what other people's software would send.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from schemas.values.coding import LOINC, OWN
from streams.simulator import codebook
from streams.simulator.happenings import (
    CodedConcept,
    Described,
    Diagnosed,
    Dispensed,
    Happening,
    Ordered,
    Performed,
    Reported,
    Result,
    Stated,
    Vaccinated,
)
from streams.simulator.people import AUTHORITY

Json = dict[str, Any]

SERVER: Final = "https://synthetic-ward.example/fhir"
UCUM: Final = "http://unitsofmeasure.org"
_UCUM_UNITS: Final = frozenset({"10*3/uL", "g/dL", "%", "mg/dL", "U/L", "m[IU]/L", "mmol/L", "kg", "cm", "Cel"})
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_PANEL: Final = CodedConcept(LOINC, "57021-8", "CBC W Auto Differential panel - Blood")
_SPECIMENS: Final = "urn:myelowatch:synthetic-ward:specimen"


def _number(text: str) -> orjson.Fragment:
    """A decimal written to JSON exactly as its sender wrote it: FHIR keeps trailing zeros (R4, 2.24.0.1)."""
    return orjson.Fragment(text.encode())


def resources_of(happening: Happening) -> list[Json]:
    """The resources that say what the happening says."""
    subject: Json = {
        "reference": f"Patient/{happening.patient}",
        "identifier": {"system": AUTHORITY, "value": happening.patient},
    }
    match happening.what:
        case Reported() as report:
            return _report(report, subject)
        case Dispensed() as dispensed:
            return [_dispense(dispensed, subject)]
        case Ordered() as ordered:
            return [_order(ordered, subject)]
        case Described() as described:
            return [_patient(happening.patient, described)]
        case Diagnosed() as diagnosed:
            return [_condition(diagnosed, subject)]
        case Performed() as performed:
            return [
                {
                    "resourceType": "Procedure",
                    "id": performed.procedure,
                    "status": "completed",
                    "code": _concept(performed.code),
                    "subject": subject,
                    "performedDateTime": performed.performed_at.isoformat(),
                }
            ]
        case Vaccinated() as vaccinated:
            return [
                {
                    "resourceType": "Immunization",
                    "id": vaccinated.vaccination,
                    "status": "completed",
                    "vaccineCode": _concept(vaccinated.vaccine),
                    "patient": subject,
                    "occurrenceDateTime": vaccinated.given_at.isoformat(),
                    "recorded": vaccinated.given_at.isoformat(),
                }
            ]
        case Stated() as stated:
            return [_statement(stated, subject)]


def bundle_of(happening: Happening) -> Json:
    """One message as a transaction."""
    return {
        "resourceType": "Bundle",
        "id": happening.message,
        "type": "transaction",
        "timestamp": happening.known_at.isoformat(),
        "entry": [
            {
                "fullUrl": f"{SERVER}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources_of(happening)
        ],
    }


def fhir_line(happening: Happening) -> bytes:
    """One Bundle as a line of NDJSON, with its line end; numbers keep the digits they were sent with."""
    return orjson.dumps(bundle_of(happening)) + b"\n"


def write_fhir(happenings: Iterable[Happening], folder: Path) -> list[Path]:
    """Write `<patient>.ndjson` for every patient into an existing folder; the paths are answered."""
    by_patient: dict[str, list[bytes]] = {}
    for happening in happenings:
        by_patient.setdefault(happening.patient, []).append(fhir_line(happening))
    paths = []
    for patient, lines in sorted(by_patient.items()):
        path = folder / f"{patient}.ndjson"
        path.write_bytes(b"".join(lines))
        paths.append(path)
    return paths


def _patient(identifier: str, described: Described) -> Json:
    return {
        "resourceType": "Patient",
        "id": identifier,
        "meta": {"lastUpdated": described.at.isoformat()},
        "identifier": [{"system": AUTHORITY, "value": identifier}],
        "gender": described.sex,
        "birthDate": described.birth.isoformat(),
        "address": [{"country": described.country}],
    }


def _report(report: Reported, subject: Json) -> list[Json]:
    observations = [_observation(report, result, subject) for result in report.results]
    if report.is_vital_sign:
        return observations
    tests = {result.test for result in report.results}
    group: Json = {
        "resourceType": "DiagnosticReport",
        "id": report.report,
        "status": report.status.value,
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/v2-0074", "code": "LAB"}]}],
        "code": _concept(_PANEL) if codebook.PLATELETS in tests else {"text": "Chemistry"},
        "subject": subject,
        "effectiveDateTime": report.collected_at.isoformat(),
        "issued": report.issued_at.isoformat(),
        "result": [{"reference": f"Observation/{observation['id']}"} for observation in observations],
    }
    return [*observations, group]


def _observation(report: Reported, result: Result, subject: Json) -> Json:
    category = "vital-signs" if report.is_vital_sign else "laboratory"
    observation: Json = {
        "resourceType": "Observation",
        "id": result.id,
        "status": report.status.value,
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/observation-category", "code": category}]}],
        "code": _concept(result.test),
        "subject": subject,
        "effectiveDateTime": report.collected_at.isoformat(),
        "issued": report.issued_at.isoformat(),
        **_value(result),
        "specimen": {"identifier": {"system": _SPECIMENS, "value": report.specimen}},
    }
    if result.note is not None:
        observation["note"] = [{"text": result.note}]
    return observation


def _value(result: Result) -> Json:
    """A number with the laboratory's range, or words such as `Negative`."""
    if result.test in codebook.ANSWERED_IN_WORDS:
        return {"valueString": result.value}
    value: Json = {"valueQuantity": _quantity(result.value, result.unit)}
    limits = {name: limit for name, limit in (("low", result.low), ("high", result.high)) if limit is not None}
    if limits:
        value["referenceRange"] = [{name: _quantity(limit, result.unit) for name, limit in limits.items()}]
    return value


def _quantity(value: str, unit: str | None) -> Json:
    quantity: Json = {"value": _number(value)}
    if unit is not None:
        quantity["unit"] = unit
    if unit in _UCUM_UNITS:
        quantity |= {"system": UCUM, "code": unit}
    return quantity


def _dispense(dispensed: Dispensed, subject: Json) -> Json:
    dispense: Json = {
        "resourceType": "MedicationDispense",
        "id": dispensed.dispense,
        "status": "completed",
        "medicationReference": {"reference": "#medicine"},
        "subject": subject,
        "quantity": {"value": _number(dispensed.quantity)},
        "daysSupply": {"value": dispensed.days_supply, "unit": "day", "system": UCUM, "code": "d"},
        "whenHandedOver": dispensed.handed_over_at.isoformat(),
        "dosageInstruction": [_dosage(dispensed.dose_mg, dispensed.schedule)],
        "contained": [
            {
                "resourceType": "Medication",
                "id": "medicine",
                "code": _concept(dispensed.medicine),
                "ingredient": [
                    {
                        "itemCodeableConcept": _concept(dispensed.medicine),
                        "strength": {
                            "numerator": {
                                "value": _number(dispensed.strength_mg),
                                "unit": "mg",
                                "system": UCUM,
                                "code": "mg",
                            },
                            "denominator": {"value": 1, "unit": "unit", "system": UCUM, "code": "1"},
                        },
                    }
                ],
            }
        ],
    }
    if dispensed.is_prophylaxis:
        dispense["category"] = {"coding": [{"system": OWN, "code": "purpose-prophylaxis"}]}
    return dispense


def _order(ordered: Ordered, subject: Json) -> Json:
    begins, ends = ordered.authored_at.isoformat(), ordered.until.isoformat()
    return {
        "resourceType": "MedicationRequest",
        "id": ordered.order,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept(ordered.medicine),
        "subject": subject,
        "authoredOn": begins,
        "dosageInstruction": [_dosage(ordered.dose_mg, ordered.schedule, {"start": begins, "end": ends})],
        "dispenseRequest": {"validityPeriod": {"start": begins, "end": ends}},
    }


def _dosage(dose_mg: str, schedule: str, bounds: Json | None = None) -> Json:
    repeat: Json = {"frequency": 1, "period": 1, "periodUnit": "wk" if schedule == "weekly" else "d"}
    if bounds is not None:
        repeat["boundsPeriod"] = bounds
    dose = {"value": _number(dose_mg), "unit": "mg", "system": UCUM, "code": "mg"}
    return {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}


def _condition(diagnosed: Diagnosed, subject: Json) -> Json:
    state = "active" if diagnosed.abated is None else "resolved"
    condition: Json = {
        "resourceType": "Condition",
        "id": diagnosed.condition,
        "clinicalStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-clinical", "code": state}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": [_coding(code) for code in diagnosed.codes]},
        "subject": subject,
        "onsetDateTime": diagnosed.onset.isoformat(),
        "recordedDate": diagnosed.recorded_at.isoformat(),
    }
    if diagnosed.abated is not None:
        condition["abatementDateTime"] = diagnosed.abated.isoformat()
    return condition


def _statement(stated: Stated, subject: Json) -> Json:
    statement: Json = {
        "resourceType": "Observation",
        "id": stated.statement,
        "status": "amended" if stated.is_revised else "final",
        "code": {"coding": [{"system": OWN, "code": stated.code}]},
        "subject": subject,
        "effectiveDateTime": stated.stated_at.isoformat(),
        "issued": stated.stated_at.isoformat(),
    }
    if stated.value_code is not None:
        statement["valueCodeableConcept"] = {"coding": [{"system": OWN, "code": stated.value_code}]}
    if stated.value_number is not None:
        statement["valueQuantity"] = {"value": _number(stated.value_number)}
    if stated.value_date is not None:
        statement["valueDateTime"] = stated.value_date.isoformat()
    return statement


def _concept(concept: CodedConcept) -> Json:
    return {"coding": [_coding(concept)]}


def _coding(concept: CodedConcept) -> Json:
    return {"system": concept.system, "code": concept.code, "display": concept.display}
