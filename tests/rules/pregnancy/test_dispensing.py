"""When and how much lenalidomide is dispensed; donations; contraceptives with an oestrogen."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, lenalidomide, on, policy, statement, supply
from tests.rules.pregnancy.clinic import by_the_book, checked, man, ordered, pill, said_at, stopped, woman
from tests.rules.thrombosis.clinic import ask, found, said

WINDOW, SUPPLY, DONATION, COC = "ppp-dispense-window", "ppp-supply-limit", "ppp-donation", "ppp-coc"
US, EU = ("kr-panel", "uspi"), ("eu-smpc",)
NONE: tuple[str, ...] = ()
HER, HIM = woman(), man()
EARLIER = ordered(1, hour=9)


def authorised(day: float, when: float | None = None) -> AnyKept:
    return statement("authorisation", day, when=on(when) if when is not None else None)


def fill(day: float, days: int = 28, strength: str | None = "25", hour: float = 10.0, **more: object) -> AnyKept:
    return supply("lenalidomide", day, hour, days=days, strength=strength, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "raised_in"),
    [
        ("7 days after the test", [HER, EARLIER, checked(22), ordered(29, hour=9), lenalidomide(29)], 29, NONE),
        ("8 days after the test", [HER, EARLIER, checked(21), ordered(29, hour=9), lenalidomide(29)], 29, US),
        ("7 days after the prescription", [HER, checked(21), ordered(22), lenalidomide(29)], 29, US),
        ("8 days after the prescription", [HER, checked(28), ordered(21), lenalidomide(29)], 29, EU),
        ("the newest test counts", [HER, EARLIER, checked(1), checked(28), ordered(29, hour=9), lenalidomide(29)], 29, NONE),
        ("the newest prescription counts", [HER, checked(28), ordered(1), ordered(28), lenalidomide(29)], 29, NONE),
        ("no negative test at all", [HER, ordered(29, hour=9), lenalidomide(29)], 29, NONE),
        ("a preliminary one is none", [HER, checked(20), checked(28, status=FactStatus.PRELIMINARY), ordered(29, hour=9), lenalidomide(29)], 29, US),
        ("by the book", by_the_book(), 29, NONE),
        # what closes it
        ("a negative test after it", [HER, checked(20), ordered(20), lenalidomide(29), checked(30)], 30, NONE),
        ("returned", [HER, checked(20), ordered(20), lenalidomide(29, status=FactStatus.WITHDRAWN)], 30, NONE),
        ("the last day of supply", [HER, checked(20), ordered(20), lenalidomide(29)], 56, PROFILES),
        ("used up", [HER, checked(20), ordered(20), lenalidomide(29)], 57, NONE),
        ("only intended", [HER, checked(20), ordered(20), lenalidomide(29, status=FactStatus.PLANNED)], 30, NONE),
        ("given on the ward", [HER, checked(20), ordered(20), lenalidomide(29, way="given")], 30, NONE),
        # others
        ("a man, 30 days after the authorisation", [HIM, authorised(-1), lenalidomide(30)], 30, NONE),
        ("a man, 31 days after it", [HIM, authorised(-2), lenalidomide(30)], 30, US),
        ("the day it was issued counts", [HIM, authorised(28, when=-2), lenalidomide(30)], 30, US),
        ("no authorisation on record", [HIM, lenalidomide(30)], 30, NONE),
        ("the newest authorisation", [HIM, authorised(-2), authorised(20), lenalidomide(30)], 30, NONE),
        ("one for the next dispense", [HIM, authorised(-2), lenalidomide(30), authorised(40)], 40, US),
        ("a test does not close that", [HIM, authorised(-2), lenalidomide(30), checked(31)], 31, US),
        ("no potential, the same", [HER, said_at("childbearing-potential", -9, "no"), authorised(-2), lenalidomide(30)], 30, US),
        ("sex unknown counts as potential", [checked(20), ordered(20), lenalidomide(29)], 29, PROFILES),
        ("a man's prescription", [HIM, ordered(1), lenalidomide(29)], 29, NONE),
    ],
)  # fmt: skip
def test_window(shows: str, facts: list[AnyKept], day: float, raised_in: tuple[str, ...], profile: str) -> None:
    answer = said(WINDOW, facts, day=day, using=policy(profile))
    assert answer == ("critical" if profile in raised_in else "quiet")


def test_window_cannot_be_counted_from_a_prescription_that_is_not_there() -> None:
    eu, facts = policy("eu-smpc"), [HER, checked(1), lenalidomide(1)]
    assert said(WINDOW, facts, day=1, using=eu) == "cannot: prescription of lenalidomide"
    assert ask(WINDOW, facts, day=2, using=eu).recheck_at == on(29, 0)
    assert said(WINDOW, facts, day=29, using=eu) == "quiet"
    assert said(WINDOW, [HIM, lenalidomide(1)], day=1, using=eu) == "quiet"
    late = [HER, lenalidomide(1), ordered(15), lenalidomide(24)]
    assert said(WINDOW, late, day=24, using=eu) == "critical"


def test_each_dispense_is_an_alert_of_its_own() -> None:
    first, second = lenalidomide(20), lenalidomide(29)
    facts = [HER, checked(10), first, second]
    answer = ask(WINDOW, facts, day=29)
    assert said(WINDOW, facts, day=29) == "critical; critical"
    assert [finding.subject for finding in answer.findings] == [first.id, second.id]  # type: ignore[union-attr]
    assert answer.recheck_at == on(48, 0)
    finding = found(WINDOW, facts, day=50)
    assert (finding.since, finding.effective_at) == (second.at, second.at)
    assert finding.title == "Lenalidomide dispensed 19 days after the negative pregnancy test"
    assert [number.key for number in finding.thresholds] == ["ppp_dispense_days"]


def test_window_takes_effect_when_the_potential_is_known() -> None:
    facts = [HER, said_at("childbearing-potential", -9, "no"), checked(10), lenalidomide(20),
             said_at("childbearing-potential", 22, "yes")]  # fmt: skip
    assert found(WINDOW, facts, day=23).effective_at == on(22, 8)
    late = [HIM, lenalidomide(30), authorised(33, when=-2)]
    assert found(WINDOW, late, day=34).effective_at == on(33, 8)
    assert found(WINDOW, late, day=34).thresholds[0].key == "ppp_authorisation_days"


@pytest.mark.parametrize(
    ("changes", "facts", "answer"),
    [
        ({"ppp_dispense_days": "14"}, [HER, checked(15), lenalidomide(29)], "quiet"),
        ({"ppp_authorisation_days": "45"}, [HIM, authorised(-15), lenalidomide(29)], "quiet"),
        ({"ppp_dispense_from": "prescription"}, [HER, checked(15), ordered(28), lenalidomide(29)], "quiet"),
    ],
)
def test_each_number_of_the_window_is_policy(changes: dict[str, str], facts: list[AnyKept], answer: str) -> None:
    assert said(WINDOW, facts, day=29) == "critical"
    assert said(WINDOW, facts, day=29, using=policy(**changes)) == answer


HER_84 = [HER, said_at("childbearing-potential", -9, "no")]
BOTH = "too-much high"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer", "raised_in"),
    [
        ("28 days", [HER, fill(1)], 1, "", NONE),
        ("29 days", [HER, fill(1, 29)], 1, BOTH, PROFILES),
        ("29 days to a man", [HIM, fill(1, 29)], 1, BOTH, US),
        ("84 days to a man", [HIM, fill(1, 84)], 1, BOTH, US),
        ("85 days to a man", [HIM, fill(1, 85)], 1, BOTH, PROFILES),
        ("84 days without potential", [*HER_84, fill(1, 84)], 1, BOTH, US),
        ("84 days, sex unknown", [fill(1, 84)], 1, BOTH, PROFILES),
        ("29 capsules and no days", [HER, supply("lenalidomide", 1, quantity="29", strength="25")], 1, BOTH, PROFILES),
        ("neither said: one cycle", [HER, supply("lenalidomide", 1, strength="25")], 1, "", NONE),
        ("two packages of one day", [HER, fill(1, 14), fill(1, 14, hour=11)], 1, "", NONE),
        ("two packages too many", [HER, fill(1, 21), fill(1, 21, hour=11)], 1, BOTH, PROFILES),
        ("two strengths of one day", [HER, fill(1, 28, "10"), fill(1, 28, "5", hour=11)], 1, "", NONE),
        ("one of unknown strength", [HER, fill(1, 28), fill(1, 28, None, hour=11)], 1, BOTH, PROFILES),
        ("surplus of 28 days on day 28", [HER, fill(1, 56)], 28, BOTH, PROFILES),
        ("surplus used up", [HER, fill(1, 56)], 29, "", NONE),
        ("returned", [HER, fill(1, 56, status=FactStatus.WITHDRAWN)], 1, "", NONE),
        ("ordered only", [HER, fill(1, 56, way="ordered")], 1, "", NONE),
        # filled early
        ("7 days remain", [HER, fill(1), fill(22)], 22, "", NONE),
        ("8 days remain", [HER, fill(1), fill(21)], 21, "early high", US),
        ("a man's 8 days", [HIM, fill(1), fill(21)], 21, "early high", US),
        ("used up on the same day", [HER, fill(1), fill(21)], 22, "", NONE),
        ("10 days remain, 2 days later", [HER, fill(1), fill(19)], 21, "early high", US),
        ("10 days remain, 3 days later", [HER, fill(1), fill(19)], 22, "", NONE),
        ("what remains is carried", [HER, fill(1), fill(25), fill(49)], 49, "early high", US),
        ("carried, and within", [HER, fill(1), fill(25), fill(50)], 50, "", NONE),
        ("nothing remains", [HER, fill(1), fill(40)], 40, "", NONE),
        ("a gap, then early", [HER, fill(1), fill(40), fill(57)], 57, "early high", US),
        ("another strength", [HER, fill(1), fill(10, 28, "15")], 10, "", NONE),
        ("unknown strength", [HER, fill(1), fill(10, 28, None)], 10, "early high", US),
        ("too much and early is one alert", [HER, fill(1), fill(10, 42)], 10, BOTH, PROFILES),
    ],
)  # fmt: skip
def test_supply(
    shows: str, facts: list[AnyKept], day: float, answer: str, raised_in: tuple[str, ...], profile: str
) -> None:
    assert said(SUPPLY, facts, day=day, using=policy(profile)) == (answer if profile in raised_in else "quiet")


def test_supply_says_how_much() -> None:
    first, second = fill(1), fill(19)
    finding = found(SUPPLY, [HER, first, second], day=19)
    assert (finding.subject, finding.since, finding.effective_at) == (second.id, second.at, second.at)
    assert "while 10 days of supply remained; at most 7 may" in finding.message
    assert [shown.fact.id for shown in finding.evidence] == [first.id, second.id]
    assert ask(SUPPLY, [HER, first, second], day=19).recheck_at == on(22, 0)
    packages = [HER, fill(1, 21), fill(1, 21, hour=11)]
    big = found(SUPPLY, packages, day=1)
    assert "42 days of lenalidomide dispensed; at most 28 are" in big.message
    assert ask(SUPPLY, packages, day=1).recheck_at == on(15, 0)
    assert big.context == ("Childbearing potential is not recorded: taken as possible.",)
    eu = policy("eu-smpc")
    known = [HER, said_at("childbearing-potential", -9, "no"), fill(1, 56), said_at("childbearing-potential", 5, "yes")]
    assert found(SUPPLY, known, day=6, using=eu).effective_at == on(5, 8)


@pytest.mark.parametrize(
    ("changes", "facts", "answer"),
    [
        ({"ppp_supply_days": "42"}, [HER, fill(21, 42)], "quiet"),
        ({"ppp_supply_others_days": "42"}, [HIM, fill(21, 42)], "quiet"),
        ({"ppp_supply_others_days": "42"}, [HER, fill(21, 42)], "too-much high"),
        ({"ppp_early_fill": "false"}, [HER, fill(1), fill(21)], "quiet"),
        ({"ppp_early_fill_days": "8"}, [HER, fill(1), fill(21)], "quiet"),
    ],
)
def test_each_number_of_supply_is_policy(changes: dict[str, str], facts: list[AnyKept], answer: str) -> None:
    assert said(SUPPLY, facts, day=21, using=policy(**changes)) == answer


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "shown_in"),
    [
        ("blood on treatment", [HIM, lenalidomide(1), said_at("donation", 8, "blood")], 8, PROFILES),
        ("sperm on treatment", [HIM, lenalidomide(1), said_at("donation", 8, "sperm")], 8, PROFILES),
        ("before treatment", [HIM, said_at("donation", 1, "blood"), lenalidomide(1)], 1, NONE),
        ("never treated", [HIM, ordered(1), said_at("donation", 8, "blood")], 8, NONE),
        ("shown for 14 days", [HIM, lenalidomide(1), said_at("donation", 8, "blood")], 21, PROFILES),
        ("and no longer", [HIM, lenalidomide(1), said_at("donation", 8, "blood")], 22, NONE),
        ("7 days after the end", [HIM, lenalidomide(1), stopped(30), said_at("donation", 37, "blood")], 37, PROFILES),
        ("8 days after the end", [HIM, lenalidomide(1), stopped(30), said_at("donation", 38, "blood")], 38, US),
        ("28 days after the end", [HIM, lenalidomide(1), stopped(30), said_at("donation", 58, "blood")], 58, US),
        ("29 days after the end", [HIM, lenalidomide(1), stopped(30), said_at("donation", 59, "blood")], 59, NONE),
        ("no donation: nothing to assess", [HIM, lenalidomide(1)], 8, NONE),
        ("another statement", [HIM, lenalidomide(1), said_at("contraception", 8, "condom")], 8, NONE),
    ],
)  # fmt: skip
def test_donation(shows: str, facts: list[AnyKept], day: float, shown_in: tuple[str, ...], profile: str) -> None:
    assert said(DONATION, facts, day=day, using=policy(profile)) == ("info" if profile in shown_in else "quiet")


def test_each_donation_is_a_note_of_its_own() -> None:
    one, other = said_at("donation", 8, "blood"), said_at("donation", 10, "sperm")
    answer = ask(DONATION, [HIM, lenalidomide(1), one, other], day=10)
    assert [finding.subject for finding in answer.findings] == [one.id, other.id]  # type: ignore[union-attr]
    assert answer.recheck_at == on(22, 8)
    finding = found(DONATION, [HIM, lenalidomide(1), one], day=8)
    assert (finding.title, finding.since, finding.effective_at) == ("Donation on lenalidomide: blood", one.at, one.at)
    shorter = policy(ppp_donation_shown_days="1", ppp_donation_tail_days="7")
    assert said(DONATION, [HIM, lenalidomide(1), one], day=9, using=shorter) == "quiet"
    unsaid = [HIM, lenalidomide(1), statement("donation", 8)]
    assert found(DONATION, unsaid, day=8).title == "Donation on lenalidomide: blood or sperm"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a combined one", [HER, lenalidomide(1), pill(5)], 5, "medium"),
        ("from before treatment", [HER, pill(-5), lenalidomide(1)], 1, "medium"),
        ("a kind not said", [HER, lenalidomide(1), pill(5, "hormonal-contraceptive")], 5, "medium provisional"),
        ("both", [HER, lenalidomide(1), pill(5, "hormonal-contraceptive"), pill(5)], 5, "medium"),
        ("without an oestrogen", [HER, lenalidomide(1), pill(5, "progestogen-contraceptive")], 5, "quiet"),
        ("ordered only", [HER, lenalidomide(1), pill(5, way="ordered")], 5, "quiet"),
        ("the last day of grace", [HER, lenalidomide(1), pill(5)], 39, "medium"),
        ("over", [HER, lenalidomide(1), pill(5)], 40, "quiet"),
        ("course ended", [HER, lenalidomide(1), pill(5), stopped(8)], 8, "quiet"),
        ("not on treatment", [HER, ordered(1), pill(5)], 5, "quiet"),
        ("the first dose said for later", [HER, statement("cycle-day-1-taken", 1, when=on(9)), pill(5)], 5, "quiet"),
        ("none", [HER, lenalidomide(1)], 5, "quiet"),
    ],
)  # fmt: skip
def test_coc(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(COC, facts, day=day, using=policy(profile)) == answer


def test_coc_since_and_recheck() -> None:
    assert found(COC, [HER, pill(-5), lenalidomide(1)], day=1).since == on(1, 10)
    late = [HER, lenalidomide(1), pill(5)]
    assert (found(COC, late, day=8).since, ask(COC, late, day=8).recheck_at) == (on(5, 10), on(40, 0))
    assert found(COC, [HER, lenalidomide(1), pill(5, "hormonal-contraceptive")], day=8).context == (
        "Whether it contains an oestrogen is not said: verify.",)  # fmt: skip
    assert found(COC, late, day=8).context == ()
    ahead = statement("lenalidomide-stopped", 6, "other", when=on(20))
    assert ask(COC, [*late, ahead], day=8).recheck_at == on(20)
    soon = [HER, statement("cycle-day-1-taken", 1, when=on(9)), pill(5)]
    assert ask(COC, soon, day=5).recheck_at == on(9)
