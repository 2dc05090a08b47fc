"""The two equations of promise 1: nothing that came in is unaccounted for.

Filled by whoever counted (replay from what it did, the demo from the metrics of its roles); here they are
only put side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Messages:
    """received = translated + partly translated + ignored + rejected + waiting."""

    received: int
    translated: int
    partly: int
    ignored: int
    rejected: int
    waiting: int
    rejected_by: Mapping[str, int] = field(default_factory=dict)

    @property
    def balances(self) -> bool:
        """Every message is in exactly one place."""
        return self.received == self.translated + self.partly + self.ignored + self.rejected + self.waiting

    def __str__(self) -> str:
        return (
            f"Messages: {self.received:,} received = {self.translated:,} translated + {self.partly:,} partly "
            f"+ {self.ignored:,} ignored + {self.rejected:,} rejected{_reasons(self.rejected_by)} + {self.waiting:,} waiting"
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """translated = applied + duplicate + ignored + quarantined + forwarded."""

    translated: int
    applied: int
    duplicate: int
    ignored: int
    quarantined: int
    forwarded: int
    ignored_by: Mapping[str, int] = field(default_factory=dict)

    @property
    def balances(self) -> bool:
        """Every fact is in exactly one place."""
        placed = self.applied + self.duplicate + self.ignored + self.quarantined + self.forwarded
        return self.translated == placed

    def __str__(self) -> str:
        return (
            f"Facts:    {self.translated:,} translated = {self.applied:,} applied + {self.duplicate:,} duplicate "
            f"+ {self.ignored:,} ignored{_reasons(self.ignored_by)} + {self.quarantined:,} quarantined "
            f"+ {self.forwarded:,} forwarded"
        )


def _reasons(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    return " (" + ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items())) + ")"
