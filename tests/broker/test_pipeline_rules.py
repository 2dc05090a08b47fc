"""The product's own worker, started as its command is, with the real rules: FHIR and our events in, alerts out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from schemas.inlet import write_binary
from schemas.inlet.fields import PatientIdentity, ResultStatus
from schemas.inlet.lab_report import LabReport, LabResult
from streams.broker import LaptopKafka
from streams.intake import Intake
from streams.medicine import RulesMedicine, load_activation
from streams.readers import build_contexts, build_readers
from streams.replay import fold_log
from streams.ticker import Ticker
from streams.topics import Subject
from tests.broker.pipeline import Pipeline, WorkerProcess, wait_until

SECRET = "only-for-tests-0123456789"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def pipeline(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(
        kafka,
        topic_prefix,
        tmp_path,
        MYELOWATCH_FEEDS__LAB__TIMEZONE="Asia/Seoul",
        MYELOWATCH_KEY_SECRET=SECRET,
        MYELOWATCH_METRICS_PORT="0",
    )
    yield pipeline
    pipeline.close()


@pytest.fixture
def worker(pipeline: Pipeline) -> Iterator[WorkerProcess]:
    process = WorkerProcess(pipeline.environment, "streams", "worker")
    yield process
    process.kill()


def cbc_bundle(anc: str, number: str) -> bytes:
    """A patient on lenalidomide and one neutrophil count, as a FHIR R4 Bundle."""
    when = (NOW - timedelta(hours=2)).isoformat()
    dispensed = (NOW - timedelta(days=3)).isoformat()
    subject = {"reference": "Patient/p"}
    coded = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "643720"}]}
    return json.dumps(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "timestamp": when,
            "entry": [
                {
                    "resource": {
                        "resourceType": "Patient",
                        "id": "p",
                        "identifier": [{"system": "urn:example:hospital", "value": number}],
                        "gender": "female",
                        "birthDate": "1952-04-17",
                    }
                },
                {
                    "resource": {
                        "resourceType": "MedicationDispense",
                        "id": "d1",
                        "status": "completed",
                        "medicationCodeableConcept": {**coded, "text": "lenalidomide 25 MG Oral Capsule"},
                        "subject": subject,
                        "whenHandedOver": dispensed,
                        "quantity": {"value": 21, "unit": "capsule"},
                        "daysSupply": {"value": 28, "unit": "d"},
                        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 25, "unit": "mg"}}]}],
                    }
                },
                {
                    "resource": {
                        "resourceType": "Observation",
                        "id": "anc1",
                        "status": "final",
                        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
                        "subject": subject,
                        "effectiveDateTime": when,
                        "issued": when,
                        "valueQuantity": {"value": float(anc), "unit": "10*3/uL"},
                    }
                },
            ],
        }
    ).encode()


def test_one_fhir_count_in_one_hold_out_and_the_log_says_the_same(pipeline: Pipeline, worker: WorkerProcess) -> None:
    intake = Intake(pipeline.settings, readers=build_readers(), contexts=build_contexts(pipeline.settings))
    intake.send(cbc_bundle("0.4", "SYN-1"), feed="lab", protocol="fhir", control_id="b1")
    intake.send(b"{", feed="lab", protocol="fhir", control_id="b2")
    intake.settle()
    intake.close()
    pipeline.wait_until_drained(worker)

    said = pipeline.said()
    held = [row.value for row in pipeline.read(Subject.REJECTED)]
    assert len(held) == 1, held
    assert "anc-hold" in {transition.rule for transition in said}
    oracle = fold_log(
        pipeline.read(Subject.LOG),
        medicine=RulesMedicine(),
        default_policy=load_activation("kr-panel"),
        partitions=pipeline.settings.partitions,
    )
    assert [t.transition_id for t in said] == [t.transition_id for t in oracle.transitions]


def test_our_event_on_an_inlet_and_ticks_reach_the_log(pipeline: Pipeline, worker: WorkerProcess) -> None:
    report = LabReport(
        patient=PatientIdentity(authority="urn:example:hospital", id="SYN-2"),
        collected_at=NOW.isoformat(),
        results=(
            LabResult(code="751-8", system="http://loinc.org", value="0.4", unit="10*3/uL", status=ResultStatus.FINAL),
        ),
    )
    headers, body = write_binary(report, event_id="e1", source="/site/here/feed/lab")
    intake = Intake(pipeline.settings)
    intake.send_event(body, {name: value.encode() for name, value in headers.items()}, inlet=Subject.LAB, key="any")
    intake.settle()
    intake.close()
    ticker = Ticker(pipeline.settings)
    ticker.tick()
    ticker.close()
    partitions = pipeline.settings.partitions

    def ticked() -> bool:
        rows = pipeline.read(Subject.LOG)
        return sum(row.header("kind") == b"tick" for row in rows) == partitions and len(rows) > partitions

    wait_until(ticked, "a tick in every partition of the log", worker)


def test_the_worker_listens_on_its_metrics_port_only(pipeline: Pipeline, worker: WorkerProcess) -> None:
    pipeline.send_raw(b"{}", protocol="fhir")
    pipeline.wait_until_drained(worker)
    connections = psutil.Process(worker.pid).net_connections()
    listening = [row.laddr.ip for row in connections if row.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"], "the engine's own web server shows patients' state to anybody"
