"""Printed numbers: read as what they are, or refused; never a wrong number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import read_number
from schemas.codes.normalising import says_clumped
from schemas.codes.tables import tables
from schemas.events import Comparator, ResultDoubt


@pytest.mark.parametrize(
    ("text", "value", "comparator"),
    [
        ("0.4", "0.4", None),
        (" 12 ", "12", None),
        ("0", "0", None),
        (".5", "0.5", None),
        ("-2.5", "-2.5", None),
        ("1e3", "1000", None),
        ("1.20E-1", "0.120", None),
        ("<0.1", "0.1", Comparator.LESS),
        ("< 0.1", "0.1", Comparator.LESS),
        ("> 1000", "1000", Comparator.MORE),
        ("<=5", "5", Comparator.AT_MOST),
        ("≥ 5", "5", Comparator.AT_LEAST),
        ("=<5", "5", Comparator.AT_MOST),
        ("1,200.5", "1200.5", None),
        ("1,200,000", "1200000", None),
        ("<1,200,000", "1200000", Comparator.LESS),
    ],
)
def test_reads(text: str, value: str, comparator: Comparator | None) -> None:
    reading = read_number(text)
    assert (reading.value, reading.comparator, reading.doubt) == (Decimal(value), comparator, None)


@pytest.mark.parametrize(
    "text",
    [
        "1,2", "1,200", "0,4", "12,34,567", "1,2000", "1.200.000", "1 200", "1'200", "", " ", "-", "<", "<<1", "5.",
        "NaN", "Infinity", "-inf", "1e999", "1e-99", "0x10", "1_000", "５", "٣", "½", "2+", "+1", "0.4 L", "0.4*", "~5",
        "5-10", "1.2.3", "see note", "clumped", "TNP", "--5", "1e", "e5", "9" * 80,
    ],
)  # fmt: skip
def test_refuses(text: str) -> None:
    assert read_number(text) == (None, None, ResultDoubt.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,4", "0.4"), ("1,200", "1.200"), ("1.200,5", "1200.5"), ("0.4", "0.4"), ("0.400", "0.400"), ("12.5", "12.5")],
)
def test_reads_a_decimal_comma_where_the_feed_prints_it(text: str, value: str) -> None:
    assert read_number(text, decimal_comma=True).value == Decimal(value)


@pytest.mark.parametrize("text", ["1.200", "1,2,3", "1,200.5", "1.2,3", "12.3456,7"])
def test_refuses_what_is_ambiguous_on_such_a_feed(text: str) -> None:
    assert read_number(text, decimal_comma=True).value is None


@given(st.text(max_size=30))
def test_whatever_is_read_was_printed(text: str) -> None:
    """A value that is read is the value of the text without its grouping commas and its comparator."""
    value = read_number(text).value
    if value is not None:
        assert Decimal(text.strip(" \t\r\n\u00a0<>=≤≥").replace(",", "")) == value


@given(st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=4))
def test_a_plain_number_is_read_exactly(value: Decimal) -> None:
    assert str(read_number(str(value)).value) == str(value)


@pytest.mark.parametrize(
    ("remark", "clumped"),
    [
        ("Platelet clumps present", True),
        ("PLT CLUMPING seen on film", True),
        ("platelets clumped, count unreliable", True),
        ("Aggregates seen", True),
        ("No platelet clumps seen.", False),
        ("no clumping", False),
        ("No fibrin. Clumps seen.", True),
        ("specimen haemolysed", False),
        ("", False),
    ],
)
def test_remarks_on_clumps(remark: str, clumped: bool) -> None:
    assert says_clumped(remark, tables().clump_pattern) is clumped
