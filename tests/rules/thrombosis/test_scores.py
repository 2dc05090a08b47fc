"""IMPEDE VTE, SAVED and IMWG as intervals, and where they disagree with Table 3."""

from __future__ import annotations

import pytest
from msgspec import structs

from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.thrombosis.impede import impede
from rules.thrombosis.imwg import imwg
from rules.thrombosis.saved import saved
from rules.view import View
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, diagnosis, lenalidomide, on, person, policy, result, statement, supply, view
from tests.rules.thrombosis.clinic import ask, cycles, done, found, known, said

TOOLS = "vte-tool-discordant"
STATE = "catheter-state"
CLOT = diagnosis(["dvt", "vte"], -300)
MYELOMA = diagnosis(["multiple-myeloma"], -200)


def of_race(codes: str | None, birth: str = "1958-03-01") -> AnyKept:
    return structs.replace(person(birth), race=codes)


def at(facts: list[AnyKept], day: float = 5, using: Policy | None = None) -> View:
    return view(facts, day=day, using=using)


# The man of `known` has a body mass index of 20.8, takes 160 mg of dexamethasone a cycle and is 68 years old:
# IMPEDE 4 + 2, SAVED 1.


@pytest.mark.parametrize(
    ("shows", "facts", "day", "low", "high"),
    [
        ("drug and low-dose dexamethasone", known(), 5, 6, 6),
        ("body mass 25", [*known(height=None, weight=None), result("bmi", "25", -2)], 5, 7, 7),
        ("body mass just below", [*known(height=None, weight=None), result("bmi", "24.9", -2)], 5, 6, 6),
        ("body mass unknown", known(height=None), 5, 6, 7),
        ("a fracture", [*known(), diagnosis(["pelvic-hip-femur-fracture"], -20)], 5, 10, 10),
        ("a fracture that is over", [*known(), diagnosis(["pelvic-hip-femur-fracture"], -20, abated=on(1))], 5, 6, 6),
        ("an ESA", [*known(), supply("epoetin-alfa", 2, days=28)], 5, 7, 7),
        ("an ESA that is over", [*known(), supply("epoetin-alfa", -50, days=28)], 5, 6, 6),
        ("160 mg is low", known(plan="160"), 5, 6, 6),
        ("more is high", known(plan="160.1"), 5, 8, 8),
        ("none is none", known(plan="0"), 5, 4, 4),
        ("dexamethasone unknown", known(plan=None), 5, 4, 8),
        ("40 mg given so far, no plan", [*known(plan=None), supply("dexamethasone", 2, way="given", dose="40")], 5, 6, 8),
        ("given for a whole window, little", [*known(plan=None), *(supply("dexamethasone", day, way="given", dose="40") for day in (-9, 2, 9, 16, 23))], 25, 6, 6),
        ("given for a whole window, much", [*known(plan="160"), *(supply("dexamethasone", day, way="given", dose="40") for day in (-9, 1, 2, 3, 4, 23))], 25, 8, 8),
        ("given for less, and a plan", [*known(plan="320"), supply("dexamethasone", 2, way="given", dose="40")], 5, 8, 8),
        ("dispensed for a cycle", [*known(plan=None), supply("dexamethasone", 1, days=28, strength="4", quantity="40")], 5, 6, 6),
        ("dispensed for half a cycle", [*known(plan=None), supply("dexamethasone", 1, days=14, strength="4", quantity="40")], 5, 8, 8),
        ("dispensed, the amount unknown, and an older one", [*known(plan=None), supply("dexamethasone", -2, days=28, strength="4", quantity="40"), supply("dexamethasone", 1, days=28)], 5, 6, 6),
        ("doxorubicin", [*known(), supply("doxorubicin", 2, way="given")], 5, 9, 9),
        ("doxorubicin 28 days ago", [*known(), supply("doxorubicin", 2, 13, way="given")], 30, 9, 9),
        ("doxorubicin longer ago", [*known(), supply("doxorubicin", 2, 11, way="given")], 30, 6, 6),
        ("doxorubicin ordered", [*known(), supply("doxorubicin", 2, way="ordered")], 5, 6, 6),
        ("one other cytotoxic medicine", [*known(), supply("melphalan", 2, way="given")], 5, 6, 6),
        ("two of them", [*known(), supply("melphalan", 2, way="given"), supply("cyclophosphamide", 3, way="given")], 5, 9, 9),
        ("twice the same", [*known(), supply("melphalan", 2, way="given"), supply("melphalan", 3, way="given")], 5, 6, 6),
        ("Asian", [*known(), of_race("2028-9")], 5, 3, 3),
        ("Pacific Islander", [*known(), of_race("2076-8")], 5, 3, 3),
        ("of two races, one of them", [*known(), of_race("2106-3 2028-9")], 5, 3, 3),
        ("of another race", [*known(), of_race("2106-3")], 5, 6, 6),
        ("race unknown counts nothing", [*known(), of_race(None)], 5, 6, 6),
        ("VTE before myeloma", [*known(), CLOT, MYELOMA], 5, 11, 11),
        ("VTE after myeloma", [*known(), diagnosis(["dvt", "vte"], -100), MYELOMA], 5, 6, 6),
        ("VTE, nobody knows when the myeloma began", [*known(), CLOT], 5, 6, 11),
        ("a history code before the myeloma", [*known(), diagnosis(["history-of-vte"], -300, history=True), MYELOMA], 5, 11, 11),
        ("a history code after it", [*known(), diagnosis(["history-of-vte"], -100, history=True), MYELOMA], 5, 6, 11),
        ("a history code alone, written on treatment", [*known(), diagnosis(["history-of-vte"], 3, history=True)], 5, 6, 11),
        ("VTE of this course", [*known(), diagnosis(["dvt", "vte"], 3)], 5, 6, 6),
        ("a catheter", [*known(), done("central-venous-catheter", -20)], 5, 8, 8),
        ("a catheter planned", [*known(), done("central-venous-catheter", 2, status=FactStatus.PLANNED)], 5, 6, 6),
        ("a catheter removed", [*known(), done("central-venous-catheter", -20), statement(STATE, 2, "removed")], 5, 6, 6),
        ("another one since", [*known(), statement(STATE, 2, "removed"), done("central-venous-catheter", 3)], 5, 8, 8),
        ("a catheter spoken of", [*known(), statement(STATE, 2, "working")], 5, 8, 8),
        ("warfarin from long before", [*known(), supply("warfarin", -30, days=90)], 5, 2, 2),
        ("warfarin begun for this treatment", [*known(), supply("warfarin", -14, days=90)], 5, 6, 6),
        ("LMWH at a treating dose", [*known(), supply("enoxaparin", -30, days=90, dose="80")], 5, 2, 2),
        ("LMWH at a prophylactic dose", [*known(), supply("enoxaparin", -30, days=90, dose="40")], 5, 3, 3),
        ("LMWH at an unknown dose", [*known(), supply("dalteparin", -30, days=90)], 5, 2, 3),
        ("LMWH used up", [*known(), supply("enoxaparin", -30, days=20, dose="40")], 5, 6, 6),
        ("aspirin", [*known(), supply("aspirin", -30, days=90, dose="100")], 5, 3, 3),
        ("aspirin for pain", [*known(), supply("aspirin", -30, days=90, dose="500")], 5, 6, 6),
        ("aspirin begun for this treatment", [*known(), supply("aspirin", -2, days=90, dose="100")], 5, 6, 6),
        ("another anticoagulant: the score does not say", [*known(), supply("apixaban", -30, days=90, dose="5")], 5, 2, 6),
        ("ordered, perhaps taken", [*known(), supply("warfarin", -30, way="ordered", until=on(60))], 5, 3, 6),
        ("stated long before", [*known(), statement("therapeutic-anticoagulation", -30, "yes")], 5, 2, 2),
        ("stated since", [*known(), statement("therapeutic-anticoagulation", 2, "yes")], 5, 6, 6),
        ("stated not to be", [*known(), statement("therapeutic-anticoagulation", -30, "no")], 5, 6, 6),
    ],
)  # fmt: skip
def test_impede(shows: str, facts: list[AnyKept], day: float, low: int, high: int) -> None:
    score = impede(at(facts, day))
    assert (score.low, score.high) == (low, high)
    assert bool(score.missing) is (low != high)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "low", "high"),
    [
        ("standard dexamethasone", known(), 5, 1, 1),
        ("120 mg is standard", known(plan="120"), 5, 1, 1),
        ("less is nothing", known(plan="119.9"), 5, 0, 0),
        ("160 mg is standard", known(plan="160"), 5, 1, 1),
        ("more is high", known(plan="160.1"), 5, 2, 2),
        ("unknown", known(plan=None), 5, 0, 2),
        ("surgery 90 days ago", [*known(), done("surgery", -86)], 5, 3, 3),
        ("surgery 91 days ago", [*known(), done("surgery", -87)], 5, 1, 1),
        ("surgery planned", [*known(), done("surgery", 2, status=FactStatus.PLANNED)], 5, 1, 1),
        ("Asian", [*known(), of_race("2028-9")], 5, -2, -2),
        ("Pacific Islander counts nothing here", [*known(), of_race("2076-8")], 5, 1, 1),
        ("VTE at any time", [*known(), CLOT], 5, 4, 4),
        ("a history code", [*known(), diagnosis(["history-of-vte"], -3, history=True)], 5, 4, 4),
        ("80 years", known(birth="1946-06-01"), 5, 2, 2),
        ("79 years", known(birth="1946-06-02"), 5, 1, 1),
        ("age unknown", known(birth=None), 5, 1, 2),
        ("a Korean with a clot and little dexamethasone: low", [*known(), of_race("2028-9"), CLOT], 5, 1, 1),
    ],
)
def test_saved(shows: str, facts: list[AnyKept], day: float, low: int, high: int) -> None:
    score = saved(at(facts, day))
    assert (score.low, score.high) == (low, high)
    assert bool(score.missing) is (low != high)


