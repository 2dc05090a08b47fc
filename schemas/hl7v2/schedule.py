"""How often, how long, from when to when: TQ1 (v2.5 on), and the TQ of ORC-7 and RXE-1 before it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from schemas.codes.normalising import read_number
from schemas.events import Schedule
from schemas.hl7v2.groups import Order
from schemas.hl7v2.message import Repetition, Segment
from schemas.reading.amounts import whole_days
from schemas.values import When

_REGULAR: Final = {
    **dict.fromkeys(("QD", "Q1D", "QAM", "QPM", "QHS", "DAILY", "Q24H"), (Schedule.DAILY, 1)),
    **dict.fromkeys(("BID", "Q12H"), (Schedule.DAILY, 2)),
    **dict.fromkeys(("TID", "Q8H"), (Schedule.DAILY, 3)),
    **dict.fromkeys(("QID", "Q6H"), (Schedule.DAILY, 4)),
    **dict.fromkeys(("QOD", "Q2D", "Q48H"), (Schedule.ALTERNATE_DAYS, 1)),
    **dict.fromkeys(("Q1W", "QW", "Q7D"), (Schedule.WEEKLY, 1)),
}
"""HL7 table 0335, repeat pattern: the codes of regular daily, alternate-day and weekly taking."""
_HOURS: Final = re.compile(r"Q([1-9][0-9]?)H", re.ASCII)
_WEEKDAY: Final = re.compile(r"Q1?J[1-7]", re.ASCII)
_DURATION: Final = re.compile(r"([DW])([0-9]{1,4})", re.ASCII)
"""TQ-3: `D28` is 28 days, `W4` four weeks (HL7 v2.5.1, 4.3.3)."""
_HOURS_A_DAY: Final = 24


class Timing(NamedTuple):
    """What the timing says, as far as it says one thing."""

    schedule: Schedule | None = None
    times: Decimal | None = None
    """On a day of taking."""
    amount: Decimal | None = None
    """Taken at one time, in `units`."""
    units: tuple[str, ...] = ()
    days: int | None = None
    begin: When | None = None
    end: When | None = None


def read_timing(order: Order, encoded: Segment | None) -> tuple[Timing, bool]:
    """The timing, and whether its times may be used. Several timings are not added up or chosen from."""
    if order.timings:
        timing, usable = _from_tq1(order.timings[0])
        repeats = len(order.timings) > 1
        source = order.timings[0]
    else:
        source_field = _older(order, encoded)
        if source_field is None:
            return Timing(), True
        source, number = source_field
        timing, usable = _from_tq(source, number)
        repeats = len(source.repetitions(number)) > 1
    if repeats:
        source.leave("several timings")
        return Timing(schedule=Schedule.OTHER, begin=timing.begin, end=timing.end), usable
    return timing, usable


def _older(order: Order, encoded: Segment | None) -> tuple[Segment, int] | None:
    for segment, number in ((encoded, 1), (order.orc, 7)):
        if segment is not None and segment.printed(number) is not None:
            return segment, number
    return None


def _from_tq1(tq1: Segment) -> tuple[Timing, bool]:
    begin, begin_usable = tq1.time(7)
    end, end_usable = tq1.time(8)
    patterns = [pattern for each in tq1.repetitions(3) if (pattern := tq1.part(each, 1)) is not None]
    schedule, times = _read_patterns(patterns)
    amount, units = read_quantity(tq1, 2)
    duration, duration_units = read_quantity(tq1, 6)
    days = None
    if duration is not None:
        days = whole_days(duration, duration_units)
        if days is None:
            tq1.leave("6, not whole days or weeks")
    return Timing(schedule, times, amount, units, days, begin, end), begin_usable and end_usable


def _from_tq(segment: Segment, number: int) -> tuple[Timing, bool]:
    """TQ: quantity^interval^duration^start^end, in the first repetition."""
    first = segment.repetitions(number)[0]
    begin, begin_usable = segment.time(number, 4)
    end, end_usable = segment.time(number, 5)
    pattern = segment.part(first, 2)
    schedule, times = _read_patterns([pattern] if pattern is not None else [])
    amount, units = _quantity_in(segment, first, subs=True)
    days = None
    duration = segment.part(first, 3)
    if duration is not None:
        match = _DURATION.fullmatch(duration.upper())
        days = whole_days(Decimal(match.group(2)), ("wk" if match.group(1) == "W" else "d",)) if match else None
        if days is None:
            segment.leave(f"{number}.3, not whole days or weeks")
    return Timing(schedule, times, amount, units, days, begin, end), begin_usable and end_usable


def _read_patterns(patterns: list[str]) -> tuple[Schedule | None, Decimal | None]:
    if not patterns:
        return None, None
    plain = patterns[0].upper().replace(" ", "")
    if len(patterns) > 1:
        return Schedule.OTHER, None
    known = _REGULAR.get(plain)
    if known is not None:
        return known[0], Decimal(known[1])
    if _WEEKDAY.fullmatch(plain):
        return Schedule.WEEKLY, Decimal(1)
    match = _HOURS.fullmatch(plain)
    if match is not None and _HOURS_A_DAY % int(match.group(1)) == 0:
        return Schedule.DAILY, Decimal(_HOURS_A_DAY // int(match.group(1)))
    return Schedule.OTHER, None


def read_quantity(segment: Segment, number: int) -> tuple[Decimal | None, tuple[str, ...]]:
    """A composite quantity (CQ): number^units, the units a code of their own in sub-components."""
    repeated = segment.repetitions(number)
    return _quantity_in(segment, repeated[0], subs=False) if repeated else (None, ())


def _quantity_in(segment: Segment, repetition: Repetition, *, subs: bool) -> tuple[Decimal | None, tuple[str, ...]]:
    reading = read_number(segment.part(repetition, 1) or "")
    parts = ((1, 2), (1, 3)) if subs else ((2, 1), (2, 2))
    units = [unit for at in parts if (unit := segment.part(repetition, *at)) is not None]
    return (reading.value if reading.comparator is None else None), tuple(dict.fromkeys(units))
