"""The broker of the test session: one real Apache Kafka for all tests, and a topic prefix for each.

A broker that does not start fails the tests that need it: a skipped broker test would look like a passed one.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from streams.broker import LaptopKafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopKafka]:
    """The broker that all tests of this session share, also across the workers of pytest-xdist.

    Do not kill, pause or restart it: the tests beside yours would fail. Tests of faults start their own, with
    `LaptopKafka(tmp_path / "broker", die_with_parent=True)`.
    """
    basis = tmp_path_factory.getbasetemp()
    in_a_worker = "PYTEST_XDIST_WORKER" in os.environ
    # The parent of a worker is the process that a person or CI started: the session lives as long as that.
    broker = LaptopKafka(
        _session_folder(basis, in_a_worker=in_a_worker), lives_with=os.getppid() if in_a_worker else os.getpid()
    )
    broker.start()  # the first worker starts it; the others wait for that and find it running
    yield broker
    if not in_a_worker:
        broker.stop()
    # With workers nobody knows who is last; the watchdog ends the broker when the session's process has ended.


@pytest.fixture
def topic_prefix(kafka: LaptopKafka) -> Iterator[str]:
    """A prefix for topics that no other test has; topics that begin with it are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield prefix
    # Partitions cost memory maps and handles: hundreds of tests with a dozen each would exhaust them.
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        mine = [name for name in admin.list_topics() if name.startswith(prefix)]
        if mine:
            admin.delete_topics(mine)
    finally:
        admin.close()


def _session_folder(basis: Path, *, in_a_worker: bool) -> Path:
    # Each worker has a folder of its own inside that of the session.
    return (basis.parent if in_a_worker else basis) / "kafka"
