"""The base of every published model: frozen, closed, and small on the wire."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable; an unknown field is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    def to_json(self) -> bytes:
        """Encode without the fields that hold nothing, in declaration order: same value, same bytes."""
        return self.model_dump_json(exclude_none=True, exclude_defaults=False).encode()

    @classmethod
    def of_known(cls, **fields: Any) -> Self:
        """Build one from values that are of their declared types already, without checking them again.

        Only for the busiest places, where a reader has just made every value itself; what comes from
        outside goes through the constructor. All fields without a default must be given.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", {**_defaults_of(cls), **fields})
        object.__setattr__(made, "__pydantic_fields_set__", set(fields))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


@lru_cache(maxsize=64)
def _defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """Fields in declaration order, so that the bytes written do not depend on who built the model."""
    return {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()}
