"""Nothing of pregnancy prevention or infection changes by itself before the instant a rule asks to be looked at again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.answers import Answer, CannotAssess, Found
from rules.entry import Form
from rules.infection.entries import ENTRIES as INFECTION
from rules.picture import AnyKept
from rules.pregnancy.entries import ENTRIES as PREGNANCY
from rules.view import View
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, diagnosis, ledger, on, person, policy, result, statement, supply
from tests.rules.infection.test_vaccines import vaccine
from tests.rules.pregnancy.clinic import checked, hcg, ordered

RULES = (*PREGNANCY, *INFECTION)
DAYS = st.integers(-60, 150).filter(bool)
HOURS = st.sampled_from([0.0, 8.0, 9.0, 15.0])
ENDS = st.one_of(st.none(), st.integers(-10, 170).filter(bool).map(on))
STATUSES = st.sampled_from([FactStatus.FINAL, FactStatus.FINAL, FactStatus.FINAL, FactStatus.PRELIMINARY])
SAID = st.sampled_from(
    [("contraception", "two-methods"), ("contraception", "one-method"), ("contraception", "condom"), ("contraception", "none"),
     ("menses", "regular"), ("menses", "irregular"), ("menses", "missed"), ("partner", "pregnant"), ("partner", "none"),
     ("childbearing-potential", "yes"), ("childbearing-potential", "no"), ("childbearing-potential", "postmenopausal"),
     ("donation", "blood"), ("pregnancy-outcome", "excluded"), ("hbv-monitoring", "yes"), ("authorisation", None)]
)  # fmt: skip
CHANGES: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [{}, {"ppp_age_ends_potential": "true"}, {"ppp_two_methods": "false", "ppp_start_two_tests": "false"}]
)


@st.composite
def facts(draw: st.DrawFn) -> AnyKept:
    """One fact that a rule of these families reads."""
    day, hour = draw(DAYS), draw(HOURS)
    match draw(st.integers(0, 8)):
        case 0:
            return checked(day, draw(st.sampled_from(["negative", "negative", "positive", "indeterminate"])), hour,
                           analyte=draw(st.sampled_from(["hcg-qualitative", "pregnancy-status"])), status=draw(STATUSES))  # fmt: skip
        case 1:
            return hcg(day, draw(st.sampled_from(["1", "5", "25", "9000"])), hour, status=draw(STATUSES))
        case 2 | 3:
            code, value = draw(SAID)
            ends = draw(ENDS)
            return statement(code, day, value, until=ends)
        case 4:
            concept = draw(st.sampled_from(["pregnant", "pneumonia"]))
            return replace(
                diagnosis([concept], day, abated=draw(ENDS), history=draw(st.booleans())), status=draw(STATUSES)
            )
        case 5:
            medicine = draw(
                st.sampled_from(["combined-contraceptive", "hormonal-contraceptive", "aciclovir", "levofloxacin",
                                 "dexamethasone", "live-vaccine"])
            )  # fmt: skip
            way = draw(st.sampled_from(["dispensed", "given", "ordered"]))
            return supply(medicine, day, hour, way=way, days=draw(st.sampled_from([7, 28])), dose="160")
        case 6:
            given = supply("bortezomib", day, hour, way="given")
            return replace(given, classes=("proteasome-inhibitor",))
        case 7:
            name = draw(st.sampled_from(["hbsag", "anti-hbc"]))
            answer = draw(st.sampled_from(["negative", "positive", "indeterminate"]))
            return replace(result(name, None, day, hour, status=draw(STATUSES)), answer=answer)
        case _:
            name = draw(st.sampled_from(["influenza", "pneumococcal", "covid-19", "zoster-live"]))
            # Two facts never have one id: the same vaccine twice a day is two of them.
            return vaccine(name, day, fact_id=f"{name}:{day}:{hour}:{draw(st.integers(0, 2**40))}")


@st.composite
def patients(draw: st.DrawFn) -> list[AnyKept]:
    """Somebody prescribed lenalidomide, mostly treated, for some cycles, perhaps to an end, and whatever else."""
    sex = draw(st.sampled_from(["female", "female", "female", "male", "unknown"]))
    patient: list[AnyKept] = [person(draw(st.sampled_from(["1966-06-20", "1976-07-15", "1990-03-01"])), sex, day=-70)]
    if draw(st.booleans()):
        patient.append(ordered(draw(st.integers(-20, 1).filter(bool)), hour=8.5))
    for number in range(draw(st.integers(0, 5))):
        shift = draw(st.sampled_from([0, 0, -9, 5])) if number else 0
        days = draw(st.sampled_from([28, 28, 56]))
        patient.append(supply("lenalidomide", 1 + 28 * number + shift, days=days, strength="25", dose="25"))
    if draw(st.integers(0, 3)) == 0:
        patient.append(statement("last-menses", -30, when=on(draw(st.integers(-750, -200)))))
    if draw(st.integers(0, 2)) == 0:
        said = draw(st.integers(30, 120))
        ends = on(said + draw(st.sampled_from([0, 0, 5, 30])))
        patient.append(statement("lenalidomide-stopped", said, "other", when=ends))
    if draw(st.integers(0, 7)) == 0:
        patient.append(statement("therapy-line", -5, number="0", until=draw(ENDS)))
    if draw(st.integers(0, 9)) == 0:
        died = draw(st.integers(60, 140))
        patient.append(replace(patient[0], id="died", at=on(died), died=on(died)))
    everything = [*patient, *draw(st.lists(facts(), max_size=9))]
    # One fact is in a history once, however often it was sent.
    return list({fact.id: fact for fact in everything}.values())


def told(answer: Answer) -> object:
    """All of what an answer says."""
    if isinstance(answer, Found):
        return answer.findings
    return answer.missing if isinstance(answer, CannotAssess) else "nothing"


@settings(max_examples=500, deadline=None)
@given(
    patient=patients(),
    day=st.integers(-15, 170).filter(bool),
    hour=st.sampled_from([0.0, 8.5, 12.0, 23.9]),
    share=st.floats(0, 1),
    profile=st.sampled_from(PROFILES),
    changes=CHANGES,
)
def test_findings_before_recheck_equal_those_now(
    patient: list[AnyKept], day: int, hour: float, share: float, profile: str, changes: dict[str, str]
) -> None:
    now, using = on(day, hour), policy(profile, **changes)
    book = ledger([fact for fact in patient if fact.at <= now], using=using)
    for entry in RULES:
        answer = entry.assess(View(book, now, using))
        due = answer.recheck_at
        assert due is None or due > now, entry.id
        last = min(due or now + timedelta(days=500), now + timedelta(days=900)) - timedelta(seconds=1)
        for later in (now + (last - now) * share, last):
            assert told(entry.assess(View(book, later, using))) == told(answer), entry.id


@settings(max_examples=300, deadline=None)
@given(patient=patients(), day=st.integers(-15, 170).filter(bool), profile=st.sampled_from(PROFILES), changes=CHANGES)
def test_what_a_finding_stands_on_lies_behind_it(
    patient: list[AnyKept], day: int, profile: str, changes: dict[str, str]
) -> None:
    """Evidence exists in the record; the finding began before it took effect, and that before now."""
    now, using = on(day), policy(profile, **changes)
    known = [fact for fact in patient if fact.at <= now]
    ids = {fact.id for fact in known}
    for entry in RULES:
        answer = entry.assess(View(ledger(known, using=using), now, using))
        findings = answer.findings if isinstance(answer, Found) else ()
        assert len({finding.subject for finding in findings}) == len(findings), entry.id
        for finding in findings:
            assert finding.evidence, entry.id
            assert {shown.fact.id for shown in finding.evidence} <= ids, entry.id
            assert finding.since <= finding.effective_at <= now, entry.id
            assert finding.advice is not None, entry.id


@settings(max_examples=400, deadline=None)
@given(patient=patients(), day=st.integers(1, 170), profile=st.sampled_from(PROFILES), changes=CHANGES)
def test_a_finding_was_there_when_it_took_effect(
    patient: list[AnyKept], day: int, profile: str, changes: dict[str, str]
) -> None:
    """Looked at again at its own instant, with the facts of then, the rule says it too."""
    now, using = on(day), policy(profile, **changes)
    behind = [fact for fact in patient if fact.at <= now]
    for entry in (entry for entry in RULES if entry.form is Form.ALERT):
        answer = entry.assess(View(ledger(behind, using=using), now, using))
        for finding in answer.findings if isinstance(answer, Found) else ():
            then = finding.effective_at
            before = [fact for fact in behind if fact.at <= then]
            again = entry.assess(View(ledger(before, using=using), then, using))
            assert isinstance(again, Found), (entry.id, then)
