"""Backfills: the messages of files to intake, in order, resumable, and history unless somebody says otherwise.

A file is known by its content. After every few hundred messages that the brokers confirmed, how far it got is written
beside the state; a second start goes on there. What was sent and not yet noted down when a process died is sent again,
which translate bears: the same facts with the same ids.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schemas.hl7v2 import STANDARD, FeedMap, MessageUnreadable, peek
from schemas.values.patient import build_patient_key
from streams.intake import Intake
from streams.refusals import Refusal
from streams.replay_input import FHIR_FEED, InputFiles, InputFormat, read_bytes, read_messages
from streams.translate import HEADER_HISTORICAL, PROTOCOL_HL7

if TYPE_CHECKING:
    from streams.settings import Settings

_A_BUNCH: Final = 500
"""Messages between two notes of how far it got: a second's worth, and never more than that is sent twice."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of a file."""

    body: bytes
    protocol: str
    feed: str | None
    """What the message itself says, for events; None where it says nothing."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How a file went: messages in it, sent now, and sent by an earlier start."""

    messages: int
    sent: int
    before: int


class Journal:
    """How far each file got, under the state folder; by content, so that a renamed file is the same file."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made with the first note."""
        self._folder = folder

    def read(self, digest: str) -> int:
        """Messages of this file that are certainly kept."""
        try:
            return int(json.loads(self._path(digest).read_text(encoding="utf-8"))["kept"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def write(self, digest: str, kept: int) -> None:
        """Note it durably."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(digest)
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as stream:
            json.dump({"kept": kept}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)

    def forget(self, digest: str) -> None:
        """Take the file from its beginning next time."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest[:32]}.json"


def journal_of(settings: Settings) -> Journal:
    """The journal of this installation."""
    return Journal(settings.state / "intake")


def pieces_of(path: Path | None, feed_format: InputFormat = InputFormat.AUTO) -> tuple[list[Piece], str]:
    """Every message of a file in order, and the SHA-256 of its content. Raises `Refusal` with a sentence."""
    raw = read_bytes(path)
    digest = hashlib.sha256(raw).hexdigest()
    found = InputFiles(files=[path])
    pieces = [
        Piece(each.body, each.protocol, each.feed if each.feed != FHIR_FEED else None)
        for each in read_messages(found, feed_format)
    ]
    return pieces, digest


class Backfill:
    """Sends files. One producer; to be closed."""

    def __init__(self, settings: Settings, maps: Mapping[str, FeedMap]) -> None:
        """Connect; raises `BrokersAway` with a sentence."""
        from streams.readers import build_contexts, build_readers

        self._settings = settings
        self._maps = maps
        self._secret = settings.secret()
        self._intake = Intake(settings, readers=build_readers(maps), contexts=build_contexts(settings), linger_ms=20)
        self._journal = journal_of(settings)

    def take(
        self,
        path: Path | None,
        *,
        feed: str | None,
        live: bool,
        again: bool = False,
        wanted: InputFormat = InputFormat.AUTO,
        on_progress: Callable[[int, int], None] = lambda done, of: None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> Taken:
        """Send what is left of a file. Raises `Refusal`, or `NotAcknowledged` where the brokers did not confirm."""
        pieces, digest = pieces_of(path, wanted)
        if again:
            self._journal.forget(digest)
        feeds = [self._feed(feed or piece.feed) for piece in pieces]
        before = min(self._journal.read(digest), len(pieces))
        done = before
        headers = {} if live else {HEADER_HISTORICAL: b"1"}
        on_progress(done, len(pieces))
        while done < len(pieces) and not is_stopping():
            upto = min(done + _A_BUNCH, len(pieces))
            for piece, name in zip(pieces[done:upto], feeds[done:upto], strict=True):
                self._intake.send(
                    piece.body,
                    feed=name,
                    protocol=piece.protocol,
                    patient_key=self._key(piece, name),
                    headers=headers,
                )
            self._intake.settle()
            done = upto
            self._journal.write(digest, done)
            on_progress(done, len(pieces))
        return Taken(len(pieces), done - before, before)

    def close(self) -> None:
        """Disconnect."""
        self._intake.close()

    def _feed(self, named: str | None) -> str:
        configured = sorted(self._settings.feeds)
        if named is None and len(configured) == 1:
            return configured[0]
        if named is None:
            raise Refusal(
                f"Say which feed the file is of with --feed: {', '.join(configured) or 'none is configured'}."
            )
        if named not in self._settings.feeds:
            raise Refusal(f"No feed is called {named!r} in the settings; there is {', '.join(configured) or 'none'}.")
        return named

    def _key(self, piece: Piece, feed: str) -> str | None:
        """The patient of an HL7 message; of the others the reader finds it."""
        if piece.protocol != PROTOCOL_HL7:
            return None
        try:
            patient = peek(piece.body, self._maps.get(feed, STANDARD)).patient
        except MessageUnreadable:
            return feed
        return feed if patient is None else build_patient_key(patient.authority, patient.id, self._secret)
