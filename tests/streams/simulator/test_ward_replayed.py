"""A ward through the rules: quiet by the book, and every mishap seen for what it is, in either dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from streams.simulator import Happening, Mishap, by_the_book, simulate, write_events, write_fhir

SEEN_AS = {
    Mishap.FALLING_COUNTS: {("anc-hold", "raised", "new-evidence")},
    Mishap.RELAPSING_NEUTROPENIA: {
        ("anc-hold", "raised", "new-evidence"),
        ("anc-cycle-delay", "raised", "new-evidence"),
        ("anc-hold", "updated", "worse"),
    },
    Mishap.PLATELET_FALL: {("plt-hold", "raised", "new-evidence")},
    Mishap.LOW_PLATELETS_ON_ASPIRIN: {("vte-aspirin-platelets", "raised", "new-evidence")},
    Mishap.FEVER: {("fn-suspected", "raised", "new-evidence")},
    Mishap.CORRECTED_RESULT: {("anc-hold", "withdrawn", "corrected")},
    Mishap.WRONG_UNIT: {("dq-unit", "raised", "new-evidence")},
    Mishap.MISSING_UNIT: {("dq-unit", "raised", "new-evidence")},
    Mishap.IMPLAUSIBLE_VALUE: {("dq-implausible", "raised", "new-evidence")},
    Mishap.CLUMPED_PLATELETS: {("dq-platelet-clump", "raised", "new-evidence")},
    Mishap.ANC_BY_PERCENT: {("dq-anc-uncomputable", "raised", "new-evidence")},
    Mishap.PRELIMINARY_THEN_FINAL: {("anc-hold", "raised", "new-evidence")},
    Mishap.LATE_RESULT: {("late-result-historical", "raised", "new-evidence")},
    Mishap.DELAYED_REPORT: {("cbc-overdue", "withdrawn", "evidence-arrived-late")},
    Mishap.MISSED_CBC: {("cbc-overdue", "raised", "time-passed")},
    Mishap.FORGOTTEN_VTE_PROPHYLAXIS: {("vte-ppx-missing", "raised", "new-evidence")},
    Mishap.FORGOTTEN_INFECTION_PROPHYLAXIS: {("inf-ppx-missing", "raised", "time-passed")},
    Mishap.DISPENSE_DURING_HOLD: {("hold-dispense", "raised", "new-evidence")},
}
"""Mishap to the transitions of which each patient it met must have at least one (rule, transition, cause)."""

SEEN_AS_NOTHING = {Mishap.DUPLICATED_MESSAGE, Mishap.STOPPED_COURSE}
"""Nothing that anybody need be told: a message twice, and an end that was recorded."""


def replay(folder: Path, dialect: str) -> list[dict[str, Any]]:
    out = folder.parent / f"{folder.name}.transitions"
    code = main(["replay", str(folder), "--format", dialect, "--timezone", "Asia/Seoul", "--out", str(out)])
    assert code == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def written(happenings: list[Happening], folder: Path, dialect: str = "events") -> Path:
    folder.mkdir()
    (write_events if dialect == "events" else write_fhir)(happenings, folder)
    return folder


@pytest.fixture(scope="module")
def ward() -> list[Happening]:
    return list(simulate())


@pytest.fixture(scope="module")
def transitions(ward: list[Happening], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return replay(written(ward, tmp_path_factory.mktemp("ward") / "events"), "events")


SPEAKS_OF_EVERYBODY = {"vte-tool-discordant"}
"""One note a course, of info: Table 3 asks a patient of tier 3 for nothing, the scores ask everybody for something."""


@pytest.mark.parametrize("sex", ["female", "male"])
def test_a_year_by_the_book_stays_quiet(sex: str, tmp_path: Path) -> None:
    happenings = by_the_book(sex, 56)  # type: ignore[arg-type]
    told = replay(written(happenings, tmp_path / "book"), "events")
    assert [(each["rule"], each["transition"], each["severity"]) for each in told] == [
        ("vte-tool-discordant", "raised", "info")
    ]


@pytest.mark.parametrize("mishap", sorted(SEEN_AS))
def test_a_mishap_is_seen_in_every_patient_it_met(
    mishap: Mishap, ward: list[Happening], transitions: list[dict[str, Any]]
) -> None:
    met = {happening.patient for happening in ward if happening.mishap is mishap}
    assert met
    for patient in met:
        told = {
            (each["rule"], each["transition"], each["cause"])
            for each in transitions
            if each["patient"]["id"] == patient
        }
        assert told & SEEN_AS[mishap], f"{patient} met {mishap.value} and was told {sorted(told)}"


def test_every_mishap_is_either_seen_or_nothing() -> None:
    assert set(SEEN_AS) | SEEN_AS_NOTHING == set(Mishap)


def test_nobody_is_told_of_a_patient_whom_nothing_met(ward: list[Happening], transitions: list[dict[str, Any]]) -> None:
    """Alerts come from mishaps: the clinicians of the ward keep to the guideline otherwise."""
    met = {happening.patient for happening in ward if happening.mishap is not None}
    told = {each["patient"]["id"] for each in transitions if each["rule"] not in SPEAKS_OF_EVERYBODY}
    assert told - met == set()
    assert len({happening.patient for happening in ward} - told) >= 8, "a good part of the ward is quiet"


def test_a_preliminary_low_count_is_told_as_provisional_first(
    ward: list[Happening], transitions: list[dict[str, Any]]
) -> None:
    met = {happening.patient for happening in ward if happening.mishap is Mishap.PRELIMINARY_THEN_FINAL}
    provisional = [
        each["patient"]["id"]
        for each in transitions
        if each["rule"] == "anc-hold" and each["transition"] == "raised" and each["provisional"]
    ]
    assert set(provisional) == met


def test_the_same_ward_as_fhir_tells_the_same(
    ward: list[Happening], transitions: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Ids differ with the dialect (they name the message); what is told, of whom, when and why, does not."""

    def substance(told: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        names = ("at", "effective_at", "rule", "reason", "severity", "transition", "cause", "cycle", "cycle_day")
        return sorted((each["patient"]["id"], *(str(each.get(name)) for name in names), each["title"]) for each in told)

    assert substance(replay(written(ward, tmp_path / "fhir", "fhir"), "fhir")) == substance(transitions)
