"""A year on treatment by the book: toxicity, monitoring and haematology have nothing to say, in any profile."""

from __future__ import annotations

import pytest

from rules.answers import CannotAssess, Found
from rules.catalogue import CATALOGUE
from rules.picture import AnyKept
from rules.view import View
from tests.rules.bedside import PROFILES, cbc, ledger, lenalidomide, on, person, policy, result, supply

FAMILIES = ("toxicity", "monitoring", "haematology")


def liver(day: float) -> list[AnyKept]:
    return [
        result("alt", "25", day, 8, high="40"),
        result("ast", "22", day, 8, high="40"),
        result("bilirubin", "0.6", day, 8, high="1.2"),
        result("potassium", "4.2", day, 8),
    ]


def by_the_book() -> list[AnyKept]:
    """13 cycles; a CBC each week for two cycles, then every second, then on day 1; liver tests each cycle."""
    facts: list[AnyKept] = [
        person(),
        result("weight", "60", -1),
        result("ldh", "200", -1, high="250"),
        result("urate", "5", -1, high="7"),
        supply("statin", -100, way="home", until=on(400)),
        supply("dexamethasone", 1, days=364),
    ]
    for number in range(13):
        day = 1 + 28 * number
        facts += [lenalidomide(day), supply("co-trimoxazole", day, days=28)]
        facts += [*liver(day), result("creatinine", "1.0", day, 8)]
        facts += [result("tsh", "2", day, 8, low="0.4", high="4.5")] if number % 3 == 0 else []
    days = [*range(1, 57, 7), 57, 71, *range(85, 365, 28)]
    for day in (-1, *days):
        facts += cbc(day, hour=8)
    return facts


@pytest.mark.parametrize("profile", PROFILES)
def test_a_quiet_patient_stays_quiet(profile: str) -> None:
    facts, using = by_the_book(), policy(profile)
    rules = [entry for entry in CATALOGUE if entry.family in FAMILIES]
    for day in range(1, 364, 3):
        at = on(day, 12)
        book = ledger([fact for fact in facts if fact.at <= at], using=using)
        for entry in rules:
            answer = entry.assess(View(book, at, using))
            assert not isinstance(answer, (Found, CannotAssess)), (entry.id, day, answer)


def test_after_a_year_a_review_is_due_and_nothing_else() -> None:
    facts = by_the_book()
    at = on(369, 12)
    book = ledger([*facts, *liver(365), lenalidomide(365), *cbc(365, hour=8), supply("co-trimoxazole", 365, days=28)])
    said = {
        entry.id
        for entry in CATALOGUE
        if entry.family in FAMILIES and isinstance(entry.assess(View(book, at, policy())), Found)
    }
    assert said == {"spm-followup-due"}
