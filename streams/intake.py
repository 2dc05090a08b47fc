"""A polite producer: messages to intake, our own events to their inlets, each acknowledged before it counts.

For `send`, the simulator and tests; the gateway and a hospital's own producers do the same in their way.
Keys by the patient where the message names exactly one, else by the feed (design part 3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from streams.connections import build_producer
from streams.ports import NotAcknowledged
from streams.topics import Subject, partition_of
from streams.translate import (
    HEADER_CONTROL_ID,
    HEADER_FEED,
    HEADER_KNOWN_AT,
    HEADER_PROTOCOL,
    HEADER_SHA256,
    write_known_at,
)

if TYPE_CHECKING:
    from schemas.reading import ReadingContext
    from streams.settings import Settings
    from streams.translate import Reader

_ACKNOWLEDGE_SECONDS: Final = 30.0


class Intake:
    """One producer. `send` and `send_event` return at once; `settle` waits for every acknowledgement."""

    def __init__(
        self,
        settings: Settings,
        *,
        readers: Mapping[str, Reader] | None = None,
        contexts: Mapping[str, ReadingContext] | None = None,
        linger_ms: int = 5,
    ) -> None:
        """With `readers` and `contexts`, messages that come without a patient key are read to find one."""
        self._settings = settings
        self._readers = readers or {}
        self._contexts = contexts or {}
        self._producer: Any = build_producer(
            settings.kafka, linger_ms=linger_ms, max_request_size=10_485_760, compression_type=None
        )
        self._sent: list[Any] = []
        self.acknowledged = 0

    def send(
        self,
        body: bytes,
        *,
        feed: str,
        protocol: str,
        control_id: str | None = None,
        patient_key: str | None = None,
        known_at: datetime | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> None:
        """A message as received, to `intake.message.v1`."""
        given: dict[str, bytes] = dict(headers or {})
        given[HEADER_FEED] = feed.encode()
        given[HEADER_PROTOCOL] = protocol.encode()
        given[HEADER_SHA256] = hashlib.sha256(body).hexdigest().encode()
        if control_id is not None:
            given[HEADER_CONTROL_ID] = control_id.encode()
        if known_at is not None:
            given[HEADER_KNOWN_AT] = write_known_at(known_at)
        key = (patient_key or self._patient_in(body, given, feed, protocol) or feed).encode()
        self._put(Subject.INTAKE, key, body, given)

    def send_event(
        self,
        body: bytes,
        headers: Mapping[str, bytes],
        *,
        inlet: Subject,
        key: str | None = None,
        known_at: datetime | None = None,
    ) -> None:
        """One of our events, to its inlet; `headers` are those of CloudEvents' binary mode."""
        given = dict(headers)
        if known_at is not None:
            given[HEADER_KNOWN_AT] = write_known_at(known_at)
        self._put(inlet, (key or "").encode(), body, given)

    def settle(self) -> int:
        """Wait for everything sent; how many records were acknowledged in all. Raises `NotAcknowledged`."""
        try:
            self._producer.flush(timeout=_ACKNOWLEDGE_SECONDS)
            for future in self._sent:
                future.get(timeout=_ACKNOWLEDGE_SECONDS)
                self.acknowledged += 1
        except Exception as error:
            raise NotAcknowledged(f"a record was not acknowledged: {type(error).__name__}") from error
        finally:
            self._sent.clear()
        return self.acknowledged

    def close(self) -> None:
        """Disconnect; call `settle` first to know that all is kept."""
        self._producer.close(timeout=5)

    def _put(self, subject: Subject, key: bytes, body: bytes, headers: Mapping[str, bytes]) -> None:
        self._sent.append(
            self._producer.send(
                self._settings.topics[subject],
                key=key,
                value=body,
                partition=partition_of(key, self._settings.partitions),
                headers=list(headers.items()),
            )
        )

    def _patient_in(self, body: bytes, headers: Mapping[str, bytes], feed: str, protocol: str) -> str | None:
        reader, context = self._readers.get(protocol), self._contexts.get(feed)
        if reader is None or context is None:
            return None
        keys = {entry.patient.key for entry in reader(body, headers, context).entries if entry.patient is not None}
        return keys.pop() if len(keys) == 1 else None
