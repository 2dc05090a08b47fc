"""Bundles, patients, references, when things could be known, and what is left unread."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.reading import Outcome
from schemas.rejection import RejectionReason
from tests.schemas.feed import CONTEXT, LOINC, RECEIVED, SUBJECT, bundle, concept, facts, fhir, observation, only

MRN = {"type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"), "system": "urn:mrn", "value": "77"}
CARD = {"system": "urn:card", "value": "C-1"}


def patient(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "birthDate": "1955-07-14", "gender": "female", **fields}


def about(reference: str, **fields: Any) -> dict[str, Any]:
    return observation(subject={"reference": reference}, **fields)


@pytest.mark.parametrize(
    ("shows", "identifiers", "expected"),
    [
        ("the record number first", [CARD, MRN], ("urn:mrn", "77")),
        ("else the first", [CARD, {"system": "urn:x", "value": "9"}], ("urn:card", "C-1")),
        ("never an old one where there is another", [{**MRN, "use": "old"}, CARD], ("urn:card", "C-1")),
        ("without a system the feed is the authority", [{"value": "9"}], ("laboratory", "9")),
        ("without a value it is none", [{"system": "urn:x"}], ("laboratory", "p")),
        ("none", [], ("laboratory", "p")),
    ],
)
def test_which_number_a_patient_is_known_by(shows: str, identifiers: list[Any], expected: tuple[str, str]) -> None:
    for reading in (
        fhir(patient(identifier=identifiers)),
        fhir(bundle(patient(identifier=identifiers), about("Patient/p"))),
    ):
        assert {(entry.patient.authority, entry.patient.id) for entry in reading.entries if entry.patient} == {
            expected
        }, shows


def test_the_sites_choice_of_number_comes_first() -> None:
    chosen = replace(CONTEXT, preferred_authority="urn:card")
    (entry,) = fhir(patient(identifier=[MRN, CARD]), chosen).entries
    assert entry.patient is not None
    assert entry.patient.id == "C-1"


def test_feeds_that_send_single_resources_can_go_by_the_resource_id() -> None:
    by_id = replace(CONTEXT, identity="resource-id")
    (one,) = fhir(patient(identifier=[MRN]), by_id).entries
    (other,) = fhir(about("Patient/p"), by_id).entries
    assert one.patient == other.patient


def test_earlier_files_tell_who_a_reference_is() -> None:
    """A folder with one resource a file: the Patient is one file, its results are others."""
    known = fhir(patient(identifier=[MRN])).patients
    (entry,) = fhir(about("https://server/fhir/Patient/p"), replace(CONTEXT, patients=known)).entries
    assert entry.patient is not None
    assert entry.patient.id == "77"


@pytest.mark.parametrize(
    "reference",
    ["Patient/p", "https://server/fhir/Patient/p", "Patient/p/_history/3", "urn:uuid:p", "urn:uuid:1c2b"],
)
def test_every_spelling_of_a_reference_finds_the_patient(reference: str) -> None:
    body = bundle(patient(identifier=[MRN]), about(reference))
    body["entry"][0]["fullUrl"] = "urn:uuid:1c2b"
    reading = fhir(body)
    assert not reading.rejections
    assert len(reading.entries) == 1


def test_a_contained_patient() -> None:
    body = about("#p", contained=[patient(identifier=[MRN])])
    (entry,) = fhir(body).entries
    assert entry.patient is not None
    assert entry.patient.id == "77"


@pytest.mark.parametrize(
    "subject",
    [{}, {"reference": "urn:uuid:nobody"}, {"reference": "Group/1"}, {"reference": "#gone"}, {"display": "Kim"}, "x"],
)
def test_without_a_patient_nothing_is_read(subject: Any) -> None:
    (rejection,) = fhir(observation(subject=subject)).rejections
    assert rejection.reason is RejectionReason.NO_PATIENT


def test_a_patient_without_any_number_is_rejected() -> None:
    assert fhir({"resourceType": "Patient"}).rejections[0].reason is RejectionReason.NO_IDENTITY


def test_description() -> None:
    race = {
        "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
        "extension": [
            {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3"}},
            {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9"}},
        ],
    }
    fact = only(
        fhir(
            patient(
                extension=[race], address=[{"use": "old", "country": "US"}, {"country": "KR"}],
                deceasedDateTime="2026-03-01T00:00:00Z",
            )
        )
    )  # fmt: skip
    assert (fact.sex, fact.country, fact.race) == ("female", "KR", "2106-3 2028-9")
    # In the summer of 1955 Korea was nine and a half hours ahead: the day is placed by the history of the zone.
    assert fact.birth.earliest == datetime(1955, 7, 13, 14, 30, tzinfo=UTC)
    assert fact.died.earliest == datetime(2026, 3, 1, tzinfo=UTC)
    assert "Kim" not in str(only(fhir(patient(name=[{"family": "Kim"}]))))


# --- entries


def test_live_one_entry_a_message_and_patient() -> None:
    other = patient(id="q", identifier=[CARD])
    reading = fhir(
        bundle(
            patient(identifier=[MRN]),
            about("Patient/p", id="a"),
            other,
            about("Patient/q", id="b"),
            about("Patient/p", id="c"),
        )
    )
    assert [len(entry.facts) for entry in reading.entries] == [3, 2]
    assert len({entry.event_id for entry in reading.entries}) == 2
    assert all(entry.known_at is None for entry in reading.entries)


def course(**fields: Any) -> dict[str, Any]:
    early = observation(id="a", issued="2026-03-02T01:00:00Z", effectiveDateTime="2026-03-01T00:00:00Z")
    late = observation(id="b", issued="2026-03-09T01:00:00Z", effectiveDateTime="2026-03-08T00:00:00Z")
    unsaid = observation(id="c", issued=..., effectiveDateTime="2026-03-05T00:00:00Z")
    who = {**patient(identifier=[{"system": "urn:example:hospital", "value": "1001"}])}
    return bundle(late, who, early, unsaid, **fields)


def test_a_file_is_split_by_what_could_be_known_when() -> None:
    reading = fhir(course(), mode="file")
    seen = [
        (f"{entry.known_at:%d %H}", entry.known_at_assumed, [fact.kind for fact in entry.facts])
        for entry in reading.entries
    ]
    assert seen == [
        ("02 01", False, ["patient", "lab-result"]),
        ("05 00", True, ["lab-result"]),
        ("09 01", False, ["lab-result"]),
    ]


@pytest.mark.parametrize("kind", ["message", "transaction", "batch"])
def test_a_dated_message_could_be_known_at_its_timestamp(kind: str) -> None:
    reading = fhir(course(kind=kind, timestamp="2026-03-20T00:00:00Z"), mode="file")
    assert {entry.known_at for entry in reading.entries} == {datetime(2026, 3, 20, tzinfo=UTC)}


def test_a_search_result_is_not_known_when_it_was_asked_for() -> None:
    reading = fhir(course(kind="searchset", timestamp="2026-03-20T00:00:00Z"), mode="file")
    assert len(reading.entries) == 3


def test_a_transaction_without_timestamp_goes_by_its_resources() -> None:
    assert len(fhir(course(kind="transaction"), mode="file").entries) == 3


def test_results_of_one_report_stay_together_in_a_file() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": concept(LOINC, "58410-2"),
        "subject": SUBJECT,
        "issued": "2026-03-02T01:00:00Z",
        "result": [{"reference": "Observation/a"}, {"reference": "Observation/b"}],
    }
    members = [observation(id=name, issued=..., effectiveDateTime="2026-03-01T00:00:00Z") for name in "ab"]
    alone = observation(id="c", issued="2026-03-02T01:00:00Z")
    reading = fhir(bundle(*members, alone, report), mode="file")
    assert [len(entry.facts) for entry in reading.entries] == [2, 1]


def test_meta_last_updated_comes_before_the_clinical_time() -> None:
    body = observation(issued=..., meta={"lastUpdated": "2026-03-04T00:00:00Z"})
    (entry,) = fhir(body, mode="file").entries
    assert (entry.known_at, entry.known_at_assumed) == (datetime(2026, 3, 4, tzinfo=UTC), False)


def test_the_same_bytes_give_the_same_reading() -> None:
    assert fhir(course(), mode="file") == fhir(course(), mode="file")


# --- parts


def test_bundles_inside_bundles() -> None:
    inner = bundle(observation())
    assert len(facts(fhir(bundle(bundle(inner))))) == 1
    assert fhir(bundle(bundle(bundle(bundle(inner))))).rejections[0].reason is RejectionReason.TOO_DEEP


def test_a_deletion_names_nobody() -> None:
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Observation/1"}}],
    }
    assert fhir(body).rejections[0].reason is RejectionReason.UNSUPPORTED_TYPE


def test_a_modifier_we_do_not_know_stops_the_reading() -> None:
    for body in (
        observation(modifierExtension=[{"url": "http://x", "valueBoolean": True}]),
        observation(component=[{"modifierExtension": [{"url": "http://x"}]}]),
        observation(implicitRules="http://x"),
    ):
        (rejection,) = fhir(body).rejections
        assert rejection.reason is RejectionReason.UNKNOWN_MODIFIER


def test_one_bad_part_does_not_spoil_the_others() -> None:
    reading = fhir(bundle(observation(id="a"), observation(id="b", subject={}), observation(id="c")))
    assert len(facts(reading)) == 2
    assert [rejection.part for rejection in reading.rejections] == ["entry[1] Observation"]
    assert reading.outcome is Outcome.PARTLY


def test_everything_unread_is_counted_by_kind() -> None:
    body = observation(
        performer=[{}], interpretation=[], extension=[{"url": "http://example.org/x"}], contained=[{"resourceType": "Device"}],
        _effectiveDateTime={},
    )  # fmt: skip
    reading = fhir(bundle(body, {"resourceType": "Claim", "id": "1"}, {"resourceType": "Claim", "id": "2"}))
    assert reading.unread == {
        "Observation.contained Device": 1,
        "Observation.effectiveDateTime": 1,
        "Observation.extension http://example.org/x": 1,
        "Observation.interpretation": 1,
        "Observation.performer": 1,
        "resource Claim": 2,
    }
    assert reading.entries[0].unread == reading.unread


def test_a_resource_that_is_not_read_is_ignored_as_a_message() -> None:
    assert fhir({"resourceType": "Claim", "id": "1"}).outcome is Outcome.IGNORED


@pytest.mark.parametrize("body", [{}, [], "x", 3, None, {"resourceType": 3}, {"resourceType": ""}])
def test_not_a_resource(body: Any) -> None:
    assert fhir(body).rejections[0].reason is RejectionReason.WRONG_SHAPE


def test_a_resource_without_id_is_known_by_patient_time_and_code_and_flagged() -> None:
    one, again = only(fhir(observation(id=...))), only(fhir(observation(id=..., status="corrected")))
    assert one.fact_id == again.fact_id
    assert one.fact_id.startswith("derived|")


def test_rejections_say_when_they_were_received() -> None:
    assert fhir({}, RECEIVED).rejections[0].rejected_at == RECEIVED.received_at
