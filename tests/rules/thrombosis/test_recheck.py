"""Nothing changes by itself before the instant a rule asks to be looked at again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.answers import Answer, CannotAssess, Found
from rules.entry import Form
from rules.infection.entries import ENTRIES as INFECTION
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.thrombosis.entries import ENTRIES as THROMBOSIS
from rules.view import View
from schemas.events import FactStatus
from tests.rules.bedside import diagnosis, ledger, lenalidomide, on, person, policy, result, statement, supply
from tests.rules.thrombosis.clinic import known

RULES = (*THROMBOSIS, *INFECTION)
DAYS = st.integers(-200, 150).filter(bool)
RECENT = st.integers(-20, 150).filter(bool)
ENDS = st.one_of(st.none(), st.integers(-10, 170).filter(bool).map(on))
POLICIES = st.sampled_from(["as it is", "table3_literal", "vte_tier3_aspirin", "vte_tier1_from_factor"])


@st.composite
def facts(draw: st.DrawFn) -> AnyKept:
    """One fact that a rule of thrombosis or infection reads."""
    match draw(st.integers(0, 7)):
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
            code, value = draw(st.sampled_from(
                [("immobilisation", "bedbound"), ("immobilisation", "none"), ("mobility", "normal"), ("thrombophilia", "yes"),
                 ("therapeutic-anticoagulation", "yes"), ("vte-risk-assessment", "tier-2"), ("past-infections", "yes"),
                 ("infection-prophylaxis-justified", None), ("anticoagulation-contraindicated", "yes")]))  # fmt: skip
            return statement(code, draw(RECENT), value, until=draw(ENDS))
        case 6:
            number = draw(st.sampled_from(["160", "480"]))
            return statement("dexamethasone-plan-mg-per-cycle", draw(RECENT), number=number, until=draw(ENDS))
        case _:
            return statement("ecog", draw(RECENT), number=draw(st.sampled_from(["1", "2", "4"])), until=draw(ENDS))


@st.composite
def patients(draw: st.DrawFn) -> list[AnyKept]:
    """Treatment from day 1, some cycles, some of them planned ahead, an end perhaps, and whatever else."""
    patient = [person(draw(st.sampled_from(["1951-06-20", "1958-03-01"]))), lenalidomide(1)]
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
