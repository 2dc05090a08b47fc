"""The base of every published model: frozen, closed, and small on the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable; an unknown field is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    def to_json(self) -> bytes:
        """Encode without the fields that hold nothing, in declaration order: same value, same bytes."""
        return self.model_dump_json(exclude_none=True, exclude_defaults=False).encode()
