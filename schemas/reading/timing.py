"""When a fact holds: collection time, else issue time, flagged; a refusal says what to do."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.reading.context import ReadingContext
from schemas.rejection import RejectionReason
from schemas.values import When
from schemas.values.when import UnreadableTime, ZoneMissing, read_when

_UTC = ZoneInfo("UTC")

ZONE_SENTENCE = "a time without a zone needs the feed's timezone (for files: --timezone, for example Asia/Seoul)"


class TimeReading(NamedTuple):
    """The time, or why there is none; neither where nothing was sent."""

    when: When | None = None
    reason: RejectionReason | None = None
    detail: str = ""

    def named(self, what: str) -> str:
        """The refusal with the name of the element it is about."""
        return f"{what}: {self.detail}"


def read_time(text: str | None, context: ReadingContext) -> TimeReading:
    """Read one time of a message."""
    if text is None:
        return TimeReading()
    try:
        return TimeReading(read_when(text, context.zone))
    except ZoneMissing:
        return TimeReading(reason=RejectionReason.ZONE_MISSING, detail=ZONE_SENTENCE)
    except UnreadableTime:
        # The fault's own words may quote the time; a date of a person stays out of lists and logs.
        return TimeReading(reason=RejectionReason.TIME_UNREADABLE, detail="not an ISO 8601 date or time that exists")


def read_calendar_day(text: str, context: ReadingContext) -> When | None:
    """A birth date: a day of the calendar, which needs no zone to be placed."""
    try:
        return read_when(text, context.zone or _UTC)
    except UnreadableTime:
        return None


def from_issue(when: When) -> When:
    """The issue time standing in for the clinical time, flagged."""
    return when.model_copy(update={"from_issue": True})


def from_instant(instant: datetime) -> When:
    """An instant of the message or of its receipt standing in for the clinical time, flagged."""
    return from_issue(When.at(instant))
