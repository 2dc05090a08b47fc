"""Every HL7 v2 sample by others is read without an exception: message type by answer by outcome."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from schemas.events import LabResultReported
from schemas.hl7v2 import FeedMap, code_of, peek, read_message, verdict_of
from schemas.hl7v2.types import EVENTS
from schemas.reading import Outcome
from tests.schemas.feed import CONTEXT, NO_ZONE, facts

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "hl7v2"
SAMPLES: Final = sorted(DATA.rglob("*.hl7"))
ANYTHING: Final = FeedMap(processing_ids=("P", "T", "D"))

pytestmark = pytest.mark.skipif(
    not SAMPLES, reason="SAMPLES BY OTHERS ARE ABSENT: put the data folder at ../shared/data to run these"
)

TABLE: Final = {
    ("ADT^A01", "AA", "translated"): 25,
    ("ADT^A01", "AE", "rejected"): 2,
    ("ADT^A02", "AA", "translated"): 1,
    ("ADT^A03", "AA", "partly"): 1,
    ("ADT^A03", "AA", "translated"): 2,
    ("ADT^A04", "AA", "translated"): 4,
    ("ADT^A04", "AE", "rejected"): 1,
    ("ADT^A06", "AA", "translated"): 1,
    ("ADT^A08", "AA", "translated"): 6,
    ("ADT^A09", "AA", "translated"): 1,
    ("ADT^A11", "AA", "translated"): 2,
    ("ADT^A12", "AA", "translated"): 1,
    ("ADT^A15", "AR", "rejected"): 1,
    ("ADT^A16", "AR", "rejected"): 1,
    ("ADT^A17", "AR", "rejected"): 1,
    ("ADT^A18", "AR", "rejected"): 2,
    ("ADT^A20", "AR", "rejected"): 1,
    ("ADT^A21", "AR", "rejected"): 1,
    ("ADT^A24", "AR", "rejected"): 2,
    ("ADT^A30", "AR", "rejected"): 1,
    ("ADT^A31", "AA", "translated"): 2,
    ("ADT^A34", "AR", "rejected"): 1,
    ("ADT^A37", "AA", "translated"): 1,
    ("ADT^A38", "AR", "rejected"): 1,
    ("ADT^A39", "AR", "rejected"): 1,
    ("ADT^A40", "AA", "translated"): 1,
    ("ADT^A40", "CA", "translated"): 1,
    ("ADT^A43", "AR", "rejected"): 2,
    ("ADT^A45", "AR", "rejected"): 1,
    ("ADT^A50", "AR", "rejected"): 1,
    ("ADT^A54", "AR", "rejected"): 1,
    ("ADT^A60", "AA", "translated"): 1,
    ("ADT^A61", "AR", "rejected"): 1,
    ("OMP^O09", "AA", "translated"): 1,
    ("ORM^O01", "AA", "translated"): 7,
    ("ORU^R01", "AA", "ignored"): 9,
    ("ORU^R01", "AA", "translated"): 4,
    ("ORU^R01", "AE", "rejected"): 1,
    ("ORU^R01", "CR", "rejected"): 1,
    ("ORU^R30", "AA", "translated"): 1,
    ("PPR^PC1", "AA", "translated"): 1,
    ("RAS^O17", "AA", "translated"): 1,
    ("RDE^O11", "AA", "translated"): 2,
    ("RDS^O13", "AA", "translated"): 2,
    ("VXU^V04", "AA", "translated"): 1,
    ("VXU^V04", "AR", "rejected"): 3,
    ("other", "AR", "rejected"): 75,
}
"""(type, answer, outcome) to the number of samples."""

BROKEN: Final = {
    "conformance/adt-missing-required.hl7": ("AE", 101),
    "conformance/adt-cardinality.hl7": ("AE", 102),
    "conformance/adt-value-not-in-set.hl7": ("AA", 103),
    "edge-cases/empty-fields.hl7": ("AE", 101),
    "edge-cases/decoded-br.hl7": ("AE", 101),
}
"""The samples that are broken on purpose, with the answer their names call for; 103 is a warning beside AA."""


def test_every_sample_is_read() -> None:
    found: Counter[tuple[str, str, str]] = Counter()
    for path in SAMPLES:
        raw = path.read_bytes()
        head, reading = peek(raw), read_message(raw, CONTEXT)
        kind = head.message_type if head.code in EVENTS else "other"
        found[kind, code_of(head, verdict_of(head.faults)).value, reading.outcome.value] += 1
        assert (reading.outcome is Outcome.REJECTED) == bool(head.faults), path.name
        assert reading.entries or reading.rejections or reading.ignored, "nothing vanishes"
    assert found == TABLE


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_broken_on_purpose_gets_the_answer_its_name_calls_for(name: str) -> None:
    head = peek((DATA / "cosyte" / name).read_bytes())
    told = head.faults or head.warnings
    assert (code_of(head, verdict_of(head.faults)).value, [int(fault.code) for fault in told]) == (
        BROKEN[name][0],
        [BROKEN[name][1]],
    )


def test_no_other_sample_of_that_publisher_is_found_broken() -> None:
    for path in sorted((DATA / "cosyte").rglob("*.hl7")):
        name = path.relative_to(DATA / "cosyte").as_posix()
        if name not in BROKEN:
            head = peek(path.read_bytes(), ANYTHING)
            assert all(fault.is_reject for fault in head.faults), name
            assert head.warnings == (), name


def test_results_of_the_samples() -> None:
    found = [
        (fact.analyte, str(fact.value), fact.unit)
        for path in SAMPLES
        for fact in facts(read_message(path.read_bytes(), CONTEXT, ANYTHING))
        if isinstance(fact, LabResultReported)
    ]
    assert found == [("haemoglobin", "14.2", "g/dL"), ("wbc", "7.5", "10*3/uL")]


def test_without_a_zone_no_sample_gives_a_time_that_was_guessed() -> None:
    for path in SAMPLES:
        reading = read_message(path.read_bytes(), NO_ZONE, ANYTHING)
        assert all(not fact.when.zone_assumed for fact in facts(reading)), path.name
