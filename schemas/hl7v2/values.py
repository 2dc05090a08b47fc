"""OBX-5, OBX-6, OBX-7 and NTE: the value of one result as its sender wrote it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from schemas.codes.normalising import read_number
from schemas.events import Comparator
from schemas.hl7v2.groups import Observed
from schemas.hl7v2.message import Segment
from schemas.hl7v2.subject import Subject
from schemas.reading.result import name_part
from schemas.reading.results import LONGEST_TEXT, ReceivedValue
from schemas.values import Coding

_COMPARATORS: Final = {
    "<": Comparator.LESS,
    "<=": Comparator.AT_MOST,
    ">": Comparator.MORE,
    ">=": Comparator.AT_LEAST,
    "=": None,
    "": None,
}
_PRINTED: Final = frozenset({"NM", "ST", "TX", "FT", "IS", "ID", "SI", "NR", ""})
_CODED: Final = frozenset({"CWE", "CE", "CNE", "CF", "CK"})
_RANGE: Final = re.compile(r"\s*(-?[\d.,]+)\s*[-–~]\s*(-?[\d.,]+)\s*", re.ASCII)
_BOUND: Final = re.compile(r"\s*(<=|>=|<|>|≤|≥)\s*(-?[\d.,]+)\s*", re.ASCII)
_UNIT_PARTS: Final = ((1, 2), (4, 5))


def read_value(observed: Observed, subject: Subject, *, decimal_comma: bool) -> ReceivedValue:
    """OBX-5 with its unit, range and notes, as the sender wrote them."""
    obx = observed.obx
    text, comparator, answers = _value(obx)
    remarks = [said for note in observed.notes if (said := note.printed(3)) is not None]
    low, high = read_range(obx.printed(7), decimal_comma=decimal_comma)
    return ReceivedValue(
        text=text,
        comparator=comparator,
        units=read_units(obx, subject),
        answer_codes=answers,
        remark="; ".join(remarks) or None,
        low=low,
        high=high,
    )


def _value(obx: Segment) -> tuple[str | None, Comparator | None, tuple[Coding, ...]]:
    kind = (obx.text(2) or "").upper()
    if obx.printed(5) is None:
        return None, None, ()
    if kind == "SN":
        return _structured(obx)
    if kind in _CODED:
        answers = obx.codings(5)
        return (None if answers else obx.text(5, 9) or obx.text(5, 2)), None, answers
    if kind in _PRINTED:
        return _lines(obx), None, ()
    # A value of a kind that no result of ours has: said, so that it is a doubt and not an absence.
    return f"a value of type {name_part(kind)}", None, ()


def _lines(obx: Segment) -> str | None:
    """Repetitions of a text are its lines; of a number they are several numbers, and so none."""
    return "\n".join(text for each in obx.repetitions(5) if (text := obx.part(each, 1)) is not None) or None


def _structured(obx: Segment) -> tuple[str | None, Comparator | None, tuple[Coding, ...]]:
    """SN: comparator, number, separator, number. A range or ratio is shown and decides nothing."""
    sign, first, joint, second = (obx.text(5, component) for component in (1, 2, 3, 4))
    plain = sign or ""
    if joint is None and second is None and plain in _COMPARATORS and len(obx.repetitions(5)) == 1:
        return first, _COMPARATORS[plain], ()
    return obx.printed(5), None, ()


def read_units(obx: Segment, subject: Subject) -> tuple[str, ...]:
    """OBX-6: what the site says the whole field means, else every spelling in it."""
    printed = obx.printed(6)
    if printed is None:
        local = _local_unit(obx, subject)
        return (local,) if local is not None else ()
    mapped = subject.message.feed_map.units.get(printed)
    if mapped is not None:
        return (mapped,)
    repeated = obx.repetitions(6)
    found = [unit for pair in _UNIT_PARTS for at in pair if (unit := obx.part(repeated[0], at)) is not None]
    return tuple(dict.fromkeys(unit[:200] for unit in found))


def _local_unit(obx: Segment, subject: Subject) -> str | None:
    """The site's word for a test that it sends without a unit."""
    for repetition in obx.repetitions(3):
        for first, system_at in ((1, 3), (4, 6)):
            code = obx.part(repetition, first)
            if code is not None:
                local = subject.message.feed_map.local(obx.part(repetition, system_at) or "", code)
                if local is not None and local.unit is not None:
                    return local.unit
    return None


def read_range(text: str | None, *, decimal_comma: bool) -> tuple[Decimal | None, Decimal | None]:
    """OBX-7 as `1.5-8.0`, `<5` or `>40` and nothing more: a range printed with words stays text."""
    if text is None or len(text) > LONGEST_TEXT:
        return None, None
    if match := _RANGE.fullmatch(text):
        low = read_number(match.group(1), decimal_comma=decimal_comma)
        high = read_number(match.group(2), decimal_comma=decimal_comma)
        return (low.value, high.value) if low.value is not None and high.value is not None else (None, None)
    if match := _BOUND.fullmatch(text):
        limit = read_number(match.group(2), decimal_comma=decimal_comma).value
        return (None, limit) if match.group(1) in ("<", "<=", "≤") else (limit, None)
    return None, None
