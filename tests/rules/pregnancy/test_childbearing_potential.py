"""Who can become pregnant; what is unknown counts as possible."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept
from rules.pregnancy.childbearing_potential import childbearing_potential, potential_of
from tests.rules.bedside import ledger, lenalidomide, on, person, policy, statement, view
from tests.rules.pregnancy.clinic import said_at, woman

BOTH = ("kr-panel", "uspi", "eu-smpc")
US = ("kr-panel", "uspi")
EU = ("eu-smpc",)
NONE: tuple[str, ...] = ()
YES_MAN = [person(), said_at("childbearing-potential", -9, "yes")]


def stated(value: str, day: float = -20, until: float | None = None) -> AnyKept:
    return said_at("childbearing-potential", day, value, until)


def last_menses(when: float, day: float = -20) -> AnyKept:
    return statement("last-menses", day, when=on(when))


@pytest.mark.parametrize(
    ("shows", "facts", "possible_in"),
    [
        ("nothing is known", [], BOTH),
        ("a woman of whom nothing is said", [woman()], BOTH),
        ("a man", [person()], NONE),
        ("sex unknown", [woman("unknown")], BOTH),
        ("sex other", [woman("other")], BOTH),
        ("a man stated to have potential: the safe side", YES_MAN, BOTH),
        ("a man stated so until yesterday", [person(), stated("yes", -9, until=1)], NONE),
        ("a man stated postmenopausal", [person(), stated("postmenopausal")], NONE),
        ("stated possible", [woman(), stated("yes")], BOTH),
        ("stated not possible", [woman(), stated("no")], NONE),
        ("stated not possible, sex unknown", [woman("unknown"), stated("no")], NONE),
        ("hysterectomy", [woman(), stated("hysterectomy")], NONE),
        ("oophorectomy", [woman(), stated("oophorectomy")], NONE),
        ("ovarian failure", [woman(), stated("ovarian-failure")], US),
        ("a chromosomal cause", [woman(), stated("chromosomal")], US),
        ("the newest word counts", [woman(), stated("no", -20), stated("yes", -10)], BOTH),
        ("and the other way round", [woman(), stated("yes", -20), stated("no", -10)], NONE),
        ("the word has ended", [woman(), stated("no", -20, until=1)], BOTH),
        ("the word ends tomorrow", [woman(), stated("no", -20, until=3)], NONE),
        # menopause
        ("stated postmenopausal at 60", [woman(birth="1966-03-01"), stated("postmenopausal")], NONE),
        ("the same at 36: the EU asks for 50 years", [woman(), stated("postmenopausal")], EU),
        ("50 years today", [woman(birth="1976-06-02"), stated("postmenopausal")], NONE),
        ("50 years tomorrow", [woman(birth="1976-06-03"), stated("postmenopausal")], EU),
        ("birth date unknown", [stated("postmenopausal")], EU),
        ("24 months ago", [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-730 + 1)], NONE),
        ("a day less than 24 months", [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-730 + 2)], US),
        ("12 months ago", [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-365 + 1)], US),
        ("a day less than 12 months", [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-365 + 2)], BOTH),
        ("time alone is no menopause", [woman(birth="1966-03-01"), last_menses(-900)], BOTH),
        ("menses after the word", [woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "regular")], BOTH),
        ("irregular ones", [woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "irregular")], BOTH),
        ("a missed one supposes them", [woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "missed")], BOTH),
        ("bleeding is no menses", [woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "abnormal-bleeding")], NONE),
        ("menses before the word", [woman(birth="1966-03-01"), said_at("menses", -30, "regular"), stated("postmenopausal")], NONE),
        # age alone
        ("90 years, and no word", [woman(birth="1936-03-01")], BOTH),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", BOTH)
def test_potential(shows: str, facts: list[AnyKept], possible_in: tuple[str, ...], profile: str) -> None:
    potential = potential_of(view(facts, day=2, using=policy(profile)))
    assert potential.is_possible is (profile in possible_in)
    assert potential.since is None or potential.since <= on(2, 12)
    assert potential.changes_at is None or potential.changes_at > on(2, 12)


@pytest.mark.parametrize(
    ("shows", "facts", "context"),
    [
        ("nothing is known", [], "Neither female nor male"),
        ("nothing is said", [woman()], "Childbearing potential is not recorded"),
        ("too short", [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-100)], "do not yet suffice"),
        ("contradicted", [woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "regular")], "menses are after it"),
        ("a man", YES_MAN, "Recorded as male"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_said(shows: str, facts: list[AnyKept], context: str) -> None:
    assert context in " ".join(potential_of(view(facts, day=2)).context)


def test_what_is_known_needs_no_word() -> None:
    assert potential_of(view([woman(), stated("yes")], day=2)).context == ()


@pytest.mark.parametrize(("at", "is_possible"), [("59", True), ("60", False), ("61", False)])
def test_age_may_be_taken_for_menopause_by_policy(at: str, is_possible: bool) -> None:
    years = 2026 - int(at)
    using = policy(ppp_age_ends_potential="true")
    assert potential_of(view([woman(birth=f"{years}-03-01")], day=2, using=using)).is_possible is is_possible


def test_that_age_is_policy() -> None:
    using = policy(ppp_age_ends_potential="true", ppp_assumed_menopausal_at="70")
    born = [potential_of(view([woman(birth=f"{year}-03-01")], day=2, using=using)) for year in (1957, 1956)]
    assert [potential.is_possible for potential in born] == [True, False]


def test_when_it_changes_by_time_alone() -> None:
    using = policy(ppp_age_ends_potential="true")
    soon = potential_of(view([woman(birth="1966-06-20")], day=2, using=using))
    assert (soon.is_possible, soon.changes_at) == (True, on(20, 0))
    menopause = [woman(birth="1966-03-01"), stated("postmenopausal"), last_menses(-730 + 11)]
    waiting = potential_of(view(menopause, day=2))
    assert (waiting.is_possible, waiting.changes_at) == (True, on(12, 0))
    young = potential_of(view([woman(birth="1976-06-03"), stated("postmenopausal")], day=2, using=policy("eu-smpc")))
    assert young.changes_at == on(3, 0)
    assert potential_of(view([woman(), stated("no", until=9)], day=2)).changes_at == on(9)
    assert potential_of(view([*YES_MAN], day=2)).changes_at is None


@pytest.mark.parametrize(
    ("facts", "since"),
    [
        ([woman()], None),
        ([woman(), stated("yes", -20), stated("yes", -10)], on(-20, 8)),
        ([woman(), stated("no", -20), stated("yes", -10)], on(-10, 8)),
        ([woman(), stated("no", -20, until=1)], on(1)),
        ([woman(birth="1966-03-01"), stated("postmenopausal"), said_at("menses", -10, "regular")], on(-10, 8)),
        ([woman(birth="1966-03-01"), stated("postmenopausal", -20), last_menses(-100, day=-5)], on(-5, 8)),
        (YES_MAN, on(-9, 8)),
    ],
)
def test_since_when(facts: list[AnyKept], since: object) -> None:
    assert potential_of(view(facts, day=2)).since == since


def test_the_later_birth_day_counts_where_only_the_year_is_known() -> None:
    half = replace(woman(), birth=date(1966, 1, 1), birth_latest=date(1966, 12, 31))
    held = ledger([half, lenalidomide(1)])
    assert childbearing_potential(held, policy(ppp_age_ends_potential="true"), on(2)).is_possible is True
