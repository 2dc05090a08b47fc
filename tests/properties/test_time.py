"""Time as an argument: what an answer promises about the instants ahead of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.alerting import Judged
from rules.answers import Found
from rules.catalogue import CATALOGUE
from rules.view import View
from schemas.events import Fact
from tests.properties.histories import courses
from tests.rules.bedside import on, policy
from tests.rules.log import Walk


def arrive(parts: list[list[Fact]], until: datetime) -> Walk:
    """Each entry is known an hour after its newest fact; later entries are left out."""
    one = Walk()
    for part in parts:
        known = max((fact.versioned_at or fact.when.earliest) for fact in part) + timedelta(hours=1)
        if known <= until:
            one.hear(part, known)
    return one


def findings(one: Walk, at: datetime) -> set[tuple[str, str]]:
    """What every rule would say at an instant, with no new fact."""
    assert one.record is not None
    said = set()
    for entry in CATALOGUE:
        answer = entry.assess(View(one.record.ledger, at, policy()))
        if isinstance(answer, Found):
            for finding in answer.findings:
                severity = policy().severity(entry.id, finding.reason)
                if severity is not None:
                    said.add((entry.id, Judged(entry, finding, severity).basis))
        else:
            said.add((entry.id, type(answer).__name__))
    return said


@settings(max_examples=150, deadline=None)
@given(courses(), st.integers(2, 80), st.floats(0, 1))
def test_findings_at_any_instant_before_recheck_equal_those_now(
    parts: list[list[Fact]], day: int, share: float
) -> None:
    """The due check that is kept is early enough: nothing changes by itself before it."""
    now = on(day, 13)
    one = arrive(parts, now)
    if one.record is None or not one.record.header.is_enrolled:
        return
    one.tick(now)
    now = one.record.header.clock
    due = one.record.header.next_check or now + timedelta(days=400)
    later = now + (due - now - timedelta(seconds=1)) * share
    if later > now:
        assert findings(one, later) == findings(one, now)


@settings(max_examples=60, deadline=None)
@given(courses(), st.integers(2, 80), st.integers(1, 60))
def test_absence_of_a_result_never_clears_or_lowers_a_hold(parts: list[list[Fact]], day: int, days: int) -> None:
    one = arrive(parts, on(day, 13))
    if one.record is None:
        return
    ended = one.record.ledger.ended_at is not None
    holds = {a.rule: a.severity.rank for a in one.record.register if a.rule in ("anc-hold", "plt-hold", "fn-suspected")}
    one.tick(on(day, 13) + timedelta(days=days))
    after = {alert.rule: alert.severity.rank for alert in one.record.register}
    if not ended:
        assert all(after.get(rule, 0) >= rank for rule, rank in holds.items())


@settings(max_examples=60, deadline=None)
@given(courses(), st.lists(st.integers(1, 100), max_size=6))
def test_ticks_change_when_nothing_is_due_and_only_then(parts: list[list[Fact]], days: list[int]) -> None:
    """Many ticks or one: the same transitions, each at its own due instant."""
    few, many = arrive(parts, on(80)), arrive(parts, on(80))
    if few.record is None:
        return
    end = on(81) + timedelta(days=101)
    for offset in sorted(days):
        many.tick(on(81) + timedelta(days=offset))
    many.tick(end)
    few.tick(end)
    assert [t.to_json() for t in few.transitions] == [t.to_json() for t in many.transitions]


@settings(max_examples=40, deadline=None)
@given(courses())
def test_the_same_log_gives_the_same_bytes(parts: list[list[Fact]]) -> None:
    first, second = arrive(parts, on(90)), arrive(parts, on(90))
    assert [t.to_json() for t in first.transitions] == [t.to_json() for t in second.transitions]


@settings(max_examples=60, deadline=None)
@given(courses())
def test_each_alert_counts_its_transitions_from_one(parts: list[list[Fact]]) -> None:
    one = arrive(parts, on(90))
    counts: dict[str, int] = {}
    for told in one.transitions:
        assert told.sequence == counts.get(told.alert_id, 0) + 1
        counts[told.alert_id] = told.sequence
