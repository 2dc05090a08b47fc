"""Samples published by others: nothing raises, nothing vanishes, and an independent count finds the same facts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.events import Fact, LabResultReported
from schemas.events.medicine import MedicineFact
from schemas.fhir import READERS, read_fhir
from schemas.reading import Reading
from schemas.rejection import IgnoreReason
from tests.schemas.feed import CONTEXT
from tests.schemas.independent_count import Row, count_resources, known_codes, plain, resources_of
from tests.schemas.smart_tables import read_table, smart_bundles

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SAMPLES = sorted((DATA / "fhir").glob("*/*.json"))
NEW_YORK = ZoneInfo("America/New_York")
AMERICAN = replace(CONTEXT, zone=NEW_YORK, identity="resource-id")

KNOWN = lru_cache(known_codes)

pytestmark = pytest.mark.skipif(
    not SAMPLES, reason="SAMPLES BY OTHERS ARE ABSENT: put the data folder at ../shared/data to run these"
)


def _rows(facts: list[Fact]) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for fact in facts:
        if not isinstance(fact, (LabResultReported, MedicineFact)):
            continue
        value = fact.value if isinstance(fact, LabResultReported) else fact.quantity
        text = fact.text if isinstance(fact, LabResultReported) else None
        unit = (fact.unit or "") if isinstance(fact, LabResultReported) else ""
        moment = fact.when.earliest.astimezone(NEW_YORK if fact.when.zone_assumed else UTC)
        who = "Patient/" + fact.fact_id.rpartition("@")[2]
        bound = (fact.comparator or "") if isinstance(fact, LabResultReported) else ""
        shown = bound + plain(Decimal(value)) if value is not None else text or ""
        found[who, fact.codes[0].code, shown, unit, f"{moment:%Y-%m-%d}"] += 1
    return found


def _facts_with_patient(reading: Reading) -> list[Fact]:
    """The patient rides on the fact id, for comparison only."""
    return [
        fact.model_copy(update={"fact_id": f"{fact.fact_id}@{entry.patient.id}"})
        for entry in reading.entries
        if entry.patient is not None
        for fact in entry.facts
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem[:30])
def test_every_known_result_and_medicine_of_a_sample_is_found(path: Path) -> None:
    raw = path.read_bytes()
    reading = read_fhir(raw, AMERICAN, "file")
    assert not reading.rejections
    counted = Counter(count_resources(resources_of(raw), KNOWN()))
    assert _rows(_facts_with_patient(reading)) == counted


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem[:30])
def test_every_resource_of_a_sample_is_a_fact_or_counted(path: Path) -> None:
    """Resources without a reader are unread by kind; of the others each gave facts, or one reason at least."""
    raw = path.read_bytes()
    reading = read_fhir(raw, AMERICAN, "file")
    resources = resources_of(raw)
    kinds = Counter(body["resourceType"] for body in resources)
    for kind, count in kinds.items():
        if kind not in READERS:
            assert reading.unread[f"resource {kind}"] == count
    read = sum(count for kind, count in kinds.items() if kind in READERS)
    facts = {fact.fact_id.partition("#")[0] for entry in reading.entries for fact in entry.facts}
    ignored = sum(ignored.count for ignored in reading.ignored)
    # A component that no rule knows is counted beside the facts of its Observation.
    components = sum(len(body.get("component", ())) for body in resources)
    assert read <= len(facts) + ignored <= read + components


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem[:30])
def test_every_unread_element_of_a_sample_is_counted(path: Path) -> None:
    reading = read_fhir(path.read_bytes(), AMERICAN, "file")
    always = {"resourceType", "id", "meta", "text", "extension", "contained", "language"}
    for body in resources_of(path.read_bytes()):
        kind = body["resourceType"]
        if kind in READERS:
            for element in body.keys() - always - READERS[kind].READS:
                assert reading.unread[f"{kind}.{element}"] >= 1


def test_smart_tables_every_known_result_and_refill_is_found() -> None:
    folder = DATA / "tables" / "smart"
    known = KNOWN()
    loinc = {code for system, code in known if system == "http://loinc.org"}
    rxnorm = {code for system, code in known if system.endswith("rxnorm")}
    expected: Counter[Row] = Counter()
    for row in read_table(folder, "labs"):
        if row["LOINC"] in loinc:
            expected[f"Patient/{row['PID']}", row["LOINC"], _shown(row["VALUE"]), row["UNITS"], row["DATE"]] += 1
    for row in read_table(folder, "refills"):
        if row["RXN"] in rxnorm:
            expected[f"Patient/{row['PID']}", row["RXN"], _shown(row["Q"]), "", row["DATE"]] += 1
    assert sum(expected.values()) > 1000
    found: Counter[Row] = Counter()
    doubts: Counter[str] = Counter()
    for _, raw in smart_bundles(folder):
        reading = read_fhir(raw, AMERICAN, "file")
        assert not reading.rejections
        found.update(_rows(_facts_with_patient(reading)))
        doubts.update(
            f"{fact.analyte} {fact.doubt} {fact.unit}"
            for entry in reading.entries
            for fact in entry.facts
            if isinstance(fact, LabResultReported) and fact.doubt is not None
        )
    assert found == expected
    # Every unit of these tables is known and every value plausible: there is no difference to explain.
    assert not doubts


def _shown(text: str) -> str:
    try:
        return plain(Decimal(text))
    except ArithmeticError:
        return text


def test_the_clinical_drugs_of_the_refills_are_not_known_and_are_counted() -> None:
    """They are coded as products; only the products of lenalidomide are listed (clinical reference 7.3)."""
    folder = DATA / "tables" / "smart"
    reasons: Counter[IgnoreReason] = Counter()
    for _, raw in smart_bundles(folder):
        for ignored in read_fhir(raw, AMERICAN, "file").ignored:
            if ignored.what.startswith("MedicationDispense"):
                reasons[ignored.reason] += ignored.count
    assert reasons == {IgnoreReason.UNKNOWN_CODE: len(read_table(folder, "refills"))}


def test_an_independent_library_reads_the_same_values() -> None:
    """fhir.resources (R4B) parses each Observation of the samples: value, unit and time are equal."""
    library = pytest.importorskip("fhir.resources.R4B.observation")
    compared = 0
    for path in SAMPLES:
        facts = {
            fact.fact_id.split("|")[2].partition("#")[0]: fact
            for entry in read_fhir(path.read_bytes(), AMERICAN, "file").entries
            for fact in entry.facts
            if isinstance(fact, LabResultReported) and "#" not in fact.fact_id
        }
        for body in resources_of(path.read_bytes()):
            fact = facts.get(body.get("id", ""))
            if body["resourceType"] != "Observation" or fact is None or "valueQuantity" not in body:
                continue
            parsed = library.Observation.model_validate_json(json.dumps(body, default=float))
            quantity = parsed.valueQuantity
            assert float(quantity.value) == pytest.approx(float(fact.value or 0), rel=1e-12)
            assert fact.unit in (quantity.unit, quantity.code)
            moment = parsed.effectiveDateTime
            if hasattr(moment, "tzinfo") and moment.tzinfo is not None:
                assert moment == fact.when.earliest
            compared += 1
    assert compared > 80
