"""A ward as our own events and as FHIR: the same facts, known at the same instants, about the same people."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.R4B.bundle import Bundle

from schemas.events import Fact
from schemas.fhir import read_fhir
from schemas.inlet import read_event
from schemas.reading import Reading, ReadingContext
from streams.simulator import Happening, by_the_book, simulate
from streams.simulator.event_writer import structured_event
from streams.simulator.fhir_writer import fhir_line

CONTEXT = ReadingContext(
    feed="synthetic-ward", zone=ZoneInfo("Asia/Seoul"), secret=b"a secret of this test", obeys_known_at=True
)

OF_THE_DIALECT = {
    "fact_id": "names the server in one dialect and the feed in the other",
    "source": "the place within the message",
    "versioned_at": "FHIR knows a resource's version only by its own times",
}
"""Fields that may differ, and why."""


def substance(fact: Fact) -> dict[str, Any]:
    """What a fact says, whoever says it."""
    said = {key: value for key, value in fact.model_dump().items() if key not in OF_THE_DIALECT}
    if fact.kind == "patient":
        del said["issued_at"]  # a FHIR Patient has no time of issue
    return said


def readings(happening: Happening) -> tuple[Reading, Reading]:
    as_event = read_event(structured_event(happening), None, CONTEXT, "file")
    return as_event, read_fhir(fhir_line(happening), CONTEXT, "file")


def happenings() -> list[Happening]:
    return [*simulate(), *by_the_book("male", 30), *by_the_book("female", 30)]


def test_both_dialects_carry_the_same_facts() -> None:
    facts = 0
    for happening in happenings():
        as_event, as_fhir = readings(happening)
        assert not as_event.rejections
        assert not as_fhir.rejections
        said = [substance(fact) for entry in as_event.entries for fact in entry.facts]
        assert said == [substance(fact) for entry in as_fhir.entries for fact in entry.facts]
        assert said, "every message says something that some table knows"
        facts += len(said)
        for reading in (as_event, as_fhir):
            assert {entry.known_at for entry in reading.entries} == {happening.known_at}
        assert {entry.patient for entry in as_event.entries} == {entry.patient for entry in as_fhir.entries}
    assert facts > 5_000


def test_no_part_of_our_own_events_is_left_unread() -> None:
    for happening in happenings():
        as_event, _ = readings(happening)
        assert not as_event.unread
        assert not as_event.ignored


@pytest.mark.parametrize("dialect", ["event", "fhir"])
def test_facts_keep_their_identity_through_corrections(dialect: str) -> None:
    """A corrected report is about the same facts as the one it corrects: the ids tell."""
    ids: dict[str, set[str]] = {}
    for happening in simulate():
        report = getattr(happening.what, "report", None)
        if report is None:
            continue
        as_event, as_fhir = readings(happening)
        reading = as_event if dialect == "event" else as_fhir
        found = {fact.fact_id for entry in reading.entries for fact in entry.facts}
        assert ids.setdefault(report, found) == found
    assert len(ids) > 500


def test_other_peoples_software_accepts_our_fhir() -> None:
    """An independent library (R4B, which agrees with R4 on these resources) reads every kind of resource we write."""
    kinds = set()
    for happening in list(simulate(6, 10, 3)):
        bundle = Bundle.model_validate_json(fhir_line(happening))
        kinds |= {type(entry.resource).__name__ for entry in bundle.entry}
    assert kinds == {
        *("Condition", "DiagnosticReport", "Immunization", "MedicationDispense", "MedicationRequest"),
        *("Observation", "Patient"),
    }
