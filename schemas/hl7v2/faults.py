"""What is wrong with a message in the words of HL7 table 0357, and the one error that looking at bytes may raise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from schemas.rejection import RejectionReason


class ErrorCode(IntEnum):
    """HL7 table 0357, message error condition codes (HL7 v2.5.1, 2.15.4.3, ERR-3)."""

    ACCEPTED = 0
    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE_NOT_FOUND = 103
    UNSUPPORTED_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    RECORD_LOCKED = 206
    INTERNAL = 207

    @property
    def words(self) -> str:
        """The table's own text."""
        return _WORDS[self]


_WORDS: Final = {
    ErrorCode.ACCEPTED: "Message accepted",
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE_NOT_FOUND: "Table value not found",
    ErrorCode.UNSUPPORTED_TYPE: "Unsupported message type",
    ErrorCode.UNSUPPORTED_EVENT: "Unsupported event code",
    ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    ErrorCode.UNSUPPORTED_VERSION: "Unsupported version id",
    ErrorCode.UNKNOWN_KEY: "Unknown key identifier",
    ErrorCode.DUPLICATE_KEY: "Duplicate key identifier",
    ErrorCode.RECORD_LOCKED: "Application record locked",
    ErrorCode.INTERNAL: "Application internal error",
}

_REJECTING: Final = frozenset(
    {
        ErrorCode.UNSUPPORTED_TYPE,
        ErrorCode.UNSUPPORTED_EVENT,
        ErrorCode.UNSUPPORTED_PROCESSING_ID,
        ErrorCode.UNSUPPORTED_VERSION,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend. `place` is ERR-2 as `segment, sequence, field` (`("PID", 1, 3)`); `text` is for the sender's
    operator (ERR-8) and never holds content of the message. `reason` is what the held message is listed under.
    """

    code: ErrorCode
    text: str
    reason: RejectionReason
    place: tuple[str, int, int] | None = None
    is_warning: bool = False
    """The message is taken all the same (ERR-4 is W)."""

    @property
    def is_reject(self) -> bool:
        """Whether the sender gets AR/CR (never send this here) rather than AE/CE (mend and send again): table D1."""
        return self.code in _REJECTING


class MessageUnreadable(ValueError):
    """There is no MSH, BHS or FHS that could be answered. The only error that `peek` and `split_batch` raise."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_REASONS: Final = {
    ErrorCode.UNSUPPORTED_TYPE: RejectionReason.UNSUPPORTED_TYPE,
    ErrorCode.UNSUPPORTED_EVENT: RejectionReason.UNSUPPORTED_TYPE,
    ErrorCode.UNSUPPORTED_PROCESSING_ID: RejectionReason.NOT_PRODUCTION,
    ErrorCode.UNSUPPORTED_VERSION: RejectionReason.UNSUPPORTED_VERSION,
}


def missing(segment: str, field: int, text: str, sequence: int = 1) -> Fault:
    """A required field that is empty (101)."""
    reason = RejectionReason.NO_PATIENT if segment in ("PID", "MRG") else RejectionReason.VALUE_MISSING
    return Fault(ErrorCode.REQUIRED_FIELD_MISSING, text, reason, (segment, sequence, field))


def fault(code: ErrorCode, segment: str, field: int, text: str, sequence: int = 1) -> Fault:
    """A fault of one field, under the reason that goes with its code."""
    return Fault(code, text, _REASONS.get(code, RejectionReason.WRONG_SHAPE), (segment, sequence, field))
