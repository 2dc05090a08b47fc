"""A second parser (`hl7types`, generated from the standard) reads the same values as ours, field by field.

Every sample by others, every example of `docs/facts.md` and a synthetic ward. What it cannot parse at all is counted
in its table; where both parse, each difference must be one that is explained.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pytest
from hl7types import decode_er7

from schemas.codes.tables import tables
from schemas.hl7v2 import FeedMap, MessageUnreadable, peek
from schemas.hl7v2.charset import strip_start
from schemas.hl7v2.message import SEGMENTS, Message, parse
from schemas.published.hl7_examples import HL7_EXAMPLES
from schemas.reading.result import Notes
from streams.simulator import simulate
from streams.simulator.hl7_writer import hl7_messages
from tests.schemas.feed import CONTEXT

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "hl7v2"
SAMPLES: Final = sorted(DATA.rglob("*.hl7"))
ANYTHING: Final = FeedMap(processing_ids=("P", "T", "D"), unread="ignore")

needs_samples = pytest.mark.skipif(
    not SAMPLES, reason="SAMPLES BY OTHERS ARE ABSENT: put the data folder at ../shared/data to run these"
)

Leaf = tuple[str, int, int, int, int, int]
"""Segment, which of its name, field, repetition, component, sub-component."""

EXPLAINED: Final = {
    "layout": "`.br`, `.in` and kin, the truncation character: ours are line breaks and blanks, theirs stay as sent",
    "segment": "the structure of that message has no place for the segment: theirs leaves it out, ours reads it",
    "field": "withdrawn or not there in that version: theirs leaves it out, ours reads it where it stands",
    "whole": "a field of varying type, or one that its version calls simple: theirs leaves the separators in it",
}

DECIDING: Final = {
    *((name, 3) for name in ("PID", "OBX", "OBR", "DG1", "PRB", "AL1", "IAM", "PR1", "RXD", "RXA")),
    *(("OBX", field) for field in (2, 4, 5, 6, 7, 11, 14, 19)),
    *(("OBR", field) for field in (4, 7, 8, 22, 25)),
    *(("RXD", field) for field in (1, 2, 4, 5, 7, 12, 16, 17)),
    *(("RXE", field) for field in (1, 2, 3, 4, 5, 10, 11, 25, 26)),
    *(("RXA", field) for field in (5, 6, 7, 20, 21)),
    *(("PV1", field) for field in (2, 19, 44, 45)),
    *(("MRG", 1), ("SPM", 2), ("SPM", 17), ("NTE", 3), ("PID", 7), ("PID", 8)),
}
"""Fields that facts are made of: where theirs has the segment, it may not lack one of these."""


def ours_in(raw: bytes) -> dict[Leaf, str] | None:
    header = peek(raw, ANYTHING)
    if any(fault.place == ("MSH", 1, 18) for fault in header.faults):
        return None
    message = Message(header=header, notes=Notes(CONTEXT, raw), feed_map=ANYTHING, codes=tables())
    assert parse(raw, message)
    leaves: dict[Leaf, str] = {}
    for segment in message.segments:
        for field in range(1, 60):
            for repetition, parts in enumerate(segment.repetitions(field)):
                for component in range(1, len(parts) + 1):
                    for sub in range(1, len(parts[component - 1]) + 1):
                        text = segment.part(parts, component, sub)
                        if text is not None:
                            leaves[segment.name, segment.number, field, repetition, component, sub] = text
    return leaves


def theirs_in(raw: bytes) -> dict[Leaf, str]:
    """Leaves of the segments that ours reads."""
    text = strip_start(raw).decode("utf-8").replace("\r\n", "\r").replace("\n", "\r").strip("\r") + "\r"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoded = decode_er7(text, strict=False)
    seen: Counter[str] = Counter()
    leaves: dict[Leaf, str] = {}
    for name, body in _segments(decoded.model_dump(by_alias=True, exclude_none=True)):
        seen[name] += 1
        for key, value in body.items():
            field = int(key.split(".")[1])
            for repetition, each in enumerate(value if isinstance(value, list) else [value]):
                for component, sub, leaf in _leaves(each):
                    if leaf.strip() and leaf != '""':
                        leaves[name, seen[name], field, repetition, component, sub] = leaf.strip()
    return leaves


def _segments(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in node.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and key in SEGMENTS:
                yield key, each
            elif isinstance(each, dict):
                yield from _segments(each)


def _leaves(value: Any) -> Iterator[tuple[int, int, str]]:
    if not isinstance(value, dict):
        yield 1, 1, str(value)
        return
    for key, inside in value.items():
        component = int(key.split(".")[1])
        if isinstance(inside, dict):
            for sub_key, leaf in inside.items():
                if not isinstance(leaf, dict):
                    yield component, int(sub_key.split(".")[1]), str(leaf)
        else:
            yield component, 1, str(inside)


def explain(leaf: Leaf, ours: str | None, theirs: dict[Leaf, str]) -> str | None:
    other, first = theirs.get(leaf), theirs.get((*leaf[:4], leaf[4], 1)) or ""
    whole = theirs.get((*leaf[:4], 1, 1)) or ""
    if any(mark in text for text in (whole, first) for mark in "^&"):
        return "whole"
    if other is not None:
        return "layout" if ours is not None and ("\\" in other or "\n" in ours) else None
    if not any(each[:2] == leaf[:2] for each in theirs):
        return "segment"
    if ours is not None and "#" in ours:
        return "layout"
    return None if (leaf[0], leaf[2]) in DECIDING else "field"


def compare(raw: bytes) -> tuple[int, Counter[str], list[tuple[Leaf, str | None, str | None]]] | None:
    """Leaves that agree, explained differences by kind, and the others; None where theirs cannot parse it."""
    try:
        ours = ours_in(raw)
    except MessageUnreadable:
        return None
    try:
        theirs = theirs_in(raw)
    except Exception:  # noqa: BLE001 - what it raises is its own business
        return None
    if ours is None:
        return None
    explained: Counter[str] = Counter()
    others = []
    for leaf in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(leaf), theirs.get(leaf)
        if mine == other:
            continue
        why = explain(leaf, mine, theirs)
        if why is not None:
            explained[why] += 1
        else:
            others.append((leaf, mine, other))
    agreed = sum(1 for leaf, text in ours.items() if theirs.get(leaf) == text)
    return agreed, explained, others


@lru_cache(maxsize=1)
def ward() -> tuple[bytes, ...]:
    return tuple(raw for _, raw in hl7_messages(simulate(8, 8, 5)))


@needs_samples
def test_both_read_the_same_of_every_sample_it_can_parse() -> None:
    parsed = agreed = 0
    explained: Counter[str] = Counter()
    for path in SAMPLES:
        found = compare(path.read_bytes())
        if found is None:
            continue
        parsed += 1
        agreed += found[0]
        explained.update(found[1])
        assert found[2] == [], path.name
    assert explained.keys() == EXPLAINED.keys()
    assert parsed >= 140
    assert agreed > 3_000


@pytest.mark.parametrize("title", sorted(HL7_EXAMPLES))
def test_both_read_the_same_of_the_examples(title: str) -> None:
    found = compare(HL7_EXAMPLES[title].message.encode())
    assert found is not None
    assert found[2] == []
    assert found[0] > 0


def test_both_read_the_same_of_a_synthetic_ward() -> None:
    kinds: Counter[str] = Counter()
    for raw in ward():
        found = compare(raw)
        assert found is not None, raw[:200]
        assert found[2] == []
        kinds[peek(raw).message_type] += 1
    assert kinds.keys() >= {"ORU^R01", "RDS^O13", "RDE^O11", "ADT^A28", "PPR^PC1"}
