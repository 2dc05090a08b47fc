"""Versions of a policy: what each status may be used for, and what differs between two, in words and as data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.cli import main
from streams.medicine import load_activation
from streams.policy_commands import Use, load, may_be, read
from streams.policy_differences import compare, in_words
from streams.refusals import Refusal

SITE = """\
profile: site
based_on: kr-panel
version: "2"
status: {status}
effective_from: "2027-01-01"
approved_by: "the pharmacy committee"
"""
PROFILES = ("kr-panel", "uspi", "eu-smpc")


def site(tmp_path: Path, differs: str = "", status: str = "active") -> str:
    path = tmp_path / f"site-{status}.yaml"
    path.write_text(SITE.format(status=status) + differs, encoding="utf-8")
    return str(path)


# --- what each status may be used for ---


@pytest.mark.parametrize(
    ("status", "uses"),
    [
        ("draft", {Use.REPLAY}),
        ("shadow", {Use.REPLAY, Use.TRY}),
        ("active", {Use.REPLAY, Use.TRY, Use.JUDGE}),
        ("retired", {Use.REPLAY}),
    ],
)
def test_what_a_version_may_be_used_for(
    status: str, uses: set[Use], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site(tmp_path, status=status)
    assert set(may_be(status)) == uses
    for use in Use:
        if use in uses:
            assert load_activation(file, use).profile == "site"
        else:
            with pytest.raises(Refusal, match=f"status '{status}' and cannot be {use}"):
                load_activation(file, use)
    assert main(["policy", "check", file]) == 0
    assert main(["policy", "show", "--policy", file]) == 0
    assert f"may be          {', '.join(may_be(status))}" in capsys.readouterr().out
    assert main(["policy", "diff", "kr-panel", file]) == 0


@pytest.mark.parametrize(
    ("status", "instead"),
    [("draft", "`shadow` to try it"), ("shadow", "worker --shadow"), ("retired", "begin a new version")],
)
def test_only_an_active_version_is_put_in_force_and_the_others_are_told_what_to_do(
    status: str, instead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "activate", site(tmp_path, status=status)]) == 2
    assert instead in capsys.readouterr().err


def test_a_worker_does_not_judge_by_what_is_not_active(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be put in force"):
        load_activation(site(tmp_path, status="shadow"))


# --- what the log carries ---


@pytest.mark.parametrize("profile", PROFILES)
def test_an_activation_needs_no_other_file(profile: str) -> None:
    activation = load_activation(profile)
    assert "based_on" not in activation.text
    assert read(activation.text).hash == activation.hash == load(profile).hash


def test_a_profile_that_is_based_on_another_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "uspi"]) == 0
    assert "based on kr-panel 1.0.0" in capsys.readouterr().out


def test_every_error_names_its_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, 'values:\n  anc_severe: {value: "5", unit: "cells/uL", source: "x"}\nrules:\n  anc-hol: {}\n')
    assert main(["policy", "check", file]) == 1
    said = capsys.readouterr().err
    assert f"{file}:8: `anc_severe` = 5 is outside its clinical bounds" in said
    assert f"{file}:10: no rule is called `anc-hol`" in said
    assert "2 errors" in said


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("command", [["policy", "show"], ["rules", "list"], ["rules", "list", "--json"],
                                     ["rules", "show", "anc-hold"]])  # fmt: skip
def test_every_command_that_takes_a_profile_takes_the_three(
    profile: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--profile", profile]) == 0
    assert profile in capsys.readouterr().out


# --- what differs, in words ---


def words(tmp_path: Path, differs: str) -> list[str]:
    return in_words(compare(load("kr-panel"), load(site(tmp_path, differs))))


def test_a_number_is_told_with_its_meaning_unit_and_source(tmp_path: Path) -> None:
    said = words(tmp_path, 'values:\n  anc_resume_at: {value: "1500", unit: "cells/uL", source: "site 4"}\n')
    assert said[0] == "From kr-panel 1.0.0 (active) to site 2 (active)"
    assert "  effective from: 2026-11-21 becomes 2027-01-01" in said
    assert "Numbers and choices (1)" in said
    assert "  An ANC hold is released at this: 1,000 cells/uL becomes 1,500 cells/uL  [anc_resume_at; site 4]" in said
    assert not any("alike" in line for line in said)


def test_a_flag_is_yes_or_no_and_names_its_ambiguity(tmp_path: Path) -> None:
    said = words(tmp_path, 'values:\n  table3_literal: {value: true, source: "site"}\n')
    assert any("below the LMWH platelet limit: no becomes yes  [table3_literal, ambiguity 12; site]" in s for s in said)


@pytest.mark.parametrize(
    ("differs", "section", "line"),
    [
        ("anc-low-watch: {severity: off}", "Rules switched off (1)", "medium becomes off  [anc-low-watch]"),
        ("nonheme-g34: {severity: high}", "Rules switched on (1)", "off becomes high  [nonheme-g34]"),
        ("anc-low-watch: {severity: high}", "Severity changed (1)", "medium becomes high  [anc-low-watch]"),
        ("anc-hold: {severity: {severe: critical, repeat: medium}}", "Severity changed (1)",
         "severe critical, repeat high, label high becomes severe critical, repeat medium  [anc-hold]"),
        ("anc-low-watch: {status: draft}", "Status of a rule changed (1)", "active becomes draft  [anc-low-watch]"),
        ('hb-low: {sources: ["site 1"]}', "The same, resting on another source (1)", "becomes site 1  [hb-low]"),
    ],
)  # fmt: skip
def test_a_rule_is_told_by_what_it_asks(differs: str, section: str, line: str, tmp_path: Path) -> None:
    said = words(tmp_path, f"rules:\n  {differs}\n")
    assert section in said
    assert any(each.endswith(line) for each in said), said
    assert sum(each.endswith(")") for each in said[1:]) == 1, "one section"


def test_a_ladder_is_told_step_by_step(tmp_path: Path) -> None:
    said = words(tmp_path, 'ladders:\n  consensus: {steps: ["25", "10"], unit: mg, source: "site"}\n')
    assert "  ladder (mg) consensus: 25; 15; 10; 5 becomes 25; 10" in said


def test_a_source_alone_changes_no_judgement(tmp_path: Path) -> None:
    said = words(tmp_path, 'values:\n  anc_severe: {value: "500", unit: "cells/uL", source: "site"}\n')
    assert said[-1] == "The two judge alike: no number, table or severity differs."
    assert any("S2 Hematologic toxicities rec 1 becomes site  [anc_severe]" in line for line in said)


def test_two_that_are_the_same_judge_alike(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", "uspi", "uspi"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "From uspi 1.0.0 (active) to uspi 1.0.0 (active)",
        "The two judge alike: no number, table or severity differs.",
    ]


def test_the_same_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", "kr-panel", "eu-smpc", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["a"]["profile"], told["b"]["profile"], told["judge_alike"]) == ("kr-panel", "eu-smpc", False)
    resume = next(row for row in told["keys"] if row["key"] == "anc_resume_at")
    assert (resume["before"], resume["after"], resume["unit"]) == ("1000", "500", "cells/uL")
    gate = {(row["rule"], row["change"]): (row["before"], row["after"]) for row in told["rules"]}
    assert gate["anc-low-watch", "switched-off"] == ("medium", "off")
    assert gate["anc-gcsf-missing", "severity"] == ("high", "medium")
