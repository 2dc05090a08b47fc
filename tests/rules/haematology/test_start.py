"""Counts before the first dose: caution, and a plan."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, lenalidomide, on, policy, procedure, result, statement, supply

CAUTION, PLAN = "cytopenia-start-caution", "cytopenia-support-plan"
HEAVY = statement("marrow-heavily-infiltrated", -5, "yes")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("both at the limits", [*start("1000", "50000")], 1, "quiet"),
        ("ANC one below", [*start("999", "50000")], 1, "high"),
        ("platelets one below", [*start("1000", "49999")], 1, "high"),
        ("platelets between the limits, marrow heavily infiltrated", [HEAVY, *start("1000", "30000")], 1, "quiet"),
        ("platelets below the lower limit", [HEAVY, *start("1000", "29999")], 1, "high"),
        ("the marrow is said not to be infiltrated", [statement("marrow-heavily-infiltrated", -5, "no"), *start("1000", "49999")], 1, "high"),
        ("marrow plasma cells 50 %", [result("marrow-plasma-cells-pct", "50", -9), *start("1000", "49999")], 1, "quiet"),
        ("marrow plasma cells 49 %", [result("marrow-plasma-cells-pct", "49", -9), *start("1000", "49999")], 1, "high"),
        ("a statement outweighs the percentage", [statement("marrow-heavily-infiltrated", -5, "no"), result("marrow-plasma-cells-pct", "90", -9), *start("1000", "49999")], 1, "high"),
        ("recovered since", [*start("999"), *cbc(4, "1000")], 5, "quiet"),
        ("not recovered", [*start("999"), *cbc(4, "999")], 5, "high"),
        ("a preliminary recovery closes nothing", [*start("999"), result("anc", "2000", 4, status=FactStatus.PRELIMINARY)], 5, "high"),
        ("a recovery in doubt of its unit closes nothing", [*start("999"), result("anc", "99900", 4)], 5, "high"),
        ("the last day before cycle 2", [*start("999"), statement("cycle-day-1-taken", 29)], 28, "high"),
        ("cycle 2 day 1", [*start("999"), lenalidomide(29)], 29, "quiet"),
        ("low only after the first dose", [*start(), *cbc(8, "900")], 8, "quiet"),
        ("a baseline count 14 days before", [*cbc(-14, "999", hour=1), lenalidomide(1)], 1, "high"),
        ("a count 15 days before is no baseline", [*cbc(-15, "999", hour=23), lenalidomide(1)], 1, "cannot: baseline ANC, baseline platelets"),
        ("the newest count of the window decides", [*cbc(-9, "999"), *cbc(-2, "1000"), lenalidomide(1)], 1, "quiet"),
        ("no baseline ANC, but platelets are low", [result("platelets", "40000", -1), lenalidomide(1)], 1, "high"),
        ("no baseline ANC", [result("platelets", "90000", -1), lenalidomide(1)], 1, "cannot: baseline ANC"),
        ("no baseline, a count since", [lenalidomide(1), *cbc(3)], 3, "quiet"),
        ("a baseline that proves nothing", [result("anc", "2000", -1, bound="<"), result("platelets", "90000", -1), lenalidomide(1)], 1, "cannot: baseline ANC"),
        ("a clumped baseline is provisional", [result("anc", "2000", -1), result("platelets", "40000", -1, doubt=ResultDoubt.CLUMPED), lenalidomide(1)], 1, "high provisional"),
        ("course ended", [*start("999"), statement("lenalidomide-stopped", 3, "other")], 4, "quiet"),
        ("not started", [*cbc(-1, "999"), lenalidomide(-1, way="ordered")], 1, "quiet"),
    ],
)  # fmt: skip
def test_caution(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(CAUTION, facts, day=day) == answer


def test_baseline_window_is_policy() -> None:
    facts = [*cbc(-20, "999"), lenalidomide(1)]
    assert answer_of(CAUTION, facts, day=1, using=policy(baseline_window_days="28")) == "high"


def test_a_count_between_dispense_and_planned_day_1_is_baseline() -> None:
    plan = statement("planned-cycle-day-1", -6, when=on(1))
    facts = [*cbc(-8), plan, lenalidomide(-5), *cbc(-2, "900")]
    assert answer_of(CAUTION, facts, day=-2) == "high"
    assert answer_of("anc-low-watch", facts, day=-2) == "quiet"


def test_caution_names_what_it_stands_on() -> None:
    finding = finding_of(CAUTION, HEAVY, start("900", "20000"), day=1)
    assert [shown.what for shown in finding.evidence] == [
        "baseline ANC",
        "baseline platelets",
        "heavy marrow infiltration",
    ]
    assert [number.key for number in finding.thresholds] == ["start_anc_below", "start_plt_below_infiltrated"]
    assert finding.since == on(1, 10)


def test_caution_is_looked_at_again_when_the_statement_ends() -> None:
    ends = statement("marrow-heavily-infiltrated", -5, "yes", until=on(6))
    facts = [ends, *start("1000", "40000")]
    assert answer_of(CAUTION, facts, day=5) == "quiet"
    assert recheck_of(CAUTION, facts, day=5) == on(6)
    assert answer_of(CAUTION, facts, day=7) == "high"


# --- cytopenia-support-plan


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("low ANC, no plan", [*start("999")], 1, "medium"),
        ("ANC at the limit", [*start("1000")], 1, "quiet"),
        ("G-CSF ordered", [*start("999"), supply("filgrastim", 1, 8, way="ordered")], 1, "quiet"),
        ("G-CSF ordered the day after", [*start("999"), supply("filgrastim", 2, way="ordered")], 2, "quiet"),
        ("G-CSF planned", [*start("999"), statement("gcsf-plan", -1, "yes")], 1, "quiet"),
        ("decided against G-CSF is no plan", [*start("999"), statement("gcsf-plan", -1, "no")], 1, "medium"),
        ("G-CSF of long ago is no plan", [supply("filgrastim", -40), *start("999")], 1, "medium"),
        ("low platelets, no plan", [*start("1000", "49999")], 1, "medium"),
        ("low platelets, G-CSF is no plan for them", [*start("1000", "49999"), statement("gcsf-plan", -1, "yes")], 1, "medium"),
        ("transfusion planned", [*start("1000", "49999"), statement("transfusion-plan", -1, "yes")], 1, "quiet"),
        ("transfused", [*start("1000", "49999"), procedure("platelet-transfusion", -1)], 1, "quiet"),
        ("both low, one planned", [*start("999", "49999"), statement("gcsf-plan", -1, "yes")], 1, "medium"),
        ("recovered", [*start("999"), *cbc(4, "1000")], 4, "quiet"),
        ("cycle 2 day 1", [*start("999"), lenalidomide(29)], 29, "quiet"),
        ("course ended", [*start("999"), statement("lenalidomide-stopped", 3, "other")], 4, "quiet"),
    ],
)  # fmt: skip
def test_plan(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(PLAN, facts, day=day) == answer


def test_plan_is_due_on_the_planned_day_1() -> None:
    facts = [*cbc(-6, "900"), statement("planned-cycle-day-1", -6, when=on(2)), lenalidomide(-3)]
    assert answer_of(CAUTION, facts, day=-3) == "high"
    assert answer_of(PLAN, facts, day=1) == "quiet"
    assert recheck_of(PLAN, facts, day=-3) == on(2, 0)
    assert answer_of(PLAN, facts, day=2) == "medium"
    assert finding_of(PLAN, facts, day=4).effective_at == on(2)


def test_plan_speaks_for_no_missing_baseline() -> None:
    assert answer_of(PLAN, lenalidomide(1), day=1) == "quiet"
    assert answer_of(CAUTION, lenalidomide(1), day=1).startswith("cannot")
