"""Alerts over time: late, corrected, retracted, future facts; a second course; the cut; a change of policy.

The expected transitions are those of the clinical reference (parts 0.4, 1.10) and of the design (parts 5 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import pytest

from rules.history import all_facts, open_history
from schemas.events import Fact, FactStatus
from tests.rules.bedside import on, policy
from tests.rules.log import Walk, described, dispense, lab, stated

C, W, P = FactStatus.CORRECTED, FactStatus.WITHDRAWN, FactStatus.PRELIMINARY


def enrolled(**changes: str) -> Walk:
    """A man of 68 on day 1 of cycle 1 with a normal baseline."""
    one = Walk(using=policy(**changes))
    one.hear(described(), on(-20))
    one.hear(lab(-1), on(-1, 10))
    one.hear(dispense(1), on(1, 11))
    one.transitions.clear()
    return one


def life(one: Walk, rule: str) -> list[tuple[str, str]]:
    """Transitions of a rule as (transition, cause)."""
    return [(told.transition.value, told.cause.value) for told in one.transitions if told.rule == rule]


def is_open(one: Walk, rule: str) -> bool:
    return any(found == rule for found, _ in one.open())


def hear_all(one: Walk, *entries: tuple[Iterable[Fact], datetime]) -> Walk:
    for facts, known in entries:
        one.hear(facts, known)
    return one


# --- corrected and retracted


def test_a_correction_that_changes_nothing_of_the_hold_says_no_end() -> None:
    one = enrolled()
    one.hear(lab(8, anc="480"), on(8, 12))
    one.hear(lab(8, anc="460", status=C, version=on(8, 13)), on(8, 14))
    assert life(one, "anc-hold") == [("raised", "new-evidence"), ("updated", "corrected")]


def test_a_correction_across_the_severe_level_is_one_alert_that_got_better() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="900"), on(8, 12)), (lab(10), on(10, 12)), (lab(15, anc="480"), on(15, 12)))
    one.hear(lab(15, anc="700", status=C, version=on(15, 13)), on(15, 14))
    assert life(one, "anc-hold") == [("raised", "new-evidence"), ("updated", "better")]
    assert ("anc-hold", "high") in one.open()


def test_a_correction_of_the_recovery_opens_the_same_hold_again() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (lab(12, anc="1200"), on(12, 12)))
    one.hear(lab(12, anc="800", status=C, version=on(12, 13)), on(12, 14))
    held = [told for told in one.transitions if told.rule == "anc-hold"]
    assert [told.transition.value for told in held] == ["raised", "resolved", "raised"]
    assert len({told.alert_id for told in held}) == 1
    assert [told.sequence for told in held] == [1, 2, 3]
    assert life(one, "anc-resume-ok")[-1] == ("withdrawn", "corrected")


def test_a_retracted_recovery_opens_it_again() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (lab(12, anc="1200"), on(12, 12)))
    one.hear(lab(12, anc="1200", status=W, version=on(12, 13)), on(12, 14))
    assert is_open(one, "anc-hold")
    assert not is_open(one, "anc-resume-ok")


def test_a_retracted_first_episode_makes_the_second_one_the_first() -> None:
    """Without the first episode an ANC of 800 is watched, not held (part 1.10)."""
    one = enrolled()
    hear_all(one, (lab(8, anc="900"), on(8, 12)), (lab(10), on(10, 12)), (lab(15, anc="800"), on(15, 12)))
    assert is_open(one, "anc-hold")
    one.hear(lab(8, anc="900", status=W, version=on(15, 13)), on(15, 14))
    assert life(one, "anc-hold")[-1] == ("withdrawn", "retracted")
    assert is_open(one, "anc-low-watch")


def test_a_corrected_collection_time_moves_the_count() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (lab(9, anc="1500"), on(9, 12)))
    assert not is_open(one, "anc-hold")
    moved = [
        fact.model_copy(update={"fact_id": fact.fact_id.replace("lab/8/", "lab/10/"), "status": C})
        for fact in lab(10, anc="400")
    ]
    same = [
        fact.model_copy(update={"fact_id": f"lab/8/9.0/{fact.analyte}", "versioned_at": on(10, 11)}) for fact in moved
    ]
    one.hear(same, on(10, 12))
    assert is_open(one, "anc-hold")
    assert one.record is not None
    assert one.record.ledger.holds[0].opened.at == on(10)


def test_all_three_rows_of_one_episode_come_back_one_by_one() -> None:
    """Watch, delay, severe; then the severe and the delaying count are corrected: the watch is there again."""
    one = enrolled()
    hear_all(one, (lab(24, anc="900"), on(24, 12)), (lab(26, anc="850"), on(26, 12)), (lab(27, anc="400"), on(27, 12)))
    assert [rule for rule, _ in one.open() if rule.startswith("anc-")] == ["anc-hold"]
    one.hear(lab(27, anc="860", status=C, version=on(27, 13)), on(27, 14))
    assert [rule for rule, _ in one.open() if rule.startswith("anc-")] == ["anc-cycle-delay"]
    both = [*lab(26, status=W, version=on(27, 15)), *lab(27, status=W, version=on(27, 15))]
    one.hear(both, on(27, 16))
    assert [rule for rule, _ in one.open() if rule.startswith("anc-")] == ["anc-low-watch"]
    rows = ("anc-low-watch", "anc-cycle-delay", "anc-hold")
    for rule in rows:
        sequences = [told.sequence for told in one.transitions if told.rule == rule]
        assert sequences == list(range(1, len(sequences) + 1))
    assert len({told.alert_id for told in one.transitions if told.rule == "anc-low-watch"}) == 1


# --- the dispense, the baseline


def test_retraction_of_the_dispense_that_began_the_course_withdraws_everything() -> None:
    one = enrolled()
    one.hear(lab(8, anc="300", platelets="20000"), on(8, 12))
    one.hear(dispense(1, status=W, version=on(9, 11)), on(9, 12))
    assert one.open() == set()
    assert {kind for kind, _ in [life(one, rule)[-1] for rule in ("anc-hold", "plt-hold")]} == {"withdrawn"}
    assert one.record is not None
    assert one.record.ledger.holds == ()
    one.tick(on(60))
    assert one.open() == set()


def test_a_corrected_dispense_after_its_retraction_brings_the_course_back() -> None:
    one = enrolled()
    one.hear(lab(8, anc="300"), on(8, 12))
    one.hear(dispense(1, status=W, version=on(9, 11)), on(9, 12))
    one.hear(dispense(1, dose="15", status=C, version=on(9, 13)), on(9, 14))
    assert is_open(one, "anc-hold")
    assert len({told.alert_id for told in one.transitions if told.rule == "anc-hold"}) == 1


def test_retraction_of_a_refill_leaves_the_course() -> None:
    one = enrolled()
    hear_all(one, (dispense(29), on(29, 11)), (lab(36, anc="300"), on(36, 12)))
    one.hear(dispense(29, status=W, version=on(37, 11)), on(37, 12))
    assert is_open(one, "anc-hold")
    assert one.record is not None
    assert [cycle.number for cycle in one.record.ledger.cycles] == [1]


def test_retraction_of_the_baseline_says_that_it_is_missing() -> None:
    one = enrolled()
    assert not is_open(one, "cbc-baseline-missing")
    one.hear(lab(-1, status=W, version=on(3, 11)), on(3, 12))
    told = next(told for told in one.transitions if told.rule == "cbc-baseline-missing")
    assert (told.transition.value, told.effective_at) == ("raised", on(1, 10))
    assert is_open(one, "assessment-gap")


def test_a_late_baseline_withdraws_what_said_that_it_was_missing() -> None:
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(dispense(1), on(1, 11))
    one.hear(lab(-1), on(2, 12))
    assert life(one, "cbc-baseline-missing") == [("raised", "new-evidence"), ("withdrawn", "evidence-arrived-late")]


def test_a_baseline_issued_after_the_dispense_resolves_it() -> None:
    """The blood was drawn the day before, and nobody could have seen the count on day 1."""
    one = Walk()
    one.hear(described(), on(-20))
    one.hear(dispense(1), on(1, 11))
    one.hear(lab(-1, issued=on(2, 11)), on(2, 12))
    assert life(one, "cbc-baseline-missing")[-1][0] == "resolved"


def test_a_returned_dispense_ends_the_alert_on_it_and_the_hold_stays() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (dispense(9), on(9, 12)))
    assert is_open(one, "hold-dispense")
    one.hear(dispense(9, status=W, version=on(9, 15)), on(9, 16))
    assert life(one, "hold-dispense")[-1][0] in ("withdrawn", "resolved")
    assert is_open(one, "anc-hold")


def test_a_dispense_and_a_count_of_one_message() -> None:
    """Known at the same instant: the dispense came before its result was known or after, and is said once."""
    one = enrolled()
    one.hear([*lab(29, anc="400", hour=10.0), *dispense(29, hour=10.0)], on(29, 12))
    said = {rule for rule, _ in one.open()} & {"hold-dispense", "dispense-before-result"}
    assert said == {"dispense-before-result"}
    assert is_open(one, "anc-hold")


# --- known again


def test_the_same_result_sent_again_with_a_newer_stamp_changes_nothing() -> None:
    """A cumulative report repeats old counts: the hold has been known since it was first told."""
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (dispense(9), on(9, 12)))
    assert is_open(one, "hold-dispense")
    one.hear(lab(8, anc="400", version=on(10, 11)), on(10, 12))
    assert is_open(one, "hold-dispense")
    assert not is_open(one, "dispense-before-result")


def test_the_same_result_sent_again_after_release_keeps_the_lower_dose() -> None:
    one = enrolled()
    hear_all(one, (lab(8, platelets="20000"), on(8, 12)), (lab(12), on(12, 12)))
    one.hear(lab(8, platelets="20000", version=on(13, 11)), on(13, 12))
    assert is_open(one, "plt-resume-ok")
    assert not is_open(one, "late-result-historical")
    one.hear(dispense(14), on(14, 12))
    assert is_open(one, "resume-dose-high")


def test_a_small_correction_after_release_keeps_the_lower_dose() -> None:
    one = enrolled()
    hear_all(one, (lab(8, platelets="20000"), on(8, 12)), (lab(12), on(12, 12)))
    one.hear(lab(8, platelets="21000", status=C, version=on(13, 11)), on(13, 12))
    assert is_open(one, "plt-resume-ok")
    one.hear(dispense(14), on(14, 12))
    assert is_open(one, "resume-dose-high")


def test_a_small_correction_leaves_a_dispense_on_a_known_hold_critical() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="400"), on(8, 12)), (dispense(9), on(9, 12)))
    one.hear(lab(8, anc="420", status=C, version=on(10, 11)), on(10, 12))
    assert is_open(one, "hold-dispense")


# --- late


def test_a_late_severe_count_behind_a_recovery_holds_nothing_and_counts_as_episode() -> None:
    one = enrolled()
    one.hear(lab(12), on(12, 12))
    one.hear(lab(8, anc="400"), on(13, 12))
    assert is_open(one, "late-result-historical")
    assert not is_open(one, "anc-hold")
    assert not is_open(one, "anc-resume-ok")
    one.hear(lab(15, anc="900"), on(15, 12))
    assert ("anc-hold", "high") in one.open()
    one.tick(on(27, 13))
    assert not is_open(one, "late-result-historical")


def test_a_late_severe_count_with_no_newer_count_holds() -> None:
    one = enrolled()
    one.hear(lab(8, anc="400"), on(13, 12))
    told = next(told for told in one.transitions if told.rule == "anc-hold")
    assert (told.effective_at, told.at) == (on(8), on(13, 12))


def test_a_late_recovery_behind_a_severe_count_releases_nothing() -> None:
    one = enrolled()
    one.hear(lab(12, anc="400"), on(12, 12))
    one.hear(lab(8), on(13, 12))
    assert is_open(one, "anc-hold")


def test_a_late_recovery_between_two_low_counts_makes_two_episodes() -> None:
    one = enrolled()
    hear_all(one, (lab(8, anc="900"), on(8, 12)), (lab(15, anc="800"), on(15, 12)))
    assert is_open(one, "anc-low-watch")
    one.hear(lab(12), on(16, 12))
    assert ("anc-hold", "high") in one.open()
    assert not is_open(one, "anc-low-watch")


def test_a_late_cbc_ends_overdue_by_its_collection_time() -> None:
    one = enrolled()
    one.hear([*lab(1, {"weight": "60", "creatinine": "1.0"})], on(1, 12))
    one.tick(on(17, 23.9))
    assert not is_open(one, "cbc-overdue")
    one.tick(on(18, 12))
    assert is_open(one, "cbc-overdue")
    one.hear(lab(15), on(18, 13))
    assert life(one, "cbc-overdue")[-1] == ("withdrawn", "evidence-arrived-late")


# --- ahead of time


def test_a_recovery_dated_in_the_future_releases_nothing_yet() -> None:
    one = enrolled()
    one.hear(lab(8, anc="400"), on(8, 12))
    one.hear(lab(12, anc="2000"), on(9, 12))
    assert is_open(one, "anc-hold")
    one.tick(on(11, 23))
    assert is_open(one, "anc-hold")
    one.tick(on(12, 10))
    assert not is_open(one, "anc-hold")


def test_a_future_count_that_is_retracted_before_its_time_never_counts() -> None:
    one = enrolled()
    one.hear(lab(12, anc="300", issued=on(9, 11)), on(9, 12))
    one.hear(lab(12, anc="300", status=W, version=on(9, 13)), on(9, 14))
    one.tick(on(13))
    assert life(one, "anc-hold") == []


def test_a_future_date_corrected_to_the_past_counts_at_once() -> None:
    one = enrolled()
    one.hear(lab(12, anc="300", issued=on(9, 11)), on(9, 12))
    fixed = [
        fact.model_copy(update={"fact_id": fact.fact_id.replace("lab/9/", "lab/12/")})
        for fact in lab(9, anc="300", status=C, version=on(9, 13))
    ]
    one.hear(fixed, on(9, 14))
    assert is_open(one, "anc-hold")
    one.tick(on(13))
    assert [kind for kind, _ in life(one, "anc-hold")] == ["raised"]


def test_five_minutes_ahead_is_a_clock_that_runs_fast() -> None:
    one = enrolled()
    one.hear(lab(8, anc="300", hour=9.08), on(8, 9))
    assert is_open(one, "anc-hold")


# --- never closed by silence


def test_nothing_closes_a_hold_but_a_count_or_the_end() -> None:
    one = enrolled()
    one.hear(lab(8, anc="400", platelets="20000"), on(8, 12))
    one.tick(on(200))
    assert {("anc-hold", "critical"), ("plt-hold", "critical"), ("heme-recheck-overdue", "high")} <= one.open()
    assert ("assessment-gap", "info") in one.open() or ("assessment-gap", "high") in one.open()


def test_a_hold_and_its_recheck_are_never_beside_an_overdue_cbc() -> None:
    one = enrolled()
    one.hear([*lab(1, {"weight": "60", "creatinine": "1.0"})], on(1, 12))
    one.tick(on(18, 12))
    assert is_open(one, "cbc-overdue")
    one.hear(lab(18, {"anc": "400"}), on(18, 13))
    assert not is_open(one, "cbc-overdue")
    one.tick(on(40))
    assert is_open(one, "heme-recheck-overdue")
    assert not is_open(one, "cbc-overdue")


def test_every_cause_must_be_released_before_resumption() -> None:
    one = enrolled()
    one.hear(lab(8, anc="400", platelets="20000"), on(8, 12))
    one.hear(lab(10, {"temperature": "39.0"}), on(10, 12))
    one.hear(lab(12, anc="1500", platelets="20000"), on(12, 12))
    assert not is_open(one, "anc-resume-ok")
    one.hear(lab(14, platelets="90000"), on(14, 12))
    assert not is_open(one, "anc-resume-ok")
    one.hear(lab(14, {"temperature": "36.8"}, hour=20), on(14, 21))
    one.hear(lab(16, {"temperature": "36.8"}, hour=20), on(16, 21))
    assert {("anc-resume-ok", "info"), ("plt-resume-ok", "info")} <= one.open()


def test_death_leaves_a_hold_to_a_person_and_silence_follows() -> None:
    one = enrolled()
    one.hear(lab(8, anc="400"), on(8, 12))
    died = [
        fact.model_copy(update={"fact_id": "died", "died": fact.when, "when": fact.when}) for fact in described(day=9)
    ]
    one.hear(died, on(9, 12))
    assert is_open(one, "anc-hold")
    one.transitions.clear()
    one.tick(on(120))
    assert [told.rule for told in one.transitions] == []


# --- a new course


def test_a_new_course_raises_its_own_alerts() -> None:
    one = enrolled()
    hear_all(
        one, (lab(8, anc="900"), on(8, 12)), (stated(20, "lenalidomide-stopped", "other"), on(20, 9)),
        (lab(58), on(58, 12)), (dispense(60), on(60, 12)), (lab(67, anc="900"), on(67, 12)),
    )  # fmt: skip
    watches = [told for told in one.transitions if told.rule == "anc-low-watch"]
    assert [(told.transition.value, told.course, told.episode) for told in watches] == [
        ("raised", 1, 1), ("resolved", 1, 1), ("raised", 2, 1),
    ]  # fmt: skip
    assert len({told.alert_id for told in watches}) == 2


def test_a_stop_recorded_late_does_not_end_the_course_that_began_after_it() -> None:
    """Stopped on day 25, dispensed again on day 60, the stop written down on day 70."""
    one = enrolled()
    one.hear(dispense(60), on(60, 12))
    one.hear(stated(70, "lenalidomide-stopped", "other", when=on(25)), on(70, 9))
    one.hear(lab(72, anc="400"), on(72, 12))
    assert is_open(one, "anc-hold")
    assert one.record is not None
    assert one.record.ledger.number == 2


def test_a_stop_of_today_written_down_after_the_dispense_of_today_ends_the_course() -> None:
    one = enrolled()
    hear_all(one, (lab(28, anc="400"), on(28, 12)), (dispense(29), on(29, 11)))
    assert is_open(one, "hold-dispense")
    one.hear(stated(29.2, "lenalidomide-stopped", "other", when=on(29, 12)), on(29, 16))
    assert is_open(one, "hold-dispense")
    assert one.record is not None
    assert one.record.ledger.number == 1
    one.tick(on(29 + 28))
    assert not is_open(one, "hold-dispense")


# --- a change of policy


@pytest.mark.parametrize(
    ("shows", "anc", "changes", "before", "after"),
    [
        ("500 is severe and then watched", "500", {"anc_severe_inclusive": "false"}, "anc-hold", "anc-low-watch"),
        ("900 is watched and still is", "900", {"anc_severe_inclusive": "false"}, "anc-low-watch", "anc-low-watch"),
    ],
)
def test_a_change_of_policy_judges_what_is_open(
    shows: str, anc: str, changes: dict[str, str], before: str, after: str
) -> None:
    one = enrolled()
    one.hear(lab(8, anc=anc), on(8, 12))
    assert is_open(one, before)
    one.transitions.clear()
    one.using = policy(**changes)
    one.tick(on(8, 13))
    assert [rule for rule, _ in one.open() if rule.startswith("anc-")] == [after]
    assert {told.cause.value for told in one.transitions} <= {"policy-change"}


def test_a_policy_changed_and_changed_back_is_one_alert() -> None:
    one = enrolled()
    one.hear(lab(8, anc="500"), on(8, 12))
    one.using = policy(anc_severe_inclusive="false")
    one.tick(on(8, 13))
    one.using = policy()
    one.tick(on(8, 14))
    held = [told for told in one.transitions if told.rule == "anc-hold"]
    assert [told.sequence for told in held] == [1, 2, 3]
    assert len({told.alert_id for told in held}) == 1
    assert is_open(one, "anc-hold")


# --- the cut


def long_course(using: dict[str, str]) -> Walk:
    """A year with two stops, holds and delays, walked in order."""
    one = enrolled(**using)
    one.hear([*lab(1, {"weight": "60", "creatinine": "1.0"})], on(1, 12))
    values = ["2500", "900", "1500", "400", "700", "1000", "2500", "950", "480", "1800", "2600"]
    for place, day in enumerate(range(8, 400, 5)):
        platelets = "20000" if place % 17 == 11 else "180000"
        one.hear(lab(day, anc=values[place % len(values)], platelets=platelets), on(day, 12))
        if place % 6 == 4:
            one.hear(dispense(day, dose="15" if place % 4 else "25"), on(day, 13))
        if place in (30, 60):
            one.hear(stated(day, "lenalidomide-stopped", "other"), on(day, 14))
    return one


def test_the_cut_changes_neither_the_ledger_nor_the_register() -> None:
    kept, moved = long_course({"keep_head_days": "400"}), long_course({"keep_head_days": "90"})
    assert kept.record is not None
    assert moved.record is not None
    assert len(moved.record.segments) > 1
    assert kept.record.segments == ()
    assert msgspec.to_builtins(kept.record.ledger) == msgspec.to_builtins(moved.record.ledger)
    said = [(t.transition, t.rule, t.at, t.effective_at, t.cause, t.severity, t.episode) for t in kept.transitions]
    assert said == [
        (t.transition, t.rule, t.at, t.effective_at, t.cause, t.severity, t.episode) for t in moved.transitions
    ]


@pytest.mark.parametrize("day", [8.5, 60.5, 150.5, 250.5, 330.5, 390.5])
@pytest.mark.parametrize("value", ["300", "2700"])
def test_a_late_count_before_or_behind_the_cut_ends_in_the_same_ledger(day: float, value: str) -> None:
    kept, moved = long_course({"keep_head_days": "400"}), long_course({"keep_head_days": "90"})
    for one in (kept, moved):
        one.hear(lab(day, anc=value), on(400, 12))
    assert kept.record is not None
    assert moved.record is not None
    assert msgspec.to_builtins(kept.record.ledger) == msgspec.to_builtins(moved.record.ledger)
    assert {(a.rule, a.since, a.severity) for a in kept.record.register} == {
        (a.rule, a.since, a.severity) for a in moved.record.register
    }
    assert len(all_facts(open_history(kept.record))) > 300
