"""Before the first dose, in the course of treatment, and after the cycles of tier 1."""

from __future__ import annotations

import pytest

from rules.answers import Found
from rules.picture import AnyKept
from schemas.events import ResultDoubt
from tests.rules.bedside import diagnosis, lenalidomide, on, policy, result, statement, supply
from tests.rules.thrombosis.clinic import ask, cycles, found, known, said

ASSESS, SWITCH, CHANGE = "vte-assessment-missing", "vte-ppx-switch-due", "vte-tier-change"
DONE = statement("vte-risk-assessment", -3, "tier-2")
UNUSABLE = result("platelets", None, -1, doubt=ResultDoubt.UNIT_UNKNOWN)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("neither", known(platelets=None), 1, "high"),
        ("no assessment", known(), 1, "high"),
        ("no platelets", [*known(platelets=None), DONE], 1, "high"),
        ("both", [*known(), DONE], 1, "quiet"),
        ("both, the assessment after the first dose", [*known(), statement("vte-risk-assessment", 3, "tier-2")], 4, "quiet"),
        ("both, the platelets after the first dose", [*known(platelets=None), DONE, result("platelets", "90000", 3)], 4, "quiet"),
        ("platelets 14 days before", [*known(platelets=None), DONE, result("platelets", "90000", -14, hour=11)], 1, "quiet"),
        ("platelets 15 days before", [*known(platelets=None), DONE, result("platelets", "90000", -15, hour=11)], 1, "high"),
        ("assessed 90 days before", [*known(), statement("vte-risk-assessment", -89, "tier-2")], 1, "quiet"),
        ("assessed longer ago", [*known(), statement("vte-risk-assessment", -91, "tier-2")], 1, "high"),
        ("before the first dose", known(platelets=None, start=False), -1, "quiet"),
        ("only ordered", [*known(platelets=None, start=False), lenalidomide(-1, way="ordered")], 1, "quiet"),
        ("course ended", [*known(), statement("lenalidomide-stopped", 5, "other")], 6, "quiet"),
        ("the only platelet count cannot be used", [*known(platelets=None), DONE, UNUSABLE], 1, "cannot: a usable value of the newest platelet count"),
        ("it cannot be used, and nobody assessed", [*known(platelets=None), UNUSABLE], 1, "high"),
    ],
)  # fmt: skip
def test_assessment_missing(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(ASSESS, facts, day=day) == answer


def test_it_says_which_is_missing_since_the_first_dose() -> None:
    both, one = found(ASSESS, known(platelets=None), day=4), found(ASSESS, known(), day=4)
    assert both.title == "Before lenalidomide: VTE risk assessment and platelet count missing"
    assert one.title == "Before lenalidomide: VTE risk assessment missing"
    assert one.since == one.effective_at == on(1, 10)
    assert one.evidence[0].what == "first dose"


def test_window_of_the_assessment_is_policy() -> None:
    facts = [*known(), statement("vte-risk-assessment", -91, "tier-2")]
    assert said(ASSESS, facts, day=1, using=policy(vte_assessment_window_days="120")) == "quiet"


LONG = supply("enoxaparin", 90, days=60, dose="40")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("the last day of cycle 4", [*known(), *cycles(5), LONG], 112, "quiet"),
        ("day 1 of cycle 5", [*known(), *cycles(5), LONG], 113, "medium"),
        ("warfarin", [*known(), *cycles(5), supply("warfarin", 90, days=60)], 113, "medium"),
        ("a direct anticoagulant is not of this rule", [*known(), *cycles(5), supply("apixaban", 90, days=60)], 113, "quiet"),
        ("its supply ends on the last day of cycle 4: grace is not going on", [*known(), *cycles(5), supply("enoxaparin", 85, days=28)], 113, "quiet"),
        ("its supply ends a day later", [*known(), *cycles(5), supply("enoxaparin", 85, days=29)], 113, "medium"),
        ("ended since", [*known(), *cycles(5), supply("enoxaparin", 90, days=30)], 121, "quiet"),
        ("switched to aspirin", [*known(), *cycles(5), LONG, supply("aspirin", 114, days=28, dose="100")], 115, "quiet"),
        ("aspirin from before LMWH is no switch", [*known(), *cycles(5), supply("aspirin", 80, days=60, dose="100"), LONG], 115, "medium"),
        ("therapeutic for any reason", [*known(), *cycles(5), LONG, statement("therapeutic-anticoagulation", 1, "yes")], 113, "quiet"),
        ("coded as treatment", [*known(), *cycles(5), supply("enoxaparin", 90, days=60, purpose="treatment")], 113, "quiet"),
        ("a dose above prophylaxis", [*known(), *cycles(5), supply("enoxaparin", 90, days=60, dose="60")], 113, "quiet"),
        ("a clot of this course is being treated", [*known(), *cycles(5), LONG, diagnosis(["pe"], 80)], 113, "quiet"),
        ("that clot is over", [*known(), *cycles(5), LONG, diagnosis(["pe"], 80, abated=on(100))], 113, "medium"),
        ("without platelets: review", [*known(platelets=None), *cycles(5), LONG], 113, "medium"),
        ("course ended", [*known(), *cycles(5), LONG, statement("lenalidomide-stopped", 113, "other")], 114, "quiet"),
    ],
)  # fmt: skip
def test_switch_due(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(SWITCH, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "platelets", "action"),
    [
        ("at the aspirin limit", "100000", "switch"),
        ("one below", "99999", "review-medicine"),
        ("unknown", None, "review-medicine"),
    ],
)
def test_to_aspirin_only_with_enough_platelets(shows: str, platelets: str | None, action: str) -> None:
    finding = found(SWITCH, [*known(platelets=platelets), *cycles(5), LONG], day=113)
    assert finding.advice is not None
    assert finding.advice.action == action
    assert ("No platelet count is known." in finding.context) is (platelets is None)
    assert finding.since == on(113, 10)


