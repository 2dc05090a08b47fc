"""Batches, files, and the ends of lines."""

from __future__ import annotations

import pytest

from schemas.hl7v2 import read_message, split_batch
from tests.schemas.feed import CONTEXT, facts
from tests.schemas.hl7v2.writing import message, obr, obx, reasons

ONE = message(obr(), obx())
TWO = message(obr(_3="F-2"), obx(), pid="PID|1||1002^^^HOSP^MR", _10="C-2")
BHS, FHS = b"BHS|^~\\&|LAB|HOSP\r", b"FHS|^~\\&|LAB|HOSP\r"


@pytest.mark.parametrize(
    ("shows", "raw", "count", "envelope"),
    [
        ("one message", ONE, 1, False),
        ("two, one after the other", ONE + TWO, 2, False),
        ("with blank lines between", ONE + b"\r\n\r\n" + TWO, 2, False),
        ("a batch", BHS + ONE + TWO + b"BTS|2\r", 2, True),
        ("a batch that does not count", BHS + ONE + b"BTS\r", 1, True),
        ("a batch of nothing", BHS + b"BTS|0\r", 0, True),
        ("a file of one batch", FHS + BHS + ONE + b"BTS|1\r" + b"FTS|1\r", 1, True),
        ("a file of two", FHS + BHS + ONE + b"BTS|1\r" + BHS + TWO + b"BTS|1\r" + b"FTS|2\r", 2, True),
    ],
)
def test_batches_that_agree(shows: str, raw: bytes, count: int, envelope: bool) -> None:
    batch = split_batch(raw)
    assert (len(batch.messages), batch.faults, batch.has_envelope) == (count, (), envelope), shows
    assert all(each.startswith(b"MSH|") for each in batch.messages)


@pytest.mark.parametrize(
    ("shows", "raw", "place"),
    [
        ("a message is missing", BHS + ONE + b"BTS|2\r", "BTS[1]-1"),
        ("one too many", BHS + ONE + TWO + b"BTS|1\r", "BTS[1]-1"),
        ("a batch is missing", FHS + BHS + ONE + b"BTS|1\r" + b"FTS|2\r", "FTS[1]-1"),
        ("a count that is none", BHS + ONE + b"BTS|many\r", "BTS[1]-1"),
        ("cut off", BHS + ONE, "BTS[1]-1"),
        ("a file cut off", FHS + BHS + ONE + b"BTS|1\r", "FTS[1]-1"),
        ("a batch in a batch", BHS + BHS + ONE + b"BTS|1\r", "BHS[1]-1"),
        ("an end without its beginning", ONE + b"BTS|1\r", "BTS[1]-1"),
        ("a segment between", BHS + b"PID|1||9\r" + ONE + b"BTS|1\r", "MSH[1]-1"),
    ],
)
def test_batches_that_do_not_are_rejected_whole(shows: str, raw: bytes, place: str) -> None:
    reading = read_message(raw, CONTEXT)
    assert ("batch-incomplete", place) in reasons(reading), shows
    assert reading.entries == ()


def test_each_message_of_a_batch_keeps_its_own_name() -> None:
    reading = read_message(BHS + ONE + TWO + b"BTS|2\r", CONTEXT)
    assert [fact.source.message for fact in facts(reading)] == ["C-1", "C-2"]
    alone = [read_message(raw, CONTEXT).entries[0] for raw in (ONE, TWO)]
    assert list(reading.entries) == alone


def test_one_bad_message_of_a_batch_does_not_harm_the_others() -> None:
    bad = message(obr(), obx(), pid="PID|1")
    reading = read_message(BHS + bad + TWO + b"BTS|2\r", CONTEXT)
    assert (reading.outcome, len(facts(reading)), reasons(reading)) == ("partly", 1, [("no-patient", "PID[1]-3")])


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\n"])
def test_every_end_of_line(end: bytes) -> None:
    assert len(facts(read_message(ONE.replace(b"\r", end), CONTEXT))) == 1


def test_no_end_of_the_last_line_a_byte_order_mark_and_mixed_ends() -> None:
    assert len(facts(read_message(b"\xef\xbb\xbf" + ONE.rstrip(b"\r"), CONTEXT))) == 1
    assert len(facts(read_message(ONE.replace(b"\r", b"\n", 2), CONTEXT))) == 1


def test_a_line_break_in_a_text_is_not_the_end_of_its_segment() -> None:
    raw = message(obr(), obx(_2="TX", _5="first\nsecond line"))
    (fact,) = facts(read_message(raw, CONTEXT))
    assert (fact.status, fact.text) == ("final", "first\nsecond line")
