"""Whatever comes in, the readers answer a reading: they never raise, and never repeat what was in the message."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import Entry
from schemas.fhir import read_fhir
from schemas.inlet import event_type_of, read_event
from schemas.published.examples import EXAMPLES
from schemas.reading import Reading
from tests.schemas.feed import CONTEXT, NO_ZONE, RECEIVED, dump, observation

CANARY = "Kim Minji 550714-2345678"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: Decimal(str(number)))
    | st.text(max_size=12)
    | st.sampled_from([CANARY, "", " ", "0", "final", "2026-03-02", "Patient/p", "#m", "urn:uuid:x", "<0.1", "1e5"])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def paths_in(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(node, dict):
        for key, value in node.items():
            found += paths_in(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += paths_in(value, (*path, index))
    return found


def changed(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    copied = copy.deepcopy(node)
    target = copied
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return copied


@st.composite
def damaged(draw: st.DrawFn, bodies: list[Any]) -> Any:
    """A good message with one to three elements replaced by anything."""
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 3))):
        paths = paths_in(body)
        if not paths:
            break
        body = changed(body, draw(st.sampled_from(paths)), draw(json_values))
    return body


RESOURCES: list[Any] = [example.fhir for example in EXAMPLES]
RESOURCES += [
    observation(
        component=[
            {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 1}}
        ],
        referenceRange=[{"low": {"value": 1}, "text": "1-2"}],
        note=[{"text": "x"}],
    ),
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": "2026-03-02T00:00:00Z",
        "entry": [{"fullUrl": f"urn:uuid:{index}", "resource": example.fhir} for index, example in enumerate(EXAMPLES)],
    },
]
EVENTS: list[Any] = [
    {
        "specversion": "1.0",
        "id": "e",
        "source": "s",
        "type": event_type_of(example.event),
        "data": json.loads(example.event.model_dump_json(exclude_none=True)),
    }
    for example in EXAMPLES
]


def assert_sound(reading: Reading) -> None:
    """What is said about a message quotes nothing of it, and what goes on survives the wire."""
    for rejection in reading.rejections:
        assert CANARY not in f"{rejection.detail} {rejection.part}"
    assert CANARY not in " ".join(ignored.what for ignored in reading.ignored)
    assert CANARY not in " ".join(reading.unread)
    for entry in reading.entries:
        assert Entry.model_validate_json(entry.to_json()) == entry


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    assert_sound(read_fhir(raw, CONTEXT))
    assert_sound(read_event(raw, None, CONTEXT))


@given(json_values)
def test_any_json(value: Any) -> None:
    assert_sound(read_fhir(dump(value), CONTEXT, "file"))
    assert_sound(
        read_event(dump(value), {"ce_type": "org.myelowatch.lab.result.v1", "ce_id": "1", "ce_source": "s"}, CONTEXT)
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(damaged(RESOURCES), st.sampled_from(["live", "file"]), st.sampled_from([CONTEXT, NO_ZONE, RECEIVED]))
def test_a_damaged_resource(body: Any, mode: Any, context: Any) -> None:
    assert_sound(read_fhir(dump(body), context, mode))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(damaged(EVENTS), st.sampled_from(["live", "file"]), st.sampled_from([CONTEXT, NO_ZONE, RECEIVED]))
def test_a_damaged_event(body: Any, mode: Any, context: Any) -> None:
    assert_sound(read_event(dump(body), None, context, mode))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(RESOURCES) - 1), st.data())
def test_a_cut_message(index: int, data: st.DataObject) -> None:
    raw = dump(RESOURCES[index])
    assert_sound(read_fhir(raw[: data.draw(st.integers(0, len(raw)))], CONTEXT))


@pytest.mark.parametrize("element", ["status", "code", "valueQuantity", "effectiveDateTime", "id", "specimen", "note"])
def test_a_name_planted_in_any_element_is_never_repeated(element: str) -> None:
    for value in (CANARY, {"text": CANARY}, [{"text": CANARY}], {"coding": [{"system": CANARY, "code": CANARY}]}):
        assert_sound(read_fhir(dump(observation(**{element: value})), CONTEXT))


def test_a_name_as_the_name_of_an_element_is_never_repeated() -> None:
    assert_sound(read_fhir(dump({**observation(), CANARY: 1, "extension": [{"url": CANARY}]}), CONTEXT))


def test_very_long_texts_are_cut_or_refused() -> None:
    long = "9" * 200_000
    for changes in (
        {"valueQuantity": ..., "valueString": long},
        {"id": long},
        {"note": [{"text": "no " * 50_000}]},
        {"valueQuantity": {"value": 1, "unit": long, "code": long}},
        {"specimen": {"reference": long}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": long}]}},
    ):
        reading = read_fhir(
            dump(observation("777-3", **changes) if "code" not in changes else {**observation(), **changes}), CONTEXT
        )
        assert sum(len(entry.to_json()) for entry in reading.entries) < 4_000
