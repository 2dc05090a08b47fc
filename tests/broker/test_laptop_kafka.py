"""The laptop broker is a real Kafka that starts, stops, dies and comes back as its commands say.

These tests start brokers of their own, because they kill and pause them.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from streams.broker import BrokerFailedError, BrokerUnusableError, LaptopKafka
from streams.broker.jars import read_jar_lock
from streams.broker.places import cache_folder, kafka_file

pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("laptop-kafka")]

# A space and letters outside Latin-1: home folders are called like this, and Java reads its settings in Latin-1.
FOLDER_NAME = "my broker 한국"


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopKafka]:
    """A broker that the tests of this module may treat badly."""
    with LaptopKafka(tmp_path_factory.mktemp("own") / FOLDER_NAME, die_with_parent=True) as broker:
        yield broker


def create_topic(broker: LaptopKafka, name: str, copies: int = 1) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        admin.create_topics([NewTopic(name, 1, copies)])
    finally:
        admin.close()


def send(broker: LaptopKafka, topic: str, *values: bytes) -> None:
    """Returns when the broker has confirmed every one."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=30)
    finally:
        producer.close()


def read_all(broker: LaptopKafka, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        values: list[bytes] = []
        while consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=500).values():
                values.extend(record.value for record in records)
        return values
    finally:
        consumer.close()


