"""Any merges and unmerges, with messages in between, end in the registers of a single timeline a person.

The final map of the numbers says whose each message is; the numbers of one person are then told as one timeline,
in the order in which the messages came, and must end in the same register.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rules.record import Kinship, Record
from schemas.alerts import Cause, TransitionKind
from schemas.events import Fact
from tests.properties.histories import courses
from tests.properties.test_any_order import END, register_of
from tests.properties.town import LATER, Town, number, under
from tests.rules.log import Walk, condition, described, dispense, lab

NAMES = "abcd"
TOWNS = 600
Told = list[tuple[str, Any]]


@st.composite
def stories(draw: st.DrawFn, *, is_calm: bool) -> Told:
    """Two or three courses whose parts come under any number, and merges and unmerges between."""
    told: list[tuple[str, list[Fact]]] = []
    for course in range(draw(st.integers(1, 2))):
        parts = draw(courses())
        home: dict[str, str] = {}
        favourite = NAMES[course]
        for part in parts:
            # All versions of a fact come under one number: the newest says whose it is.
            name = home.get(part[0].fact_id) or draw(st.sampled_from([favourite, favourite, *NAMES]))
            home.update((fact.fact_id, name) for fact in part)
            told.append((name, under(name, [f.model_copy(update={"fact_id": f"{course}{f.fact_id}"}) for f in part])))
    story: Told = [("message", each) for each in told]
    for _ in range(draw(st.integers(1, 6))):
        one, other = draw(st.permutations(NAMES))[:2]
        kind = draw(st.sampled_from(["merge", "merge", "unmerge"]))
        story.insert(draw(st.integers(0, len(story))), (kind, (one, other)))
        if kind == "merge" and draw(st.booleans()):
            back = draw(
                st.sampled_from([("unmerge", (one, other)), ("unmerge", (other, one)), ("merge", (other, one))])
            )
            story.insert(draw(st.integers(0, len(story))), back)
    if is_calm:
        story = [each for event_ in story for each in (event_, ("settle", None))]
    return story


class Map:
    """Who is whom, by the plain rules of merging."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def home(self, name: str) -> str:
        while name in self.parent:
            name = self.parent[name]
        return name

    def hear(self, kind: str, one: str, other: str) -> bool:
        """Whether it counts: the retired number, and the surviving one."""
        if kind == "merge":
            if self.parent.get(one) == other:
                return True
            if one in self.parent or self.home(other) == one:
                return False
            self.parent[one] = other
            return True
        for child, parent in ((one, other), (other, one)):
            if self.parent.get(child) == parent:
                del self.parent[child]
                return True
        return False


def play(story: Told, chance: Random | None = None) -> tuple[Town, Map, list[tuple[str, list[Fact]]]]:
    """Tell the story; with `chance`, each number hears at its own pace."""
    town, known, messages = Town(), Map(), []
    for kind, what in story:
        if kind == "message":
            messages.append(what)
            town.message(what[0], what[1], END)
        elif kind == "settle":
            town.settle()
        else:
            known.hear(kind, *what)
            town.merge(*what, END, is_undone=kind == "unmerge")
        while chance is not None and town.busy and chance.random() < 0.5:
            town.hear(chance.choice(town.busy))
    while town.busy:
        town.hear(town.busy[0] if chance is None else chance.choice(town.busy))
    return town, known, messages


def check(town: Town, messages: list[tuple[str, list[Fact]]]) -> None:
    """Every number ends where its home is, with the register of the one timeline of all that came for it."""
    timelines: dict[str, list[list[Fact]]] = defaultdict(list)
    for name, facts in messages:
        timelines[town.home(number(name).key)].append(facts)
    for key, record in town.records.items():
        kin = record.kin
        assert (kin.waiting, kin.parts, kin.arrivals, kin.deferred) == ((), (), (), ())
        if kin.moved_to is not None:
            assert not record.register
            assert record.header.next_check is None
            assert town.facts(key) == ()
            continue
        assert {town.home(fact.origin or key) for fact in town.facts(key)} <= {key}
    town.pass_time(END + LATER)
    for key in town.records:
        if town.home(key) != key:
            continue
        alone = Walk()
        for facts in timelines.get(key, []):
            alone.hear(facts, END)
        if timelines.get(key):
            alone.tick(END + LATER)
        assert register_of(town.records[key]) == (register_of(alone.record) if alone.record else set())
        assert ledger_of(town.records[key]) == (ledger_of(alone.record) if alone.record else None)


