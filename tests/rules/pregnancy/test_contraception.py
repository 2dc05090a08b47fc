"""Contraception of women and men: what is on record, how long before, how long after."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept
from tests.rules.bedside import PROFILES, lenalidomide, on, policy, statement
from tests.rules.pregnancy.clinic import by_the_book, checked, man, ordered, said_at, stopped, woman
from tests.rules.thrombosis.clinic import ask, found, said

FEMALE, MALE, TAIL = "ppp-contraception-female", "ppp-contraception-male", "ppp-male-tail"
US, EU = ("kr-panel", "uspi"), ("eu-smpc",)
NONE: tuple[str, ...] = ()
HER = [woman(), lenalidomide(1)]
HIM = [man(), lenalidomide(1)]


def uses(day: float, what: str, until: float | None = None) -> AnyKept:
    return said_at("contraception", day, what, until)


def partner(what: str, day: float = -9, until: float | None = None) -> AnyKept:
    return said_at("partner", day, what, until)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer", "raised_in"),
    [
        ("no record at the first dispense", HER, 1, "missing high", PROFILES),
        ("no record at the first prescription", [woman(), ordered(-9)], -9, "missing high", PROFILES),
        ("before any prescription", [woman(), statement("lenalidomide-planned", -9)], -5, "missing high", NONE),
        ("by the book", by_the_book(), 29, "", NONE),
        ("abstinence", [*HER, uses(-40, "abstinence")], 8, "", NONE),
        ("two methods", [*HER, uses(-40, "two-methods")], 8, "", NONE),
        ("one method", [*HER, uses(-40, "one-method")], 8, "insufficient high", US),
        ("a condom alone", [*HER, uses(-40, "condom")], 8, "insufficient high", PROFILES),
        ("none", [*HER, uses(-40, "none")], 8, "insufficient high", PROFILES),
        ("from 28 days before", [*HER, uses(-28, "two-methods")], 2, "", NONE),
        ("from 27 days before", [*HER, uses(-27, "two-methods")], 1, "short-lead high", PROFILES),
        ("and 28 days old by now", [*HER, uses(-27, "two-methods")], 2, "", NONE),
        ("begun on treatment", [*HER, uses(8, "abstinence")], 35, "short-lead high", PROFILES),
        ("and 28 days old", [*HER, uses(8, "abstinence")], 36, "", NONE),
        ("another method without a gap", [*HER, uses(-40, "two-methods"), uses(8, "abstinence")], 8, "", NONE),
        ("planned 28 days later", [woman(), ordered(-9), uses(-20, "two-methods"), statement("planned-cycle-day-1", -9, when=on(9))], -5, "short-lead high", NONE),
        ("planned a day sooner", [woman(), ordered(-9), uses(-20, "two-methods"), statement("planned-cycle-day-1", -9, when=on(8))], -5, "short-lead high", PROFILES),
        ("prescribed, day 1 not planned", [woman(), ordered(-9), uses(-9, "two-methods")], -5, "", NONE),
        ("ended in the course", [*HER, uses(-40, "two-methods", until=15)], 15, "ended high", PROFILES),
        ("to end tomorrow", [*HER, uses(-40, "two-methods", until=15)], 14, "", NONE),
        ("given up", [*HER, uses(-40, "two-methods"), uses(15, "none")], 15, "insufficient high", PROFILES),
        ("through an interruption", [*HER, uses(-40, "two-methods", until=50)], 80, "ended high", PROFILES),
        # after the end
        ("ended 27 days after the end", [*HER, uses(-40, "two-methods", until=57), stopped(30)], 57, "ended high", PROFILES),
        ("ended 28 days after the end", [*HER, uses(-40, "two-methods", until=58), stopped(30)], 58, "", NONE),
        ("the last day", [*HER, stopped(30)], 58, "missing high", PROFILES),
        ("over", [*HER, stopped(30)], 59, "", NONE),
        ("died", [*HER, replace(woman(), died=on(20), at=on(20), id="d")], 21, "", NONE),
        # who
        ("a man", HIM, 8, "", NONE),
        ("sex unknown", [lenalidomide(1)], 8, "missing high", PROFILES),
        ("no potential", [*HER, said_at("childbearing-potential", -9, "no")], 8, "", NONE),
        ("pregnant", [*HER, checked(8, "positive")], 8, "", NONE),
        ("the first dose said for tomorrow", [woman(), statement("cycle-day-1-taken", 1, when=on(3))], 2, "", NONE),
    ],
)  # fmt: skip
def test_female(
    shows: str, facts: list[AnyKept], day: float, answer: str, raised_in: tuple[str, ...], profile: str
) -> None:
    assert said(FEMALE, facts, day=day, using=policy(profile)) == (answer if profile in raised_in else "quiet")


def test_female_since() -> None:
    assert found(FEMALE, HER, day=8).since == on(1, 10)
    assert found(FEMALE, [woman(), ordered(-9)], day=-5).since == on(-9, 10)
    gap = found(FEMALE, [*HER, uses(-40, "two-methods", until=15), uses(20, "none")], day=25)
    assert (gap.since, gap.effective_at, gap.reason) == (on(15), on(20, 8), "insufficient")
    assert [shown.what for shown in gap.evidence] == ["lenalidomide", "contraception"]
    late = [*HER, said_at("childbearing-potential", -9, "no"), said_at("childbearing-potential", 12, "yes")]
    assert found(FEMALE, late, day=13).effective_at == on(12, 8)
    short = found(FEMALE, [*HER, uses(8, "abstinence")], day=10)
    assert (short.since, short.thresholds[0].key, short.thresholds[1].key) == (
        on(8, 8), "ppp_lead_days", "ppp_tail_days")  # fmt: skip
    before = found(
        FEMALE,
        [woman(), ordered(-9), uses(-20, "two-methods"), statement("planned-cycle-day-1", -9, when=on(1))],
        day=-5,
    )
    assert before.since == on(-9, 10)


def test_a_record_that_ends_before_it_begins_says_nothing() -> None:
    odd = [*HER, uses(-40, "two-methods"), uses(8, "abstinence", until=5)]
    assert found(FEMALE, odd, day=9).since == on(8, 8)


def test_the_first_dispense_is_shown() -> None:
    first = lenalidomide(1)
    finding = found(FEMALE, [woman(), first, lenalidomide(29)], day=30)
    assert finding.evidence[0].fact.id == first.id


def test_female_recheck() -> None:
    assert ask(FEMALE, [*HER, uses(-27, "two-methods")], day=1).recheck_at == on(2, 0)
    ends = [*HER, uses(-40, "two-methods", until=15)]
    assert ask(FEMALE, ends, day=10).recheck_at == on(15)
    assert ask(FEMALE, [*HER, stopped(30)], day=40).recheck_at == on(59, 0)


def test_what_is_asked_is_said() -> None:
    assert "two methods at once" in found(FEMALE, HER, day=1).message
    assert "an effective method" in found(FEMALE, HER, day=1, using=policy("eu-smpc")).message


@pytest.mark.parametrize(
    ("changes", "facts", "day", "answer"),
    [
        ({"ppp_two_methods": "false"}, [*HER, uses(-40, "one-method")], 8, "quiet"),
        ({"ppp_two_methods": "true"}, [*HER, uses(-40, "one-method")], 8, "insufficient high"),
        ({"ppp_lead_days": "14"}, [*HER, uses(-14, "two-methods")], 1, "quiet"),
        ({"ppp_tail_days": "60"}, [*HER, stopped(30)], 80, "missing high"),
    ],
)
def test_each_key_of_female_is_policy(changes: dict[str, str], facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(FEMALE, facts, day=day, using=policy(**changes)) == answer


UNKNOWN = "cannot: partner, or a record of condom or abstinence"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("partner pregnant", [*HIM, partner("pregnant")], 8, "high"),
        ("of potential, without contraception", [*HIM, partner("of-potential-without-contraception")], 8, "high"),
        ("of potential, with contraception", [*HIM, partner("of-potential-with-contraception")], 8, "quiet"),
        ("not of potential", [*HIM, partner("not-of-potential")], 8, "quiet"),
        ("no partner", [*HIM, partner("none")], 8, "quiet"),
        ("nothing known", HIM, 8, UNKNOWN),
        ("nothing known of the partner, condom", [*HIM, uses(-9, "condom")], 8, "quiet"),
        ("nothing known of the partner, no condom", [*HIM, uses(-9, "none")], 8, UNKNOWN),
        ("condom", [*HIM, partner("pregnant"), uses(-9, "condom")], 8, "quiet"),
        ("abstinence", [*HIM, partner("pregnant"), uses(-9, "abstinence")], 8, "quiet"),
        ("methods of hers do not count", [*HIM, partner("pregnant"), uses(-9, "two-methods")], 8, "high"),
        ("the record ended", [*HIM, partner("pregnant"), uses(-9, "condom", until=8)], 8, "high"),
        ("the word on the partner ended", [*HIM, partner("pregnant", until=8)], 8, UNKNOWN),
        ("a new partner", [*HIM, partner("none"), partner("pregnant", 6)], 8, "high"),
        ("only prescribed", [man(), ordered(1), partner("pregnant")], 8, "quiet"),
        ("through an interruption", [*HIM, partner("pregnant")], 80, "high"),
        ("7 days after the end", [*HIM, partner("pregnant"), stopped(30)], 37, "high"),
        ("a record to 7 days after the end", [*HIM, partner("pregnant"), uses(-9, "condom", until=37), stopped(30)], 36, "quiet"),
        ("a woman", [*HER, partner("pregnant")], 8, "quiet"),
        ("sex unknown", [woman("unknown"), lenalidomide(1), partner("pregnant")], 8, "cannot: sex"),
        ("nobody described", [lenalidomide(1)], 8, "cannot: sex"),
        ("sex unknown, potential stated", [lenalidomide(1), said_at("childbearing-potential", -9, "yes")], 8, "quiet"),
        ("died", [*HIM, partner("pregnant"), replace(man(), died=on(20), at=on(20), id="d")], 21, "quiet"),
    ],
)  # fmt: skip
def test_male(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(MALE, facts, day=day, using=policy(profile)) == answer


@pytest.mark.parametrize(
    ("profile", "day", "answer"),
    [
        ("kr-panel", 37, "high"),
        ("kr-panel", 38, "quiet"),
        ("eu-smpc", 37, "high"),
        ("eu-smpc", 38, "quiet"),
        ("uspi", 58, "high"),
        ("uspi", 59, "quiet"),
    ],
)
def test_how_long_after_the_last_dose(profile: str, day: float, answer: str) -> None:
    facts = [*HIM, partner("pregnant"), stopped(30)]
    assert said(MALE, facts, day=day, using=policy(profile)) == answer


def test_a_record_that_reached_the_end_of_the_tail_suffices() -> None:
    facts = [*HIM, partner("pregnant"), stopped(30)]
    assert said(MALE, [*facts, uses(-9, "condom", until=37)], day=37) == "quiet"
    assert said(MALE, [*facts, uses(-9, "condom", until=36)], day=37) == "high"
    longer = policy(ppp_male_contraception_tail_days="14")
    assert said(MALE, [*facts, uses(-9, "condom", until=37)], day=37, using=longer) == "high"


def test_male_since_and_recheck() -> None:
    gap = [*HIM, partner("pregnant"), uses(-9, "condom", until=8), uses(12, "none")]
    finding = found(MALE, gap, day=13)
    assert (finding.since, finding.effective_at) == (on(8), on(12, 8))
    assert [shown.what for shown in finding.evidence] == ["lenalidomide", "partner", "contraception"]
    assert found(MALE, [*HIM, partner("none"), partner("pregnant", 6)], day=8).since == on(6, 8)
    assert found(MALE, [*HIM, partner("pregnant")], day=8).since == on(1, 10)
    assert "pregnant" in finding.message
    assert ask(MALE, [*HIM, partner("pregnant", until=15), uses(-9, "condom", until=12)], day=8).recheck_at == on(12)
    assert ask(MALE, [*HIM, partner("pregnant", until=15)], day=8).recheck_at == on(15)
    assert ask(MALE, [*HIM, partner("pregnant"), stopped(30)], day=31).recheck_at == on(38, 0)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "reminded_in"),
    [
        ("ended, nothing on record", [*HIM, stopped(30)], 30, PROFILES),
        ("before the end", HIM, 30, NONE),
        ("7 days after", [*HIM, stopped(30)], 37, PROFILES),
        ("8 days after", [*HIM, stopped(30)], 38, US),
        ("28 days after", [*HIM, stopped(30)], 58, US),
        ("29 days after", [*HIM, stopped(30)], 59, NONE),
        ("a condom without an end", [*HIM, uses(-9, "condom"), stopped(30)], 31, NONE),
        ("until 28 days after", [*HIM, uses(-9, "condom", until=58), stopped(30)], 31, NONE),
        ("until 27 days after", [*HIM, uses(-9, "condom", until=57), stopped(30)], 31, US),
        ("until 6 days after", [*HIM, uses(-9, "condom", until=36), stopped(30)], 31, PROFILES),
        ("given up", [*HIM, uses(-9, "condom"), uses(32, "none"), stopped(30)], 33, PROFILES),
        ("begun since", [*HIM, uses(32, "condom"), stopped(30)], 33, NONE),
        ("no partner", [*HIM, partner("none"), stopped(30)], 31, NONE),
        ("partner not of potential", [*HIM, partner("not-of-potential"), stopped(30)], 31, NONE),
        ("partner with contraception", [*HIM, partner("of-potential-with-contraception"), stopped(30)], 31, NONE),
        ("partner at risk", [*HIM, partner("pregnant"), stopped(30)], 31, PROFILES),
        ("that word ended", [*HIM, partner("none", until=31), stopped(30)], 31, PROFILES),
        ("a woman", [*HER, stopped(30)], 31, NONE),
        ("sex unknown: said by another rule", [lenalidomide(1), stopped(30)], 31, NONE),
        ("only prescribed", [man(), ordered(1)], 31, NONE),
        ("died", [*HIM, stopped(30, "death"), replace(man(), died=on(30), at=on(30), id="d")], 31, NONE),
        ("treated again", [*HIM, stopped(30), lenalidomide(35)], 36, NONE),
    ],
)  # fmt: skip
def test_male_tail(shows: str, facts: list[AnyKept], day: float, reminded_in: tuple[str, ...], profile: str) -> None:
    assert said(TAIL, facts, day=day, using=policy(profile)) == ("info" if profile in reminded_in else "quiet")


def test_male_tail_since_and_recheck() -> None:
    facts = [*HIM, uses(-9, "condom"), uses(32, "none"), stopped(30)]
    finding = found(TAIL, facts, day=33)
    assert (finding.since, finding.effective_at) == (on(30), on(32, 8))
    assert [shown.what for shown in finding.evidence] == ["lenalidomide", "contraception"]
    assert finding.title == "Condom or abstinence for 28 days after lenalidomide"
    assert found(TAIL, [*HIM, partner("none", until=31), stopped(30)], day=32).effective_at == on(31)
    assert ask(TAIL, facts, day=33).recheck_at == on(59, 0)
    assert ask(TAIL, [*HIM, partner("none", until=40), stopped(30)], day=33).recheck_at == on(40)
    assert said(TAIL, [*HIM, stopped(30)], day=33, using=policy(ppp_male_tail_days="7")) == "info"
    assert said(TAIL, [*HIM, stopped(30)], day=38, using=policy(ppp_male_tail_days="7")) == "quiet"
