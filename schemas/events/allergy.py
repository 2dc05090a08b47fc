"""An allergy or intolerance was recorded."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding


class AllergyRecorded(FactBase):
    """`substances` are medicine ids or class ids of `schemas/codes/medicines.yaml`."""

    kind: Literal["allergy"] = "allergy"
    substances: tuple[str, ...] = ()
    codes: tuple[Coding, ...] = ()
    is_active: bool = True
