"""The catalogue says the truth: about the table of rules, about what rules read, about the policy."""

from __future__ import annotations

import csv
import json
from contextlib import redirect_stdout
from datetime import datetime
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from rules.catalogue import BY_ID, CATALOGUE, HOLD_RULES
from rules.ledger import Ledger
from rules.view import View
from rules.watch import READS
from schemas.events import Fact
from streams.cli import main
from tests.properties.histories import courses
from tests.rules.bedside import PROFILES, on, policy
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
    opening = {rule.rule for rule in (*HOLD_RULES.counts, HOLD_RULES.fever, *HOLD_RULES.stops)}
    assert opening == {entry.id for entry in CATALOGUE if entry.is_hold}


LATER = {"surv-rate-high": "a rule about a cohort, outside the register of any patient: it comes with surveillance"}
"""Rows of the table that no catalogue of patients' rules holds."""

FOLLOWED_OTHERWISE: dict[tuple[str, str], tuple[str, str]] = {}
"""(rule, column) to (what we have, why): what is wrong in the table of rules."""


def rows() -> dict[str, dict[str, str]]:
    with TABLE.open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}


@lru_cache
def listed(profile: str) -> dict[str, dict[str, Any]]:
    """What `rules list --json` prints, by id."""
    with redirect_stdout(StringIO()) as out:
        assert main(["rules", "list", "--json", "--profile", profile]) == 0
    return {row["id"]: row for row in json.loads(out.getvalue())}


def in_words(severity: dict[str, str]) -> str:
    """Severity by reason as the table writes it: the different ones, most severe first; `off` alone where all are."""
    order = ("critical", "high", "medium", "info")
    said = [name for name in order if name in severity.values()]
    return "/".join(said) or "off"


def compare(profile: str) -> list[str]:
    """Every cell in which the catalogue and the table differ."""
    differing = []
    for rule, row in listed(profile).items():
        told = rows().get(rule)
        if told is None:
            continue
        ours = {column: row[column] for column in ("section", "family", "subject", "form")}
        ours[profile] = in_words(row["severity"])
        for column, value in ours.items():
            wanted = FOLLOWED_OTHERWISE.get((rule, column), (told[column], ""))[0]
            if value != wanted:
                differing.append(f"{rule}: {column} is {value}, the table says {wanted}")
    return differing


beside_the_table = pytest.mark.skipif(not TABLE.exists(), reason="the table of rules is not beside the project")


@beside_the_table
@pytest.mark.parametrize("profile", PROFILES)
def test_no_rule_of_the_table_is_missing(profile: str) -> None:
    assert sorted(set(rows()) - set(LATER) - set(listed(profile))) == []


@beside_the_table
@pytest.mark.parametrize("profile", PROFILES)
def test_no_rule_is_there_that_the_table_does_not_know(profile: str) -> None:
    assert sorted(set(listed(profile)) - set(rows()) - set(LATER)) == []


@beside_the_table
@pytest.mark.parametrize("profile", PROFILES)
def test_section_family_subject_form_and_severity_are_those_of_the_table(profile: str) -> None:
    assert compare(profile) == []


@beside_the_table
@pytest.mark.parametrize("column", ["section", "family", "subject", "form"])
def test_a_cell_that_differs_would_be_seen(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(listed("uspi")["anc-hold"], column, "wrong")
    assert compare("uspi") == [f"anc-hold: {column} is wrong, the table says {rows()['anc-hold'][column]}"]


@beside_the_table
def test_a_severity_that_differs_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(listed("uspi")["anc-hold"], "severity", {"*": "medium"})
    assert compare("uspi") == ["anc-hold: uspi is medium, the table says critical/high"]


@beside_the_table
def test_what_we_follow_otherwise_is_really_otherwise() -> None:
    for (rule, column), (ours, why) in FOLLOWED_OTHERWISE.items():
        assert rows()[rule][column] != ours, rule
        assert why, rule


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
