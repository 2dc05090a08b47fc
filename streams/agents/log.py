"""The `Log` port over Faust's producer: every record sent, every acknowledgement awaited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.agents.table import settle
from streams.ports import NotAcknowledged, Outgoing


class FaustLog:
    """See `streams.ports.Log`."""

    def __init__(self, app: Any, *, acknowledge_within: float) -> None:
        """Records that are not acknowledged in that many seconds end the process."""
        self._app = app
        self._within = acknowledge_within

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Send all, then await all: one round trip serves the batch."""
        producer = self._app.producer
        try:
            futures = [
                await producer.send(
                    record.topic, record.key, record.value, record.partition, None, list(record.headers) or None
                )
                for record in records
            ]
        except Exception as error:
            raise NotAcknowledged(f"a record could not be sent: {type(error).__name__}") from error
        await settle(futures, self._within)
