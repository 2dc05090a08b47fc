"""The whole pipeline through a real Kafka and the real engine, with the toy medicine and planned ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from schemas.rejection import Rejection, RejectionReason
from streams.broker import LaptopKafka
from streams.topics import Subject
from tests.broker.pipeline import Pipeline, wait_until


@pytest.fixture
def pipeline(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(kafka, topic_prefix, tmp_path)
    yield pipeline
    pipeline.close()


def some_values(pipeline: Pipeline, count: int, patients: int = 12) -> list[tuple[str, str]]:
    keys = pipeline.patients(patients)
    return [(keys[number % patients], "0.4" if number % 5 == 0 else "2") for number in range(count)]


def test_one_message_in_one_alert_out(pipeline: Pipeline) -> None:
    (key,) = pipeline.patients(1)
    with pipeline.worker() as worker:
        pipeline.send([(key, "0.4")])
        pipeline.wait_until_drained(worker)
        assert worker.stop() == 0, worker.output

    (transition,) = pipeline.said()
    assert (transition.rule, transition.patient.key) == ("toy-low", key)
    (current,) = pipeline.read(Subject.CURRENT)
    assert current.key == transition.alert_id.encode()
    pipeline.check_against_oracle()


def test_bytes_that_nobody_can_read_are_held_and_the_stream_goes_on(pipeline: Pipeline) -> None:
    (key,) = pipeline.patients(1)
    with pipeline.worker() as worker:
        pipeline.send_raw(b"\xff\xfe\x00", key=key)
        pipeline.send_raw(b"", key=key, protocol="nobody's")
        pipeline.send([(key, "0.4")])
        pipeline.wait_until_drained(worker)
        assert worker.stop() == 0, worker.output

    reasons = {Rejection.model_validate_json(row.value or b"").reason for row in pipeline.read(Subject.REJECTED)}
    assert reasons == {RejectionReason.NOT_JSON, RejectionReason.UNSUPPORTED_TYPE}
    assert len(pipeline.said()) == 1


@pytest.mark.parametrize(("step", "nth"), [("said", "1"), ("shown", "3"), ("kept", "2")])
def test_a_kill_between_any_two_steps_loses_nothing_and_invents_nothing(
    pipeline: Pipeline, step: str, nth: str
) -> None:
    pipeline.send(some_values(pipeline, 200))
    environment = {"TOY_DIE": step, "TOY_DIE_AFTER": nth, "MYELOWATCH_WORKER__BATCH_ENTRIES": "20"}
    with pipeline.worker(**environment) as dying:
        assert dying.wait() == -signal.SIGKILL, dying.output

    with pipeline.worker() as heir:
        pipeline.wait_until_drained(heir)
        assert heir.stop() == 0, heir.output

    oracle = pipeline.check_against_oracle()
    assert len(oracle.transitions) > 10


def test_an_unexpected_fault_ends_the_worker_and_commits_nothing(pipeline: Pipeline) -> None:
    pipeline.send(some_values(pipeline, 20))
    with pipeline.worker(TOY_RAISE="shown") as failing:
        assert failing.wait() == 70, failing.output

    assert not any(pipeline.committed().values())
    assert "planned" not in failing.output, "messages of exceptions may quote a patient"
    with pipeline.worker() as heir:
        pipeline.wait_until_drained()
        heir.stop()
    pipeline.check_against_oracle()


def test_told_to_stop_it_commits_what_it_did(pipeline: Pipeline) -> None:
    pipeline.send(some_values(pipeline, 50))
    with pipeline.worker(MYELOWATCH_WORKER__COMMIT_SECONDS="60") as worker:
        wait_until(lambda: len(pipeline.read(Subject.STATE)) >= 12, "state to be kept", worker)
        wait_until(lambda: len({row.key for row in pipeline.read(Subject.STATE)}) >= 16, "every patient", worker)
        assert worker.stop() == 0, worker.output

    assert pipeline.is_drained()


def test_two_workers_share_the_work_and_one_takes_over(pipeline: Pipeline) -> None:
    with pipeline.worker() as first:
        first.wait_until_ready()
        with pipeline.worker(MYELOWATCH_STATE=str(pipeline.folder / "second")) as second:
            second.wait_until_ready()
            pipeline.send(some_values(pipeline, 200))
            pipeline.wait_until_drained()
            second.signal(signal.SIGKILL)
            second.wait()
            pipeline.send(some_values(pipeline, 200))
            pipeline.wait_until_drained()
        assert first.stop() == 0, first.output
    pipeline.check_against_oracle()


@pytest.mark.slow
def test_a_worker_paused_longer_than_its_session_does_not_overwrite_its_heir(pipeline: Pipeline) -> None:
    with pipeline.worker() as paused:
        paused.wait_until_ready()
        pipeline.send(some_values(pipeline, 100))
        pipeline.wait_until_drained()
        paused.signal(signal.SIGSTOP)
        with pipeline.worker(MYELOWATCH_STATE=str(pipeline.folder / "second")) as heir:
            pipeline.send(some_values(pipeline, 300))
            heir.wait_until_ready()
            pipeline.wait_until_drained()
            paused.signal(signal.SIGCONT)
            pipeline.send(some_values(pipeline, 300))
            pipeline.wait_until_drained(heir, paused)
            assert heir.stop() == 0, heir.output
        pipeline.wait_until_drained(paused)
        paused.stop()
    pipeline.check_against_oracle()


def test_state_on_disk_survives_a_restart(pipeline: Pipeline) -> None:
    for _ in range(2):
        with pipeline.worker(MYELOWATCH_WORKER__STORE="rocksdb") as worker:
            pipeline.send(some_values(pipeline, 60))
            pipeline.wait_until_drained(worker)
            assert worker.stop() == 0, worker.output
    assert (pipeline.folder / "worker").is_dir()
    pipeline.check_against_oracle()


def test_a_worker_listens_to_nobody(pipeline: Pipeline) -> None:
    with pipeline.worker() as worker:
        worker.wait_until_ready()
        listening = [
            row.laddr for row in psutil.Process(worker.pid).net_connections() if row.status == psutil.CONN_LISTEN
        ]
    assert listening == [], "the engine's own web server shows patients' state to anybody"


def test_missing_topics_are_a_sentence(kafka: LaptopKafka, tmp_path: Path) -> None:
    pipeline = Pipeline.__new__(Pipeline)
    pipeline.environment = {
        "MYELOWATCH_BROKERS": kafka.bootstrap,
        "MYELOWATCH_PREFIX": f"nothing{os.getpid()}",
        "MYELOWATCH_STATE": str(tmp_path),
    }
    with pipeline.worker() as worker:
        assert worker.wait() == 2
    assert "topics apply" in worker.output
