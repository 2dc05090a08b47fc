"""Codes that the toxicity rules hear, and alerts that open, change and end through the one door of the rules."""

from __future__ import annotations

import pytest

from schemas.codes import tables
from schemas.events import AdverseEventRecorded, FactStatus
from schemas.values import Coding, Source, When
from tests.rules.bedside import on, policy
from tests.rules.log import PATIENT, Walk, condition, dispense, lab, stated

WHO, CM = "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED, ATC = "http://snomed.info/sct", "http://www.whocc.no/atc"


@pytest.mark.parametrize(
    ("shows", "system", "code", "concepts"),
    [
        ("breast", WHO, "C50.9", {"solid-cancer", "second-malignancy"}),
        ("breast by SNOMED", SNOMED, "254837009", {"solid-cancer", "second-malignancy"}),
        ("metastasis in the liver", WHO, "C78.7", {"solid-cancer", "second-malignancy"}),
        ("bone lesions are often coded so in myeloma", WHO, "C79.5", set()),
        ("myeloma", WHO, "C90.0", {"multiple-myeloma"}),
        ("plasmacytoma", WHO, "C90.2", set()),
        ("lymphoma", WHO, "C83.3", {"b-cell-malignancy", "second-malignancy"}),
        ("myelodysplasia", WHO, "D46.9", {"mds", "second-malignancy"}),
        ("acute myeloid leukaemia", WHO, "C92.0", {"aml", "other-blood-cancer", "second-malignancy"}),
        ("a benign tumour", WHO, "D24", set()),
        ("rash", WHO, "R21", {"rash"}),
        ("a localised drug eruption", WHO, "L27.1", {"rash"}),
        ("a generalised drug eruption in the WHO edition is the code of DRESS as well", WHO, "L27.0", {"dress"}),
        ("the same in the US edition is a rash", CM, "L27.0", {"rash"}),
        ("pemphigoid", WHO, "L12.0", {"bullous-or-exfoliative-rash", "rash"}),
        ("neuropathy by a medicine", WHO, "G62.0", {"peripheral-neuropathy"}),
        ("muscle pain", WHO, "M79.1", {"muscle-symptom"}),
        ("rhabdomyolysis", CM, "M62.82", {"rhabdomyolysis", "muscle-symptom"}),
        ("constipation", WHO, "K59.0", {"constipation"}),
        ("fatigue", SNOMED, "84229001", {"fatigue"}),
    ],
)
def test_conditions(shows: str, system: str, code: str, concepts: set[str]) -> None:
    assert set(tables().concepts_of([Coding(system=system, code=code)])) == concepts


@pytest.mark.parametrize(
    ("shows", "code", "medicine"),
    [
        ("pembrolizumab", "L01FF02", "pembrolizumab"),
        ("nivolumab", "L01FF01", "nivolumab"),
        ("another of them", "L01FF05", "pd1-antibody-other"),
        ("levothyroxine", "H03AA01", "levothyroxine"),
        ("thiamazole", "H03BB02", "antithyroid"),
        ("liothyronine", "H03AA02", "thyroid-hormone-other"),
        ("a statin", "C10AA05", "statin"),
    ],
)
def test_medicines(shows: str, code: str, medicine: str) -> None:
    match = tables().medicine_of([Coding(system=ATC, code=code)])
    assert match is not None
    assert match.medicine == medicine


def happened(
    day: float,
    concept: str | None,
    grade: int,
    *,
    until: float | None = None,
    related: tuple[str, ...] = (),
    status: FactStatus = FactStatus.FINAL,
    said: float | None = None,
) -> list[AdverseEventRecorded]:
    """An adverse event, by default one of a code that no table knows."""
    return [
        AdverseEventRecorded(
            fact_id=f"ae/{day}/{concept}", origin_key=PATIENT.key, when=When.at(on(day)), issued_at=on(said or day),
            versioned_at=on(said or day), status=status, source=Source(feed="ward", message=f"AE{day}-{said}"),
            concepts=(concept,) if concept else (), codes=(Coding(system="urn:other", code="10012735"),), grade=grade,
            related_to=related, abated=When.at(on(until)) if until else None,
        )
    ]  # fmt: skip


