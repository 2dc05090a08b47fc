"""An entry that could not be judged for its patient: held apart with its reason, so that the others go on.

Written to the topic of rejections with the header `kind: quarantine`; the patient's state record carries
the mark "not monitored" from then on. The detail names the place and the kind of fault, never content.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from schemas.values.frozen import Frozen


class QuarantineReason(StrEnum):
    """Closed list: each is shown to operators and counted."""

    RULE_FAILED = "rule-failed"
    RECORD_DAMAGED = "record-damaged"
    RECORD_TOO_LARGE = "record-too-large"
    HISTORY_UNREADABLE = "history-unreadable"
    CHECK_STUCK = "check-stuck"


class Quarantined(Frozen):
    """Which entry, of which patient (opaque key), why, and where it lies in the log."""

    v: int = 1
    reason: QuarantineReason
    detail: str
    patient_key: str
    event_id: str = ""
    feed: str = ""
    original_topic: str
    original_partition: int
    original_offset: int
    at: AwareDatetime
