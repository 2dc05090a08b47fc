"""The gate of the EU label: counts with which lenalidomide must not be started."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, lenalidomide, on, policy, result, statement

GATE = "eu-start-gate"
EU = policy("eu-smpc")
HEAVY = statement("marrow-heavily-infiltrated", -5, "yes")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("both at the gate", [*start("1000", "75000")], 1, "quiet"),
        ("ANC one below", [*start("999", "75000")], 1, "critical"),
        ("platelets one below", [*start("1000", "74999")], 1, "critical"),
        ("infiltrated, at the lower gate", [HEAVY, *start("1000", "30000")], 1, "quiet"),
        ("infiltrated, below it", [HEAVY, *start("1000", "29999")], 1, "critical"),
        ("infiltrated, ANC below", [HEAVY, *start("999", "30000")], 1, "critical"),
        ("recovered since", [*start("999"), *cbc(4, "1000")], 5, "quiet"),
        ("not recovered", [*start("999"), *cbc(4, "999")], 5, "critical"),
        ("a preliminary recovery", [*start("999"), result("anc", "2000", 4, status=FactStatus.PRELIMINARY)], 5, "critical"),
        ("low only after the first dose", [*start(), *cbc(8, "900")], 8, "quiet"),
        ("the last day before cycle 2", [*start("999")], 28, "critical"),
        ("cycle 2 day 1", [*start("999"), lenalidomide(29)], 29, "quiet"),
        ("no baseline count", [lenalidomide(1)], 1, "cannot: baseline ANC, baseline platelets"),
        ("no baseline platelets, but ANC is low", [result("anc", "900", -1), lenalidomide(1)], 1, "critical"),
        ("no baseline, a count since", [lenalidomide(1), *cbc(3)], 3, "quiet"),
        ("clumped", [result("anc", "2000", -1), result("platelets", "40000", -1, doubt=ResultDoubt.CLUMPED), lenalidomide(1)], 1, "critical provisional"),
        ("course ended", [*start("999"), statement("lenalidomide-stopped", 3, "other")], 4, "quiet"),
        ("not started", [*cbc(-1, "999"), lenalidomide(-1, way="ordered")], 1, "quiet"),
    ],
)  # fmt: skip
def test_gate(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(GATE, facts, day=day, using=EU) == answer


@pytest.mark.parametrize("profile", ["kr-panel", "uspi"])
def test_other_profiles_have_no_gate(profile: str) -> None:
    """Nor do they say that something is missing for it."""
    using = policy(profile)
    assert answer_of(GATE, start("100", "9000"), day=1, using=using) == "quiet"
    assert answer_of(GATE, lenalidomide(1), day=1, using=using) == "quiet"


def test_gate_details() -> None:
    found = finding_of(GATE, start("999", "74000"), day=2, using=EU)
    assert found.title == "Do not start lenalidomide: baseline ANC 999 cells/uL and platelets 74,000 cells/uL"
    assert [number.key for number in found.thresholds] == ["gate_anc_below", "gate_plt_below"]
    assert (found.since, found.effective_at) == (on(1, 10), on(1, 10))
    heavy = finding_of(GATE, HEAVY, start("2000", "29000"), day=2, using=EU)
    assert [number.key for number in heavy.thresholds] == ["gate_plt_below_infiltrated"]
    assert [shown.what for shown in heavy.evidence] == ["baseline platelets", "heavy marrow infiltration"]
    word = statement("marrow-heavily-infiltrated", -5, "yes", until=on(9))
    assert recheck_of(GATE, word, start("2000", "29000"), day=2, using=EU) == on(9)
    assert recheck_of(GATE, word, start("2000", "40000"), day=2, using=EU) == on(9)
    assert recheck_of(GATE, word, lenalidomide(1), day=2, using=EU) == on(9)
    assert finding_of(GATE, word, start("2000", "40000"), day=9, using=EU).effective_at == on(9)
    ahead = statement("cycle-day-1-taken", 5, when=on(29))
    assert recheck_of(GATE, start("999"), ahead, day=6, using=EU) == on(29, 0)
    worse = finding_of(GATE, start("999"), cbc(4, "998"), day=5, using=EU)
    assert worse.effective_at == on(4)


def test_the_gate_is_policy() -> None:
    newly = policy("eu-smpc", gate_plt_below="50000")
    assert answer_of(GATE, start("1000", "50000"), day=1, using=newly) == "quiet"
    assert answer_of(GATE, start("1000", "49999"), day=1, using=newly) == "critical"
    assert answer_of(GATE, start("800"), day=1, using=policy("eu-smpc", gate_anc_below="800")) == "quiet"
    low = policy("eu-smpc", gate_plt_below_infiltrated="20000")
    assert answer_of(GATE, HEAVY, start("2000", "20000"), day=1, using=low) == "quiet"
