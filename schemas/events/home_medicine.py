"""The patient is said to take a medicine from `when` to `until` (open where absent)."""

from __future__ import annotations

from typing import Literal

from schemas.events.medicine import MedicineFact


class MedicineTakenAtHome(MedicineFact):
    """The patient is said to take a medicine from `when` to `until` (open where absent)."""

    kind: Literal["medicine-taken-at-home"] = "medicine-taken-at-home"
