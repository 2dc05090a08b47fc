"""CBC cadence: the baseline, the interval by cycle, and the weekly recheck while a hold is open."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import (
    cbc,
    diagnosis,
    lenalidomide,
    on,
    person,
    policy,
    procedure,
    result,
    statement,
)

BASELINE, OVERDUE, RECHECK = "cbc-baseline-missing", "cbc-overdue", "heme-recheck-overdue"


def part(day: float, *analytes: str, **more: object) -> list[AnyKept]:
    values = {"anc": "2500", "platelets": "180000", "wbc": "5000", "neutrophils-pct": "50"}
    return [result(analyte, values[analyte], day, **more) for analyte in analytes]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a complete CBC the day before", [*cbc(-1), lenalidomide(1)], 1, "quiet"),
        ("none at all", [lenalidomide(1)], 1, "high"),
        ("14 calendar days before", [*cbc(-14, hour=1), lenalidomide(1)], 1, "quiet"),
        ("15 calendar days before", [*cbc(-15, hour=23), lenalidomide(1)], 1, "high"),
        ("no platelets", [*part(-1, "anc", "wbc"), lenalidomide(1)], 1, "high"),
        ("no ANC", [*part(-1, "wbc", "platelets"), lenalidomide(1)], 1, "high"),
        ("an ANC that can be computed", [*part(-1, "wbc", "platelets", "neutrophils-pct"), lenalidomide(1)], 1, "quiet"),
        ("ANC and platelets on different days", [*part(-3, "anc"), *part(-2, "platelets"), lenalidomide(1)], 1, "high"),
        ("only preliminary", [*cbc(-1, status=FactStatus.PRELIMINARY), lenalidomide(1)], 1, "high"),
        ("without units", [result("anc", None, -1, doubt=ResultDoubt.UNIT_MISSING), *part(-1, "platelets"), lenalidomide(1)], 1, "high"),
        ("on day 1 before the dispense", [*cbc(1, hour=8), lenalidomide(1)], 1, "quiet"),
        ("the first complete CBC afterwards", [lenalidomide(1), *cbc(3)], 3, "quiet"),
        ("a part of a CBC afterwards", [lenalidomide(1), *part(3, "wbc", "platelets")], 3, "high"),
        ("not started", [lenalidomide(1, way="ordered")], 5, "quiet"),
        ("course ended", [lenalidomide(1), statement("lenalidomide-stopped", 3, "other")], 4, "quiet"),
        ("a late CBC of before day 1 arrives", [*cbc(-2, known=on(4)), lenalidomide(1)], 5, "quiet"),
    ],
)  # fmt: skip
def test_baseline(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(BASELINE, facts, day=day) == answer


def test_baseline_window_is_policy() -> None:
    assert answer_of(BASELINE, cbc(-20), lenalidomide(1), day=1, using=policy(baseline_window_days="28")) == "quiet"


def test_baseline_never_lacks_an_answer() -> None:
    assert answer_of(BASELINE, lenalidomide(1), day=200) == "high"


# --- cbc-overdue

LIGHT = [result("weight", "59", -1, 10)]
"""A clearance of 59 mL/min."""
FOURTH = [lenalidomide(29), lenalidomide(57), lenalidomide(85)]
"""Cycles 2, 3 and 4, begun on time."""
GOOD = [*cbc(15), *cbc(29, hour=8), *cbc(43), *cbc(57, hour=8), *cbc(71), *cbc(85, hour=8)]
"""A CBC every two weeks until day 1 of cycle 4."""


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("17 days after the last one, end of day", [*cbc(15)], 32, 23.99, "quiet"),
        ("18 days after, begin of day", [*cbc(15)], 33, 0, "medium"),
        ("7 days late and no more", [*cbc(15)], 36, 23.99, "medium"),
        ("more than 7 days past due", [*cbc(15)], 37, 0, "high"),
        ("a CBC came", [*cbc(15), *cbc(33)], 33, 12, "quiet"),
        ("an older CBC arrived late and is enough", [*cbc(15), *cbc(20, known=on(34))], 34, 12, "quiet"),
        ("an older CBC arrived late and is not enough", [*cbc(15), *cbc(16, known=on(34))], 34, 12, "medium"),
        ("platelets alone are no CBC", [*cbc(15), *part(30, "platelets", "wbc")], 33, 12, "medium"),
        ("an ANC that can be computed makes it one", [*cbc(15), *part(30, "platelets", "wbc", "neutrophils-pct")], 33, 12, "quiet"),
        ("a preliminary one is none", [*cbc(15), *cbc(30, status=FactStatus.PRELIMINARY)], 33, 12, "medium"),
        ("clearance 60 exactly is not intensive", [*cbc(15)], 25, 12, "quiet"),
        ("clearance 59: eight days after", [*LIGHT, *cbc(15)], 23, 23.99, "quiet"),
        ("clearance 59: nine days after", [*LIGHT, *cbc(15)], 24, 0, "medium"),
        ("clearance 59: more than 7 days past due", [*LIGHT, *cbc(15)], 30, 0, "high"),
        ("no baseline CBC: the baseline rule speaks", [], 30, 12, "quiet"),
        ("a hold is open: the recheck rule speaks", [*cbc(15, "400")], 40, 12, "quiet"),
        ("course ended", [*cbc(15), statement("lenalidomide-stopped", 20, "other")], 40, 12, "quiet"),
        ("cycle 4: 17 days are no matter", [*GOOD, *FOURTH], 105, 12, "quiet"),
        ("cycle 4: 31 days after, end of day", [*GOOD, *FOURTH], 116, 23.99, "quiet"),
        ("cycle 4: 32 days after", [*GOOD, *FOURTH], 117, 0, "medium"),
        ("cycle 4: more than 7 days past due", [*GOOD, *FOURTH], 121, 0, "high"),
        ("cycle 4 with an episode in cycle 3", [*GOOD, *cbc(64, "900"), *FOURTH], 103, 0, "medium"),
        ("cycle 4 with an episode in cycle 2 only", [*GOOD, *cbc(36, "900"), *FOURTH], 103, 0, "quiet"),
        ("cycle 4 with a grade 3 event in cycle 3", [*GOOD, diagnosis(["pneumonia"], 60, grade=3), *FOURTH], 103, 0, "medium"),
        ("cycle 4 with a grade 2 event in cycle 3", [*GOOD, diagnosis(["pneumonia"], 60, grade=2), *FOURTH], 103, 0, "quiet"),
        ("cycle 4 with an open episode", [*GOOD, *FOURTH, *cbc(90, "900")], 108, 0, "medium"),
        ("clearance 59 is no matter in cycle 4", [*LIGHT, *GOOD, *FOURTH], 105, 12, "quiet"),
    ],
)  # fmt: skip
def test_overdue(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    begun = start() if facts else [person(), *cbc(-20), lenalidomide(1)]
    assert answer_of(OVERDUE, begun, facts, day=day, hour=hour) == answer


def test_baseline_cytopenia_asks_for_weekly_cbcs() -> None:
    facts = [*start("999"), *cbc(2, "1500")]
    assert answer_of(OVERDUE, facts, day=10) == "quiet"
    assert answer_of(OVERDUE, facts, day=11, hour=0) == "medium"
    finding = finding_of(OVERDUE, facts, day=11)
    assert [shown.what for shown in finding.evidence] == ["last complete CBC", "baseline ANC"]


@pytest.mark.parametrize(
    ("shows", "facts", "missing"),
    [
        ("no creatinine", [person(), result("weight", "60", -1)], "creatinine"),
        ("no weight", [person(), result("creatinine", "1.0", -1)], "weight"),
        ("nobody described", [result("weight", "60", -1), result("creatinine", "1.0", -1)], "birth date, sex"),
        ("a creatinine that is a bound", [person(), result("weight", "60", -1), result("creatinine", "1.0", -1, bound="<")], "creatinine"),
    ],
)  # fmt: skip
def test_without_a_clearance_the_interval_is_not_known(shows: str, facts: list[AnyKept], missing: str) -> None:
    """It may be seven days: silence would look like "fine". When even the longer interval is over, it is overdue."""
    begun = [*facts, *cbc(-1), lenalidomide(1)]
    assert answer_of(OVERDUE, begun, day=8) == f"cannot: {missing}"
    assert answer_of(OVERDUE, begun, day=17, hour=23.99) == f"cannot: {missing}"
    assert answer_of(OVERDUE, begun, day=18, hour=0) == "medium"


def test_what_fell_overdue_in_cycle_3_stays_overdue_in_cycle_4() -> None:
    facts = [*start(), *cbc(15), *cbc(29, hour=8), lenalidomide(29), *cbc(43), lenalidomide(57), *cbc(60)]
    assert answer_of(OVERDUE, facts, day=78) == "medium"
    assert answer_of(OVERDUE, facts, lenalidomide(85), day=86) == "high"


def test_the_early_interval_that_runs_out_in_cycle_4_is_the_late_one() -> None:
    facts = [*start(), *cbc(15), *cbc(29, hour=8), lenalidomide(29), *cbc(43), lenalidomide(57), *cbc(71)]
    assert answer_of(OVERDUE, facts, lenalidomide(85), day=90) == "quiet"
    assert answer_of(OVERDUE, facts, day=90) == "medium"


def test_overdue_due_instants() -> None:
    facts = [*start(), *cbc(15)]
    assert recheck_of(OVERDUE, facts, day=16) == on(33, 0)
    assert recheck_of(OVERDUE, facts, day=33) == on(37, 0)
    assert recheck_of(OVERDUE, facts, day=37) is None
    finding = finding_of(OVERDUE, facts, day=60)
    assert (finding.since, finding.effective_at, finding.reason) == (on(15), on(33, 0), "late")


# --- heme-recheck-overdue

HELD = [*start(), *cbc(8, "400")]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("eight days after the hold opened, end of day", [], 16, 23.99, "quiet"),
        ("nine days after", [], 17, 0, "high"),
        ("a complete CBC since", [*cbc(10, "450")], 17, 12, "quiet"),
        ("nine days after that one", [*cbc(10, "450")], 19, 0, "high"),
        ("an ANC alone is no CBC", [*part(10, "wbc"), result("anc", "450", 10)], 17, 12, "high"),
        ("a preliminary one is none", [*cbc(10, "450", status=FactStatus.PRELIMINARY)], 17, 12, "high"),
        ("a late arrival counts by its collection", [*cbc(14, "450", known=on(18))], 18, 12, "quiet"),
        ("hold released", [*cbc(10, "1000")], 30, 12, "quiet"),
        (
            "one cause released, another open",
            [result("platelets", "20000", 9), result("anc", "1500", 12)],
            18,
            0,
            "high",
        ),
        ("course ended", [statement("lenalidomide-stopped", 12, "toxicity")], 30, 12, "quiet"),
        ("a transfusion is no CBC", [procedure("platelet-transfusion", 12)], 17, 12, "high"),
    ],
)
def test_recheck(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of(RECHECK, HELD, facts, day=day, hour=hour) == answer


def test_without_a_hold_it_is_quiet() -> None:
    assert answer_of(RECHECK, start(), cbc(8, "501"), day=60) == "quiet"


@pytest.mark.parametrize("day", range(8, 80, 3))
def test_the_two_overdue_rules_are_never_open_together(day: int) -> None:
    for facts in (HELD, [*start(), *cbc(8, "501")], [*HELD, *cbc(20, "1500")]):
        said = {answer_of(OVERDUE, facts, day=day), answer_of(RECHECK, facts, day=day)}
        assert "quiet" in said


def test_a_fever_hold_is_rechecked_from_the_day_it_held() -> None:
    """Fever since day 8 with a good ANC, which fell on day 12: a hold since day 12."""
    warm = [result("temperature", "38.5", day) for day in (8, 9.5, 11)]
    facts = [*start(), *cbc(8, hour=8), *cbc(10, hour=8), *warm, result("anc", "900", 12, 10)]
    assert recheck_of(RECHECK, facts, day=13) == on(21, 0)


def test_recheck_due_instant_and_evidence() -> None:
    assert recheck_of(RECHECK, HELD, day=9) == on(17, 0)
    finding = finding_of(RECHECK, HELD, day=20)
    assert (finding.since, finding.effective_at) == (on(8), on(17, 0))
    assert [shown.what for shown in finding.evidence] == ["result that opened the hold"]


def test_a_missing_count_is_the_finding() -> None:
    """It never lacks an answer; a patient without any count is the matter of the baseline and hold rules."""
    assert answer_of(RECHECK, lenalidomide(1), day=30) == "quiet"
    assert answer_of(BASELINE, lenalidomide(1), day=30) == "high"


@pytest.mark.parametrize("profile", ["uspi", "eu-smpc"])
def test_the_labels_ask_for_a_weekly_count_at_first(profile: str) -> None:
    using = policy(profile)
    assert answer_of(OVERDUE, start(), cbc(15), day=23, hour=23.9, using=using) == "quiet"
    assert answer_of(OVERDUE, start(), cbc(15), day=24, hour=0, using=using) == "medium"
    assert "weekly" in finding_of(OVERDUE, start(), cbc(15), day=24, using=using).message
