"""A merge in every dialect is the same entry, keyed by the retired number; what is unclear is refused, never guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.events import EntryKind
from schemas.inlet import Merge, PatientFact, PatientIdentity, RecordStatus
from schemas.reading import Reading
from schemas.values import PatientRef
from tests.schemas.feed import CONTEXT, WHO, event, fhir
from tests.schemas.hl7v2.writing import read

HOSPITAL = "urn:example:hospital"
ONE, OTHER = CONTEXT.refer(HOSPITAL, "1001"), CONTEXT.refer(HOSPITAL, "1002")
RETIRED = PatientIdentity(authority=HOSPITAL, id="1002")


def merges(reading: Reading) -> list[tuple[EntryKind, PatientRef | None, PatientRef]]:
    """(kind, whose entry, who survives)."""
    return [(each.kind, each.patient, each.merge.survivor) for each in reading.entries if each.merge is not None]


def patient(value: str, *links: tuple[str, Any], **more: Any) -> dict[str, Any]:
    body = {"resourceType": "Patient", "id": f"p{value}", "identifier": [{"system": HOSPITAL, "value": value}]}
    return {**body, "link": [{"type": kind, "other": other} for kind, other in links], **more}


def by_number(value: str) -> dict[str, Any]:
    return {"identifier": {"system": HOSPITAL, "value": value}}


CARRIED = [(EntryKind.MERGE, OTHER, ONE)]


@pytest.mark.parametrize(
    ("shows", "body"),
    [
        ("the retired one says who replaced it", patient("1002", ("replaced-by", by_number("1001")))),
        ("the surviving one says whom it replaces", patient("1001", ("replaces", by_number("1002")))),
        (
            "both of them in one message",
            {"resourceType": "Bundle", "type": "collection", "entry": [
                {"resource": patient("1002", ("replaced-by", {"reference": "Patient/p1001"}))},
                {"resource": patient("1001", ("replaces", {"reference": "Patient/p1002"}))},
            ]},
        ),
        (
            "the merge operation",
            {"resourceType": "Parameters", "parameter": [
                {"name": "source-patient-identifier", "valueIdentifier": by_number("1002")["identifier"]},
                {"name": "target-patient-identifier", "valueIdentifier": by_number("1001")["identifier"]},
            ]},
        ),
    ],
)  # fmt: skip
def test_fhir(shows: str, body: dict[str, Any]) -> None:
    reading = fhir(body)
    assert merges(reading) == CARRIED, shows
    assert reading.rejections == ()
    assert not [name for name in reading.unread if "link" in name]


@pytest.mark.parametrize(
    ("shows", "body"),
    [
        ("a reference to nobody in the message", patient("1002", ("replaced-by", {"reference": "Patient/77"}))),
        ("no other at all", patient("1002", ("replaced-by", {}))),
        ("a merge operation without a source", {"resourceType": "Parameters", "parameter": [
            {"name": "target-patient-identifier", "valueIdentifier": by_number("1001")["identifier"]}]}),
    ],
)  # fmt: skip
def test_fhir_that_does_not_say_who(shows: str, body: dict[str, Any]) -> None:
    reading = fhir(body)
    assert merges(reading) == [], shows
    assert [each.reason.value for each in reading.rejections] == ["no-patient"]


def test_a_feed_that_knows_patients_by_resource_may_refer_by_it() -> None:
    body = patient("1002", ("replaced-by", {"reference": "https://ehr/fhir/Patient/77"}))
    context = replace(CONTEXT, identity="resource-id")
    (found,) = merges(fhir(body, context))
    assert found[1:] == (context.refer(context.feed, "p1002"), context.refer(context.feed, "77"))


def test_other_links_and_parameters_are_counted() -> None:
    assert fhir(patient("1001", ("seealso", by_number("1002")))).unread == {"Patient.link of another type": 1}
    assert fhir({"resourceType": "Parameters", "parameter": []}).unread == {"resource Parameters": 1}


def test_a_link_to_itself_is_refused() -> None:
    reading = fhir(patient("1001", ("replaced-by", by_number("1001"))))
    assert merges(reading) == []
    assert [each.reason.value for each in reading.rejections] == ["merge-refused"]


@pytest.mark.parametrize("is_undone", [False, True])
def test_our_own_event(is_undone: bool) -> None:
    fact = Merge(retired=RETIRED, is_undone=is_undone)
    reading = event(PatientFact(patient=WHO, fact=fact))
    assert merges(reading) == [(EntryKind.UNMERGE if is_undone else EntryKind.MERGE, OTHER, ONE)]
    assert reading.outcome == "translated"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"retired": WHO}, "merge-refused"), ({"merged_at": "tomorrow"}, "time-unreadable")],
)
def test_our_own_event_that_cannot_be(change: dict[str, Any], reason: str) -> None:
    reading = event(PatientFact(patient=WHO, fact=Merge(**{"retired": RETIRED, **change})))
    assert (merges(reading), [each.reason.value for each in reading.rejections]) == ([], [reason])


def test_a_merge_is_not_taken_back_by_its_status() -> None:
    fact = PatientFact(patient=WHO, fact=Merge(retired=RETIRED), status=RecordStatus.ENTERED_IN_ERROR)
    assert [each.detail for each in event(fact).rejections] == ["a merge is final, or taken back by is_undone"]


def test_hl7_v2() -> None:
    reading = read("MRG|1002^^^HOSP^MR", kind="ADT^A40")
    ((kind, retired, survivor),) = merges(reading)
    assert (kind, retired, survivor) == (EntryKind.MERGE, CONTEXT.refer("HOSP", "1002"), CONTEXT.refer("HOSP", "1001"))
    assert reading.outcome == "translated"
