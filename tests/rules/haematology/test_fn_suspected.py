"""Suspected febrile neutropenia."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from tests.rules.asking import answer_of, start
from tests.rules.bedside import cbc, lenalidomide, result, statement

LOW = cbc(8, "999")


def fever(day: float, value: str, hour: float = 12.0) -> AnyKept:
    return result("temperature", value, day, hour)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("38.3 once with a low ANC is not above it", [*LOW, fever(8, "38.3")], 8, "quiet"),
        ("38.4 once with a low ANC", [*LOW, fever(8, "38.4")], 8, "critical"),
        ("38.4 with exactly 1,000", [*cbc(8, "1000"), fever(8, "38.4")], 8, "quiet"),
        ("38.0 for one hour exactly", [*LOW, fever(8, "38.0", 10), fever(8, "38.0", 11)], 8, "quiet"),
        ("38.0 for longer than an hour", [*LOW, fever(8, "38.0", 10), fever(8, "38.0", 11.02)], 8, "critical"),
        ("37.9 for longer", [*LOW, fever(8, "37.9", 10), fever(8, "37.9", 12)], 8, "quiet"),
        ("a reading below between two breaks the run", [*LOW, fever(8, "38.0", 9.5), fever(8, "37.5", 10), fever(8, "38.0", 11)], 8, "quiet"),
        ("fever first, the low ANC afterwards", [fever(8, "38.5", 8), *LOW], 8, "critical"),
        ("38.3 with no ANC for more than 48 hours", [*cbc(5, "2500"), fever(8, "38.3")], 8, "critical"),
        ("38.2 with no ANC for more than 48 hours", [*cbc(5, "2500"), fever(8, "38.2")], 8, "quiet"),
        ("38.3 with a good ANC of 48 hours ago", [*cbc(6, "2500", hour=12), fever(8, "38.3")], 8, "quiet"),
        ("a stop is no recovery", [*LOW, fever(8, "38.4"), statement("lenalidomide-stopped", 9, "toxicity")], 9, "critical"),
        ("ANC recovered and 48 hours below 38.0", [*LOW, fever(8, "39"), fever(9, "37.5"), *cbc(10, "1000"), fever(11, "37.0")], 11, "quiet"),
        ("ANC recovered, 47 hours below 38.0", [*LOW, fever(8, "39"), fever(9, "37.5"), *cbc(10, "1000"), fever(11, "37.0", 11)], 11, "critical"),
        ("48 hours below 38.0, ANC still low", [*LOW, fever(8, "39"), fever(9, "37.5"), *cbc(10, "999"), fever(11, "37.0")], 11, "critical"),
        ("fever came back in between", [*LOW, fever(8, "39"), fever(9, "37.5"), *cbc(10, "1000"), fever(10, "38.1"), fever(11, "37.0")], 11, "critical"),
    ],
)  # fmt: skip
def test_fever(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of("fn-suspected", start(), facts, day=day) == answer


def test_an_unknown_anc_with_fever_is_a_finding_and_not_a_gap() -> None:
    assert answer_of("fn-suspected", lenalidomide(1), fever(8, "38.5"), day=8) == "critical"


def test_it_holds_and_a_recovered_count_alone_does_not_clear_the_drug() -> None:
    facts = [start(), *cbc(8, "400"), fever(8, "39"), *cbc(9, "1500")]
    assert answer_of("anc-hold", *facts, day=9) == "quiet"
    assert answer_of("anc-resume-ok", *facts, day=9) == "quiet"
    over = [fever(9, "37.0"), fever(11, "37.0")]
    assert answer_of("anc-resume-ok", *facts, over, day=11) == "info"
