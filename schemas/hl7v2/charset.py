"""Bytes to text by MSH-18 (HL7 table 0211), else by the site's default; nothing is replaced, nothing is guessed."""

from __future__ import annotations

import codecs
import re
from typing import Final

_CODECS: Final = {
    "ASCII": "ascii",
    "US-ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    # CP949 holds all of EUC-KR and the other 8,822 syllables that Korean Windows systems send under that name.
    "KS X 1001": "cp949",
    "KS X 1001-1992": "cp949",
    "KSX1001": "cp949",
    "KS C 5601": "cp949",
    "KS C 5601-1987": "cp949",
    "EUC-KR": "cp949",
    "CP949": "cp949",
    "MS949": "cp949",
    "WINDOWS-949": "cp949",
    "ISO IR149": "cp949",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
}
"""Names of table 0211 and what senders write for them, upper case, blanks and underscores as one blank."""

_ISO_8859: Final = re.compile(r"(?:ISO[ -]?)?8859[/-](1|2|3|4|5|6|7|8|9|15)", re.ASCII)
_BOM: Final = codecs.BOM_UTF8
_BLANKS: Final = b" \t\r\n\x0b"


def codec_of(name: str) -> str | None:
    """The codec of a character set under the name that MSH-18 gives it, or None where we cannot read it."""
    plain = " ".join(name.upper().replace("_", " ").split())
    found = _CODECS.get(plain)
    if found is not None:
        return found
    match = _ISO_8859.fullmatch(plain)
    return f"iso8859-{match.group(1)}" if match is not None else None


def known_charsets() -> tuple[str, ...]:
    """The names that a site may choose as its default."""
    return (*sorted(_CODECS), *(f"8859/{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)))


def strip_start(raw: bytes) -> bytes:
    """Without a byte order mark and blanks before the first segment: some senders write files, not messages."""
    raw = raw.lstrip(_BLANKS)
    return raw.removeprefix(_BOM).lstrip(_BLANKS) if raw.startswith(_BOM) else raw
