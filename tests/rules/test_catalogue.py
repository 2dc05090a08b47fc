"""The catalogue says the truth: about the table of rules, about what rules read, about the policy."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from rules.catalogue import BY_ID, CATALOGUE, HOLD_RULES
from rules.ledger import Ledger
from rules.view import View
from rules.watch import READS
from schemas.events import Fact
from tests.properties.histories import courses
from tests.rules.bedside import on, policy
from tests.rules.log import Walk

TABLE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "rules.tsv"


class Reading(View):
    """A view that notes the name of everything a rule asks for."""

    def __init__(self, ledger: Ledger, at: datetime) -> None:
        super().__init__(ledger, at, policy())
        self.asked: set[str] = set()

    def newest(self, analyte: str) -> Any:
        self.asked.add(analyte)
        return super().newest(analyte)

    def previous(self, analyte: str) -> Any:
        self.asked.add(analyte)
        return super().previous(analyte)

    def baseline(self, analyte: str) -> Any:
        self.asked.add(analyte)
        return super().baseline(analyte)

    def preliminary(self, analyte: str) -> Any:
        self.asked.add(analyte)
        return super().preliminary(analyte)

    def unusable(self, analyte: str) -> Any:
        self.asked.add(analyte)
        return super().unusable(analyte)

    def supplies(self, *names: str) -> Any:
        self.asked.update(names)
        return super().supplies(*names)

    def diagnoses(self, *concepts: str) -> Any:
        self.asked.update(concepts)
        return super().diagnoses(*concepts)

    def statement(self, code: str) -> Any:
        self.asked.add(code)
        return super().statement(code)

    def procedure_since(self, since: datetime, *concepts: str) -> Any:
        self.asked.update(concepts)
        return super().procedure_since(since, *concepts)


def test_ids_are_unique_and_in_the_policy() -> None:
    assert len(BY_ID) == len(CATALOGUE)
    assert set(policy().rules) == set(BY_ID)


def test_rules_that_supersede_are_in_the_catalogue() -> None:
    assert {rule for entry in CATALOGUE for rule in entry.superseded_by} <= set(BY_ID)


def test_every_rule_that_can_open_a_hold_is_marked_as_one() -> None:
    opening = {rule.rule for rule in HOLD_RULES.counts} | {HOLD_RULES.fever.rule}
    assert opening == {entry.id for entry in CATALOGUE if entry.is_hold}


def rows() -> Iterator[dict[str, str]]:
    with TABLE.open(newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


@pytest.mark.skipif(not TABLE.exists(), reason="the table of rules is not beside the project")
@pytest.mark.parametrize("rule", sorted(BY_ID))
def test_subject_form_family_and_severity_are_those_of_the_table(rule: str) -> None:
    row = next(row for row in rows() if row["id"] == rule)
    entry = BY_ID[rule]
    assert (entry.section, entry.family, entry.subject, entry.form) == (
        row["section"], row["family"], row["subject"], row["form"])  # fmt: skip
    severities = {severity.value for severity in policy().rules[rule].severity.values() if severity}
    assert severities == set(row["kr-panel"].split("/")) - {"off"}


@settings(max_examples=120, deadline=None)
@given(courses())
def test_a_rule_reads_only_what_it_says_it_reads(parts: list[list[Fact]]) -> None:
    """What no rule reads is not kept: a name missing from `reads` would be a rule that is blind."""
    one = Walk()
    for part in parts:
        one.hear(part, on(80))
    if one.record is None:
        return
    for day in (5, 29, 40, 80, 120):
        for entry in CATALOGUE:
            view = Reading(one.record.ledger, on(day))
            entry.assess(view)
            assert view.asked - READS == set(), entry.id
