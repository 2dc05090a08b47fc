"""What a reader reads, row by row: the same rows decide what counts as unread and become `docs/facts.md`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a fact, the FHIR elements it is read from, and the field of our own event."""

    says: str
    fhir: tuple[str, ...]
    event: str = ""


def elements_of(rows: Iterable[Row]) -> frozenset[str]:
    """The top-level elements the rows name (`value[x]` stands for every type of value that is read)."""
    return frozenset(path.split(".")[0].split(" ")[0] for row in rows for path in row.fhir)
