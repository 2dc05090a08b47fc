"""Merge and unmerge, case by case: what each number says, keeps, and sends."""

from __future__ import annotations

from typing import Any

import pytest

import rules.moving
from rules.moving import SentInCircles
from schemas.alerts import Cause, TransitionKind
from tests.properties.town import Town, number, under
from tests.rules.bedside import on
from tests.rules.log import described, dispense, lab, stated

T = on(10)


def low_count(name: str, town: Town, day: float = 9) -> None:
    """Somebody on lenalidomide whose neutrophils are low: a hold stands."""
    town.message(name, under(name, [*described(), *dispense(1), *lab(-2)]), on(3))
    town.message(name, under(name, lab(day, anc="400")), on(day, 10))
    town.settle()


def rules_open(town: Town, name: str) -> set[str]:
    return {alert.rule for alert in town.record(name).register if alert.superseded_by is None}


def told(town: Town, name: str, rule: str = "anc-hold") -> list[tuple[str, str]]:
    key = number(name).key
    return [(t.transition.value, t.cause.value) for t in town.transitions if t.patient.key == key and t.rule == rule]


def test_an_open_alert_goes_on_at_the_surviving_number() -> None:
    town = Town()
    low_count("a", town)
    before = rules_open(town, "a")
    (old,) = [t for t in town.transitions if t.rule == "anc-hold"]
    town.merge("a", "b", T)
    town.settle()

    assert "anc-hold" in before
    assert rules_open(town, "b") == before
    assert rules_open(town, "a") == set()
    assert told(town, "a") == [("raised", "new-evidence"), ("superseded", "patients-merged")]
    assert told(town, "b") == [("raised", "patients-merged")]
    (new,) = [t for t in town.transitions if t.rule == "anc-hold" and t.patient.key == number("b").key]
    assert new.continues == old.alert_id
    assert new.severity == old.severity
    raised = [t for t in town.transitions if t.patient.key == number("b").key and t.transition is TransitionKind.RAISED]
    assert all(t.continues is not None for t in raised), "nothing that only goes on is new"
    assert town.record("a").header.next_check is None
    assert town.record("b").header.next_check is not None


def test_an_alert_that_the_other_number_has_already_goes_on_there() -> None:
    town = Town()
    low_count("a", town)
    low_count("b", town)
    town.merge("a", "b", T)
    town.settle()

    assert told(town, "b")[0] == ("raised", "new-evidence")
    assert [kind for kind, _ in told(town, "b")].count("raised") == 1
    assert told(town, "a")[-1] == ("superseded", "patients-merged")


def test_what_the_other_number_shows_to_be_wrong_is_not_carried_on() -> None:
    """The prophylaxis that seemed to be missing had been handed over under the other number."""
    town = Town()
    low_count("a", town)
    town.message("b", under("b", dispense(1, "levofloxacin", days=90)), on(1, 11))
    town.settle()
    assert "inf-ppx-missing" in rules_open(town, "a")
    town.merge("a", "b", T)
    town.settle()

    assert "inf-ppx-missing" not in rules_open(town, "b")
    assert told(town, "b", "inf-ppx-missing") == []
    assert told(town, "a", "inf-ppx-missing")[-1] == ("withdrawn", "patients-merged")


def test_what_comes_later_for_the_retired_number_is_sent_on() -> None:
    town = Town()
    low_count("a", town)
    town.merge("a", "b", T)
    town.settle()
    heard = len(town.outcomes)
    facts = under("a", lab(10, anc="300", hour=10))
    town.message("a", facts, on(10, 11))
    town.settle()

    assert town.outcomes[heard:] == [("lab-result", "forwarded")] * len(facts)
    assert town.facts(number("a").key) == ()
    newest = town.record("b").ledger.newest["anc"]
    assert (newest.value, newest.origin, newest.known) == (300, number("a").key, on(10, 11))
    assert told(town, "b")[-1][0] == "updated"


