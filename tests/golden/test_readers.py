"""Golden pairs: a hospital's message beside what we make of it, byte for byte.

`NAME.json` is the message, `NAME.expected.json` the reading; a name that ends in `.file`
is read as a file, the others as a live message. After an intended change write them anew
with `MYELOWATCH_WRITE_GOLDEN=1 pytest tests/golden/test_readers.py` and read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from schemas.fhir import read_fhir
from schemas.inlet import read_event
from schemas.reading import Reading, ReadingContext

HERE = Path(__file__).parent
CONTEXT = ReadingContext("north-laboratory", ZoneInfo("Asia/Seoul"), b"golden")
MESSAGES = sorted(
    path
    for folder in ("fhir", "events")
    for path in (HERE / folder).glob("*.json")
    if not path.name.endswith(".expected.json")
)


def _read(path: Path) -> Reading:
    mode: Literal["live", "file"] = "file" if path.stem.endswith(".file") else "live"
    raw = path.read_bytes()
    return read_fhir(raw, CONTEXT, mode) if path.parent.name == "fhir" else read_event(raw, None, CONTEXT, mode)


def _shown(reading: Reading) -> dict[str, Any]:
    return {
        "outcome": reading.outcome,
        "entries": [
            json.loads(entry.model_dump_json(exclude_none=True, exclude_defaults=True)) for entry in reading.entries
        ],
        "rejections": [json.loads(rejection.model_dump_json(exclude_none=True)) for rejection in reading.rejections],
        "ignored": [[ignored.reason, ignored.what, ignored.count] for ignored in reading.ignored],
        "unread": reading.unread,
    }


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_message_is_read_as_it_always_was(path: Path) -> None:
    expected = path.with_name(f"{path.stem}.expected.json")
    shown = json.dumps(_shown(_read(path)), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("MYELOWATCH_WRITE_GOLDEN"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")


def test_there_are_golden_messages_of_both_dialects() -> None:
    assert {path.parent.name for path in MESSAGES} == {"fhir", "events"}
    assert len(MESSAGES) >= 10
