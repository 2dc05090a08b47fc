"""What a reader found: entries, rejections, what it understood and left, what it did not read."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.events import Entry, PatientsMerged
from schemas.reading.context import ReadingContext
from schemas.reading.stamp import short_id
from schemas.rejection import IgnoreReason, Rejection, RejectionReason
from schemas.values import Coding, PatientRef, Source


@dataclass(frozen=True, slots=True)
class Ignored:
    """Read and understood, and no rule needs it; `what` is a code or a kind, never content."""

    reason: IgnoreReason
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code that means nothing to us, as sent: for a person who makes a site map, never for logs or metrics."""

    kind: str
    system: str
    code: str
    display: str | None
    count: int


class Outcome(StrEnum):
    """How a whole message ended (metric `messages_translated_total`)."""

    TRANSLATED = "translated"
    PARTLY = "partly"
    IGNORED = "ignored"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one message gave; nothing of it vanishes."""

    entries: tuple[Entry, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    """The unknown codes among `ignored`, with what they are called."""
    unread: dict[str, int] = field(default_factory=dict)
    patients: dict[str, PatientRef] = field(default_factory=dict)
    """References of the Patients in this message, for `ReadingContext.patients` of other files."""
    merges: tuple[PatientsMerged, ...] = ()
    """Which numbers are one patient, or two again; each is also an entry."""

    @property
    def outcome(self) -> Outcome:
        """Rejected only where nothing came of the message; partly where something was rejected."""
        if self.rejections:
            return Outcome.PARTLY if self.entries else Outcome.REJECTED
        return Outcome.TRANSLATED if self.entries else Outcome.IGNORED


_CODE_LIKE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#|^*~+-]{0,119}", re.ASCII)


def name_code(system: str, code: str) -> str:
    """A code for a list that people read: what does not look like a code may be anything, and is not shown."""
    return f"{name_part(system) if system else 'no system'}|{name_part(code)}"


def name_part(text: str) -> str:
    """An element name, code or URL from outside, or a question mark where it looks like none."""
    return text if _CODE_LIKE.fullmatch(text) else "?"


class Notes:
    """Collects, while a message is read, everything that is not a fact."""

    __slots__ = ("_ignored", "_message", "_rejections", "_sha256", "_unmapped", "context", "unread")

    def __init__(self, context: ReadingContext, raw: bytes) -> None:
        """Start with the bytes as received; they are named by their hash, never quoted."""
        self.context = context
        self._sha256 = hashlib.sha256(raw).hexdigest()
        self._message = self._sha256[:32]
        self._rejections: list[Rejection] = []
        self._ignored: Counter[tuple[IgnoreReason, str]] = Counter()
        self._unmapped: Counter[tuple[str, str, str, str | None]] = Counter()
        self.unread: Counter[str] = Counter()

    @property
    def message(self) -> str:
        """The message's own id, else the hash of its bytes."""
        return self._message

    def name_message(self, message: str) -> None:
        """Use the sender's id of the message from here on."""
        self._message = short_id(message)

    def source(self, position: str = "") -> Source:
        """Where in this message a fact stands."""
        return Source.of_known(feed=self.context.feed, message=self._message, position=position)

    def event_id(self, position: str) -> str:
        """Derived from content, so that a replay gives the same id (design part 6)."""
        text = f"{self.context.feed}\x1f{self._message}\x1f{self._sha256}\x1f{position}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def reject(self, reason: RejectionReason, detail: str, part: str = "") -> None:
        """Keep a part, or the whole, as unusable; `detail` names place and fault, never content."""
        self._rejections.append(
            Rejection(
                reason=reason,
                detail=detail,
                source=self.source(),
                part=part,
                sha256=self._sha256,
                rejected_at=self.context.received_at,
            )
        )

    def ignore(self, reason: IgnoreReason, what: str) -> None:
        """Count something understood that no rule needs."""
        self._ignored[reason, what] += 1

    def ignore_code(self, kind: str, codings: Sequence[Coding]) -> None:
        """Count something whose codes mean nothing to us; the first of them is the one a site map would name."""
        if not codings:
            self.ignore(IgnoreReason.UNKNOWN_CODE, f"{kind} without a code")
            return
        first = codings[0]
        self.ignore(IgnoreReason.UNKNOWN_CODE, f"{kind} {name_code(first.system, first.code)}")
        if self.context.codes.local_code(first.system, first.code, "ignore") is None:
            self._unmapped[kind, first.system, first.code, first.display] += 1

    def leave(self, kind: str) -> None:
        """Count a part that no reader reads."""
        self.unread[kind] += 1

    @property
    def has_told(self) -> bool:
        """Whether anything was rejected or ignored so far."""
        return bool(self._rejections or self._ignored)

    def finish(
        self,
        entries: tuple[Entry, ...],
        patients: Mapping[str, PatientRef] | None = None,
        merges: tuple[PatientsMerged, ...] = (),
    ) -> Reading:
        """The reading; the first entry carries the count of what was not read."""
        unread = dict(sorted(self.unread.items()))
        if entries and unread:
            entries = (entries[0].model_copy(update={"unread": unread}), *entries[1:])
        return Reading(
            entries=entries,
            rejections=tuple(self._rejections),
            ignored=tuple(Ignored(reason, what, count) for (reason, what), count in sorted(self._ignored.items())),
            unmapped=tuple(
                Unmapped(*named, count) for named, count in sorted(self._unmapped.items(), key=lambda row: str(row[0]))
            ),
            unread=unread,
            patients=dict(patients or {}),
            merges=merges,
        )
