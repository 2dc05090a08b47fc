"""A measurement was reported: laboratory result, vital sign or score."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding
from schemas.values.frozen import Frozen


class Comparator(StrEnum):
    """The value is a bound: `< 0.1` proves "below 1", `< 2.0` proves nothing about 1."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class ResultDoubt(StrEnum):
    """Why a result has no value that a rule may decide on (clinical reference, part 7.2)."""

    UNIT_MISSING = "unit-missing"
    UNIT_UNKNOWN = "unit-unknown"
    IMPLAUSIBLE = "implausible"
    NOT_A_NUMBER = "not-a-number"
    ESTIMATE = "estimate"
    """The method is an estimate (for example a platelet estimate from a smear)."""
    CLUMPED = "clumped"
    """Platelet clumps were seen: the count may be falsely low. The value is kept."""
    ABSENT = "absent"
    """The laboratory says that there is no value; it replaces an earlier version that had one."""
    ANSWER_UNKNOWN = "answer-unknown"
    """A coded or worded result that is none of the answers our tables know."""
    CODE_SYSTEM = "code-system"
    """The code is one we know, under a system we do not accept."""


class ReferenceRange(Frozen):
    """The laboratory's own range, in the canonical unit of the analyte."""

    low: Decimal | None = None
    high: Decimal | None = None


class LabResultReported(FactBase):
    """One measured value with the unit as received, and the canonical value beside it.

    `value` and `unit` are as received. `normalised` is in the analyte's canonical unit
    (counts: cells/uL) and is absent whenever the unit is unknown, so that nothing is guessed.
    `specimen` groups the results of one sample; results of one report share it.
    """

    kind: Literal["lab-result"] = "lab-result"
    analyte: str | None = None
    codes: tuple[Coding, ...] = ()
    value: Decimal | None = None
    comparator: Comparator | None = None
    unit: str | None = None
    text: str | None = None
    answer: str | None = None
    """The coded answer in our words (`positive`, `negative`, `indeterminate`), for analytes that are no number."""
    answer_codes: tuple[Coding, ...] = ()
    """The coded answer as received."""
    normalised: Decimal | None = None
    normalised_unit: str | None = None
    doubt: ResultDoubt | None = None
    could_breach: bool = False
    """True where the unit is unknown and some reading of the raw number would breach a hold threshold's order."""
    range: ReferenceRange | None = None
    specimen: str | None = None
