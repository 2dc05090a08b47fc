"""The programme through the door of the rules: lives of alerts, and a year by the book."""

from __future__ import annotations

from datetime import datetime

import pytest

from rules.answers import Found
from rules.catalogue import CATALOGUE
from rules.picture import AnyKept
from rules.view import View
from schemas.alerts import Severity
from schemas.events import FactStatus, LabResultReported
from schemas.values import Coding, Source, When
from tests.rules.bedside import PROFILES, ledger, on, policy, statement, supply
from tests.rules.infection.test_other_infections import NEGATIVE
from tests.rules.infection.test_vaccines import WANTED, vaccine
from tests.rules.log import PATIENT, Walk, described, dispense, stated
from tests.rules.pregnancy.clinic import by_the_book, checked, man, ordered, said_at

MINE = ("pregnancy", "infection")


def hcg_reported(
    day: float,
    answer: str,
    hour: float = 8.0,
    *,
    status: FactStatus = FactStatus.FINAL,
    version: datetime | None = None,
) -> list[LabResultReported]:
    """A qualitative pregnancy test as a laboratory reports it."""
    at = on(day, hour)
    return [
        LabResultReported(
            fact_id=f"hcg/{day}/{hour}", origin_key=PATIENT.key, when=When.at(at), issued_at=at, versioned_at=version or at,
            status=status, source=Source(feed="lab", message=f"H{day}"), analyte="hcg-qualitative",
            codes=(Coding(system="http://loinc.org", code="2106-3"),), text=answer, answer=answer,
        )
    ]  # fmt: skip


def her() -> Walk:
    """A woman of whom the programme knows everything, on treatment from day 1."""
    one = Walk()
    one.hear(described(birth="1990-03-01", sex="female"), on(-50))
    for day, code, value in (
        (-31, "childbearing-potential", "yes"),
        (-30, "contraception", "two-methods"),
        (-29, "menses", "regular"),
    ):
        one.hear(stated(day, code, value), on(day, 9))
    one.hear(hcg_reported(-12, "negative"), on(-12))
    one.hear(hcg_reported(1, "negative"), on(1))
    one.hear(dispense(1), on(1, 11))
    return one


def life(one: Walk, rule: str) -> list[tuple[str, str]]:
    return [(told.transition.value, told.cause.value) for told in one.transitions if told.rule == rule]


def test_a_pregnancy_from_the_first_test_to_the_release() -> None:
    one = her()
    assert not [rule for rule, _ in one.open() if rule.startswith("ppp-")]
    one.hear(hcg_reported(8, "positive"), on(8, 9))
    assert ("ppp-pregnancy-positive", "critical") in one.open()
    one.hear(dispense(9), on(9, 11))
    assert ("hold-dispense", "critical") in one.open()
    one.hear(hcg_reported(10, "negative"), on(10, 9))
    assert ("ppp-pregnancy-positive", "critical") in one.open()
    one.hear(stated(14, "pregnancy-outcome", "excluded"), on(14, 9))
    assert life(one, "ppp-pregnancy-positive") == [("raised", "new-evidence"), ("resolved", "acted-on")]
    assert not {"ppp-pregnancy-positive", "hold-dispense"} & {rule for rule, _ in one.open()}


def test_a_pregnancy_takes_over_from_an_indeterminate_test() -> None:
    one = her()
    one.hear(hcg_reported(8, "indeterminate"), on(8, 9))
    assert ("ppp-test-indeterminate", "high") in one.open()
    one.hear(hcg_reported(10, "positive"), on(10, 9))
    assert life(one, "ppp-test-indeterminate") == [("raised", "new-evidence"), ("superseded", "more-severe-rule")]
    assert ("ppp-pregnancy-positive", "critical") in one.open()


