"""What the four kinds of medicine fact share."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from schemas.events.fact import FactBase
from schemas.values import Coding, When


class Schedule(StrEnum):
    """How often a dose is taken, as far as the sender coded it."""

    DAILY = "daily"
    ALTERNATE_DAYS = "alternate-days"
    WEEKLY = "weekly"
    OTHER = "other"


class MedicineFact(FactBase):
    """Medicine as coded, and the ingredient our table knows it by.

    `medicine` is an id of `schemas/codes/medicines.yaml`. `strength_mg` is of one unit
    (capsule, syringe), `quantity` the number of units, `dose_mg` what is taken at one time.
    `daily_dose_mg` is the sum of one day of taking (for alternate days the dosing day, not the average).
    `when` is the instant that matters clinically: handed over, given, authored, first taken.
    `until` is the stated end of a period (order or home statement), where there is one.
    """

    medicine: str | None = None
    classes: tuple[str, ...] = ()
    """Named groups of `medicines.yaml` that the ingredient belongs to (`lmwh`, `gcsf`, `antibacterial-prophylaxis`)."""
    codes: tuple[Coding, ...] = ()
    strength_mg: Decimal | None = None
    quantity: Decimal | None = None
    days_supply: int | None = None
    dose_mg: Decimal | None = None
    daily_dose_mg: Decimal | None = None
    schedule: Schedule | None = None
    until: When | None = None
    purpose: str | None = None
    """`prophylaxis` or `treatment`, where the sender coded it."""
    cycle_day_1: bool | None = None
    """True where the sender marks this as the first dose of a cycle."""
