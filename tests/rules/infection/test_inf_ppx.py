"""Antibacterial prophylaxis: missing in the first three cycles, going on after them."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from tests.rules.bedside import allergy, cbc, diagnosis, lenalidomide, on, policy, statement, supply
from tests.rules.log import Walk, condition, described, dispense, lab, stated
from tests.rules.thrombosis.clinic import ask, cycles, found, said

MISSING, END = "inf-ppx-missing", "inf-ppx-end"
FIRST = lenalidomide(1)
TMP_SMX = supply("co-trimoxazole", 2, days=84)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("3 days after day 1, the last minute", [FIRST], 4, 23.99, "quiet"),
        ("more than 3 days after", [FIRST], 5, 0, "medium"),
        ("the last day of cycle 3", [FIRST, *cycles(3)], 84, 12, "medium"),
        ("cycle 3 goes on for want of a cycle 4", [FIRST, *cycles(3)], 100, 12, "medium"),
        ("day 1 of cycle 4", [FIRST, *cycles(4)], 85, 12, "quiet"),
        ("co-trimoxazole", [FIRST, TMP_SMX], 5, 12, "quiet"),
        ("a quinolone", [FIRST, supply("levofloxacin", 2, days=28)], 5, 12, "quiet"),
        ("a penicillin", [FIRST, supply("amoxicillin", 2, days=28)], 5, 12, "quiet"),
        ("ordered, not handed over", [FIRST, supply("co-trimoxazole", 2, way="ordered")], 5, 12, "medium"),
        ("taken at home from before", [FIRST, supply("co-trimoxazole", -5, way="home")], 5, 12, "quiet"),
        ("given on the ward yesterday", [FIRST, supply("co-trimoxazole", 4, way="given")], 5, 12, "quiet"),
        ("the last day of grace", [FIRST, supply("co-trimoxazole", 2, days=14)], 22, 12, "quiet"),
        ("the first day not covered", [FIRST, supply("co-trimoxazole", 2, days=14)], 23, 0, "medium"),
        ("another medicine", [FIRST, supply("aspirin", 2, days=84)], 5, 12, "medium"),
        ("before the first dose", [supply("lenalidomide", -3, way="ordered")], 5, 12, "quiet"),
        ("course ended", [FIRST, statement("lenalidomide-stopped", 4, "other")], 5, 12, "quiet"),
        # the risk groups
        ("aggressive disease", [FIRST, statement("aggressive-disease", -3, "yes")], 5, 12, "high-risk high"),
        ("not aggressive", [FIRST, statement("aggressive-disease", -3, "no")], 5, 12, "medium"),
        ("aggressive disease as the reason for high doses", [FIRST, statement("high-dose-dexamethasone-reason", -3, "aggressive-disease")], 5, 12, "high-risk high"),
        ("past neutropenia stated", [FIRST, statement("past-neutropenia", -3, "yes")], 5, 12, "high-risk high"),
        ("past neutropenia coded", [FIRST, diagnosis(["neutropenia"], -300)], 5, 12, "high-risk high"),
        ("neutropenia in this course, over", [FIRST, *cbc(8, "900"), *cbc(15)], 16, 12, "high-risk high"),
        ("ANC of 1,000 is none", [FIRST, *cbc(8, "1000")], 16, 12, "medium"),
        ("past infections stated", [FIRST, statement("past-infections", -3, "yes")], 5, 12, "high-risk high"),
        ("no past infections stated", [FIRST, statement("past-infections", -3, "no")], 5, 12, "medium"),
        ("an infection 365 days before", [FIRST, diagnosis(["pneumonia"], -364)], 5, 12, "high-risk high"),
        ("an infection longer ago", [FIRST, diagnosis(["pneumonia"], -366)], 5, 12, "medium"),
        ("an infection on treatment", [FIRST, diagnosis(["infection"], 3)], 5, 12, "high-risk high"),
        ("high risk, but taken", [FIRST, statement("past-infections", -3, "yes"), TMP_SMX], 5, 12, "quiet"),
        # nothing known of the patient but the dispense: no record of an agent is the finding
        ("cannot be unassessable: nothing at all is known", [FIRST], 5, 12, "medium"),
    ],
)  # fmt: skip
def test_missing(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert said(MISSING, facts, day=day, hour=hour) == answer


def test_the_wait_counts_from_a_planned_day_1() -> None:
    planned = [statement("planned-cycle-day-1", -8, when=on(4)), lenalidomide(-3)]
    assert said(MISSING, planned, day=7, hour=23.9) == "quiet"
    assert said(MISSING, planned, day=8, hour=0) == "medium"


def test_since_and_recheck() -> None:
    assert ask(MISSING, [FIRST], day=2).recheck_at == on(5, hour=0)
    covered = [FIRST, supply("co-trimoxazole", 2, days=14)]
    assert ask(MISSING, covered, day=10).recheck_at == on(23, hour=0)
    assert found(MISSING, [FIRST], day=9).since == on(5, hour=0)
    again = found(MISSING, covered, day=30)
    assert again.since == again.effective_at == on(23, hour=0)


def test_allergies_are_named() -> None:
    finding = found(MISSING, [FIRST, allergy("sulfonamide"), allergy("penicillin"), allergy("aspirin")], day=5)
    assert finding.context == ("Allergy recorded: penicillin, sulfonamide.",)


def test_a_decision_against_it_is_shown_and_closes_nothing() -> None:
    finding = found(MISSING, [FIRST, statement("infection-prophylaxis-declined", 3)], day=5)
    assert finding.context == ("A person recorded that no prophylaxis is given on purpose.",)


def test_evidence_names_the_risk() -> None:
    finding = found(MISSING, [FIRST, statement("past-infections", -3, "yes"), diagnosis(["neutropenia"], -30)], day=5)
    assert [shown.what for shown in finding.evidence] == ["lenalidomide", "past infections", "past neutropenia"]
    assert finding.title == "No antibacterial prophylaxis although at high risk: past infections, past neutropenia"
    assert finding.advice is not None
    assert finding.advice.action == "start"


@pytest.mark.parametrize(
    ("key", "value", "facts", "day", "answer"),
    [
        ("inf_ppx_wait_days", "7", [FIRST], 8, "quiet"),
        ("inf_ppx_cycles", "4", [FIRST, *cycles(4)], 90, "medium"),
        ("inf_recent_days", "90", [FIRST, diagnosis(["pneumonia"], -100)], 5, "medium"),
        ("inf_ppx_for_all", "true", [FIRST], 5, "medium"),
        ("inf_ppx_for_all", "false", [FIRST], 5, "quiet"),
        ("inf_ppx_for_all", "false", [FIRST, statement("past-infections", -3, "yes")], 5, "high-risk high"),
    ],
)
def test_each_number_of_missing_is_policy(key: str, value: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(MISSING, facts, day=day, using=policy(**{key: value})) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("the last day of cycle 3", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60)], 84, "quiet"),
        ("day 1 of cycle 4", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60)], 85, "info"),
        ("the last day of cycle 4", [FIRST, *cycles(5), supply("co-trimoxazole", 60, days=90)], 112, "info"),
        ("day 1 of cycle 5", [FIRST, *cycles(5), supply("co-trimoxazole", 60, days=90)], 113, "quiet"),
        ("used up on the last day of cycle 3: grace is not going on", [FIRST, *cycles(4), supply("co-trimoxazole", 1, days=84)], 85, "quiet"),
        ("a day longer", [FIRST, *cycles(4), supply("co-trimoxazole", 1, days=85)], 85, "info"),
        ("used up since", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=30)], 90, "quiet"),
        ("still ordered", [FIRST, *cycles(4), supply("co-trimoxazole", 80, way="ordered")], 86, "info"),
        ("a reason is recorded", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60), statement("infection-prophylaxis-justified", 80)], 86, "quiet"),
        ("the reason has ended", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60), statement("infection-prophylaxis-justified", 80, until=on(85))], 86, "info"),
        ("coded as treatment", [FIRST, *cycles(4), supply("amoxicillin", 84, days=14, purpose="treatment")], 86, "quiet"),
        ("none", [FIRST, *cycles(4)], 86, "quiet"),
        ("cannot be unassessable: no supply known", [FIRST, *cycles(4)], 90, "quiet"),
        ("course ended", [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60), statement("lenalidomide-stopped", 86, "other")], 86, "quiet"),
    ],
)  # fmt: skip
def test_going_on(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(END, facts, day=day) == answer


def test_a_reason_of_an_earlier_course_does_not_count() -> None:
    earlier = [
        lenalidomide(-300), statement("infection-prophylaxis-justified", -250),
        statement("lenalidomide-stopped", -200, "completed"),
    ]  # fmt: skip
    now = [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60)]
    assert said(END, [*earlier, *now], day=86) == "info"


def test_since_day_1_of_cycle_4() -> None:
    finding = found(END, [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60)], day=90)
    assert finding.since == finding.effective_at == on(85, hour=10)
    assert finding.evidence[0].what == "prophylaxis"
    assert ask(END, [FIRST, *cycles(4), supply("co-trimoxazole", 60, days=60)], day=90).recheck_at == on(120, hour=0)


@pytest.mark.parametrize(
    ("key", "value", "answer"), [("inf_ppx_cycles", "4", "quiet"), ("inf_ppx_end_cycles", "2", "info")]
)
def test_each_number_of_going_on_is_policy(key: str, value: str, answer: str) -> None:
    facts = [FIRST, *cycles(5), supply("co-trimoxazole", 60, days=90)]
    day = 90 if key == "inf_ppx_cycles" else 120
    assert said(END, facts, day=day, using=policy(**{key: value})) == answer


# --- as alerts ---


def test_the_life_of_the_alert() -> None:
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-1), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    one.tick(on(6))
    one.hear(condition(8, "pneumonia"), on(8, 10))
    one.hear(stated(9, "infection-prophylaxis-declined"), on(9, 10))
    one.hear(dispense(10, "co-trimoxazole", days=28), on(10, 11))
    life = [t for t in one.transitions if t.rule == MISSING]
    assert [(t.transition.value, t.severity.value, t.cause.value) for t in life] == [
        ("raised", "medium", "time-passed"),
        ("updated", "high", "worse"),
        ("updated", "high", "acted-on"),
        ("resolved", "high", "acted-on"),
    ]
    assert (life[0].at, life[0].effective_at, life[0].caused_by) == (
        on(5, hour=0),
        on(5, hour=0),
        "due:inf-ppx-missing",
    )


def test_a_dispense_that_was_only_late_to_arrive_withdraws_it() -> None:
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-1), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    one.tick(on(6))
    one.hear(dispense(2, "co-trimoxazole", days=84), on(6, 11))
    assert [t.transition.value for t in one.transitions if t.rule == MISSING] == ["raised", "withdrawn"]
