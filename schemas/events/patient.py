"""Who the patient is, as far as a rule needs to know."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import When


class PatientDescribed(FactBase):
    """Birth date, administrative sex, country and race as sent; names are never kept."""

    kind: Literal["patient"] = "patient"
    birth: When | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None
    country: str | None = None
    race: str | None = None
    died: When | None = None
