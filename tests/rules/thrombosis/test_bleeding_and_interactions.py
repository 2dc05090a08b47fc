"""Symptoms nobody looked into, bleeding, agents that meet, and medicines that raise the risk."""

from __future__ import annotations

import pytest
from msgspec import structs

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.bedside import PROFILES, cbc, diagnosis, lenalidomide, on, policy, result, statement, supply
from tests.rules.log import Walk, condition, described, dispense, lab, stated
from tests.rules.thrombosis.clinic import ask, done, found, known, said

SYMPTOM, BLEED, DDI, DUP = (
    "vte-symptom-review",
    "bleed-on-antithrombotic",
    "ddi-warfarin-antibiotic",
    "dup-antithrombotic",
)
LEG = diagnosis(["leg-swelling-or-pain"], 10, fact_id="leg")
BREATH = diagnosis(["dyspnoea"], 10, fact_id="breath")
STOP = statement("lenalidomide-stopped", 11, "toxicity")
STOPPED = statement("antithrombotics-stopped", 12)


# --- symptoms ---


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("two days are not over", [LEG], 12, 8.9, "quiet"),
        ("they are", [LEG], 12, 9, "high"),
        ("breathlessness", [BREATH], 12, 9, "high"),
        ("chest pain", [diagnosis(["chest-pain"], 10)], 12, 9, "high"),
        ("another symptom", [diagnosis(["fever"], 10)], 12, 9, "quiet"),
        ("two of one day are one alert", [LEG, BREATH], 12, 9, "high"),
        ("a study since", [LEG, done("vte-imaging", 11)], 12, 9, "quiet"),
        ("a study of that morning", [done("vte-imaging", 10, 7), LEG], 12, 9, "quiet"),
        ("a study of the day before", [done("vte-imaging", 9), LEG], 12, 9, "high"),
        ("a study only planned", [LEG, done("vte-imaging", 11, status=FactStatus.PLANNED)], 12, 9, "high"),
        ("a clot found since", [LEG, diagnosis(["dvt", "vte"], 11)], 12, 9, "quiet"),
        ("a clot from 14 days before", [diagnosis(["dvt", "vte"], -5), LEG], 12, 9, "quiet"),
        ("a clot from longer before", [diagnosis(["dvt", "vte"], -6), LEG], 12, 9, "high"),
        ("a mere history of one", [diagnosis(["dvt", "vte"], 9, history=True), LEG], 12, 9, "high"),
        ("one explained, one not", [LEG, done("vte-imaging", 11), diagnosis(["dyspnoea"], 12)], 15, 9, "high"),
        ("the last of its days", [LEG], 24, 12, "high"),
        ("its days are over", [LEG], 25, 0, "quiet"),
        ("over, and nobody looked", [diagnosis(["leg-swelling-or-pain"], 10, abated=on(11))], 12, 9, "high"),
        ("unconfirmed", [structs.replace(LEG, status=FactStatus.PRELIMINARY)], 12, 9, "high provisional"),
        ("a history code", [diagnosis(["dyspnoea"], 10, history=True)], 12, 9, "quiet"),
        ("before the first dose", [diagnosis(["dyspnoea"], -1)], 3, 9, "quiet"),
        ("course ended", [LEG, STOP], 12, 9, "quiet"),
    ],
)
def test_symptom(profile: str, shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert said(SYMPTOM, [*known(), *facts], day=day, hour=hour, using=policy(profile)) == answer


def test_the_first_symptom_that_waits_names_the_alert() -> None:
    finding = found(SYMPTOM, [*known(), LEG, diagnosis(["dyspnoea"], 11)], day=14)
    assert (finding.subject, finding.since, finding.effective_at) == ("leg", on(12), on(12))
    assert finding.title == "Leg swelling or pain, breathlessness on treatment and no study for VTE"
    assert len(finding.evidence) == 2
    assert ask(SYMPTOM, [*known(), LEG], day=11).recheck_at == on(12)
    assert ask(SYMPTOM, [*known(), LEG], day=13).recheck_at == on(25, 0)
    assert said(SYMPTOM, [*known(), LEG], day=12, using=policy(vte_symptom_study_days="3")) == "quiet"
    assert said(SYMPTOM, [*known(), LEG], day=19, using=policy(vte_symptom_shown_days="7")) == "quiet"
    assert said(SYMPTOM, [*known(start=False), LEG], day=12) == "quiet"


# --- bleeding ---

ASPIRIN = supply("aspirin", 1, days=28, dose="100")
BLEEDS = diagnosis(["bleeding"], 10, fact_id="bleed")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("on aspirin", [ASPIRIN, BLEEDS], 10, "critical"),
        ("on aspirin for pain too", [supply("aspirin", 1, days=28, dose="500"), BLEEDS], 10, "critical"),
        ("on LMWH", [supply("enoxaparin", 1, days=28), BLEEDS], 10, "critical"),
        ("on clopidogrel", [supply("clopidogrel", 1, days=28), BLEEDS], 10, "critical"),
        ("ordered", [supply("warfarin", 9, way="ordered"), BLEEDS], 10, "critical"),
        ("stated to be anticoagulated", [statement("therapeutic-anticoagulation", 1, "yes"), BLEEDS], 10, "critical"),
        ("stated not to be", [statement("therapeutic-anticoagulation", 1, "no"), BLEEDS], 10, "quiet"),
        ("on nothing", [BLEEDS], 10, "quiet"),
        ("the bleeding ended", [ASPIRIN, diagnosis(["bleeding"], 10, abated=on(12))], 12, "quiet"),
        ("it has not ended yet", [ASPIRIN, diagnosis(["bleeding"], 10, abated=on(12))], 11, "critical"),
        ("inactive", [ASPIRIN, diagnosis(["bleeding"], 10, active=False)], 12, "quiet"),
        ("a history", [ASPIRIN, diagnosis(["bleeding"], 10, history=True)], 12, "quiet"),
        ("everything stopped", [ASPIRIN, BLEEDS, STOPPED], 12, "quiet"),
        ("started again", [ASPIRIN, BLEEDS, STOPPED, supply("aspirin", 14, days=28)], 14, "critical"),
        ("used up, the last day of grace", [ASPIRIN, BLEEDS], 35, "critical"),
        ("used up", [ASPIRIN, BLEEDS], 36, "quiet"),
        ("started 14 days after a bleeding", [diagnosis(["bleeding"], -5), supply("aspirin", 10, days=28)], 10, "critical"),
        ("started longer after it", [diagnosis(["bleeding"], -6), supply("aspirin", 10, days=28)], 10, "quiet"),
        ("another condition", [ASPIRIN, diagnosis(["fever"], 10)], 10, "quiet"),
        ("unconfirmed", [ASPIRIN, structs.replace(BLEEDS, status=FactStatus.PRELIMINARY)], 10, "critical provisional"),
        ("two bleedings", [ASPIRIN, BLEEDS, diagnosis(["bleeding"], 11)], 12, "critical; critical"),
        ("course ended", [ASPIRIN, BLEEDS, STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_bleeding(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(BLEED, [*known(), *facts], day=day, using=policy(profile)) == answer


def test_bleeding_names_the_agent_and_begins_with_both() -> None:
    finding = found(BLEED, [*known(), BLEEDS, supply("apixaban", 11, days=28)], day=12)
    assert (finding.subject, finding.since, finding.effective_at) == ("bleed", on(11, 10), on(11, 10))
    assert finding.title == "Bleeding while apixaban is active"
    word = found(BLEED, [*known(), statement("therapeutic-anticoagulation", 1, "yes"), BLEEDS], day=12)
    assert word.title == "Bleeding while an anticoagulant is active"
    before = [*known(), diagnosis(["bleeding"], -5), supply("aspirin", -3, days=28)]
    assert found(BLEED, before, day=2).since == on(1, 10)
    late = [*known(), diagnosis(["bleeding"], -6), supply("aspirin", 10, days=28)]
    assert said(BLEED, late, day=10, using=policy(bleed_recent_days="20")) == "critical"


# --- a stop of everything, for the rules about one agent ---


@pytest.mark.parametrize(
    ("rule", "facts", "before"),
    [
        ("vte-lmwh-platelets", [*known(platelets="40000"), supply("enoxaparin", 1, days=28)], "critical"),
        ("vte-lmwh-renal", [*known(creatinine="2.4"), supply("enoxaparin", 1, days=28)], "high"),
        ("vte-aspirin-platelets", [*known(platelets="90000"), ASPIRIN], "high"),
        ("vte-warfarin-inr", [*known(), supply("warfarin", 1, days=28), result("inr", "5", 9)], "critical critical"),
    ],
)
def test_a_recorded_stop_ends_what_was_supplied_before(rule: str, facts: list[AnyKept], before: str) -> None:
    assert said(rule, facts, day=11) == before
    assert said(rule, [*facts, STOPPED], day=12) == "quiet"
    assert ask(rule, [*facts, STOPPED], day=11) == ask(rule, facts, day=11)


def test_after_a_stop_prophylaxis_is_missing_again() -> None:
    facts = [*known(), diagnosis(["immobility"], -9), supply("enoxaparin", 1, days=90)]
    assert said("vte-ppx-missing", facts, day=13) == "quiet"
    assert said("vte-ppx-missing", [*facts, STOPPED], day=13) == "lmwh high"
    assert found("vte-ppx-missing", [*facts, STOPPED], day=13).since == on(12, 8)
    again = [*facts, STOPPED, supply("enoxaparin", 13, days=28)]
    assert said("vte-ppx-missing", again, day=14) == "quiet"


# --- warfarin and antibiotics ---

WARFARIN = supply("warfarin", 1, days=90)
COTRIM = supply("co-trimoxazole", 10, days=14, fact_id="cotrim")
INR = result("inr", "2.5", 13)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("started", [WARFARIN, COTRIM], 10, "high"),
        ("a quinolone", [WARFARIN, supply("levofloxacin", 10, days=7)], 10, "high"),
        ("a penicillin is none of them", [WARFARIN, supply("amoxicillin", 10, days=7)], 10, "quiet"),
        ("ordered", [WARFARIN, supply("levofloxacin", 10, way="ordered")], 10, "high"),
        ("warfarin ordered", [supply("warfarin", 1, way="ordered"), COTRIM], 10, "high"),
        ("an INR two days after", [WARFARIN, COTRIM, result("inr", "2.5", 12, 23)], 14, "high"),
        ("an INR three days after", [WARFARIN, COTRIM, result("inr", "2.5", 13, 1)], 14, "quiet"),
        ("no warfarin", [COTRIM], 10, "quiet"),
        ("another anticoagulant", [supply("apixaban", 1, days=90), COTRIM], 10, "quiet"),
        ("warfarin after it", [COTRIM, supply("warfarin", 12, days=28)], 13, "quiet"),
        ("both at once", [supply("warfarin", 10, days=28), COTRIM], 11, "high"),
        ("warfarin ended", [supply("warfarin", 1, days=10), COTRIM], 18, "quiet"),
        ("warfarin stopped", [WARFARIN, COTRIM, STOPPED], 13, "quiet"),
        ("refilled within the grace: no end", [WARFARIN, COTRIM, INR, supply("co-trimoxazole", 28, days=14)], 32, "quiet"),
        ("the end shows when the grace is over", [WARFARIN, COTRIM, INR], 30, "quiet"),
        ("it ended", [WARFARIN, COTRIM, INR], 31, "high"),
        ("an INR three days after the last of it", [WARFARIN, COTRIM, result("inr", "2.5", 27)], 31, "quiet"),
        ("an INR two days after the last of it", [WARFARIN, COTRIM, result("inr", "2.5", 26)], 31, "high"),
        ("begun and ended, never measured", [WARFARIN, COTRIM], 31, "high; high"),
        ("course ended", [WARFARIN, COTRIM, STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_warfarin_and_antibiotics(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(DDI, [*known(), *facts], day=day, using=policy(profile)) == answer


def test_start_and_end_are_two_facts() -> None:
    start = found(DDI, [*known(), WARFARIN, COTRIM], day=11)
    assert (start.subject, start.since) == ("cotrim:start", on(10, 10))
    assert start.title == "Co-trimoxazole started on warfarin: INR in 3 to 5 days"
    assert "raises the INR the most" in start.message
    assert start.advice is not None
    assert start.advice.next_check == on(15, 0)
    end = found(DDI, [*known(), WARFARIN, COTRIM, INR], day=31)
    assert (end.subject, end.since) == ("cotrim:stop", on(31, 0))
    assert end.title == "Co-trimoxazole ended on warfarin: INR in 3 to 5 days"
    assert end.advice is not None
    assert end.advice.next_check == on(29, 0)
    other = found(DDI, [*known(), WARFARIN, supply("levofloxacin", 10, days=7)], day=11)
    assert "the most" not in other.message
    assert ask(DDI, [*known(), WARFARIN, COTRIM], day=11).recheck_at == on(31, 0)
    measured = [*known(), WARFARIN, COTRIM, result("inr", "2.5", 12)]
    assert said(DDI, measured, day=14, using=policy(ddi_inr_from_days="2")) == "quiet"
    before = found(DDI, [*known(), supply("warfarin", -9, days=90), supply("co-trimoxazole", -3, days=90)], day=2)
    assert before.since == on(1, 10)


# --- two at once ---

LMWH = supply("enoxaparin", 1, days=28, dose="40")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("aspirin and LMWH", [ASPIRIN, LMWH], 2, "medium"),
        ("aspirin and warfarin", [ASPIRIN, supply("warfarin", 10, days=28)], 10, "medium"),
        ("clopidogrel is not aspirin", [supply("clopidogrel", 1, days=28), LMWH], 2, "quiet"),
        ("one of them alone", [ASPIRIN], 2, "quiet"),
        ("LMWH alone", [LMWH], 2, "quiet"),
        ("aspirin for pain", [supply("aspirin", 1, days=28, dose="500"), LMWH], 2, "quiet"),
        ("leftovers of 7 days", [LMWH, supply("aspirin", 22, 0, days=28)], 23, "quiet"),
        ("leftovers of 8 days", [LMWH, supply("aspirin", 21, 0, days=28)], 22, "medium"),
        ("leftovers of aspirin", [supply("aspirin", 1, days=28), supply("enoxaparin", 22, 0, days=28)], 23, "quiet"),
        ("one is used up: grace does not count", [ASPIRIN, supply("warfarin", 10, days=60)], 29, "quiet"),
        ("the day before", [ASPIRIN, supply("warfarin", 10, days=60)], 28, "medium"),
        ("the anticoagulant is used up", [supply("aspirin", 1, days=60), supply("warfarin", 10, days=10)], 20, "quiet"),
        ("ordered is not taken", [ASPIRIN, supply("warfarin", 1, way="ordered")], 2, "quiet"),
        ("a reason", [ASPIRIN, LMWH, statement("dual-antithrombotic-reason", 1, "coronary-stent")], 2, "quiet"),
        ("a reason that is over", [ASPIRIN, LMWH, statement("dual-antithrombotic-reason", 1, "other", until=on(5))], 6, "medium"),
        ("stated to be anticoagulated", [ASPIRIN, statement("therapeutic-anticoagulation", 2, "yes")], 3, "medium"),
        ("stated not to be", [ASPIRIN, statement("therapeutic-anticoagulation", 2, "no")], 3, "quiet"),
        ("stated, and leftovers", [supply("enoxaparin", 1, days=4), ASPIRIN, statement("therapeutic-anticoagulation", 2, "yes")], 3, "medium"),
        ("everything stopped", [ASPIRIN, LMWH, STOPPED], 12, "quiet"),
        ("course ended", [ASPIRIN, LMWH, STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_two_antithrombotics(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(DUP, [*known(), *facts], day=day, using=policy(profile)) == answer


def test_two_antithrombotics_since_both() -> None:
    finding = found(DUP, [*known(), ASPIRIN, supply("warfarin", 10, days=28)], day=12)
    assert (finding.since, finding.effective_at) == (on(10, 10), on(10, 10))
    assert finding.title == "Aspirin together with warfarin, no reason recorded"
    word = found(DUP, [*known(), ASPIRIN, statement("therapeutic-anticoagulation", 5, "yes")], day=6)
    assert (word.title, word.since) == ("Aspirin together with an anticoagulant, no reason recorded", on(5, 8))
    over = statement("dual-antithrombotic-reason", 1, "other", until=on(5))
    assert found(DUP, [*known(), ASPIRIN, LMWH, over], day=6).effective_at == on(5)
    few = [*known(), LMWH, supply("aspirin", 22, 0, days=28)]
    assert said(DUP, few, day=23, using=policy(dup_leftover_days="5")) == "medium"
    assert ask(DUP, few, day=23).recheck_at == on(29, 0)


# --- the kidneys ---

CLOT = diagnosis(["immobility"], -20)


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("just below the LMWH limit", [*known(creatinine="2.001"), CLOT], "info"),
        ("at the LMWH limit", [*known(creatinine="2.0"), CLOT], "quiet"),
        ("exactly 15", [*known(creatinine="4.0"), CLOT], "info"),
        ("just below 15", [*known(creatinine="4.001"), CLOT], "quiet"),
        ("tier 3", known(creatinine="2.4"), "quiet"),
        ("tier 2", [*known(creatinine="2.4"), diagnosis(["heart-failure"], -20)], "quiet"),
        ("no creatinine", [*known(creatinine=None), CLOT], "cannot: creatinine"),
        ("not on treatment", [*known(creatinine="2.4", start=False), CLOT], "quiet"),
    ],
)
def test_reduced_enoxaparin(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert said("enox-renal-dose", facts, day=5) == answer


@pytest.mark.parametrize(("profile", "dose"), [("kr-panel", "20"), ("uspi", "30"), ("eu-smpc", "20")])
def test_the_reduced_dose_is_that_of_the_profile(profile: str, dose: str) -> None:
    finding = found("enox-renal-dose", [*known(creatinine="2.4"), CLOT], day=5, using=policy(profile))
    assert finding.advice is not None
    assert finding.advice.dose_mg == dose
    assert finding.title == f"Clearance below 30 mL/min: enoxaparin {dose} mg daily is an alternative to warfarin"
    low = [*known(creatinine="4.5"), CLOT]
    assert said("enox-renal-dose", low, day=5, using=policy(profile, enox_renal_clcr_at="12")) == "info"


def test_reduced_enoxaparin_is_shown_inside_the_alert_that_proposes_warfarin() -> None:
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-2, creatinine="2.4", weight="60", height="170", ecog="1"), on(-2, 10))
    one.hear(stated(-2, "vte-risk-assessment", "tier-1"), on(-2, 11))
    one.hear(condition(-1, "immobility"), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    told = next(t for t in one.transitions if t.rule == "vte-ppx-missing")
    assert told.reason == "warfarin"
    assert any("enoxaparin 20 mg daily is an alternative" in line for line in told.context)


# --- ESA and oestrogen ---

ESA = supply("epoetin-alfa", 10, days=28)
HB = "cannot: haemoglobin"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("12.1", [ESA, result("haemoglobin", "12.1", 11)], 12, "high"),
        ("12.0", [ESA, result("haemoglobin", "12.0", 11)], 12, "quiet"),
        ("from before the agent", [result("haemoglobin", "12.1", 9), ESA], 12, "high"),
        ("fell", [ESA, result("haemoglobin", "12.1", 11), result("haemoglobin", "11.9", 12)], 12, "quiet"),
        ("ordered", [supply("epoetin-alfa", 10, way="ordered"), result("haemoglobin", "12.1", 11)], 12, "high"),
        ("a dose given acts for four weeks", [supply("epoetin-alfa", 10, way="given"), result("haemoglobin", "12.1", 11)], 37, "high"),
        ("and no longer", [supply("epoetin-alfa", 10, way="given"), result("haemoglobin", "12.1", 11)], 38, "quiet"),
        ("two doses given join", [supply("epoetin-alfa", 10, way="given"), supply("epoetin-alfa", 31, way="given"), result("haemoglobin", "12.1", 11)], 50, "high"),
        ("used up", [ESA, result("haemoglobin", "12.1", 11)], 45, "quiet"),
        ("no agent", [result("haemoglobin", "12.1", 11)], 12, "quiet"),
        ("no haemoglobin", [ESA], 12, HB),
        ("a bound that proves it", [ESA, result("haemoglobin", "12.0", 11, bound=">")], 12, "high"),
        ("a bound that proves nothing", [ESA, result("haemoglobin", "11", 11, bound=">")], 12, "cannot: a usable value of the newest haemoglobin"),
        ("a newer one cannot be used", [ESA, result("haemoglobin", "11", 11), result("haemoglobin", None, 12, doubt=ResultDoubt.UNIT_UNKNOWN)], 12, "cannot: a usable value of the newest haemoglobin"),
        ("a newer one cannot be used, high before", [ESA, result("haemoglobin", "13", 11), result("haemoglobin", None, 12, doubt=ResultDoubt.UNIT_UNKNOWN)], 12, "high"),
        ("course ended", [ESA, result("haemoglobin", "12.1", 11), STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_haemoglobin_on_an_esa(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("esa-hb12", [*known(), *facts], day=day, using=policy(profile)) == answer


def test_haemoglobin_on_an_esa_since_it_was_high() -> None:
    facts = [*known(), ESA, result("haemoglobin", "12.5", 12), result("haemoglobin", "12.7", 19)]
    finding = found("esa-hb12", facts, day=20)
    assert (finding.since, finding.effective_at) == (on(12), on(19))
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.agent) == ("stop", "epoetin-alfa")
    rose = [*known(), ESA, result("haemoglobin", "11.5", 12), result("haemoglobin", "12.7", 19)]
    assert found("esa-hb12", rose, day=20).since == on(19)
    assert said("esa-hb12", facts, day=20, using=policy(esa_hb_above="12.8")) == "quiet"
    assert ask("esa-hb12", facts, day=20).recheck_at == on(45, 0)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("an ESA", [ESA], 10, "medium"),
        ("an oestrogen", [supply("oestrogen", 10, days=90)], 11, "medium"),
        ("both", [ESA, supply("oestrogen", 10, days=90)], 11, "medium; medium"),
        ("a contraceptive is of another rule", [supply("hormonal-contraceptive", 10, days=90)], 11, "quiet"),
        ("the last of its days", [supply("oestrogen", 10, days=90)], 38, "medium"),
        ("its days are over", [supply("oestrogen", 10, days=90)], 39, "quiet"),
        ("a refill is no news", [supply("oestrogen", 2, days=28), supply("oestrogen", 30, days=28)], 31, "quiet"),
        ("another run is", [supply("oestrogen", 2, days=5), supply("oestrogen", 30, days=28)], 31, "medium"),
        ("taken before", [supply("oestrogen", -9, days=90)], 3, "quiet"),
        ("used up", [supply("oestrogen", 10, days=5)], 22, "quiet"),
        ("ordered", [supply("oestrogen", 10, way="ordered")], 11, "medium"),
        ("course ended", [ESA, STOP], 12, "quiet"),
        ("nothing", [], 12, "quiet"),
    ],
)
def test_esa_or_oestrogen(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("esa-or-estrogen", [*known(), *facts], day=day, using=policy(profile)) == answer


def test_esa_or_oestrogen_is_one_spell_with_its_refills() -> None:
    facts = [*known(), supply("oestrogen", 10, days=14), supply("oestrogen", 24, days=14)]
    finding = found("esa-or-estrogen", facts, day=25)
    assert (finding.subject, finding.since) == ("oestrogen", on(10, 10))
    assert finding.evidence[0].fact.at == on(10, 10)
    assert said("esa-or-estrogen", facts, day=25, using=policy(esa_estrogen_shown_days="7")) == "quiet"
    assert said("esa-or-estrogen", [*known(start=False), ESA], day=12) == "quiet"
    given = [*known(), supply("epoetin-alfa", 10, way="given"), supply("epoetin-alfa", 17, way="given")]
    assert found("esa-or-estrogen", given, day=18).evidence[0].fact.at == on(10, 10)


# --- what is quiet ---


def test_by_the_book_nobody_is_disturbed() -> None:
    """A year in tier 2 on aspirin with a monthly CBC: none of these rules says anything above info."""
    facts = [*known(), diagnosis(["heart-failure"], -300), statement("vte-risk-assessment", -2, "tier-2")]
    for number in range(13):
        facts += [supply("aspirin", 1 + 28 * number, days=28, dose="100"), *cbc(1 + 28 * number)]
        facts += [lenalidomide(1 + 28 * number)] if number else []
    for rule in (SYMPTOM, BLEED, DDI, DUP, "esa-hb12", "esa-or-estrogen", "enox-renal-dose", "vte-event-hold", "ate-event",
                 "vte-event-untreated", "vte-massive-lysis", "vte-ivcf-check", "vte-duration-review"):  # fmt: skip
        assert [said(rule, facts, day=day) for day in (5, 60, 200, 350)] == ["quiet"] * 4, rule
