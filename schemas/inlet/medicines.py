"""What the pharmacy, the ward and the patient say about medicines: handed over, given, ordered, taken at home."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from schemas.inlet.fields import (
    Code,
    Identifier,
    Instant,
    MedicineCode,
    PatientIdentity,
    RecordStatus,
    TakingSchedule,
)
from schemas.values.frozen import Frozen


class _MedicineEvent(Frozen):
    """What the four have in common.

    `dose_mg` is taken at one time, `times_per_day` on a day of taking; `schedule` says
    which days those are. `purpose` only where the sender knows it.
    """

    patient: PatientIdentity
    id: Identifier | None = None
    medicine: MedicineCode
    status: RecordStatus = RecordStatus.FINAL
    recorded_at: Instant | None = None
    dose_mg: Annotated[Decimal | None, Field(ge=0)] = None
    times_per_day: Annotated[Decimal | None, Field(gt=0, le=48)] = None
    schedule: TakingSchedule | None = None
    route: Code | None = None
    purpose: Literal["prophylaxis", "treatment"] | None = None


class Dispense(_MedicineEvent):
    """A medicine was handed over: `quantity` units for `days_supply` days."""

    handed_over_at: Instant
    quantity: Annotated[Decimal | None, Field(ge=0)] = None
    days_supply: Annotated[int | None, Field(ge=0, le=1000)] = None
    cycle_day_1: bool | None = None


class Administration(_MedicineEvent):
    """A dose was given; `cycle_day_1` marks the first dose of a cycle."""

    given_at: Instant
    cycle_day_1: bool | None = None


class Order(_MedicineEvent):
    """A medicine was ordered or is planned (`status: planned`); `ends_at` where the order says so."""

    ordered_at: Instant
    ends_at: Instant | None = None
    quantity: Annotated[Decimal | None, Field(ge=0)] = None
    days_supply: Annotated[int | None, Field(ge=0, le=1000)] = None


class HomeMedicine(_MedicineEvent):
    """The patient is said to take a medicine from one day to another, or still."""

    taken_from: Instant
    taken_until: Instant | None = None