def started(profile: str = "kr-panel") -> Walk:
    one = Walk(using=policy(profile))
    one.hear(lab(-1), on(-1))
    one.hear(dispense(1), on(1, 10))
    return one


def of(one: Walk, rule: str) -> list[tuple[str, str]]:
    return [(told.transition.value, told.cause.value) for told in one.transitions if told.rule == rule]


def test_a_graded_event_counts_even_where_nobody_knows_its_code() -> None:
    one = started()
    one.hear(happened(5, None, 3), on(5))
    assert ("ae-severe-review", "high") in one.open()
    one.hear(happened(5, None, 3, until=9, said=8), on(8))
    assert ("ae-severe-review", "high") in one.open()
    one.tick(on(10))
    assert of(one, "ae-severe-review") == [("raised", "new-evidence"), ("resolved", "time-passed")]


def test_an_event_that_was_retracted_is_withdrawn() -> None:
    one = started("uspi")
    one.hear(happened(5, "fatigue", 3, related=("lenalidomide",)), on(5))
    one.hear(dispense(8), on(8, 10))
    assert {("nonheme-g34", "high"), ("hold-dispense", "critical")} <= one.open()
    one.hear(happened(5, "fatigue", 3, status=FactStatus.WITHDRAWN, said=9), on(9))
    assert of(one, "nonheme-g34") == [("raised", "new-evidence"), ("withdrawn", "retracted")]
    assert of(one, "hold-dispense") == [("raised", "new-evidence"), ("withdrawn", "retracted")]


def test_a_policy_of_a_label_takes_over_from_the_review() -> None:
    """What the panel only reviews is held for under the label, and back."""
    one = started()
    one.hear(happened(5, "fatigue", 3, related=("lenalidomide",)), on(5))
    one.using = policy("uspi")
    one.tick(on(6))
    assert ("nonheme-g34", "high") in one.open()
    assert not any(rule == "ae-severe-review" for rule, _ in one.open())
    one.using = policy()
    one.tick(on(7))
    assert ("ae-severe-review", "high") in one.open()
    assert not any(rule == "nonheme-g34" for rule, _ in one.open())


def test_hypersensitivity_survives_the_end_of_a_course_and_the_record() -> None:
    one = started()
    one.hear(condition(5, "anaphylaxis"), on(5))
    one.hear(stated(6, "lenalidomide-stopped", "toxicity"), on(6))
    assert of(one, "hyper-stop") == [("raised", "new-evidence"), ("resolved", "course-ended")]
    for day in range(10, 300, 7):
        one.hear(lab(day), on(day))
    one.hear(dispense(301), on(301, 10))
    assert {("hyper-stop", "critical"), ("hold-dispense", "critical")} <= one.open()


def test_a_second_rash_after_the_first_is_its_own_alert() -> None:
    one = started()
    one.hear(happened(5, "rash", 2, until=8), on(5))
    one.tick(on(9))
    one.hear(happened(12, "rash", 3), on(12))
    raised = [told for told in one.transitions if told.rule == "derm-stop" and told.transition.value == "raised"]
    assert len({told.alert_id for told in raised}) == 2


def test_a_tsh_that_came_late_withdraws_its_absence() -> None:
    one = started()
    assert ("tsh-overdue", "medium") in one.open()
    one.hear(lab(-3, {"tsh": "2"}, issued=on(-2)), on(3))
    assert of(one, "tsh-overdue")[-1] == ("withdrawn", "evidence-arrived-late")
    other = started()
    other.hear(lab(3, {"tsh": "2"}), on(3))
    assert of(other, "tsh-overdue")[-1] == ("resolved", "acted-on")
