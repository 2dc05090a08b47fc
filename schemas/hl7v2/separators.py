"""MSH-1 and MSH-2: the marks a message is split by."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.hl7v2.faults import MessageUnreadable
from schemas.rejection import RejectionReason


@dataclass(frozen=True, slots=True)
class Separators:
    """MSH-1 and MSH-2: field, component, repetition, escape, sub-component, and from v2.7 on truncation."""

    field: str
    component: str
    repetition: str
    escape: str
    sub: str
    truncation: str = ""


def read_separators(head: str) -> Separators:
    """MSH-1 and MSH-2; raises `MessageUnreadable` where they cannot be separators."""
    field = head[3:4]
    characters = head[4 : head.find(field, 4)] if field and head.find(field, 4) > 0 else head[4:9]
    # v2.7 adds a fifth, the truncation character; senders of v2.1 may stop before the sub-component separator.
    marks = (characters + "^~\\&"[len(characters) :])[:4] if len(characters) >= 1 else ""
    chosen = field + marks
    is_usable = len(chosen) == 5 and len(set(chosen)) == 5 and len(characters) <= 5
    if not is_usable or any(mark.isalnum() or not "!" <= mark <= "~" for mark in chosen):
        raise MessageUnreadable(RejectionReason.WRONG_SHAPE, "MSH-1 and MSH-2 are not five different separators")
    return Separators(field, marks[0], marks[1], marks[2], marks[3], characters[4:5])
