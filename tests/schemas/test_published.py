"""What is published is what the code says now, and its examples mean the same in every dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from schemas.alerts import Transition
from schemas.events import Fact
from schemas.fhir import READERS
from schemas.inlet import EVENT_TYPES, event_type_of
from schemas.published.examples import EXAMPLES, Example
from schemas.published.generate import build_all, main, stale_files
from schemas.rejection import Rejection, RejectionReason
from schemas.values import Source
from tests.schemas.feed import event, fhir, only

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "schemas" / "published"


def test_published_files_are_current() -> None:
    assert stale_files(ROOT) == [], "run `python -m schemas.published.generate`"
    assert main(["--check"]) == 0


def test_no_published_file_is_left_over() -> None:
    built = {Path(path).name for path in build_all()}
    lying = {path.name for path in PUBLISHED.iterdir() if path.suffix in {".json", ".yaml"}}
    assert lying <= built


def _schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", [*EVENT_TYPES, "alert.transition.v1", "rejection.v1"])
def test_each_schema_is_a_schema(name: str) -> None:
    schema = _schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:myelowatch:schema:{name}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title[:30])
def test_each_example_event_fits_its_schema(example: Example) -> None:
    data = json.loads(example.event.model_dump_json(exclude_none=True))
    jsonschema.validate(data, _schema(event_type_of(example.event)), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title[:30])
def test_each_example_gives_the_same_fact_in_both_dialects(example: Example) -> None:
    as_resource, as_event = only(fhir(example.fhir)), only(event(example.event))
    own = {"fact_id", "source", "versioned_at"}

    def compared(fact: Fact) -> dict[str, Any]:
        return {
            name: value for name, value in fact.model_dump(mode="json").items() if name not in own and value is not None
        }

    assert compared(as_resource) == compared(as_event)
    assert as_resource.origin_key == as_event.origin_key


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title[:30])
def test_an_example_leaves_nothing_unread(example: Example) -> None:
    assert fhir(example.fhir).unread == {}


def test_every_reader_is_on_the_page() -> None:
    page = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    for kind in READERS.keys() - {"MedicationUsage"}:
        assert f": {kind}\n" in page, kind
    for name in EVENT_TYPES:
        assert f"`{name}`" in page


def test_a_transition_and_a_rejection_fit_their_schemas() -> None:
    reading = fhir({})
    (rejection,) = reading.rejections
    jsonschema.validate(json.loads(rejection.to_json()), _schema("rejection.v1"))
    full = Rejection(
        reason=RejectionReason.NO_PATIENT, detail="x", source=Source(feed="f", message="m"), original_offset=3
    )
    jsonschema.validate(json.loads(full.to_json()), _schema("rejection.v1"))
    assert set(_schema("alert.transition.v1")["properties"]) == set(Transition.model_fields)


def test_asyncapi_names_every_inlet_and_what_we_send() -> None:
    document = yaml.safe_load((PUBLISHED / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.1.0"
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {
        "{prefix}.lab.result.v1",
        "{prefix}.pharmacy.dispense.v1",
        "{prefix}.patient.fact.v1",
        "{prefix}.alert.lifecycle.v1",
        "{prefix}.alert.shadow.v1",
        "{prefix}.intake.rejected.v1",
    }
    for message in document["components"]["messages"].values():
        assert (PUBLISHED / message["payload"]["$ref"]).is_file()
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].split("/")[-1] in document["channels"]


def test_the_code_system_holds_every_statement_once() -> None:
    system = json.loads((PUBLISHED / "codesystem.json").read_text(encoding="utf-8"))
    codes = [concept["code"] for concept in system["concept"]]
    assert len(codes) == len(set(codes)) == system["count"]
    assert {"planned-cycle-day-1", "dvt", "platelet-transfusion"} <= set(codes)


def test_a_message_of_the_wrong_type_fails_the_schema_as_it_fails_the_reader() -> None:
    validator = jsonschema.Draft202012Validator(_schema("org.myelowatch.lab.result.v1"))
    good = json.loads(EXAMPLES[1].event.model_dump_json(exclude_none=True))
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "units": "x"})
    assert not validator.is_valid({**good, "results": []})
