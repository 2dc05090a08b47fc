"""`rules.watch.step` on the lives an alert can have. Each test is one short story."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from rules.history import all_facts, open_history
from rules.record import RecordDamaged, read_record, write_record
from rules.watch import Heard, mark_not_monitored, step
from schemas.events import Entry, FactStatus, ResultDoubt
from tests.rules.bedside import ZONE, on, policy
from tests.rules.log import PATIENT, Walk, described, dispense, lab, stated


def enrolled() -> Walk:
    """A man of 68 on day 1 of cycle 1 with a normal baseline."""
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(lab(-1), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    one.transitions.clear()
    return one


def only(one: Walk, *rules: str) -> list[tuple[str, str, str]]:
    """Transitions of these rules as (transition, rule, cause)."""
    return [(t.transition.value, t.rule, t.cause.value) for t in one.transitions if t.rule in rules]


def test_one_severe_count_raises_one_hold_and_recovery_resolves_it() -> None:
    one = enrolled()
    one.hear(lab(8, anc="480"), on(8, 12))
    one.hear(lab(15, anc="1000"), on(15, 12))
    assert only(one, "anc-hold") == [("raised", "anc-hold", "new-evidence"), ("resolved", "anc-hold", "new-evidence")]


def test_every_field_a_pharmacist_needs_is_on_the_raised_alert() -> None:
    one = enrolled()
    told = next(t for t in one.hear(lab(8, anc="480"), on(8, 12), "event-8") if t.rule == "anc-hold")
    assert (told.severity, told.reason, told.course, told.cycle, told.cycle_day, told.episode) == (
        "critical", "severe", 1, 1, 8, 1)  # fmt: skip
    assert told.cycle_inferred
    assert (told.at, told.effective_at, told.caused_by) == (on(8, 12), on(8, 9), "event-8")
    evidence = told.evidence[0]
    assert evidence.received is not None
    assert evidence.normalised is not None
    assert (evidence.received.value, evidence.received.unit, evidence.normalised.value) == ("480", "cells/uL", "480")
    assert evidence.source is not None
    assert evidence.source.message == "L8-9.0"
    assert [threshold.key for threshold in told.thresholds] == ["anc_severe", "anc_resume_at"]
    assert told.citations[0].source == "S2"
    assert told.policy.profile == "kr-panel"
    assert told.advice is not None
    assert told.advice.action == "hold"


def test_the_same_message_again_says_nothing() -> None:
    one = enrolled()
    one.hear(lab(8, anc="480"), on(8, 12))
    assert one.hear(lab(8, anc="480"), on(8, 13)) == []


def test_the_same_message_again_is_counted_as_a_duplicate() -> None:
    one = enrolled()
    one.hear(lab(8), on(8, 12))
    assert one.record is not None
    entry = Entry(event_id="again", patient=PATIENT, feed="lab", zone=ZONE, facts=tuple(lab(8)))
    stepped = step(one.record, entry, Heard(on(8, 13), 0, 9), policy())
    assert {outcome.outcome for outcome in stepped.outcomes} == {"duplicate"}


def test_a_hold_that_only_a_count_in_doubt_opened_asks_for_no_lower_dose() -> None:
    one = enrolled()
    clumped = [fact.model_copy(update={"doubt": ResultDoubt.CLUMPED}) if fact.analyte == "platelets" else fact
               for fact in lab(8, platelets="22000")]  # fmt: skip
    held = next(t for t in one.hear(clumped, on(8, 12)) if t.rule == "plt-hold")
    assert held.provisional
    one.hear(lab(9, platelets="190000"), on(9, 12))
    told = one.hear(dispense(29), on(29, 12))
    assert "resume-dose-high" not in {t.rule for t in told}


def test_a_correction_withdraws_and_a_correction_back_raises_the_same_alert_again() -> None:
    one = enrolled()
    raised = next(t for t in one.hear(lab(8, anc="480"), on(8, 12)) if t.rule == "anc-hold")
    corrected = lab(8, anc="4800", status=FactStatus.CORRECTED, version=on(8, 13))
    withdrawn = next(t for t in one.hear(corrected, on(8, 14)) if t.rule == "anc-hold")
    back = lab(8, anc="480", status=FactStatus.CORRECTED, version=on(8, 15))
    again = next(t for t in one.hear(back, on(8, 16)) if t.rule == "anc-hold")
    assert (withdrawn.transition, withdrawn.cause) == ("withdrawn", "corrected")
    assert [t.alert_id for t in (raised, withdrawn, again)] == [raised.alert_id] * 3
    assert [t.sequence for t in (raised, withdrawn, again)] == [1, 2, 3]
    assert len({t.transition_id for t in (raised, withdrawn, again)}) == 3


def test_a_retraction_withdraws() -> None:
    one = enrolled()
    one.hear(lab(8, anc="480"), on(8, 12))
    one.hear(lab(8, anc="480", status=FactStatus.WITHDRAWN, version=on(8, 13)), on(8, 14))
    assert only(one, "anc-hold")[-1] == ("withdrawn", "anc-hold", "retracted")


def test_an_older_version_that_arrives_after_its_retraction_does_not_bring_it_back() -> None:
    one = enrolled()
    one.hear(lab(8, anc="480", status=FactStatus.WITHDRAWN, version=on(8, 13)), on(8, 14))
    one.hear(lab(8, anc="480"), on(8, 15))
    assert only(one, "anc-hold") == []


def test_delay_is_superseded_by_a_severe_hold_and_reinstated_when_that_is_withdrawn() -> None:
    one = enrolled()
    one.hear(lab(26, anc="900"), on(26, 12))
    one.hear(lab(27, anc="400"), on(27, 12))
    one.hear(lab(27, anc="850", status=FactStatus.CORRECTED, version=on(27, 15)), on(27, 16))
    assert sorted(only(one, "anc-cycle-delay", "anc-hold")) == sorted([
        ("raised", "anc-cycle-delay", "new-evidence"),
        ("raised", "anc-hold", "new-evidence"),
        ("superseded", "anc-cycle-delay", "more-severe-rule"),
        ("withdrawn", "anc-hold", "corrected"),
        ("raised", "anc-cycle-delay", "reinstated"),
    ])  # fmt: skip
    delays = [t for t in one.transitions if t.rule == "anc-cycle-delay"]
    assert [t.sequence for t in delays] == [1, 2, 3]
    assert len({t.alert_id for t in delays}) == 1
    assert delays[1].superseded_by == "anc-hold"


def test_a_preliminary_count_shows_and_holds_nothing() -> None:
    one = enrolled()
    told = one.hear(lab(8, anc="400", status=FactStatus.PRELIMINARY), on(8, 12))
    hold = next(t for t in told if t.rule == "anc-hold")
    assert hold.provisional
    assert one.record is not None
    assert one.record.ledger.holds == ()
    final = one.hear(lab(8, anc="400", version=on(8, 13)), on(8, 14))
    confirmed = next(t for t in final if t.rule == "anc-hold")
    assert (confirmed.transition, confirmed.provisional, confirmed.alert_id) == ("updated", False, hold.alert_id)
    assert [held.cause for held in one.record.ledger.holds] == ["anc"]


def test_a_fact_in_the_future_decides_nothing_until_then() -> None:
    one = enrolled()
    assert only_rules(one.hear(lab(9, anc="300"), on(8, 12))) == set()
    one.tick(on(8, 23))
    assert ("anc-hold", "critical") not in one.open()
    one.tick(on(9, 10))
    assert ("anc-hold", "critical") in one.open()


def only_rules(told: list) -> set[str]:  # type: ignore[type-arg]
    return {t.rule for t in told if t.rule == "anc-hold"}


def test_results_of_a_person_not_on_lenalidomide_wait_and_count_as_baseline() -> None:
    one = Walk()
    assert one.hear(lab(-3, anc="300"), on(-3, 12)) == []
    assert one.record is not None
    assert not one.record.header.is_enrolled
    one.hear(dispense(1), on(1, 11))
    assert one.record.header.is_enrolled
    assert one.record.ledger.baseline["anc"].value == Decimal(300)


def test_results_older_than_the_keeping_time_are_forgotten_before_enrolment() -> None:
    one = Walk()
    one.hear(lab(-60), on(-60, 12))
    one.hear(lab(-3), on(-3, 12))
    assert one.record is not None
    assert {fact.at for fact in all_facts(open_history(one.record))} == {on(-3)}


def test_nobody_but_the_patient_with_lenalidomide_raises_anything() -> None:
    one = Walk()
    one.hear(lab(8, anc="100", platelets="5000"), on(8, 12))
    one.tick(on(80))
    assert one.transitions == []


def test_before_go_live_is_historical() -> None:
    one = enrolled()
    entry = Entry(event_id="x", patient=PATIENT, feed="lab", zone=ZONE, facts=tuple(lab(8, anc="300")), live_from=on(9))
    stepped = step(one.record, entry, Heard(on(8, 12), 0, 9), policy())
    assert {t.historical for t in stepped.transitions if t.rule == "anc-hold"} == {True}


def test_a_changed_policy_is_the_cause_it_names() -> None:
    one = enrolled()
    one.hear(lab(8, anc="500"), on(8, 12))
    assert ("anc-hold", "critical") in one.open()
    one.using = policy(anc_severe_inclusive="false")
    one.hear(lab(8.5, wbc="4000"), on(9))
    assert ("anc-hold", "critical") not in one.open()
    assert ("withdrawn", "anc-hold", "policy-change") in only(one, "anc-hold")


def test_missing_counts_are_one_gap_that_says_which_rules_are_blind() -> None:
    one = Walk()
    one.hear(dispense(1), on(1, 11))
    gaps = [t for t in one.transitions if t.rule == "assessment-gap"]
    assert [t.transition for t in gaps][:1] == ["raised"]
    assert gaps[0].severity == "high"
    assert {item.rule for item in gaps[0].missing} >= {"anc-hold", "plt-hold"}
    one.hear(lab(2), on(2, 12))
    last = [t for t in one.transitions if t.rule == "assessment-gap"][-1]
    assert last.transition == "resolved" or {item.rule for item in last.missing}.isdisjoint({"anc-hold", "plt-hold"})


def test_supply_that_ended_long_ago_asks_a_person_and_closes_nothing() -> None:
    one = enrolled()
    one.hear(lab(8, anc="300"), on(8, 12))
    one.tick(on(28 + 61))
    gap = [t for t in one.transitions if t.rule == "assessment-gap"][-1]
    assert "course-end" in {item.rule for item in gap.missing}
    assert ("anc-hold", "critical") in one.open()


def test_a_recorded_stop_ends_the_course_and_leaves_its_hold_to_recovery() -> None:
    one = enrolled()
    one.hear(lab(8, anc="300"), on(8, 12))
    one.tick(on(11))
    assert ("anc-gcsf-missing", "high") in one.open()
    one.hear(stated(11, "lenalidomide-stopped", "toxicity"), on(11, 12))
    assert only(one, "anc-gcsf-missing")[-1] == ("resolved", "anc-gcsf-missing", "course-ended")
    assert ("anc-hold", "critical") in one.open()
    one.hear(lab(20, anc="1500"), on(20, 12))
    assert only(one, "anc-hold")[-1][0] == "resolved"


def test_a_mark_of_not_monitored_is_on_every_later_transition() -> None:
    one = enrolled()
    assert one.record is not None
    one.record = mark_not_monitored(one.record, on(7))
    told = one.hear(lab(8, anc="300"), on(8, 12))
    assert told
    assert all(t.not_monitored for t in told)


@pytest.fixture(scope="module")
def five_years() -> Walk:
    """Five years by the book: a CBC a week, a dispense every 28 days."""
    one = enrolled()
    for day in range(8, 1825, 7):
        if day % 28 == 1:
            one.hear(dispense(day), on(day, 11))
        one.hear(lab(day, creatinine="1.0", weight="60"), on(day, 12))
    return one


def test_five_years_fit_the_head_of_a_record(five_years: Walk) -> None:
    assert five_years.record is not None
    assert len(five_years.record.segments) > 5
    oldest = min(fact.at for fact in all_facts(open_history(five_years.record)))
    assert on(1824) - oldest < timedelta(days=300)
    assert len(write_record(five_years.record)) < 32 * 1024


def test_a_fact_behind_the_cut_asks_for_the_history_and_is_placed(five_years: Walk) -> None:
    one = Walk(record=five_years.record, offset=five_years.offset, stored=dict(five_years.stored))
    assert one.record is not None
    count_before = one.record.ledger.neutropenia_count
    late = Entry(event_id="late", patient=PATIENT, feed="lab", zone=ZONE, facts=tuple(lab(103, anc="300")))
    heard = Heard(on(1824, 20), 0, one.offset)
    asked = step(one.record, late, heard, policy())
    assert asked.needs == tuple(segment.name for segment in one.record.segments)
    assert asked.transitions == ()
    one.hear(lab(103, anc="300"), on(1824, 20))
    assert one.record.ledger.neutropenia_count == count_before + 1
    assert ("anc-hold", "critical") not in one.open()


def test_an_unchanged_segment_keeps_its_name_when_history_is_refolded(five_years: Walk) -> None:
    one = Walk(record=five_years.record, offset=five_years.offset, stored=dict(five_years.stored))
    assert five_years.record is not None
    one.hear(lab(1503, anc="900"), on(1824, 20))
    assert one.record is not None
    before = {segment.name for segment in five_years.record.segments}
    after = {segment.name for segment in one.record.segments}
    assert len(before & after) >= len(before) // 2


@pytest.mark.parametrize("place", [0, 3, 4, 7, 8, 100, -1])
def test_one_damaged_byte_of_a_record_is_noticed(place: int) -> None:
    one = enrolled()
    assert one.record is not None
    raw = bytearray(write_record(one.record))
    raw[place] ^= 0x01
    with pytest.raises(RecordDamaged):
        read_record(bytes(raw))


def test_a_clock_never_runs_backwards() -> None:
    one = enrolled()
    one.hear(lab(8), on(8, 12))
    one.hear(lab(7), on(7, 12))
    assert one.record is not None
    assert one.record.header.clock == on(8, 12)


def test_an_alert_that_ends_and_begins_in_one_step_goes_on_counting() -> None:
    """A stop written down late makes a second course of what was one: its gap ends and is raised again at once."""
    one = enrolled()
    one.hear(dispense(29), on(29, 11))
    one.hear(stated(29, "lenalidomide-stopped", "progression"), on(29, 13))
    counted: dict[str, int] = {}
    for told in one.transitions:
        counted.setdefault(told.alert_id, told.sequence - 1)
        assert told.sequence == counted[told.alert_id] + 1
        counted[told.alert_id] = told.sequence
