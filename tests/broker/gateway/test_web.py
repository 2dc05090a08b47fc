"""The web intake through a real socket: who may, what is read, and what is kept before it is answered."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.inlet.writing import write_structured
from schemas.published.examples import EVENT_TIME, EXAMPLES
from streams.broker import LaptopKafka
from tests.broker.gateway.door import TOKEN, Door, Gateway

FHIR = "application/fhir+json"
PATIENT = {"resourceType": "Patient", "id": "P1", "identifier": [{"system": "urn:hosp", "value": "P1"}]}


def observation(number: int = 1, value: float = 5.5) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"O{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"identifier": {"system": "urn:hosp", "value": "P1"}},
        "effectiveDateTime": "2026-03-01T11:00:00+09:00",
        "valueQuantity": {"value": value, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
    }


def bundle(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": each, "request": {"method": "POST", "url": each["resourceType"]}} for each in resources]
    return {"resourceType": "Bundle", "type": kind, "timestamp": "2026-03-01T12:00:00+09:00", "entry": entries}


def ask(
    gateway: Gateway,
    path: str,
    body: Any,
    *,
    method: str = "POST",
    kind: str | None = FHIR,
    token: str | None = TOKEN,
    **headers: str,
) -> tuple[int, dict[str, Any], http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.http, timeout=20)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind is not None:
        sent["content-type"] = kind
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, raw, sent)
    response = connection.getresponse()
    told = response.read()
    connection.close()
    return response.status, json.loads(told) if told else {}, response


@pytest.fixture
def opened(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Iterator[tuple[Door, Gateway]]:
    door = Door(kafka, topic_prefix, tmp_path / "door")
    with door.open() as gateway:
        yield door, gateway


def test_fhir_of_every_form_is_kept_under_its_patient(opened: tuple[Door, Gateway]) -> None:
    door, gateway = opened
    bodies = [
        PATIENT,
        observation(),
        *(bundle(kind, PATIENT, observation()) for kind in ("transaction", "batch", "collection")),
    ]
    bodies.append(bundle("message", {"resourceType": "MessageHeader", "id": "M1"}, PATIENT, observation()))
    for body in bodies:
        status, told, response = ask(gateway, "/fhir", body)
        assert (status, told["resourceType"]) == (202, "OperationOutcome"), told
        assert response.getheader("cache-control") == "no-store"
    assert ask(gateway, "/fhir/Observation", observation(2))[0] == 202
    assert ask(gateway, "/fhir/Observation/O2", observation(2), method="PUT")[0] == 202
    kept = door.kept()
    assert len(kept) == len(bodies) + 2
    assert len({each.key for each in kept}) == 1
    assert {each.header("protocol") for each in kept} == {b"fhir"}


def test_events_in_both_modes(opened: tuple[Door, Gateway]) -> None:
    door, gateway = opened
    raw = write_structured(EXAMPLES[0].event, event_id="e1", source="/site/x/feed/fhir", time=EVENT_TIME)
    event = json.loads(raw)
    status, told, _ = ask(gateway, "/events", event, kind="application/cloudevents+json")
    assert status == 202, told
    attributes = {f"ce-{name}": str(value) for name, value in event.items() if name not in ("data", "datacontenttype")}
    status, told, _ = ask(gateway, "/events", event["data"], kind="application/json", **attributes)
    assert status == 202, told
    structured, binary = door.kept()
    assert structured.key == binary.key
    assert {structured.header("ce_type"), binary.header("ce_type")} == {None, event["type"].encode()}


REFUSALS: list[tuple[str, Any, dict[str, Any], int]] = [
    ("no token", PATIENT, {"token": None}, 401),
    ("a wrong token", PATIENT, {"token": "guessed"}, 401),
    ("a feed the token is not for", PATIENT, {"path": "/fhir?feed=lab"}, 403),
    ("XML", b"<Patient/>", {"kind": "application/fhir+xml"}, 415),
    ("no content type", PATIENT, {"kind": None}, 415),
    ("packed", PATIENT, {"content_encoding": "gzip"}, 415),
    ("another character set", PATIENT, {"kind": "application/fhir+json; charset=euc-kr"}, 415),
    ("not JSON", b"{", {}, 400),
    ("the same key twice", b'{"resourceType":"Patient","resourceType":"Patient"}', {}, 400),
    ("a number without end", b'{"resourceType":"Observation","x":1e999}', {}, 400),
    ("NaN", b'{"resourceType":"Observation","x":NaN}', {}, 400),
    ("too deep", b'{"a":' * 100 + b"1" + b"}" * 100, {}, 400),
    ("very deep", b"[" * 100_000, {}, 400),
    ("no resource", {"a": 1}, {}, 422),
    ("nobody's result", {"resourceType": "Observation", "status": "final"}, {}, 422),
    ("a long key", PATIENT, {"idempotency_key": "x" * 200}, 400),
    ("too large", b" " * 5_000_000, {}, 413),
    ("no such page", PATIENT, {"path": "/nothing"}, 404),
    ("no such method", PATIENT, {"method": "DELETE"}, 405),
]  # fmt: skip


def test_refusals(opened: tuple[Door, Gateway]) -> None:
    """One sentence, in the form the client speaks, and nothing of what was sent in it; the next request is fine."""
    _, gateway = opened
    for shows, body, headers, status in REFUSALS:
        given = dict(headers)
        found, told, response = ask(gateway, given.pop("path", "/fhir"), body, **given)
        assert found == status, shows
        if (response.getheader("content-type") or "").startswith("application/fhir"):
            assert told["issue"][0]["diagnostics"], shows
        else:
            assert told["status"] == status, shows
        assert ask(gateway, "/fhir", PATIENT)[0] == 202, shows


def test_who_asks_is_settled_before_the_body_is_read(opened: tuple[Door, Gateway]) -> None:
    """The answer comes while the body is still to come."""
    _, gateway = opened
    connection = http.client.HTTPConnection("127.0.0.1", gateway.http, timeout=5)
    connection.putrequest("POST", "/fhir")
    connection.putheader("content-type", FHIR)
    connection.putheader("content-length", "1000000")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_idempotency_key(opened: tuple[Door, Gateway]) -> None:
    """The same key and body: the same answer and kept once; another body: 422; without a key, kept again."""
    door, gateway = opened
    first = ask(gateway, "/fhir", observation(), Idempotency_Key="k1")
    assert ask(gateway, "/fhir", observation(), Idempotency_Key="k1")[:2] == first[:2]
    assert len(door.kept()) == 1
    status, told, _ = ask(gateway, "/fhir", observation(value=0.4), Idempotency_Key="k1")
    assert (status, told["issue"][0]["code"]) == (422, "duplicate")
    for _ in range(2):
        assert ask(gateway, "/fhir", observation())[0] == 202
    assert sum(door.accepted().values()) == 3


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(opened: tuple[Door, Gateway]) -> None:
    _, gateway = opened
    nobody = {key: value for key, value in observation(2).items() if key != "subject"}
    status, told, _ = ask(gateway, "/fhir", bundle("batch", PATIENT, observation(), nobody))
    assert status == 202
    assert [each["severity"] for each in told["issue"]] == ["information", "warning"]
    assert "no-patient" in told["issue"][1]["diagnostics"]
    assert told["issue"][1]["expression"] == ["entry[2] Observation"]


def test_a_gap_in_a_subscription_is_said(opened: tuple[Door, Gateway]) -> None:
    """Event 3 never came: an error in the log, with the feed and the count, at once and after a restart."""
    door, gateway = opened

    def notification(*numbers: int) -> dict[str, Any]:
        status = {
            "resourceType": "SubscriptionStatus",
            "status": "active",
            "type": "event-notification",
            "subscription": {"reference": "Subscription/S1"},
            "eventsSinceSubscriptionStart": str(numbers[-1]),
            "notificationEvent": [{"eventNumber": str(number)} for number in numbers],
        }
        return {
            "resourceType": "Bundle",
            "type": "subscription-notification",
            "entry": [{"resource": status}, {"resource": observation(numbers[-1])}],
        }

    for numbers in ((1,), (2,)):
        assert ask(gateway, "/fhir", notification(*numbers))[0] == 202
    assert "events of a subscription never came" not in gateway.output
    assert ask(gateway, "/fhir", notification(4))[0] == 202
    time.sleep(0.2)
    assert gateway.output.count("events of a subscription never came") == 1
    gateway.terminate()
    with door.open() as again:
        assert ask(again, "/fhir", notification(5))[0] == 202
        assert ask(again, "/fhir", notification(8))[0] == 202
        time.sleep(0.2)
        (line,) = [each for each in again.output.splitlines() if "never came" in each]
        assert json.loads(line)["count"] == 2


def test_the_openapi_document(opened: tuple[Door, Gateway]) -> None:
    _, gateway = opened
    status, document, _ = ask(gateway, "/openapi.json", b"", method="GET", token=None)
    assert status == 200
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/fhir", "/fhir/{kind}", "/fhir/{kind}/{number}", "/events"}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_too_many_requests_a_second(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_GATEWAY__REQUESTS_A_SECOND="3")
    with door.open() as gateway:
        found = [ask(gateway, "/fhir", PATIENT)[0] for _ in range(12)]
    assert 429 in found
    assert found.count(202) >= 3


def test_broker_away_means_503_and_the_key_makes_the_repeat_harmless(tmp_path: Path) -> None:
    with LaptopKafka(tmp_path / "broker", die_with_parent=True) as own:
        door = Door(own, "w", tmp_path / "door", MYELOWATCH_GATEWAY__ANSWER_WITHIN_SECONDS="1")
        with door.open() as gateway:
            assert ask(gateway, "/fhir", observation(), Idempotency_Key="k0")[0] == 202
            own.pause()
            status, told, response = ask(gateway, "/fhir", observation(), Idempotency_Key="k1")
            assert (status, told["issue"][0]["code"]) == (503, "transient")
            assert response.getheader("retry-after")
            own.resume()
            deadline = time.monotonic() + 30
            while ask(gateway, "/fhir", observation(), Idempotency_Key="k1")[0] != 202:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        assert door.accepted() == {"k0": 1, "k1": 1}
