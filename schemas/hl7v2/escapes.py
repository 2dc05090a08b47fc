"""Escape sequences of chapter 2 (HL7 v2.5.1, 2.7): what stands for a character, and what stands for a layout.

Our own, because the library's writes the field it cannot read into the log, repeats a character as often as
the sender asks, and raises on a malformed count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.hl7v2.separators import Separators

_BREAKS: Final = ("br", "sp", "ce")
_NOTHING: Final = ("in", "ti", "fi", "nf", "sk")
_LONGEST: Final = 256
"""Characters between two escape marks; a longer run is text with stray marks."""


def unescape(text: str, separators: Separators, codec: str = "utf-8") -> str:
    """The text meant; a sequence we do not know is left as it stands, so that nothing vanishes."""
    mark = separators.escape
    if mark not in text:
        return text
    meant: list[str] = []
    place = 0
    while (start := text.find(mark, place)) >= 0:
        end = text.find(mark, start + 1)
        meant.append(text[place:start])
        if end < 0:
            meant.append(text[start:])
            return "".join(meant)
        inside = text[start + 1 : end]
        found = _meaning(inside, separators, codec) if len(inside) <= _LONGEST else None
        if found is None:
            # The closing mark may open the next sequence: only the opening one is used up.
            meant.append(mark)
            place = start + 1
            continue
        meant.append(found)
        place = end + 1
    meant.append(text[place:])
    return "".join(meant)


def escape(text: str, separators: Separators) -> str:
    """A text for a field: separators become sequences, a line break becomes `.br`."""
    marks = {
        separators.escape: "E",
        separators.field: "F",
        separators.component: "S",
        separators.repetition: "R",
        separators.sub: "T",
        "\r": ".br",
        "\n": ".br",
    }
    escaped = text.replace("\r\n", "\n")
    return "".join(f"{separators.escape}{marks[c]}{separators.escape}" if c in marks else c for c in escaped)


def _meaning(inside: str, separators: Separators, codec: str) -> str | None:
    simple = {
        "F": separators.field,
        "S": separators.component,
        "R": separators.repetition,
        "T": separators.sub,
        "E": separators.escape,
        "H": "",
        "N": "",
    }
    if inside == "P" and separators.truncation:
        return separators.truncation
    if inside in simple:
        return simple[inside]
    if inside.startswith("."):
        name = inside[1:3]
        if not inside[3:].strip().lstrip("+-").isdigit() and inside[3:].strip():
            return None
        return "\n" if name in _BREAKS else " " if name in _NOTHING else None
    if inside.startswith("X"):
        try:
            return bytes.fromhex(inside[1:]).decode(codec)
        except ValueError:
            return None
    return None
