"""The comparison itself: whatever is tampered with on either side is reported, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

from streams.medicine import RulesMedicine
from streams.ports import Arrived
from streams.state import Frame, marker_key
from tests.chaos.comparison import (
    Comparison,
    compare_alerts,
    compare_aside,
    compare_markers,
    compare_messages,
    compare_records,
)
from tests.simulation.oracle import PartitionFold
from tests.simulation.story import log_of, tell_story


@lru_cache(maxsize=1)
def folded() -> tuple[list[Arrived], dict[str, bytes], dict[str, tuple[int, bytes]]]:
    """What one story says, its transitions by id, and its records."""
    story = tell_story(3, as_log=True)
    folds = [
        PartitionFold(partition, story.partitions, RulesMedicine(), story.default_policy)
        for partition in range(story.partitions)
    ]
    for row in log_of(story):
        folds[row.partition].fold((row,))
    spoken = [(each.partition, spoken.value) for each in folds for spoken in each.in_order]
    said = [Arrived("lifecycle", partition, place, 0, b"k", value) for place, (partition, value) in enumerate(spoken)]
    expected = {s.transition.transition_id: s.value for each in folds for s in each.in_order}
    records = {
        key: (patient.history[-1].offset, patient.history[-1].payload)
        for each in folds
        for key, patient in each.patients.items()
    }
    return said, expected, records


def alerts(said: list[Arrived], expected: dict[str, bytes]) -> dict[str, int]:
    comparison = Comparison()
    compare_alerts(comparison, said, expected)
    return {name: count for name, count in comparison.faults().items() if count}


def test_equal_is_equal() -> None:
    said, expected, _ = folded()
    assert len(said) >= 10
    assert alerts(said, expected) == {}


def test_one_deleted_is_lost() -> None:
    said, expected, _ = folded()
    for place in (0, len(said) // 2, len(said) - 1):
        found = alerts([*said[:place], *said[place + 1 :]], expected)
        assert found["lost"] == 1
        assert set(found) <= {"lost", "out_of_order"}


def test_one_added_is_false() -> None:
    said, expected, _ = folded()
    without = dict(list(expected.items())[:-1])
    assert alerts(said, without) == {"false": 1}


@pytest.mark.parametrize("field", [b'"severity":"', b'"title":"', b'"at":"', b'"cause":"'])
def test_one_changed_field_is_reported(field: bytes) -> None:
    said, expected, _ = folded()
    value = said[4].value or b""
    assert field in value
    tampered = replace(said[4], value=value.replace(field, field + b"x", 1))
    assert alerts([*said[:4], tampered, *said[5:]], expected) == {"changed": 1}


def test_another_order_is_reported() -> None:
    said, expected, _ = folded()
    assert "out_of_order" in alerts(list(reversed(said)), expected)


def test_one_twice_is_counted_and_is_no_fault() -> None:
    said, expected, _ = folded()
    comparison = Comparison()
    compare_alerts(comparison, [*said, said[0], said[0]], expected)
    assert comparison.is_equal
    assert comparison.doubles == 2


def changelog(records: dict[str, tuple[int, bytes]]) -> list[Arrived]:
    return [
        Arrived("state", 0, place, 0, key.encode(), Frame(applied=offset, payload=payload).to_bytes())
        for place, (key, (offset, payload)) in enumerate(sorted(records.items()))
    ]


def wrong_records(rows: list[Arrived], records: dict[str, tuple[int, bytes]]) -> int:
    comparison = Comparison()
    compare_records(comparison, rows, records)
    return len(comparison.wrong_records)


def test_records_are_compared_by_offset_and_bytes() -> None:
    _, _, records = folded()
    key, (offset, payload) = next(iter(records.items()))
    assert wrong_records(changelog(records), records) == 0
    assert wrong_records(changelog(records)[1:], records) == 1
    assert wrong_records(changelog({**records, key: (offset, payload[:-1] + b"\x00")}), records) == 1
    assert wrong_records(changelog({**records, key: (offset - 1, payload)}), records) == 1
    assert wrong_records(changelog({**records, "f" * 32: (1, b"")}), records) == 1


def test_an_older_record_written_last_does_not_count() -> None:
    _, _, records = folded()
    key, (offset, payload) = next(iter(records.items()))
    late = Arrived("state", 0, 99, 0, key.encode(), Frame(applied=offset - 1, payload=payload).to_bytes())
    assert wrong_records([*changelog(records), late], records) == 0


def test_a_commit_beyond_the_marker_is_reported() -> None:
    held = {0: {marker_key(0): Frame(applied=9, payload=b"").to_bytes()}}
    for committed, faults in ((10, 0), (11, 1), (0, 0)):
        comparison = Comparison()
        compare_markers(comparison, held, {0: committed})
        assert len(comparison.marker_faults) == faults
    comparison = Comparison()
    compare_markers(comparison, {}, {0: 4})
    assert len(comparison.marker_faults) == 1


def test_a_message_that_never_came_is_reported() -> None:
    comparison = Comparison()
    compare_messages(comparison, {"a", "b"}, {"a", "c"})
    assert comparison.missing_messages == ["b"]


def test_what_was_held_aside_and_what_should_be_are_compared_both_ways() -> None:
    comparison = Comparison()
    compare_aside(comparison, {(0, 1, ""), (0, 2, "k")}, [(0, 1, ""), (1, 5, "")])
    assert len(comparison.aside_differs) == 2