def test_a_positive_test_corrected_to_negative_is_withdrawn() -> None:
    one = her()
    one.hear(hcg_reported(8, "positive"), on(8, 9))
    one.hear(hcg_reported(8, "negative", status=FactStatus.CORRECTED, version=on(9)), on(9))
    assert life(one, "ppp-pregnancy-positive") == [("raised", "new-evidence"), ("withdrawn", "corrected")]


def test_an_overdue_test_that_was_only_late_to_arrive_withdraws_it() -> None:
    one = her()
    one.tick(on(10, 1))
    assert life(one, "ppp-test-overdue") == [("raised", "time-passed")]
    one.hear(hcg_reported(8, "negative"), on(11))
    assert life(one, "ppp-test-overdue") == [("raised", "time-passed"), ("withdrawn", "evidence-arrived-late")]


def test_first_lenalidomide_without_any_test() -> None:
    one = Walk()
    one.hear(described(birth="1990-03-01", sex="female"), on(-20))
    one.hear(dispense(1), on(1, 11))
    assert {("ppp-test-missing", "critical"), ("ppp-contraception-female", "high")} <= one.open()
    assert "ppp-dispense-window" not in {rule for rule, _ in one.open()}
    one.hear(hcg_reported(2, "negative"), on(2))
    assert life(one, "ppp-test-missing") == [("raised", "new-evidence"), ("resolved", "acted-on")]


def test_the_order_of_arrival_ends_in_the_same_alerts() -> None:
    parts = [
        (described(birth="1990-03-01", sex="female"), on(-20)), (dispense(1), on(1, 11)),
        (hcg_reported(8, "indeterminate"), on(8, 9)), (hcg_reported(10, "positive"), on(10, 9)),
        (stated(14, "pregnancy-outcome", "ended"), on(14, 9)), (hcg_reported(20, "positive"), on(20, 9)),
    ]  # fmt: skip
    straight, other = Walk(), Walk()
    for facts, known in parts:
        straight.hear(facts, known)
    for facts, _ in [parts[0], parts[1], *reversed(parts[2:])]:
        other.hear(facts, on(21))
    assert straight.record is not None
    assert other.record is not None
    registers = [walked.record.register for walked in (straight, other)]
    one, two = (
        [(a.rule, a.subject, a.since, a.severity) for a in alerts if a.rule.startswith("ppp-")] for alerts in registers
    )
    assert one == two


def year_of(woman: bool) -> list[AnyKept]:
    """Thirteen cycles of a patient who does all that is asked, in any profile."""
    facts: list[AnyKept] = [*NEGATIVE, *(vaccine(name, -200) for name in WANTED), vaccine("influenza", 115)]
    facts.append(supply("co-trimoxazole", 1, hour=9.5, days=77))
    if woman:
        facts += by_the_book()
    else:
        facts += [
            man(),
            said_at("partner", -9, "of-potential-with-contraception"),
            said_at("contraception", -9, "condom"),
        ]
        facts += [ordered(1, hour=9), supply("lenalidomide", 1, days=28, strength="25", dose="25")]
    for number in range(1, 13):
        day = 1 + 28 * number
        facts += [ordered(day, hour=9), supply("lenalidomide", day, days=28, strength="25", dose="25")]
        facts += [checked(day)] if woman and number > 1 else []
    end = 366
    facts += [statement("lenalidomide-stopped", end, "completed", when=on(end))]
    return [*facts, checked(end + 30)] if woman else facts


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("woman", [True, False])
def test_a_year_by_the_book_is_quiet(woman: bool, profile: str) -> None:
    facts, using = year_of(woman), policy(profile)
    heard: set[tuple[str, Severity | None]] = set()
    for day in range(1, 440):
        at = on(day, 23.5)
        seen = View(ledger([fact for fact in facts if fact.at <= at], using=using), at, using)
        for entry in CATALOGUE:
            answer = entry.assess(seen) if entry.family in MINE else None
            if isinstance(answer, Found):
                heard |= {(entry.id, using.severity(entry.id, finding.reason)) for finding in answer.findings}
    assert heard == set()
