"""Something no standard resource names was stated, in the project's own CodeSystem."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import When


class StatementRecorded(FactBase):
    """`code` is one of `schemas/codes/statements.yaml`; the value is of the type listed there.

    Examples: `planned-cycle-day-1` (time), `vte-risk-assessment` (code), `lenalidomide-stopped` (code).
    """

    kind: Literal["statement"] = "statement"
    code: str
    value_code: str | None = None
    value_number: Decimal | None = None
    value_when: When | None = None
    until: When | None = None