def test_a_factor_that_persists_is_said() -> None:
    finding = found(SWITCH, [*known(), *cycles(5), LONG, diagnosis(["immobility"], 50)], day=113)
    assert finding.context == ("Still true: risk tier 1 (immobilisation).",)


def test_cycles_count_from_the_factor_where_the_policy_says_so() -> None:
    facts = [*known(), *cycles(7), diagnosis(["immobility"], 70), supply("enoxaparin", 90, days=120)]
    later = policy(vte_tier1_from_factor="true")
    assert [said(SWITCH, facts, day=day) for day in (113, 140, 168, 169)] == ["medium", "medium", "medium", "medium"]
    assert [said(SWITCH, facts, day=day, using=later) for day in (113, 140, 168, 169)] == [
        "quiet",
        "quiet",
        "quiet",
        "medium",
    ]
    assert said(SWITCH, facts, day=85, using=policy(vte_tier1_cycles="2")) == "quiet"
    assert said(SWITCH, facts, day=113, using=policy(vte_tier1_cycles="2")) == "medium"


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("an infection on treatment", [*known(), diagnosis(["pneumonia"], 9)], 9, 9.1, "info"),
        ("shown for 14 days", [*known(), diagnosis(["pneumonia"], 9)], 23, 8.9, "info"),
        ("and no longer", [*known(), diagnosis(["pneumonia"], 9)], 23, 9.0, "quiet"),
        ("shown though the infection ended", [*known(), diagnosis(["pneumonia"], 9, abated=on(12))], 15, 12, "info"),
        ("an infection from before the first dose", [*known(), diagnosis(["pneumonia"], -2)], 3, 12, "quiet"),
        ("an infection where tier 2 held already", [*known(), diagnosis(["ckd"], -99), diagnosis(["pneumonia"], 9)], 10, 12, "quiet"),
        ("immobilised where tier 2 held already", [*known(), diagnosis(["ckd"], -99), statement("immobilisation", 9, "bedbound")], 10, 12, "info"),
        ("immobilised where tier 1 held already", [*known(), diagnosis(["dvt"], -9), statement("immobilisation", 9, "bedbound")], 10, 12, "quiet"),
        ("said again a week later: one note", [*known(), statement("immobilisation", 9, "bedbound"), statement("immobilisation", 16, "bedbound")], 17, 12, "info"),
        ("said again, the first note is over", [*known(), statement("immobilisation", 2, "bedbound"), statement("immobilisation", 16, "bedbound")], 17, 12, "quiet"),
        ("two facts, each from a tier up", [*known(), diagnosis(["pneumonia"], 9), diagnosis(["immobility"], 10)], 11, 12, "info; info"),
        ("an erythropoiesis-stimulating agent", [*known(), supply("epoetin-alfa", 9, days=7)], 10, 12, "info"),
        ("its refill is no news", [*known(), supply("epoetin-alfa", 2, days=14), supply("epoetin-alfa", 16, days=14)], 17, 12, "quiet"),
        ("dexamethasone raised", [*known(), statement("dexamethasone-plan-mg-per-cycle", 9, number="480")], 10, 12, "info"),
        ("a clot", [*known(), diagnosis(["pe"], 9)], 10, 12, "info"),
        ("ECOG worse", [*known(), result("ecog", "2", 9)], 10, 12, "info"),
        ("ECOG as bad as before", [*known(ecog=None), result("ecog", "2", -5), result("ecog", "3", 9)], 10, 12, "quiet"),
        ("ECOG better in between, by word", [*known(ecog=None), result("ecog", "2", -5), statement("ecog", 2, number="1"), result("ecog", "2", 9)], 10, 12, "info"),
        ("a birthday is no event", [*known(birth="1951-06-20"), lenalidomide(29)], 30, 12, "quiet"),
        ("not on treatment", [*known(start=False), diagnosis(["pe"], 9)], 10, 12, "quiet"),
        ("nothing arrived", known(), 10, 12, "quiet"),
    ],
)  # fmt: skip
def test_tier_change(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert said(CHANGE, facts, day=day, hour=hour) == answer


def test_the_note_is_about_the_fact() -> None:
    finding = found(CHANGE, [*known(), diagnosis(["pneumonia"], 9, fact_id="lung")], day=10)
    assert (finding.subject, finding.since, finding.effective_at) == ("lung", on(9), on(9))
    assert finding.title == "VTE risk tier 3 became 2: infection"
    answer = ask(CHANGE, [*known(), diagnosis(["pneumonia"], 9)], day=10)
    assert isinstance(answer, Found)
    assert answer.recheck_at == on(23)


def test_how_long_it_is_shown_is_policy() -> None:
    facts = [*known(), diagnosis(["pneumonia"], 9)]
    assert said(CHANGE, facts, day=17, using=policy(vte_change_shown_days="7")) == "quiet"
