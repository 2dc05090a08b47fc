"""The fields that facts share, gathered once so that each reader writes only what is its own."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypedDict

from schemas.events import FactStatus, Schedule
from schemas.values import Coding, Source, When

_LONGEST_ID = 200


class FactStamp(TypedDict):
    """What every fact carries."""

    fact_id: str
    origin_key: str
    when: When
    issued_at: datetime | None
    versioned_at: datetime | None
    status: FactStatus
    source: Source


class MedicineStamp(TypedDict):
    """What the four kinds of medicine fact carry beside it."""

    medicine: str
    classes: tuple[str, ...]
    codes: tuple[Coding, ...]
    strength_mg: Decimal | None
    quantity: Decimal | None
    days_supply: int | None
    dose_mg: Decimal | None
    daily_dose_mg: Decimal | None
    schedule: Schedule | None
    until: When | None
    purpose: str | None
    cycle_day_1: bool | None


@lru_cache(maxsize=4096)
def build_coding(system: str, code: str, display: str | None) -> Coding:
    """One object for a coding that comes again and again; they are frozen."""
    return Coding(system=system, code=code, display=display)


def short_id(text: str) -> str:
    """An identifier from outside, or its hash where it is longer than any honest one."""
    return text if len(text) <= _LONGEST_ID else hashlib.sha256(text.encode()).hexdigest()


def daily_dose(dose_mg: Decimal | None, times_per_day: Decimal | None, schedule: Schedule | None) -> Decimal | None:
    """What is taken on a day of taking; unknown unless both its parts are known."""
    if dose_mg is None:
        return None
    if times_per_day is not None:
        return dose_mg * times_per_day
    # Weekly and alternate-day schedules mean one dose on the day unless the sender says otherwise.
    return dose_mg if schedule in (Schedule.WEEKLY, Schedule.ALTERNATE_DAYS) else None
