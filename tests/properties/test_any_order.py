"""Any order of arrival, any duplication, any split of a panel ends in the same register and ledger.

Arrival is shuffled; when each fact could be known is not: the log of one patient may hold its
entries in another order than they were issued, never with other stamps. Alerts whose subject is the
arrival itself (`hangs_on_arrival`) are left out, by their declaration in the catalogue.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.catalogue import BY_ID
from rules.history import all_facts, open_history
from rules.ledger import Ledger
from rules.record import Record
from schemas.events import Fact, FactStatus
from tests.properties.histories import courses
from tests.rules.bedside import on
from tests.rules.log import Walk, lab

END = on(75)


def settle(parts: list[list[Fact]]) -> Walk:
    """Everything arrives at one instant after the last fact; then a month passes."""
    one = Walk()
    for part in parts:
        one.hear(part, END)
    one.tick(END + timedelta(days=31))
    return one


def register_of(record: Record | None) -> set[tuple[object, ...]]:
    assert record is not None
    return {
        (alert.rule, alert.subject, alert.since, alert.severity, alert.reason, alert.basis)
        for alert in record.register
        if alert.superseded_by is None and not BY_ID[alert.rule].hangs_on_arrival
    }


@settings(max_examples=60, deadline=None)
@given(courses(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_same_register(parts: list[list[Fact]], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert register_of(settle(shuffled).record) == register_of(settle(parts).record)


@settings(max_examples=40, deadline=None)
@given(courses(), st.data())
def test_any_duplication_changes_nothing(parts: list[list[Fact]], data: st.DataObject) -> None:
    doubled = list(parts)
    for _ in range(3):
        part = data.draw(st.sampled_from(parts))
        doubled.insert(data.draw(st.integers(doubled.index(part), len(doubled))), part)
    assert register_of(settle(doubled).record) == register_of(settle(parts).record)


@settings(max_examples=40, deadline=None)
@given(courses(), st.data())
def test_any_split_of_a_panel_ends_in_the_same_register(parts: list[list[Fact]], data: st.DataObject) -> None:
    split: list[list[Fact]] = []
    for part in parts:
        cut = data.draw(st.integers(0, len(part)))
        split.extend(piece for piece in (part[:cut], part[cut:]) if piece)
    assert register_of(settle(split).record) == register_of(settle(parts).record)


@settings(max_examples=40, deadline=None)
@given(courses())
def test_corrected_and_corrected_back_ends_where_it_was(parts: list[list[Fact]]) -> None:
    panel = [fact for fact in parts[-1] if fact.kind == "lab-result"] or list(lab(2, anc="400"))
    base = [*parts, panel]
    there = [
        fact.model_copy(update={"normalised": Decimal(5000), "status": FactStatus.CORRECTED, "versioned_at": on(70)})
        for fact in panel
    ]
    back = [fact.model_copy(update={"status": FactStatus.CORRECTED, "versioned_at": on(71)}) for fact in panel]
    went = [alert[:5] for alert in register_of(settle([*base, there, back]).record)]
    stayed = [alert[:5] for alert in register_of(settle(base).record)]
    assert sorted(map(str, went)) == sorted(map(str, stayed))


@settings(max_examples=40, deadline=None)
@given(courses())
def test_folding_fact_by_fact_equals_folding_anew(parts: list[list[Fact]]) -> None:
    """The quick way (in order) and the slow way (one bundle) leave the same ledger and facts."""
    everything = [fact for part in parts for fact in part]
    ordered = sorted(everything, key=lambda fact: (fact.when.earliest, fact.versioned_at or fact.when.earliest))
    quick, slow = Walk(), Walk()
    for fact in ordered:
        quick.hear([fact], END)
    slow.hear(everything, END)
    assert quick.record is not None
    assert slow.record is not None
    quick_facts = [fact.id for fact in all_facts(open_history(quick.record))]
    assert quick_facts == [fact.id for fact in all_facts(open_history(slow.record))]
    left = _without_offsets(msgspec.to_builtins(quick.record.ledger))
    right = _without_offsets(msgspec.to_builtins(slow.record.ledger))
    different = [name for name, a, b in zip(Ledger.__struct_fields__, left, right, strict=True) if a != b]  # type: ignore[call-overload]
    assert different == []


def _without_offsets(value: object) -> object:
    """The place in the log differs by construction (it is field 7 of every kept fact)."""
    if isinstance(value, (list, tuple)):
        items = [_without_offsets(item) for item in value]
        if len(items) > 12 and isinstance(value[0], str) and len(str(value[0])) == 1:
            items[8] = "offset"
        return items
    if isinstance(value, dict):
        return {key: _without_offsets(item) for key, item in value.items()}
    return value
