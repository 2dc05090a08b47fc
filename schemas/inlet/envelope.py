"""CloudEvents 1.0: binary mode (attributes in headers) and structured mode (attributes in the JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.reading.result import Notes
from schemas.reading.strict_json import read_json
from schemas.rejection import RejectionReason

_REQUIRED: Final = ("id", "source", "type")
_STRUCTURED_ATTRIBUTES: Final = frozenset(
    {
        "specversion",
        "id",
        "source",
        "type",
        "datacontenttype",
        "dataschema",
        "subject",
        "time",
        "data",
        "partitionkey",
        "traceparent",
        "tracestate",
        "sequence",
        "receivedtime",
        "knownat",
    }
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes we use, and the data."""

    id: str
    type: str
    time: str | None
    known_at: str | None
    data: Any


def read_envelope(raw: bytes, headers: Mapping[str, str] | None, notes: Notes) -> Envelope | None:
    """Open the event in whichever mode it came; a refusal goes to the notes."""
    reading = read_json(raw, notes.context.max_bytes)
    if reading.reason is not None:
        notes.reject(reading.reason, reading.detail)
        return None
    attributes = _binary_attributes(headers) if headers is not None else {}
    if "type" in attributes:
        return _build(attributes, reading.value, notes)
    if not isinstance(reading.value, dict) or "specversion" not in reading.value:
        notes.reject(RejectionReason.WRONG_SHAPE, "neither ce_ headers nor a structured CloudEvent")
        return None
    for name in sorted(reading.value.keys() - _STRUCTURED_ATTRIBUTES):
        if name == "data_base64":
            notes.reject(RejectionReason.WRONG_SHAPE, "data_base64: send the data as JSON")
            return None
        notes.leave("CloudEvents extension")
    return _build(reading.value, reading.value.get("data"), notes)


def _binary_attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered.startswith(("ce_", "ce-")):
            found[lowered[3:]] = value
        elif lowered in ("content-type", "content_type"):
            found["datacontenttype"] = value
    return found


def _build(attributes: Mapping[str, Any], data: Any, notes: Notes) -> Envelope | None:
    for name in _REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            notes.reject(RejectionReason.WRONG_SHAPE, f"CloudEvents attribute {name} is missing")
            return None
    if attributes.get("specversion", "1.0") != "1.0":
        notes.reject(RejectionReason.WRONG_SHAPE, "CloudEvents specversion is not 1.0")
        return None
    content_type = attributes.get("datacontenttype")
    if isinstance(content_type, str) and "json" not in content_type.lower():
        notes.reject(RejectionReason.WRONG_SHAPE, "the data is not JSON by its content type")
        return None
    time, known_at = attributes.get("time"), attributes.get("knownat")
    return Envelope(
        id=attributes["id"],
        type=attributes["type"],
        time=time if isinstance(time, str) else None,
        known_at=known_at if isinstance(known_at, str) else None,
        data=data,
    )
