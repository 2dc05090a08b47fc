"""Adverse events by grade: review, hold, note; each at its edge, what closes it, what cannot be told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Diagnosis
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, recheck_of
from tests.rules.bedside import PROFILES, diagnosis, lenalidomide, on, policy, statement, view

SEVERE, HELD, NERVES, MILD = "ae-severe-review", "nonheme-g34", "ae-neuropathy-unexpected", "ae-mild-manage"
RULED = ("lenalidomide",)


def event(
    concept: str, grade: int | None, day: float = 5, *, until: float | None = None, related: tuple[str, ...] = ()
) -> Diagnosis:
    return diagnosis([concept], day, grade=grade, abated=on(until) if until else None, related=related)


def of_day(fact: Diagnosis) -> Diagnosis:
    """The same, of which only the day is known."""
    begin = fact.at - timedelta(hours=9)
    return replace(fact, at=begin, latest=begin + timedelta(hours=23, minutes=59))


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("grade 3", [event("fatigue", 3)], 5, "high"),
        ("grade 4", [event("fatigue", 4)], 5, "high"),
        ("grade 2", [event("fatigue", 2)], 5, "quiet"),
        ("without a grade", [event("fatigue", None)], 5, "quiet"),
        ("of an unknown code", [replace(event("x", 3), concepts=(), code="999")], 5, "high"),
        ("before the first dose", [event("fatigue", 3, -2)], 5, "quiet"),
        ("on the day of the first dose", [of_day(event("fatigue", 3, 1))], 5, "high"),
        ("the hour before its end", [event("fatigue", 3, until=9)], 9, "quiet"),
        ("before its end", [event("fatigue", 3, until=9)], 8, "high"),
        ("milder now", [event("fatigue", 3), event("fatigue", 2, 8)], 8, "quiet"),
        ("another one milder", [event("fatigue", 3), event("diarrhoea", 2, 8)], 8, "high"),
        ("severe again: one alert", [event("fatigue", 3), event("fatigue", 4, 8)], 8, "high"),
        ("two of them", [event("fatigue", 3), event("diarrhoea", 3)], 8, "high, high"),
        ("low neutrophils as an event", [event("neutropenia", 4)], 5, "quiet"),
        ("anaemia as an event", [event("anaemia", 3)], 5, "quiet"),
        ("a rash has its own rule", [event("rash", 3)], 5, "quiet"),
        ("a clot has its own rule", [event("vte", 3)], 5, "quiet"),
        ("a pneumonia", [event("pneumonia", 3)], 5, "high"),
        ("judged related: the panel has no other rule", [event("fatigue", 3, related=RULED)], 5, "high"),
        ("course ended", [event("fatigue", 3), statement("lenalidomide-stopped", 6, "toxicity")], 7, "quiet"),
    ],
)  # fmt: skip
def test_severe(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(SEVERE, lenalidomide(1), facts, day=day) == answer


def test_severe_before_treatment_is_silent() -> None:
    assert answer_of(SEVERE, event("fatigue", 3), day=6) == "quiet"


def test_severe_is_looked_at_again_at_its_end() -> None:
    facts: list[AnyKept] = [
        lenalidomide(1),
        event("fatigue", 3, until=9),
        event("diarrhoea", 3, until=7),
        event("constipation", 3),
    ]
    assert recheck_of(SEVERE, facts, day=5.5) == on(7)
    assert recheck_of(SEVERE, facts[:1], event("fatigue", 3), day=6) is None


def test_severe_names_event_and_grade() -> None:
    found = finding_of(SEVERE, lenalidomide(1), event("fatigue", 3), day=6)
    assert "Fatigue of grade 3" in found.message
    assert found.since == found.effective_at == on(5)
    early = finding_of(SEVERE, lenalidomide(1), of_day(event("fatigue", 3, 1)), day=6)
    assert early.effective_at == on(1, 10)


def test_limit_of_severe_is_policy() -> None:
    using = policy(ae_severe_grade_at="4")
    assert answer_of(SEVERE, lenalidomide(1), event("fatigue", 3), day=5, using=using) == "quiet"
    assert answer_of(SEVERE, lenalidomide(1), event("fatigue", 4), day=5, using=using) == "high"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "held", "reviewed"),
    [
        ("related, grade 3", [event("fatigue", 3, related=RULED)], 5, "high", "quiet"),
        ("related, grade 4", [event("fatigue", 4, related=RULED)], 5, "high", "quiet"),
        ("related, grade 2", [event("fatigue", 2, related=RULED)], 5, "quiet", "quiet"),
        ("not judged", [event("fatigue", 3)], 5, "quiet", "high"),
        ("related to another medicine", [event("fatigue", 3, related=("bortezomib",))], 5, "quiet", "high"),
        ("related, grade 2 later", [event("fatigue", 3, related=RULED), event("fatigue", 2, 9)], 9, "quiet", "quiet"),
        ("related, over", [event("fatigue", 3, related=RULED, until=7)], 7, "quiet", "quiet"),
        ("related, a count", [event("thrombocytopenia", 4, related=RULED)], 5, "quiet", "quiet"),
        ("related, a rash", [event("rash", 3, related=RULED)], 5, "quiet", "quiet"),
        ("related, from before", [event("fatigue", 3, -3, related=RULED)], 5, "quiet", "quiet"),
    ],
)  # fmt: skip
def test_related_events_by_profile(
    profile: str, shows: str, facts: list[AnyKept], day: float, held: str, reviewed: str
) -> None:
    """The labels hold for what lenalidomide is judged to have caused; the panel only asks for a review."""
    using = policy(profile)
    if profile == "kr-panel" and held != "quiet":
        held, reviewed = "quiet", "high"
    assert answer_of(HELD, lenalidomide(1), facts, day=day, using=using) == held
    assert answer_of(SEVERE, lenalidomide(1), facts, day=day, using=using) == reviewed


def test_a_related_event_holds_lenalidomide() -> None:
    using, bad = policy("uspi"), event("fatigue", 3, related=RULED, until=20)
    seen = view(lenalidomide(1), bad, day=6, using=using)
    assert [(stop.rule, stop.subject) for stop in seen.stops] == [(HELD, bad.id)]
    assert view(lenalidomide(1), bad, day=20, using=using).stops == ()
    assert view(lenalidomide(1), bad, day=6).stops == ()
    assert recheck_of(HELD, lenalidomide(1), bad, day=6, using=using) == on(20)
    assert answer_of("hold-dispense", lenalidomide(1), bad, lenalidomide(8), day=8, using=using) == "critical"
    assert answer_of("hold-dispense", lenalidomide(1), bad, lenalidomide(20), day=20, using=using) == "quiet"
    found = finding_of(HELD, lenalidomide(1), bad, day=6, using=using)
    assert found.since == found.effective_at == on(5)
    early = finding_of(HELD, lenalidomide(1), of_day(event("fatigue", 3, 1, related=RULED)), day=6, using=using)
    assert early.effective_at == on(1, 10)
    stop = statement("lenalidomide-stopped", 7, "toxicity")
    assert answer_of(HELD, lenalidomide(1), bad, stop, day=8, using=using) == "quiet"


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("grade 3", [event("peripheral-neuropathy", 3)], 5, "medium"),
        ("grade 2", [event("peripheral-neuropathy", 2)], 5, "quiet"),
        ("without a grade", [event("peripheral-neuropathy", None)], 5, "quiet"),
        ("something else", [event("fatigue", 3)], 5, "quiet"),
        ("milder later", [event("peripheral-neuropathy", 3), event("peripheral-neuropathy", 2, 8)], 8, "quiet"),
        ("over", [event("peripheral-neuropathy", 3, until=8)], 8, "quiet"),
        ("another cause", [event("peripheral-neuropathy", 3), statement("neuropathy-cause", 7, "bortezomib")], 7, "quiet"),
        ("held for lenalidomide", [event("peripheral-neuropathy", 3), statement("neuropathy-cause", 7, "lenalidomide")], 7, "medium"),
        ("the other cause no longer holds", [event("peripheral-neuropathy", 3), statement("neuropathy-cause", 6, "diabetes", until=on(7))], 8, "medium"),
        ("before treatment", [event("peripheral-neuropathy", 3, -3)], 5, "quiet"),
        ("course ended", [event("peripheral-neuropathy", 3), statement("lenalidomide-stopped", 6, "toxicity")], 7, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_neuropathy(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(NERVES, lenalidomide(1), facts, day=day, using=policy(profile)) == answer


def test_neuropathy_is_raised_beside_the_review() -> None:
    facts: list[AnyKept] = [lenalidomide(1), event("peripheral-neuropathy", 3, until=9)]
    assert answer_of(SEVERE, facts, day=5) == "high"
    assert answer_of(NERVES, facts, day=5) == "medium"
    assert recheck_of(NERVES, facts, day=5.5) == on(9)
    cause = statement("neuropathy-cause", 6, "diabetes", until=on(8))
    assert recheck_of(NERVES, facts, cause, day=7) == on(8)
    assert finding_of(NERVES, facts, cause, day=8).effective_at == on(8)
    ours = statement("neuropathy-cause", 6, "lenalidomide", until=on(8))
    assert recheck_of(NERVES, facts, ours, day=7) == on(8)
    blamed = statement("neuropathy-cause", 2, "lenalidomide")
    assert finding_of(NERVES, lenalidomide(1), blamed, event("peripheral-neuropathy", 3), day=6).effective_at == on(5)
    early = finding_of(NERVES, lenalidomide(1), of_day(event("peripheral-neuropathy", 3, 1)), day=6)
    assert early.effective_at == on(1, 10)


CHANGED = statement("lenalidomide-changed-for", 6, "fatigue")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("grade 1", [event("fatigue", 1), CHANGED], 6, "info"),
        ("grade 2", [event("fatigue", 2), CHANGED], 6, "info"),
        ("grade 3", [event("fatigue", 3), CHANGED], 6, "quiet"),
        ("grade 0", [event("fatigue", 0), CHANGED], 6, "quiet"),
        ("without a grade", [event("fatigue", None), CHANGED], 6, "cannot: the grade of the fatigue"),
        ("without a grade, over", [event("fatigue", None, until=6), CHANGED], 6, "quiet"),
        ("without a grade, from before treatment", [event("fatigue", None, -5), CHANGED], 6, "quiet"),
        ("no event at all", [CHANGED], 6, "quiet"),
        ("not changed for it", [event("fatigue", 2)], 6, "quiet"),
        ("changed for something else", [event("fatigue", 2), statement("lenalidomide-changed-for", 6, "rash")], 6, "quiet"),
        ("changed for another complaint", [event("fatigue", 2), statement("lenalidomide-changed-for", 6, "other")], 6, "quiet"),
        ("the event came after the change", [CHANGED, event("fatigue", 2, 7)], 7, "quiet"),
        ("rash", [event("rash", 1), statement("lenalidomide-changed-for", 6, "rash")], 6, "info"),
        ("a bullous rash", [diagnosis(["rash", "bullous-or-exfoliative-rash"], 5, grade=2), statement("lenalidomide-changed-for", 6, "rash")], 6, "quiet"),
        ("diarrhoea", [event("diarrhoea", 2), statement("lenalidomide-changed-for", 6, "diarrhoea")], 6, "info"),
        ("constipation", [event("constipation", 2), statement("lenalidomide-changed-for", 6, "constipation")], 6, "info"),
        ("over", [event("fatigue", 2, until=9), CHANGED], 9, "quiet"),
        ("lenalidomide dispensed again", [event("fatigue", 2), CHANGED, lenalidomide(8)], 8, "quiet"),
        ("lenalidomide taken again", [event("fatigue", 2), CHANGED, lenalidomide(8, way="given")], 8, "quiet"),
        ("lenalidomide only ordered", [event("fatigue", 2), CHANGED, lenalidomide(8, way="ordered")], 8, "info"),
        ("an order after a dispense", [event("fatigue", 2), CHANGED, lenalidomide(8), lenalidomide(9, way="ordered")], 9, "quiet"),
        ("shown for 28 days", [event("fatigue", 2), CHANGED], 33, "info"),
        ("no longer", [event("fatigue", 2), CHANGED], 34, "quiet"),
        ("the newest grade counts", [event("fatigue", 2), event("fatigue", 3, 5.5), CHANGED], 6, "quiet"),
        ("course ended", [event("fatigue", 2), CHANGED, statement("lenalidomide-stopped", 7, "toxicity")], 8, "quiet"),
        ("the word on the change ended", [event("fatigue", 2), statement("lenalidomide-changed-for", 6, "fatigue", until=on(7))], 8, "quiet"),
    ],
)  # fmt: skip
def test_mild(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(MILD, lenalidomide(1), facts, day=day) == answer


def test_mild_before_treatment_is_silent() -> None:
    assert answer_of(MILD, event("fatigue", 2), CHANGED, day=6) == "quiet"


def test_mild_is_looked_at_again() -> None:
    start = lenalidomide(1)
    assert recheck_of(MILD, start, event("fatigue", 2), CHANGED, day=7) == on(34, 8)
    assert recheck_of(MILD, start, event("fatigue", 2, until=9), CHANGED, day=7) == on(9)
    assert recheck_of(MILD, start, event("fatigue", 3, until=9), CHANGED, day=7) == on(9)
    until = statement("lenalidomide-changed-for", 6, "fatigue", until=on(8))
    assert recheck_of(MILD, start, event("fatigue", 2, until=9), until, day=7) == on(8)
    assert recheck_of(MILD, start, until, day=7) == on(8)
    assert recheck_of(MILD, start, event("fatigue", None, until=7.5), until, day=7) == on(7.5)
    assert recheck_of(MILD, start, event("fatigue", None), CHANGED, day=7) == on(34, 8)


def test_mild_took_effect_with_the_later_of_the_two() -> None:
    found = finding_of(MILD, lenalidomide(1), event("fatigue", 2), CHANGED, day=7)
    assert (found.since, found.effective_at) == (on(5), on(6, 8))


def test_a_dose_later_on_the_day_of_the_change_is_no_resumption() -> None:
    """Of a change whose hour is not known, a dose of that day may have come before it."""
    change = replace(CHANGED, at=on(6, 0), latest=on(6, 23.9))
    assert answer_of(MILD, lenalidomide(1), event("fatigue", 2), change, lenalidomide(6, way="given"), day=7) == "info"


def test_a_retracted_event_is_none() -> None:
    gone = replace(event("fatigue", 3), status=FactStatus.WITHDRAWN)
    assert answer_of(SEVERE, lenalidomide(1), gone, day=6) == "quiet"
