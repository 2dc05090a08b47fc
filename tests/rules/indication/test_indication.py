"""Why and when lenalidomide is given."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Person
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, recheck_of
from tests.rules.bedside import PROFILES, lenalidomide, on, person, policy, statement

LINE, REIMB, EARLY_USE = "ind-line-check", "ind-kr-reimb", "ind-early-use"
EARLY_STOP, CONTEXT, COLLECT = "ind-early-stop", "ind-high-dose-context", "sct-mobilise"
LEN = lenalidomide(1)
KOREAN = person()


def lives_in(country: str | None) -> Person:
    return replace(person(), country=country)


def lines(number: str | None, day: float = -3) -> AnyKept:
    return statement("therapy-line", day, number=number)


def stopped(day: float, reason: str | None = None) -> AnyKept:
    return statement("lenalidomide-stopped", day, reason)


def cycles(last: int) -> list[AnyKept]:
    return [lenalidomide(1 + 28 * number) for number in range(last)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("one line recorded", [lines("1"), LEN], 1, "quiet"),
        ("two lines", [lines("2"), LEN], 1, "quiet"),
        ("no line", [lines("0"), LEN], 1, "info"),
        ("unknown", [LEN], 1, "info"),
        ("stated without a number", [lines(None), LEN], 1, "info"),
        ("recorded since", [LEN, lines("1", 9)], 9, "quiet"),
        ("taken, nothing dispensed", [statement("cycle-day-1-taken", 1, when=on(1))], 2, "info"),
        ("the last day of cycle 1", cycles(2), 28, "info"),
        ("day 1 of cycle 2", cycles(2), 29, "quiet"),
        ("ordered only", [lenalidomide(1, way="ordered")], 2, "quiet"),
        ("ended", [LEN, stopped(5, "other")], 6, "quiet"),
    ],
)
def test_lines_of_therapy(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(LINE, facts, day=day, using=policy(profile)) == answer


def test_how_many_lines_is_policy() -> None:
    assert answer_of(LINE, lines("0"), LEN, day=1, using=policy(ind_min_prior_lines="0")) == "quiet"
    assert answer_of(LINE, lines("1"), LEN, day=1, using=policy(ind_min_prior_lines="2")) == "info"


def test_the_note_on_lines_names_them() -> None:
    zero = lines("0", 3)
    finding = finding_of(LINE, LEN, zero, day=4)
    assert [shown.fact for shown in finding.evidence] == [LEN, zero]
    assert (finding.since, finding.effective_at) == (on(1, 10), on(3, 8))
    assert "0 lines" in finding.message
    assert "no number of lines" in finding_of(LINE, LEN, day=1).message


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("Korea, nothing recorded", [KOREAN, LEN], 1, {}, "info"),
        ("the other code of Korea", [lives_in("KOR"), LEN], 1, {}, "info"),
        ("failure recorded", [KOREAN, LEN, statement("bortezomib-failure", -3, "yes")], 1, {}, "quiet"),
        ("no failure recorded as such", [KOREAN, LEN, statement("bortezomib-failure", -3, "no")], 1, {}, "info"),
        ("elsewhere", [lives_in("JP"), LEN], 1, {}, "quiet"),
        ("country not known", [lives_in(None), LEN], 1, {}, "quiet"),
        ("nobody described", [LEN], 1, {}, "quiet"),
        ("the payer's rule has widened", [KOREAN, LEN], 1, {"kr_reimb_bortezomib_first": "false"}, "quiet"),
        ("cycle 2", [KOREAN, *cycles(2)], 29, {}, "quiet"),
        ("not begun", [KOREAN], 1, {}, "quiet"),
        ("ended", [KOREAN, LEN, stopped(5)], 6, {}, "quiet"),
    ],
)
def test_reimbursement(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(REIMB, facts, day=day, using=policy(**changes)) == answer


@pytest.mark.parametrize("profile", PROFILES)
def test_reimbursement_goes_by_the_country_not_by_the_profile(profile: str) -> None:
    assert answer_of(REIMB, KOREAN, LEN, day=1, using=policy(profile)) == "info"
    assert "2013" in finding_of(REIMB, KOREAN, LEN, day=1).message


PD = statement("response", -2, "pd")
PLANNED = statement("lenalidomide-planned", -1)


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("first relapse", [lines("1"), PD, PLANNED], "info"),
        ("second relapse", [lines("2"), PD, PLANNED], "quiet"),
        ("no line", [lines("0"), PD, PLANNED], "quiet"),
        ("no relapse", [lines("1"), statement("response", -2, "pr"), PLANNED], "quiet"),
        ("no response recorded", [lines("1"), PLANNED], "quiet"),
        ("begun", [lines("1"), PD, LEN], "quiet"),
        ("lines not known", [PD, PLANNED], "cannot: lines of therapy"),
        ("lines without a number", [lines(None), PD, PLANNED], "cannot: lines of therapy"),
    ],
)
def test_early_use(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(EARLY_USE, facts, day=1) == answer


def test_early_use_begins_with_the_later_of_the_two() -> None:
    assert finding_of(EARLY_USE, lines("1", -1), PD, day=1).since == on(-1, 8)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("no reason", [LEN, stopped(30)], 31, "info"),
        ("completed", [LEN, stopped(30, "completed")], 31, "info"),
        ("other", [LEN, stopped(30, "other")], 31, "info"),
        *((reason, [LEN, stopped(30, reason)], 31, "quiet") for reason in
          ("progression", "toxicity", "patient-choice", "pregnancy", "second-malignancy", "transplant", "death")),
        ("progression recorded in the course", [LEN, statement("response", 29, "pd"), stopped(30)], 31, "quiet"),
        ("progression from before it", [statement("response", -5, "pd"), LEN, stopped(30)], 31, "info"),
        ("another response", [LEN, statement("response", 29, "sd"), stopped(30)], 31, "info"),
        ("the reason recorded later", [LEN, stopped(30), stopped(33, "toxicity")], 34, "quiet"),
        ("begun again", [LEN, stopped(30), lenalidomide(40)], 41, "quiet"),
        ("the last day it is shown", [LEN, stopped(30)], 57, "info"),
        ("a day later", [LEN, stopped(30)], 58, "quiet"),
        ("not ended", [LEN], 30, "quiet"),
        ("died", [LEN, replace(person(day=30), died=on(30))], 31, "quiet"),
        ("died after a stop without a reason", [LEN, stopped(20), replace(person(day=30), died=on(30))], 31, "quiet"),
        ("never begun", [stopped(30)], 31, "quiet"),
    ],
)  # fmt: skip
def test_early_stop(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(EARLY_STOP, facts, day=day) == answer


def test_a_stop_that_lies_ahead_is_asked_about_when_it_comes() -> None:
    ahead = statement("lenalidomide-stopped", 20, "completed", when=on(30))
    assert answer_of(EARLY_STOP, LEN, ahead, day=21) == "quiet"
    assert recheck_of(EARLY_STOP, LEN, ahead, day=21) == on(30)
    assert recheck_of(EARLY_STOP, LEN, ahead, day=30) == on(58, 0)
    assert finding_of(EARLY_STOP, LEN, ahead, day=30).since == on(30)


def test_the_two_kinds_of_stop_read_differently() -> None:
    assert finding_of(EARLY_STOP, LEN, stopped(30), day=31).title.endswith("reason not recorded")
    assert finding_of(EARLY_STOP, LEN, stopped(30, "completed"), day=31).title.endswith("as completed")


def test_a_corrected_stop_is_answered() -> None:
    gone = statement("lenalidomide-stopped", 30)
    assert answer_of(EARLY_STOP, LEN, replace(gone, status=FactStatus.WITHDRAWN), day=31) == "quiet"


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("aggressive", [LEN, statement("aggressive-disease", -3, "yes")], "info"),
        ("not aggressive", [LEN, statement("aggressive-disease", -3, "no")], "quiet"),
        ("remission below 6 months", [LEN, statement("remission-months", -3, number="5.9")], "info"),
        ("exactly 6 months", [LEN, statement("remission-months", -3, number="6")], "quiet"),
        ("not said how long", [LEN, statement("remission-months", -3)], "quiet"),
        ("nothing recorded", [LEN], "quiet"),
        ("not begun", [statement("aggressive-disease", -3, "yes")], "quiet"),
        ("ended", [LEN, statement("aggressive-disease", -3, "yes"), stopped(5)], "quiet"),
    ],
)
def test_short_response_to_be_expected(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(CONTEXT, facts, day=9) == answer


def test_the_note_names_both_reasons() -> None:
    facts: list[AnyKept] = [
        LEN,
        statement("aggressive-disease", 3, "yes"),
        statement("remission-months", -3, number="4"),
    ]
    finding = finding_of(CONTEXT, facts, day=9)
    assert "aggressive disease and last remission of 4 months" in finding.title
    assert (finding.since, finding.effective_at) == (on(1, 10), on(3, 8))


ELIGIBLE = statement("transplant-plan", -3, "eligible")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("cycle 4", [ELIGIBLE, *cycles(5)], 112, "quiet"),
        ("cycle 5", [ELIGIBLE, *cycles(5)], 113, "medium"),
        ("collection planned", [ELIGIBLE, *cycles(5), statement("transplant-plan", 113, "collection-planned")], 114, "quiet"),
        ("collected", [ELIGIBLE, *cycles(5), statement("transplant-plan", 50, "collected")], 113, "quiet"),
        ("no longer eligible", [ELIGIBLE, *cycles(5), statement("transplant-plan", 50, "not-eligible")], 113, "quiet"),
        ("declined", [ELIGIBLE, *cycles(5), statement("transplant-plan", 50, "declined")], 113, "quiet"),
        ("never said", cycles(5), 113, "quiet"),
        ("ended", [ELIGIBLE, *cycles(5), stopped(114, "transplant")], 115, "quiet"),
        ("not begun", [ELIGIBLE], 1, "quiet"),
    ],
)  # fmt: skip
def test_stem_cells(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(COLLECT, facts, day=day, using=policy(profile)) == answer


def test_stem_cells_since_when() -> None:
    assert finding_of(COLLECT, ELIGIBLE, *cycles(6), day=150).since == on(113, 10)
    late = statement("transplant-plan", 120, "eligible")
    assert finding_of(COLLECT, late, *cycles(6), day=150).since == on(120, 8)
    assert answer_of(COLLECT, ELIGIBLE, *cycles(6), day=150, using=policy(sct_collect_cycles="6")) == "quiet"
