"""A dose was given; `when` is when."""

from __future__ import annotations

from typing import Literal

from schemas.events.medicine import MedicineFact


class MedicineAdministered(MedicineFact):
    """A dose was given; `when` is when."""

    kind: Literal["medicine-administered"] = "medicine-administered"
