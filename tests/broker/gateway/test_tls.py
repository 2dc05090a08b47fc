"""Who may connect, and for whom they may speak: the matrix of the security plan (SEC-01), and nothing else listens."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import psutil

from streams.broker import LaptopKafka
from streams.gateway.mllp_client import MllpClient, NoAnswer
from tests.broker.gateway.certificates import Authority
from tests.broker.gateway.door import Door, message


def context(ca: Path, pair: tuple[Path, Path] | None = None, *, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=str(ca))
    if newest is not None:
        found.minimum_version = ssl.TLSVersion.TLSv1
        found.maximum_version = newest
        found.set_ciphers("ALL:@SECLEVEL=0")
    if pair is not None:
        found.load_cert_chain(*pair)
    return found


def test_the_matrix(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    ours, other = Authority(tmp_path / "ours", "ours"), Authority(tmp_path / "other", "other")
    server, lab = ours.issue("localhost"), ours.issue("lab.hospital")
    revoked = ours.issue("revoked.hospital")
    (tmp_path / "ward.yaml").write_text("senders: [{application: WARD, facility: HOSP}]\n", encoding="utf-8")
    (tmp_path / "bound.yaml").write_text("senders: [{application: LAB, facility: HOSP}]\n", encoding="utf-8")
    feeds = {
        "lab": {
            "timezone": "Asia/Seoul",
            "field_map": str(tmp_path / "bound.yaml"),
            "door": {"certificate_names": ["lab.hospital", "revoked.hospital"]},
        },
        "ward": {
            "timezone": "Asia/Seoul",
            "field_map": str(tmp_path / "ward.yaml"),
            "door": {"certificate_names": ["ward.hospital"]},
        },
    }
    door = Door(
        kafka,
        topic_prefix,
        tmp_path / "door",
        MYELOWATCH_FEEDS=json.dumps(feeds),
        MYELOWATCH_GATEWAY__TLS__CERTIFICATE_FILE=str(server[0]),
        MYELOWATCH_GATEWAY__TLS__KEY_FILE=str(server[1]),
        MYELOWATCH_GATEWAY__TLS__CLIENT_CA_FILE=str(ours.file),
        MYELOWATCH_GATEWAY__TLS__REVOKED_FILE=str(ours.revoke(revoked[0])),
    )
    rows: list[tuple[str, Callable[[], ssl.SSLContext | None]]] = [
        ("plaintext", lambda: None),
        ("TLS 1.0", lambda: context(ours.file, lab, newest=ssl.TLSVersion.TLSv1)),
        ("TLS 1.1", lambda: context(ours.file, lab, newest=ssl.TLSVersion.TLSv1_1)),
        ("no certificate", lambda: context(ours.file)),
        ("expired", lambda: context(ours.file, ours.issue("lab.expired", expired=True))),
        ("another authority", lambda: context(ours.file, other.issue("lab.hospital"))),
        ("revoked", lambda: context(ours.file, revoked)),
    ]
    with door.open() as gateway:
        for shows, make in rows:
            assert not is_answered(gateway.mllp, make()), shows
        assert door.kept() == [], "refused before a byte was read"
        with MllpClient("127.0.0.1", gateway.mllp, context=context(ours.file, lab)) as client:
            assert client.send(message(1)).code == "AA"
            answer = client.send(message(2, sender="WARD|HOSP"))
            assert answer.code == "AR", "the lab's certificate may not speak for the ward"
            assert "certificate" in answer.errors[0]
        with MllpClient("127.0.0.1", gateway.mllp, context=context(ours.file, ours.issue("other.hospital"))) as client:
            assert client.send(message(3)).code == "AR", "a good certificate with a name that is bound to no feed"
        assert [each.header("control_id") for each in door.kept()] == [b"C1"]

        assert ask(gateway.http, context(ours.file, lab)) == 202, "a certificate stands for a token"
        assert ask(gateway.http, context(ours.file)) == 401
        assert ask(gateway.http, context(ours.file, ours.issue("stranger.hospital"))) == 401


def is_answered(port: int, tls: ssl.SSLContext | None) -> bool:
    with MllpClient("127.0.0.1", port, seconds=10, context=tls) as client:
        try:
            client.send(message(1))
        except NoAnswer:
            return False
        return True


def ask(port: int, tls: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=10)
    try:
        connection.request(
            "POST", "/fhir", b'{"resourceType":"Patient","id":"1"}', {"content-type": "application/json"}
        )
        return connection.getresponse().status
    finally:
        connection.close()


def test_nothing_else_listens_and_only_on_loopback(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door")
    with door.open() as gateway:
        found = {
            (each.laddr.ip, each.laddr.port)
            for each in psutil.Process(gateway.process.pid).net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        }
        assert found == {("127.0.0.1", port) for port in (gateway.mllp, gateway.http, gateway.metrics)}


def test_without_tls_the_door_opens_on_loopback_only(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    from tests.broker.gateway.door import Gateway

    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_PORTS__HOST="0.0.0.0")
    gateway = Gateway(door.environment)
    assert gateway.process.wait(30) == 2
    gateway.kill()
    assert "without TLS" in gateway.output
