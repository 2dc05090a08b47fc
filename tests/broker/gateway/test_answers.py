"""Table D1, row by row, through a real socket and the real Kafka."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from streams.broker import LaptopKafka
from streams.gateway.framing import wrap
from streams.gateway.mllp_client import NoAnswer, read_acknowledgement
from tests.broker.gateway.door import Door, Gateway, message


@pytest.fixture
def door(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Door:
    return Door(kafka, topic_prefix, tmp_path / "door")


def exchange(gateway: Gateway, data: bytes, *, answers: int = 1, seconds: float = 10.0) -> list[bytes]:
    """Bytes as they are, and so many answers; fewer where the gateway closes the connection first."""
    with socket.create_connection(("127.0.0.1", gateway.mllp), seconds) as raw:
        raw.sendall(data)
        got = b""
        while got.count(b"\x1c\r") < answers:
            piece = raw.recv(65_536)
            if not piece:
                break
            got += piece
    return [each.removeprefix(b"\x0b") for each in got.split(b"\x1c\r") if each]


def codes(answers: list[bytes]) -> list[tuple[str, str]]:
    found = [read_acknowledgement(each) for each in answers]
    return [(each.code, each.control_id) for each in found]


def error_of(answer: bytes) -> str:
    """ERR-3, the number."""
    return next(line for line in answer.split(b"\r") if line.startswith(b"ERR")).split(b"|")[3].split(b"^")[0].decode()


def test_table_d1(door: Door) -> None:
    """Each row: what came, in original and in enhanced mode, and ERR-3; and what of it is kept."""
    no_patient = message("x").replace(b"P1^^^HOSP^MR", b"")
    rows = [
        ("kept", message("1"), "AA", "CA", "0"),
        ("no control id", message("2").replace(b"|C2|", b"||"), "AE", "CE", "101"),
        ("no patient", no_patient.replace(b"|Cx|", b"|C3|"), "AE", "CE", "101"),
        ("a type nobody reads", message("4", kind="BAR^P01"), "AR", "CR", "200"),
        ("an event nobody reads", message("5", kind="ORU^R99"), "AR", "CR", "201"),
        ("a version nobody reads", message("6", version="3.0"), "AR", "CR", "203"),
        ("a training message", message("7", processing="T"), "AR", "CR", "202"),
        ("not in its own character set", message("8", note="\u00e9").replace(b"\xc3\xa9", b"\xe9"), "AE", "CE", "102"),
    ]
    with door.open() as gateway:
        for shows, original, code, enhanced_code, error in rows:
            (answer,) = exchange(gateway, wrap(original))
            assert read_acknowledgement(answer).code == code, shows
            assert error_of(answer) == error, shows
            enhanced = original.replace(b"||||||\r", b"|||AL|NE||\r", 1).replace(b"|C", b"|E", 1)
            (answer,) = exchange(gateway, wrap(enhanced))
            assert read_acknowledgement(answer).code == enhanced_code, shows
            assert error_of(answer) == error, shows
        kept = door.kept()
        assert len(kept) == 2 * len(rows), "what was refused is held for people to see"
        assert {each.header("ack") for each in kept if each.header("refused") is None} == {b"AA", b"CA"}
        assert {each.header("refused") for each in kept} == {
            None, b"value-missing", b"no-patient", b"unsupported-type", b"unsupported-version", b"not-production",
            b"undecodable",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("ack", "expected"),
    [
        ("AL|NE", ["CA"]),
        ("AL|AL", ["CA", "AA"]),
        ("NE|AL", ["AA"]),
        ("ER|NE", []),
        ("SU|NE", ["CA"]),
        ("SU|SU", ["CA", "AA"]),
        ("|AL", ["AA"]),
    ],
)
def test_enhanced_mode_gives_the_answers_that_were_asked_for(door: Door, ack: str, expected: list[str]) -> None:
    with door.open() as gateway:
        # The second message, in original mode, shows what was (not) said before it.
        data = wrap(message("1", ack=ack)) + wrap(message("2"))
        found = codes(exchange(gateway, data, answers=len(expected) + 1))
        assert found == [*((code, "C1") for code in expected), ("AA", "C2")]
        assert door.accepted() == {"C1": 1, "C2": 1}


def test_the_same_message_again_gets_the_same_answer_and_is_not_kept_again(door: Door) -> None:
    """Byte for byte, in the same run and after a restart: the memory is rebuilt from intake."""
    with door.open() as gateway:
        (first,) = exchange(gateway, wrap(message("1")))
        time.sleep(1.1)  # the answer holds the broker's second, not ours
        assert exchange(gateway, wrap(message("1"))) == [first]
        assert gateway.terminate() == 0
    with door.open() as gateway:
        assert exchange(gateway, wrap(message("1"))) == [first]
        (other,) = exchange(gateway, wrap(message("1", value="0.4")))
        assert (read_acknowledgement(other).code, error_of(other)) == ("AE", "205")
        assert exchange(gateway, wrap(message("1", value="0.4")))[0].startswith(b"MSH|")
    assert door.accepted() == {"C1": 1}
    assert len(door.kept()) == 2, "the other bytes are held once, as refused"


def test_a_refused_message_that_was_mended_is_taken_under_the_same_id(door: Door) -> None:
    with door.open() as gateway:
        broken = message("1").replace(b"P1^^^HOSP^MR", b"")
        assert codes(exchange(gateway, wrap(broken))) == [("AE", "C1")]
        assert codes(exchange(gateway, wrap(message("1")))) == [("AA", "C1")]
    assert door.accepted() == {"C1": 1}


def test_several_messages_on_a_connection_and_every_line_end(door: Door) -> None:
    with door.open() as gateway:
        data = b"".join(wrap(message(number, end=end)) for number, end in enumerate(("\r", "\n", "\r\n", "\r")))
        assert codes(exchange(gateway, data, answers=4)) == [("AA", f"C{number}") for number in range(4)]
    keys = {each.key for each in door.kept()}
    assert len(keys) == 1, "one patient, one key, whatever the line ends"
    assert b"P1" not in keys.pop()


def test_what_is_too_large_or_broken_is_refused_and_the_next_message_is_fine(door: Door) -> None:
    with door.open(MYELOWATCH_GATEWAY__MESSAGE_BYTES="2048") as gateway:
        large = message("1", note="x" * 3_000)
        stray = message("2").replace(b"PID", b"\x1cPID", 1)
        bomb = message("3", note="x") + b"|" * 1_000
        data = wrap(large) + wrap(stray) + wrap(message("4"))
        found = exchange(gateway, data, answers=3)
        assert codes(found) == [("AR", "C1"), ("AR", "C2"), ("AA", "C4")]
        assert [error_of(each) for each in found] == ["207", "207", "0"]
        assert codes(exchange(gateway, wrap(bomb))) == [("AA", "C3")]
    with door.open(MYELOWATCH_GATEWAY__DELIMITERS="500") as gateway:
        assert codes(exchange(gateway, wrap(bomb.replace(b"C3", b"C5")))) == [("AR", "C5")]
    assert door.accepted() == {"C3": 1, "C4": 1}


def test_three_hundred_thousand_delimiters_are_refused(door: Door) -> None:
    with door.open() as gateway:
        found = exchange(gateway, wrap(message("1") + b"OBX|" + b"|" * 300_000))
        assert codes(found) == [("AR", "C1")]


def test_what_is_no_hl7_ends_the_connection(door: Door) -> None:
    with door.open() as gateway:
        assert exchange(gateway, b"GET / HTTP/1.1\r\n\r\n") == []
        assert exchange(gateway, wrap(b"hello")) == []
        assert codes(exchange(gateway, wrap(message("1")))) == [("AA", "C1")]


def test_an_unknown_sender_is_told_and_nothing_is_kept(door: Door) -> None:
    with door.open() as gateway:
        (answer,) = exchange(gateway, wrap(message("1", sender="X|HOSP")) + wrap(message("2")), answers=2)
        assert (read_acknowledgement(answer).code, error_of(answer)) == ("AR", "103")
    assert door.kept() == []


def test_a_batch_has_one_answer_and_each_of_its_messages_is_kept(door: Door) -> None:
    head = b"BHS|^~\\&|LAB|HOSP|MW|HOSP|20260301||||B1\r"
    good = head + message("1") + message("2", patient="P2") + b"BTS|2\r"
    short = head.replace(b"B1", b"B2") + message("3") + b"BTS|2\r"
    with door.open() as gateway:
        assert codes(exchange(gateway, wrap(good))) == [("AA", "B1")]
        assert codes(exchange(gateway, wrap(short))) == [("AE", "B2")]
    assert door.accepted() == {"C1": 1, "C2": 1}


def test_korean_names_are_taken_by_their_character_set(door: Door) -> None:
    with door.open() as gateway:
        korean = message("1", charset="KS X 1001", note="호중구 감소")
        (answer,) = exchange(gateway, wrap(korean))
        assert read_acknowledgement(answer).code == "AA"
        (record,) = door.kept()
        assert record.value == korean
        assert "호중구" not in gateway.output


def test_a_silent_and_a_slow_sender_are_sent_away_and_others_do_not_notice(door: Door) -> None:
    limits = {
        "MYELOWATCH_GATEWAY__FIRST_BYTE_SECONDS": "1",
        "MYELOWATCH_GATEWAY__FRAME_SECONDS": "30",
        "MYELOWATCH_GATEWAY__IDLE_SECONDS": "2",
    }
    with door.open(**limits) as gateway:
        place = ("127.0.0.1", gateway.mllp)
        silent = [socket.create_connection(place, 15) for _ in range(20)]
        slow = [socket.create_connection(place, 15) for _ in range(20)]
        for each in slow:
            each.sendall(b"\x0b" + message("9")[:60])
        with gateway.client() as client:
            for number in range(60):
                assert client.send(message(100 + number)).code == "AA"
                time.sleep(0.01)
        for each in silent:
            assert each.recv(1) == b""
        # The slow ones are told, because their MSH could be read, and then sent away.
        for each in slow:
            got = b""
            while piece := each.recv(4_096):
                got += piece
            assert not got or read_acknowledgement(got.strip(b"\x0b\x1c\r")).code == "AR"
        for each in (*silent, *slow):
            each.close()


def test_a_connection_too_many_is_turned_away(door: Door) -> None:
    with door.open(MYELOWATCH_GATEWAY__CONNECTIONS_A_PEER="2") as gateway:
        with gateway.client() as first, gateway.client() as second, gateway.client() as third:
            assert first.send(message(1)).code == "AA"
            assert second.send(message(2)).code == "AA"
            with pytest.raises(NoAnswer):
                third.send(message(3))
        time.sleep(0.2)
        with gateway.client() as again:
            assert again.send(message(3)).code == "AA"