def test_the_term_for_race_is_policy_and_shown() -> None:
    facts = [*known(), of_race("2028-9")]
    without = policy(vte_score_race="false")
    assert (impede(at(facts, using=without)).low, saved(at(facts, using=without)).low) == (6, 1)
    assert found("impede-score", facts, day=5).title == "IMPEDE VTE 3 (6 without the term for race): low risk"
    assert found("saved-score", facts, day=5).title == "SAVED -2 (1 without the term for race): low risk"
    assert found("impede-score", facts, day=5, using=without).title == "IMPEDE VTE 6: intermediate risk"


@pytest.mark.parametrize(
    ("shows", "rule", "facts", "title"),
    [
        ("3 is low", "impede-score", [*known(), supply("aspirin", -30, days=90, dose="100")], "IMPEDE VTE 3: low risk"),
        ("4 is intermediate", "impede-score", known(plan="0"), "IMPEDE VTE 4: intermediate risk"),
        ("7 is intermediate", "impede-score", [*known(), supply("epoetin-alfa", 2, days=28)], "IMPEDE VTE 7: intermediate risk"),
        ("8 is high", "impede-score", known(plan="320"), "IMPEDE VTE 8: high risk"),
        ("an interval over two bands", "impede-score", known(plan=None), "IMPEDE VTE 4 to 8: intermediate to high risk"),
        ("1 is low", "saved-score", known(), "SAVED 1: low risk"),
        ("2 is high", "saved-score", known(plan="320"), "SAVED 2: high risk"),
        ("an interval", "saved-score", known(plan=None), "SAVED 0 to 2: low to high risk"),
    ],
)  # fmt: skip
def test_bands(shows: str, rule: str, facts: list[AnyKept], title: str) -> None:
    assert found(rule, facts, day=5).title == title


