"""Days and months in the patient's own zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def in_utc(at: datetime) -> datetime:
    """The same instant, in the one form of UTC that compares and is written quickest: entries come in others."""
    return at if at.tzinfo is UTC else at.astimezone(UTC)


@lru_cache(maxsize=4096)
def local_day(at: datetime, zone: str) -> date:
    """The calendar day of an instant in a zone."""
    return at.astimezone(_zone(zone)).date()


def days_between(earlier: datetime, later: datetime, zone: str) -> int:
    """Calendar days from one instant to another (0 on the same day)."""
    return (local_day(later, zone) - local_day(earlier, zone)).days


@lru_cache(maxsize=1024)
def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a calendar day in a zone, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=_zone(zone)).astimezone(UTC)


def days_after(at: datetime, days: int, zone: str) -> datetime:
    """The first instant of the day that lies `days` after the day of `at`."""
    return start_of_day(local_day(at, zone) + timedelta(days=days), zone)


def months_before(day: date, months: int) -> date:
    """The same day of the month, that many months earlier; the month's last day where it has none."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def completed_years(birth: date, on: date) -> int:
    """Age in completed years."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
