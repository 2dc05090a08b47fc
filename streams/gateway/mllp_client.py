"""A polite MLLP client: one message, its answer, the next. For `myelowatch send hl7`, the simulator and tests.

**An answer belongs to a message by MSA-2, never by its turn.** Where an answer does not come in time the connection
is closed: an answer that comes late has no connection to arrive on and cannot be taken for that of the next message.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from streams.gateway.framing import Broken, Framer, wrap

_READ_BYTES: Final = 65_536
_ANSWER_LIMIT: Final = 65_536
POSITIVE: Final = frozenset({"AA", "CA"})


class NoAnswer(ConnectionError):
    """No answer to this message: it may be kept or not; send it again with the same control id."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """MSA and ERR of an answer."""

    code: str
    control_id: str
    errors: tuple[str, ...] = ()
    """ERR-8 of each, else its code."""
    raw: bytes = b""

    @property
    def is_positive(self) -> bool:
        """Whether the receiver has the message for good."""
        return self.code in POSITIVE


def read_acknowledgement(raw: bytes) -> Acknowledgement:
    """The fields of an answer that a sender acts on; raises `NoAnswer` where it is none."""
    text = raw.decode("utf-8", "replace").replace("\n", "\r")
    # An answer comes in the separators of the message it answers.
    segments = [each.split(text[3:4] or "|") for each in text.split("\r") if each]
    for segment in segments:
        if segment[0] == "MSA" and len(segment) > 2:
            errors = tuple(_said(each) for each in segments if each[0] == "ERR")
            return Acknowledgement(segment[1], segment[2], errors, raw)
    raise NoAnswer("what came back is no acknowledgement")


def _said(segment: list[str]) -> str:
    text = segment[8] if len(segment) > 8 and segment[8] else ""
    return text or (segment[3] if len(segment) > 3 else "")


def control_id_of(message: bytes) -> str:
    """MSH-10 as an answer must echo it."""
    begin = message.lstrip(b"\r\n \t\xef\xbb\xbf")
    fields = begin.replace(b"\n", b"\r").split(b"\r", 1)[0].split(begin[3:4] or b"|")
    return fields[9].decode("utf-8", "replace") if len(fields) > 9 else ""


class MllpClient:
    """One connection at a time; connects when it is needed. To be closed."""

    def __init__(self, host: str, port: int, *, seconds: float = 30.0, context: ssl.SSLContext | None = None) -> None:
        """Nothing is connected yet. `seconds` bounds connecting and each answer."""
        self._place = (host, port)
        self._seconds = seconds
        self._context = context
        self._socket: socket.socket | None = None
        self._framer = Framer(_ANSWER_LIMIT)
        self._answers: Iterator[bytes] = iter(())

    def send(self, message: bytes) -> Acknowledgement:
        """Send one message and wait for *its* answer. Raises `NoAnswer`; the connection is closed then."""
        wanted = control_id_of(message)
        try:
            self._connected().sendall(wrap(message))
            deadline = time.monotonic() + self._seconds
            while True:
                answer = read_acknowledgement(self._next(deadline))
                if answer.control_id == wanted:
                    return answer
        except NoAnswer:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise NoAnswer("no answer in time") from error
        except OSError as error:
            self.close()
            raise NoAnswer(f"no answer ({type(error).__name__})") from error

    def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            plain = socket.create_connection(self._place, self._seconds)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = (
                plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self._place[0])
            )
            self._framer = Framer(_ANSWER_LIMIT)
            self._answers = iter(())
        return self._socket

    def _next(self, deadline: float) -> bytes:
        assert self._socket is not None
        while True:
            for payload in self._answers:
                return payload
            left = deadline - time.monotonic()
            if left <= 0:
                raise NoAnswer("no answer in time")
            self._socket.settimeout(left)
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise NoAnswer("the receiver closed the connection")
            self._answers = iter([_payload(each) for each in self._framer.feed(data)])


def _payload(event: Any) -> bytes:
    if isinstance(event, Broken):
        raise NoAnswer("what came back is no frame")
    payload: bytes = event.payload
    return payload
