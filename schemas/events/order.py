"""A medicine was ordered or planned; `when` is when it was authored, `until` its end."""

from __future__ import annotations

from typing import Literal

from schemas.events.medicine import MedicineFact


class MedicineOrdered(MedicineFact):
    """A medicine was ordered or planned; `when` is when it was authored, `until` its end."""

    kind: Literal["medicine-ordered"] = "medicine-ordered"
