"""A procedure, transfusion or imaging study was done or planned."""

from __future__ import annotations

from typing import Literal

from schemas.events.fact import FactBase
from schemas.values import Coding, When


class ProcedureRecorded(FactBase):
    """`concepts` are ids of `schemas/codes/conditions.yaml` (section procedures)."""

    kind: Literal["procedure"] = "procedure"
    concepts: tuple[str, ...] = ()
    codes: tuple[Coding, ...] = ()
    ended: When | None = None
