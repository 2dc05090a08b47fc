"""Beginnings of ICD-10 codes, matched on the borders of the code and never inside a character.

Dots are decoration (`I801` is `I80.1`), as are the dagger and asterisk of the WHO edition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CODE = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}")
_RANGE = re.compile(r"([A-Z])([0-9]{2})-([A-Z])([0-9]{2})")
_SUB_RANGE = re.compile(r"([A-Z][0-9]{2})\.([0-9])-\1\.([0-9])")


def read_icd10(code: str) -> str | None:
    """The code without dots and marks, or None where it is no ICD-10 code."""
    plain = code.strip().upper().rstrip("†*+!").replace(".", "").rstrip("-")
    return plain if _CODE.fullmatch(plain) else None


def expand_beginnings(written: Iterable[str]) -> Iterator[str]:
    """Each beginning as plain characters; a range becomes its three-character categories."""
    for text in written:
        if match := _SUB_RANGE.fullmatch(text):
            category, first, last = match.groups()
            yield from (f"{category}{digit}" for digit in range(int(first), int(last) + 1))
        elif match := _RANGE.fullmatch(text):
            letter, first, last_letter, last = match.groups()
            for ordinal in range(ord(letter), ord(last_letter) + 1):
                low = int(first) if chr(ordinal) == letter else 0
                high = int(last) if chr(ordinal) == last_letter else 99
                yield from (f"{chr(ordinal)}{number:02d}" for number in range(low, high + 1))
        else:
            plain = read_icd10(text)
            if plain is None:
                raise ValueError(f"{text!r} is neither an ICD-10 code nor a range")
            yield plain


def beginnings_of(plain: str) -> Iterator[str]:
    """Every beginning a code has, from its category to the whole code."""
    return (plain[:length] for length in range(3, len(plain) + 1))
