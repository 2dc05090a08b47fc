"""Which messages are read, and what kind of message each is."""

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, frozenset[str]]] = {
    "ORU": frozenset({"R01", "R30", "R31", "R32", "W01"}),
    "RDS": frozenset({"O13", "O01"}),
    "RDE": frozenset({"O11", "O25", "O01"}),
    "RAS": frozenset({"O17", "O01"}),
    "OMP": frozenset({"O09"}),
    "ORM": frozenset({"O01"}),
    "VXU": frozenset({"V04"}),
    "PPR": frozenset({"PC1", "PC2", "PC3"}),
    "ADT": frozenset(
        {
            *("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A09", "A10", "A11", "A12", "A13"),
            *("A28", "A31", "A37", "A60"),
        }
    ),
}
"""Message code to its trigger events; merges are added by the feed's map. RDS, RDE and RAS had O01 up to v2.3."""

SEXES: Final = {"F": "female", "M": "male", "O": "other", "A": "other", "N": "other", "X": "other", "U": None}
"""HL7 table 0001. Unknown says nothing, and does not overwrite what another feed knows."""

_ONLY_EVENT: Final = {"ORU": "R01", "ORM": "O01", "RDS": "O01", "RDE": "O01", "RAS": "O01"}


def default_event(code: str) -> str:
    """v2.1 and v2.2 name these by the code alone."""
    return _ONLY_EVENT.get(code, "")


def needs_patient(code: str) -> bool:
    """Whether a message of this code is about a patient: all that we read are."""
    return code in EVENTS
