"""`peek` and `answer`: table D1 without sockets, row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.hl7v2 import (
    STANDARD,
    AckCode,
    AckMode,
    ErrorCode,
    Fault,
    FeedMap,
    Kind,
    MessageUnreadable,
    Verdict,
    answer,
    code_of,
    is_wanted,
    peek,
    read_feed_map,
    verdict_of,
)
from schemas.rejection import RejectionReason
from tests.schemas.hl7v2.writing import PID, message, obr, obx

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def good(**head: str) -> bytes:
    return message(obr(), obx(), **head)


def test_what_a_head_says() -> None:
    head = peek(good(_3="LAB^1.2.3^ISO", _15="AL", _16="NE", _18="UNICODE UTF-8"))
    assert (head.sending_application, head.sending_facility, head.control_id) == ("LAB", "HOSP", "C-1")
    assert (head.message_type, head.version, head.processing_id) == ("ORU^R01", "2.5.1", "P")
    assert (head.accept_mode, head.application_mode) == (AckMode.ALWAYS, AckMode.NEVER)
    assert (head.patient.authority, head.patient.id) == ("HOSP", "1001") if head.patient else False
    assert (head.faults, head.warnings) == ((), ())


@pytest.mark.parametrize(
    ("shows", "raw", "verdict", "code", "place"),
    [
        ("nothing against it", good(), Verdict.ACCEPTED, None, None),
        ("no control id", good(_10=""), Verdict.ERROR, 101, ("MSH", 1, 10)),
        ("a control id of two quotes", good(_10='""'), Verdict.ERROR, 101, ("MSH", 1, 10)),
        ("an endless control id", good(_10="x" * 200), Verdict.ERROR, 102, ("MSH", 1, 10)),
        ("no type", good(kind=""), Verdict.ERROR, 101, ("MSH", 1, 9)),
        ("a type that is not ours", good(kind="SIU^S12"), Verdict.REJECTED, 200, ("MSH", 1, 9)),
        ("an event that is not ours", good(kind="ADT^A24"), Verdict.REJECTED, 201, ("MSH", 1, 9)),
        ("a version that is not ours", good(_12="3.0"), Verdict.REJECTED, 203, ("MSH", 1, 12)),
        ("no version", good(_12=""), Verdict.ERROR, 101, ("MSH", 1, 12)),
        ("a test message", good(_11="T"), Verdict.REJECTED, 202, ("MSH", 1, 11)),
        ("a debugging message", good(_11="D"), Verdict.REJECTED, 202, ("MSH", 1, 11)),
        ("no processing id", good(_11=""), Verdict.ERROR, 101, ("MSH", 1, 11)),
        ("no patient", message(obr(), pid="PV1|1"), Verdict.ERROR, 101, ("PID", 1, 3)),
        ("no patient number", message(obr(), pid="PID|1||^^^HOSP"), Verdict.ERROR, 101, ("PID", 1, 3)),
        ("a null patient number", message(obr(), pid='PID|1||""'), Verdict.ERROR, 101, ("PID", 1, 3)),
        ("two numbers for one", message(pid="PID|1||1^^^H^MR~2^^^H^MR"), Verdict.ERROR, 102, ("PID", 1, 3)),
        ("a charset we do not know", good(_18="KLINGON"), Verdict.ERROR, 103, ("MSH", 1, 18)),
        ("bytes outside the charset", good(_18="ASCII") + b"NTE|1||\xff\r", Verdict.ERROR, 102, ("MSH", 1, 18)),
        ("a merge with itself", message("MRG|1001^^^HOSP", kind="ADT^A40"), Verdict.ERROR, 205, ("MRG", 1, 1)),
        ("a merge with nobody", message("MRG|", kind="ADT^A40"), Verdict.ERROR, 101, ("MRG", 1, 1)),
    ],
)
def test_table_d1(
    shows: str, raw: bytes, verdict: Verdict, code: int | None, place: tuple[str, int, int] | None
) -> None:
    head = peek(raw)
    assert verdict_of(head.faults) is verdict, shows
    assert [(int(fault.code), fault.place) for fault in head.faults] == ([(code, place)] if code else [])


def test_what_forbids_sending_again_comes_first() -> None:
    head = peek(message(obr(), kind="SIU^S12", _10=""))
    assert [fault.code for fault in head.faults] == [ErrorCode.UNSUPPORTED_TYPE, ErrorCode.REQUIRED_FIELD_MISSING]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"  \r\n", "empty"),
        (b"PID|1||1", "wrong-shape"),
        (b"MSH", "wrong-shape"),
        (b"MSH|", "wrong-shape"),
        (b"MSHA^~\\&A", "wrong-shape"),
        (b"MSH|^^\\&|", "wrong-shape"),
        (b"MSH|^~\\&#!|", "wrong-shape"),
        (b"MSH|\xff\xfe\\&|", "wrong-shape"),
        (b'{"resourceType": "Patient"}', "wrong-shape"),
    ],
)
def test_what_cannot_be_answered(raw: bytes, reason: str) -> None:
    with pytest.raises(MessageUnreadable) as unreadable:
        peek(raw)
    assert unreadable.value.reason == reason


@pytest.mark.parametrize(
    ("shows", "field", "feed_map", "authority", "number"),
    [
        ("one number", "1001^^^HOSP^MR", STANDARD, "HOSP", "1001"),
        ("the first MR", "9^^^SSN^SS~1001^^^HOSP^MR", STANDARD, "HOSP", "1001"),
        ("no MR: the first", "9^^^SSN^SS~8^^^X^PI", STANDARD, "SSN", "9"),
        ("no authority: the sender's", "1001", STANDARD, "HOSP", "1001"),
        ("an authority by its universal id", "1001^^^&1.2.3&ISO^MR", STANDARD, "1.2.3", "1001"),
        ("a number with an escape", "10\\T\\01^^^HOSP", STANDARD, "HOSP", "10&01"),
        (
            "the site's choice of authority",
            "1001^^^HOSP^MR~7^^^MPI^PI",
            read_feed_map("patient: {authority: MPI}"),
            "MPI",
            "7",
        ),
        (
            "a name that all feeds share",
            "1001^^^HOSP^MR",
            read_feed_map("authorities: {HOSP: 'urn:example:hospital'}"),
            "urn:example:hospital",
            "1001",
        ),
        (
            "the site's word for several",
            "1001^^^HOSP^MR~1002^^^HOSP^MR",
            read_feed_map("patient: {first_of_several: true}"),
            "HOSP",
            "1001",
        ),
    ],
)
def test_which_number_a_patient_is_known_by(
    shows: str, field: str, feed_map: FeedMap, authority: str, number: str
) -> None:
    head = peek(message(obr(), pid=f"PID|1||{field}"), feed_map)
    assert head.faults == (), shows
    assert head.patient is not None
    assert (head.patient.authority, head.patient.id) == (authority, number)


def test_another_field_by_the_sites_map() -> None:
    head = peek(message(obr(), pid="PID|1|||1001^^^HOSP"), read_feed_map("patient: {field: 4}"))
    assert head.patient is not None


def test_several_patients_have_no_one_key() -> None:
    head = peek(message("PID|2||1002^^^HOSP^MR"))
    assert (head.patient, [each.id for each in head.patients]) == (None, ["1001", "1002"])


def test_a_site_that_wants_unread_messages_accepted() -> None:
    assert peek(message(obr(), kind="SIU^S12"), FeedMap(unread="ignore")).faults == ()


def test_an_unknown_sex_is_a_warning_and_the_message_is_taken() -> None:
    head = peek(message(obr(), pid=f"{PID}||||19550714|Q"))
    assert verdict_of(head.faults) is Verdict.ACCEPTED
    told = answer(head, AckCode.APPLICATION_ACCEPT, at=AT).decode().split("\r")
    assert (
        told[3]
        == "ERR||PID^1^8|103^Table value not found^HL70357|W||||PID-8 is no value of table 0001: read as not said"
    )


# --- the answer


def test_an_answer() -> None:
    head = peek(good())
    segments = answer(head, code_of(head, Verdict.ACCEPTED), at=AT).decode().split("\r")
    assert segments[0].startswith("MSH|^~\\&|||LAB|HOSP|20260302020000+0000||ACK^R01^ACK|")
    assert segments[0].endswith("|P|2.5.1")
    assert segments[1:] == ["MSA|AA|C-1", "ERR|||0^Message accepted^HL70357|I", ""]


def test_a_negative_answer_says_where_and_what_to_mend() -> None:
    head = peek(message(obr(), pid="PID|1"))
    segments = answer(head, code_of(head, Verdict.ERROR), head.faults, at=AT).decode().split("\r")
    assert segments[1] == "MSA|AE|C-1"
    assert segments[2] == ("ERR||PID^1^3|101^Required field missing^HL70357|E||||PID-3 (patient identifier) is empty")


def test_an_error_of_ours_is_207() -> None:
    assert b"207^Application internal error" in answer(peek(good()), AckCode.APPLICATION_ERROR, at=AT)


def test_the_same_answer_has_the_same_control_id() -> None:
    head = peek(good())
    first, later = (answer(head, AckCode.APPLICATION_ACCEPT, at=at).split(b"|")[9] for at in (AT, AT.replace(hour=3)))
    assert first == later
    assert answer(head, AckCode.APPLICATION_ERROR, at=AT).split(b"|")[9] != first
    assert answer(peek(good(_10="C-2")), AckCode.APPLICATION_ACCEPT, at=AT).split(b"|")[9] != first


@pytest.mark.parametrize("control", ["C-1", " C-1 ", "C\\T\\1", "a^b~c&d", "번호"])
def test_the_control_id_is_echoed_exactly(control: str) -> None:
    head = peek(good(_10=control))
    assert f"MSA|AA|{control}\r".encode() in answer(head, AckCode.APPLICATION_ACCEPT, at=AT)


def test_an_answer_in_the_senders_separators_and_charset() -> None:
    raw = "MSH@~&#\\@분석@HOSP@@@20260302@@ORU~R01@C-1@P@2.5@@@@@@KS X 1001\rPID@1@@1001\r".encode("cp949")
    told = answer(peek(raw), AckCode.APPLICATION_ACCEPT, at=AT)
    segments = told.decode("cp949").split("\r")
    assert segments[0].startswith("MSH@~&#\\@@@분석@HOSP@")
    assert "@ACK~R01~ACK@" in segments[0]
    assert segments[0].endswith("@@@@@@KS X 1001")
    assert segments[2] == "ERR@@@0~Message accepted~HL70357@I"


@pytest.mark.parametrize(
    ("fields", "verdict", "code"),
    [
        ({}, Verdict.ACCEPTED, "AA"),
        ({}, Verdict.ERROR, "AE"),
        ({}, Verdict.REJECTED, "AR"),
        ({"_15": "AL"}, Verdict.ACCEPTED, "CA"),
        ({"_15": "ER"}, Verdict.ERROR, "CE"),
        ({"_15": "SU"}, Verdict.REJECTED, "CR"),
        ({"_16": "AL"}, Verdict.ACCEPTED, "CA"),
    ],
)
def test_codes_of_both_modes(fields: dict[str, str], verdict: Verdict, code: str) -> None:
    assert code_of(peek(good(**fields)), verdict).value == code


@pytest.mark.parametrize(
    ("mode", "accepted", "error"), [("AL", True, True), ("NE", False, False), ("ER", False, True), ("SU", True, False)]
)
def test_which_answers_are_wanted(mode: str, accepted: bool, error: bool) -> None:
    assert is_wanted(AckMode(mode), Verdict.ACCEPTED) is accepted
    assert is_wanted(AckMode(mode), Verdict.ERROR) is error


def test_no_answer_holds_content() -> None:
    head = peek(message(pid="PID|1||^^^HOSP||CANARY^NAME||19550714"))
    assert b"CANARY" not in answer(head, AckCode.APPLICATION_ERROR, head.faults, at=AT)


def test_a_fault_of_the_door_itself() -> None:
    fault = Fault(ErrorCode.DUPLICATE_KEY, "said | twice", RejectionReason.DUPLICATE_KEY, ("MSH", 1, 10))
    told = answer(peek(good()), AckCode.APPLICATION_ERROR, (fault,), at=AT)
    assert told.endswith(b"ERR||MSH^1^10|205^Duplicate key identifier^HL70357|E||||said \\F\\ twice\r")


def test_the_head_of_a_batch() -> None:
    head = peek(b"BHS|^~\\&|LAB|HOSP|||20260302||||B-1\rMSH|^~\\&\r")
    assert (head.kind, head.control_id, head.sending_application) == (Kind.BATCH, "B-1", "LAB")
    assert b"MSA|AA|B-1\r" in answer(head, AckCode.APPLICATION_ACCEPT, at=AT)
