"""The acknowledgement: MSH, MSA, ERR in v2.5.1 and in the sender's own separators and character set (table D1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from schemas.hl7v2.escapes import escape
from schemas.hl7v2.faults import ErrorCode, Fault
from schemas.hl7v2.header import AckMode, Header, Kind

_VERSION: Final = "2.5.1"


class AckCode(StrEnum):
    """MSA-1, HL7 table 0008."""

    APPLICATION_ACCEPT = "AA"
    APPLICATION_ERROR = "AE"
    APPLICATION_REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"


class Verdict(StrEnum):
    """What became of the message."""

    ACCEPTED = "accepted"
    """Durably kept, or ignored by the site's own choice."""
    ERROR = "error"
    """Mend it, or wait, and send it again."""
    REJECTED = "rejected"
    """Do not send this here again."""


_CODES: Final = {
    (Verdict.ACCEPTED, False): AckCode.APPLICATION_ACCEPT,
    (Verdict.ERROR, False): AckCode.APPLICATION_ERROR,
    (Verdict.REJECTED, False): AckCode.APPLICATION_REJECT,
    (Verdict.ACCEPTED, True): AckCode.COMMIT_ACCEPT,
    (Verdict.ERROR, True): AckCode.COMMIT_ERROR,
    (Verdict.REJECTED, True): AckCode.COMMIT_REJECT,
}


def verdict_of(faults: Sequence[Fault]) -> Verdict:
    """Rejected where one of the faults will not go away by sending again; accepted where there is none."""
    if not faults:
        return Verdict.ACCEPTED
    return Verdict.REJECTED if any(fault.is_reject for fault in faults) else Verdict.ERROR


def code_of(header: Header, verdict: Verdict) -> AckCode:
    """MSA-1 of the first answer: a commit code in enhanced mode, else an application code."""
    return _CODES[verdict, header.is_enhanced]


def is_wanted(mode: AckMode | None, verdict: Verdict) -> bool:
    """Whether MSH-15 (or MSH-16) asks for this answer. An empty or unknown mode asks for none in enhanced mode."""
    match mode:
        case AckMode.ALWAYS:
            return True
        case AckMode.ERROR:
            return verdict is not Verdict.ACCEPTED
        case AckMode.SUCCESS:
            return verdict is Verdict.ACCEPTED
        case _:
            return False


def answer(header: Header, code: AckCode, faults: Iterable[Fault] = (), *, at: datetime) -> bytes:
    """The acknowledgement as bytes, without framing.

    MSA-2 echoes MSH-10 exactly; MSH-10 of the answer is a hash of what is answered and how, so that the same answer
    carries the same id. Without faults one ERR says 0, message accepted; a negative answer without a fault says 207.
    `at` goes into MSH-7 in UTC.
    """
    marks = header.separators
    field, component = marks.field, marks.component
    encoding = marks.component + marks.repetition + marks.escape + marks.sub
    is_message = header.kind is Kind.MESSAGE
    event = header.field(9).split(component)[1:2] if is_message else []
    kind = component.join(["ACK", *(event or [""]), "ACK"]) if event and event[0] else "ACK"
    head = [
        "MSH" + field + encoding,
        *(header.field(5), header.field(6), header.field(3), header.field(4)),
        at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"),
        "",
        kind,
        control_id_of(header, code),
        (header.field(11) if is_message else "") or "P",
        _VERSION,
        *("", "", "", "", ""),
        header.field(18) if is_message else "",
    ]
    segments = [field.join(head).rstrip(field), field.join(["MSA", code.value, header.control_id])]
    told: tuple[Fault | None, ...] = tuple(faults) or (None,)
    if code in (AckCode.APPLICATION_ACCEPT, AckCode.COMMIT_ACCEPT):
        told += header.warnings
    segments.extend(_error(fault, code, header) for fault in told)
    return ("\r".join(segments) + "\r").encode(header.codec, "replace")


def control_id_of(header: Header, code: AckCode) -> str:
    """MSH-10 of the answer: 20 characters, the most that every version allows."""
    told = "\x1f".join((header.field(3), header.field(4), header.control_id, code.value))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:20].upper()


def _error(fault: Fault | None, code: AckCode, header: Header) -> str:
    marks = header.separators
    if fault is not None:
        number, text, place = fault.code, fault.text, fault.place
    elif code in (AckCode.APPLICATION_ACCEPT, AckCode.COMMIT_ACCEPT):
        number, text, place = ErrorCode.ACCEPTED, "", None
    else:
        number, text, place = ErrorCode.INTERNAL, "not kept: please send again", None
    severity = "W" if fault is not None and fault.is_warning else "I" if number is ErrorCode.ACCEPTED else "E"
    where = marks.component.join(str(part) for part in place) if place is not None else ""
    what = marks.component.join((str(int(number)), number.words, "HL70357"))
    fields = ["ERR", "", where, what, severity, "", "", "", escape(text, marks)]
    return marks.field.join(fields).rstrip(marks.field)