def test_a_score_is_told_item_by_item() -> None:
    finding = found("impede-score", known(height=None), day=5)
    assert finding.message.startswith(
        "IMPEDE VTE: immunomodulatory drug +4; body mass +0 to +1; dexamethasone 160 mg a cycle +2."
    )
    assert "extrapolated" in finding.message
    assert finding.context == ("Not known: weight and height.",)
    assert (finding.since, finding.effective_at) == (on(1, 10), on(1, 10))
    assert finding.advice is not None
    assert finding.advice.action == "inform"
    assert [number.key for number in finding.thresholds] == [
        "impede_imid", "impede_bmi", "impede_bmi_at", "impede_dex_low", "vte_score_dex_high_mg", "impede_intermediate_at",
        "impede_high_at"]  # fmt: skip
    assert found("impede-score", [*known(), CLOT, MYELOMA, done("surgery", 3)], day=5).context == ()
    assert found("saved-score", [*known(), done("surgery", 3)], day=5).effective_at == on(3)
    assert found("saved-score", known(plan="0", birth=None, start=True), day=5).context == ("Not known: birth date.",)
    nothing = found("saved-score", [*known(plan="0")], day=5)
    assert nothing.message.startswith("SAVED: dexamethasone 0 mg a cycle +0.")


@pytest.mark.parametrize(
    ("rule", "facts", "due"),
    [
        ("saved-score", [*known(), done("surgery", 2)], on(93, 0)),
        ("impede-score", [*known(), supply("doxorubicin", 2, way="given")], on(30, 10)),
        ("impede-score", [*known(), supply("epoetin-alfa", 2, days=7)], on(16, 0)),
        ("impede-score", [*known(), supply("aspirin", -30, days=60)], on(38, 0)),
        ("impede-score", [*known(), supply("warfarin", 1, way="ordered", until=on(20))], on(27, 9)),
    ],
)
def test_a_score_is_looked_at_again_when_an_item_ends(rule: str, facts: list[AnyKept], due: object) -> None:
    assert ask(rule, facts, day=5).recheck_at == due