def ledger_of(record: Record) -> object:
    ledger = record.ledger
    if ledger.enrolled_at is None:
        return None
    return (
        ledger.enrolled_at,
        ledger.number,
        ledger.cycles,
        ledger.neutropenia_count,
        len(ledger.holds),
        ledger.folded_to,
    )


@settings(max_examples=40, deadline=None)
@given(stories(is_calm=True))
def test_one_after_the_other(story: Told) -> None:
    town, known, messages = play(story)
    for name in NAMES:
        assert town.home(number(name).key) == number(known.home(name)).key
    check(town, messages)


@settings(max_examples=60, deadline=None)
@given(stories(is_calm=False), st.randoms(use_true_random=False))
def test_while_everything_is_on_its_way(story: Told, chance: Random) -> None:
    town, _, messages = play(story, chance)
    if any("circle" in refused for _, refused in town.refused):
        event("merges that led in a circle at the same time")
    check(town, messages)


@settings(max_examples=30, deadline=None)
@given(stories(is_calm=False), st.randoms(use_true_random=False))
def test_whatever_is_written_twice_is_heard_once(story: Told, chance: Random) -> None:
    """A sender that crashes says again all that it said from some place on."""
    town, _, messages = play(story, chance)
    before = {key: (record.register, record.kin, town.facts(key)) for key, record in town.records.items()}
    for key, sent in list(town.between):
        stepped = town.take(key, sent)
        assert stepped.sends == ()
        assert stepped.transitions == ()
    assert {key: (r.register, r.kin, town.facts(key)) for key, r in town.records.items()} == before
    check(town, messages)


@settings(max_examples=30, deadline=None)
@given(stories(is_calm=True))
def test_an_alert_that_is_carried_on_says_which(story: Told) -> None:
    """Every alert that a merge superseded has a successor, and what carries one on names an alert that there was."""
    town, _, _ = play(story)
    ids = {each.alert_id for each in town.transitions}
    raised = [each for each in town.transitions if each.transition is TransitionKind.RAISED]
    carried = [each.continues for each in raised if each.continues is not None]
    assert set(carried) <= ids
    became = [each for _, sent in town.between if sent.acknowledged for each in sent.acknowledged.alerts]
    for each in became:
        assert each.continued_by is None or each.continued_by in ids
    ended = {
        each.alert_id: each.transition
        for each in town.transitions
        if each.cause is Cause.PATIENTS_MERGED and each.transition is TransitionKind.SUPERSEDED
    }
    assert ended.keys() <= {each.alert_id for each in became if each.continued_by is not None}


@pytest.mark.slow
@pytest.mark.parametrize("part_facts", [3, 250])
@pytest.mark.parametrize("towns", [TOWNS // 5, pytest.param(TOWNS, marks=pytest.mark.long)])
def test_many_towns(towns: int, part_facts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with chance alone, which is quick: moves in one part and in many, circles among them."""
    monkeypatch.setattr("rules.moving.PART_FACTS", part_facts)
    circles = 0
    for seed in range(towns):
        chance = Random(f"town/{seed}")
        town, _, messages = play(random_story(chance), chance)
        circles += any("circle" in refused for _, refused in town.refused)
        check(town, messages)
    assert circles > towns // 50


def random_story(chance: Random) -> Told:
    """As `stories`, without shrinking."""
    story: Told = []
    for course in range(chance.randint(1, 2)):
        parts = [list(described()), list(lab(-2)), list(dispense(1))]
        for day in chance.sample(range(3, 70), chance.randint(2, 5)):
            counts = {"anc": chance.choice(["300", "499", "800", "999", "2500"])}
            parts.append(list(lab(day, platelets=chance.choice(["9000", "29999", "49999", "180000"]), **counts)))
        parts.extend(chance.sample([list(dispense(29)), list(condition(10, "dvt"))], chance.randint(0, 2)))
        for part in parts:
            name = chance.choice([NAMES[course], NAMES[course], *NAMES])
            facts = [fact.model_copy(update={"fact_id": f"{course}{fact.fact_id}"}) for fact in part]
            story.append(("message", (name, under(name, facts))))
    for _ in range(chance.randint(1, 8)):
        one, other = chance.sample(NAMES, 2)
        kind = chance.choice(["merge", "merge", "unmerge"])
        story.insert(chance.randint(0, len(story)), (kind, (one, other)))
        if kind == "merge" and chance.random() < 0.6:
            again = chance.choice([("unmerge", (one, other)), ("unmerge", (other, one)), ("merge", (other, one))])
            story.insert(chance.randint(0, len(story)), again)
    return story


def test_a_record_without_kin_is_as_small_as_before() -> None:
    town = Town()
    town.message("a", [], END)
    town.settle()
    assert town.record("a").kin == Kinship()
