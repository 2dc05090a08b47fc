"""HL7 times (DTM, DT, TS) of any precision, with or without a zone, to `When`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from schemas.reading.context import ReadingContext
from schemas.reading.timing import TimeReading, read_time
from schemas.rejection import RejectionReason

_TIME: Final = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4})?", re.ASCII
)
_DIGITS: Final = {"Y": 4, "L": 6, "D": 8, "H": 10, "M": 12}
"""TS-2, degree of precision, up to v2.4: how many digits of TS-1 count."""
_FAULT: Final = "not an HL7 date or time that exists (YYYYMMDDHHMMSS, shortened from the right)"


def read_dtm(text: str | None, context: ReadingContext, precision: str | None = None) -> TimeReading:
    """One time; neither a time nor a reason where nothing was sent. An hour alone is an interval of an hour."""
    if text is None or not text.strip():
        return TimeReading()
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return TimeReading(reason=RejectionReason.TIME_UNREADABLE, detail=_FAULT)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    digits = _DIGITS.get(precision or "", 99)
    month, day = month if digits >= 6 else None, day if digits >= 8 else None
    hour, minute = hour if digits >= 10 else None, minute if digits >= 12 else None
    if hour is None or day is None or month is None:
        # A date takes the feed's zone even where an offset is sent: offsets of dates are mostly formatting.
        written = "-".join(part for part in (year, month, day) if part is not None)
        return _named(read_time(written, context))
    zone = f"{offset[:3]}:{offset[3:]}" if offset else ""
    clock = f"{hour}:{minute or '00'}"
    if minute is not None and second is not None:
        clock += f":{second}" + (f".{fraction}" if fraction else "")
    reading = read_time(f"{year}-{month}-{day}T{clock}{zone}", context)
    if minute is None and reading.when is not None:
        whole_hour = reading.when.earliest + timedelta(hours=1, seconds=-1)
        return TimeReading(reading.when.model_copy(update={"latest": whole_hour}))
    return _named(reading)


def _named(reading: TimeReading) -> TimeReading:
    if reading.reason is RejectionReason.TIME_UNREADABLE:
        return TimeReading(reason=reading.reason, detail=_FAULT)
    return reading
