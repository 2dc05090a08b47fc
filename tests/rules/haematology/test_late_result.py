"""A result that arrives after a newer one showed recovery."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, on, result, statement


def late(day: float, value: str, known: float, analyte: str = "anc") -> AnyKept:
    return result(analyte, value, day, known=on(known))


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("known after the recovery", [late(8, "400", 16), *cbc(15)], 16, 12, "info"),
        ("known before it: an ordinary hold", [late(8, "400", 14), *cbc(15)], 16, 12, "quiet"),
        ("of platelets", [late(8, "20000", 16, "platelets"), *cbc(15)], 16, 12, "info"),
        ("it would have opened no hold", [late(8, "700", 16), *cbc(15)], 16, 12, "quiet"),
        ("a second before 14 days", [late(8, "400", 16), *cbc(15)], 30, 8.99, "info"),
        ("14 days after it became known", [late(8, "400", 16), *cbc(15)], 30, 9.0, "quiet"),
        (
            "course ended",
            [late(8, "400", 16), *cbc(15), statement("lenalidomide-stopped", 17, "other")],
            18,
            12,
            "quiet",
        ),
    ],
)
def test_late(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of("late-result-historical", start(), facts, day=day, hour=hour) == answer


def test_it_opens_no_hold_and_asks_for_no_resume() -> None:
    facts = [start(), late(8, "400", 16), *cbc(15)]
    assert answer_of("anc-hold", *facts, day=16) == "quiet"
    assert answer_of("anc-resume-ok", *facts, day=16) == "quiet"


def test_its_episode_counts() -> None:
    """The next low count belongs to a second episode, and holds."""
    facts = [start(), late(8, "400", 16), *cbc(15), *cbc(20, "900")]
    assert answer_of("anc-hold", *facts, day=20) == "high"


def test_the_newer_result_does_not_show_recovery_then_it_holds() -> None:
    facts = [start(), late(8, "400", 16), *cbc(15, "700")]
    assert answer_of("anc-hold", *facts, day=16) == "critical"


def test_subject_is_the_late_fact() -> None:
    fact = late(8, "400", 16)
    finding = finding_of("late-result-historical", start(), fact, cbc(15), day=16)
    assert (finding.subject, finding.since) == (fact.id, on(8))
    assert recheck_of("late-result-historical", start(), fact, cbc(15), day=16) == on(30)


def test_nothing_is_missing_for_it() -> None:
    """It speaks of results that are known; `anc-hold` says what is not."""
    assert answer_of("late-result-historical", start(), day=8) == "quiet"
