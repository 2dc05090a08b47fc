"""Time alone: an answer holds until the instant it names, and silence never makes anything milder."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.answers import Answer, CannotAssess, Found
from rules.catalogue import CATALOGUE
from rules.entry import RuleEntry
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.view import View
from schemas.alerts import Severity
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import FAMILIES
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
    supply,
)

RULES = tuple(
    entry
    for entry in CATALOGUE
    if entry.family in FAMILIES and any(level is not None for level in policy().rules[entry.id].severity.values())
)
ANCS = st.sampled_from(["0", "25", "100", "499", "500", "501", "900", "999", "1000", "1001", "2500", "40000"])
PLATELETS = st.sampled_from(["9000", "9999", "10000", "20000", "29999", "30000", "49999", "50000", "180000"])
HOURS = st.sampled_from([0.0, 8.0, 9.0, 14.99, 23.99])
DAYS = st.integers(1, 75)
DOUBTS = st.sampled_from([None, None, None, ResultDoubt.UNIT_MISSING, ResultDoubt.CLUMPED, ResultDoubt.CODE_SYSTEM])
STATUSES = st.sampled_from([FactStatus.FINAL, FactStatus.FINAL, FactStatus.FINAL, FactStatus.PRELIMINARY])
POLICIES = st.sampled_from(
    [
        {},
        {"anc_severe_inclusive": "false"},
        {"anc_resume_strict_later": "true"},
        {"dose_ladder": "capsule", "baseline_window_days": "28"},
    ]
)


@st.composite
def counts(draw: st.DrawFn) -> list[AnyKept]:
    day, hour, status = draw(DAYS), draw(HOURS), draw(STATUSES)
    known = on(day, hour) + timedelta(hours=draw(st.sampled_from([0, 0, 5, 200])))
    more = {"status": status, "known": known}
    parts = [
        result("anc", draw(ANCS), day, hour, bound=draw(st.sampled_from([None, None, None, "<", ">"])), **more),  # type: ignore[arg-type]
        result("platelets", draw(PLATELETS), day, hour, doubt=draw(DOUBTS), **more),  # type: ignore[arg-type]
        result("haemoglobin", draw(st.sampled_from(["7.9", "8.0", "11"])), day, hour, **more),  # type: ignore[arg-type]
        result("wbc", draw(st.sampled_from(["300", "3000", "5000"])), day, hour, **more),  # type: ignore[arg-type]
        result("temperature", draw(st.sampled_from(["36.8", "38.0", "39"])), day, hour, **more),  # type: ignore[arg-type]
    ]
    return draw(st.lists(st.sampled_from(parts), min_size=1, max_size=5, unique_by=lambda part: part.analyte))  # type: ignore[attr-defined]


@st.composite
def happenings(draw: st.DrawFn) -> AnyKept:
    day, hour = draw(DAYS), draw(HOURS)
    later = on(day + draw(st.integers(1, 20)), draw(HOURS))
    choice = draw(st.integers(0, 9))
    if choice <= 2:
        dose = draw(st.sampled_from(["5", "10", "15", "25"]))
        return lenalidomide(day, dose, hour, way=draw(st.sampled_from(["dispensed", "dispensed", "given", "ordered"])))
    if choice == 3:
        return supply("filgrastim", day, hour, days=3, way=draw(st.sampled_from(["dispensed", "ordered", "given"])))
    if choice == 4:
        return procedure("platelet-transfusion", day)
    if choice == 5:
        return diagnosis(["bleeding"], day, abated=draw(st.sampled_from([None, later])))
    if choice == 6:
        return diagnosis(["pneumonia"], day, grade=draw(st.integers(2, 4)))
    if choice == 7:
        return statement("planned-cycle-day-1", day, when=later)
    if choice == 8:
        code = draw(st.sampled_from(["marrow-heavily-infiltrated", "gcsf-plan", "transfusion-plan"]))
        return statement(code, day - 10 or 1, draw(st.sampled_from(["yes", "no"])), until=later)
    return statement("lenalidomide-stopped", day, "other")


@st.composite
def courses(draw: st.DrawFn) -> list[AnyKept]:
    facts: list[AnyKept] = [lenalidomide(1, draw(st.sampled_from(["5", "25"])))]
    if draw(st.booleans()):
        facts += [person(), result("weight", "60", -1), result("creatinine", draw(st.sampled_from(["1.0", "1.2"])), -1)]
    if draw(st.booleans()):
        facts += cbc(draw(st.sampled_from([-15, -14, -1])), draw(ANCS), draw(PLATELETS))
    for panel in draw(st.lists(counts(), max_size=7)):
        facts += panel
    return facts + draw(st.lists(happenings(), max_size=6))


def known_by(facts: list[AnyKept], at: datetime) -> list[AnyKept]:
    return [fact for fact in facts if fact.at <= at]


def essence(answer: Answer) -> object:
    if isinstance(answer, Found):
        return answer.findings
    return answer.missing if isinstance(answer, CannotAssess) else None


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(1, 80), HOURS, st.floats(0, 1, exclude_max=True), POLICIES)
def test_an_answer_holds_until_the_instant_it_names(
    facts: list[AnyKept], day: int, hour: float, share: float, changes: dict[str, str]
) -> None:
    at, using = on(day, hour), policy(**changes)
    held = ledger(known_by(facts, at), using=using)
    for entry in RULES:
        answer = entry.assess(View(held, at, using))
        until = answer.recheck_at
        assert until is None or until > at, entry.id
        ahead = (until - at) if until is not None else timedelta(days=500)
        last = at + ahead - timedelta(microseconds=1)
        for later in (min(at + ahead * share, last), last):
            assert essence(entry.assess(View(held, later, using))) == essence(answer), (entry.id, later)


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(1, 80), HOURS, POLICIES)
def test_every_finding_stands_on_facts_that_are_there(
    facts: list[AnyKept], day: int, hour: float, changes: dict[str, str]
) -> None:
    at, using = on(day, hour), policy(**changes)
    here = known_by(facts, at)
    ids = {fact.id for fact in here}
    seen = View(ledger(here, using=using), at, using)
    for entry in RULES:
        answer = entry.assess(seen)
        if not isinstance(answer, Found):
            continue
        assert answer.findings, entry.id
        assert len({finding.subject for finding in answer.findings}) == len(answer.findings), entry.id
        for finding in answer.findings:
            assert finding.since <= at, entry.id
            assert finding.effective_at <= at, entry.id
            assert using.severity(entry.id, finding.reason) is not None, entry.id
            assert finding.evidence, entry.id
            assert {shown.fact.id.removeprefix("anc:") for shown in finding.evidence} <= ids, entry.id
            assert finding.advice is not None, entry.id


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(1, 80), HOURS, POLICIES)
def test_a_finding_was_there_when_it_took_effect(
    facts: list[AnyKept], day: int, hour: float, changes: dict[str, str]
) -> None:
    """A correction looks again at that instant: an alert that was true then is resolved, never withdrawn."""
    at, using = on(day, hour), policy(**changes)
    here = known_by(facts, at)
    seen = View(ledger(here, using=using), at, using)
    for entry in RULES:
        answer = entry.assess(seen)
        if not isinstance(answer, Found) or entry.id == "late-result-historical":
            continue
        for finding in answer.findings:
            then = View(ledger(known_by(here, finding.effective_at), using=using), finding.effective_at, using)
            past = entry.assess(then)
            assert isinstance(past, Found), entry.id
            assert finding.subject in {other.subject for other in past.findings}, entry.id


FADES = {
    "late-result-historical": "it is shown for a stated time",
    "hold-dispense": "the supply is used up",
    "dispense-before-result": "the supply is used up",
    "plt-support-missing": "the bleeding ended",
    "cytopenia-start-caution": "it is about cycle 1 alone",
    "cytopenia-support-plan": "it is about cycle 1 alone",
    "len-age-reduced": "it is about cycle 1 alone",
    "len-dose-step-limit": "it is about one cycle",
    "len-schedule": "the supply is used up",
    "missed-dose": "it is shown for a stated time",
}
"""What ends by time, each with its reason; everything else only gets worse by waiting."""


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(1, 80), st.integers(1, 120), POLICIES)
def test_absence_of_a_result_never_lowers_a_severity(
    facts: list[AnyKept], day: int, wait: int, changes: dict[str, str]
) -> None:
    facts = [fact for fact in facts if getattr(fact, "code", None) != "marrow-heavily-infiltrated"]
    at, using = on(day), policy(**changes)
    held = ledger(known_by(facts, at), using=using)
    for entry in RULES:
        if entry.id in FADES:
            continue
        before = worst(entry, View(held, at, using), using)
        after = worst(entry, View(held, at + timedelta(days=wait), using), using)
        assert after >= before, entry.id


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(2, 80), st.booleans(), POLICIES)
def test_a_result_that_is_not_valid_never_lowers_a_severity(
    facts: list[AnyKept], day: int, is_preliminary: bool, changes: dict[str, str]
) -> None:
    """A preliminary, clumped or unreadable panel of splendid counts ends no hold and satisfies no cadence."""
    at, using = on(day, 9.5), policy(**changes)
    here = known_by(facts, at)
    if is_preliminary:
        panel = cbc(day, "4000", "250000", hour=9.25, status=FactStatus.PRELIMINARY)
    else:
        panel = [
            result("anc", None, day, 9.25, doubt=ResultDoubt.UNIT_UNKNOWN),
            result("platelets", "250000", day, 9.25, doubt=ResultDoubt.CLUMPED),
        ]
    without, with_it = ledger(here, using=using), ledger(here, panel, using=using)
    for entry in RULES:
        if not entry.is_hold and not entry.id.endswith(("-missing", "-overdue", "-reduce", "-watch")):
            continue
        before = worst(entry, View(without, at, using), using, confirmed=True)
        assert worst(entry, View(with_it, at, using), using, confirmed=True) >= before, entry.id


def worst(entry: RuleEntry, seen: View, using: Policy, *, confirmed: bool = False) -> int:
    """Rank of the most severe finding; 0 where there is none."""
    answer = entry.assess(seen)
    if not isinstance(answer, Found):
        return 0
    severities = [
        using.severity(entry.id, finding.reason)
        for finding in answer.findings
        if not (confirmed and finding.is_provisional)
    ]
    return max((severity.rank for severity in severities if isinstance(severity, Severity)), default=0)


@pytest.mark.parametrize("entry", RULES, ids=lambda entry: entry.id)
def test_a_rule_says_nothing_of_somebody_of_whom_nothing_is_known(entry: RuleEntry) -> None:
    seen = View(ledger(), on(1), policy())
    assert essence(entry.assess(seen)) is None
