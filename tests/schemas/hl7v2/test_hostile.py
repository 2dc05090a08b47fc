"""No bytes make the room raise anything but its one error, repeat what was in the message, or take long."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.events import Entry
from schemas.hl7v2 import (
    FeedMapUnusable,
    MessageUnreadable,
    answer,
    code_of,
    peek,
    read_feed_map,
    read_message,
    split_batch,
    verdict_of,
)
from schemas.published.hl7_examples import HL7_EXAMPLES
from schemas.reading import Reading
from tests.schemas.feed import CONTEXT, NO_ZONE, RECEIVED
from tests.schemas.hl7v2.test_feed_maps import WHOLE
from tests.schemas.hl7v2.writing import message, obr, obx

CANARY = "Kim Minji 550714-2345678"
AT = datetime(2026, 3, 2, tzinfo=UTC)
MESSAGES = tuple(each.message.replace("\n", "\r").encode() for each in HL7_EXAMPLES.values())
PIECES = (
    *(b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c", b"\x00", b"\xff", b"\xb0\xa1", b"#"),
    *(b'""', b"MSH|^~\\&|", b"PID|", b"OBX|", b"OBR|", b"ORC|", b"MRG|1", b"BHS|^~\\&|", b"BTS|3", b"FHS|", b"FTS|"),
    *(b"\\X41\\", b"\\.sp9999999999\\", b"20261301", b"99999999999999", b"<0.1", b"1e999", b"KS X 1001", b"99MYW"),
    CANARY.encode(),
)
quick = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good message with bytes put in, taken out or changed for others, one to six times."""
    body = bytearray(draw(st.sampled_from(MESSAGES)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 20))
        body[place : place + length] = draw(st.sampled_from(PIECES) | st.binary(max_size=8))
    return bytes(body)


def check(raw: bytes) -> None:
    try:
        head = peek(raw)
    except MessageUnreadable:
        pass
    else:
        told = answer(head, code_of(head, verdict_of(head.faults)), head.faults, at=AT)
        assert told.startswith(b"MSH")
        for fault in (*head.faults, *head.warnings):
            assert CANARY not in fault.text
    said = ""
    try:
        split_batch(raw)
    except MessageUnreadable as error:
        said = str(error)
    assert CANARY not in said
    for context in (CONTEXT, NO_ZONE, RECEIVED):
        for mode in ("live", "file"):
            reading = read_message(raw, context, mode=mode)  # type: ignore[arg-type]
            assert isinstance(reading, Reading)
            for entry in reading.entries:
                assert Entry.model_validate_json(entry.to_json()) == entry
            for rejection in reading.rejections:
                assert CANARY not in rejection.detail + rejection.part
            for what in (*(each.what for each in reading.ignored), *reading.unread):
                assert CANARY not in what


@quick
@given(damaged())
def test_damaged_messages(raw: bytes) -> None:
    check(raw)


@quick
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=30).map(b"".join))
@example(b"MSH|^~\\&|")
@example(b"MSH|^~\\&|\rPID")
@example(b"MSH|^~\\&|" + b"\x00" * 40)
def test_bytes_of_any_kind(raw: bytes) -> None:
    check(raw)
    check(b"MSH|^~\\&|A|B|||20260302||ORU^R01|1|P|2.5\rPID|1||1\r" + raw)


@quick
@given(st.text(max_size=200) | st.sampled_from(WHOLE.splitlines()).map(lambda line: WHOLE.replace(line, line[:-1])))
def test_field_maps(text: str) -> None:
    errors: tuple[str, ...] = ("line 0: usable",)
    try:
        read_feed_map(text)
    except FeedMapUnusable as unusable:
        errors = unusable.errors
    assert errors
    assert all(each.startswith("line ") for each in errors)


HEAD = b"MSH|^~\\&|A|B|||20260302||ORU^R01|1|P|2.5\rPID|1||1^^^H\r"
ENDLESS = {
    "fields": b"OBX|1|ST|" + b"a|" * 150_000,
    "components": b"OBX|1|ST|" + b"^" * 300_000,
    "repetitions": b"OBX|1|ST|" + b"~" * 300_000,
    "sub-components": b"OBX|1|ST|" + b"&" * 300_000,
    "escapes": b"OBX|1|ST|751-8^^LN||" + b"\\" * 300_000,
    "segments": b"OBX|\r" * 60_000,
    "lines": b"\r" * 300_000,
    "text lines": b"OBX|1|TX|||a" + b"\nb" * 150_000,
    "patients": b"PID|1||1\r" * 30_000,
    "strange segments": b"ZZZ|\r" * 60_000,
    "batches": b"BHS|^~\\&\r" * 30_000,
}


@pytest.mark.parametrize("shape", sorted(ENDLESS))
def test_three_hundred_thousand_of_anything_are_answered_soon(shape: str) -> None:
    """The front door peeks in its event loop: it may not stand still for one sender (10 ms for 300 kB measured)."""
    raw = HEAD + ENDLESS[shape]
    began = time.process_time()
    head = peek(raw)
    split_batch(raw)
    peeked = time.process_time() - began
    answer(head, code_of(head, verdict_of(head.faults)), head.faults, at=AT)
    read_message(raw, CONTEXT)
    whole = time.process_time() - began
    assert peeked < 1.0, "forty times what is measured, for a machine that is busy"
    assert whole < 5.0


def test_a_long_report_grows_in_proportion() -> None:
    def seconds(results: int) -> float:
        raw = message(obr(), *(obx(_1=str(number), _4=str(number)) for number in range(results)))
        best = 9.0
        for _ in range(3):
            began = time.process_time()
            read_message(raw, CONTEXT)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(800) < 8 * seconds(200)