def test_a_merge_that_comes_before_any_state() -> None:
    town = Town()
    town.merge("a", "b", on(-5))
    town.settle()
    low_count("a", town)

    assert "anc-hold" in rules_open(town, "b")
    assert rules_open(town, "a") == set()
    assert told(town, "a") == []


@pytest.mark.parametrize("order", [("ab", "bc"), ("bc", "ab")])
def test_a_chain(order: tuple[str, str]) -> None:
    town = Town()
    low_count("a", town)
    for pair in order:
        town.merge(pair[0], pair[1], T)
        town.settle()
    town.message("a", under("a", lab(10, anc="300", hour=10)), on(10, 11))
    town.settle()

    assert "anc-hold" in rules_open(town, "c")
    assert town.record("c").ledger.newest["anc"].value == 300
    assert not town.refused
    chain = [t.alert_id for t in town.transitions if t.rule == "anc-hold" and t.transition is TransitionKind.RAISED]
    carried = [t.continues for t in town.transitions if t.rule == "anc-hold" and t.transition is TransitionKind.RAISED]
    assert carried == [None, *chain[:-1]], "each carries on the one before"


@pytest.mark.parametrize(
    ("shows", "merges", "why"),
    [
        ("with itself", ["aa"], "with itself"),
        ("with one that is part of it", ["ab", "ba"], "itself merged into this one"),
        ("with one that is part of it at two removes", ["ab", "bc", "ca"], "itself merged into this one"),
        ("into a third", ["ab", "ac"], "merged into another one already"),
    ],
)
def test_a_merge_that_is_refused(shows: str, merges: list[str], why: str) -> None:
    town = Town()
    low_count("a", town)
    for retired, survivor in merges:
        town.merge(retired, survivor, T)
        town.settle()
    ((_, refused),) = town.refused
    assert why in refused, shows
    home = town.home(number("a").key)
    assert any(alert.rule == "anc-hold" for alert in town.records[home].register), "nobody is lost by a refusal"


def test_the_same_merge_again_changes_nothing() -> None:
    town = Town()
    low_count("a", town)
    town.merge("a", "b", T)
    town.settle()
    said = len(town.transitions)
    town.merge("a", "b", on(11))
    town.settle()
    assert (len(town.transitions), town.refused) == (said, [])


def test_an_unmerge_gives_each_number_its_own() -> None:
    town = Town()
    low_count("a", town)
    town.message("b", under("b", [*described(), *dispense(1, dose="15"), *lab(2)]), on(3))
    town.settle()
    town.merge("a", "b", T)
    town.settle()
    town.message("a", under("a", lab(10, anc="300", hour=10)), on(10, 11))
    town.settle()
    assert "anc-hold" in rules_open(town, "b")
    (at_b,) = [a for a in town.record("b").register if a.rule == "anc-hold"]
    town.merge("a", "b", on(11), is_undone=True)
    town.settle()

    assert {fact.origin for key in "ab" for fact in town.facts(number(key).key)} == {None}
    assert town.record("a").ledger.newest["anc"].value == 300
    assert "anc-hold" in rules_open(town, "a")
    assert "anc-hold" not in rules_open(town, "b")
    assert told(town, "b")[-1] == ("withdrawn", "patients-unmerged")
    assert told(town, "a")[-1] == ("raised", "patients-unmerged")
    last = [t for t in town.transitions if t.patient.key == number("a").key and t.rule == "anc-hold"][-1]
    assert last.continues == at_b.alert_id
    assert last.sequence == 3, "the same alert as before the merge goes on counting"


@pytest.mark.parametrize(("retired", "survivor"), [("a", "b"), ("b", "a")])
def test_an_unmerge_may_name_the_two_in_either_order(retired: str, survivor: str) -> None:
    town = Town()
    low_count("a", town)
    town.merge("a", "b", T)
    town.settle()
    town.merge(retired, survivor, on(11), is_undone=True)
    town.settle()
    assert (town.refused, town.home(number("a").key)) == ([], number("a").key)
    assert "anc-hold" in rules_open(town, "a")


