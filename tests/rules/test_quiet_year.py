"""A year by the book stays quiet in every profile; a noisy year never has two alerts of one thing."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Literal

import pytest

from rules.record import Record
from schemas.alerts import Severity, TransitionKind
from streams.simulator import Happening, Mishap, by_the_book, codebook
from streams.simulator.happenings import Diagnosed, Reported, Result, ResultStatus
from streams.simulator.pathway import ZONE, Pathway
from streams.simulator.people import draw_person
from tests.rules.bedside import PROFILES, policy
from tests.rules.ward import walked

WEEKS = 54
MOST_INFO = 5
PATIENTS = (("male", False), ("female", False), ("female", True))
"""Sex, and whether she can become pregnant."""


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("sex", "can_become_pregnant"), PATIENTS)
def test_a_year_by_the_book_is_quiet(profile: str, sex: Literal["female", "male"], can_become_pregnant: bool) -> None:
    book = by_the_book(
        sex, WEEKS, can_become_pregnant=can_become_pregnant, is_by_label=profile != "kr-panel"
    )  # the panel's own counts and prophylaxis, or those the labels ask for
    records, told = walked(book, policy(profile))
    raised = [(t.rule, t.severity, t.title) for _, t in told if t.transition is TransitionKind.RAISED]
    assert [line for line in raised if line[1] is not Severity.INFO] == []
    assert len(raised) <= MOST_INFO, raised
    (record,) = records.values()
    assert record.gaps == (), "everything that applies can be assessed"
    assert max(Counter(t.alert_id for _, t in told).values(), default=0) <= 2, "nor is one of them told again and again"


EXTREMES = {
    codebook.CREATININE: ("mg/dL", "0.9", "1.4", "2.4", "5.0"),
    codebook.ALT: ("U/L", "25", "130", "900"),
    codebook.BILIRUBIN: ("mg/dL", "0.7", "2.0", "4.5"),
    codebook.TSH: ("m[IU]/L", "2.0", "0.05", "14"),
    codebook.POTASSIUM: ("mmol/L", "4.2", "5.7", "6.6"),
    codebook.HAEMOGLOBIN: ("g/dL", "11.0", "7.4", "12.9"),
    codebook.TEMPERATURE: ("Cel", "36.6", "38.6"),
    codebook.WEIGHT: ("kg", "61", "48", "88"),
}
DIAGNOSES = (
    (codebook.DEEP_VEIN_THROMBOSIS, 20), (codebook.KIDNEY_DISEASE, None),
)  # fmt: skip


def noisy_year(seed: int) -> list[Happening]:
    """Every mishap to one person, and each week some chemistry or a diagnosis that is far from normal."""
    chance = Random(f"{seed}/noisy")
    first, mishaps = date(2026, 1, 12), frozenset(Mishap) - {Mishap.STOPPED_COURSE}
    person = draw_person(f"SIM-NOISY-{seed}", chance, first, mishaps)
    year = Pathway(person, mishaps, first, first + timedelta(weeks=WEEKS), chance).walk()
    for number in range(2 * WEEKS):
        at = datetime.combine(first + timedelta(days=chance.randint(0, 7 * WEEKS)), time(10), ZONE)
        at += timedelta(minutes=chance.randint(0, 300))
        tests = chance.sample(sorted(EXTREMES, key=lambda test: test.code), 3)
        results = tuple(
            Result(f"X{number}-{test.code}", test, chance.choice(EXTREMES[test][1:]), EXTREMES[test][0])
            for test in tests
        )
        report = Reported(f"X{number}", f"X{number}", at, at, ResultStatus.FINAL, results)
        # Some are known late: order is no excuse for a second alert.
        known = at + timedelta(days=chance.choice((0, 0, 0, 2, 9)))
        year.append(Happening(known, person.id, f"X{number}", report))
        if number % 12 == 0:
            codes, days = chance.choice(DIAGNOSES)
            over = None if days is None else at.date() + timedelta(days=days)
            year.append(Happening(known, person.id, f"D{number}", Diagnosed(f"D{number}", codes, at.date(), at, over)))
    return sorted(year, key=lambda happening: (happening.known_at, happening.message))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_noisy_year_has_one_open_alert_of_a_rule_and_subject(profile: str) -> None:
    def look(record: Record) -> None:
        standing = [alert for alert in record.register if alert.superseded_by is None]
        twice = [key for key, count in Counter((a.rule, a.subject) for a in standing).items() if count > 1]
        assert not twice, (twice, record.header.clock)

    _, told = walked(noisy_year(PROFILES.index(profile)), policy(profile), look)
    assert len({transition.rule for _, transition in told}) > 20, "the year is noisy"
