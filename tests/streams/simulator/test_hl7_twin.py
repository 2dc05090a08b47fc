"""The same course as HL7 v2 and as FHIR: the same facts, and the same transitions out of the rules."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.alerts import Transition
from schemas.events import Fact
from schemas.fhir import read_fhir
from schemas.hl7v2 import read_message
from schemas.reading import Reading, ReadingContext
from streams.medicine import RulesMedicine
from streams.policy_commands import activation_of, load
from streams.replay import FileMessage, ReplayOfFiles
from streams.simulator import Happening, by_the_book, simulate
from streams.simulator.fhir_writer import fhir_line
from streams.simulator.hl7_writer import hl7_messages

CONTEXT = ReadingContext(feed="synthetic-ward", zone=ZoneInfo("Asia/Seoul"), secret=b"a secret of this test")

OF_THE_DIALECT = {
    "fact_id": "names the server in one dialect, order and code in the other",
    "source": "the place within the message",
    "versioned_at": "HL7 v2 knows a version by its message where it has no time of issue",
}
"""Fields that may differ, and why."""


def substance(fact: Fact) -> dict[str, Any]:
    said = {key: value for key, value in fact.model_dump().items() if key not in OF_THE_DIALECT}
    if fact.kind == "patient":
        del said["issued_at"]  # a FHIR Patient has no time of issue
    for coding in said.get("codes", ()):
        coding["display"] = None
    if fact.kind == "lab-result" and fact.doubt is None and fact.value is not None:
        said["text"] = None  # HL7 keeps a remark that decides nothing; FHIR leaves it in the original
    return said


def live(raw: bytes, known_at: datetime) -> Reading:
    """As translate reads it when the broker's stamp is `known_at`."""
    reading = read_message(raw, replace(CONTEXT, received_at=known_at))
    entries = tuple(entry.model_copy(update={"known_at": known_at}) for entry in reading.entries)
    return replace(reading, entries=entries)


def courses() -> list[Happening]:
    return [*simulate(), *by_the_book("male", 30), *by_the_book("female", 30)]


def test_both_dialects_carry_the_same_facts() -> None:
    facts: Counter[str] = Counter()
    for happening, raw in hl7_messages(courses()):
        as_hl7, as_fhir = live(raw, happening.known_at), read_fhir(fhir_line(happening), CONTEXT, "file")
        assert not as_hl7.rejections
        assert not as_hl7.unread
        said = [substance(fact) for entry in as_hl7.entries for fact in entry.facts]
        assert said == [substance(fact) for entry in as_fhir.entries for fact in entry.facts]
        assert {entry.patient for entry in as_hl7.entries} == {entry.patient for entry in as_fhir.entries}
        facts.update(fact.kind for entry in as_hl7.entries for fact in entry.facts)
    assert facts.total() > 5_000
    assert set(facts) >= {"lab-result", "medicine-dispensed", "medicine-ordered", "patient", "condition", "statement"}


def test_facts_keep_their_identity_through_corrections() -> None:
    ids: dict[str, set[str]] = {}
    for happening, raw in hl7_messages(simulate()):
        report = getattr(happening.what, "report", None)
        if report is not None:
            found = {fact.fact_id for entry in live(raw, happening.known_at).entries for fact in entry.facts}
            assert ids.setdefault(report, found) == found
    assert len(ids) > 500


def told(messages: Iterable[tuple[bytes, datetime]], *, is_hl7: bool) -> list[Transition]:
    stamps: dict[bytes, list[datetime]] = {}
    body = ReplayOfFiles(
        readers={
            "hl7v2": lambda raw, _: live(raw, stamps[raw].pop(0)),
            "fhir": lambda raw, _: read_fhir(raw, CONTEXT, "file"),
        },
        context=CONTEXT,
        medicine=RulesMedicine(),
        policy=activation_of(load("kr-panel")),
    )
    for number, (raw, known_at) in enumerate(messages):
        stamps.setdefault(raw, []).append(known_at)
        body.read(FileMessage(raw, "hl7v2" if is_hl7 else "fhir", CONTEXT.feed, str(number)))
    return asyncio.run(body.run()).result.transitions


def in_common(transition: Transition) -> tuple[Any, ...]:
    """Rule, reason, transition, time, severity and normalised evidence."""
    evidence = sorted(
        (str(each.what), str(each.normalised), str(each.collected_at), str(each.issued_at))
        for each in transition.evidence
    )
    return (
        *(transition.patient.id, transition.rule, transition.reason, transition.transition, transition.cause),
        *(transition.at, transition.effective_at, transition.severity, transition.sequence),
        tuple(evidence),
    )


@pytest.mark.parametrize("seed", [7, pytest.param(11, marks=pytest.mark.long)])
def test_both_dialects_give_the_same_transitions(seed: int) -> None:
    ward = list(simulate(24, 16, seed))
    as_hl7 = told(((raw, each.known_at) for each, raw in hl7_messages(ward)), is_hl7=True)
    as_fhir = told(((fhir_line(each), each.known_at) for each in ward), is_hl7=False)
    assert [in_common(each) for each in as_hl7] == [in_common(each) for each in as_fhir]
    assert len(as_hl7) > 20
