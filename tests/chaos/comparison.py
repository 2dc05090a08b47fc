"""What the workers wrote against what the log means: every difference, named.

Nothing here knows how either came about; it is tested by tampering with one side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from streams.ports import Arrived
from streams.state import Recovery, applied_in, is_patient_key, marker_key, read_frame

KeptRecord = tuple[int, bytes]
"""Applied offset and bytes of a patient's record."""


@dataclass(slots=True)
class Comparison:
    """Everything that differs; `is_equal` where nothing does."""

    expected: int = 0
    said: int = 0
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Same id, other content."""
    out_of_order: list[str] = field(default_factory=list)
    """Alerts whose transitions came first in another order than their sequence."""
    doubles: int = 0
    """Transitions written again under the same id: allowed, and counted."""
    wrong_records: list[str] = field(default_factory=list)
    records: int = 0
    marker_faults: list[str] = field(default_factory=list)
    missing_messages: list[str] = field(default_factory=list)
    aside_differs: list[str] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Nothing is lost, false, changed or wrong."""
        return not any(self.faults().values())

    def faults(self) -> dict[str, int]:
        """How many of each kind."""
        return {
            "lost": len(self.lost),
            "false": len(self.false),
            "changed": len(self.changed),
            "out_of_order": len(self.out_of_order),
            "wrong_records": len(self.wrong_records),
            "marker_faults": len(self.marker_faults),
            "missing_messages": len(self.missing_messages),
            "aside_differs": len(self.aside_differs),
        }


def compare_alerts(comparison: Comparison, said: Iterable[Arrived], expected: Mapping[str, bytes]) -> None:
    """Transition ids and contents; `said` in offset order within each partition."""
    seen: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for row in said:
        value = row.value or b""
        transition = orjson.loads(value)
        identity: str = transition["transition_id"]
        seen[identity] += 1
        if seen[identity] > 1:
            continue
        alert, sequence = transition["alert_id"], transition["sequence"]
        if sequence != newest.get(alert, 0) + 1:
            comparison.out_of_order.append(f"{alert}: {sequence} after {newest.get(alert, 0)}")
        newest[alert] = max(sequence, newest.get(alert, 0))
        if identity not in expected:
            comparison.false.append(identity)
        elif expected[identity] != value:
            comparison.changed.append(identity)
    comparison.expected = len(expected)
    comparison.said = seen.total()
    comparison.doubles = seen.total() - len(seen)
    comparison.lost.extend(identity for identity in expected if identity not in seen)


def compare_records(
    comparison: Comparison, changelog: Iterable[Arrived], expected: Mapping[str, KeptRecord]
) -> dict[int, dict[bytes, bytes]]:
    """The newest record of every patient by applied offset; answers what each partition holds."""
    recoveries: dict[int, Recovery] = {}
    for row in changelog:
        recoveries.setdefault(row.partition, Recovery()).read(row.key or b"", row.value)
    held = {partition: recovery.held for partition, recovery in recoveries.items()}
    found: dict[str, KeptRecord] = {}
    for frames in held.values():
        for key, raw in frames.items():
            if is_patient_key(key):
                frame = read_frame(raw)
                found[key.decode()] = (frame.applied, frame.payload)
    comparison.records = len(expected)
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key) != expected.get(key):
            comparison.wrong_records.append(f"{key}: {_offset(found.get(key))} for {_offset(expected.get(key))}")
    return held


def _offset(record: KeptRecord | None) -> str:
    return "none" if record is None else f"{len(record[1])} bytes at {record[0]}"


def compare_markers(
    comparison: Comparison, held: Mapping[int, Mapping[bytes, bytes]], committed: Mapping[int, int]
) -> None:
    """The standing check: committed at most one behind the marker."""
    for partition, offset in sorted(committed.items()):
        raw = held.get(partition, {}).get(marker_key(partition))
        marker = -1 if raw is None else applied_in(raw)
        if offset > 0 and (marker is None or offset > marker + 1):
            comparison.marker_faults.append(f"partition {partition}: committed {offset}, marker {marker}")


def compare_messages(comparison: Comparison, acknowledged: Iterable[str], in_log: Iterable[str]) -> None:
    """Every message that was acknowledged is in the log."""
    comparison.missing_messages.extend(sorted(set(acknowledged) - set(in_log)))


def compare_aside(
    comparison: Comparison, held_aside: Iterable[tuple[int, int, str]], expected: Sequence[tuple[int, int, str]]
) -> None:
    """Entries of the log held aside: (partition, offset, patient key), once or oftener."""
    comparison.aside_differs.extend(str(place) for place in sorted(set(held_aside) ^ set(expected)))
