"""An agent that meets a result it should not: LMWH, aspirin, warfarin."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.bedside import cbc, lenalidomide, on, policy, result, statement, supply
from tests.rules.thrombosis.clinic import ask, found, known, said

RENAL, LMWH_COUNT, ASPIRIN_COUNT, INR = (
    "vte-lmwh-renal",
    "vte-lmwh-platelets",
    "vte-aspirin-platelets",
    "vte-warfarin-inr",
)
LMWH = supply("enoxaparin", 1, days=28, dose="40")
ASPIRIN = supply("aspirin", 1, days=28, dose="100")
WARFARIN = supply("warfarin", 1, days=90)
ENDED = statement("lenalidomide-stopped", 4, "toxicity")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("clearance exactly 30", [*known(creatinine="2.0"), LMWH], 5, "quiet"),
        ("just below", [*known(creatinine="2.001"), LMWH], 5, "high"),
        ("on another LMWH", [*known(creatinine="2.4"), supply("dalteparin", 1, days=28)], 5, "high"),
        ("ordered", [*known(creatinine="2.4"), supply("enoxaparin", 1, way="ordered")], 5, "high"),
        ("on warfarin", [*known(creatinine="2.4"), WARFARIN], 5, "quiet"),
        ("recovered", [*known(creatinine="2.4"), LMWH, result("creatinine", "1.9", 4)], 5, "quiet"),
        ("fell on treatment", [*known(), LMWH, result("creatinine", "2.4", 4)], 5, "high"),
        ("LMWH ended, the last day of grace", [*known(creatinine="2.4"), LMWH], 35, "high"),
        ("LMWH ended", [*known(creatinine="2.4"), LMWH], 36, "quiet"),
        ("no creatinine", [*known(creatinine=None), LMWH], 5, "cannot: creatinine"),
        ("no weight", [*known(weight=None), LMWH], 5, "cannot: weight"),
        ("no birth date", [*known(birth=None), LMWH], 5, "cannot: birth date, sex"),
        ("nothing known, but no LMWH", known(creatinine=None), 5, "quiet"),
        ("course ended", [*known(creatinine="2.4"), LMWH, ENDED], 5, "quiet"),
    ],
)  # fmt: skip
def test_lmwh_and_kidneys(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(RENAL, facts, day=day) == answer


def test_older_by_a_year_on_day_1_of_the_next_cycle_the_clearance_falls_below() -> None:
    """68 years and 30.0 mL/min in cycle 1; 69 on day 1 of cycle 2, and 29.6: nothing new but a birthday."""
    facts = [*known(creatinine="2.0", birth="1957-06-20"), supply("enoxaparin", 1, days=90)]
    plan = statement("planned-cycle-day-1", 20, when=on(30))
    planned = [*facts, plan, lenalidomide(26)]
    assert said(RENAL, planned, day=29) == "quiet"
    assert said(RENAL, planned, day=30) == "high"
    assert ask(RENAL, planned, day=29).recheck_at == on(30, hour=0)


def test_a_clearance_just_below_the_limit_is_not_shown_as_the_limit() -> None:
    assert "29.9 mL/min" in found(RENAL, [*known(creatinine="2.001"), LMWH], day=5).title


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("platelets at the limit", [*known(platelets="50000"), LMWH], 5, "quiet"),
        ("one below", [*known(platelets="49999"), LMWH], 5, "critical"),
        ("ordered", [*known(platelets="49999"), supply("enoxaparin", 1, way="ordered")], 5, "critical"),
        ("no LMWH", known(platelets="49999"), 5, "quiet"),
        ("recovered", [*known(platelets="49999"), LMWH, *cbc(4, platelets="50000")], 5, "quiet"),
        ("LMWH ended", [*known(platelets="49999"), LMWH], 36, "quiet"),
        ("a preliminary count", [*known(), LMWH, result("platelets", "49999", 4, status=FactStatus.PRELIMINARY)], 5, "critical provisional"),
        ("a preliminary recovery clears nothing", [*known(platelets="49999"), LMWH, result("platelets", "90000", 4, status=FactStatus.PRELIMINARY)], 5, "critical"),
        ("clumped", [*known(platelets=None), LMWH, result("platelets", "49999", -2, doubt=ResultDoubt.CLUMPED)], 5, "critical provisional"),
        ("a bound below the limit", [*known(platelets=None), LMWH, result("platelets", "20000", -2, bound="<")], 5, "critical"),
        ("a bound that proves nothing", [*known(platelets=None), LMWH, result("platelets", "90000", -2, bound="<")], 5, "cannot: a usable value of the newest platelet count"),
        ("no platelets", [*known(platelets=None), LMWH], 5, "cannot: platelets"),
        ("the newest cannot be used", [*known(), LMWH, result("platelets", None, 4, doubt=ResultDoubt.UNIT_MISSING)], 5, "cannot: a usable value of the newest platelet count"),
        ("the newest cannot be used, low before", [*known(platelets="49999"), LMWH, result("platelets", None, 4, doubt=ResultDoubt.UNIT_MISSING)], 5, "critical"),
    ],
)  # fmt: skip
def test_lmwh_and_platelets(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(LMWH_COUNT, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("platelets at the limit", [*known(platelets="100000"), ASPIRIN], 5, "quiet"),
        ("one below", [*known(platelets="99999"), ASPIRIN], 5, "high"),
        ("dose not said", [*known(platelets="99999"), supply("aspirin", 1, days=28)], 5, "high"),
        ("for pain", [*known(platelets="99999"), supply("aspirin", 1, days=28, dose="500")], 5, "quiet"),
        ("ordered", [*known(platelets="99999"), supply("aspirin", 1, way="ordered", dose="100")], 5, "high"),
        ("recovered", [*known(platelets="99999"), ASPIRIN, *cbc(4, platelets="100000")], 5, "quiet"),
        ("aspirin ended", [*known(platelets="99999"), ASPIRIN], 36, "quiet"),
        ("no platelets", [*known(platelets=None), ASPIRIN], 5, "cannot: platelets"),
        ("no platelets and no aspirin", known(platelets=None), 5, "quiet"),
        ("a preliminary count", [*known(), ASPIRIN, result("platelets", "99999", 4, status=FactStatus.PRELIMINARY)], 5, "high provisional"),
    ],
)  # fmt: skip
def test_aspirin_and_platelets(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(ASPIRIN_COUNT, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("INR 2.0", [*known(), WARFARIN, result("inr", "2.0", 10)], 12, "quiet"),
        ("INR 1.99", [*known(), WARFARIN, result("inr", "1.99", 10)], 12, "out-of-target medium"),
        ("INR 3.0", [*known(), WARFARIN, result("inr", "3.0", 10)], 12, "quiet"),
        ("INR 3.01", [*known(), WARFARIN, result("inr", "3.01", 10)], 12, "out-of-target medium"),
        ("INR 4.5", [*known(), WARFARIN, result("inr", "4.5", 10)], 12, "out-of-target medium"),
        ("INR 4.51", [*known(), WARFARIN, result("inr", "4.51", 10)], 12, "critical critical"),
        ("INR above what the device measures", [*known(), WARFARIN, result("inr", "8", 10, bound=">")], 12, "critical critical"),
        ("out of target with platelets at 50,000", [*known(platelets="50000"), WARFARIN, result("inr", "1.5", 10)], 12, "out-of-target medium"),
        ("out of target with platelets below", [*known(platelets="49999"), WARFARIN, result("inr", "1.5", 10)], 12, "critical critical"),
        ("in the target with platelets below", [*known(platelets="49999"), WARFARIN, result("inr", "2.5", 10)], 12, "quiet"),
        ("back in the target", [*known(), WARFARIN, result("inr", "3.5", 10), result("inr", "2.5", 12)], 13, "quiet"),
        ("in the target, 14 days ago", [*known(), WARFARIN, result("inr", "2.5", 10)], 24, "quiet"),
        ("15 days ago", [*known(), WARFARIN, result("inr", "2.5", 10)], 25, "overdue medium"),
        ("none for 14 days from the start", [*known(), WARFARIN], 15, "quiet"),
        ("none for 15 days from the start", [*known(), WARFARIN], 16, "overdue medium"),
        ("none, and few platelets", [*known(platelets="49999"), WARFARIN], 16, "critical critical"),
        ("an INR from before the start does not count", [*known(), result("inr", "1.0", -1), WARFARIN], 5, "quiet"),
        ("nor does it make up for one on warfarin", [*known(), result("inr", "2.5", -1), WARFARIN], 16, "overdue medium"),
        ("warfarin ended", [*known(), supply("warfarin", 1, days=7), result("inr", "3.5", 5)], 15, "quiet"),
        ("not on warfarin", [*known(), result("inr", "3.5", 5)], 6, "quiet"),
        ("warfarin only ordered", [*known(), supply("warfarin", 1, way="ordered"), result("inr", "1.0", 5)], 6, "quiet"),
        ("the newest INR cannot be used", [*known(), WARFARIN, result("inr", "2.5", 10), result("inr", None, 11, doubt=ResultDoubt.IMPLAUSIBLE)], 12, "cannot: a usable value of the newest INR"),
        ("the newest cannot be used, out of target before", [*known(), WARFARIN, result("inr", "3.5", 10), result("inr", None, 11, doubt=ResultDoubt.IMPLAUSIBLE)], 12, "out-of-target medium"),
    ],
)  # fmt: skip
def test_warfarin_and_inr(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(INR, facts, day=day) == answer


def test_no_inr_is_due_at_the_first_instant_of_the_day() -> None:
    facts = [*known(), WARFARIN, result("inr", "2.5", 10)]
    assert ask(INR, facts, day=12).recheck_at == on(25, hour=0)
    late = found(INR, facts, day=30)
    assert (late.since, late.effective_at) == (on(25, hour=0), on(25, hour=0))
    assert late.advice is not None
    assert late.advice.action == "repeat-test"


@pytest.mark.parametrize(
    ("rule", "key", "value", "facts", "answer"),
    [
        (RENAL, "vte_lmwh_clcr", "15", [*known(creatinine="2.4"), LMWH], "quiet"),
        (LMWH_COUNT, "vte_lmwh_platelets", "30000", [*known(platelets="40000"), LMWH], "quiet"),
        (ASPIRIN_COUNT, "vte_aspirin_platelets", "75000", [*known(platelets="80000"), ASPIRIN], "quiet"),
        (INR, "inr_high", "3.5", [*known(), WARFARIN, result("inr", "3.4", 10)], "quiet"),
        (INR, "inr_low", "1.8", [*known(), WARFARIN, result("inr", "1.9", 10)], "quiet"),
        (INR, "inr_critical_above", "3.5", [*known(), WARFARIN, result("inr", "4", 10)], "critical critical"),
        (INR, "inr_max_age_days", "7", [*known(), WARFARIN, result("inr", "2.5", 3)], "overdue medium"),
    ],
)
def test_each_number_is_policy(rule: str, key: str, value: str, facts: list[AnyKept], answer: str) -> None:
    assert said(rule, facts, day=12, using=policy(**{key: value})) == answer


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (RENAL, [*known(creatinine="2.4"), LMWH]),
        (LMWH_COUNT, [*known(platelets="40000"), LMWH]),
        (ASPIRIN_COUNT, [*known(platelets="40000"), ASPIRIN]),
        (INR, [*known(), WARFARIN, result("inr", "5", 10)]),
    ],
)
def test_a_finding_has_what_a_pharmacist_needs(rule: str, facts: list[AnyKept]) -> None:
    finding = found(rule, facts, day=12)
    assert finding.advice is not None
    assert finding.advice.action == "review-medicine"
    assert finding.evidence[0].fact in facts
    assert len(finding.evidence) >= 2
    assert finding.thresholds
    assert finding.since <= finding.effective_at <= on(12, 12)
