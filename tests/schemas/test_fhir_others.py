"""Condition, AdverseEvent, AllergyIntolerance, Procedure, Immunization, Encounter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.events import FactStatus
from schemas.fhir.adverse_event import GRADE_EXTENSION, GRADE_SYSTEM
from schemas.rejection import IgnoreReason, RejectionReason
from tests.schemas.feed import CONTEXT, RXNORM, SNOMED, SUBJECT, bundle, concept, facts, fhir, only

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def condition(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "Condition",
        "id": "c1",
        "code": concept(SNOMED, "128053003"),
        "subject": SUBJECT,
        "onsetDateTime": "2026-02-20",
        "recordedDate": "2026-02-21T00:00:00Z",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def test_condition() -> None:
    fact = only(fhir(condition()))
    assert (fact.concepts, fact.is_active, fact.status) == (("dvt", "vte"), True, FactStatus.FINAL)
    (entry,) = fhir(condition(), mode="file").entries
    assert entry.known_at == datetime(2026, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shows", "changes", "expected"),
    [
        ("over", {"clinicalStatus": concept(CLINICAL, "resolved")}, {"is_active": False}),
        ("came back", {"clinicalStatus": concept(CLINICAL, "relapse")}, {"is_active": True}),
        ("older spelling", {"clinicalStatus": "resolved"}, {"is_active": False}),
        ("refuted", {"verificationStatus": concept(VERIFICATION, "refuted")}, {"status": FactStatus.WITHDRAWN}),
        ("a guess", {"verificationStatus": concept(VERIFICATION, "provisional")}, {"status": FactStatus.PRELIMINARY}),
        ("history", {"code": concept("http://hl7.org/fhir/sid/icd-10-cm", "Z86.718")}, {"is_history": True}),
    ],
)
def test_states_of_a_condition(shows: str, changes: dict[str, Any], expected: dict[str, object]) -> None:
    fact = only(fhir(condition(**changes)))
    assert {name: getattr(fact, name) for name in expected} == expected, shows


def test_end_of_a_condition() -> None:
    fact = only(fhir(condition(abatementDateTime="2026-03-01T00:00:00Z")))
    assert fact.abated.earliest == datetime(2026, 3, 1, tzinfo=UTC)


def test_the_recorded_date_stands_in_for_the_onset() -> None:
    assert only(fhir(condition(onsetDateTime=...))).when.from_issue


def test_a_condition_without_any_time_is_rejected() -> None:
    body = condition(onsetDateTime=..., recordedDate=...)
    assert fhir(body).rejections[0].reason is RejectionReason.TIME_MISSING


def test_an_unknown_condition_is_ignored() -> None:
    reading = fhir(condition(code=concept(SNOMED, "84757009")))
    assert not facts(reading)
    assert reading.ignored[0].what == f"Condition {SNOMED}|84757009"


def adverse_event(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "AdverseEvent",
        "id": "ae",
        "actuality": "actual",
        "event": concept(SNOMED, "233604007"),
        "subject": SUBJECT,
        "date": "2026-03-01T00:00:00Z",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def test_grade_and_suspects() -> None:
    graded = adverse_event(
        extension=[{"url": GRADE_EXTENSION, "valueCodeableConcept": concept(GRADE_SYSTEM, "3")}],
        suspectEntity=[{"instance": {"reference": "MedicationDispense/d"}}, {"instance": {"reference": "Device/x"}}],
    )
    dispense = {
        "resourceType": "MedicationDispense",
        "id": "d",
        "status": "completed",
        "subject": SUBJECT,
        "medicationCodeableConcept": concept(RXNORM, "342369"),
        "whenHandedOver": "2026-02-01T00:00:00Z",
    }
    event = next(fact for fact in facts(fhir(bundle(graded, dispense))) if fact.kind == "adverse-event")
    assert (event.grade, event.concepts, event.related_to) == (3, ("infection", "pneumonia"), ("lenalidomide",))


def test_grade_as_severity_and_r5_spelling() -> None:
    fact = only(
        fhir(
            adverse_event(
                event=..., code=concept(SNOMED, "1"), severity=concept(GRADE_SYSTEM, "4"), date=...,
                occurrenceDateTime="2026-03-01T00:00:00Z", status="completed",
            )
        )
    )  # fmt: skip
    assert (fact.grade, fact.concepts) == (4, ())
    assert only(fhir(adverse_event(severity=concept("http://x", "severe")))).grade is None


def test_a_potential_event_did_not_happen() -> None:
    assert fhir(adverse_event(actuality="potential")).ignored[0].reason is IgnoreReason.NOT_DONE


def test_allergy() -> None:
    body: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "id": "al",
        "code": concept(SNOMED, "91939003"),
        "patient": SUBJECT,
        "recordedDate": "2026-02-01T00:00:00Z",
    }
    fact = only(fhir(body))
    assert (fact.substances, fact.is_active, fact.when.from_issue) == (("sulfonamide",), True, True)
    inactive = {**body, "clinicalStatus": concept("http://x", "inactive")}
    assert only(fhir(inactive)).is_active is False
    refuted = {**body, "verificationStatus": concept("http://x", "refuted")}
    assert only(fhir(refuted)).status is FactStatus.WITHDRAWN


def test_procedure() -> None:
    body: dict[str, Any] = {
        "resourceType": "Procedure",
        "id": "p",
        "status": "completed",
        "code": concept(SNOMED, "12719002"),
        "subject": SUBJECT,
        "performedPeriod": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T02:00:00Z"},
    }
    fact = only(fhir(body))
    assert (fact.concepts, fact.status) == (("platelet-transfusion",), FactStatus.FINAL)
    (entry,) = fhir(body, mode="file").entries
    assert entry.known_at == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert only(fhir({**body, "status": "not-done"})).status is FactStatus.WITHDRAWN
    assert only(fhir({**body, "status": "preparation"})).status is FactStatus.PLANNED


def test_vaccine() -> None:
    body: dict[str, Any] = {
        "resourceType": "Immunization",
        "id": "v",
        "status": "completed",
        "vaccineCode": concept("http://hl7.org/fhir/sid/cvx", "140"),
        "patient": SUBJECT,
        "occurrenceDateTime": "2025-11-03",
    }
    assert only(fhir(body)).vaccines == ("influenza",)
    assert only(fhir({**body, "status": "not-done"})).status is FactStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ({"class": {"system": "http://x", "code": "IMP"}}, "inpatient"),
        ({"class": {"system": "http://x", "code": "AMB"}}, "ambulatory"),
        ({"class": {"system": "http://x", "code": "EMER"}}, "emergency"),
        ({"class": [concept("http://x", "IMP")]}, "inpatient"),
        ({"class": {"code": "odd"}}, "other"),
        ({}, "other"),
    ],
)
def test_encounter(kind: dict[str, Any], setting: str) -> None:
    body = {"resourceType": "Encounter", "id": "e", "status": "finished", "subject": SUBJECT, **kind}
    fact = only(fhir({**body, "period": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"}}))
    assert (fact.setting, fact.ended.earliest) == (setting, datetime(2026, 3, 3, tzinfo=UTC))
    r5 = only(fhir({**body, "actualPeriod": {"start": "2026-03-01T00:00:00Z"}}))
    assert r5.when.earliest == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_planned_admission_is_planned() -> None:
    body = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "planned",
        "subject": SUBJECT,
        "period": {"start": "2026-04-01"},
    }
    assert only(fhir(body, CONTEXT)).status is FactStatus.PLANNED
