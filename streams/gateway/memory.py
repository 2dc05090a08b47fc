"""What was kept in the last 72 hours, by feed and control id: so that the same message is not kept twice.

Control ids are reused in the wild, so an id alone proves nothing: with the same bytes it is the same message and gets
the same answer; with other bytes it is a fault of the sender's (D1, condition 205). Rebuilt at every start from
the headers on intake; what falls out of the window or over the limit is kept again, which translate bears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from streams.ports import Arrived, instant_of, milliseconds_of
from streams.translate import (
    HEADER_CONTROL_ID,
    HEADER_FEED,
    HEADER_KIND,
    HEADER_PROTOCOL,
    HEADER_REFUSED,
    HEADER_SHA256,
)

_SWEEP_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """One message under a control id; `at` is the broker's stamp, from which the same answer can be made again."""

    digest: bytes
    is_accepted: bool
    at_ms: int
    partition: int
    offset: int

    @property
    def at(self) -> datetime:
        """The broker's stamp."""
        return instant_of(self.at_ms)


class Memory:
    """Control ids of one door. Not for several threads."""

    def __init__(self, hours: float, size: int) -> None:
        """Remember for so long, and at most so many ids."""
        self._window = timedelta(hours=hours)
        self._size = size
        self._held: dict[bytes, tuple[Remembered, ...]] = {}
        self._since_sweep = 0

    def __len__(self) -> int:
        return len(self._held)

    def recall(self, protocol: str, feed: str, control_id: str, now: datetime) -> tuple[Remembered, ...]:
        """Everything kept under this id within the window that ends `now`, oldest first."""
        oldest = milliseconds_of(now - self._window)
        return tuple(each for each in self._held.get(_key(protocol, feed, control_id), ()) if each.at_ms >= oldest)

    def remember(self, protocol: str, feed: str, control_id: str, what: Remembered) -> None:
        """A message was kept."""
        key = _key(protocol, feed, control_id)
        # Taken out and put back at the end, so that the oldest are always in front.
        before = tuple(each for each in self._held.pop(key, ()) if each.digest != what.digest or each.is_accepted)
        self._held[key] = before if any(each.digest == what.digest for each in before) else (*before, what)
        self._since_sweep += 1
        if self._since_sweep >= _SWEEP_EVERY or len(self._held) > self._size:
            self.forget(what.at)

    def forget(self, now: datetime) -> None:
        """Drop what is older than the window, and the oldest beyond the limit."""
        self._since_sweep = 0
        oldest = milliseconds_of(now - self._window)
        for key in list(self._held):
            if len(self._held) <= self._size and self._held[key][-1].at_ms >= oldest:
                break
            del self._held[key]

    def rebuild(self, records: Iterable[Arrived]) -> int:
        """Read the headers of intake; how many messages were remembered."""
        count = 0
        for record in sorted((each for each in map(_from_headers, records) if each), key=lambda found: found[3].at_ms):
            self.remember(*record)
            count += 1
        return count


def _from_headers(record: Arrived) -> tuple[str, str, str, Remembered] | None:
    headers = dict(record.headers)
    control_id, digest = headers.get(HEADER_CONTROL_ID), headers.get(HEADER_SHA256)
    if control_id is None or digest is None or HEADER_KIND in headers:
        return None
    try:
        raw = bytes.fromhex(digest.decode())
    except ValueError:
        return None
    what = Remembered(raw, HEADER_REFUSED not in headers, record.stamp_ms, record.partition, record.offset)
    protocol, feed = (headers.get(name, b"").decode("utf-8", "replace") for name in (HEADER_PROTOCOL, HEADER_FEED))
    return protocol, feed, control_id.decode("utf-8", "replace"), what


def _key(protocol: str, feed: str, control_id: str) -> bytes:
    """Sixteen bytes whatever a sender writes: a million of them fit into a process."""
    text = f"{protocol}\x1f{feed}\x1f{control_id}".encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=16).digest()
