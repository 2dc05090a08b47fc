"""Fields that several of our events share."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.events.lab_result import Comparator as ResultComparator
from schemas.events.medicine import Schedule as TakingSchedule
from schemas.values.frozen import Frozen

__all__ = [
    "Code",
    "Identifier",
    "Instant",
    "MedicineCode",
    "PatientIdentity",
    "RecordStatus",
    "ResultComparator",
    "ResultStatus",
    "TakingSchedule",
]

Identifier = Annotated[str, Field(min_length=1, max_length=200)]
"""An identifier of the sending system, kept exactly as it is."""

Instant = Annotated[str, Field(min_length=4, max_length=40, examples=["2026-03-02T08:15:00+09:00", "2026-03-02"])]
"""ISO 8601, as finely as it is known; without a zone it takes the feed's timezone, marked assumed."""


class PatientIdentity(Frozen):
    """The hospital's own number, and who assigned it."""

    authority: Identifier
    id: Identifier


class Code(Frozen):
    """A code in its system; `display` is shown to people and decides nothing."""

    system: Annotated[str, Field(max_length=200, examples=["http://loinc.org"])]
    code: Annotated[str, Field(min_length=1, max_length=100)]
    display: Annotated[str | None, Field(max_length=500)] = None


class MedicineCode(Code):
    """A medicine as coded; the strength of one unit (capsule, syringe) where the code does not say it."""

    other_codes: tuple[Code, ...] = ()
    strength_mg: Annotated[Decimal | None, Field(gt=0, examples=["25"])] = None


class ResultStatus(StrEnum):
    """How firmly the laboratory stands behind a result."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    AMENDED = "amended"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class RecordStatus(StrEnum):
    """How firmly the sender stands behind anything that is not a result."""

    PLANNED = "planned"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
