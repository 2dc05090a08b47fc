"""The HL7 v2 examples of `docs/facts.md`: each says what its FHIR twin says, and each line of a table is of the page."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.fhir import diagnostic_report
from schemas.hl7v2 import observation, read_message
from schemas.published.examples import EXAMPLES, Example
from schemas.published.hl7_examples import HL7_EXAMPLES
from tests.schemas.feed import CONTEXT, RECEIVED, facts, fhir, only

OF_THE_DIALECT = {"fact_id", "source", "versioned_at", "issued_at"}
"""Names, places and versions; and the time of issue, which a message has where a resource has none."""
NOT_SAID: dict[str, set[str]] = {
    "Adverse event with its grade": {"related_to"},
    "Laboratory result, vital sign or score": {"specimen"},
}
"""What HL7 v2 has no place for, or names otherwise."""


def said(fact: Any, leave: set[str]) -> dict[str, Any]:
    body = {name: value for name, value in fact.model_dump().items() if name not in OF_THE_DIALECT | leave}
    for coding in body.get("codes", ()):
        coding["display"] = None
    return body


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_message_says_what_the_resource_says(example: Example) -> None:
    raw = HL7_EXAMPLES[example.title].message.encode()
    reading = read_message(raw, RECEIVED)
    assert not reading.rejections
    assert not reading.unread
    leave = NOT_SAID.get(example.title, set())
    if example.title == "Who the patient is":
        leave = {"when"}  # MSH-7 here, `meta.lastUpdated` there
    assert said(only(reading), leave) == said(only(fhir(example.fhir, RECEIVED)), leave)


def test_every_fact_of_the_page_has_its_message() -> None:
    assert list(HL7_EXAMPLES) == [example.title for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_no_line_of_a_table_is_lost(example: Example) -> None:
    """A row that the FHIR reader does not have would vanish from the page."""
    assert HL7_EXAMPLES[example.title].fields.keys() <= {row.says for row in example.rows}


def test_the_rows_of_reports_are_those_of_the_page() -> None:
    assert observation.REPORT_ROWS.keys() <= {row.says for row in diagnostic_report.ROWS}


def test_without_a_zone_a_time_is_refused_with_its_field() -> None:
    raw = HL7_EXAMPLES["Vaccine"].message.replace("+0900", "").encode()
    from tests.schemas.feed import NO_ZONE

    reading = read_message(raw, NO_ZONE)
    assert [(each.reason.value, each.part) for each in reading.rejections] == [("zone-missing", "MSH[1]")]
    assert facts(read_message(raw, CONTEXT))
