"""The patient was admitted, seen or discharged."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding, When


class EncounterRecorded(FactBase):
    """`setting` is the encounter class (`inpatient`, `ambulatory`, `emergency`, ...); `ended` the discharge."""

    kind: Literal["encounter"] = "encounter"
    setting: str | None = None
    codes: tuple[Coding, ...] = ()
    ended: When | None = None
