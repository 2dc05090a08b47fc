"""MSH-18, the site's default, and what cannot be decoded; escapes."""

from __future__ import annotations

import pytest

from schemas.hl7v2 import read_feed_map, read_message
from schemas.hl7v2.escapes import unescape
from schemas.hl7v2.separators import Separators
from tests.schemas.feed import CONTEXT
from tests.schemas.hl7v2.writing import message, obr, obx, one, reasons

NOTE = "용혈된 검체, 재채혈 요망"
MARKS = Separators("|", "^", "~", "\\", "&")


def raw(codec: str, declared: str, note: str = NOTE) -> bytes:
    text = message(obr(), obx(), f"NTE|1|L|{note}", pid="PID|1||1001^^^HOSP^MR||홍^길동", _18=declared).decode()
    return text.encode(codec)


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        ("euc-kr", "KS X 1001"),
        ("euc-kr", "KS X 1001-1992"),
        ("euc-kr", "EUC-KR"),
        ("cp949", "CP949"),
        ("cp949", "ks_x_1001"),
        ("utf-8", "UNICODE UTF-8"),
        ("utf-8", "UNICODE UTF-8~ISO IR87"),
        ("utf-8", "UTF-8"),
        ("utf-8", ""),
        ("gb18030", "GB 18030-2000"),
    ],
)
def test_korean_comes_out_right(codec: str, declared: str) -> None:
    assert one(read_message(raw(codec, declared), CONTEXT)).text == NOTE


def test_the_syllables_that_only_cp949_has() -> None:
    assert one(read_message(raw("cp949", "KS X 1001", "똠방각하 뷁"), CONTEXT)).text == "똠방각하 뷁"


@pytest.mark.parametrize(
    ("codec", "name"), [("cp949", "KS X 1001"), ("iso8859-1", "8859/1"), ("iso8859-15", "8859/15")]
)
def test_the_sites_default_where_nothing_is_declared(codec: str, name: str) -> None:
    text = "Gruß" if codec != "cp949" else NOTE
    body = message(obr(), obx(), f"NTE|1|L|{text}").decode().encode(codec)
    assert one(read_message(body, CONTEXT, read_feed_map(f"charset: {name}"))).text == text
    assert reasons(read_message(body, CONTEXT)) == [("undecodable", "MSH[1]-18")]


def test_the_senders_word_rules_over_the_default() -> None:
    assert one(read_message(raw("utf-8", "UNICODE UTF-8"), CONTEXT, read_feed_map("charset: KS X 1001"))).text == NOTE


@pytest.mark.parametrize("declared", ["ASCII", "UNICODE UTF-16", "ISO IR87", "8859/16", "KLINGON"])
def test_what_cannot_be_decoded_is_said_and_not_guessed(declared: str) -> None:
    assert reasons(read_message(raw("utf-8", declared), CONTEXT)) == [("undecodable", "MSH[1]-18")]


def test_a_trail_byte_that_looks_like_a_separator() -> None:
    """Big5 and GB 18030 have trail bytes such as 0x7C: bytes must be decoded before they are split."""
    assert "功".encode("big5")[1:] == b"\\"
    body = message(obr(), obx(), "NTE|1|L|成功|x", _18="BIG-5").decode().encode("big5")
    assert one(read_message(body, CONTEXT)).text == "成功"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("\\H\\high\\N\\", "high"),
        ("a\\.br\\b\\.sp2\\c\\.ce\\d", "a\nb\nc\nd"),
        ("\\.in+4\\a\\.ti-2\\b", " a b"),
        ("\\X41\\\\XEC9A94\\", "A요"),
        ("\\XFF\\", "\\XFF\\"),
        ("\\Z99\\", "\\Z99\\"),
        ("\\C2842\\x\\M824041\\", "\\C2842\\x\\M824041\\"),
        ("a\\b", "a\\b"),
        ("a\\b\\T\\", "a\\b&"),
        ("\\\\", "\\\\"),
        ("\\.sp99999999999999\\", "\n"),
        ("\\.spx\\", "\\.spx\\"),
        ("\\", "\\"),
    ],
)
def test_escapes(sent: str, meant: str) -> None:
    assert unescape(sent, MARKS) == meant


def test_a_long_row_of_escape_marks_is_quick() -> None:
    assert unescape("\\" * 100_000, MARKS)
    assert unescape("\\a" * 100_000, MARKS)
