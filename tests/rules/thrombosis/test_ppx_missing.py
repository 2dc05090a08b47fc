"""`vte-ppx-missing` and its two neighbours, `vte-specialist-review` and `vte-monitor-only`."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.bedside import allergy, cbc, diagnosis, lenalidomide, on, policy, result, statement, supply
from tests.rules.log import Walk, condition, described, dispense, lab, stated
from tests.rules.thrombosis.clinic import cycles, found, known, said

PPX, REVIEW, WATCH = "vte-ppx-missing", "vte-specialist-review", "vte-monitor-only"
RESTART = statement("lenalidomide-restart", 20)
CLOT, HEART = diagnosis(["dvt"], -20), diagnosis(["heart-failure"], -300)
UNUSABLE = result("platelets", None, 4, doubt=ResultDoubt.UNIT_UNKNOWN)
NEEDS_COUNT = "cannot: a usable value of the newest platelet count"


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        # which agent
        ("tier 1: LMWH", [*known(), CLOT], 5, "lmwh high"),
        ("tier 1, platelets exactly at the LMWH limit", [*known(platelets="50000"), CLOT], 5, "lmwh high"),
        ("tier 1, one platelet fewer: not for this rule", [*known(platelets="49999"), CLOT], 5, "quiet"),
        ("tier 1, clearance exactly 30", [*known(creatinine="2.0"), CLOT], 5, "lmwh high"),
        ("tier 1, clearance just below 30: warfarin", [*known(creatinine="2.001"), CLOT], 5, "warfarin high"),
        ("tier 2: aspirin", [*known(), HEART], 5, "aspirin medium"),
        ("tier 2, platelets exactly at the aspirin limit", [*known(platelets="100000"), HEART], 5, "aspirin medium"),
        ("tier 2, one platelet fewer: nothing", [*known(platelets="99999"), HEART], 5, "quiet"),
        ("tier 2 with a low clearance: aspirin all the same", [*known(creatinine="3.0"), HEART], 5, "aspirin medium"),
        ("tier 3: nothing", known(), 5, "quiet"),
        # what is taken
        ("tier 1 on LMWH", [*known(), CLOT, supply("enoxaparin", 1, days=28)], 5, "quiet"),
        ("tier 1 on another LMWH", [*known(), CLOT, supply("dalteparin", 1, days=28)], 5, "quiet"),
        ("tier 1 on warfarin", [*known(), CLOT, supply("warfarin", 1, days=28)], 5, "quiet"),
        ("tier 1 on a direct anticoagulant", [*known(), CLOT, supply("apixaban", 1, days=28)], 5, "quiet"),
        ("tier 1 on aspirin alone: not enough", [*known(), CLOT, supply("aspirin", 1, days=28)], 5, "lmwh high"),
        ("tier 2 on aspirin", [*known(), HEART, supply("aspirin", 1, days=28, dose="100")], 5, "quiet"),
        ("tier 2 on LMWH", [*known(), HEART, supply("enoxaparin", 1, days=28)], 5, "quiet"),
        ("tier 2 with aspirin for pain", [*known(), HEART, supply("aspirin", 1, days=28, dose="500")], 5, "aspirin medium"),
        ("tier 2 with 325 mg of aspirin", [*known(), HEART, supply("aspirin", 1, days=28, dose="325")], 5, "quiet"),
        ("anticoagulated for any reason, as stated", [*known(), CLOT, statement("therapeutic-anticoagulation", -2, "yes")], 5, "quiet"),
        ("stated not to be", [*known(), CLOT, statement("therapeutic-anticoagulation", -2, "no")], 5, "lmwh high"),
        ("the statement has ended", [*known(), CLOT, statement("therapeutic-anticoagulation", -2, "yes", until=on(4))], 5, "lmwh high"),
        ("LMWH ordered, not handed over", [*known(), CLOT, supply("enoxaparin", 1, way="ordered")], 5, "lmwh high"),
        ("LMWH given on the ward yesterday", [*known(), CLOT, supply("enoxaparin", 4, way="given")], 5, "quiet"),
        ("LMWH given three days ago", [*known(), CLOT, supply("enoxaparin", 2, way="given")], 5, "lmwh high"),
        ("LMWH at home", [*known(), CLOT, supply("enoxaparin", 2, way="home")], 5, "quiet"),
        ("the last day of grace", [*known(), HEART, supply("aspirin", 1, days=14)], 21, "quiet"),
        ("the first day not covered", [*known(), HEART, supply("aspirin", 1, days=14)], 22, "aspirin medium"),
        ("an order before the dispense does not stretch it", [*known(), HEART, supply("aspirin", 1, way="ordered"), supply("aspirin", 1, 11, days=14)], 22, "aspirin medium"),
        ("what is left is carried over", [*known(), HEART, supply("aspirin", 1, days=14), supply("aspirin", 8, days=14)], 35, "quiet"),
        ("until that too is used up", [*known(), HEART, supply("aspirin", 1, days=14), supply("aspirin", 8, days=14)], 36, "aspirin medium"),
        # when
        ("before the first dose", [*known(start=False), CLOT], -1, "quiet"),
        ("on the day of the first dose", [*known(), CLOT], 1, "lmwh high"),
        ("tier 1 in cycle 4", [*known(), diagnosis(["immobility"], -20), *cycles(4)], 112, "lmwh high"),
        ("tier 1 from cycle 5 on: aspirin", [*known(), diagnosis(["immobility"], -20), *cycles(5)], 113, "aspirin medium"),
        ("tier 1 in cycle 5 on aspirin", [*known(), diagnosis(["immobility"], -20), *cycles(5), supply("aspirin", 110, days=28)], 113, "quiet"),
        ("tier 1 in cycle 5 with too few platelets for aspirin", [*known(platelets="99999"), diagnosis(["immobility"], -20), *cycles(5)], 113, "quiet"),
        ("course ended", [*known(), CLOT, statement("lenalidomide-stopped", 4, "toxicity")], 5, "quiet"),
        # a VTE on treatment
        ("a clot on treatment, treated", [*known(), diagnosis(["pe"], 10), supply("enoxaparin", 10, days=28)], 12, "quiet"),
        ("a clot on treatment, nothing taken: not for this rule", [*known(), diagnosis(["pe"], 10)], 12, "quiet"),
        ("a clot on treatment, the hold still open", [*known(), diagnosis(["pe"], 10), supply("enoxaparin", 10, days=7, dose="80")], 100, "quiet"),
        ("released, a gap in its treatment: not for this rule", [*known(), diagnosis(["pe"], 10), supply("enoxaparin", 10, days=14, dose="80"), RESTART], 50, "quiet"),
        ("released, treated for its three months: prophylaxis again", [*known(), *cycles(4), diagnosis(["pe"], 10), supply("enoxaparin", 10, days=14, dose="80"), RESTART], 103, "lmwh high"),
        ("released, still treated after them", [*known(), *cycles(4), diagnosis(["pe"], 10), supply("enoxaparin", 10, days=120, dose="80"), RESTART], 103, "quiet"),
        ("contraindicated, the hold open", [*known(), diagnosis(["pe"], 10), statement("anticoagulation-contraindicated", 11, "yes")], 12, "quiet"),
        ("a calf vein: its hold is open", [*known(), diagnosis(["calf-vein-thrombosis", "dvt"], 10)], 12, "quiet"),
        ("a calf vein, released", [*known(), diagnosis(["calf-vein-thrombosis", "dvt"], 10), supply("enoxaparin", 19, days=2), RESTART], 40, "lmwh high"),
        # what is missing
        ("tier 1 without platelets", [*known(platelets=None), CLOT], 5, "cannot: platelets"),
        ("tier 2 without platelets", [*known(platelets=None), HEART], 5, "cannot: platelets"),
        ("tier 1 without creatinine", [*known(creatinine=None), CLOT], 5, "cannot: creatinine"),
        ("tier 1 without weight", [*known(weight=None), CLOT], 5, "cannot: weight"),
        ("tier 1 without birth date", [*known(birth=None), CLOT], 5, "cannot: birth date, sex"),
        ("tier 1 without sex", [*known(sex="unknown"), CLOT], 5, "cannot: sex"),
        ("tier 2 needs no clearance", [*known(creatinine=None), HEART], 5, "aspirin medium"),
        ("tier 3 only because nobody knows", known(ecog=None, height=None), 5, "cannot: mobility or ECOG, weight and height"),
        ("tier 3, and a person assessed the risk", [*known(ecog=None, height=None), statement("vte-risk-assessment", -2, "tier-3")], 5, "quiet"),
        ("tier 2 on aspirin, but tier 1 cannot be excluded", [*known(plan=None), HEART, supply("aspirin", 1, days=28)], 5, "cannot: dexamethasone dose"),
        ("anticoagulated: nothing more is needed", [*known(platelets=None, creatinine=None, ecog=None), CLOT, supply("apixaban", 1, days=28)], 5, "quiet"),
        ("a bound that proves neither side", [*known(platelets=None), HEART, result("platelets", "120000", -1, bound="<")], 5, "cannot: a platelet count that is not a mere bound"),
        ("a bound that proves enough", [*known(platelets=None), HEART, result("platelets", "150000", -1, bound=">")], 5, "aspirin medium"),
        ("a newer count cannot be used: still said", [*known(), HEART, UNUSABLE], 5, "aspirin medium provisional"),
        ("a newer count cannot be used, silent before", [*known(platelets="90000"), HEART, UNUSABLE], 5, NEEDS_COUNT),
        ("clumped platelets are provisional", [*known(platelets=None), HEART, result("platelets", "120000", -1, doubt=ResultDoubt.CLUMPED)], 5, "aspirin medium provisional"),
    ],
)  # fmt: skip
def test_prophylaxis_missing(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(PPX, facts, day=day) == answer


def test_the_agent_is_proposed_with_dose_and_numbers() -> None:
    finding = found(PPX, [*known(platelets="80000"), CLOT], day=5)
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.agent, finding.advice.dose_mg) == ("start", "enoxaparin", "40")
    assert "dalteparin 5000 IU" in finding.message
    assert [number.key for number in finding.thresholds] == [
        "vte_recent_months", "vte_lmwh_platelets", "vte_aspirin_platelets", "vte_tier1_cycles", "vte_lmwh_clcr"]  # fmt: skip
    assert [shown.what for shown in finding.evidence] == [
        "recent VTE", "newest platelets", "creatinine of the clearance", "weight of the clearance"]  # fmt: skip
    assert any("row 3 conflict" in line for line in finding.context)
    assert not any("row 3" in line for line in found(PPX, [*known(platelets="100000"), CLOT], day=5).context)


def test_warfarin_comes_with_its_target_and_aspirin_with_its_dose() -> None:
    warfarin = found(PPX, [*known(creatinine="2.5"), CLOT], day=5)
    aspirin = found(PPX, [*known(), HEART], day=5)
    assert warfarin.advice is not None
    assert aspirin.advice is not None
    assert (warfarin.advice.agent, warfarin.advice.schedule) == ("warfarin", "INR 2.0 to 3.0")
    assert (aspirin.advice.agent, aspirin.advice.dose_mg) == ("aspirin", "100")


def test_after_the_hold_the_recent_clot_is_a_factor_since_the_end_of_treatment() -> None:
    treated = supply("enoxaparin", 10, days=14, dose="80")
    finding = found(PPX, [*known(), *cycles(4), diagnosis(["pe"], 10), treated, RESTART], day=103)
    assert finding.evidence[0].what == "recent VTE"
    assert finding.since == on(31, 0)


def test_what_speaks_against_the_agent_is_shown() -> None:
    facts = [
        *known(), CLOT, supply("aspirin", 1, days=28), statement("anticoagulation-contraindicated", 2, "yes"),
        diagnosis(["bleeding"], 3), allergy("heparin"),
    ]  # fmt: skip
    assert len(found(PPX, facts, day=5).context) == 4


def test_a_persons_assessment_that_differs_is_shown() -> None:
    other, same = (statement("vte-risk-assessment", -2, tier) for tier in ("tier-1", "tier-2"))
    assert found(PPX, [*known(), HEART, other], day=5).context == ("A person assessed the risk as tier-1.",)
    assert found(PPX, [*known(), HEART, same], day=5).context == ()


@pytest.mark.parametrize(
    ("shows", "facts", "day", "since", "effective"),
    [
        ("from the first dose", [*known(), CLOT], 5, on(1, 10), on(1, 10)),
        ("from the factor", [*known(), diagnosis(["pneumonia"], 9)], 10, on(9), on(9)),
        ("from the end of what was taken", [*known(), HEART, supply("aspirin", 1, days=14)], 23, on(22, 0), on(22, 0)),
        ("decided by the count that allows aspirin", [*known(platelets="90000"), HEART, *cbc(8)], 9, on(1, 10), on(8)),
        (
            "decided by the factor that makes it tier 1",
            [*known(), HEART, diagnosis(["immobility"], 9)],
            10,
            on(1, 10),
            on(9),
        ),
    ],
)
def test_since_and_effective(shows: str, facts: list[AnyKept], day: float, since: object, effective: object) -> None:
    finding = found(PPX, facts, day=day)
    assert (finding.since, finding.effective_at) == (since, effective)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("tier 1, platelets one below the LMWH limit", [*known(platelets="49999"), CLOT], 5, "high"),
        ("tier 1, platelets at the limit", [*known(platelets="50000"), CLOT], 5, "quiet"),
        ("recovered", [*known(platelets="49999"), CLOT, *cbc(4, platelets="50000")], 5, "quiet"),
        ("tier 2", [*known(platelets="49999"), HEART], 5, "quiet"),
        ("whatever is taken", [*known(platelets="49999"), CLOT, supply("warfarin", 1, days=28)], 5, "high"),
        ("with a low clearance", [*known(platelets="49999", creatinine="3.0"), CLOT], 5, "high"),
        ("without a clearance", [*known(platelets="49999", creatinine=None), CLOT], 5, "high"),
        ("after cycle 4", [*known(platelets="49999"), diagnosis(["immobility"], -20), *cycles(5)], 120, "high"),
        ("tier 1 over", [*known(platelets="49999"), diagnosis(["immobility"], -20, abated=on(4))], 5, "quiet"),
        ("without platelets", [*known(platelets=None), CLOT], 5, "cannot: platelets"),
        ("a newer count cannot be used", [*known(), CLOT, UNUSABLE], 5, NEEDS_COUNT),
        ("a newer count cannot be used, low before: it stays", [*known(platelets="49999"), CLOT, UNUSABLE], 5, "high"),
        ("a preliminary count", [*known(), CLOT, result("platelets", "40000", 4, status=FactStatus.PRELIMINARY)], 5, "high provisional"),
        ("no cannot for want of a clearance", [*known(creatinine=None), CLOT], 5, "quiet"),
    ],
)  # fmt: skip
def test_specialist_review(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(REVIEW, facts, day=day) == answer


def test_a_specialist_is_asked_and_no_agent_proposed() -> None:
    finding = found(REVIEW, [*known(platelets="40000"), CLOT], day=5)
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.agent) == ("refer", None)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("tier 3", known(), 5, "info"),
        ("tier 3 whatever the platelets", known(platelets="20000"), 5, "info"),
        ("tier 3 without platelets", known(platelets=None), 5, "info"),
        ("tier 2, one platelet too few for aspirin", [*known(platelets="99999"), HEART], 5, "info"),
        ("tier 2, enough platelets", [*known(platelets="100000"), HEART], 5, "quiet"),
        ("tier rises", [*known(), CLOT], 5, "quiet"),
        ("tier 1 after its cycles, too few platelets for aspirin", [*known(platelets="60000"), diagnosis(["immobility"], -20), *cycles(5)], 113, "info"),
        ("tier 2 without platelets", [*known(platelets=None), HEART], 5, "cannot: platelets"),
        ("tier 3 only because nobody knows", known(birth=None), 5, "cannot: birth date"),
        ("not on treatment", known(start=False), -1, "quiet"),
    ],
)  # fmt: skip
def test_monitor_only(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(WATCH, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "key", "off", "on_"),
    [
        ("the table to the letter", [*known(platelets="40000"), CLOT], 5, "table3_literal", "quiet", "warfarin high"),
        ("the table to the letter needs no clearance there", [*known(platelets="40000", creatinine=None), CLOT], 5, "table3_literal", "quiet", "warfarin high"),
        ("tier 3 gets aspirin", known(), 5, "vte_tier3_aspirin", "quiet", "aspirin medium"),
        ("tier 3 gets aspirin, but not with few platelets", known(platelets="99999"), 5, "vte_tier3_aspirin", "quiet", "quiet"),
        ("cycles of tier 1 count from the factor", [*known(), *cycles(6), diagnosis(["immobility"], 130)], 145, "vte_tier1_from_factor", "aspirin medium", "lmwh high"),
        ("four of them: the last", [*known(), *cycles(8), diagnosis(["immobility"], 130)], 210, "vte_tier1_from_factor", "aspirin medium", "lmwh high"),
        ("four of them: the first after", [*known(), *cycles(9), diagnosis(["immobility"], 130)], 225, "vte_tier1_from_factor", "aspirin medium", "aspirin medium"),
    ],
)  # fmt: skip
def test_both_settings_of_each_key(shows: str, facts: list[AnyKept], day: float, key: str, off: str, on_: str) -> None:
    assert said(PPX, facts, day=day, using=policy(**{key: "false"})) == off
    assert said(PPX, facts, day=day, using=policy(**{key: "true"})) == on_


def test_to_the_letter_no_specialist_is_asked() -> None:
    facts = [*known(platelets="40000"), CLOT]
    assert said(REVIEW, facts, day=5, using=policy(table3_literal="true")) == "quiet"


@pytest.mark.parametrize(
    ("key", "value", "facts", "answer"),
    [
        ("vte_lmwh_platelets", "60000", [*known(platelets="55000"), CLOT], "quiet"),
        ("vte_aspirin_platelets", "80000", [*known(platelets="90000"), HEART], "aspirin medium"),
        ("vte_lmwh_clcr", "50", [*known(creatinine="1.5"), CLOT], "warfarin high"),
        ("vte_tier1_cycles", "1", [*known(), CLOT, lenalidomide(29)], "aspirin medium"),
        ("aspirin_prophylaxis_max_mg", "500", [*known(), HEART, supply("aspirin", 25, days=28, dose="500")], "quiet"),
    ],
)
def test_each_number_is_policy(key: str, value: str, facts: list[AnyKept], answer: str) -> None:
    assert said(PPX, facts, day=30, using=policy(**{key: value})) == answer


@pytest.mark.parametrize(
    ("shows", "purpose", "dose", "code", "is_prophylaxis"),
    [
        ("purpose coded", "prophylaxis", "500", None, True),
        ("treatment coded", "treatment", "100", None, False),
        ("a low dose under the analgesic code", None, "100", "N02BA01", True),
        ("a high dose under the antithrombotic code", None, "500", "B01AC06", False),
        ("no dose, the analgesic code", None, None, "N02BA01", False),
        ("no dose, the antithrombotic code", None, None, "B01AC06", True),
        ("nothing said counts as prophylaxis", None, None, None, True),
    ],
)
def test_what_aspirin_is_for(
    shows: str, purpose: str | None, dose: str | None, code: str | None, is_prophylaxis: bool
) -> None:
    pills = supply("aspirin", 1, days=28, dose=dose, purpose=purpose)
    pills = type(pills)(**{**{n: getattr(pills, n) for n in pills.__struct_fields__}, "code": code})
    assert said(PPX, [*known(), HEART, pills], day=5) == ("quiet" if is_prophylaxis else "aspirin medium")


# --- as alerts ---


def enrolled(platelets: str = "180000", creatinine: str = "1.0") -> Walk:
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-2, platelets=platelets, creatinine=creatinine, weight="60", height="170", ecog="1"), on(-2, 10))
    one.hear(stated(-2, "vte-risk-assessment", "tier-3"), on(-2, 11))
    one.hear(dispense(1), on(1, 11))
    one.transitions.clear()
    return one


def told(one: Walk, *rules: str) -> list[tuple[str, str, str | None, str]]:
    return [(t.transition.value, t.rule, t.reason, t.severity.value) for t in one.transitions if t.rule in rules]


def test_another_agent_is_an_update_of_the_same_alert() -> None:
    one = enrolled()
    one.hear(condition(5, "heart-failure"), on(5, 10))
    one.hear(stated(9, "immobilisation", "bedbound"), on(9, 10))
    one.hear(lab(10, creatinine="2.5"), on(10, 10))
    assert told(one, PPX) == [
        ("raised", PPX, "aspirin", "medium"),
        ("updated", PPX, "lmwh", "high"),
        ("updated", PPX, "warfarin", "high"),
    ]
    assert len({t.alert_id for t in one.transitions if t.rule == PPX}) == 1


def test_the_dispense_closes_it() -> None:
    one = enrolled()
    one.hear(condition(5, "immobility"), on(5, 10))
    one.hear(dispense(6, "enoxaparin", days=28, dose="40"), on(6, 11))
    assert told(one, PPX) == [("raised", PPX, "lmwh", "high"), ("resolved", PPX, "lmwh", "high")]


EVENTS = (PPX, "vte-event-hold", "vte-event-untreated")


def test_a_clot_takes_over_and_gives_back_when_it_was_an_error() -> None:
    one = enrolled()
    one.hear(condition(5, "immobility"), on(5, 10))
    clot = condition(8, "dvt", "vte")
    one.hear(clot, on(8, 10))
    assert told(one, *EVENTS) == [
        ("raised", PPX, "lmwh", "high"),
        ("superseded", PPX, "lmwh", "high"),
        ("raised", "vte-event-hold", None, "critical"),
        ("raised", "vte-event-untreated", None, "critical"),
    ]
    one.transitions.clear()
    one.hear(
        [fact.model_copy(update={"status": FactStatus.WITHDRAWN, "versioned_at": on(9)}) for fact in clot], on(9, 10)
    )
    assert set(told(one, *EVENTS)) == {
        ("withdrawn", "vte-event-hold", None, "critical"),
        ("withdrawn", "vte-event-untreated", None, "critical"),
        ("raised", PPX, "lmwh", "high"),
    }
    assert one.open() >= {(PPX, "high")}


def test_the_life_of_a_clot() -> None:
    one = enrolled()
    one.hear(condition(5, "pe", "vte"), on(5, 10))
    one.hear(dispense(6, "enoxaparin", days=90, dose="80"), on(6, 11))
    one.hear(stated(20, "lenalidomide-restart"), on(20, 10))
    assert told(one, *EVENTS) == [
        ("raised", "vte-event-hold", None, "critical"),
        ("raised", "vte-event-untreated", None, "critical"),
        ("resolved", "vte-event-untreated", None, "critical"),
        ("resolved", "vte-event-hold", None, "critical"),
    ]
    assert {t.cause.value for t in one.transitions if t.rule in EVENTS and t.transition == "resolved"} == {"acted-on"}


def test_a_specialist_takes_over_below_the_limit_and_gives_back_above_it() -> None:
    one = enrolled()
    one.hear(condition(5, "immobility"), on(5, 10))
    one.hear(lab(8, platelets="40000"), on(8, 10))
    one.hear(lab(15, platelets="60000"), on(15, 10))
    assert told(one, PPX, REVIEW) == [
        ("raised", PPX, "lmwh", "high"),
        ("raised", REVIEW, None, "high"),
        ("superseded", PPX, "lmwh", "high"),
        ("resolved", REVIEW, None, "high"),
        ("raised", PPX, "lmwh", "high"),
    ]


def test_a_dispense_that_arrives_late_withdraws_it() -> None:
    one = enrolled()
    one.hear(condition(1, "heart-failure"), on(2, 10))
    one.hear(dispense(1, "aspirin", hour=9.0, days=90, dose="100"), on(6, 11))
    assert told(one, PPX)[-1][0] == "withdrawn"


@pytest.mark.parametrize("rule", [PPX, REVIEW, WATCH, "vte-ppx-switch-due"])
def test_these_rules_are_about_treatment(rule: str) -> None:
    low = [*known(platelets="40000", start=False), CLOT]
    assert said(rule, low, day=-1) == "quiet"
    assert (
        said(rule, [*known(platelets="40000"), CLOT, statement("lenalidomide-stopped", 4, "other")], day=5) == "quiet"
    )


def test_tier_1_is_over_since_the_score_fell() -> None:
    facts = [*known(ecog=None), result("ecog", "4", -3), result("ecog", "2", 9)]
    assert found(PPX, facts, day=8).reason == "lmwh"
    finding = found(PPX, facts, day=10)
    assert (finding.reason, finding.effective_at) == ("aspirin", on(9))
