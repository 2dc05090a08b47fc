"""The failure drills that concern the front door, through real sockets and a real Kafka that is killed for real."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker import LaptopKafka
from streams.gateway.framing import wrap
from streams.gateway.mllp_client import MllpClient, NoAnswer
from tests.broker.gateway.door import Door, Gateway, message
from tests.broker.gateway.hospital import Sender, free_port, join, start
from tests.broker.pipeline import wait_until

KILLS = int(os.environ.get("MYELOWATCH_TEST_DOOR_KILLS", "8"))
BROKER_KILLS = int(os.environ.get("MYELOWATCH_TEST_DOOR_BROKER_KILLS", "2"))


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LaptopKafka]:
    """A broker that a test may kill."""
    with LaptopKafka(tmp_path / "broker", die_with_parent=True) as broker:
        yield broker


def batch(name: str, size: int, senders: int = 4) -> list[list[tuple[str, bytes]]]:
    """Messages of several senders; each has an id of its own."""
    return [
        [
            (f"{name}.{sender}.{number}", message(control_id=f"{name}.{sender}.{number}", patient=f"P{number % 7}"))
            for number in range(size)
        ]
        for sender in range(senders)
    ]


def check_kept_once(door: Door, senders: list[Sender]) -> None:
    """Whatever was acknowledged is on the topic; whatever was sent ends once."""
    acknowledged = [name for each in senders for name in each.acknowledged]
    kept = door.accepted()
    assert not set(acknowledged) - set(kept), "acknowledged and lost"
    assert max(kept.values()) == 1, f"kept twice: {[name for name, count in kept.items() if count > 1]}"
    assert set(kept) == {name for each in senders for name, _ in each.messages}


def test_drill_1_the_listener_stops_in_the_middle_of_a_batch(
    kafka: LaptopKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Stopped gently, every message is acknowledged *and* on the topic, or neither; the rest goes to the next listener."""
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_PORTS__MLLP=str(free_port()))
    senders = [Sender(int(door.environment["MYELOWATCH_PORTS__MLLP"]), each) for each in batch("a", 150)]
    with door.open() as gateway:
        threads = start(senders)
        wait_until(lambda: sum(len(each.acknowledged) for each in senders) > 100, "a hundred acknowledgements")
        assert gateway.terminate() == 0, gateway.output
        time.sleep(0.3)
        acknowledged = {name for each in senders for name in each.acknowledged}
        assert set(door.accepted()) == acknowledged, "acknowledged and on the topic, or neither"
    with door.open():
        join(threads)
    check_kept_once(door, senders)


