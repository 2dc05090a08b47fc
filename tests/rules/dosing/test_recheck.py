"""Dose, kidney and indication: nothing changes by itself before the instant a rule asks to be looked at again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.answers import Answer, CannotAssess, Found
from rules.dosing.entries import ENTRIES as DOSING
from rules.entry import Form
from rules.indication.entries import ENTRIES as INDICATION
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.renal.entries import ENTRIES as RENAL
from rules.view import View
from tests.rules.bedside import (
    cbc,
    diagnosis,
    ledger,
    lenalidomide,
    on,
    person,
    policy,
    procedure,
    result,
    statement,
    stay,
    supply,
)

ABOUT_HOLDS = ("hold-dispense", "dispense-before-result", "resume-dose-high", "dose-floor")
"""Asked the same in `tests/rules/test_due_instants.py`, with histories that open and release holds."""
RULES = tuple(entry for entry in (*DOSING, *RENAL, *INDICATION) if entry.id not in ABOUT_HOLDS)
DAYS = st.integers(-20, 150).filter(bool)
HOURS = st.sampled_from([0.0, 8.0, 9.0, 12.0, 23.9])
ENDS = st.one_of(st.none(), st.integers(-10, 170).filter(bool).map(on))
POLICIES = st.sampled_from(
    [
        {},
        {"renal_dose_table": "us", "renal_border_is_reduced": "true", "renal_raise_needs_nonresponse": "false"},
        {"renal_equation": "mdrd-deindexed"},
        {"dex_elderly_from_birthday": "true", "dose_step_second_hold_raises": "false", "dose_ladder": "capsule"},
    ]
)


@st.composite
def lenalidomides(draw: st.DrawFn, day: int | None = None) -> AnyKept:
    """A supply of any kind, its dose perhaps not said."""
    way = draw(st.sampled_from(["dispensed", "dispensed", "dispensed", "ordered", "given", "home"]))
    dose = draw(st.sampled_from(["5", "10", "10", "15", "20", "25", "50", None]))
    rhythm = draw(st.sampled_from([None, "daily", "alternate-days", "weekly"]))
    quantity = draw(st.sampled_from([None, "21", "28", "42"]))
    until = draw(ENDS) if way in ("ordered", "home") else None
    days = draw(st.sampled_from([None, 21, 28, 56]))
    at = day if day is not None else draw(DAYS)
    return supply("lenalidomide", at, draw(HOURS), way=way, days=days, strength=draw(st.sampled_from([None, dose])),
                  quantity=quantity, dose=dose, schedule=rhythm, until=until)  # fmt: skip


@st.composite
def facts(draw: st.DrawFn) -> AnyKept:
    """One fact that a rule of dose, kidney or indication reads."""
    match draw(st.integers(0, 8)):
        case 0:
            return draw(lenalidomides())
        case 1:
            value = draw(st.sampled_from(["0.8", "1.0", "1.2", "1.3", "2.0", "2.4"]))
            return result("creatinine", value, draw(DAYS), bound=draw(st.sampled_from([None, None, None, "<"])))
        case 2:
            analyte, value = draw(st.sampled_from([("weight", "60"), ("weight", "90"), ("height", "170"), ("egfr", "62"),
                                                   ("egfr", "29"), ("anc", "400"), ("anc", "2500"), ("platelets", "20000"),
                                                   ("platelets", "180000")]))  # fmt: skip
            bound = draw(st.sampled_from([None, ">", "<"])) if analyte == "egfr" else None
            return result(analyte, value, draw(DAYS), bound=bound)
        case 3:
            way = draw(st.sampled_from(["dispensed", "given", "given", "home", "ordered"]))
            return supply("dexamethasone", draw(DAYS), way=way, days=draw(st.sampled_from([None, 22, 28, 84])),
                          strength=draw(st.sampled_from([None, "4"])), quantity=draw(st.sampled_from([None, "40"])),
                          dose=draw(st.sampled_from([None, "20", "40", "160"])),
                          schedule=draw(st.sampled_from([None, "weekly", "daily"])),
                          until=draw(ENDS) if way in ("home", "ordered") else None)  # fmt: skip
        case 4:
            code, value = draw(st.sampled_from(
                [("reduced-dose-reason", "renal"), ("reduced-dose-reason", "age"), ("response", "pd"), ("response", "sd"),
                 ("response", "pr"), ("transplant-plan", "eligible"), ("transplant-plan", "collected"), ("frailty", "frail"),
                 ("bortezomib-failure", "yes"), ("aggressive-disease", "yes"), ("high-dose-dexamethasone-reason", "pain"),
                 ("high-dose-dexamethasone-reason", "other"), ("dexamethasone-contraindicated", "yes")]))  # fmt: skip
            return statement(code, draw(DAYS), value, until=draw(ENDS))
        case 5:
            code, number = draw(st.sampled_from(
                [("dexamethasone-plan-mg-per-cycle", "0"), ("dexamethasone-plan-mg-per-cycle", "160"),
                 ("dexamethasone-plan-mg-per-cycle", "480"), ("therapy-line", "0"), ("therapy-line", "1"),
                 ("remission-months", "4")]))  # fmt: skip
            return statement(code, draw(DAYS), number=number, until=draw(ENDS))
        case 6:
            concept = draw(st.sampled_from(["dialysis", "myopathy", "infection", "pain", "frailty", "ckd"]))
            grade = draw(st.sampled_from([None, None, 3]))
            return diagnosis([concept], draw(DAYS), abated=draw(ENDS), grade=grade)
        case 7:
            return stay(draw(DAYS), ended=draw(ENDS))
        case _:
            return procedure("haemodialysis-session", draw(DAYS))


@st.composite
def patients(draw: st.DrawFn) -> list[AnyKept]:
    """Treatment from day 1 or only an order, some cycles, some of them planned ahead, an end perhaps, and the rest."""
    who = replace(person(draw(st.sampled_from(["1949-06-20", "1951-06-20", "1958-03-01"]))), country="KR")
    patient: list[AnyKept] = [who] if draw(st.integers(0, 5)) else []
    patient.append(draw(lenalidomides(day=1)) if draw(st.booleans()) else lenalidomide(1))
    if draw(st.booleans()):
        patient += [result("weight", "60", -2), result("creatinine", draw(st.sampled_from(["1.0", "1.3", "2.4"])), -2)]
        patient += cbc(-2)
    for number in range(1, draw(st.integers(1, 6))):
        early = draw(st.sampled_from([0, 0, 3]))
        if early:
            patient.append(statement("planned-cycle-day-1", 28 * number - 6, when=on(1 + 28 * number)))
        patient.append(lenalidomide(1 + 28 * number - early, draw(st.sampled_from(["10", "15", "25"]))))
    if draw(st.integers(0, 3)) == 0:
        first = draw(st.integers(1, 40))
        patient += [supply("lenalidomide", first + n, way="given", dose="10") for n in range(draw(st.integers(2, 9)))]
    if draw(st.integers(0, 4)) == 0:
        reason = draw(st.sampled_from(["other", "toxicity", None]))
        ended = on(draw(st.integers(30, 160)))
        patient.append(statement("lenalidomide-stopped", draw(st.integers(30, 120)), reason, when=ended))
    return [*patient, *draw(st.lists(facts(), max_size=9))]


def told(answer: Answer) -> object:
    """All of what an answer says."""
    if isinstance(answer, Found):
        return answer.findings
    return answer.missing if isinstance(answer, CannotAssess) else "nothing"


def book_at(patient: list[AnyKept], day: float, hour: float, using: Policy) -> View:
    """What is known at an instant."""
    now = on(day, hour)
    return View(ledger([fact for fact in patient if fact.at <= now], using=using), now, using)


@settings(max_examples=200, deadline=None)
@given(patients(), st.integers(1, 160), HOURS, st.floats(0, 1), POLICIES)
def test_findings_before_recheck_equal_those_now(
    patient: list[AnyKept], day: int, hour: float, share: float, changes: dict[str, str]
) -> None:
    using = policy(**changes)
    seen = book_at(patient, day, hour, using)
    for entry in RULES:
        answer = entry.assess(View(seen.ledger, seen.at, using))
        due = answer.recheck_at
        assert due is None or due > seen.at, entry.id
        last = (due or seen.at + timedelta(days=500)) - timedelta(microseconds=1)
        for later in (seen.at + (last - seen.at) * share, last):
            assert told(entry.assess(View(seen.ledger, later, using))) == told(answer), (entry.id, later)


@settings(max_examples=200, deadline=None)
@given(patients(), st.integers(1, 160), POLICIES)
def test_a_finding_stands_on_facts_and_was_there_when_it_took_effect(
    patient: list[AnyKept], day: int, changes: dict[str, str]
) -> None:
    using = policy(**changes)
    seen = book_at(patient, day, 12.0, using)
    ids = {fact.id for fact in patient if fact.at <= seen.at}
    for entry in RULES:
        answer = entry.assess(seen)
        for finding in answer.findings if isinstance(answer, Found) else ():
            assert finding.evidence, entry.id
            assert {shown.fact.id.removeprefix("anc:") for shown in finding.evidence} <= ids, entry.id
            assert finding.since <= finding.effective_at <= seen.at, entry.id
            assert finding.advice is not None, entry.id
            if entry.form is Form.CONTEXT:
                continue
            then = finding.effective_at
            behind = [fact for fact in patient if fact.at <= then]
            again = entry.assess(View(ledger(behind, using=using), then, using))
            assert isinstance(again, Found), (entry.id, then)
            assert finding.subject in {other.subject for other in again.findings}, entry.id


@settings(max_examples=60, deadline=None)
@given(patients(), st.integers(1, 160))
def test_the_order_of_arrival_changes_nothing(patient: list[AnyKept], day: int) -> None:
    using = policy()
    one, other = book_at(patient, day, 12.0, using), book_at(patient[::-1], day, 12.0, using)
    for entry in RULES:
        assert told(entry.assess(one)) == told(entry.assess(other)), entry.id
