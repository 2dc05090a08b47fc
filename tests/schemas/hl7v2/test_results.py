"""OBX with OBR and SPM: values, units, ranges, status, times, identity; one row a fact of the standard or of a trap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.events import FactStatus
from schemas.hl7v2 import FeedMap, read_feed_map
from schemas.values import Precision
from tests.schemas.feed import CONTEXT, facts
from tests.schemas.hl7v2.writing import obr, obx, one, read, reasons, segment

COMMA = replace(CONTEXT, decimal_comma=True)


@pytest.mark.parametrize(
    ("shows", "fields", "value", "comparator", "normalised", "doubt"),
    [
        ("a number", {"_5": "0.9"}, "0.9", None, "900", None),
        ("all digits are kept", {"_5": "0.90"}, "0.90", None, "900", None),
        ("a bound in NM", {"_5": "<0.1"}, "0.1", "<", "100", None),
        ("a structured number", {"_2": "SN", "_5": "^0.9"}, "0.9", None, "900", None),
        ("a structured bound", {"_2": "SN", "_5": "<^0.1"}, "0.1", "<", "100", None),
        ("a structured bound with equality", {"_2": "SN", "_5": ">=^0.1"}, "0.1", ">=", "100", None),
        ("an equals sign says nothing", {"_2": "SN", "_5": "=^0.9"}, "0.9", None, "900", None),
        ("not equal is no number", {"_2": "SN", "_5": "<>^0.9"}, None, None, None, "not-a-number"),
        ("a range is no number", {"_2": "SN", "_5": "^0.5^-^0.9"}, None, None, None, "not-a-number"),
        ("a ratio is no number", {"_2": "SN", "_5": "^1^:^128"}, None, None, None, "not-a-number"),
        ("two numbers are none", {"_5": "0.9~1.1"}, None, None, None, "not-a-number"),
        ("a number as text", {"_2": "ST", "_5": "0.9"}, "0.9", None, "900", None),
        ("words", {"_2": "TX", "_5": "see comment"}, None, None, None, "not-a-number"),
        ("no type, a number", {"_2": "", "_5": "0.9"}, "0.9", None, "900", None),
        ("a type that no result has", {"_2": "ED", "_5": "^AP^PDF^Base64^AAAA"}, None, None, None, "not-a-number"),
        ("a comma that could be either", {"_5": "1,200"}, None, None, None, "not-a-number"),
        ("no unit", {"_6": ""}, "0.9", None, None, "unit-missing"),
        ("a unit nobody lists", {"_6": "furlong"}, "0.9", None, None, "unit-unknown"),
        ("a unit with its escape", {"_6": "10\\S\\3/uL"}, "0.9", None, "900", None),
        ("a unit split by its own caret", {"_6": "10^3/uL"}, "0.9", None, None, "unit-unknown"),
        ("a unit with text and system", {"_6": "10*3/uL^thousand per microlitre^UCUM"}, "0.9", None, "900", None),
        ("kelvin to a unit engine", {"_6": "K/uL"}, "0.9", None, "900", None),
        ("nothing", {"_5": ""}, None, None, None, "absent"),
        ("the null of two quotes", {"_5": '""'}, None, None, None, "absent"),
        ("implausible", {"_5": "900000"}, "900000", None, None, "implausible"),
        ("a foreign system", {"_3": "751-8^ANC^L"}, None, None, None, "code-system"),
    ],
)
def test_values(
    shows: str, fields: dict[str, str], value: str | None, comparator: str | None, normalised: str | None, doubt: Any
) -> None:
    fact = one(read(obr(), obx(**fields)))
    assert (fact.value, fact.comparator, fact.doubt) == (Decimal(value) if value else None, comparator, doubt), shows
    assert fact.normalised == (Decimal(normalised) if normalised else None)
    assert str(fact.value) == str(value)


def test_a_feed_with_decimal_commas() -> None:
    fact = one(read(obr(), obx(_5="0,9", _7="1,5-8,0"), context=COMMA))
    assert (fact.value, fact.normalised, fact.range.low) == (Decimal("0.9"), Decimal(900), Decimal(1500))
    assert one(read(obr(), obx(_5="1.200"), context=COMMA)).doubt == "not-a-number"


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("1.5-8.0", "1500", "8000"),
        ("1.5 - 8.0", "1500", "8000"),
        ("<8.0", None, "8000"),
        (">1.5", "1500", None),
        (">=1.5", "1500", None),
        ("1.5 to 8.0", None, None),
        ("normal", None, None),
        ("", None, None),
    ],
)
def test_ranges(printed: str, low: str | None, high: str | None) -> None:
    fact = one(read(obr(), obx(_7=printed)))
    found = (fact.range.low, fact.range.high) if fact.range is not None else (None, None)
    assert found == (Decimal(low) if low else None, Decimal(high) if high else None)


@pytest.mark.parametrize(
    ("own", "report", "status"),
    [
        ("F", "P", FactStatus.FINAL),
        ("P", "F", FactStatus.PRELIMINARY),
        ("C", "", FactStatus.CORRECTED),
        ("A", "", FactStatus.CORRECTED),
        ("B", "", FactStatus.CORRECTED),
        ("V", "", FactStatus.FINAL),
        ("U", "", FactStatus.FINAL),
        ("R", "", FactStatus.PRELIMINARY),
        ("S", "", FactStatus.PRELIMINARY),
        ("D", "F", FactStatus.WITHDRAWN),
        ("W", "F", FactStatus.WITHDRAWN),
        ("X", "F", FactStatus.WITHDRAWN),
        ("", "F", FactStatus.FINAL),
        ("", "C", FactStatus.CORRECTED),
        ("", "P", FactStatus.PRELIMINARY),
        ("", "A", FactStatus.PRELIMINARY),
        ("", "X", FactStatus.WITHDRAWN),
        ("Q", "F", FactStatus.PRELIMINARY),
        ("", "", FactStatus.PRELIMINARY),
    ],
)
def test_status(own: str, report: str, status: FactStatus) -> None:
    assert one(read(obr(_25=report), obx(_11=own))).status is status


@pytest.mark.parametrize(("own", "report"), [("I", "F"), ("N", ""), ("O", ""), ("", "I"), ("", "O"), ("", "S")])
def test_what_is_no_result_yet(own: str, report: str) -> None:
    reading = read(obr(_25=report), obx(_11=own))
    assert facts(reading) == []
    assert [each.reason.value for each in reading.ignored] == ["result-absent"]


def test_a_site_may_vouch_for_results_without_a_status() -> None:
    reading = read(obr(_25=""), obx(_11=""), feed_map=FeedMap(blank_status="final"))
    assert one(reading).status is FactStatus.FINAL
    assert reading.unread == {"OBX-11 and OBR-25, both empty": 1}


def test_final_without_its_value_is_asked_for() -> None:
    assert reasons(read(obr(), obx(_5="", _11="U"))) == [("value-missing", "OBX[1]")]


def test_a_withdrawal_needs_no_value() -> None:
    fact = one(read(obr(), obx(_5="", _11="D")))
    assert (fact.status, fact.value, fact.doubt) == (FactStatus.WITHDRAWN, None, None)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("shows", "order", "own", "specimen", "earliest", "latest", "from_issue"),
    [
        ("OBX-14 first", {}, {"_14": "20260302080000"}, "", utc(2026, 3, 1, 23), utc(2026, 3, 1, 23), False),
        ("then OBR-7", {}, {}, "20260302070000", utc(2026, 3, 1, 23, 15), utc(2026, 3, 1, 23, 15, 59), False),
        ("then SPM-17", {"_7": ""}, {}, "20260302070000", utc(2026, 3, 1, 22), utc(2026, 3, 1, 22), False),
        ("then OBR-22, flagged", {"_7": ""}, {}, "", utc(2026, 3, 2, 1, 40), utc(2026, 3, 2, 1, 40), True),
        ("then MSH-7, flagged", {"_7": "", "_22": ""}, {}, "", utc(2026, 3, 2, 2), utc(2026, 3, 2, 2), True),
        ("a day", {"_7": "20260302"}, {}, "", utc(2026, 3, 1, 15), utc(2026, 3, 2, 14, 59, 59), False),
        ("an hour", {"_7": "2026030208"}, {}, "", utc(2026, 3, 1, 23), utc(2026, 3, 1, 23, 59, 59), False),
        ("a zone of its own", {"_7": "20260302080000+0000"}, {}, "", utc(2026, 3, 2, 8), utc(2026, 3, 2, 8), False),
    ],
)
def test_clinical_time(
    shows: str,
    order: dict[str, str],
    own: dict[str, str],
    specimen: str,
    earliest: datetime,
    latest: datetime,
    from_issue: bool,
) -> None:
    spm = [segment("SPM", _1="1", _2="^S-1", _17=specimen)] if specimen else []
    fact = one(read(obr(**order), obx(**own), *spm))
    assert (fact.when.earliest, fact.when.latest, fact.when.from_issue) == (earliest, latest, from_issue), shows


def test_a_range_of_collection_begins_at_its_beginning() -> None:
    fact = one(read(obr(_7=""), obx(), "SPM|1|^S-1|||||||||||||||20260302070000^20260302073000"))
    assert fact.when.earliest == utc(2026, 3, 1, 22)


def test_the_degree_of_precision_of_older_versions() -> None:
    fact = one(read(obr(_7="20260302000000^D"), obx(), _12="2.3"))
    assert fact.when.precision is Precision.DAY


@pytest.mark.parametrize(
    "text", ["20261302", "2026-03-02", "20260302T0815", "yesterday", "20260302081500+9900", "2026030"]
)
def test_a_time_that_is_none_rejects_its_results_and_says_where(text: str) -> None:
    reading = read(obr(), obx(_14=text), obx(_1="2", _3="777-3^PLT^LN", _5="150"))
    assert reasons(reading) == [("time-unreadable", "OBX[1]")]
    assert len(facts(reading)) == 1
    assert text not in reading.rejections[0].detail


def test_a_time_of_the_order_that_is_none_rejects_the_order() -> None:
    reading = read(obr(_7="20261302"), obx(), obx())
    assert reasons(reading) == [("time-unreadable", "OBR[1]")]


# --- identity


def ids(*segments: str, **head: str) -> list[str]:
    return [fact.fact_id for fact in facts(read(*segments, **head))]


def test_a_correction_has_the_name_of_what_it_corrects() -> None:
    first = read(obr(), obx(), _10="C-1")
    second = read(obr(_22="20260302130000", _25="C"), obx(_5="4.0", _11="C"), _10="C-2", _7="20260302130500")
    assert one(first).fact_id == one(second).fact_id
    assert one(second).versioned_at > one(first).versioned_at
    assert first.entries[0].event_id != second.entries[0].event_id


@pytest.mark.parametrize(
    ("shows", "segments"),
    [
        ("another order", (obr(_3="F-2"), obx())),
        ("another test", (obr(), obx(_3="753-4^ANC^LN"))),
        ("another sub-id", (obr(), obx(_4="2"))),
        ("another specimen", (obr(), obx(), "SPM|1|^S-2")),
    ],
)
def test_what_makes_another_fact(shows: str, segments: tuple[str, ...]) -> None:
    assert ids(*segments) != ids(obr(), obx()), shows


def test_the_filler_number_may_stand_in_orc() -> None:
    assert ids("ORC|RE|P-1|F-1", obr(_3=""), obx()) == ids(obr(), obx())


def test_without_a_filler_number_the_name_is_derived_and_the_patients_own() -> None:
    named = ids(obr(_3=""), obx())
    assert named[0].startswith("derived|laboratory|result|")
    assert named == ids(obr(_3="", _22="20260302140000"), obx(_11="C"), _10="C-9")
    assert named != ids(obr(_3="", _7="202603020915"), obx())


def test_the_same_test_twice_in_one_order_is_two_facts() -> None:
    assert len(set(ids(obr(), obx(), obx(_5="1.1")))) == 2


def test_a_map_mended_later_does_not_change_the_name() -> None:
    local = obx(_3="ANC^Neutrophils^99LAB")
    feed_map = read_feed_map("codes: [{system: 99LAB, code: ANC, means: {system: LN, code: 751-8}}]")
    other = read_feed_map("codes: [{system: 99LAB, code: ANC, means: {system: LN, code: 753-4}}]")
    assert one(read(obr(), local, feed_map=feed_map)).fact_id == one(read(obr(), local, feed_map=other)).fact_id


# --- codes


def test_a_local_code_without_a_map_is_counted_and_not_guessed() -> None:
    reading = read(obr(), obx(_3="ANC^Neutrophils^99LAB"))
    assert facts(reading) == []
    assert [(each.reason.value, each.what) for each in reading.ignored] == [("unknown-code", "OBX 99LAB|ANC")]


def test_a_local_code_by_the_sites_map_with_the_unit_it_vouches_for() -> None:
    feed_map = read_feed_map(
        "codes: [{system: 99LAB, code: ANC, means: {system: LN, code: 751-8}, unit: 10*3/uL}]\nunits: {천/㎕: 10*3/uL}"
    )
    assert one(read(obr(), obx(_3="ANC^^99LAB", _6=""), feed_map=feed_map)).normalised == 900
    assert one(read(obr(), obx(_3="ANC^^99LAB", _6="천/㎕"), feed_map=feed_map)).normalised == 900
    assert one(read(obr(), obx(_3="ANC^^99LAB", _6="furlong"), feed_map=feed_map)).doubt == "unit-unknown"


def test_a_local_code_beside_its_loinc_code() -> None:
    assert one(read(obr(), obx(_3="ANC^Neutrophils^99LAB^751-8^Neutrophils^LN"))).analyte == "anc"


def test_codes_that_name_different_analytes() -> None:
    assert reasons(read(obr(), obx(_3="751-8^^LN^777-3^^LN"))) == [("wrong-shape", "OBX[1]")]


@pytest.mark.parametrize(
    ("fields", "answer", "doubt"),
    [
        ({"_2": "CWE", "_5": "10828004^Positive^SCT"}, "positive", None),
        ({"_2": "CE", "_5": "NEG^^99LAB^260385009^Negative^SCT"}, "negative", None),
        ({"_2": "ST", "_5": "Negative"}, "negative", None),
        ({"_2": "CWE", "_5": "^Negative"}, "negative", None),
        ({"_2": "CWE", "_5": "^^^^^^^^Negative"}, "negative", None),
        ({"_2": "CE", "_5": "MAYBE^^99LAB"}, None, "answer-unknown"),
    ],
)
def test_coded_answers(fields: dict[str, str], answer: str | None, doubt: str | None) -> None:
    fact = one(read(obr(), obx(_3="2118-8^hCG^LN", _6="", **fields)))
    assert (fact.answer, fact.doubt) == (answer, doubt)


def test_notes_are_kept_as_text_and_only_clumps_are_looked_for() -> None:
    note = "NTE|1|L|haemolysed, see\\.br\\second sample"
    fact = one(read(obr(), obx(), note))
    assert (fact.text, fact.doubt, fact.normalised) == ("haemolysed, see\nsecond sample", None, 900)
    clumped = one(read(obr(), obx(_3="777-3^^LN", _5="22"), "NTE|1|L|Platelet clumps seen"))
    assert (clumped.doubt, clumped.value) == ("clumped", 22)


def test_a_note_behind_the_order_belongs_to_no_result() -> None:
    assert one(read(obr(), "NTE|1|L|Platelet clumps seen", obx(_3="777-3^^LN", _5="22"))).doubt is None


def test_results_of_one_message_are_one_entry_a_patient() -> None:
    reading = read(obr(), obx(), obr(_1="2", _3="F-2"), obx(_3="777-3^^LN", _5="150"))
    assert len(reading.entries) == 1
    assert [fact.specimen for fact in facts(reading)] == ["F-1", "F-2"]


def test_results_of_several_patients() -> None:
    reading = read(obr(), obx(), "PID|2||1002^^^HOSP^MR", obr(_3="F-2"), obx())
    assert [entry.patient.id for entry in reading.entries if entry.patient] == ["1001", "1002"]


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^R30", "ORU^R31", "ORU^R32", "ORU^W01", "ORU^R01^ORU_R01", "ORU"])
def test_every_kind_of_result_message_is_read_alike(kind: str) -> None:
    assert one(read(obr(), obx(), kind=kind)).normalised == 900


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.2"])
def test_every_version_is_read(version: str) -> None:
    assert one(read(obr(), obx(), _12=version)).normalised == 900


def test_vital_signs_of_a_visit_need_no_order() -> None:
    reading = read("PV1|1|O", obx(_3="29463-7^Weight^LN", _5="61", _6="kg", _14="20260302"), kind="ADT^A08")
    assert one(reading).analyte == "weight"


def test_an_imaging_study_is_a_procedure() -> None:
    reading = read(obr(_4="39432-0^Duplex^LN"), obx(_2="TX", _3="59776-5^Findings^LN", _5="no thrombus"))
    assert one(reading).kind == "procedure"


@pytest.mark.parametrize(
    ("code", "fields", "name", "value"),
    [
        ("vte-risk-assessment", {"_2": "CWE", "_5": "tier-2^^99MYW"}, "value_code", "tier-2"),
        ("vte-risk-assessment", {"_2": "ST", "_5": "tier-2"}, "value_code", "tier-2"),
        ("therapy-line", {"_2": "NM", "_5": "2"}, "value_number", Decimal(2)),
        ("dexamethasone-plan-mg-per-cycle", {"_2": "NM", "_5": "160", "_6": "mg"}, "value_number", Decimal(160)),
    ],
)
def test_statements_in_our_own_codes(code: str, fields: dict[str, str], name: str, value: Any) -> None:
    fact = one(read(obr(), obx(**{"_3": f"{code}^^99MYW", "_6": "", **fields})))
    assert (fact.code, getattr(fact, name)) == (code, value)


def test_a_statement_of_a_day() -> None:
    fact = one(read(obr(), obx(_2="DT", _3="planned-cycle-day-1^^99MYW", _5="20260309", _6="")))
    assert fact.value_when.precision is Precision.DAY


@pytest.mark.parametrize(
    "fields",
    [
        {"_3": "vte-risk-assessment^^99MYW", "_2": "ST", "_5": "tier-9"},
        {"_3": "therapy-line^^99MYW", "_5": "many"},
        {"_3": "therapy-line^^99MYW", "_5": "<2"},
        {"_3": "dexamethasone-plan-mg-per-cycle^^99MYW", "_5": "160", "_6": "g"},
        {"_3": "planned-cycle-day-1^^99MYW", "_5": ""},
    ],
)
def test_a_statement_without_a_usable_value_is_rejected(fields: dict[str, str]) -> None:
    reading = read(obr(), obx(**{"_6": "", **fields}))
    assert [reason for reason, _ in reasons(reading)] == ["value-missing"]