def test_drill_1_pipelined_in_enhanced_mode(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    """A sender that does not wait for answers: those it got are of exactly the messages on the topic."""
    door = Door(kafka, topic_prefix, tmp_path / "door")
    with door.open() as gateway, socket.create_connection(("127.0.0.1", gateway.mllp), 20) as raw:
        data = b"".join(wrap(message(number, ack="AL|NE")) for number in range(2_000))
        sending = threading.Thread(target=_send_all, args=(raw, data), daemon=True)
        sending.start()
        got = raw.recv(65_536)
        gateway.process.send_signal(signal.SIGTERM)
        while piece := raw.recv(65_536):
            got += piece
        assert gateway.process.wait(30) == 0
    acknowledged = {line.split(b"|")[2].decode() for line in got.split(b"\r") if line.startswith(b"MSA|CA|")}
    assert acknowledged
    assert set(door.accepted()) == acknowledged


def _send_all(raw: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the listener goes: that is the drill
        raw.sendall(data)


def test_drill_2_a_late_answer_is_never_taken_for_the_next_message(own_kafka: LaptopKafka, tmp_path: Path) -> None:
    """The sender gives up before the answer comes; the answers to come are those of the messages they name."""
    door = Door(own_kafka, "d2", tmp_path / "door", MYELOWATCH_GATEWAY__ANSWER_WITHIN_SECONDS="20")
    with door.open() as gateway:
        client = MllpClient("127.0.0.1", gateway.mllp, seconds=3.0)
        assert client.send(message(1)).code == "AA"
        own_kafka.pause()
        with pytest.raises(NoAnswer):
            client.send(message(2))
        own_kafka.resume()
        with gateway.client(seconds=15) as other:
            answer = other.send(message(3))
        assert (answer.code, answer.control_id) == ("AA", "C3")
        answer = client.send(message(2))
        assert (answer.code, answer.control_id) == ("AA", "C2")
        client.close()
    assert door.accepted() == Counter({"C1": 1, "C2": 1, "C3": 1})


def test_drill_2_the_gateway_confirms_too_late(own_kafka: LaptopKafka, tmp_path: Path) -> None:
    """AE in time, the confirmation afterwards: the message sent again is the same one, kept once."""
    door = Door(own_kafka, "d2b", tmp_path / "door", MYELOWATCH_GATEWAY__ANSWER_WITHIN_SECONDS="1")
    with door.open() as gateway, gateway.client() as client:
        assert client.send(message(1)).code == "AA"
        own_kafka.pause()
        answer = client.send(message(2))
        assert answer.code == "AE"
        assert "send it again" in answer.errors[0]
        assert client.send(message(2)).code == "AE", "still under way"
        own_kafka.resume()
        wait_until(lambda: client.send(message(2)).code == "AA", "the message to be kept")
        assert client.send(message(3)).code == "AA"
    assert door.accepted() == Counter({"C1": 1, "C2": 1, "C3": 1})


def test_drill_3_broker_away_means_ae_and_never_aa(own_kafka: LaptopKafka, tmp_path: Path) -> None:
    """The sender retries; nothing is lost or doubled, and the gateway stays up."""
    door = Door(own_kafka, "d3", tmp_path / "door", MYELOWATCH_GATEWAY__ANSWER_WITHIN_SECONDS="1")
    with door.open() as gateway:
        senders = [Sender(gateway.mllp, each) for each in batch("b", 100 * BROKER_KILLS)]
        threads = start(senders)
        for _ in range(BROKER_KILLS):
            before = sum(len(each.acknowledged) for each in senders)
            wait_until(lambda: sum(len(e.acknowledged) for e in senders) > before + 20, "acknowledgements")  # noqa: B023
            own_kafka.kill()
            time.sleep(0.5)
            away = sum(len(each.acknowledged) for each in senders)
            time.sleep(3)
            assert sum(len(each.acknowledged) for each in senders) == away, "acknowledged without a broker"
            own_kafka.restart()
        join(threads)
        assert gateway.process.poll() is None, gateway.output
        assert any(each.negative for each in senders)
        assert {code for each in senders for _, code in each.negative} == {"AE"}
    check_kept_once(door, senders)


def test_drill_10_who_may_speak_is_in_force_and_a_wrong_map_opens_no_door(
    kafka: LaptopKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """A routing setting that is accepted is provably in force; one that cannot be read ends the start with its line."""
    door = Door(kafka, topic_prefix, tmp_path / "door")
    with door.open() as gateway, gateway.client() as client:
        assert client.send(message(1)).code == "AA"
        assert client.send(message(2, sender="OTHER|HOSP")).code == "AR"
    (door.folder / "lab.yaml").write_text("senders:\n  - {application: OTHER}\n", encoding="utf-8")
    with door.open() as gateway, gateway.client() as client:
        assert client.send(message(3, sender="OTHER|HOSP")).code == "AA"
    (door.folder / "lab.yaml").write_text("senders: 7\ncharset: nothing\n", encoding="utf-8")
    gateway = _started(door)
    assert gateway.process.wait(30) == 2
    gateway.kill()
    assert "lab.yaml: line 1" in gateway.output
    assert "lab.yaml: line 2" in gateway.output


def _started(door: Door) -> Gateway:
    return Gateway(door.environment)


def test_killed_in_the_middle_of_batches(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    """kill -9 at any moment: what was acknowledged is on the topic, and what was sent again ends once."""
    chance = random.Random(5)
    port = free_port()
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_PORTS__MLLP=str(port))
    senders = [Sender(port, each) for each in batch("k", 150 * KILLS)]
    threads: list[threading.Thread] = []
    for _ in range(KILLS):
        with door.open():
            threads = threads or start(senders)
            begun = sum(len(each.acknowledged) for each in senders)
            wait_until(lambda: sum(len(e.acknowledged) for e in senders) > begun + 20, "acknowledgements")  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.2))
        # leaving the block kills it
    assert any(thread.is_alive() for thread in threads), "the senders must still have something to send"
    with door.open():
        join(threads, 300)
    assert sum(each.unanswered for each in senders) >= KILLS
    check_kept_once(door, senders)
