"""Clinical time with the precision it was given in.

A date without a time of day is an interval, not midnight: a rule that cares takes the
end of the interval that is safe for the patient.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from schemas.values.frozen import Frozen


class Precision(StrEnum):
    """How finely the sender stated a time."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MINUTE = "minute"
    INSTANT = "instant"


class When(Frozen):
    """The instant lies in [earliest, latest]; equal for a full instant. Always UTC inside."""

    earliest: AwareDatetime
    latest: AwareDatetime
    precision: Precision = Precision.INSTANT
    zone_assumed: bool = False
    from_issue: bool = False
    """True where no collection time was sent and the issue time stands in for it."""

    @classmethod
    def at(cls, instant: datetime) -> When:
        """A full instant."""
        moment = instant.astimezone(UTC)
        return cls(earliest=moment, latest=moment)


class UnreadableTime(ValueError):
    """The text is not a time we can place; the message says why, without repeating patient data."""


class ZoneMissing(UnreadableTime):
    """A time of day without a zone, where no zone was given for the feed."""


_ISO = re.compile(
    r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$"
)


def read_when(text: str, zone: ZoneInfo | None) -> When:
    """Read an ISO 8601 / FHIR dateTime of any precision (FHIR R4, 2.24.0.1).

    `zone` is the feed's; it places dates and times that carry none, marked assumed.
    Without it such a time raises `ZoneMissing`; a malformed one raises `UnreadableTime`.
    """
    match = _ISO.match(text.strip().replace(" ", "T", 1))
    if match is None:
        raise UnreadableTime("not an ISO 8601 date or time")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        if hour is not None:
            return _read_instant(year, month, day, hour, minute, second, fraction, offset, zone)
        if zone is None:
            raise ZoneMissing("a date needs a timezone to be placed")
        if day is not None:
            start = datetime(int(year), int(month), int(day), tzinfo=zone)
            return _interval(start, start + timedelta(days=1), Precision.DAY)
        if month is not None:
            start = datetime(int(year), int(month), 1, tzinfo=zone)
            days = monthrange(start.year, start.month)[1]
            return _interval(start, start + timedelta(days=days), Precision.MONTH)
        start = datetime(int(year), 1, 1, tzinfo=zone)
        return _interval(start, datetime(int(year) + 1, 1, 1, tzinfo=zone), Precision.YEAR)
    except UnreadableTime:
        raise
    except (ValueError, OverflowError) as error:
        raise UnreadableTime(f"no such date or time ({error})") from None


def _interval(start: datetime, end: datetime, precision: Precision) -> When:
    return When(
        earliest=start.astimezone(UTC),
        latest=end.astimezone(UTC) - timedelta(seconds=1),
        precision=precision,
        zone_assumed=True,
    )


def _read_offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _read_instant(
    year: str,
    month: str,
    day: str,
    hour: str,
    minute: str,
    second: str | None,
    fraction: str | None,
    offset: str | None,
    zone: ZoneInfo | None,
) -> When:
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    if offset is None and zone is None:
        raise ZoneMissing("a time without a zone needs a timezone to be placed")
    assumed = offset is None
    here = zone if offset is None else _read_offset(offset)
    placed = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros, tzinfo=here)
    earliest = placed.astimezone(UTC)
    if second is None:
        return When(
            earliest=earliest,
            latest=earliest + timedelta(seconds=59),
            precision=Precision.MINUTE,
            zone_assumed=assumed,
        )
    return When(earliest=earliest, latest=earliest, precision=Precision.INSTANT, zone_assumed=assumed)
