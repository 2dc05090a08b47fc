"""What the reader of a segment reads, row by row: the HL7 column of `docs/facts.md`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page, by the words of the FHIR reader's row, and the fields it is read from."""

    says: str
    fields: tuple[str, ...]
