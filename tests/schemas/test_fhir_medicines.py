"""Dispense, administration, request, statement: which medicine, how strong, how much, how often."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.events import FactStatus, Schedule
from schemas.rejection import IgnoreReason, RejectionReason
from tests.schemas.feed import ATC, OWN, RECEIVED, RXNORM, SNOMED, SUBJECT, bundle, concept, facts, fhir, only

CAPSULE = concept(RXNORM, "643720")


def dispense(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "MedicationDispense",
        "id": "d1",
        "status": "completed",
        "medicationCodeableConcept": CAPSULE,
        "subject": SUBJECT,
        "whenHandedOver": "2026-03-02T14:00:00+09:00",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def request(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": CAPSULE,
        "subject": SUBJECT,
        "authoredOn": "2026-03-02T11:00:00+09:00",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def dosage(dose: Any = None, **repeat: Any) -> list[dict[str, Any]]:
    built: dict[str, Any] = {"timing": {"repeat": repeat}} if repeat else {}
    if dose is not None:
        built["doseAndRate"] = [{"doseQuantity": dose}]
    return [built]


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.mark.parametrize(
    ("shows", "repeat", "schedule", "daily"),
    [
        ("every day", DAILY, Schedule.DAILY, 25),
        ("twice a day", {**DAILY, "frequency": 2}, Schedule.DAILY, 50),
        ("every other day", {"frequency": 1, "period": 2, "periodUnit": "d"}, Schedule.ALTERNATE_DAYS, 25),
        ("every 48 hours", {"frequency": 1, "period": 48, "periodUnit": "h"}, Schedule.ALTERNATE_DAYS, 25),
        ("every 12 hours", {"frequency": 1, "period": 12, "periodUnit": "h"}, Schedule.DAILY, 50),
        ("once a week", {"frequency": 1, "period": 1, "periodUnit": "wk"}, Schedule.WEEKLY, 25),
        ("every seven days", {"frequency": 1, "period": 7, "periodUnit": "d"}, Schedule.WEEKLY, 25),
        ("on Mondays", {"dayOfWeek": ["mon"]}, Schedule.WEEKLY, 25),
        ("on two days a week", {"dayOfWeek": ["mon", "thu"]}, Schedule.OTHER, 25),
        ("three times a week", {"frequency": 3, "period": 1, "periodUnit": "wk"}, Schedule.OTHER, None),
        ("every third day", {"frequency": 1, "period": 3, "periodUnit": "d"}, Schedule.OTHER, None),
        ("one to two times", {**DAILY, "frequencyMax": 2}, Schedule.OTHER, None),
        ("every month", {"frequency": 1, "period": 1, "periodUnit": "mo"}, Schedule.OTHER, None),
        (
            "twice, by the clock",
            {"period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]},
            Schedule.DAILY,
            50,
        ),
    ],
)
def test_schedules(shows: str, repeat: dict[str, Any], schedule: Schedule, daily: int | None) -> None:
    fact = only(fhir(dispense(dosageInstruction=dosage({"value": 25, "code": "mg"}, **repeat))))
    assert (fact.dose_mg, fact.schedule, fact.daily_dose_mg) == (25, schedule, daily), shows


@pytest.mark.parametrize(
    ("code", "schedule", "daily"),
    [("QD", Schedule.DAILY, 25), ("QOD", Schedule.ALTERNATE_DAYS, 25), ("BID", Schedule.DAILY, 50)],
)
def test_schedules_as_codes(code: str, schedule: Schedule, daily: int) -> None:
    timing = {"code": concept("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", code)}
    body = dispense(
        dosageInstruction=[{"timing": timing, "doseAndRate": [{"doseQuantity": {"value": 25, "code": "mg"}}]}]
    )
    fact = only(fhir(body))
    assert (fact.schedule, fact.daily_dose_mg) == (schedule, daily)


@pytest.mark.parametrize(
    ("shows", "dose", "mg"),
    [
        ("milligrams", {"value": 10, "code": "mg"}, 10),
        ("grams", {"value": Decimal("0.01"), "unit": "g"}, 10),
        ("micrograms", {"value": 500, "unit": "µg"}, Decimal("0.5")),
        ("capsules of a known strength", {"value": 1, "unit": "capsule"}, 25),
        ("two capsules", {"value": 2, "code": "{capsule}"}, 50),
        ("millilitres", {"value": 5, "unit": "mL"}, None),
        ("no unit", {"value": 1}, None),
    ],
)
def test_doses(shows: str, dose: dict[str, Any], mg: Any) -> None:
    assert only(fhir(dispense(dosageInstruction=dosage(dose, **DAILY)))).dose_mg == mg, shows


def test_several_instructions_are_neither_added_nor_chosen_from() -> None:
    reading = fhir(dispense(dosageInstruction=dosage({"value": 25, "code": "mg"}, **DAILY) * 2))
    fact = only(reading)
    assert (fact.dose_mg, fact.daily_dose_mg, fact.schedule) == (None, None, Schedule.OTHER)
    assert reading.unread["MedicationDispense: more than one dosage instruction"] == 1


@pytest.mark.parametrize(
    ("shows", "quantity", "units"),
    [
        ("capsules", {"value": 21, "unit": "{capsule}"}, 21),
        ("as upper-case text", {"value": 21, "unit": "CAP"}, 21),
        ("bare", {"value": 21}, 21),
        ("milligrams that are whole capsules", {"value": 525, "code": "mg"}, 21),
        ("milligrams that are not", {"value": 530, "code": "mg"}, None),
        ("millilitres", {"value": 480, "unit": "mL"}, None),
    ],
)
def test_quantities(shows: str, quantity: dict[str, Any], units: int | None) -> None:
    assert only(fhir(dispense(quantity=quantity))).quantity == units, shows


@pytest.mark.parametrize(
    ("shows", "supply", "days"),
    [
        ("days", {"value": 28, "code": "d"}, 28),
        ("as text", {"value": 28, "unit": "Days"}, 28),
        ("weeks", {"value": 4, "code": "wk"}, 28),
        ("bare", {"value": 28}, 28),
        ("a whole number with decimals", {"value": Decimal("28.0"), "code": "d"}, 28),
        ("not whole", {"value": Decimal("27.5"), "code": "d"}, None),
        ("months are no number of days", {"value": 1, "code": "mo"}, None),
        ("absurd", {"value": 10**9, "code": "d"}, None),
    ],
)
def test_days_of_supply(shows: str, supply: dict[str, Any], days: int | None) -> None:
    assert only(fhir(dispense(daysSupply=supply))).days_supply == days, shows


# --- which medicine


def medication(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": "m", **fields}


def ingredient(code: dict[str, Any], value: Any, unit: str, per: Any = None) -> dict[str, Any]:
    return {
        "itemCodeableConcept": code,
        "strength": {
            "numerator": {"value": value, "unit": unit},
            "denominator": per or {"value": 1, "unit": "capsule"},
        },
    }


@pytest.mark.parametrize(
    ("shows", "product", "medicine", "strength"),
    [
        ("its own code", medication(code=CAPSULE), "lenalidomide", 25),
        (
            "an ingredient with its strength",
            medication(
                code=concept("http://example.org", "LEN25"),
                ingredient=[ingredient(concept(RXNORM, "342369"), 10, "mg")],
            ),
            "lenalidomide",
            10,
        ),
        (
            "a strength per millilitre is not of one unit",
            medication(ingredient=[ingredient(concept(RXNORM, "3264"), 4, "mg", {"value": 1, "unit": "mL"})]),
            "dexamethasone",
            None,
        ),
        (
            "two ingredients that are one medicine",
            medication(
                ingredient=[
                    ingredient(concept(RXNORM, "10180"), 800, "mg"),
                    ingredient(concept(RXNORM, "10829"), 160, "mg"),
                ]
            ),
            "co-trimoxazole",
            None,
        ),
    ],
)
def test_a_medication_resource(shows: str, product: dict[str, Any], medicine: str, strength: int | None) -> None:
    contained = dispense(medicationCodeableConcept=..., medicationReference={"reference": "#m"}, contained=[product])
    inside = dispense(medicationCodeableConcept=..., medicationReference={"reference": "Medication/m"})
    for body in (contained, bundle(product, inside)):
        fact = only(fhir(body))
        assert (fact.medicine, fact.strength_mg) == (medicine, strength), shows


def test_two_ingredients_that_are_no_medicine_of_ours_are_not_one_of_them() -> None:
    product = medication(
        ingredient=[ingredient(concept(RXNORM, "3264"), 1, "mg"), ingredient(concept(RXNORM, "2551"), 3, "mg")]
    )
    body = dispense(medicationCodeableConcept=..., medicationReference={"reference": "#m"}, contained=[product])
    reading = fhir(body)
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.UNKNOWN_CODE


def test_r5_spelling_of_the_medication() -> None:
    fact = only(fhir(dispense(medicationCodeableConcept=..., medication={"concept": CAPSULE})))
    assert fact.medicine == "lenalidomide"
    by_reference = dispense(
        medicationCodeableConcept=...,
        medication={"reference": {"reference": "#m"}},
        contained=[medication(code=CAPSULE)],
    )
    assert only(fhir(by_reference)).strength_mg == 25


def test_a_medication_that_did_not_come_along_is_a_rejection_a_person_can_see() -> None:
    body = dispense(medicationCodeableConcept=..., medicationReference={"reference": "Medication/elsewhere"})
    assert fhir(body).rejections[0].reason is RejectionReason.VALUE_MISSING


@pytest.mark.parametrize(
    "changes",
    [
        {"medicationCodeableConcept": concept(ATC, "S01BA01")},
        {
            "medicationCodeableConcept": concept(RXNORM, "3264"),
            "dosageInstruction": [{"route": concept(SNOMED, "54485002")}],
        },
        {
            "medicationCodeableConcept": concept(RXNORM, "3264"),
            "dosageInstruction": [{"route": concept("http://terminology.hl7.org/CodeSystem/v2-0162", "OT")}],
        },
    ],
)
def test_eye_and_ear_drops_do_not_count(changes: dict[str, Any]) -> None:
    reading = fhir(dispense(**changes))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.NOT_SYSTEMIC


# --- states and times


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("completed", FactStatus.FINAL),
        ("cancelled", FactStatus.WITHDRAWN),
        ("declined", FactStatus.WITHDRAWN),
        ("entered-in-error", FactStatus.WITHDRAWN),
        ("unknown", FactStatus.PRELIMINARY),
    ],
)
def test_state_of_a_dispense(status: str, becomes: FactStatus) -> None:
    assert only(fhir(dispense(status=status))).status is becomes


@pytest.mark.parametrize("status", ["preparation", "in-progress", "on-hold"])
def test_what_is_only_prepared_was_not_handed_over(status: str) -> None:
    reading = fhir(dispense(status=status))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.NOT_DONE


def test_a_dispense_without_its_time_is_rejected() -> None:
    assert fhir(dispense(whenHandedOver=...)).rejections[0].reason is RejectionReason.TIME_MISSING


def test_marks_on_a_dispense() -> None:
    fact = only(fhir(dispense(type=concept(OWN, "cycle-day-1"))))
    assert fact.cycle_day_1 is True
    assert only(fhir(dispense())).cycle_day_1 is None


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({}, FactStatus.FINAL),
        ({"status": "draft"}, FactStatus.PLANNED),
        ({"intent": "plan"}, FactStatus.PLANNED),
        ({"intent": "proposal"}, FactStatus.PLANNED),
        ({"status": "cancelled"}, FactStatus.WITHDRAWN),
        ({"status": "entered-in-error", "intent": "plan"}, FactStatus.WITHDRAWN),
    ],
)
def test_state_of_an_order(changes: dict[str, Any], becomes: FactStatus) -> None:
    assert only(fhir(request(**changes))).status is becomes


def test_an_order_not_to_give_is_no_order() -> None:
    reading = fhir(request(doNotPerform=True))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.NOT_DONE


@pytest.mark.parametrize(
    ("shows", "changes", "until"),
    [
        ("open", {}, None),
        (
            "bounded",
            {"dosageInstruction": dosage(None, **DAILY, boundsPeriod={"end": "2026-03-30T00:00:00Z"})},
            "2026-03-30",
        ),
        ("valid until", {"dispenseRequest": {"validityPeriod": {"end": "2026-04-01T00:00:00Z"}}}, "2026-04-01"),
        (
            "stopped, last touched then",
            {"status": "stopped", "meta": {"lastUpdated": "2026-03-10T00:00:00Z"}},
            "2026-03-10",
        ),
        ("stopped, R5", {"status": "stopped", "statusChanged": "2026-03-11T00:00:00Z"}, "2026-03-11"),
        ("stopped, nothing said but the receipt", {"status": "stopped"}, "2026-03-09"),
        (
            "stopped after its end",
            {
                "status": "stopped",
                "statusChanged": "2026-05-11T00:00:00Z",
                "dosageInstruction": dosage(None, **DAILY, boundsPeriod={"end": "2026-03-30T00:00:00Z"}),
            },
            "2026-03-30",
        ),
    ],
)
def test_end_of_an_order(shows: str, changes: dict[str, Any], until: str | None) -> None:
    fact = only(fhir(request(**changes), RECEIVED))
    assert (fact.until and f"{fact.until.earliest:%Y-%m-%d}") == until, shows


def test_an_order_for_21_days() -> None:
    fact = only(fhir(request(dosageInstruction=dosage(None, **DAILY, boundsDuration={"value": 21, "code": "d"}))))
    assert fact.days_supply == 21


def test_administration() -> None:
    body = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": concept(ATC, "H02AB02"),
        "subject": SUBJECT,
        "effectivePeriod": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"},
        "dosage": {"dose": {"value": 40, "code": "mg"}},
        "category": concept(OWN, "cycle-day-1"),
    }
    fact = only(fhir(body))
    assert (fact.medicine, fact.dose_mg, fact.cycle_day_1) == ("dexamethasone", 40, True)
    (entry,) = fhir(body, mode="file").entries
    assert entry.known_at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert only(fhir({**body, "status": "not-done"})).status is FactStatus.WITHDRAWN
    r5 = {name: value for name, value in body.items() if name != "effectivePeriod"}
    assert only(fhir({**r5, "occurenceDateTime": "2026-03-02T00:00:00Z"})).when.earliest == fact.when.earliest


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationUsage"])
def test_home_medicine(kind: str) -> None:
    body = {
        "resourceType": kind,
        "id": "h1",
        "status": "active",
        "medicationCodeableConcept": concept(RXNORM, "1191"),
        "subject": SUBJECT,
        "effectivePeriod": {"start": "2026-01-10"},
        "dateAsserted": "2026-03-02T00:00:00Z",
        "dosage": dosage({"value": 100, "code": "mg"}, **DAILY),
    }
    fact = only(fhir(body))
    assert (fact.medicine, fact.daily_dose_mg, fact.until) == ("aspirin", 100, None)
    stopped = only(fhir({**body, "status": "stopped"}))
    assert stopped.until.earliest == datetime(2026, 3, 2, tzinfo=UTC)
    assert only(fhir({**body, "status": "not-taken"})).status is FactStatus.WITHDRAWN
    assert only(fhir({**body, "status": "intended"})).status is FactStatus.PLANNED
