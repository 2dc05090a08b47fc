"""PID, PV1, MRG, DG1, PRB, AL1, IAM, PR1 and vaccinations."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events import EntryKind, FactStatus
from schemas.hl7v2 import FeedMap, read_feed_map, read_message
from tests.schemas.feed import CONTEXT, facts
from tests.schemas.hl7v2.writing import PID, message, one, read, reasons, segment

DESCRIBED = f"{PID}||||19550714|F||2028-9^Asian^HL70005|^^^^^KR"


def described(pid: str, feed_map: FeedMap | None = None, kind: str = "ADT^A31") -> Any:
    return one(read_message(message(kind=kind, pid=pid), CONTEXT, feed_map))


def test_who_somebody_is() -> None:
    fact = described(DESCRIBED)
    assert (fact.sex, fact.country, fact.race, f"{fact.birth.latest:%Y-%m-%d}") == (
        "female",
        "KR",
        "2028-9",
        "1955-07-14",
    )


@pytest.mark.parametrize("kind", ["ADT^A01", "ORU^R01", "RDS^O13", "VXU^V04"])
def test_every_message_describes_its_patient(kind: str) -> None:
    assert described(DESCRIBED, kind=kind).sex == "female"


@pytest.mark.parametrize(
    ("sent", "sex"),
    [
        ("F", "female"),
        ("m", "male"),
        ("O", "other"),
        ("A", "other"),
        ("U", None),
        ("", None),
        ('""', None),
        ("Q", None),
    ],
)
def test_administrative_sex(sent: str, sex: str | None) -> None:
    assert described(f"{PID}||||19550714|{sent}").sex == sex


def test_administrative_sex_by_the_sites_map() -> None:
    assert described(f"{PID}||||19550714|1", read_feed_map("sexes: {'1': male, '2': female}")).sex == "male"


@pytest.mark.parametrize(
    ("sent", "day"), [("19550714", "1955-07-14"), ("195507141126+0215", "1955-07-14"), ("195507", "1955-07-31")]
)
def test_a_birth_date_is_a_day_of_the_calendar(sent: str, day: str) -> None:
    assert f"{described(f'{PID}||||{sent}|F').birth.latest:%Y-%m-%d}" == day


def test_an_unreadable_birth_date_is_counted() -> None:
    reading = read_message(message(kind="ADT^A31", pid=f"{PID}||||14.07.1955|F"), CONTEXT)
    assert (one(reading).birth, reading.unread) == (None, {"PID-7, birth date unreadable": 1})


def test_a_death() -> None:
    pid = "|".join([*PID.split("|"), *[""] * 25, "20260301120000", "Y"])
    assert described(pid).died is not None


# --- visits


def pv1(**fields: str) -> str:
    return segment("PV1", **{"_1": "1", "_2": "I", "_19": "V-1", **fields})


@pytest.mark.parametrize(
    ("event", "fields", "setting", "status", "ended"),
    [
        ("A01", {"_44": "20260301180000"}, "inpatient", FactStatus.FINAL, False),
        ("A01", {}, "inpatient", FactStatus.FINAL, False),
        ("A04", {"_2": "O"}, "ambulatory", FactStatus.FINAL, False),
        ("A04", {"_2": "E"}, "emergency", FactStatus.FINAL, False),
        ("A05", {"_2": "P"}, "ambulatory", FactStatus.PLANNED, False),
        ("A03", {"_44": "20260301180000", "_45": "20260302090000"}, "inpatient", FactStatus.FINAL, True),
        ("A03", {"_44": "20260301180000"}, "inpatient", FactStatus.FINAL, True),
        ("A11", {"_44": "20260301180000"}, "inpatient", FactStatus.WITHDRAWN, False),
        ("A13", {"_44": "20260301180000", "_45": "20260302090000"}, "inpatient", FactStatus.FINAL, False),
        ("A08", {"_44": "20260301180000"}, "inpatient", FactStatus.FINAL, False),
    ],
)
def test_visits(event: str, fields: dict[str, str], setting: str, status: FactStatus, ended: bool) -> None:
    fact = one(read("EVN||20260302093000", pv1(**fields), kind=f"ADT^{event}"))
    assert (fact.setting, fact.status, fact.ended is not None) == (setting, status, ended)
    assert fact.fact_id == "laboratory|visit|V-1"


def test_a_discharge_that_does_not_say_from_when_is_rejected() -> None:
    assert reasons(read("EVN||20260302093000", pv1(), kind="ADT^A03")) == [("time-missing", "PV1[1]")]


def test_an_update_that_does_not_say_from_when_moves_no_admission() -> None:
    reading = read("EVN||20260302093000", pv1(), kind="ADT^A08")
    assert (facts(reading), reading.unread) == ([], {"PV1-44 empty, visit not read": 1})


# --- merges


@pytest.mark.parametrize("event", ["A40"])
def test_a_merge_is_an_entry_of_the_retired_number(event: str) -> None:
    reading = read("MRG|1002^^^HOSP^MR", kind=f"ADT^{event}")
    (merge,) = reading.merges
    assert (merge.survivor.id, merge.retired.id, merge.is_undone) == ("1001", "1002", False)
    assert merge.retired == CONTEXT.refer("HOSP", "1002")
    assert reading.ignored == ()
    entry = next(entry for entry in reading.entries if entry.kind is EntryKind.MERGE)
    assert (entry.patient, entry.merge) == (merge.retired, merge)


@pytest.mark.parametrize("event", ["A18", "A30", "A34", "A35", "A36", "A39"])
def test_the_kin_of_a_merge_by_the_sites_map(event: str) -> None:
    assert reasons(read("MRG|1002^^^HOSP^MR", kind=f"ADT^{event}")) == [("unsupported-type", "MSH[1]-9")]
    site = FeedMap(merges=("A40", event))
    assert len(read("MRG|1002^^^HOSP^MR", kind=f"ADT^{event}", feed_map=site).merges) == 1


def test_several_merges_in_one_message() -> None:
    reading = read("MRG|1002^^^HOSP^MR", "PID|2||1003^^^HOSP^MR", "MRG|1004^^^HOSP^MR", kind="ADT^A40")
    assert [(each.survivor.id, each.retired.id) for each in reading.merges] == [("1001", "1002"), ("1003", "1004")]


@pytest.mark.parametrize(("mrg", "place"), [("MRG|1001^^^HOSP^MR", "MRG[1]-1"), ("MRG|", "MRG[1]-1")])
def test_a_merge_with_itself_or_with_nobody(mrg: str, place: str) -> None:
    assert [part for _, part in reasons(read(mrg, kind="ADT^A40"))] == [place]


def test_an_unlink_takes_a_merge_back() -> None:
    reading = read("PID|2||1002^^^HOSP^MR", kind="ADT^A37")
    (merge,) = reading.merges
    assert reading.entries[-1].kind is EntryKind.UNMERGE
    assert (merge.survivor.id, merge.retired.id, merge.is_undone) == ("1001", "1002", True)


# --- conditions, allergies, procedures, vaccines


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"_6": "F"}, FactStatus.FINAL),
        ({"_6": "A"}, FactStatus.PRELIMINARY),
        ({"_6": "W"}, FactStatus.PRELIMINARY),
        ({"_6": ""}, FactStatus.PRELIMINARY),
        ({"_6": "F", "_21": "D"}, FactStatus.WITHDRAWN),
    ],
)
def test_diagnoses(fields: dict[str, str], status: FactStatus) -> None:
    fact = one(read(segment("DG1", _1="1", _3="I80.2^DVT^I10", _5="20260220", **fields), kind="ADT^A08"))
    assert (fact.kind, fact.status, "dvt" in fact.concepts) == ("condition", status, True)


def test_the_coding_method_of_older_versions() -> None:
    fact = one(read("DG1|1|I10|I80.2|DVT|20260220|F", kind="ADT^A08", _12="2.2"))
    assert fact.codes[0].system == "http://hl7.org/fhir/sid/icd-10"


def test_a_diagnosis_without_a_time_is_one_fact_a_day() -> None:
    def named(sent: str) -> str:
        return str(one(read("DG1|1||I80.2^^I10|||F", kind="ADT^A08", _7=sent)).fact_id)

    assert named("20260302090000") == named("20260302100000") != named("20260303090000")


@pytest.mark.parametrize(
    ("fields", "status", "is_active"),
    [
        ({"_1": "AD"}, FactStatus.FINAL, True),
        ({"_1": "DE"}, FactStatus.WITHDRAWN, True),
        ({"_1": "UP", "_13": "differential"}, FactStatus.PRELIMINARY, True),
        ({"_1": "UP", "_13": "confirmed", "_14": "resolved"}, FactStatus.FINAL, False),
    ],
)
def test_problems(fields: dict[str, str], status: FactStatus, is_active: bool) -> None:
    prb = segment("PRB", _2="20260221", _3="128053003^DVT^SCT", _4="c-8", _16="20260220", **fields)
    fact = one(read(prb, kind="PPR^PC1"))
    assert (fact.status, fact.is_active, fact.fact_id) == (status, is_active, "laboratory|condition|c-8")


@pytest.mark.parametrize(
    ("record", "substances", "status"),
    [
        ("AL1|1|DA|91936005^Penicillin^SCT", ("penicillin",), FactStatus.FINAL),
        (segment("IAM", _1="1", _3="91936005^^SCT", _6="A", _17="C"), ("penicillin",), FactStatus.FINAL),
        (segment("IAM", _1="1", _3="91936005^^SCT", _6="A", _17="U"), ("penicillin",), FactStatus.PRELIMINARY),
        (segment("IAM", _1="1", _3="91936005^^SCT", _6="D", _17="C"), ("penicillin",), FactStatus.WITHDRAWN),
        (segment("IAM", _1="1", _3="91936005^^SCT", _6="A", _17="E"), ("penicillin",), FactStatus.WITHDRAWN),
    ],
)
def test_allergies(record: str, substances: tuple[str, ...], status: FactStatus) -> None:
    fact = one(read(record, kind="ADT^A60"))
    assert (fact.substances, fact.status) == (substances, status)


def test_procedures() -> None:
    fact = one(read("PR1|1||12719002^Transfusion^SCT||20260302120000", kind="ADT^A08"))
    assert fact.concepts == ("platelet-transfusion",)
    assert reasons(read("PR1|1||12719002^Transfusion^SCT", kind="ADT^A08")) == [("time-missing", "PR1[1]")]


@pytest.mark.parametrize(
    ("code", "fields", "status"),
    [
        ("150^Flu^CVX", {"_20": "CP"}, FactStatus.FINAL),
        ("49281-0001^Flu^NDC^150^Flu^CVX", {}, FactStatus.FINAL),
        ("150^Flu^CVX", {"_20": "RE"}, FactStatus.WITHDRAWN),
        ("150^Flu^CVX", {"_20": "CP", "_21": "D"}, FactStatus.WITHDRAWN),
    ],
)
def test_vaccinations(code: str, fields: dict[str, str], status: FactStatus) -> None:
    rxa = segment("RXA", _1="0", _2="1", _3="20251103", _5=code, _6="999", **fields)
    fact = one(read("ORC|RE||v-1", rxa, kind="VXU^V04"))
    assert (fact.vaccines, fact.status) == (("influenza",), status)