@pytest.mark.parametrize("rule", ["impede-score", "saved-score", TOOLS])
def test_scores_are_about_treatment(rule: str) -> None:
    assert said(rule, known(start=False), day=-1) == "quiet"
    assert said(rule, [*known(), statement("lenalidomide-stopped", 3, "other")], day=5) == "quiet"


@pytest.mark.parametrize(
    ("key", "value", "facts", "low"),
    [
        ("impede_imid", "5", known(), 7),
        ("impede_bmi_at", "20", known(), 7),
        ("impede_bmi", "2", [*known(height=None, weight=None), result("bmi", "25", -2)], 8),
        ("impede_fracture", "5", [*known(), diagnosis(["pelvic-hip-femur-fracture"], -20)], 11),
        ("impede_esa", "2", [*known(), supply("epoetin-alfa", 2, days=28)], 8),
        ("impede_dex_high", "5", known(plan="320"), 9),
        ("impede_dex_low", "3", known(), 7),
        ("vte_score_dex_high_mg", "150", known(), 8),
        ("impede_chemotherapy", "4", [*known(), supply("doxorubicin", 2, way="given")], 10),
        ("impede_race", "-2", [*known(), of_race("2028-9")], 4),
        ("impede_vte", "6", [*known(), CLOT, MYELOMA], 12),
        ("impede_catheter", "3", [*known(), done("central-venous-catheter", -20)], 9),
        ("impede_therapeutic", "-5", [*known(), supply("warfarin", -30, days=90)], 1),
        ("impede_prophylactic", "-2", [*known(), supply("aspirin", -30, days=90, dose="100")], 4),
    ],
)
def test_each_item_of_impede_is_policy(key: str, value: str, facts: list[AnyKept], low: int) -> None:
    assert impede(at(facts, using=policy(**{key: value}))).low == low


@pytest.mark.parametrize(
    ("key", "value", "facts", "low"),
    [
        ("saved_surgery", "3", [*known(), done("surgery", -20)], 4),
        ("saved_surgery_days", "60", [*known(), done("surgery", -86)], 1),
        ("saved_race", "-2", [*known(), of_race("2028-9")], -1),
        ("saved_vte", "4", [*known(), CLOT], 5),
        ("saved_age_at", "68", known(), 2),
        ("saved_age", "2", known(birth="1946-06-01"), 3),
        ("saved_dex_standard", "2", known(), 2),
        ("saved_dex_high", "3", known(plan="320"), 3),
        ("vte_score_dex_standard_mg", "160", known(plan="150"), 0),
        ("vte_score_dex_high_mg", "150", known(), 2),
    ],
)
def test_each_item_of_saved_is_policy(key: str, value: str, facts: list[AnyKept], low: int) -> None:
    assert saved(at(facts, using=policy(**{key: value}))).low == low


# --- IMWG ---


