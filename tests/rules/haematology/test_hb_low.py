"""Low haemoglobin."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, start
from tests.rules.bedside import lenalidomide, on, procedure, result, statement


def hb(day: float, value: str | None, **more: object) -> AnyKept:
    return result("haemoglobin", value, day, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("8.0 exactly is not low", [hb(8, "8.0")], "quiet"),
        ("7.9 is low", [hb(8, "7.9")], "medium"),
        ("7.99 is not rounded up", [hb(8, "7.99")], "medium"),
        ("below 7 proves it", [hb(8, "7", bound="<")], "medium"),
        ("back to 8.0", [hb(8, "7.9"), hb(10, "8.0")], "quiet"),
        ("a transfusion alone closes nothing", [hb(8, "7.9"), procedure("red-cell-transfusion", 9)], "medium"),
        ("a preliminary recovery closes nothing", [hb(8, "7.9"), hb(10, "9", status=FactStatus.PRELIMINARY)], "medium"),
        ("a preliminary low value opens nothing", [hb(8, "7.9", status=FactStatus.PRELIMINARY)], "quiet"),
        ("low since before the first dose", [hb(-1, "7.5", hour=10)], "medium"),
        ("course ended", [hb(8, "7.9"), statement("lenalidomide-stopped", 9, "toxicity")], "quiet"),
        ("without unit", [hb(8, None, doubt=ResultDoubt.UNIT_MISSING)], "cannot: a usable value of the newest haemoglobin"),
        ("below 9 proves nothing", [hb(8, "9", bound="<")], "cannot: a haemoglobin that is no bound"),
    ],
)  # fmt: skip
def test_haemoglobin(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of("hb-low", start(), facts, day=10) == answer


def test_never_measured_cannot_be_assessed() -> None:
    assert answer_of("hb-low", lenalidomide(1), day=8) == "cannot: haemoglobin"


def test_one_spell_keeps_its_beginning() -> None:
    facts = [start(), hb(8, "7.9"), hb(15, "7.0"), hb(22, "7.5")]
    finding = finding_of("hb-low", *facts, day=22)
    assert (finding.since, finding.effective_at) == (on(8), on(22))
