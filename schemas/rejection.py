"""A message or part we hold but cannot use: what, why, and where the original is."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from schemas.values import Source
from schemas.values.frozen import Frozen


class RejectionReason(StrEnum):
    """Closed list: each is a metric label and a line in the operator's table."""

    UNDECODABLE = "undecodable"
    NOT_JSON = "not-json"
    TOO_DEEP = "too-deep"
    NUMBER_UNREADABLE = "number-unreadable"
    WRONG_SHAPE = "wrong-shape"
    UNSUPPORTED_TYPE = "unsupported-type"
    NO_PATIENT = "no-patient"
    NO_IDENTITY = "no-identity"
    TIME_MISSING = "time-missing"
    TIME_UNREADABLE = "time-unreadable"
    ZONE_MISSING = "zone-missing"
    VALUE_MISSING = "value-missing"
    TOO_LARGE = "too-large"
    DUPLICATE_KEY = "duplicate-key"
    UNKNOWN_MODIFIER = "unknown-modifier"
    """The sender says that something we do not know changes the meaning of the rest (FHIR modifierExtension)."""
    UNKNOWN_FEED = "unknown-feed"
    EMPTY = "empty"
    BATCH_INCOMPLETE = "batch-incomplete"
    """A batch whose counts or envelope do not agree with what came (HL7 v2 BTS-1, FTS-1)."""
    UNSUPPORTED_VERSION = "unsupported-version"
    NOT_PRODUCTION = "not-production"
    """Marked as training or debugging by its sender (MSH-11) and sent to a port that takes production messages."""
    CONTROL_ID_REUSED = "control-id-reused"
    """The sender used the id of another message of the last 72 hours."""
    UNKNOWN_SENDER = "unknown-sender"
    MERGE_REFUSED = "merge-refused"
    """Two numbers that are to be one patient, or two again, and what is known of them says otherwise."""
    NOT_KEPT = "not-kept"
    """The brokers did not confirm it in time: its sender has it and was told to send it again."""


class IgnoreReason(StrEnum):
    """Closed list: read and understood, and no rule needs it."""

    NO_RULE_READS_IT = "no-rule-reads-it"
    UNKNOWN_CODE = "unknown-code"
    DUPLICATE = "duplicate"
    NOT_CLINICAL = "not-clinical"
    RESULT_ABSENT = "result-absent"
    PANEL = "panel"
    """The code names a panel: its members are the values."""
    NOT_SYSTEMIC = "not-systemic"
    """A medicine that acts only where it is applied: drops, creams, sprays."""
    NOT_DONE = "not-done"
    """Planned, refused or not carried out: nothing happened."""
    EMPTY = "empty"


class Rejection(Frozen):
    """`detail` names the place and the fault, never the content: it is shown in logs and lists."""

    v: int = 1
    reason: RejectionReason
    detail: str
    source: Source
    part: str = ""
    """The part of the message (for example `entry[3].resource Observation`); empty for the whole."""
    original_topic: str = ""
    original_partition: int | None = None
    original_offset: int | None = None
    sha256: str = ""
    rejected_at: AwareDatetime | None = None