@pytest.mark.parametrize(
    ("shows", "facts", "names", "classes"),
    [
        ("nothing", known(), set(), {"aspirin"}),
        ("one factor", [*known(), diagnosis(["heart-failure"], -20)], {"cardiac disease"}, {"aspirin"}),
        ("one factor twice", [*known(), diagnosis(["heart-failure"], -20), diagnosis(["stroke"], -20)], {"cardiac disease"}, {"aspirin"}),
        ("two", [*known(), diagnosis(["heart-failure"], -20), diagnosis(["diabetes"], -20)], {"cardiac disease", "diabetes"}, {"anticoagulant"}),
        ("recent and earlier VTE are one", [*known(), diagnosis(["dvt", "vte"], -20)], {"VTE"}, {"aspirin"}),
        ("a lung disease is none", [*known(), diagnosis(["pulmonary-disease"], -20)], set(), {"aspirin"}),
        ("a catheter and surgery", [*known(), done("central-venous-catheter", -20), done("surgery", -20)], {"central venous catheter", "surgery"}, {"anticoagulant"}),
        ("diabetes that is over", [*known(), diagnosis(["diabetes"], -20, abated=on(1))], set(), {"aspirin"}),
        ("high-dose dexamethasone", known(plan="480"), set(), {"anticoagulant"}),
        ("doxorubicin", [*known(), supply("doxorubicin", 2, way="given")], set(), {"anticoagulant"}),
        ("dexamethasone unknown", known(plan=None), set(), {"aspirin", "anticoagulant"}),
        ("one factor, one unknown", [*known(height=None), diagnosis(["heart-failure"], -20), diagnosis(["obesity"], -20, abated=on(1))], {"cardiac disease"}, {"aspirin"}),
        ("none, two unknown", known(birth=None, height=None), set(), {"aspirin", "anticoagulant"}),
        ("none, two unknown, but a person assessed it", [*known(birth=None, height=None), statement("vte-risk-assessment", -2, "tier-3")], set(), {"aspirin"}),
    ],
)  # fmt: skip
def test_imwg(shows: str, facts: list[AnyKept], names: set[str], classes: set[str]) -> None:
    tool = imwg(at(facts))
    assert (set(tool.names), set(tool.classes)) == (names, classes)


def test_imwg_for_people_and_its_limit() -> None:
    two = [*known(), diagnosis(["heart-failure"], -20), diagnosis(["diabetes"], -20)]
    assert imwg(at(two)).shown == "IMWG 2008: 2 factor(s) (cardiac disease, diabetes): anticoagulant"
    assert imwg(at(known(plan="480"))).shown.endswith(
        "0 factor(s), and the therapy asks for LMWH by itself: anticoagulant"
    )
    open_one = imwg(at(known(birth=None, height=None))).shown
    assert open_one == "IMWG 2008: 0 to 2 factor(s): anticoagulant or aspirin"
    assert imwg(at(two, using=policy(imwg_lmwh_at="3"))).classes == {"aspirin"}


# --- where they disagree ---