def is_gone(pid: int) -> bool:
    """Ended; perhaps not yet collected by the process that started it."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def pid_of(broker: LaptopKafka, node: int = 1) -> int:
    report = broker.report()
    assert report is not None
    pid = report.nodes[node - 1].pid
    assert pid is not None
    return pid


class TestFromTheCommandLine:
    """What a person sees who types `myelowatch broker ...`."""

    @pytest.fixture
    def state(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("MYELOWATCH_STATE", str(tmp_path / "state"))
        return tmp_path / "state"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streams", "broker", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def test_starts_answers_and_stops(self, state: Path) -> None:
        before = self.run("status", "--json")
        assert before.returncode == 1
        assert json.loads(before.stdout) == {"running": False, "answering": False, "bootstrap": None, "nodes": []}
        try:
            started = self.run("start", "--json")
            assert started.returncode == 0, started.stderr
            told = json.loads(started.stdout)
            assert told["answering"]
            assert told["folder"] == str(state / "broker")

            again = self.run("start")
            assert again.returncode == 0
            assert told["bootstrap"] in again.stdout

            status = json.loads(self.run("status", "--json").stdout)
            assert [node["pid"] for node in status["nodes"]] == [node["pid"] for node in told["nodes"]]
            only_loopback = {address.laddr.ip for address in psutil.Process(told["nodes"][0]["pid"]).net_connections()}
            assert only_loopback <= {"127.0.0.1", "::ffff:127.0.0.1"}

            other_size = self.run("start", "--nodes", "3")
            assert other_size.returncode == 2
            assert "MYELOWATCH_STATE" in other_size.stderr
        finally:
            stopped = self.run("stop", "--json")
        assert stopped.returncode == 0
        assert json.loads(stopped.stdout)["stopped"] is True
        assert self.run("status").returncode == 1
        assert is_gone(told["nodes"][0]["pid"])
        assert self.run("stop").returncode == 0

    def test_two_nodes_are_refused_with_a_sentence(self, state: Path) -> None:
        refused = self.run("start", "--nodes", "2")
        assert refused.returncode == 2
        assert refused.stderr == "The laptop broker has 1 node or 3, not 2.\n"
        assert not state.exists()


class TestFaults:
    """What tests of crashes rely on."""

    def test_a_killed_node_comes_back_with_its_data_and_address(self, own_kafka: LaptopKafka) -> None:
        create_topic(own_kafka, "before")
        send(own_kafka, "before", b"one", b"two")
        address, pid = own_kafka.bootstrap, pid_of(own_kafka)

        own_kafka.kill()
        report = own_kafka.report()
        assert report is not None
        assert not report.running
        assert is_gone(pid)
        with pytest.raises(BrokerFailedError, match="not running"):
            own_kafka.kill()

        own_kafka.restart()
        assert own_kafka.bootstrap == address
        assert read_all(own_kafka, "before") == [b"one", b"two"]

    def test_a_paused_node_is_silent_until_it_is_resumed(self, own_kafka: LaptopKafka) -> None:
        own_kafka.pause()
        report = own_kafka.report()
        assert report is not None
        assert [(node.alive, node.paused, node.answering) for node in report.nodes] == [(True, True, False)]
        own_kafka.resume()
        own_kafka.wait_until_answering(10)

    def test_a_stopped_broker_keeps_its_data_and_yields_its_port_to_others(self, own_kafka: LaptopKafka) -> None:
        create_topic(own_kafka, "kept")
        send(own_kafka, "kept", b"here")
        address = own_kafka.bootstrap
        assert own_kafka.stop()
        host, _, port = address.partition(":")
        with socket.create_server((host, int(port))):
            own_kafka.start()
            assert own_kafka.bootstrap != address
            assert read_all(own_kafka, "kept") == [b"here"]

    def test_another_process_in_our_place_is_left_alone(self, own_kafka: LaptopKafka) -> None:
        """After a restart of the machine the remembered process id may belong to anybody."""
        own_kafka.stop()
        state = json.loads((own_kafka.folder / "broker.json").read_text())
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            try:
                state["nodes"][0]["process"] = {"pid": stranger.pid, "born": "1"}
                (own_kafka.folder / "broker.json").write_text(json.dumps(state))
                assert own_kafka.stop() is False
                assert stranger.poll() is None
            finally:
                stranger.kill()
        own_kafka.start()

    def test_two_brokers_at_once_do_not_meet(self, own_kafka: LaptopKafka, tmp_path: Path) -> None:
        create_topic(own_kafka, "mine")
        with LaptopKafka(tmp_path / "second", die_with_parent=True) as second:
            assert second.bootstrap != own_kafka.bootstrap
            admin = KafkaAdminClient(bootstrap_servers=second.bootstrap)
            assert "mine" not in admin.list_topics()
            admin.close()
        report = own_kafka.report()
        assert report is not None
        assert report.answering

    def test_a_broker_started_for_a_process_ends_with_it(self, tmp_path: Path) -> None:
        program = (
            "import sys, threading, time\n"
            "from streams.broker import LaptopKafka\n"
            "broker = LaptopKafka(sys.argv[1], die_with_parent=True)\n"
            # In a thread that ends at once: the broker belongs to the process, not to the thread that started it.
            "starter = threading.Thread(target=broker.start); starter.start(); starter.join()\n"
            "time.sleep(1)\n"
            "print(broker.report().nodes[0].pid, flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "broker")], stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            node = psutil.Process(int(owner.stdout.readline()))
            owner.kill()
        gone, alive = psutil.wait_procs([node], timeout=10)
        assert gone
        assert not alive

    @pytest.mark.slow
    def test_of_three_nodes_one_may_die_without_loss(self, tmp_path: Path) -> None:
        with LaptopKafka(tmp_path / "three", 3, die_with_parent=True) as three:
            create_topic(three, "replicated", copies=3)
            send(three, "replicated", b"before")
            three.kill(2)
            send(three, "replicated", b"without node 2")
            report = three.report()
            assert report is not None
            assert [node.answering for node in report.nodes] == [True, False, True]
            three.restart(2)
            three.kill(1)
            assert read_all(three, "replicated") == [b"before", b"without node 2"]


class TestRefusals:
    """A broker that cannot be trusted or cannot run is not started, and a sentence says why."""

    @pytest.fixture
    def spoilt_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_kafka: LaptopKafka) -> Path:
        """The jars of the real cache, one of them with a single byte more."""
        jars = tmp_path / "cache" / "jars"
        jars.mkdir(parents=True)
        for jar in read_jar_lock(kafka_file("jars.lock")).jars:
            (jars / jar.file_name).symlink_to(cache_folder() / "jars" / jar.file_name)
        spoilt = jars / "re2j-1.8.jar"
        original = spoilt.resolve()
        spoilt.unlink()
        shutil.copy(original, spoilt)
        with spoilt.open("ab") as file:
            file.write(b"\n")
        monkeypatch.setenv("MYELOWATCH_CACHE", str(tmp_path / "cache"))
        return spoilt

    def test_a_jar_with_another_sum_is_not_run(self, tmp_path: Path, spoilt_cache: Path) -> None:
        broker = LaptopKafka(tmp_path / "broker", die_with_parent=True)
        with pytest.raises(BrokerUnusableError, match=r"re2j-1\.8\.jar is not the com\.google\.re2j:re2j:1\.8"):
            broker.start()
        assert broker.report() is None
        assert spoilt_cache.exists(), "evidence is left for a person to look at"

    def test_a_broker_that_dies_at_start_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        """Here: a data folder that says it belongs to another node."""
        broker = LaptopKafka(tmp_path / "broker", die_with_parent=True)
        broker.start()
        broker.stop()
        identity = tmp_path / "broker" / "node-1" / "data" / "meta.properties"
        identity.write_text(identity.read_text().replace("node.id=1", "node.id=7"))
        with pytest.raises(BrokerFailedError, match=r"(?s)ended while it was starting.*node.?id"):
            broker.start()
        report = broker.report()
        assert report is not None
        assert not report.running


def test_the_session_broker_is_shared_and_prefixes_differ(kafka: LaptopKafka, topic_prefix: str) -> None:
    create_topic(kafka, f"{topic_prefix}.probe")
    send(kafka, f"{topic_prefix}.probe", b"x")
    assert read_all(kafka, f"{topic_prefix}.probe") == [b"x"]
    assert os.path.commonpath([kafka.folder, Path.cwd()]) != str(Path.cwd()), "state of tests stays out of the checkout"