def test_an_unmerge_of_what_was_never_merged_is_refused() -> None:
    town = Town()
    town.merge("a", "b", T, is_undone=True)
    town.settle()
    assert town.refused == [(number("a").key, "the two numbers are not merged with each other")]


def test_an_unmerge_in_the_middle_of_a_chain_takes_what_hangs_on_it() -> None:
    town = Town()
    low_count("a", town)
    for pair in ("ab", "bc"):
        town.merge(pair[0], pair[1], T)
        town.settle()
    town.merge("b", "c", on(11), is_undone=True)
    town.settle()
    assert "anc-hold" in rules_open(town, "b")
    assert rules_open(town, "c") == set()
    assert {fact.origin for fact in town.facts(number("b").key)} == {number("a").key}


def test_between_the_unmerge_and_the_return_nothing_is_judged() -> None:
    """Half a history would raise what the other half shows to be wrong."""
    town = Town()
    low_count("a", town)
    town.merge("a", "b", T)
    town.settle()
    town.merge("a", "b", on(11), is_undone=True)
    town.hear(number("a").key)
    said = len(town.transitions)
    town.message("a", under("a", dispense(11, hour=8)), on(11, 9))
    town.hear(number("a").key)
    assert len(town.transitions) == said
    assert town.record("a").kin.waiting
    town.settle()
    assert not town.record("a").kin.waiting
    assert "anc-hold" in rules_open(town, "a")
    assert len(town.facts(number("a").key)) == 11


def test_a_message_is_not_sent_on_for_ever() -> None:
    town = Town()
    town.merge("a", "b", T)
    town.settle()
    town.message("a", under("a", lab(9)), T)
    town.hear(number("a").key)
    (sent,) = town.queues[number("b").key]
    assert sent.carried is not None
    path = tuple(number(name) for name in "cdefghij")
    far: Any = sent.model_copy(update={"carried": sent.carried.model_copy(update={"path": path})})
    town.merge("b", "k", T)
    town.queues[number("b").key].clear()
    town.merge("b", "k", T)
    town.hear(number("b").key)
    with pytest.raises(SentInCircles):
        town.take(number("b").key, far)


def test_a_long_history_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts behind the cut move too, and are judged only when all parts are here."""
    town = Town()
    town.message("a", under("a", [*described(), *dispense(1)]), on(1))
    for day in range(2, 500, 7):
        town.message("a", under("a", lab(day)), on(day, 10))
    town.message("a", under("a", lab(500, anc="400")), on(500, 10))
    town.settle()
    held = town.facts(number("a").key)
    assert town.record("a").segments, "part of it lies behind the cut"
    assert len(held) > rules.moving.PART_FACTS
    town.merge("a", "b", on(501))
    town.hear(number("a").key)
    parts = [entry.moved for entry in town.queues[number("b").key] if entry.moved is not None]
    assert [(part.part, part.parts) for part in parts] == [(1, 2), (2, 2)]
    town.hear(number("b").key)
    assert not town.record("b").header.is_enrolled
    town.settle()
    assert [(f.id, f.at, f.known) for f in town.facts(number("b").key)] == [(f.id, f.at, f.known) for f in held]
    assert "anc-hold" in rules_open(town, "b")
    assert town.record("b").ledger.newest["anc"].value == 400


def test_the_hole_of_one_number_is_the_patients() -> None:
    from rules.watch import mark_not_monitored

    town = Town()
    low_count("a", town)
    town.records[number("a").key] = mark_not_monitored(town.record("a"), T)
    town.merge("a", "b", T)
    town.settle()
    assert town.record("b").header.not_monitored_since == T
    assert all(t.not_monitored for t in town.transitions if t.patient.key == number("b").key)


def test_a_stop_recorded_under_one_number_ends_the_course_of_both() -> None:
    town = Town()
    low_count("a", town)
    town.message("b", under("b", stated(9, "lenalidomide-stopped", "progression", when=on(9))), on(9, 11))
    town.merge("a", "b", T)
    town.settle()
    assert town.record("b").ledger.ended_at is not None
    assert Cause.PATIENTS_MERGED in {t.cause for t in town.transitions}