# A low IMPEDE score: aspirin from long before. SAVED is 1.
ASPIRIN = supply("aspirin", -30, days=90, dose="100")
HEART = diagnosis(["heart-failure"], -300)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("tier 2, both scores low: aspirin by all", [*known(), HEART, ASPIRIN], 5, "quiet"),
        ("tier 3 against low scores", [*known(), ASPIRIN], 5, "info"),
        ("tier 2, IMPEDE asks for more", [*known(), HEART], 5, "info"),
        ("tier 1, all three ask for an anticoagulant", [*known(plan="320"), diagnosis(["immobility"], -20)], 5, "quiet"),
        ("tier 1, SAVED is low", [*known(), diagnosis(["immobility"], -20)], 5, "info"),
        ("tier 1 after its cycles asks for aspirin", [*known(plan="320"), diagnosis(["immobility"], -20), *cycles(5)], 120, "info"),
        ("SAVED exactly at its limit", [*known(plan="120", birth="1946-06-01"), diagnosis(["immobility"], -20)], 5, "quiet"),
        ("a score that leaves it open", [*known(weight=None, height=None, plan="0"), ASPIRIN, HEART, statement("vte-risk-assessment", -2, "tier-2"), done("central-venous-catheter", -9)], 5, "cannot: weight and height"),
        ("the tier is not known", [*known(ecog=None), ASPIRIN], 5, "cannot: mobility or ECOG"),
        ("a person assessed it", [*known(ecog=None), ASPIRIN, statement("vte-risk-assessment", -2, "tier-3")], 5, "info"),
        ("anticoagulated for any reason", [*known(), HEART, statement("therapeutic-anticoagulation", -2, "yes")], 5, "quiet"),
        ("a clot on treatment rules", [*known(), HEART, diagnosis(["pe", "vte"], 4)], 5, "quiet"),
    ],
)  # fmt: skip
def test_tools(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(TOOLS, facts, day=day) == answer


@pytest.mark.parametrize(("profile", "answer"), [("kr-panel", "info"), ("uspi", "quiet"), ("eu-smpc", "quiet")])
def test_tier_3_agrees_with_low_scores_where_the_labels_have_aspirin(profile: str, answer: str) -> None:
    assert said(TOOLS, [*known(), ASPIRIN], day=5, using=policy(profile)) == answer


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scores_are_notes_in_every_profile(profile: str) -> None:
    assert said("impede-score", known(), day=5, using=policy(profile)) == "info"
    assert said("saved-score", known(), day=5, using=policy(profile)) == "info"
    assert said(TOOLS, [*known(), HEART], day=5, using=policy(profile)) == "info"


def test_what_the_tools_ask_for_is_told() -> None:
    finding = found(TOOLS, [*known(), HEART], day=5)
    assert finding.title == (
        "VTE risk tools disagree: Table 3, risk tier 2 (heart failure): aspirin; IMPEDE VTE 6: anticoagulant; SAVED 1: aspirin"
    )
    assert finding.context == ("IMWG 2008: 1 factor(s) (cardiac disease): aspirin",)
    assert [shown.what for shown in finding.evidence] == ["heart failure"]
    assert [shown.what for shown in found(TOOLS, [*known(), ASPIRIN], day=5).evidence] == ["treatment"]
    broken = diagnosis(["pelvic-hip-femur-fracture"], -20)
    items = found(TOOLS, [*known(), HEART, broken, supply("epoetin-alfa", 2, days=28)], day=5).evidence
    assert [shown.what for shown in items] == ["heart failure", "erythropoiesis-stimulating agent", "item of a score"]
    open_one = found(TOOLS, [*known(plan="320", height=None), HEART], day=5)
    assert "IMPEDE VTE 8 to 9: anticoagulant" in open_one.title
    asked = found(TOOLS, [*known(), HEART, of_race("2028-9")], day=5, using=policy(impede_intermediate_at="3"))
    assert "without the term for race" in asked.title


def test_the_limits_of_the_classes_are_policy() -> None:
    facts = [*known(), HEART]
    assert said(TOOLS, facts, day=5, using=policy(impede_intermediate_at="7")) == "quiet"
    assert said(TOOLS, [*known(), HEART, ASPIRIN], day=5, using=policy(saved_high_at="1")) == "info"


def test_the_newest_change_dates_the_disagreement() -> None:
    facts = [*known(), HEART, ASPIRIN, supply("epoetin-alfa", 3, days=28)]
    assert found(TOOLS, facts, day=5).effective_at == on(3, 10)
    done_with = [*known(), HEART, supply("aspirin", -30, days=40, dose="100")]
    finding = found(TOOLS, done_with, day=20)
    assert finding.effective_at == on(18, 0)
    assert lenalidomide(1).at == finding.since


def test_chemotherapy_that_is_no_longer_recent_dates_it_too() -> None:
    facts = [*known(), HEART, supply("doxorubicin", 2, way="given")]
    assert found(TOOLS, facts, day=5).effective_at == on(2, 10)
    assert found(TOOLS, facts, day=31).effective_at == on(30, 10)
    assert ask(TOOLS, facts, day=29).recheck_at == on(30, 10)


def test_a_refill_is_no_news() -> None:
    facts = [*known(), ASPIRIN]
    refills = [lenalidomide(1 + 28 * number) for number in range(1, 13)]
    early, late = found(TOOLS, facts, day=5), found(TOOLS, [*facts, *refills], day=340)
    assert [shown.fact for shown in early.evidence] == [shown.fact for shown in late.evidence]
