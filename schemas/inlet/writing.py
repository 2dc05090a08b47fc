"""Our events to CloudEvents 1.0 bytes: for simulators, test clients and a hospital's own producers in Python."""

from __future__ import annotations

import json
from datetime import datetime

from schemas.inlet.event_types import InletEvent, event_type_of


def _write_data(event: InletEvent) -> bytes:
    # What was not said is left out; a default (`kind`, `status`) is written, so that the bytes stand on their own.
    return event.model_dump_json(exclude_none=True).encode()


def write_binary(
    event: InletEvent,
    *,
    event_id: str,
    source: str,
    time: datetime | None = None,
    subject: str | None = None,
    known_at: datetime | None = None,
) -> tuple[dict[str, str], bytes]:
    """Headers and value of a Kafka record in binary mode.

    `subject` is the opaque patient key, never a record number: headers carry no patient
    data. `known_at` is obeyed only where the site's setting says so (demo, tests, files).
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": event_type_of(event),
        "content-type": "application/json",
    }
    if time is not None:
        headers["ce_time"] = time.isoformat()
    if subject is not None:
        headers["ce_subject"] = subject
        headers["ce_partitionkey"] = subject
    if known_at is not None:
        headers["ce_knownat"] = known_at.isoformat()
    return headers, _write_data(event)


def write_structured(
    event: InletEvent,
    *,
    event_id: str,
    source: str,
    time: datetime | None = None,
    subject: str | None = None,
    known_at: datetime | None = None,
) -> bytes:
    """One line of NDJSON: the whole event in structured mode, without a line end."""
    attributes = {"specversion": "1.0", "id": event_id, "source": source, "type": event_type_of(event)}
    if time is not None:
        attributes["time"] = time.isoformat()
    if subject is not None:
        attributes["subject"] = subject
        attributes["partitionkey"] = subject
    if known_at is not None:
        attributes["knownat"] = known_at.isoformat()
    attributes["datacontenttype"] = "application/json"
    head = json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))
    return head[:-1].encode() + b',"data":' + _write_data(event) + b"}"
