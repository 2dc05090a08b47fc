"""A vaccine was given."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding


class VaccineGiven(FactBase):
    """`vaccines` are ids of `schemas/codes/medicines.yaml` (section vaccines)."""

    kind: Literal["vaccine"] = "vaccine"
    vaccines: tuple[str, ...] = ()
    codes: tuple[Coding, ...] = ()
