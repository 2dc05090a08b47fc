"""Nothing changes by itself before the instant a rule asks to be looked at again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rules.answers import Answer, CannotAssess, Found
from rules.entry import Form
from rules.infection.entries import ENTRIES as INFECTION
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.telling import matching_names
from rules.thrombosis.entries import ENTRIES as THROMBOSIS
from rules.view import View
from schemas.events import FactStatus
from tests.rules.bedside import diagnosis, ledger, lenalidomide, on, person, policy, result, statement, supply
from tests.rules.thrombosis.clinic import done, known

RULES = (*THROMBOSIS, *(entry for entry in INFECTION if entry.id.startswith("inf-ppx")))
DAYS = st.integers(-200, 150).filter(bool)
RECENT = st.integers(-20, 150).filter(bool)
ENDS = st.one_of(st.none(), st.integers(-10, 170).filter(bool).map(on))
TREATED = st.integers(1, 150)
GRADES = st.sampled_from([None, None, 2, 3])
STATUSES = st.sampled_from([FactStatus.FINAL, FactStatus.FINAL, FactStatus.PRELIMINARY])
PLANNED = st.sampled_from([FactStatus.FINAL, FactStatus.FINAL, FactStatus.PLANNED])
POLICIES = st.sampled_from(["as it is", "table3_literal", "vte_tier3_aspirin", "vte_tier1_from_factor"])


@st.composite
def facts(draw: st.DrawFn) -> AnyKept:
    """One fact that a rule of thrombosis or infection reads."""
    match draw(st.integers(0, 14)):
        case 8 | 9:
            concepts = draw(st.sampled_from(
                [["calf-vein-thrombosis", "dvt", "vte"], ["dvt", "vte"], ["pe", "vte"], ["iliofemoral-thrombosis", "dvt", "vte"],
                 ["catheter-related-thrombosis", "vte"], ["superficial-thrombophlebitis"], ["stroke", "arterial-thromboembolism"]]))  # fmt: skip
            found = diagnosis(
                concepts, draw(TREATED), abated=draw(st.sampled_from([None, None, on(100)])), grade=draw(GRADES)
            )
            return structs.replace(found, status=draw(STATUSES))
        case 10:
            concept = draw(st.sampled_from(
                ["dyspnoea", "leg-swelling-or-pain", "bleeding", "stroke-unexplained", "major-trauma", "multiple-myeloma",
                 "history-of-vte", "diabetes", "intracranial-bleeding", "intracranial-tumour", "pelvic-hip-femur-fracture"]))  # fmt: skip
            return diagnosis([concept, "bleeding"] if concept == "intracranial-bleeding" else [concept], draw(DAYS), abated=draw(ENDS),
                             history=concept == "history-of-vte")  # fmt: skip
        case 11:
            concept = draw(st.sampled_from(["vte-imaging", "vena-cava-filter", "vena-cava-filter-removed", "surgery", "thrombolysis",
                                            "central-venous-catheter", "red-cell-transfusion"]))  # fmt: skip
            return done(concept, draw(RECENT), draw(st.sampled_from([9.0, 20.0])), draw(PLANNED))
        case 12:
            medicine = draw(st.sampled_from(["rivaroxaban", "dabigatran", "heparin", "fondaparinux", "clopidogrel", "thrombolytic",
                                             "levofloxacin", "oestrogen", "doxorubicin", "melphalan", "enoxaparin", "apixaban"]))  # fmt: skip
            way = draw(st.sampled_from(["dispensed", "dispensed", "ordered", "given", "home"]))
            return supply(medicine, draw(RECENT), way=way, days=draw(st.sampled_from([7, 28, 90])), dose=draw(st.sampled_from([None, "2.5", "60"])),
                          purpose=draw(st.sampled_from([None, None, "treatment", "prophylaxis"])))  # fmt: skip
        case 13:
            analyte, value = draw(st.sampled_from([("systolic-bp", "89"), ("systolic-bp", "90"), ("haemoglobin", "12.1"), ("haemoglobin", "12.0"),
                                                   ("platelets", "99999"), ("platelets", "180000"), ("height", "150"), ("inr", "3.1")]))  # fmt: skip
            return result(analyte, value, draw(RECENT))
        case 14:
            stated, word = draw(st.sampled_from(
                [("lenalidomide-restart", None), ("therapeutic-anticoagulation", "no"), ("therapeutic-anticoagulation", "yes"),
                 ("antithrombotics-stopped", None), ("thrombosis-symptoms", "severe"), ("thrombosis-symptoms", "mild"),
                 ("thrombosis-catheter-related", "yes"), ("thrombosis-catheter-related", "no"), ("thrombosis-near-deep-veins", "yes"),
                 ("catheter-state", "removed"), ("catheter-state", "infected"), ("vte-treatment-review", None),
                 ("lmwh-contraindicated", "yes"), ("dual-antithrombotic-reason", "other")]))  # fmt: skip
            return statement(stated, draw(TREATED), word, until=draw(st.sampled_from([None, None, on(120)])))
        case 0:
            concept = draw(
                st.sampled_from(["dvt", "pe", "infection", "pneumonia", "immobility", "heart-failure", "bleeding"])
            )
            return diagnosis([concept], draw(DAYS), abated=draw(ENDS))
        case 1:
            return result("platelets", draw(st.sampled_from(["49999", "50000", "99999", "100000"])), draw(RECENT))
        case 2:
            analyte, value = draw(st.sampled_from([("creatinine", "1.0"), ("creatinine", "2.4"), ("inr", "2.5"), ("inr", "5"),
                                                   ("weight", "60"), ("weight", "90"), ("ecog", "2"), ("ecog", "4")]))  # fmt: skip
            return result(analyte, value, draw(RECENT))
        case 3:
            medicine = draw(
                st.sampled_from(["enoxaparin", "warfarin", "apixaban", "aspirin", "co-trimoxazole", "epoetin-alfa"])
            )
            way = draw(st.sampled_from(["dispensed", "dispensed", "ordered", "given", "home"]))
            days = draw(st.sampled_from([7, 28, 90]))
            return supply(
                medicine, draw(RECENT), way=way, days=days, until=draw(ENDS) if way in ("ordered", "home") else None
            )
        case 4:
            way = draw(st.sampled_from(["dispensed", "given", "given"]))
            mg = draw(st.sampled_from(["160", "240", "480"]))
            return supply("dexamethasone", draw(RECENT), way=way, days=draw(st.sampled_from([14, 28, 84])), strength=mg,
                          quantity="1", dose=mg)  # fmt: skip
        case 5:
            stated, word = draw(st.sampled_from(
                [("immobilisation", "bedbound"), ("immobilisation", "none"), ("mobility", "normal"), ("thrombophilia", "yes"),
                 ("therapeutic-anticoagulation", "yes"), ("vte-risk-assessment", "tier-2"), ("past-infections", "yes"),
                 ("infection-prophylaxis-justified", None), ("anticoagulation-contraindicated", "yes")]))  # fmt: skip
            return statement(stated, draw(RECENT), word, until=draw(ENDS))
        case 6:
            number = draw(st.sampled_from(["160", "480"]))
            return statement("dexamethasone-plan-mg-per-cycle", draw(RECENT), number=number, until=draw(ENDS))
        case _:
            return statement("ecog", draw(RECENT), number=draw(st.sampled_from(["1", "2", "4"])), until=draw(ENDS))


@st.composite
def patients(draw: st.DrawFn) -> list[AnyKept]:
    """Treatment from day 1, some cycles, some of them planned ahead, an end perhaps, and whatever else."""
    patient: list[AnyKept] = [person(draw(st.sampled_from(["1951-06-20", "1958-03-01"]))), lenalidomide(1)]
    patient += draw(st.sampled_from([[], known()[1:-1]]))
    last = draw(st.integers(1, 6))
    for number in range(1, last):
        early = draw(st.sampled_from([0, 0, 3]))
        if early:
            planned = on(1 + 28 * number)
            patient.append(statement("planned-cycle-day-1", 28 * number - 6, when=planned))
        patient.append(lenalidomide(1 + 28 * number - early))
    if draw(st.integers(0, 5)) == 0:
        patient.append(
            statement("lenalidomide-stopped", draw(st.integers(30, 120)), "other", when=on(draw(st.integers(30, 160))))
        )
    return [*patient, *draw(st.lists(facts(), max_size=8))]


def policy_with(key: str) -> Policy:
    """The default policy with one flag set."""
    return policy() if key == "as it is" else policy(**{key: "true"})


def told(answer: Answer) -> object:
    """All of what an answer says."""
    if isinstance(answer, Found):
        return answer.findings
    return answer.missing if isinstance(answer, CannotAssess) else "nothing"


@settings(max_examples=400)
@given(
    patient=patients(),
    day=st.integers(1, 160),
    hour=st.sampled_from([0.0, 8.5, 12.0, 23.9]),
    share=st.floats(0, 1),
    key=POLICIES,
)
def test_findings_before_recheck_equal_those_now(
    patient: list[AnyKept], day: int, hour: float, share: float, key: str
) -> None:
    now, using = on(day, hour), policy_with(key)
    book = ledger([fact for fact in patient if fact.at <= now], using=using)
    for entry in RULES:
        answer = entry.assess(View(book, now, using))
        due = answer.recheck_at
        assert due is None or due > now, entry.id
        last = (due or now + timedelta(days=500)) - timedelta(seconds=1)
        for later in (now + (last - now) * share, last):
            assert told(entry.assess(View(book, later, using))) == told(answer), entry.id


@settings(max_examples=200)
@given(patient=patients(), day=st.integers(1, 160), key=POLICIES)
def test_what_a_finding_stands_on_lies_behind_it(patient: list[AnyKept], day: int, key: str) -> None:
    """Evidence exists in the record; the finding began before it took effect, and that before now."""
    now, using = on(day), policy_with(key)
    known_facts = [fact for fact in patient if fact.at <= now and fact.status is not FactStatus.WITHDRAWN]
    ids = {fact.id for fact in known_facts}
    for entry in RULES:
        answer = entry.assess(View(ledger(known_facts, using=using), now, using))
        for finding in answer.findings if isinstance(answer, Found) else ():
            assert finding.evidence, entry.id
            assert {shown.fact.id for shown in finding.evidence} <= ids, entry.id
            assert finding.since <= finding.effective_at <= now, entry.id
            assert finding.thresholds, entry.id
            assert finding.advice is not None, entry.id


@settings(max_examples=300)
@given(
    patient=patients(),
    day=st.integers(1, 160),
    key=st.sampled_from(["as it is", "table3_literal", "vte_tier1_from_factor"]),
)
def test_a_finding_was_there_when_it_took_effect(patient: list[AnyKept], day: int, key: str) -> None:
    """Looked at again at its own instant, with the facts of then, the rule says it too."""
    now, using = on(day), policy_with(key)
    behind = [fact for fact in patient if fact.at <= now]
    for entry in (entry for entry in RULES if entry.form is Form.ALERT):
        answer = entry.assess(View(ledger(behind, using=using), now, using))
        for finding in answer.findings if isinstance(answer, Found) else ():
            then = finding.effective_at
            before = [fact for fact in behind if fact.at <= then]
            again = entry.assess(View(ledger(before, using=using), then, using))
            assert isinstance(again, Found), (entry.id, then)


@settings(max_examples=300)
@given(patient=patients(), day=st.integers(1, 160))
def test_a_rule_reads_no_more_than_it_names(patient: list[AnyKept], day: int) -> None:
    """Without the facts that `reads` does not name the answer is the same: nothing else needs to wake the rule."""
    now, using = on(day), policy()
    behind = [fact for fact in patient if fact.at <= now]
    whole = ledger(behind, using=using)
    for entry in THROMBOSIS:
        wanted = {*entry.reads, "lenalidomide", "planned-cycle-day-1", "lenalidomide-stopped"}
        named = [fact for fact in behind if not wanted.isdisjoint(matching_names(fact))]
        alone = entry.assess(View(ledger(named, using=using), now, using))
        assert told(alone) == told(entry.assess(View(whole, now, using))), entry.id
