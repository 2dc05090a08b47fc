"""One synthetic feed, and short ways to read a message as it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events import Fact
from schemas.fhir import read_fhir
from schemas.inlet import InletEvent, LabReport, LabResult, PatientIdentity, read_event, write_structured
from schemas.reading import Reading, ReadingContext

SEOUL = ZoneInfo("Asia/Seoul")
CONTEXT = ReadingContext("laboratory", SEOUL, b"a secret of the site, for tests only")
NO_ZONE = ReadingContext("laboratory", None, b"a secret of the site, for tests only")
RECEIVED = ReadingContext(
    "laboratory", SEOUL, b"a secret of the site, for tests only", received_at=datetime(2026, 3, 9, tzinfo=UTC)
)
WHO = PatientIdentity(authority="urn:example:hospital", id="1001")
SUBJECT = {"identifier": {"system": "urn:example:hospital", "value": "1001"}}
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
OWN = "urn:myelowatch:codes"


def dump(body: Any) -> bytes:
    """JSON with Decimals as numbers, digit by digit."""
    marked = json.dumps(body, default=lambda value: f"@{value}@" if isinstance(value, Decimal) else str(value))
    return marked.replace('"@', "").replace('@"', "").encode()


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def observation(code: str = "751-8", **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(LOINC, code),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-03-02T08:15:00+09:00",
        "issued": "2026-03-02T10:40:00+09:00",
        "valueQuantity": {"value": Decimal("0.9"), "unit": "10*3/uL"},
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not ...}


def fhir(body: Any, context: ReadingContext = CONTEXT, mode: Any = "live") -> Reading:
    return read_fhir(dump(body), context, mode)


def bundle(*resources: Any, kind: str = "collection", **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, **fields, "entry": [{"resource": body} for body in resources]}


def facts(reading: Reading) -> list[Fact]:
    return [fact for entry in reading.entries for fact in entry.facts]


def only(reading: Reading) -> Any:
    """The one fact of a reading without rejections."""
    assert not reading.rejections, reading.rejections
    found = facts(reading)
    assert len(found) == 1, found
    return found[0]


def event(model: InletEvent, context: ReadingContext = CONTEXT, mode: Any = "live") -> Reading:
    return read_event(write_structured(model, event_id="e1", source="/site/north/feed/lab"), None, context, mode)


def report(*results: LabResult, **fields: Any) -> LabReport:
    given: dict[str, Any] = {
        "patient": WHO,
        "report_id": "R1",
        "specimen": "S1",
        "collected_at": "2026-03-02T08:15:00+09:00",
        "issued_at": "2026-03-02T10:40:00+09:00",
    }
    return LabReport(results=results, **{**given, **fields})


def result(value: Any = "0.9", unit: str | None = "10*3/uL", code: str = "751-8", **fields: Any) -> LabResult:
    return LabResult(**{"code": code, "system": LOINC, "value": value, "unit": unit, "status": "final", **fields})
