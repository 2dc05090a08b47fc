"""What a hold shows while it stands, and what the labels add when it is released."""

from __future__ import annotations

import pytest

from tests.rules.asking import answer_of, finding_of, start
from tests.rules.bedside import PROFILES, cbc, lenalidomide, policy, result, statement


def whats(rule: str, *facts: object, day: float) -> list[str]:
    return [shown.what for shown in finding_of(rule, start(), *facts, day=day).evidence]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "first", "second", "day", "names"),
    [
        ("anc-cycle-delay", cbc(27, "900"), cbc(30, "800"), 30, ["ANC before the cycle", "newest ANC"]),
        ("anc-hold", cbc(8, "400"), cbc(10, "700"), 10, ["ANC that decided", "newest ANC"]),
        ("plt-hold", cbc(8, "2500", "20000"), cbc(10, "2500", "25000"), 10, ["platelets that decided", "newest platelets"]),
        ("anc-low-watch", cbc(8, "900"), cbc(10, "800"), 10, ["newest ANC", "ANC that opened the episode"]),
    ],
)  # fmt: skip
def test_the_newest_count_is_shown_beside_the_one_that_decided(
    rule: str, first: list[object], second: list[object], day: float, names: list[str]
) -> None:
    assert whats(rule, first, day=day) == names[:1]
    assert whats(rule, first, second, day=day) == names


def test_a_fever_long_past_says_nothing_about_a_count_of_today() -> None:
    hot = [*cbc(4, "2500", hour=8), result("temperature", "39", 4)]
    assert answer_of("fn-suspected", start(), hot, cbc(6, "900", hour=9), day=6) == "critical"
    assert answer_of("fn-suspected", start(), hot, cbc(6, "900", hour=9.1), day=6) == "quiet"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_dose_is_allowed_only_where_it_was_the_only_toxicity(profile: str) -> None:
    """Both labels lower the dose where neutropenia came with another toxicity: the reader is reminded."""
    using = policy(profile)
    first = finding_of("anc-resume-ok", start(), cbc(8, "400"), cbc(15, "1500"), day=15, using=using)
    assert any("only toxicity" in line for line in first.context)
    again = [*cbc(8, "400"), *cbc(15, "1500"), lenalidomide(16), *cbc(20, "400"), *cbc(27, "1500")]
    later = finding_of("anc-resume-ok", start(), again, day=27, using=using)
    assert later.context == ()


def test_platelets_hold_nobody_who_is_not_treated() -> None:
    assert answer_of("plt-hold", cbc(8, "2500", "20000"), day=8) == "quiet"
    stop = statement("lenalidomide-stopped", 5, "other")
    assert answer_of("plt-hold", start(), stop, cbc(8, "2500", "20000"), day=8) == "quiet"
