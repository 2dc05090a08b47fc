"""A clot or an arterial event on treatment: the hold, its treatment, and the plans of Table 4."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec import structs

from rules.answers import CannotAssess, Found, Nothing
from rules.picture import AnyKept, Diagnosis
from rules.policy.reading import Policy
from rules.thrombosis.precedence import event_in_charge
from schemas.events import FactStatus, ResultDoubt
from tests.rules.bedside import (
    PROFILES,
    allergy,
    diagnosis,
    lenalidomide,
    on,
    policy,
    result,
    statement,
    supply,
    view,
)
from tests.rules.thrombosis.clinic import ask, done, found, known, said

HOLD, ATE, UNTREATED = "vte-event-hold", "ate-event", "vte-event-untreated"
PE = diagnosis(["pe", "vte"], 10, fact_id="pe")
DVT = diagnosis(["dvt", "vte"], 10, fact_id="dvt")
CALF = diagnosis(["calf-vein-thrombosis", "dvt", "vte"], 10, fact_id="calf")
LINE = diagnosis(["catheter-related-thrombosis", "vte"], 10, fact_id="line")
ILIAC = diagnosis(["iliofemoral-thrombosis", "dvt", "vte"], 10, fact_id="iliac")
SVT = diagnosis(["superficial-thrombophlebitis"], 10, fact_id="svt")
STROKE = diagnosis(["stroke", "arterial-thromboembolism"], 10, fact_id="stroke")
FULL = supply("enoxaparin", 10, days=120, dose="60")
LOW = supply("enoxaparin", 10, days=120, dose="40")
STOP = statement("lenalidomide-stopped", 11, "toxicity")
STILL_TAKEN = [lenalidomide(1 + 28 * number) for number in range(1, 6)]
"""Cycles 2 to 6."""


def preliminary(event: Diagnosis) -> Diagnosis:
    return structs.replace(event, status=FactStatus.PRELIMINARY)


def restart(day: float) -> AnyKept:
    return statement("lenalidomide-restart", day)


# --- the hold ---


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a clot in the lung", [PE], 10, "critical"),
        ("a deep clot", [DVT], 10, "critical"),
        ("a calf vein counts", [CALF], 10, "critical"),
        ("a clot at a catheter counts", [LINE], 10, "critical"),
        ("a superficial one does not", [SVT], 12, "quiet"),
        ("a stroke is of the other rule", [STROKE], 12, "quiet"),
        ("before the first dose", [diagnosis(["pe", "vte"], -3)], 12, "quiet"),
        ("a mere history", [diagnosis(["pe", "vte"], 10, history=True)], 12, "quiet"),
        ("nobody confirmed it", [preliminary(PE)], 12, "critical provisional"),
        ("confirmed the next day", [preliminary(PE), diagnosis(["pe", "vte"], 11)], 12, "critical"),
        ("over: still held", [diagnosis(["pe", "vte"], 10, abated=on(20))], 22, "critical"),
        ("anticoagulated, no restart", [PE, FULL], 20, "critical"),
        ("restart with an anticoagulant", [PE, FULL, restart(20)], 21, "quiet"),
        ("restart with a prophylactic dose", [PE, LOW, restart(20)], 21, "quiet"),
        ("restart, none taken", [PE, restart(20)], 21, "critical"),
        ("restart, only ordered", [PE, supply("enoxaparin", 10, way="ordered"), restart(20)], 21, "critical"),
        ("restart, aspirin is none", [PE, supply("aspirin", 10, days=90), restart(20)], 21, "critical"),
        ("restart, its supply over before", [PE, supply("enoxaparin", 10, days=2), restart(19)], 21, "critical"),
        ("restart in the last day of grace", [PE, supply("enoxaparin", 10, days=2), restart(18)], 21, "quiet"),
        ("restart, anticoagulant later", [PE, restart(20), supply("apixaban", 22, days=30)], 22, "quiet"),
        ("restart, stated to be anticoagulated", [PE, statement("therapeutic-anticoagulation", 12, "yes"), restart(20)], 21, "quiet"),
        ("restart, stated before and over", [PE, statement("therapeutic-anticoagulation", 12, "yes", until=on(19)), restart(20)], 21, "critical"),
        ("restart, stated not to be", [PE, statement("therapeutic-anticoagulation", 12, "no"), restart(20)], 21, "critical"),
        ("restart before it", [restart(9), PE, FULL], 21, "critical"),
        ("restart, everything stopped before", [PE, FULL, statement("antithrombotics-stopped", 15), restart(20)], 21, "critical"),
        ("a clot after the restart", [PE, FULL, restart(20), diagnosis(["dvt", "vte"], 40)], 41, "critical"),
        ("anticoagulant over after the restart", [PE, supply("enoxaparin", 10, days=28), restart(20)], 80, "quiet"),
        ("two codes of one event are one alert", [PE, diagnosis(["dvt", "vte"], 16)], 20, "critical"),
        ("a week later it is another", [PE, diagnosis(["dvt", "vte"], 17)], 20, "critical; critical"),
        ("course ended", [PE, STOP], 12, "quiet"),
        ("nothing", [], 12, "quiet"),
    ],
)  # fmt: skip
def test_hold_for_a_clot(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(HOLD, [*known(), *facts], day=day, using=policy(profile)) == answer


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a stroke", [STROKE], 10, "critical"),
        ("an infarction", [diagnosis(["myocardial-infarction", "arterial-thromboembolism"], 10)], 10, "critical"),
        ("before the first dose", [diagnosis(["stroke", "arterial-thromboembolism"], -3)], 12, "quiet"),
        ("a clot in a vein is of the other rule", [PE], 12, "quiet"),
        ("restart needs no anticoagulant", [STROKE, restart(20)], 21, "quiet"),
        ("an unconfirmed one", [preliminary(STROKE)], 12, "critical provisional"),
        ("course ended", [STROKE, STOP], 12, "quiet"),
    ],
)
def test_hold_for_an_arterial_event(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(ATE, [*known(), *facts], day=day, using=policy(profile)) == answer


def stops(facts: list[AnyKept], day: float) -> list[tuple[str, str]]:
    return [(stop.rule, stop.subject) for stop in view([*known(), *facts], day=day).stops]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "held"),
    [
        ("a clot holds lenalidomide", [PE], 12, [(HOLD, "pe")]),
        ("a stroke does", [STROKE], 12, [(ATE, "stroke")]),
        ("an unconfirmed clot holds nothing", [preliminary(PE)], 12, []),
        ("confirmed it does", [preliminary(PE), diagnosis(["pe", "vte"], 11)], 12, [(HOLD, "pe")]),
        ("released", [PE, FULL, restart(20)], 21, []),
        ("released when the anticoagulant comes", [PE, restart(20), supply("warfarin", 25, days=28)], 26, []),
        ("released when it is stated", [PE, restart(20), statement("therapeutic-anticoagulation", 25, "yes")], 26, []),
        ("a stop of everything before the restart keeps it", [PE, FULL, statement("antithrombotics-stopped", 15), restart(20)], 26, [(HOLD, "pe")]),
        ("released arterial", [STROKE, restart(20)], 21, []),
        ("a result concerns none of them", [PE, result("inr", "2.5", 12)], 13, [(HOLD, "pe")]),
    ],
)  # fmt: skip
def test_the_hold_is_in_the_ledger(shows: str, facts: list[AnyKept], day: float, held: list[tuple[str, str]]) -> None:
    assert stops(facts, day) == held


def test_a_dispense_during_the_hold_is_told() -> None:
    facts = [*known(), PE, lenalidomide(29)]
    assert said("hold-dispense", facts, day=29) == "critical"
    assert said("hold-dispense", [*known(), PE, FULL, restart(20), lenalidomide(29)], day=29) == "quiet"


def test_the_hold_says_what_was_found_and_what_is_missing() -> None:
    finding = found(HOLD, [*known(), PE, restart(20)], day=21)
    assert (finding.subject, finding.since, finding.effective_at) == ("pe", on(10), on(10))
    assert finding.title == "Hold lenalidomide: pulmonary embolism on treatment"
    assert finding.context == ("A restart is recorded, and no anticoagulant is taken.",)
    assert found(HOLD, [*known(), PE], day=21).context == ()
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.agent) == ("hold", "lenalidomide")
    assert "confirm it today" in found(HOLD, [*known(), preliminary(PE)], day=12).message
    assert "confirm it today" not in finding.message


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (PE, "pulmonary embolism"), (ILIAC, "iliofemoral thrombosis"), (LINE, "thrombosis at a catheter"),
        (CALF, "calf vein thrombosis"), (DVT, "deep vein thrombosis"), (diagnosis(["vte"], 10), "venous thromboembolism"),
        (diagnosis(["portal-vein-thrombosis", "vte"], 10), "portal vein thrombosis"),
    ],
)  # fmt: skip
def test_the_event_has_the_name_of_its_most_telling_code(event: Diagnosis, name: str) -> None:
    assert found(HOLD, [*known(), event], day=11).title == f"Hold lenalidomide: {name} on treatment"


def test_an_arterial_event_of_unknown_kind_has_a_name_too() -> None:
    event = diagnosis(["arterial-thromboembolism"], 10)
    assert "arterial thromboembolism" in found(ATE, [*known(), event], day=11).title


# --- treatment ---


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a clot, nothing taken", [PE], 10, "critical"),
        ("a dose that treats", [PE, FULL], 12, "quiet"),
        ("exactly the prophylactic dose does not", [PE, LOW], 12, "critical"),
        ("a little more does", [PE, supply("enoxaparin", 10, days=28, dose="40.1")], 12, "quiet"),
        ("a prophylactic dose from before", [supply("enoxaparin", 2, days=28, dose="40"), PE], 12, "critical"),
        ("a treating dose from before", [supply("enoxaparin", 2, days=28, dose="80"), PE], 12, "quiet"),
        ("apixaban 2.5 mg", [PE, supply("apixaban", 10, days=28, dose="2.5")], 12, "critical"),
        ("apixaban 5 mg", [PE, supply("apixaban", 10, days=28, dose="5")], 12, "quiet"),
        ("rivaroxaban 10 mg", [PE, supply("rivaroxaban", 10, days=28, dose="10")], 12, "critical"),
        ("rivaroxaban 15 mg", [PE, supply("rivaroxaban", 10, days=28, strength="15")], 12, "quiet"),
        ("fondaparinux 2.5 mg", [PE, supply("fondaparinux", 10, days=28, dose="2.5")], 12, "critical"),
        ("fondaparinux 7.5 mg", [PE, supply("fondaparinux", 10, days=28, dose="7.5")], 12, "quiet"),
        ("warfarin from before", [supply("warfarin", 2, days=28), PE], 12, "quiet"),
        ("dabigatran from before", [supply("dabigatran", 2, days=28), PE], 12, "quiet"),
        ("coded as treatment, whatever the dose", [PE, supply("enoxaparin", 10, days=28, dose="40", purpose="treatment")], 12, "quiet"),
        ("coded as prophylaxis, whatever the dose", [PE, supply("enoxaparin", 10, days=28, dose="80", purpose="prophylaxis")], 12, "critical"),
        ("an unknown dose since the event", [PE, supply("dalteparin", 10, 8, days=28)], 12, "quiet"),
        ("an unknown dose from the day before", [supply("dalteparin", 9, days=28), PE], 12, "critical"),
        ("an unknown dose of a known agent from before", [supply("apixaban", 9, days=28), PE], 12, "critical"),
        ("only ordered", [PE, supply("warfarin", 10, way="ordered")], 12, "critical"),
        ("given on the ward yesterday", [PE, supply("heparin", 11, way="given")], 12, "quiet"),
        ("aspirin is none", [PE, supply("aspirin", 10, days=28)], 12, "critical"),
        ("stated", [PE, statement("therapeutic-anticoagulation", 11, "yes")], 12, "quiet"),
        ("stated before and over", [statement("therapeutic-anticoagulation", 2, "yes", until=on(10)), PE], 12, "critical"),
        ("stated and over since", [PE, statement("therapeutic-anticoagulation", 11, "yes", until=on(12, 9))], 12, "critical"),
        ("stated not to be, after an unknown dose", [PE, supply("dalteparin", 10, days=28), statement("therapeutic-anticoagulation", 11, "no")], 12, "critical"),
        ("a treating dose after that", [PE, statement("therapeutic-anticoagulation", 11, "no"), supply("enoxaparin", 12, 8, days=28, dose="80")], 12, "quiet"),
        ("everything stopped", [PE, FULL, statement("antithrombotics-stopped", 12)], 13, "critical"),
        ("used up, the last day of grace", [PE, supply("warfarin", 10, days=7)], 23, "quiet"),
        ("used up", [PE, supply("warfarin", 10, days=7)], 24, "critical"),
        ("contraindicated", [PE, statement("anticoagulation-contraindicated", 11, "yes")], 12, "quiet"),
        ("no longer", [PE, statement("anticoagulation-contraindicated", 11, "yes", until=on(14))], 15, "critical"),
        ("over", [diagnosis(["pe", "vte"], 10, abated=on(20))], 20, "quiet"),
        ("not yet over", [diagnosis(["pe", "vte"], 10, abated=on(20))], 19, "critical"),
        ("inactive", [diagnosis(["pe", "vte"], 10, active=False)], 12, "quiet"),
        ("never treated: for ever", [PE, *STILL_TAKEN], 168, "critical"),
        ("treated once: its three months are not over", [PE, supply("warfarin", 10, days=30), *STILL_TAKEN], 102, "critical"),
        ("treated once: they are", [PE, supply("warfarin", 10, days=30), *STILL_TAKEN], 103, "quiet"),
        ("calf without severe symptoms", [CALF], 12, "quiet"),
        ("calf, mild symptoms", [CALF, statement("thrombosis-symptoms", 11, "mild")], 12, "quiet"),
        ("calf, severe symptoms", [CALF, statement("thrombosis-symptoms", 11, "severe")], 12, "critical"),
        ("calf, severe symptoms of another time", [statement("thrombosis-symptoms", 9, "severe"), CALF], 12, "quiet"),
        ("calf of grade 3", [diagnosis(["calf-vein-thrombosis", "dvt", "vte"], 10, grade=3)], 12, "critical"),
        ("calf of grade 2", [diagnosis(["calf-vein-thrombosis", "dvt", "vte"], 10, grade=2)], 12, "quiet"),
        ("calf, then more", [CALF, diagnosis(["dvt", "vte"], 12)], 12, "critical"),
        ("calf and lung in one code", [diagnosis(["calf-vein-thrombosis", "dvt", "vte", "pe"], 10)], 12, "critical"),
        ("at a catheter", [LINE], 12, "quiet"),
        ("at a catheter as stated", [DVT, statement("thrombosis-catheter-related", 11, "yes")], 12, "quiet"),
        ("stated of another time", [statement("thrombosis-catheter-related", 9, "yes"), DVT], 12, "critical"),
        ("not at a catheter after all", [LINE, statement("thrombosis-catheter-related", 11, "no")], 12, "critical"),
        ("at a catheter, and in the lung", [LINE, diagnosis(["pe", "vte"], 11)], 12, "critical"),
        ("iliofemoral, stated to be at a catheter", [ILIAC, statement("thrombosis-catheter-related", 11, "yes")], 12, "critical"),
        ("unconfirmed", [preliminary(PE)], 12, "critical provisional"),
        ("two events", [PE, diagnosis(["dvt", "vte"], 20)], 21, "critical; critical"),
        ("course ended", [PE, STOP], 12, "quiet"),
        ("before the first dose", [diagnosis(["pe", "vte"], -3)], 12, "quiet"),
    ],
)  # fmt: skip
def test_untreated(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said(UNTREATED, [*known(), *facts], day=day, using=policy(profile)) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "since", "effective"),
    [
        ("from the event", [PE], 12, on(10), on(10)),
        ("from the end of treatment", [PE, supply("warfarin", 10, days=7)], 30, on(24, 0), on(24, 0)),
        ("from the denial", [PE, statement("therapeutic-anticoagulation", 11, "no")], 12, on(11, 8), on(11, 8)),
        ("from severe symptoms", [CALF, statement("thrombosis-symptoms", 11, "severe"), statement("thrombosis-symptoms", 12, "severe")], 13, on(11, 8), on(11, 8)),
        ("from the code that says more", [CALF, diagnosis(["dvt", "vte"], 12)], 13, on(12), on(12)),
        ("from the word that it is at no catheter", [LINE, statement("thrombosis-catheter-related", 11, "no")], 12, on(11, 8), on(11, 8)),
        ("decided by the end of the contraindication", [PE, statement("anticoagulation-contraindicated", 11, "yes", until=on(14))], 15, on(10), on(14)),
    ],
)  # fmt: skip
def test_untreated_since(shows: str, facts: list[AnyKept], day: float, since: datetime, effective: datetime) -> None:
    finding = found(UNTREATED, [*known(), *facts], day=day)
    assert (finding.since, finding.effective_at) == (since, effective)


def test_what_is_taken_and_does_not_treat_is_shown() -> None:
    finding = found(UNTREATED, [*known(), PE, LOW], day=12)
    assert "Enoxaparin is taken at a dose not known to treat it." in finding.message
    assert [shown.what for shown in finding.evidence] == ["pulmonary embolism", "at a dose not known to treat"]
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.agent) == ("start", "anticoagulant")
    after = found(UNTREATED, [*known(), PE, supply("warfarin", 10, days=7)], day=30)
    assert [shown.what for shown in after.evidence] == ["pulmonary embolism", "last treatment"]


@pytest.mark.parametrize(
    ("key", "value", "facts", "day", "answer"),
    [
        ("enoxaparin_mg", "60", [PE, FULL], 12, "critical"),
        ("apixaban_prophylaxis_mg", "5", [PE, supply("apixaban", 10, days=28, dose="5")], 12, "critical"),
        ("rivaroxaban_prophylaxis_mg", "15", [PE, supply("rivaroxaban", 10, days=28, dose="15")], 12, "critical"),
        ("fondaparinux_prophylaxis_mg", "5", [PE, supply("fondaparinux", 10, days=28, dose="5")], 12, "critical"),
        ("vte_treatment_months", "4", [PE, supply("warfarin", 10, days=30), *STILL_TAKEN], 103, "critical"),
        ("vte_severe_grade_at", "4", [diagnosis(["calf-vein-thrombosis", "dvt", "vte"], 10, grade=3)], 12, "quiet"),
        ("vte_same_event_days", "14", [PE, diagnosis(["dvt", "vte"], 20)], 21, "critical"),
    ],
)
def test_each_number_of_treatment_is_policy(
    key: str, value: str, facts: list[AnyKept], day: float, answer: str
) -> None:
    assert said(UNTREATED, [*known(), *facts], day=day, using=policy(**{key: value})) == answer


# --- the calf ---

STUDY = done("vte-imaging", 24)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("day 14 is not over", [CALF], 24, "quiet"),
        ("it is", [CALF], 25, "medium"),
        ("studied again", [CALF, STUDY], 25, "quiet"),
        ("a study of day 7", [CALF, done("vte-imaging", 17)], 25, "quiet"),
        ("a study of day 6 is the first one", [CALF, done("vte-imaging", 16)], 25, "medium"),
        ("only planned", [CALF, done("vte-imaging", 24, status=FactStatus.PLANNED)], 25, "medium"),
        ("anticoagulated since", [CALF, LOW], 25, "quiet"),
        ("anticoagulated and over since", [CALF, supply("enoxaparin", 10, days=2)], 25, "quiet"),
        ("anticoagulated before", [supply("enoxaparin", 2, 8, days=1, way="given"), CALF], 25, "medium"),
        ("ordered", [CALF, supply("enoxaparin", 12, way="ordered")], 25, "medium"),
        ("stated to be anticoagulated", [CALF, statement("therapeutic-anticoagulation", 12, "yes")], 25, "quiet"),
        (
            "stated and over before",
            [statement("therapeutic-anticoagulation", 2, "yes", until=on(10)), CALF],
            25,
            "medium",
        ),
        ("stated not to be", [CALF, statement("therapeutic-anticoagulation", 12, "no")], 25, "medium"),
        ("severe symptoms", [CALF, statement("thrombosis-symptoms", 12, "severe")], 25, "quiet"),
        ("more than a calf", [CALF, diagnosis(["dvt", "vte"], 11)], 25, "quiet"),
        ("over", [diagnosis(["calf-vein-thrombosis", "dvt", "vte"], 10, abated=on(20))], 25, "quiet"),
        ("unconfirmed", [preliminary(CALF)], 25, "medium provisional"),
        ("not a calf", [DVT], 25, "quiet"),
        ("course ended", [CALF, STOP], 25, "quiet"),
    ],
)
def test_calf(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-calf-recheck", [*known(), *facts], day=day) == answer


def test_calf_is_due_by_the_calendar_and_policy() -> None:
    assert ask("vte-calf-recheck", [*known(), CALF], day=12).recheck_at == on(25, 0)
    finding = found("vte-calf-recheck", [*known(), CALF, statement("therapeutic-anticoagulation", 27, "no")], day=30)
    assert (finding.since, finding.effective_at) == (on(25, 0), on(27, 8))
    assert said("vte-calf-recheck", [*known(), CALF], day=25, using=policy(vte_calf_recheck_days="21")) == "quiet"
    early = [*known(), CALF, done("vte-imaging", 16)]
    assert said("vte-calf-recheck", early, day=25, using=policy(vte_calf_repeat_from_days="6")) == "quiet"


# --- at a catheter ---


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("coded", [LINE], 12, "medium"),
        ("stated", [DVT, statement("thrombosis-catheter-related", 11, "yes")], 12, "medium"),
        ("stated not to be", [LINE, statement("thrombosis-catheter-related", 11, "no")], 12, "quiet"),
        ("any dose is enough", [LINE, LOW], 12, "quiet"),
        ("stated to be anticoagulated", [LINE, statement("therapeutic-anticoagulation", 11, "yes")], 12, "quiet"),
        ("used up", [LINE, supply("warfarin", 10, days=7)], 24, "medium"),
        ("the last day of three months", [LINE, *STILL_TAKEN], 102, "medium"),
        ("three months are over", [LINE, *STILL_TAKEN], 103, "quiet"),
        ("with a clot in the lung", [LINE, diagnosis(["pe", "vte"], 11)], 12, "quiet"),
        ("a calf is none, whatever was stated", [CALF, statement("thrombosis-catheter-related", 11, "yes")], 12, "quiet"),
        ("over", [diagnosis(["catheter-related-thrombosis", "vte"], 10, abated=on(11))], 12, "quiet"),
        ("unconfirmed", [preliminary(LINE)], 12, "medium provisional"),
        ("another clot", [DVT], 12, "quiet"),
        ("course ended", [LINE, STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_catheter(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-cvc-plan", [*known(), *facts], day=day) == answer


@pytest.mark.parametrize(
    ("state", "how"),
    [(None, "Leave"), ("working", "Leave"), ("removed", "Leave"), ("infected", "Take"), ("not-working", "Take")],
)
def test_a_catheter_goes_only_for_a_reason(state: str | None, how: str) -> None:
    said_of = [statement("catheter-state", 11, state)] if state else []
    finding = found("vte-cvc-plan", [*known(), LINE, *said_of], day=12)
    assert f"{how} the catheter" in finding.message
    assert len(finding.evidence) == 1 + len(said_of)


# --- a superficial vein ---

AT_LINE = statement("thrombosis-catheter-related", 11, "yes")
NEAR = statement("thrombosis-near-deep-veins", 11, "yes")
WHERE = "cannot: whether the superficial thrombosis lies at a catheter or near the deep veins"


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("at a catheter", [SVT, AT_LINE], 12, "medium"),
        ("near the deep veins", [SVT, NEAR], 12, "medium"),
        ("both", [SVT, AT_LINE, NEAR], 12, "medium"),
        ("neither", [SVT, statement("thrombosis-near-deep-veins", 11, "no")], 12, "quiet"),
        ("nobody said", [SVT], 12, WHERE),
        ("not at a catheter, the rest unknown", [SVT, statement("thrombosis-catheter-related", 11, "no")], 12, WHERE),
        ("said of another one", [statement("thrombosis-near-deep-veins", 9, "yes"), SVT], 12, WHERE),
        ("catheter removed", [SVT, AT_LINE, statement("catheter-state", 12, "removed")], 12, "quiet"),
        ("catheter infected", [SVT, AT_LINE, statement("catheter-state", 12, "infected")], 12, "medium"),
        ("catheter removed before", [statement("catheter-state", 9, "removed"), SVT, AT_LINE], 12, "medium"),
        ("removed, but near the deep veins is no matter of it", [SVT, NEAR, statement("catheter-state", 12, "removed")], 12, "medium"),
        ("anticoagulated", [SVT, NEAR, LOW], 12, "quiet"),
        ("nobody said, anticoagulated", [SVT, LOW], 12, "quiet"),
        ("the last of its days", [SVT, NEAR, *STILL_TAKEN], 51, "medium"),
        ("its days are over", [SVT, NEAR, *STILL_TAKEN], 52, "quiet"),
        ("nobody said, its days are over", [SVT, *STILL_TAKEN], 52, "quiet"),
        ("over", [diagnosis(["superficial-thrombophlebitis"], 10, abated=on(12)), NEAR], 12, "quiet"),
        ("unconfirmed", [preliminary(SVT), NEAR], 12, "medium provisional"),
        ("before the first dose", [diagnosis(["superficial-thrombophlebitis"], -3), NEAR], 12, "quiet"),
        ("course ended", [SVT, NEAR, STOP], 12, "quiet"),
    ],
)  # fmt: skip
def test_superficial(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-svt-plan", [*known(), *facts], day=day) == answer


def test_what_a_superficial_clot_asks_for() -> None:
    line, near = (found("vte-svt-plan", [*known(), SVT, where], day=12) for where in (AT_LINE, NEAR))
    assert line.advice is not None
    assert near.advice is not None
    assert (line.advice.action, near.advice.action) == ("refer", "start")
    assert "Take the catheter out." in line.message
    assert "Anticoagulate for 42 days." in near.message
    assert [shown.what for shown in near.evidence] == ["superficial vein thrombosis", "what was said of it"]
    assert (near.since, near.effective_at) == (on(10), on(11, 8))
    assert (
        said("vte-svt-plan", [*known(), SVT, NEAR, *STILL_TAKEN], day=52, using=policy(vte_svt_days="45")) == "medium"
    )


# --- lysis ---

SHOCK = result("systolic-bp", "89", 10, 10)
BP = "cannot: systolic blood pressure since the pulmonary embolism"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("iliofemoral", [ILIAC], 11, "critical"),
        ("lung, 89 mmHg", [PE, SHOCK], 11, "critical"),
        ("lung, 90 mmHg", [PE, result("systolic-bp", "90", 10, 10)], 11, "quiet"),
        ("pressure recovered", [PE, SHOCK, result("systolic-bp", "110", 11)], 11, "quiet"),
        ("pressure of that morning", [result("systolic-bp", "85", 10, 1), PE], 11, "critical"),
        ("pressure of the day before", [result("systolic-bp", "85", 9), PE], 11, BP),
        ("no pressure", [PE], 11, BP),
        ("a pressure that proves nothing", [PE, result("systolic-bp", "95", 10, 10, bound="<")], 11, BP),
        ("iliofemoral needs no pressure", [ILIAC, result("systolic-bp", "130", 10, 10)], 11, "critical"),
        ("another deep clot", [DVT, SHOCK], 11, "quiet"),
        ("lysis done", [PE, SHOCK, done("thrombolysis", 10, 12)], 11, "quiet"),
        ("lysis planned", [PE, SHOCK, done("thrombolysis", 10, 12, FactStatus.PLANNED)], 11, "critical"),
        ("lysis given", [PE, SHOCK, supply("thrombolytic", 10, 12, way="given")], 11, "quiet"),
        ("lysis ordered", [PE, SHOCK, supply("thrombolytic", 10, 12, way="ordered")], 11, "critical"),
        ("lysis of the day before", [done("thrombolysis", 9), ILIAC], 11, "critical"),
        ("the last of its days", [ILIAC], 24, "critical"),
        ("its days are over", [ILIAC], 25, "quiet"),
        ("no pressure, its days are over", [PE], 25, "quiet"),
        ("over", [diagnosis(["iliofemoral-thrombosis", "vte"], 10, abated=on(11))], 11, "quiet"),
        ("unconfirmed", [preliminary(ILIAC)], 11, "critical provisional"),
        ("platelets exactly at the limit", [result("platelets", "100000", 10), ILIAC], 11, "critical"),
        ("one fewer", [result("platelets", "99999", 10), ILIAC], 11, "quiet"),
        ("a bound that proves nothing", [result("platelets", "120000", 10, bound="<"), ILIAC], 11, "cannot: a usable value of the newest platelet count"),
        ("a bound that proves enough", [result("platelets", "100000", 10, bound=">="), ILIAC], 11, "critical"),
        ("a bound below the limit", [result("platelets", "50000", 10, bound=">"), ILIAC], 11, "cannot: a usable value of the newest platelet count"),
        ("a newer count cannot be used", [ILIAC, result("platelets", None, 10, doubt=ResultDoubt.UNIT_UNKNOWN)], 11, "cannot: a usable value of the newest platelet count"),
        ("clumped platelets", [ILIAC, result("platelets", "150000", 10, doubt=ResultDoubt.CLUMPED)], 11, "critical provisional"),
        ("a bleed inside the skull, ever", [diagnosis(["intracranial-bleeding", "bleeding"], -300, active=False), ILIAC], 11, "quiet"),
        ("an unexplained stroke, ever", [diagnosis(["stroke-unexplained", "stroke"], -300, history=True), ILIAC], 11, "quiet"),
        ("a tumour inside the skull", [diagnosis(["intracranial-tumour"], -300), ILIAC], 11, "quiet"),
        ("a tendency to bleed", [diagnosis(["bleeding-diathesis"], -300), ILIAC], 11, "quiet"),
        ("a stroke of 3 months ago", [diagnosis(["stroke"], -82), ILIAC], 11, "quiet"),
        ("a stroke of longer ago", [diagnosis(["stroke"], -83), ILIAC], 11, "critical"),
        ("a history of stroke, undated", [diagnosis(["stroke"], -3, history=True), ILIAC], 11, "critical"),
        ("trauma of 21 days ago", [diagnosis(["major-trauma"], -11), ILIAC], 11, "quiet"),
        ("trauma of 22 days ago", [diagnosis(["major-trauma"], -12), ILIAC], 11, "critical"),
        ("surgery of 21 days ago", [done("surgery", -11), ILIAC], 11, "quiet"),
        ("surgery of 22 days ago", [done("surgery", -12), ILIAC], 11, "critical"),
        ("surgery planned", [done("surgery", 9, status=FactStatus.PLANNED), ILIAC], 11, "critical"),
        ("another procedure", [done("vte-imaging", 9), ILIAC], 11, "critical"),
        ("bleeding", [diagnosis(["bleeding"], 5), ILIAC], 11, "quiet"),
        ("bleeding over", [diagnosis(["bleeding"], 5, abated=on(10)), ILIAC], 11, "critical"),
        ("bleeding no longer active", [diagnosis(["bleeding"], 5, active=False), ILIAC], 11, "critical"),
        ("bleeding 15 days ago without an end", [diagnosis(["bleeding"], -5), ILIAC], 11, "critical"),
        ("bleeding 14 days ago without an end", [diagnosis(["bleeding"], -4), ILIAC], 11, "quiet"),
        ("no pressure, but a risk anyway", [PE, diagnosis(["bleeding"], 9)], 11, "quiet"),
        ("course ended", [ILIAC, STOP], 11, "quiet"),
    ],
)  # fmt: skip
def test_lysis(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    # Day 11 has no lab of its own: noon of day 11 lies behind every fact above.
    assert said("vte-massive-lysis", [*known(), *facts], day=day, using=policy(profile)) == answer


def test_lysis_without_any_platelets() -> None:
    assert said("vte-massive-lysis", [*known(platelets=None), ILIAC], day=11) == "cannot: platelets"


def test_lysis_says_what_to_exclude() -> None:
    finding = found("vte-massive-lysis", [*known(), PE, SHOCK], day=11)
    assert finding.title == "Pulmonary embolism with a systolic pressure of 89 mmHg: is lysis an option?"
    assert (finding.since, finding.effective_at) == (on(10, 10), on(10, 10))
    assert [shown.what for shown in finding.evidence] == [
        "pulmonary embolism", "systolic blood pressure", "newest platelets"]  # fmt: skip
    wide = found("vte-massive-lysis", [*known(), ILIAC, result("platelets", "150000", 11)], day=11)
    assert wide.title == "Iliofemoral thrombosis: is lysis an option?"
    assert wide.effective_at == on(11)
    assert wide.advice is not None
    assert (wide.advice.action, wide.advice.agent) == ("refer", None)


@pytest.mark.parametrize(
    ("key", "value", "facts", "answer"),
    [
        ("vte_lysis_systolic_below", "95", [PE, result("systolic-bp", "94", 10, 10)], "critical"),
        ("vte_lysis_shown_days", "1", [diagnosis(["iliofemoral-thrombosis", "vte"], 9)], "quiet"),
        ("lysis_platelets", "120000", [result("platelets", "110000", 10), ILIAC], "quiet"),
        ("lysis_stroke_months", "1", [diagnosis(["stroke"], -22), ILIAC], "critical"),
        ("lysis_trauma_days", "14", [done("surgery", -10), ILIAC], "critical"),
        ("bleed_recent_days", "30", [diagnosis(["bleeding"], -5), ILIAC], "quiet"),
    ],
)
def test_each_number_of_lysis_is_policy(key: str, value: str, facts: list[AnyKept], answer: str) -> None:
    assert said("vte-massive-lysis", [*known(), *facts], day=11, using=policy(**{key: value})) == answer


# --- a filter ---

FILTER = done("vena-cava-filter", 10)
UNITS = [done("red-cell-transfusion", 10, hour) for hour in (10.0, 11.0, 12.0)]
BLEEDS = diagnosis(["bleeding"], 9)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("placed", [FILTER], 11, "medium"),
        ("planned", [done("vena-cava-filter", 10, status=FactStatus.PLANNED)], 11, "medium"),
        ("before the first dose", [done("vena-cava-filter", -3)], 11, "quiet"),
        ("another procedure", [done("surgery", 10)], 11, "quiet"),
        ("taken out", [FILTER, done("vena-cava-filter-removed", 11)], 11, "quiet"),
        ("another one taken out before", [done("vena-cava-filter-removed", 9), FILTER], 11, "medium"),
        ("contraindication stated", [FILTER, statement("anticoagulation-contraindicated", 11, "yes")], 11, "quiet"),
        ("stated and over", [FILTER, statement("anticoagulation-contraindicated", 11, "yes", until=on(12))], 12, "medium"),
        ("a bleed inside the skull 90 days ago", [diagnosis(["intracranial-bleeding"], -80, active=False), FILTER], 11, "quiet"),
        ("91 days ago", [diagnosis(["intracranial-bleeding"], -81, active=False), FILTER], 11, "medium"),
        ("a history of it, undated", [diagnosis(["intracranial-bleeding"], -3, history=True), FILTER], 11, "medium"),
        ("a tumour inside the skull", [diagnosis(["intracranial-tumour"], -300), FILTER], 11, "quiet"),
        ("a lesion of the spine", [diagnosis(["intraspinal-lesion"], -300), FILTER], 11, "quiet"),
        ("a lesion that is over", [diagnosis(["intraspinal-lesion"], -300, abated=on(11)), FILTER], 11, "medium"),
        ("bleeding alone", [BLEEDS, FILTER], 11, "medium"),
        ("bleeding with three units", [BLEEDS, FILTER, *UNITS], 11, "quiet"),
        ("bleeding with two units", [BLEEDS, FILTER, *UNITS[:2]], 11, "medium"),
        ("three units, one of them planned", [BLEEDS, FILTER, *UNITS[:2], done("red-cell-transfusion", 10, 12, FactStatus.PLANNED)], 11, "medium"),
        ("three units within exactly 24 hours", [BLEEDS, FILTER, *UNITS[:2], done("red-cell-transfusion", 11, 10)], 11, "quiet"),
        ("three units over more than 24 hours", [BLEEDS, FILTER, *UNITS[:2], done("red-cell-transfusion", 11, 10.1)], 11, "medium"),
        ("three units before the bleeding", [done("red-cell-transfusion", 8), done("red-cell-transfusion", 8, 10), done("red-cell-transfusion", 9, 8), BLEEDS, FILTER], 11, "medium"),
        ("three units, bleeding over", [diagnosis(["bleeding"], 9, abated=on(11)), FILTER, *UNITS], 11, "medium"),
        ("three units, no bleeding coded", [FILTER, *UNITS], 11, "medium"),
        ("two filters", [FILTER, done("vena-cava-filter", 11)], 11, "medium; medium"),
        ("course ended", [FILTER, STOP], 11, "quiet"),
    ],
)  # fmt: skip
def test_filter(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-ivcf-check", [*known(), *facts], day=day) == answer


def test_a_filter_before_any_dose_and_numbers_of_policy() -> None:
    assert said("vte-ivcf-check", [*known(start=False), FILTER], day=11) == "quiet"
    bled = [*known(), diagnosis(["intracranial-bleeding"], -80, active=False), FILTER]
    assert said("vte-ivcf-check", bled, day=11, using=policy(ivcf_recent_days="60")) == "medium"
    two = [*known(), BLEEDS, FILTER, *UNITS[:2]]
    assert said("vte-ivcf-check", two, day=11, using=policy(ivcf_red_cell_units="1")) == "quiet"
    slow = [*known(), BLEEDS, FILTER, *UNITS[:2], done("red-cell-transfusion", 11, 10.1)]
    assert said("vte-ivcf-check", slow, day=11, using=policy(ivcf_bleed_hours="36")) == "quiet"
    planned = found("vte-ivcf-check", [*known(), done("vena-cava-filter", 10, status=FactStatus.PLANNED)], day=11)
    assert "is planned" in planned.message
    assert "was placed" in found("vte-ivcf-check", [*known(), FILTER], day=11).message
    ended = [*known(), FILTER, statement("anticoagulation-contraindicated", 11, "yes", until=on(12))]
    late = found("vte-ivcf-check", ended, day=12)
    assert (late.since, late.effective_at) == (on(10), on(12))
    assert ask("vte-ivcf-check", bled, day=11).recheck_at == on(12, 0)


# --- how long ---


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("three months are not over", [PE, FULL], 102, "quiet"),
        ("they are", [PE, FULL], 103, "medium"),
        ("three months from the first dose, not from the event", [PE, supply("warfarin", 12, days=120)], 104, "quiet"),
        ("from the first dose: over", [PE, supply("warfarin", 12, days=120)], 105, "medium"),
        ("treated from before the event: from the event", [supply("warfarin", 2, days=120), PE], 102, "quiet"),
        ("from the event: over", [supply("warfarin", 2, days=120), PE], 103, "medium"),
        ("a prophylactic dose is no treatment", [PE, LOW], 103, "quiet"),
        ("stated", [PE, statement("therapeutic-anticoagulation", 11, "yes")], 103, "quiet"),
        ("stated: over", [PE, statement("therapeutic-anticoagulation", 11, "yes")], 104, "medium"),
        ("ended", [PE, supply("warfarin", 10, days=30)], 103, "quiet"),
        ("interrupted, and taken again", [PE, supply("warfarin", 10, days=30), supply("apixaban", 100, days=30, dose="5")], 103, "medium"),
        ("reviewed since", [PE, FULL, statement("vte-treatment-review", 103)], 104, "quiet"),
        ("reviewed four weeks before", [PE, FULL, statement("vte-treatment-review", 75)], 103, "quiet"),
        ("reviewed earlier than that", [PE, FULL, statement("vte-treatment-review", 74)], 103, "medium"),
        ("the last of its days", [PE, supply("enoxaparin", 10, days=150, dose="80")], 130, "medium"),
        ("its days are over", [PE, supply("enoxaparin", 10, days=150, dose="80")], 131, "quiet"),
        ("over, but still treated", [diagnosis(["pe", "vte"], 10, abated=on(60)), FULL], 103, "medium"),
        ("nothing taken", [PE], 103, "quiet"),
        ("unconfirmed", [preliminary(PE), FULL], 103, "medium provisional"),
        ("course ended", [PE, FULL, STOP], 103, "quiet"),
    ],
)  # fmt: skip
def test_duration(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-duration-review", [*known(), *facts, *STILL_TAKEN[:3]], day=day) == answer


def test_duration_is_due_by_the_calendar_and_policy() -> None:
    facts = [*known(), PE, FULL]
    answer = ask("vte-duration-review", facts, day=20)
    assert isinstance(answer, Nothing)
    assert answer.recheck_at == on(103, 0)
    assert found("vte-duration-review", facts, day=103).since == on(103, 0)
    again = [*known(), PE, supply("warfarin", 10, days=30), supply("apixaban", 105, days=30, dose="5")]
    assert found("vte-duration-review", again, day=106).effective_at == on(105, 10)
    assert said("vte-duration-review", facts, day=110, using=policy(vte_treatment_months="4")) == "quiet"
    assert said("vte-duration-review", facts, day=110, using=policy(vte_duration_shown_days="7")) == "quiet"


# --- which agent ---

WARFARIN = supply("warfarin", 12, days=60)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("warfarin", [PE, WARFARIN], 12, "info"),
        ("rivaroxaban", [PE, supply("rivaroxaban", 12, days=60)], 12, "info"),
        ("dabigatran", [PE, supply("dabigatran", 12, days=60)], 12, "info"),
        ("unfractionated heparin", [PE, supply("heparin", 12, days=60)], 12, "info"),
        ("apixaban is not named", [PE, supply("apixaban", 12, days=60)], 12, "quiet"),
        ("LMWH", [PE, FULL], 12, "quiet"),
        ("LMWH beside it", [PE, WARFARIN, FULL], 13, "quiet"),
        ("LMWH ordered is not taken", [PE, WARFARIN, supply("enoxaparin", 12, way="ordered")], 13, "info"),
        ("LMWH over", [PE, supply("enoxaparin", 10, days=1), WARFARIN], 18, "info"),
        ("only ordered", [PE, supply("warfarin", 12, way="ordered")], 12, "quiet"),
        ("no LMWH, as stated", [PE, WARFARIN, statement("lmwh-contraindicated", 12, "yes")], 13, "quiet"),
        ("an allergy to heparin", [PE, WARFARIN, allergy("heparin")], 13, "quiet"),
        ("another allergy", [PE, WARFARIN, allergy("penicillin")], 13, "info"),
        ("clearance exactly 30", [PE, WARFARIN, result("creatinine", "2.0", 9)], 13, "info"),
        ("clearance just below", [PE, WARFARIN, result("creatinine", "2.001", 9)], 13, "quiet"),
        ("the last of its days", [PE, WARFARIN], 26, "info"),
        ("its days are over", [PE, WARFARIN], 27, "quiet"),
        ("warfarin from before: days from the event", [supply("warfarin", 2, days=60), PE], 24, "info"),
        ("they are over", [supply("warfarin", 2, days=60), PE], 25, "quiet"),
        ("no clot", [WARFARIN], 13, "quiet"),
        ("over", [diagnosis(["pe", "vte"], 10, abated=on(13)), WARFARIN], 13, "quiet"),
        ("unconfirmed", [preliminary(PE), WARFARIN], 13, "info provisional"),
        ("course ended", [PE, WARFARIN, STOP], 13, "quiet"),
    ],
)
def test_agent(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert said("vte-agent-not-preferred", [*known(), *facts], day=day, using=policy(profile)) == answer


def test_the_ranking_of_agents_is_policy_and_dated() -> None:
    facts = [*known(), PE, WARFARIN]
    assert said("vte-agent-not-preferred", facts, day=13, using=policy(vte_lmwh_preferred="false")) == "quiet"
    assert said("vte-agent-not-preferred", facts, day=27, using=policy(vte_agent_shown_days="20")) == "info"
    finding = found("vte-agent-not-preferred", [*known(creatinine=None), PE, WARFARIN], day=13)
    assert (finding.since, finding.effective_at) == (on(12, 10), on(12, 10))
    over = found("vte-agent-not-preferred", [*known(), PE, supply("enoxaparin", 10, days=1), WARFARIN], day=18)
    assert over.effective_at == on(18, 0)


def kinds(using: Policy) -> set[type]:
    """The three answers all occur: nothing, a finding, cannot assess."""
    patients: tuple[list[AnyKept], ...] = ([], [ILIAC], [PE])
    return {type(ask("vte-massive-lysis", [*known(), *facts], day=11, using=using)) for facts in patients}


def test_every_answer_is_one_of_three() -> None:
    assert kinds(policy()) == {Nothing, Found, CannotAssess}


def test_no_review_of_the_duration_after_the_course() -> None:
    assert (
        said("vte-duration-review", [*known(), PE, FULL, statement("lenalidomide-stopped", 90, "other")], day=104)
        == "quiet"
    )


def test_treatment_is_looked_at_again_when_it_ends_and_when_its_time_is_over() -> None:
    facts = [*known(), PE, supply("warfarin", 10, days=7)]
    assert ask(UNTREATED, facts, day=12).recheck_at == on(24, 0)
    assert ask(UNTREATED, facts, day=30).recheck_at == on(103, 0)
    assert ask(UNTREATED, facts, day=103).recheck_at is None
    assert ask(UNTREATED, [*facts, statement("therapeutic-anticoagulation", 11, "yes")], day=12).recheck_at == on(
        103, 0
    )
    assert event_in_charge(view(facts, day=12)) == (True, on(24, 0))
    assert event_in_charge(view(facts, day=30)) == (True, on(103, 0))
    released = [*facts, restart(12)]
    assert event_in_charge(view(released, day=23)) == (True, on(24, 0))
    assert event_in_charge(view(released, day=24)) == (True, on(103, 0))
    assert event_in_charge(view(released, day=103)) == (False, None)
    assert event_in_charge(view(known(), day=12)) == (False, None)


def test_lysis_is_dated_by_the_end_of_what_forbade_it() -> None:
    finding = found("vte-massive-lysis", [*known(), diagnosis(["bleeding"], 5, abated=on(11)), ILIAC], day=11)
    assert finding.effective_at == on(11)
    at_once = found("vte-massive-lysis", [*known(), diagnosis(["bleeding"], 5, abated=on(11)), ILIAC], day=11, hour=9)
    assert at_once.effective_at == on(11)
