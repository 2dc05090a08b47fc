"""After a run over synthetic patients, nothing that names one of them is in a metric or a log line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from streams.medicine import RulesMedicine
from streams.observability.logs import configure_logs
from streams.observability.metrics import Role, build_meters
from streams.observability.vocabulary import Vocabulary, build_vocabulary
from streams.settings import load_settings
from streams.simulator.event_writer import FEED
from tests.streams.observability.canary import Canary
from tests.streams.observability.ward_run import WardRun, run_ward, ward_messages

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def vocabulary() -> Vocabulary:
    settings = load_settings({}, feeds={FEED: {"timezone": "Asia/Seoul"}}, key_secret="0123456789abcdef")
    return build_vocabulary(settings)


@pytest.fixture
def logged(vocabulary: Vocabulary) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    out = io.StringIO()
    configure_logs(vocabulary, level="debug", stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers[:], root.level = before


async def test_a_ward_leaves_no_id_in_metrics_and_few_series(vocabulary: Vocabulary, logged: io.StringIO) -> None:
    registry = CollectorRegistry()
    run = WardRun(build_meters(registry, vocabulary, (Role.WORKER,), explicit_time=True))
    messages = list(ward_messages(patients=12, weeks=14))
    await run_ward(run, messages)

    text = generate_latest(registry).decode()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    ids = {row.key.decode() for row in run.world.records("t.patient.log.v1") if row.key and row.key != b"~tick"}
    numbers = {json.loads(body)["data"]["patient"]["id"] for _, body in messages}
    events = {json.loads(body)["id"] for _, body in messages}
    assert len(ids) == len(numbers) == 12
    for token in ids | numbers | events:
        assert token not in text
        assert token not in logged.getvalue()
    assert len(samples) <= 2000
    assert 'myelowatch_facts_total{kind="lab-result",outcome="applied"}' in text


def leaky_messages(canary: Canary) -> dict[str, tuple[bytes, str, str]]:
    """(body, feed, protocol) with every token of a person wherever a sender could put it."""
    name, number, born, telephone, note = canary.tokens
    patient = {
        "resourceType": "Patient",
        "id": number,
        "identifier": [{"system": name, "value": number}],
        "name": [{"family": name, "text": note}],
        "telecom": [{"value": telephone}],
        "birthDate": born,
        "gender": name,
        "text": {"div": note},
    }
    observation = {
        "resourceType": "Observation",
        "id": number,
        "status": note,
        "subject": {"reference": f"Patient/{number}", "display": name},
        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8", "display": name}], "text": note},
        "effectiveDateTime": born,
        "valueQuantity": {"value": 0.3, "unit": name, "code": name, "system": telephone},
        "note": [{"text": note}],
    }
    good = observation | {"status": "final", "effectiveDateTime": "2026-03-02T08:00:00Z"}
    event = {
        "specversion": "1.0",
        "id": number,
        "source": f"/site/x/feed/{FEED}",
        "type": "org.myelowatch.lab.result.v1",
        "data": {
            "patient": {"authority": name, "id": number},
            "collected_at": "2026-03-02T08:00:00Z",
            "results": [
                {"code": name, "system": note, "value": note, "unit": telephone, "status": "final", "text": note},
                {"code": "751-8", "system": "http://loinc.org", "value": note, "unit": name, "status": "final"},
            ],
        },
    }
    wrong = json.loads(json.dumps(event))
    wrong["data"][name] = note
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, {"resource": good}]}
    return {
        "patient": (json.dumps(patient).encode(), FEED, "fhir"),
        "observation": (json.dumps(observation).encode(), FEED, "fhir"),
        "unknown unit": (json.dumps(bundle).encode(), FEED, "fhir"),
        "event": (json.dumps(event).encode(), FEED, "event"),
        "event of a wrong shape": (json.dumps(wrong).encode(), FEED, "event"),
        "event type": (json.dumps(event | {"type": name}).encode(), FEED, "event"),
        "resource type": (json.dumps(patient | {"resourceType": name}).encode(), FEED, "fhir"),
        "not json": (f"{name} {number} {note}".encode(), FEED, "fhir"),
        "not text": (name.encode("utf-16"), FEED, "event"),
        "feed": (json.dumps(event).encode(), name, "event"),
        "protocol": (json.dumps(event).encode(), FEED, number),
        "empty": (b"", FEED, "event"),
    }


@pytest.mark.parametrize("what", sorted(leaky_messages(Canary())))
async def test_nothing_a_sender_writes_leaves_in_metrics_or_logs(
    what: str, vocabulary: Vocabulary, logged: io.StringIO
) -> None:
    canary = Canary()
    registry = CollectorRegistry()
    run = WardRun(build_meters(registry, vocabulary, explicit_time=True))
    body, feed, protocol = leaky_messages(canary)[what]
    await run.send(body, feed=feed, protocol=protocol, at=AT)
    await run.tick(AT + timedelta(days=30))
    text = generate_latest(registry).decode()
    assert "myelowatch_messages_received_total{" in text
    assert canary.found_in(text) == []
    assert canary.found_in(logged.getvalue()) == []


async def test_a_rule_that_fails_quotes_nobody(
    vocabulary: Vocabulary, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = Canary()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"no rule for {canary.name} {canary.number}")

    monkeypatch.setattr(RulesMedicine, "step", fails)
    registry = CollectorRegistry()
    run = WardRun(build_meters(registry, vocabulary, explicit_time=True))
    body, feed, protocol = leaky_messages(canary)["unknown unit"]
    await run.send(body, feed=feed, protocol=protocol, at=AT)
    rejected = b"".join(row.value or b"" for row in run.world.records("t.intake.rejected.v1")).decode()
    assert "rule-failed" in rejected
    assert canary.found_in(rejected) == []
    text = generate_latest(registry).decode()
    assert canary.found_in(text + logged.getvalue()) == []
    assert 'outcome="quarantined"} 1.0' in text
