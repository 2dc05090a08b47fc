"""A condition, symptom, bleeding or adverse event was recorded."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding, When


class ConditionRecorded(FactBase):
    """`concepts` are the ids of `schemas/codes/conditions.yaml` that the codes fall under.

    `when` is the onset (else the recorded date, flagged `from_issue`). `abated` is the end,
    where stated; `is_active` false means over without a known date.
    """

    kind: Literal["condition"] = "condition"
    concepts: tuple[str, ...] = ()
    codes: tuple[Coding, ...] = ()
    abated: When | None = None
    is_active: bool = True
    is_history: bool = False
    """A history code (Z86 and kin): it was, it is not now."""


class AdverseEventRecorded(FactBase):
    """An adverse event with the CTCAE grade a clinician gave it."""

    kind: Literal["adverse-event"] = "adverse-event"
    concepts: tuple[str, ...] = ()
    codes: tuple[Coding, ...] = ()
    grade: int | None = None
    related_to: tuple[str, ...] = ()
    abated: When | None = None
