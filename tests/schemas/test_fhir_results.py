"""Observation and DiagnosticReport: values, bounds, panels, statements, and what belongs together."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.events import FactStatus, ResultDoubt
from schemas.reading import Outcome
from schemas.rejection import IgnoreReason, RejectionReason
from tests.schemas.feed import (
    LOINC,
    NO_ZONE,
    OWN,
    RECEIVED,
    SNOMED,
    SUBJECT,
    bundle,
    concept,
    facts,
    fhir,
    observation,
    only,
)


def quantity(value: Any = Decimal("0.9"), **fields: Any) -> dict[str, Any]:
    return {"value": value, **fields}


@pytest.mark.parametrize(
    ("shows", "given", "expected"),
    [
        ("unit as text", {"valueQuantity": quantity(unit="10*3/uL")}, {"normalised": Decimal(900), "unit": "10*3/uL"}),
        ("unit as code", {"valueQuantity": quantity(code="10*9/L")}, {"normalised": Decimal(900), "unit": "10*9/L"}),
        (
            "the code is not known, the text is",
            {"valueQuantity": quantity(code="THOU", unit="K/uL")},
            {"normalised": Decimal(900), "unit": "K/uL"},
        ),
        (
            "code and text agree",
            {"valueQuantity": quantity(code="10*9/L", unit="thousand/uL")},
            {"normalised": Decimal(900)},
        ),
        (
            "code and text contradict each other",
            {"valueQuantity": quantity(code="/uL", unit="10*3/uL")},
            {"normalised": None, "doubt": ResultDoubt.UNIT_UNKNOWN, "could_breach": True},
        ),
        ("digits stay", {"valueQuantity": quantity(Decimal("0.90"), unit="K/uL")}, {"value": Decimal("0.90")}),
        (
            "a bound",
            {"valueQuantity": quantity(Decimal("0.1"), unit="K/uL", comparator="<")},
            {"comparator": "<", "normalised": Decimal(100)},
        ),
        (
            "a comparator that is none of ours",
            {"valueQuantity": quantity(unit="K/uL", comparator="ad")},
            {"value": None, "doubt": ResultDoubt.NOT_A_NUMBER},
        ),
        (
            "printed",
            {"valueQuantity": ..., "valueString": "< 0.1"},
            {"comparator": "<", "doubt": ResultDoubt.UNIT_MISSING},
        ),
        (
            "words",
            {"valueQuantity": ..., "valueString": "see note"},
            {"text": "see note", "doubt": ResultDoubt.NOT_A_NUMBER},
        ),
        (
            "an integer",
            {"valueQuantity": ..., "valueInteger": 5},
            {"value": Decimal(5), "doubt": ResultDoubt.UNIT_MISSING},
        ),
        (
            "absent on purpose",
            {"valueQuantity": ..., "dataAbsentReason": concept("http://x", "error")},
            {"value": None, "doubt": ResultDoubt.ABSENT},
        ),
        ("a range is no number", {"valueQuantity": ..., "valueRange": {}}, {"doubt": ResultDoubt.NOT_A_NUMBER}),
        ("a quantity without a value", {"valueQuantity": {"unit": "K/uL"}}, {"doubt": ResultDoubt.ABSENT}),
        ("a value of the wrong type", {"valueQuantity": {"value": "0.9", "unit": "K/uL"}}, {"value": None}),
        ("true is not one", {"valueQuantity": {"value": True, "unit": "K/uL"}}, {"value": None}),
    ],
)
def test_values(shows: str, given: dict[str, Any], expected: dict[str, object]) -> None:
    fact = only(fhir(observation(**given)))
    assert {name: getattr(fact, name) for name in expected} == expected, shows


def test_a_result_with_everything() -> None:
    fact = only(
        fhir(
            observation(
                referenceRange=[
                    {"low": quantity(Decimal(9), unit="K/uL"), "type": concept("http://x", "treatment")},
                    {"low": quantity(Decimal("1.5"), unit="10*9/L"), "high": quantity(Decimal(8), unit="10*9/L")},
                ],
                specimen={"reference": "Specimen/7"},
                meta={"lastUpdated": "2026-03-02T02:00:00Z"},
            )
        )
    )
    assert fact.fact_id == "laboratory|Observation|o1"
    assert (fact.range.low, fact.range.high) == (1500, 8000)
    assert fact.specimen == "Specimen/7"
    assert fact.when.earliest == datetime(2026, 3, 1, 23, 15, tzinfo=UTC)
    assert fact.issued_at == datetime(2026, 3, 2, 1, 40, tzinfo=UTC)
    assert fact.versioned_at == datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("printed", "limits"),
    [("1.5-8.0", ("1500", "8000")), ("1.5 – 8.0", ("1500", "8000")), ("up to 8", None), ("adults: 1.5-8", None)],
)
def test_a_printed_range(printed: str, limits: tuple[str, str] | None) -> None:
    fact = only(fhir(observation(referenceRange=[{"text": printed}])))
    assert (fact.range and (str(fact.range.low), str(fact.range.high))) == limits


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("preliminary", FactStatus.PRELIMINARY),
        ("final", FactStatus.FINAL),
        ("amended", FactStatus.CORRECTED),
        ("corrected", FactStatus.CORRECTED),
        ("cancelled", FactStatus.WITHDRAWN),
        ("entered-in-error", FactStatus.WITHDRAWN),
        ("unknown", FactStatus.PRELIMINARY),
        (..., FactStatus.PRELIMINARY),
    ],
)
def test_status(status: Any, becomes: FactStatus) -> None:
    assert only(fhir(observation(status=status))).status is becomes


def test_registered_is_not_yet_a_result() -> None:
    reading = fhir(observation(status="registered"))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.RESULT_ABSENT


@pytest.mark.parametrize(
    ("shows", "given", "earliest", "latest"),
    [
        ("an instant", {"effectiveInstant": "2026-03-02T00:00:00Z"}, "02T00:00", "02T00:00"),
        ("a day", {"effectiveDateTime": "2026-03-02"}, "01T15:00", "02T14:59"),
        (
            "a period",
            {"effectivePeriod": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}},
            "01T00:00",
            "02T00:00",
        ),
        ("only its start", {"effectivePeriod": {"start": "2026-03-01T00:00:00Z"}}, "01T00:00", "01T00:00"),
    ],
)
def test_effective_times(shows: str, given: dict[str, Any], earliest: str, latest: str) -> None:
    body = observation(**{"effectiveDateTime": ..., **given})
    when = only(fhir(body)).when
    assert (f"{when.earliest:%dT%H:%M}", f"{when.latest:%dT%H:%M}") == (earliest, latest), shows


def test_issue_time_stands_in_and_is_flagged() -> None:
    assert only(fhir(observation(effectiveDateTime=...))).when.from_issue


def test_the_specimens_collection_time_comes_before_the_issue_time() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "collection": {"collectedDateTime": "2026-03-01T00:00:00Z"}}
    body = observation(effectiveDateTime=..., specimen={"reference": "Specimen/s"})
    fact = only(fhir(bundle(specimen, body)))
    assert fact.when.earliest == datetime(2026, 3, 1, tzinfo=UTC)
    assert not fact.when.from_issue


def test_no_time_at_all_is_rejected_unless_it_withdraws() -> None:
    body = observation(effectiveDateTime=..., issued=...)
    assert fhir(body, RECEIVED).rejections[0].reason is RejectionReason.TIME_MISSING
    assert only(fhir({**body, "status": "entered-in-error"}, RECEIVED)).when.from_issue


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2026-03-02T08:15:00", RejectionReason.ZONE_MISSING), ("2026-03-02", RejectionReason.ZONE_MISSING)],
)
def test_a_time_without_zone_needs_one(text: str, reason: RejectionReason) -> None:
    (rejection,) = fhir(observation(effectiveDateTime=text), NO_ZONE).rejections
    assert rejection.reason is reason
    assert "--timezone" in rejection.detail


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "2026-03-02T25:00:00Z", "0000"])
def test_a_time_that_does_not_exist_is_rejected_without_repeating_it(text: str) -> None:
    (rejection,) = fhir(observation(effectiveDateTime=text)).rejections
    assert rejection.reason is RejectionReason.TIME_UNREADABLE
    assert text not in rejection.detail


def test_a_race_entry_is_not_a_pregnancy_test() -> None:
    """2106-3 in the CDC race codes is "White"."""
    race = observation(code=..., valueQuantity=..., valueString="Positive")
    race["code"] = concept("urn:oid:2.16.840.1.113883.6.238", "2106-3")
    reading = fhir(race)
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.UNKNOWN_CODE
    test = {**race, "code": concept(LOINC, "2106-3")}
    assert only(fhir(test)).answer == "positive"


def test_a_code_without_a_system_is_a_doubt() -> None:
    fact = only(fhir({**observation(), "code": {"coding": [{"code": "751-8"}]}}))
    assert (fact.analyte, fact.doubt) == ("anc", ResultDoubt.CODE_SYSTEM)


def test_local_and_standard_codes_side_by_side() -> None:
    both = {"coding": [{"system": "http://example.org/lab", "code": "NEUT"}, {"system": LOINC, "code": "751-8"}]}
    assert only(fhir({**observation(), "code": both})).analyte == "anc"


def test_codings_of_two_analytes_are_refused() -> None:
    both = {"coding": [{"system": LOINC, "code": "777-3"}, {"system": LOINC, "code": "751-8"}]}
    assert fhir({**observation(), "code": both}).rejections[0].reason is RejectionReason.WRONG_SHAPE


def test_clumps_in_a_note() -> None:
    body = observation("777-3", valueQuantity=quantity(20, unit="10*9/L"), note=[{"text": "Platelet clumps seen"}])
    fact = only(fhir(body))
    assert (fact.doubt, fact.normalised) == (ResultDoubt.CLUMPED, 20000)


def test_a_coded_answer() -> None:
    body = observation("2118-8", valueQuantity=..., valueCodeableConcept=concept(SNOMED, "10828004"))
    assert only(fhir(body)).answer == "positive"
    body = observation("2118-8", valueQuantity=..., valueCodeableConcept={"text": "NEGATIVE"})
    assert only(fhir(body)).answer == "negative"


# --- panels, components, reports


def test_components_are_results_of_their_own() -> None:
    pressure = observation(
        "85354-9",
        valueQuantity=...,
        component=[
            {"code": concept(LOINC, "8480-6"), "valueQuantity": quantity(120, unit="mmHg")},
            {"code": concept(LOINC, "8462-4"), "valueQuantity": quantity(80, unit="mmHg")},
        ],
    )
    reading = fhir(pressure)
    fact = only(reading)
    assert (fact.analyte, fact.normalised, fact.fact_id) == ("systolic-bp", 120, "laboratory|Observation|o1#0")
    assert fact.source.position == ".component[0]"
    assert {(ignored.reason, ignored.count) for ignored in reading.ignored} == {
        (IgnoreReason.PANEL, 1),
        (IgnoreReason.UNKNOWN_CODE, 1),
    }


def test_a_panels_members_are_values_and_share_its_specimen() -> None:
    panel = observation(
        "58410-2", id="p", valueQuantity=..., hasMember=[{"reference": "Observation/a"}, {"reference": "urn:uuid:b"}]
    )
    members = [observation(id="a"), observation("777-3", id="b", valueQuantity=quantity(80, unit="10*9/L"))]
    reading = fhir(bundle(panel, *members))
    assert [fact.analyte for fact in facts(reading)] == ["anc", "platelets"]  # type: ignore[union-attr]
    assert {fact.specimen for fact in facts(reading)} == {"Observation/p"}  # type: ignore[union-attr]


def test_a_value_on_a_panel_code_is_not_read() -> None:
    reading = fhir(observation("58410-2"))
    assert not facts(reading)
    assert reading.outcome is Outcome.IGNORED


def test_contained_results_take_what_the_report_says() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": concept(LOINC, "58410-2"),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-03-02T08:15:00+09:00",
        "issued": "2026-03-02T10:40:00+09:00",
        "specimen": [{"reference": "Specimen/7"}],
        "result": [{"reference": "#a"}, {"reference": "#b"}],
        "contained": [
            {
                "resourceType": "Observation",
                "id": "a",
                "code": concept(LOINC, "751-8"),
                "valueQuantity": quantity(unit="K/uL"),
            },
            {
                "resourceType": "Observation",
                "id": "b",
                "code": concept(LOINC, "777-3"),
                "valueQuantity": quantity(80, unit="K/uL"),
            },
        ],
    }
    reading = fhir(report)
    anc, platelets = facts(reading)
    assert (anc.analyte, anc.status, anc.specimen) == ("anc", FactStatus.FINAL, "Specimen/7")  # type: ignore[union-attr]
    assert anc.fact_id == "laboratory|Observation|r#a"
    assert anc.issued_at == datetime(2026, 3, 2, 1, 40, tzinfo=UTC)
    assert platelets.source.position == "contained[1]"
    assert not reading.rejections


def test_an_imaging_report_is_a_procedure() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": concept(LOINC, "39432-0"),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-03-02T08:15:00+09:00",
    }
    assert only(fhir(report)).concepts == ("vte-imaging",)


# --- statements


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("vte-risk-assessment", {"valueCodeableConcept": concept(OWN, "tier-1")}, {"value_code": "tier-1"}),
        ("aggressive-disease", {"valueBoolean": True}, {"value_code": "yes"}),
        ("aggressive-disease", {"valueBoolean": False}, {"value_code": "no"}),
        ("immobilisation", {"valueString": "bedbound"}, {"value_code": "bedbound"}),
        ("ecog", {"valueInteger": 2}, {"value_number": Decimal(2)}),
        (
            "dexamethasone-plan-mg-per-cycle",
            {"valueQuantity": quantity(160, code="mg")},
            {"value_number": Decimal(160)},
        ),
        ("spm-review", {}, {"value_code": None}),
    ],
)
def test_statements(code: str, value: dict[str, Any], expected: dict[str, object]) -> None:
    fact = only(fhir({**observation(**{"valueQuantity": ..., **value}), "code": concept(OWN, code)}))
    assert fact.code == code
    assert {name: getattr(fact, name) for name in expected} == expected


def test_a_planned_day_lies_ahead() -> None:
    fact = only(
        fhir(
            {**observation(valueQuantity=..., valueDateTime="2026-03-30"), "code": concept(OWN, "planned-cycle-day-1")}
        )
    )
    assert fact.value_when.earliest == datetime(2026, 3, 29, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("vte-risk-assessment", {"valueCodeableConcept": concept(OWN, "tier-9")}),
        ("planned-cycle-day-1", {}),
        ("dexamethasone-plan-mg-per-cycle", {"valueQuantity": quantity(4, code="g")}),
        ("ecog", {"valueString": "two"}),
    ],
)
def test_a_statement_without_its_value_is_rejected(code: str, value: dict[str, Any]) -> None:
    (rejection,) = fhir({**observation(**{"valueQuantity": ..., **value}), "code": concept(OWN, code)}).rejections
    assert rejection.reason is RejectionReason.VALUE_MISSING
