"""What toxicity and monitoring answer holds until the instant they name, and stands on facts that are there."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.answers import Answer, CannotAssess, Found
from rules.catalogue import BY_ID, CATALOGUE
from rules.picture import AnyKept
from rules.view import View
from tests.rules.bedside import (
    PROFILES,
    cbc,
    diagnosis,
    ledger,
    lenalidomide,
    on,
    policy,
    result,
    statement,
    supply,
)

OURS = ("lft-overdue", "tsh-overdue", "spm-followup-due", "digoxin-level", "eu-start-gate", "hold-dispense",
        "dispense-before-result", "anc-resume-ok", "plt-resume-ok")  # fmt: skip
RULES = tuple(entry for entry in CATALOGUE if entry.family == "toxicity") + tuple(BY_ID[rule] for rule in OURS)
DAYS = st.integers(-20, 120).filter(bool)
ENDS = st.one_of(st.none(), st.integers(-10, 150).filter(bool).map(on))
MADE_OF_COUNTS = ("anc-resume-ok", "plt-resume-ok")


@st.composite
def facts(draw: st.DrawFn) -> AnyKept:
    """One fact that a rule of these families reads."""
    match draw(st.integers(0, 4)):
        case 0:
            concepts = draw(
                st.sampled_from(
                    [["rash"], ["sjs"], ["rash", "bullous-or-exfoliative-rash"], ["anaphylaxis"], ["fatigue"],
                     ["peripheral-neuropathy"], ["muscle-symptom"], ["neutropenia"], ["solid-cancer", "second-malignancy"], []]
                )
            )  # fmt: skip
            related = draw(st.sampled_from([(), ("lenalidomide",), ("thalidomide",)]))
            grade = draw(st.sampled_from([None, 1, 2, 3, 4]))
            code = draw(st.sampled_from([None, "C50.9", "C61"]))
            history = draw(st.integers(0, 5)) == 0
            return diagnosis(
                concepts, draw(DAYS), grade=grade, abated=draw(ENDS), related=related, code=code, history=history
            )
        case 1:
            analyte, low, high, values = draw(
                st.sampled_from(
                    [
                        ("alt", None, "40", ["30", "41", "121", "500"]),
                        ("bilirubin", None, "1.0", ["0.8", "1.6", "2.5"]),
                        ("tsh", "0.4", "4.5", ["0.1", "2", "6", "12"]),
                        ("potassium", None, None, ["4", "5.6", "6.2"]),
                        ("urate", None, "7", ["4", "7.5", "9"]),
                        ("ldh", None, "250", ["200", "300"]),
                        ("ck", None, "200", ["100", "1500"]),
                        ("creatinine", None, None, ["1.0", "1.4"]),
                        ("urea-nitrogen", None, None, ["20", "21", "30"]),
                        ("digoxin-level", None, None, ["0.9"]),
                        ("platelets", None, None, ["20000", "60000", "90000"]),
                        ("anc", None, None, ["400", "900", "2000"]),
                    ]
                )
            )
            limits = draw(st.booleans())
            return result(
                analyte,
                draw(st.sampled_from(values)),
                draw(DAYS),
                low=low if limits else None,
                high=high if limits else None,
            )
        case 2:
            medicine = draw(
                st.sampled_from(
                    ["statin", "co-trimoxazole", "levothyroxine", "digoxin", "pembrolizumab", "dexamethasone"]
                )
            )
            way = draw(st.sampled_from(["dispensed", "ordered", "given", "home"]))
            until = draw(ENDS) if way in ("ordered", "home") else None
            return supply(medicine, draw(DAYS), way=way, days=draw(st.sampled_from([7, 28])), until=until, dose="40")
        case 3:
            code, value = draw(
                st.sampled_from(
                    [("lenalidomide-changed-for", "fatigue"), ("lenalidomide-changed-for", "rash"),
                     ("neuropathy-cause", "diabetes"), ("neuropathy-cause", "lenalidomide"), ("trial-of-combination", "yes"),
                     ("thalidomide-severe-rash", "yes"), ("high-tumour-burden", "yes"), ("spm-review", None),
                     ("marrow-heavily-infiltrated", "yes")]
                )
            )  # fmt: skip
            return statement(code, draw(DAYS), value, until=draw(ENDS))
        case _:
            return lenalidomide(draw(st.integers(2, 120)), way=draw(st.sampled_from(["dispensed", "given", "ordered"])))


@st.composite
def patients(draw: st.DrawFn) -> list[AnyKept]:
    patient: list[AnyKept] = [lenalidomide(1), lenalidomide(29), *draw(st.lists(facts(), max_size=10))]
    if draw(st.booleans()):
        patient += cbc(-2, draw(st.sampled_from(["900", "2000"])), draw(st.sampled_from(["60000", "150000"])))
    if draw(st.integers(0, 4)) == 0:
        patient.append(statement("lenalidomide-stopped", draw(st.integers(30, 90)), "other"))
    return patient


def told(answer: Answer) -> object:
    if isinstance(answer, Found):
        return answer.findings
    return answer.missing if isinstance(answer, CannotAssess) else "nothing"


@settings(max_examples=300, deadline=None)
@given(
    patient=patients(),
    day=st.integers(1, 140),
    hour=st.sampled_from([0.0, 8.5, 12.0, 23.9]),
    share=st.floats(0, 1),
    profile=st.sampled_from(PROFILES),
)
def test_findings_before_recheck_equal_those_now(
    patient: list[AnyKept], day: int, hour: float, share: float, profile: str
) -> None:
    now, using = on(day, hour), policy(profile)
    book = ledger([fact for fact in patient if fact.at <= now], using=using)
    for entry in RULES:
        answer = entry.assess(View(book, now, using))
        due = answer.recheck_at
        assert due is None or due > now, entry.id
        last = (due or now + timedelta(days=800)) - timedelta(seconds=1)
        for later in (now + (last - now) * share, last):
            assert told(entry.assess(View(book, later, using))) == told(answer), entry.id


@settings(max_examples=300, deadline=None)
@given(patient=patients(), day=st.integers(1, 140), profile=st.sampled_from(PROFILES))
def test_findings_stand_on_facts_and_were_there_when_they_took_effect(
    patient: list[AnyKept], day: int, profile: str
) -> None:
    now, using = on(day), policy(profile)
    behind = [fact for fact in patient if fact.at <= now]
    ids = {fact.id for fact in behind}
    for entry in RULES:
        answer = entry.assess(View(ledger(behind, using=using), now, using))
        for finding in answer.findings if isinstance(answer, Found) else ():
            assert using.severity(entry.id, finding.reason) is not None or entry.id == "eu-start-gate", entry.id
            assert finding.evidence, entry.id
            assert {shown.fact.id for shown in finding.evidence} <= ids, entry.id
            assert finding.advice is not None, entry.id
            assert finding.since <= finding.effective_at <= now or entry.id in MADE_OF_COUNTS, entry.id
            then = finding.effective_at
            before = [fact for fact in behind if fact.at <= then]
            again = entry.assess(View(ledger(before, using=using), then, using))
            assert isinstance(again, Found), (entry.id, then)
            assert finding.subject in {other.subject for other in again.findings}, entry.id
