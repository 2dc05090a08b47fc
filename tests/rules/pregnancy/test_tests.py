"""Pregnancy tests before the first lenalidomide, on it and after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, diagnosis, lenalidomide, on, policy, statement
from tests.rules.pregnancy.clinic import by_the_book, checked, hcg, man, ordered, said_at, stopped, woman
from tests.rules.thrombosis.clinic import ask, found, said

MISSING, OVERDUE = "ppp-test-missing", "ppp-test-overdue"
US, EU = ("kr-panel", "uspi"), ("eu-smpc",)
NONE: tuple[str, ...] = ()
START = [woman(), lenalidomide(1)]
PROTECTED = said_at("contraception", -40, "two-methods")
REGULAR = said_at("menses", -9, "regular")
EARLY, LATE = checked(-12), checked(1)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "missing_in"),
    [
        ("no test at all", START, 1, PROFILES),
        ("both tests, no contraception for the EU's single one", [*START, EARLY, LATE], 1, EU),
        ("by the book", by_the_book(), 1, NONE),
        ("10 days and within a day", [*START, PROTECTED, checked(-10), LATE], 1, NONE),
        ("14 days and within a day", [*START, PROTECTED, checked(-14), LATE], 1, NONE),
        ("9 days is too late", [*START, PROTECTED, checked(-9), LATE], 1, US),
        ("15 days is too early", [*START, PROTECTED, checked(-15), LATE], 1, US),
        ("only the early one", [*START, PROTECTED, EARLY], 1, PROFILES),
        ("only the late one", [*START, PROTECTED, LATE], 1, US),
        ("24 hours before", [*START, PROTECTED, EARLY, checked(-1, hour=10)], 1, NONE),
        ("a minute more", [*START, PROTECTED, EARLY, checked(-1, hour=9.98)], 1, US),
        ("3 days before", [*START, PROTECTED, EARLY, checked(-3)], 1, US),
        ("4 days before", [*START, PROTECTED, EARLY, checked(-4)], 1, PROFILES),
        ("the late one positive then released", [*START, PROTECTED, EARLY, checked(-1, "positive", hour=12), said_at("pregnancy-outcome", 1, "excluded")], 1, PROFILES),
        ("the late one preliminary", [*START, PROTECTED, EARLY, checked(1, status=FactStatus.PRELIMINARY)], 1, PROFILES),
        ("the late one indeterminate", [*START, PROTECTED, EARLY, checked(1, "indeterminate")], 1, PROFILES),
        ("quantities do as well", [*START, PROTECTED, hcg(-12, "1"), hcg(1, "1")], 1, NONE),
        ("a recorded status is no test", [*START, PROTECTED, checked(-12, analyte="pregnancy-status"), checked(1, analyte="pregnancy-status")], 1, PROFILES),
        ("a test after the dispense", [*START, PROTECTED, EARLY, checked(1, hour=11)], 1, NONE),
        ("contraception of 28 days before the test", [*START, said_at("contraception", -31, "two-methods"), EARLY, checked(-3)], 1, US),
        ("of 27 days", [*START, said_at("contraception", -30, "two-methods"), EARLY, checked(-3)], 1, PROFILES),
        ("contraception that ended before the test", [*START, said_at("contraception", -40, "two-methods", until=-4), EARLY, checked(-3)], 1, PROFILES),
        ("one method", [*START, said_at("contraception", -40, "one-method"), EARLY, checked(-3)], 1, US),
        # what closes it
        ("a negative test on treatment", [*START, checked(5)], 5, NONE),
        ("an indeterminate one does not", [*START, checked(5, "indeterminate")], 5, PROFILES),
        ("course ended", [*START, stopped(5)], 5, NONE),
        ("a pregnancy: said by another alert", [*START, checked(5, "positive")], 5, NONE),
        ("a man", [man(), lenalidomide(1)], 1, NONE),
        ("sex unknown", [lenalidomide(1)], 1, PROFILES),
        ("no potential", [*START, said_at("childbearing-potential", -9, "oophorectomy")], 1, NONE),
        # the prescription
        ("prescribed without a test", [woman(), ordered(-5)], -5, PROFILES),
        ("only planned", [woman(), ordered(-5, status=FactStatus.PLANNED)], -5, NONE),
        ("prescribed after both tests", [woman(), PROTECTED, checked(-17), checked(-5), ordered(-5)], -5, NONE),
        ("and dispensed a week later", [woman(), PROTECTED, checked(-17), checked(-5), ordered(-5), lenalidomide(1)], 1, NONE),
        ("prescribed too long before the first dispense", [woman(), PROTECTED, checked(-41), checked(-29), ordered(-29), lenalidomide(1)], 1, PROFILES),
        ("prescribed 28 days before", [woman(), said_at("contraception", -90, "two-methods"), checked(-40), checked(-28), ordered(-28, hour=10), lenalidomide(1)], 1, NONE),
        ("a later prescription is not the first", [*START, PROTECTED, checked(-9), checked(2, hour=8), ordered(2)], 1, PROFILES),
        ("the first dose as the patient says", [woman(), statement("cycle-day-1-taken", 1, when=on(1))], 1, PROFILES),
        ("the same, by the book", [woman(), PROTECTED, EARLY, LATE, statement("cycle-day-1-taken", 1, when=on(1))], 1, NONE),
        ("a first dose said for tomorrow", [woman(), statement("cycle-day-1-taken", 1, when=on(3))], 2, NONE),
        ("before any prescription", [woman(), statement("lenalidomide-planned", -5)], 1, NONE),
    ],
)  # fmt: skip
def test_missing(shows: str, facts: list[AnyKept], day: float, missing_in: tuple[str, ...], profile: str) -> None:
    answer = said(MISSING, facts, day=day, using=policy(profile))
    assert answer == ("critical" if profile in missing_in else "quiet")


def test_a_dispense_of_unknown_hour_takes_the_longest_time() -> None:
    given = replace(lenalidomide(1, hour=0), latest=on(2, 0) - timedelta(seconds=1))
    facts = [woman(), given, EARLY]
    assert said(MISSING, [*facts, checked(1, hour=9)], day=2) == "quiet"
    assert said(MISSING, [*facts, checked(-1, hour=23)], day=2) == "critical"
    # A test on that day may have come before it or after it: either way she was tested.
    assert said(MISSING, [*facts, checked(2, hour=9)], day=2) == "quiet"


def test_missing_says_what_there_was() -> None:
    finding = found(MISSING, [*START, checked(-20), EARLY, checked(-3), checked(1, "indeterminate")], day=1)
    assert [shown.what for shown in finding.evidence] == ["lenalidomide", "negative test", "negative test"]
    assert (finding.since, finding.effective_at) == (on(1, 10), on(1, 10))
    assert [number.key for number in finding.thresholds] == [
        "ppp_first_test_earliest_days", "ppp_first_test_latest_days", "ppp_second_test_hours"]  # fmt: skip
    assert "one 10 to 14 days before it and one within 24 hours" in finding.message
    single = found(MISSING, START, day=1, using=policy("eu-smpc"))
    assert [number.key for number in single.thresholds] == ["ppp_single_test_days", "ppp_lead_days"]
    assert "at most 3 days before the first prescription, after 28 days" in single.message


@pytest.mark.parametrize(
    ("changes", "facts", "answer"),
    [
        ({"ppp_start_two_tests": "false"}, [PROTECTED, LATE], "quiet"),
        ({"ppp_start_two_tests": "true"}, [PROTECTED, LATE], "critical"),
        ({"ppp_first_test_earliest_days": "20"}, [checked(-20), LATE], "quiet"),
        ({"ppp_first_test_latest_days": "5"}, [checked(-5), LATE], "quiet"),
        ({"ppp_second_test_hours": "72"}, [EARLY, checked(-2)], "quiet"),
        ({"ppp_start_two_tests": "false", "ppp_single_test_days": "5"}, [PROTECTED, checked(-5)], "quiet"),
        ({"ppp_start_two_tests": "false", "ppp_lead_days": "14"}, [said_at("contraception", -15, "abstinence"), LATE], "quiet"),
        ({"order_open_days": "60"}, [checked(-41), checked(-29), ordered(-29)], "quiet"),
    ],
)  # fmt: skip
def test_each_number_of_missing_is_policy(changes: dict[str, str], facts: list[AnyKept], answer: str) -> None:
    assert said(MISSING, [*START, *facts], day=1, using=policy(**changes)) == answer


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "overdue_in"),
    [
        ("by the book", by_the_book(), 29, 12, NONE),
        ("the 8th day and its grace", START, 9, 23.99, NONE),
        ("then the weekly test is overdue", START, 10, 0, US),
        ("tested on day 8", [*START, checked(8)], 16, 23.99, NONE),
        ("and not after", [*START, checked(8)], 17, 0, US),
        ("an indeterminate test is a test", [*START, checked(8, "indeterminate")], 16, 23.99, NONE),
        ("a preliminary one is not", [*START, checked(8, status=FactStatus.PRELIMINARY)], 16, 0, US),
        ("the last weekly test is due on day 29", [*START, REGULAR, checked(22)], 30, 23.99, NONE),
        ("still weekly", [*START, REGULAR, checked(22)], 31, 0, US),
        ("a test on day 23 is followed in 4 weeks", [*START, REGULAR, checked(23)], 52, 23.99, NONE),
        ("and then overdue", [*START, REGULAR, checked(23)], 53, 0, PROFILES),
        ("in 2 weeks where irregular", [*START, said_at("menses", -9, "irregular"), checked(23)], 38, 23.99, NONE),
        ("and then overdue, irregular", [*START, said_at("menses", -9, "irregular"), checked(23)], 39, 0, US),
        ("menses unknown count as irregular", [*START, checked(23)], 39, 0, US),
        ("no menses count as irregular", [*START, said_at("menses", -9, "none"), checked(23)], 39, 0, US),
        ("regular until day 30 only", [*START, said_at("menses", -9, "regular", until=30), checked(23)], 39, 0, US),
        ("28 days in the EU", [*START, checked(1, hour=11)], 30, 23.99, US),
        ("and a day of grace", [*START, checked(1, hour=11)], 31, 0, PROFILES),
        ("the interruption changes nothing", [*START, REGULAR, checked(29)], 59, 0, PROFILES),
        ("a man", [man(), lenalidomide(1)], 59, 0, NONE),
        ("sex unknown", [lenalidomide(1)], 59, 0, PROFILES),
        ("no potential", [*START, said_at("childbearing-potential", 3, "no")], 59, 0, NONE),
        ("pregnant", [*START, checked(8, "positive")], 59, 0, NONE),
        ("only prescribed", [woman(), ordered(1)], 59, 0, NONE),
        ("a first dose said for later", [woman(), statement("cycle-day-1-taken", 1, when=on(90))], 59, 0, NONE),
        # after the end
        ("ended: until 28 days after it", [*START, stopped(40)], 68, 12, NONE),
        ("42 days after it", [*START, stopped(40)], 82, 23.99, NONE),
        ("43 days after it", [*START, stopped(40)], 83, 0, PROFILES),
        ("a test 28 days after", [*START, stopped(40), checked(68)], 83, 0, NONE),
        ("a test 27 days after", [*START, stopped(40), checked(67)], 83, 0, PROFILES),
        ("died", [replace(woman(), died=on(40), at=on(40), id="d"), *START, ], 83, 0, NONE),
        ("treated again", [*START, stopped(40), lenalidomide(80)], 83, 0, NONE),
    ],
)  # fmt: skip
def test_overdue(
    shows: str, facts: list[AnyKept], day: float, hour: float, overdue_in: tuple[str, ...], profile: str
) -> None:
    answer = said(OVERDUE, facts, day=day, hour=hour, using=policy(profile))
    assert answer == ("high" if profile in overdue_in else "quiet")


def test_overdue_since_the_last_test_and_from_the_due_instant() -> None:
    last = checked(8)
    finding = found(OVERDUE, [*START, last], day=20)
    assert (finding.since, finding.effective_at) == (last.at, on(17, 0))
    assert [shown.fact.id for shown in finding.evidence] == [last.id]
    assert [number.key for number in finding.thresholds] == ["ppp_test_weekly_days", "ppp_test_grace_days"]
    assert ask(OVERDUE, [*START, last], day=10).recheck_at == on(17, 0)
    none = found(OVERDUE, START, day=20)
    assert (none.since, none.effective_at, none.evidence[0].what) == (on(1, 10), on(10, 0), "lenalidomide")


def test_a_word_on_the_menses_may_bring_it_forward() -> None:
    facts = [*START, REGULAR, checked(23), said_at("menses", 45, "irregular")]
    assert found(OVERDUE, facts, day=46).effective_at == on(45, 8)
    ends = [*START, said_at("menses", -9, "regular", until=45), checked(23)]
    assert ask(OVERDUE, ends, day=40).recheck_at == on(45)
    assert found(OVERDUE, ends, day=46).effective_at == on(45)


def test_the_last_test_is_counted_from_the_end() -> None:
    facts = [*START, checked(29), stopped(40)]
    assert ask(OVERDUE, facts, day=50).recheck_at == on(83, 0)
    finding = found(OVERDUE, facts, day=90)
    assert (finding.since, finding.effective_at) == (on(40), on(83, 0))
    assert finding.evidence[0].what == "last pregnancy test"
    assert "28 days or more after it" in finding.message
    ahead = statement("lenalidomide-stopped", 20, "other", when=on(40))
    assert ask(OVERDUE, [*START, ahead], day=30).recheck_at == on(40)


@pytest.mark.parametrize(
    ("changes", "facts", "day", "answer"),
    [
        ({"ppp_test_weekly_until_days": "0"}, START, 12, "quiet"),
        ({"ppp_test_weekly_days": "10"}, START, 12, "quiet"),
        ({"ppp_test_grace_days": "3"}, START, 11, "quiet"),
        ({"ppp_test_regular_days": "35"}, [*START, REGULAR, checked(29)], 64, "quiet"),
        ({"ppp_test_irregular_days": "28"}, [*START, checked(29)], 57, "quiet"),
        ({"ppp_end_test_from_days": "42"}, [*START, stopped(40), checked(70)], 100, "high"),
        ({"ppp_end_test_within_days": "28"}, [*START, stopped(40)], 90, "quiet"),
    ],
)
def test_each_number_of_overdue_is_policy(
    changes: dict[str, str], facts: list[AnyKept], day: float, answer: str
) -> None:
    assert said(OVERDUE, facts, day=day, using=policy(**changes)) == answer


def test_unknown_potential_is_said() -> None:
    for rule, day in ((MISSING, 1), (OVERDUE, 20)):
        assert found(rule, START, day=day).context == (
            "Childbearing potential is not recorded: taken as possible.",)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "facts", "day"),
    [
        (MISSING, [*START, checked(2, "positive")], 14),
        ("ppp-contraception-female", [*START, checked(2, "positive")], 14),
        (OVERDUE, [*START, checked(2, "positive")], 14),
        ("ppp-dispense-window", [*by_the_book(), checked(39, "positive"), lenalidomide(40)], 44),
    ],
)
def test_what_a_pregnancy_silenced_is_true_from_its_exclusion_on(rule: str, facts: list[AnyKept], day: int) -> None:
    assert said(rule, facts, day=day) == "quiet"
    excluded = said_at("pregnancy-outcome", day + 1, "excluded")
    assert found(rule, [*facts, excluded], day=day + 2).effective_at == on(day + 1, 8)


@pytest.mark.parametrize(
    ("rule", "asked"),
    [("ppp-test-indeterminate", checked(-4, "indeterminate")), ("ppp-missed-menses", said_at("menses", -4, "missed"))],
)
def test_what_a_pregnancy_silenced_is_true_from_its_end_on(rule: str, asked: AnyKept) -> None:
    facts = [woman(), ordered(-5), asked, diagnosis(["pregnant"], -6, abated=on(-1, 8))]
    assert said(rule, facts, day=-2) == "quiet"
    assert found(rule, facts, day=-1).effective_at == on(-1, 8)
