"""The dose after a hold: too high, or below the lowest of the ladder."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, start
from tests.rules.bedside import cbc, lenalidomide, policy, result, statement, supply

HIGH, FLOOR = "resume-dose-high", "dose-floor"
REDUCE = [*cbc(8, "2500", "20000"), *cbc(12)]
"""A platelet hold, released: resume one step lower."""
SAME = [*cbc(8, "400"), *cbc(12)]
"""A first neutropenia, released: resume at the same dose."""


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("one step lower as allowed", [*REDUCE, lenalidomide(13, "15")], "quiet"),
        ("lower than allowed", [*REDUCE, lenalidomide(13, "10")], "quiet"),
        ("between the steps", [*REDUCE, lenalidomide(13, "20")], "high"),
        ("not reduced", [*REDUCE, lenalidomide(13, "25")], "high"),
        ("the same dose where that is allowed", [*SAME, lenalidomide(13, "25")], "quiet"),
        ("alternate days at the old dose are a lower intensity", [*REDUCE, lenalidomide(13, "25", schedule="alternate-days")], "quiet"),
        ("only ordered", [*REDUCE, lenalidomide(13, "25", way="ordered")], "quiet"),
        ("dispensed while still held", [*cbc(8, "2500", "20000"), lenalidomide(13, "25")], "quiet"),
        ("a later one at the allowed dose", [*REDUCE, lenalidomide(13, "25"), lenalidomide(14, "15")], "quiet"),
        ("a later one too high again", [*REDUCE, lenalidomide(13, "25"), lenalidomide(14, "25")], "high"),
        ("a later one of unknown dose", [*REDUCE, lenalidomide(13, "25"), supply("lenalidomide", 14, days=28)], "high"),
        ("only the first dispense after release", [*REDUCE, lenalidomide(13, "15"), lenalidomide(14, "25")], "quiet"),
        ("a new hold", [*REDUCE, lenalidomide(13, "25"), *cbc(14, "400")], "quiet"),
        ("dose not stated", [*REDUCE, supply("lenalidomide", 13, days=28)], "cannot: the dose of lenalidomide dispensed after the hold"),
        ("course ended", [*REDUCE, lenalidomide(13, "25"), statement("lenalidomide-stopped", 14, "other")], "quiet"),
        ("a preliminary release is none", [*cbc(8, "2500", "20000"), *cbc(12, status=FactStatus.PRELIMINARY), lenalidomide(13, "25")], "quiet"),
    ],
)  # fmt: skip
def test_resumed(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(HIGH, start(), facts, day=15) == answer


def test_two_distinct_holds_are_two_steps() -> None:
    facts = [*REDUCE, *cbc(14, "2500", "20000"), *cbc(18)]
    assert answer_of(HIGH, start(), facts, lenalidomide(19, "10"), day=19) == "quiet"
    assert answer_of(HIGH, start(), facts, lenalidomide(19, "15"), day=19) == "high"


def test_alternate_days_have_no_ladder() -> None:
    begun = [*cbc(-1), lenalidomide(1, "15", schedule="alternate-days")]
    assert answer_of(HIGH, begun, REDUCE, lenalidomide(13, "15"), day=13) == "cannot: the dose allowed after the hold"
    same_rhythm = lenalidomide(13, "15", schedule="alternate-days")
    assert answer_of(HIGH, begun, SAME, same_rhythm, day=13) == "quiet"
    assert answer_of(HIGH, begun, SAME, lenalidomide(13, "15"), day=13) == "high"


def test_corrected_dispense_closes_it() -> None:
    wrong = lenalidomide(13, "25", fact_id="rx")
    right = lenalidomide(13, "15", fact_id="rx", status=FactStatus.CORRECTED)
    assert answer_of(HIGH, start(), REDUCE, wrong, day=14) == "high"
    assert answer_of(HIGH, start(), REDUCE, right, day=14) == "quiet"


def test_it_names_the_allowed_dose() -> None:
    given = lenalidomide(13, "25")
    finding = finding_of(HIGH, start(), REDUCE, given, day=13)
    assert finding.title == "Lenalidomide resumed at 25 mg, allowed is 15 mg"
    assert (finding.subject, finding.effective_at) == (given.id, given.at)
    assert finding.evidence[0].fact.id == given.id


# --- dose-floor


@pytest.mark.parametrize(
    ("shows", "dose", "changes", "facts", "answer"),
    [
        ("5 mg and a platelet hold", "5", {}, [*cbc(8, "2500", "20000")], "high"),
        ("10 mg has a lower dose", "10", {}, [*cbc(8, "2500", "20000")], "quiet"),
        ("5 mg has one on the other ladder", "5", {"dose_ladder": "capsule"}, [*cbc(8, "2500", "20000")], "quiet"),
        ("2.5 mg has none on it", "2.5", {"dose_ladder": "capsule"}, [*cbc(8, "2500", "20000")], "high"),
        ("10 mg and two holds", "10", {}, [*REDUCE, *cbc(14, "2500", "20000")], "high"),
        ("released and waiting for the first dose", "5", {}, REDUCE, "high"),
        ("dispensed after release", "5", {}, [*REDUCE, lenalidomide(13, "5")], "quiet"),
        ("a first neutropenia asks for no step", "5", {}, [*cbc(8, "400")], "quiet"),
        ("a persistent one does", "5", {}, [*cbc(8, "400"), *cbc(15, "900")], "high"),
        ("a second one does", "5", {}, [*cbc(8, "900"), *cbc(10), *cbc(15, "900")], "high"),
        ("course ended", "5", {}, [*cbc(8, "2500", "20000"), statement("lenalidomide-stopped", 9, "toxicity")], "quiet"),
    ],
)  # fmt: skip
def test_floor(shows: str, dose: str, changes: dict[str, str], facts: list[AnyKept], answer: str) -> None:
    assert answer_of(FLOOR, start(dose=dose), facts, day=15, using=policy(**changes)) == answer


def test_floor_cannot_be_assessed_without_a_dose_or_a_ladder() -> None:
    held = [*cbc(-1), *cbc(8, "2500", "20000")]
    assert answer_of(FLOOR, held, supply("lenalidomide", 1, days=21), day=8) == "cannot: the dose before the hold"
    alternate = lenalidomide(1, "15", schedule="alternate-days")
    assert answer_of(FLOOR, held, alternate, day=8) == "cannot: a dose ladder for alternate days"


def test_at_the_floor_the_lowest_dose_is_no_second_alert() -> None:
    """`dose-floor` asks whether to stop; going on at the lowest dose is a decision, more than it is not."""
    assert answer_of(HIGH, start(dose="5"), REDUCE, lenalidomide(13, "5"), day=13) == "quiet"
    assert answer_of(HIGH, start(dose="5"), REDUCE, lenalidomide(13, "10"), day=13) == "high"


def test_floor_stands_on_the_count_and_the_dose() -> None:
    finding = finding_of(FLOOR, start(dose="5"), result("platelets", "20000", 8), day=9)
    assert [shown.what for shown in finding.evidence] == ["asks for a lower dose", "dose before the hold"]
