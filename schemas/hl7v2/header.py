"""Just enough of a message to key it, answer it and bind it to its sender: MSH, PID and MRG, without a parse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.hl7v2.charset import codec_of, strip_start
from schemas.hl7v2.escapes import unescape
from schemas.hl7v2.faults import ErrorCode, Fault, MessageUnreadable, fault, missing
from schemas.hl7v2.feed_map import STANDARD, FeedMap
from schemas.hl7v2.identity import PatientNumber, patients_of
from schemas.hl7v2.separators import Separators, read_separators
from schemas.hl7v2.types import EVENTS, default_event, needs_patient
from schemas.rejection import RejectionReason

_LONGEST_HEADER: Final = 8_192
"""Characters of MSH; an honest one has some hundred."""
_LONGEST_ID: Final = 199
"""Control ids are 20 characters up to v2.6 and 199 from v2.7 on (MSH-10)."""
_LINE: Final = re.compile(r"[^\r\n]*")
_NULL: Final = '""'


class Kind(StrEnum):
    """What the bytes begin with."""

    MESSAGE = "message"
    BATCH = "batch"


class AckMode(StrEnum):
    """MSH-15 and MSH-16 (HL7 table 0155)."""

    ALWAYS = "AL"
    NEVER = "NE"
    ERROR = "ER"
    SUCCESS = "SU"


@dataclass(frozen=True, slots=True)
class Header:
    """The head of one message or batch.

    `fields` are those of MSH (or BHS, FHS) as sent, `fields[n]` being field n: what an answer echoes is echoed
    exactly. `patients` are the numbers the message is about, in order, without repeats. `faults` say why it
    cannot be taken, the ones that forbid sending it again first; an empty tuple means nothing stands against it.
    """

    kind: Kind
    separators: Separators
    fields: tuple[str, ...]
    codec: str
    """Python codec of the whole message, and of its answer."""
    patients: tuple[PatientNumber, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    """What is read as "not said" although something was sent; the message is taken, and `answer` tells them."""

    def field(self, number: int) -> str:
        """A field as sent; empty where it is not there."""
        return self.fields[number] if number < len(self.fields) else ""

    def _part(self, number: int, component: int = 0) -> str:
        first = self.field(number).split(self.separators.repetition, 1)[0]
        parts = first.split(self.separators.component)
        text = parts[component] if component < len(parts) else ""
        return unescape(text.split(self.separators.sub, 1)[0], self.separators).strip()

    @property
    def control_id(self) -> str:
        """MSH-10 (BHS-11) exactly as sent."""
        return self.field(10 if self.kind is Kind.MESSAGE else 11)

    @property
    def sending_application(self) -> str:
        """MSH-3, first component, else its universal id."""
        return self._part(3) or self._part(3, 1)

    @property
    def sending_facility(self) -> str:
        """MSH-4, first component, else its universal id."""
        return self._part(4) or self._part(4, 1)

    @property
    def message_type(self) -> str:
        """`ORU^R01`; for a batch `batch`; `?` where it cannot be a type (it becomes a metric label only if known)."""
        if self.kind is Kind.BATCH:
            return "batch"
        return f"{self.code}^{self.event}"

    @property
    def code(self) -> str:
        """MSH-9, message code."""
        return self._part(9)

    @property
    def event(self) -> str:
        """MSH-9, trigger event; v2.1 and v2.2 may leave it out where the code has only one."""
        return self._part(9, 1) or default_event(self.code)

    @property
    def processing_id(self) -> str:
        """MSH-11."""
        return self._part(11)

    @property
    def version(self) -> str:
        """MSH-12."""
        return self._part(12)

    @property
    def accept_mode(self) -> AckMode | None:
        """MSH-15; None where it is empty or no value of the table."""
        return _mode(self._part(15))

    @property
    def application_mode(self) -> AckMode | None:
        """MSH-16; None where it is empty or no value of the table."""
        return _mode(self._part(16))

    @property
    def is_enhanced(self) -> bool:
        """Enhanced mode (HL7 v2.5.1, 2.9.3): MSH-15 or MSH-16 is valued."""
        return bool(self._part(15) or self._part(16))

    @property
    def declared_charset(self) -> str:
        """MSH-18, first repetition, as sent."""
        return self._part(18)

    @property
    def patient(self) -> PatientNumber | None:
        """The one patient the message is about; None for none or several: then the feed is the key."""
        return self.patients[0] if len(self.patients) == 1 else None


def _mode(text: str) -> AckMode | None:
    try:
        return AckMode(text.upper())
    except ValueError:
        return None


def peek(raw: bytes, feed_map: FeedMap = STANDARD) -> Header:
    """Read the head of a message or batch.

    Looks at MSH, PID and MRG only and decodes the rest without splitting it: under a millisecond for 64 KiB. Raises
    `MessageUnreadable` where there is no header that could be answered, and nothing else; whatever else is wrong
    stands in `Header.faults`.
    """
    begun = strip_start(raw)
    kind = _kind(begun)
    head = _LINE.match(begun[:_LONGEST_HEADER].decode("latin-1"))
    assert head is not None, "the pattern matches the empty text"
    separators = read_separators(head.group())
    faults: list[Fault] = []
    warnings: list[Fault] = []
    declared = _split_header(head.group(), separators)[17:18]
    text, codec = _decode(begun, declared, separators, feed_map, faults)
    line = _LINE.match(text, 0, _LONGEST_HEADER)
    fields = _split_header(line.group() if line is not None else "", separators)
    header = Header(kind, separators, ("", *fields), codec)
    if kind is Kind.BATCH:
        return Header(kind, separators, header.fields, codec, (), tuple(faults))
    _check_header(header, feed_map, faults)
    patients = patients_of(text, header, feed_map, faults, warnings) if needs_patient(header.code) else ()
    faults.sort(key=lambda fault: not fault.is_reject)
    return Header(kind, separators, header.fields, codec, patients, tuple(faults), tuple(warnings))


def _kind(begun: bytes) -> Kind:
    if begun.startswith(b"MSH"):
        return Kind.MESSAGE
    if begun.startswith((b"BHS", b"FHS")):
        return Kind.BATCH
    reason = RejectionReason.EMPTY if not begun else RejectionReason.WRONG_SHAPE
    raise MessageUnreadable(reason, "the bytes do not begin with MSH, BHS or FHS")


def _split_header(line: str, separators: Separators) -> tuple[str, ...]:
    """Fields 1, 2, 3, ... of MSH: field 1 is the separator itself."""
    parts = line.split(separators.field)
    return (separators.field, *parts[1:])


def _decode(
    raw: bytes, declared: tuple[str, ...], separators: Separators, feed_map: FeedMap, faults: list[Fault]
) -> tuple[str, str]:
    """The whole text and its codec; where it cannot be decoded, byte for byte as latin-1, with a fault."""
    name = declared[0].split(separators.repetition, 1)[0].strip() if declared else ""
    name = name or feed_map.charset
    codec = codec_of(name)
    if codec is None:
        faults.append(
            Fault(
                ErrorCode.TABLE_VALUE_NOT_FOUND,
                "MSH-18 names a character set that is not read here",
                RejectionReason.UNDECODABLE,
                ("MSH", 1, 18),
            )
        )
        return raw.decode("latin-1"), "latin-1"
    try:
        return raw.decode(codec), codec
    except UnicodeDecodeError as error:
        where = "MSH-18 says" if declared and declared[0] else "the site's default is"
        faults.append(
            Fault(
                ErrorCode.DATA_TYPE,
                f"the byte at {error.start} is not in the character set that {where}",
                RejectionReason.UNDECODABLE,
                ("MSH", 1, 18),
            )
        )
        return raw.decode("latin-1"), "latin-1"


def _check_header(header: Header, feed_map: FeedMap, faults: list[Fault]) -> None:
    control = header.control_id
    if not control.strip() or control == _NULL:
        faults.append(missing("MSH", 10, "MSH-10 (message control id) is empty"))
    elif len(control) > _LONGEST_ID:
        faults.append(fault(ErrorCode.DATA_TYPE, "MSH", 10, "MSH-10 is longer than 199 characters"))
    if not header.code:
        faults.append(missing("MSH", 9, "MSH-9 (message type) is empty"))
    elif feed_map.unread == "reject":
        known = events_read(header.code, feed_map)
        if not known:
            faults.append(fault(ErrorCode.UNSUPPORTED_TYPE, "MSH", 9, "this message type is not read here"))
        elif header.event not in known:
            faults.append(fault(ErrorCode.UNSUPPORTED_EVENT, "MSH", 9, "this trigger event is not read here"))
    if not header.version:
        faults.append(missing("MSH", 12, "MSH-12 (version id) is empty"))
    elif header.version not in feed_map.versions:
        faults.append(fault(ErrorCode.UNSUPPORTED_VERSION, "MSH", 12, "this version is not read here"))
    if not header.processing_id:
        faults.append(missing("MSH", 11, "MSH-11 (processing id) is empty"))
    elif header.processing_id not in feed_map.processing_ids:
        text = f"only processing id {' or '.join(feed_map.processing_ids)} is taken here"
        faults.append(fault(ErrorCode.UNSUPPORTED_PROCESSING_ID, "MSH", 11, text))


def events_read(code: str, feed_map: FeedMap) -> frozenset[str]:
    """The trigger events of a message code that this feed's messages are read for."""
    known = EVENTS.get(code, frozenset())
    return known | frozenset(feed_map.merges) if code == "ADT" else known
