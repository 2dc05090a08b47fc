"""Files, folders and standard input to messages, one at a time and always in the same order.

FHIR as `.json` (one resource or Bundle) or `.ndjson` (one a line), HL7 v2 as `.hl7` (one message, many, or a batch),
our events as NDJSON of structured CloudEvents, a dump of the patient log; `.gz` of any. Nothing is understood here but
what a file holds.
"""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson

from streams.refusals import Refusal
from streams.replay import FileMessage


class InputFormat(StrEnum):
    """What the input holds."""

    AUTO = "auto"
    FHIR = "fhir"
    HL7 = "hl7"
    EVENTS = "events"
    LOG = "log"


FHIR_FEED: Final = "files"
"""The feed of whatever does not name its own."""

STDIN: Final = "-"
_LINES: Final = (".ndjson", ".jsonl")
_KNOWN: Final = (".json", *_LINES, ".hl7")
_HL7_BEGINS: Final = (b"MSH", b"FHS", b"BHS")
_FRAMING: Final = b"\x0b\x1c"
"""MLLP's own bytes, which some senders leave in their files."""


@dataclass(slots=True)
class InputFiles:
    """The files of an input in order, and what was passed over."""

    files: list[Path | None] = field(default_factory=list)
    """None is standard input."""
    passed_over: list[str] = field(default_factory=list)
    """Files of a folder that hold nothing we know."""
    roots: dict[Path, Path] = field(default_factory=dict)

    def name(self, path: Path | None) -> str:
        """A file's name as shown and as part of ids: within the folder that was given, whatever lies above it."""
        if path is None:
            return STDIN
        root = self.roots.get(path)
        return path.name if root is None else path.relative_to(root).as_posix()


def find_files(inputs: Sequence[str]) -> InputFiles:
    """Every file of the input; folders in name order."""
    found = InputFiles()
    for given in inputs:
        path = Path(given)
        if given == STDIN:
            found.files.append(None)
        elif path.is_dir():
            inside = sorted(_files_in(path), key=lambda each: each.relative_to(path).as_posix())
            for each in inside:
                if _suffix(each) in _KNOWN:
                    found.roots[each] = path
                    found.files.append(each)
                else:
                    found.passed_over.append(each.relative_to(path).as_posix())
        elif path.is_file():
            found.files.append(path)
        else:
            raise Refusal(f"{given} is neither a file nor a folder.")
    if not found.files:
        raise Refusal(
            f"No file to read: folders are searched for names that end in {', '.join(_KNOWN)}, also with .gz."
        )
    return found


def _files_in(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith("."):
                yield Path(parent) / name


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def read_bytes(path: Path | None) -> bytes:
    """The whole of a file, unpacked where it is packed."""
    name = STDIN if path is None else str(path)
    try:
        raw = sys.stdin.buffer.read() if path is None else path.read_bytes()
    except OSError as error:
        raise Refusal(f"{name} cannot be read ({error.strerror}).") from None
    if raw[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            raise Refusal(f"{name} is packed with gzip and damaged.") from None
    return raw


def read_messages(found: InputFiles, wanted: InputFormat) -> Iterator[FileMessage]:
    """Every message in order; a file of a folder that holds nothing we know is passed over and listed."""
    for path in found.files:
        yield from _messages_of(found, path, wanted)


def _messages_of(found: InputFiles, path: Path | None, wanted: InputFormat) -> Iterator[FileMessage]:
    name, raw = found.name(path), read_bytes(path)
    if wanted is InputFormat.HL7 or (wanted is InputFormat.AUTO and _is_hl7(path, raw)):
        yield from _hl7_messages(name, raw)
        return
    whole = _is_whole(path, raw)
    protocol = {InputFormat.FHIR: "fhir", InputFormat.EVENTS: "event"}.get(wanted)
    if protocol is None:
        protocol = _protocol_of(raw if whole else _first_line(raw))
    if protocol == "log":
        raise Refusal(f"{name} is a dump of the patient log: replay it with --format log.")
    if protocol is None:
        if path in found.roots:
            found.passed_over.append(name)
            return
        raise Refusal(
            f"{name} is neither FHIR JSON (an object with `resourceType`) nor an event (an object with `specversion`). "
            "If it is meant to be one of the two, say which with --format: what is wrong with it is listed then."
        )
    if whole:
        yield FileMessage(raw, protocol, _feed(protocol, raw), name)
        return
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield FileMessage(line.rstrip(b"\r"), protocol, _feed(protocol, line), f"{name}:{number}")


def _is_hl7(path: Path | None, raw: bytes) -> bool:
    begun = raw[:64].lstrip(b" \t\r\n\xef\xbb\xbf" + _FRAMING)
    return begun.startswith(_HL7_BEGINS) or (path is not None and _suffix(path) == ".hl7")


def _hl7_messages(name: str, raw: bytes) -> Iterator[FileMessage]:
    """One message after the other; a batch whose counts do not agree stays whole, and is rejected whole."""
    from schemas.hl7v2 import MessageUnreadable, split_batch

    raw = raw.translate(None, _FRAMING)
    try:
        batch = split_batch(raw)
    except MessageUnreadable:
        yield FileMessage(raw, "hl7v2", FHIR_FEED, name)
        return
    if batch.faults or len(batch.messages) == 1:
        yield FileMessage(raw, "hl7v2", FHIR_FEED, name)
        return
    for number, message in enumerate(batch.messages, start=1):
        yield FileMessage(message, "hl7v2", FHIR_FEED, f"{name}:{number}")


def _is_whole(path: Path | None, raw: bytes) -> bool:
    """Whether the file is one message, not one a line: by its name, else by whether its first line stands alone."""
    if path is not None and _suffix(path) in _LINES:
        return False
    if path is not None and _suffix(path) == ".json":
        return True
    return _parsed(_first_line(raw)) is None or raw.strip().count(b"\n") == 0


def _first_line(raw: bytes) -> bytes:
    return next((line for line in raw.split(b"\n") if line.strip()), b"")


def _protocol_of(raw: bytes) -> str | None:
    parsed = _parsed(raw)
    if not isinstance(parsed, dict):
        return None
    if "resourceType" in parsed:
        return "fhir"
    if "specversion" in parsed:
        return "event"
    if parsed.get("dump") == "patient-log" or {"partition", "offset"} <= set(parsed):
        return "log"
    return None


def _feed(protocol: str, raw: bytes) -> str:
    """The feed in a CloudEvents source such as `/site/seoul/feed/lab`; FHIR files are a feed of their own."""
    if protocol == "event":
        parsed = _parsed(raw)
        source = parsed.get("source") if isinstance(parsed, dict) else None
        parts = source.rsplit("/", 2) if isinstance(source, str) else []
        if len(parts) == 3 and parts[-2] == "feed" and parts[-1]:
            return str(parts[-1])
    return FHIR_FEED


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def lines_of(found: InputFiles) -> Iterable[bytes]:
    """All lines of all files, for a dump of the log."""
    for path in found.files:
        yield from read_bytes(path).split(b"\n")
