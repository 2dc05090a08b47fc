"""Our own events: what a hospital's producer writes becomes facts, or a rejection that says what to mend."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Entry, Fact, FactStatus, ResultDoubt
from schemas.inlet import (
    Administration,
    AdverseEvent,
    Code,
    Condition,
    Dispense,
    HomeMedicine,
    LabReport,
    LabResult,
    MedicineCode,
    Order,
    PatientDescription,
    PatientFact,
    Statement,
    read_event,
    write_binary,
    write_structured,
)
from schemas.reading import Outcome
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding
from tests.schemas.feed import (
    ATC,
    CONTEXT,
    LOINC,
    NO_ZONE,
    OWN,
    RECEIVED,
    RXNORM,
    WHO,
    event,
    facts,
    only,
    report,
    result,
)

LENALIDOMIDE = MedicineCode(system=RXNORM, code="643720")


def test_binary_and_structured_mode_give_the_same_facts() -> None:
    sent = report(result(), result("80", code="777-3"))
    headers, body = write_binary(sent, event_id="e1", source="/site/north/feed/lab")
    binary = read_event(body, headers, CONTEXT)
    structured = read_event(write_structured(sent, event_id="e1", source="/site/north/feed/lab"), None, CONTEXT)
    assert facts(binary) == facts(structured)
    assert len(facts(binary)) == 2


def test_http_spelling_of_the_headers() -> None:
    headers, body = write_binary(report(result()), event_id="e1", source="/s")
    dashed = {name.replace("ce_", "CE-"): value for name, value in headers.items()}
    assert facts(read_event(body, dashed, CONTEXT)) == facts(read_event(body, headers, CONTEXT))


def test_one_report_is_one_entry_with_everything_a_decision_needs() -> None:
    reading = event(report(result(low="1.5", high=Decimal("8.0")), result("12", "10*9/L", code="777-3")))
    (entry,) = reading.entries
    assert entry.patient is not None
    assert (entry.patient.authority, entry.patient.id) == ("urn:example:hospital", "1001")
    assert (entry.feed, entry.zone, entry.known_at) == ("laboratory", "Asia/Seoul", None)
    anc, platelets = entry.facts
    assert anc.kind == platelets.kind == "lab-result"
    assert (anc.analyte, anc.normalised, anc.normalised_unit) == ("anc", 900, "cells/uL")
    assert (platelets.analyte, platelets.normalised) == ("platelets", 12000)
    assert anc.range is not None
    assert (anc.range.low, anc.range.high) == (1500, 8000)
    assert anc.when.earliest == datetime(2026, 3, 1, 23, 15, tzinfo=UTC)
    assert anc.issued_at == datetime(2026, 3, 2, 1, 40, tzinfo=UTC)
    assert anc.specimen == platelets.specimen == "S1"
    assert (anc.source.feed, anc.source.message, anc.source.position) == ("laboratory", "e1", "results[0]")


def test_an_entry_survives_the_wire() -> None:
    (entry,) = event(report(result("< 0.1"), result("clumped", code="777-3"))).entries
    assert Entry.model_validate_json(entry.to_json()) == entry


@pytest.mark.parametrize(
    ("shows", "given", "expected"),
    [
        ("a number", result("0.9"), {"value": Decimal("0.9"), "normalised": Decimal(900), "doubt": None, "text": None}),
        ("a JSON number", result(Decimal("0.90")), {"value": Decimal("0.90"), "normalised": Decimal(900)}),
        ("a bound", result("< 0.1"), {"value": Decimal("0.1"), "comparator": "<", "normalised": Decimal(100)}),
        ("a bound in its own field", result("0.1", comparator="<"), {"comparator": "<", "normalised": Decimal(100)}),
        ("two bounds that differ", result("<0.1", comparator=">"), {"value": None, "doubt": ResultDoubt.NOT_A_NUMBER}),
        ("no unit", result("1.2", None), {"normalised": None, "doubt": ResultDoubt.UNIT_MISSING, "could_breach": True}),
        ("an odd unit", result("0.4", "x"), {"normalised": None, "doubt": ResultDoubt.UNIT_UNKNOWN, "could_breach": True}),
        ("impossible", result("900", "cells/L"), {"normalised": None, "doubt": ResultDoubt.IMPLAUSIBLE}),
        ("words", result("see note"), {"value": None, "text": "see note", "doubt": ResultDoubt.NOT_A_NUMBER}),
        ("a decimal comma", result("0,9"), {"value": None, "doubt": ResultDoubt.NOT_A_NUMBER}),
        ("nothing", result(None), {"value": None, "doubt": ResultDoubt.ABSENT}),
        ("clumped words", result("clumped", code="777-3"), {"value": None, "doubt": ResultDoubt.CLUMPED}),
        ("clumped remark", result("20", code="777-3", text="PLT clumps seen"), {"normalised": Decimal(20000), "doubt": ResultDoubt.CLUMPED}),
        ("no clumps", result("20", code="777-3", text="no clumps seen"), {"normalised": Decimal(20000), "doubt": None}),
        ("clumps matter to platelets only", result("0.9", text="clumps"), {"doubt": None}),
        ("an estimate", result("20", code="49497-1"), {"normalised": None, "doubt": ResultDoubt.ESTIMATE}),
        ("clumps and no unit", result("20", None, code="777-3", text="clumps"), {"doubt": ResultDoubt.UNIT_MISSING, "could_breach": True}),
        ("positive", result("Positive", None, code="2106-3"), {"answer": "positive", "doubt": None, "text": "Positive"}),
        ("negative in Korean", result("음성", None, code="2106-3"), {"answer": "negative"}),
        ("not in the list", result("faint line", None, code="2106-3"), {"answer": None, "doubt": ResultDoubt.ANSWER_UNKNOWN}),
        (
            "a coded answer",
            result(None, None, code="2106-3", value_code=Code(system="http://snomed.info/sct", code="260385009")),
            {"answer": "negative", "doubt": None},
        ),
        (
            "a score as a code",
            result(None, None, code="89247-1", value_code=Code(system=LOINC, code="LA9625-0")),
            {"analyte": "ecog", "value": Decimal(3), "normalised": Decimal(3)},
        ),
    ],
)  # fmt: skip
def test_a_result_is_read_or_doubted(shows: str, given: LabResult, expected: dict[str, object]) -> None:
    fact = only(event(report(given)))
    assert {name: getattr(fact, name) for name in expected} == expected, shows


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("preliminary", FactStatus.PRELIMINARY),
        ("final", FactStatus.FINAL),
        ("corrected", FactStatus.CORRECTED),
        ("amended", FactStatus.CORRECTED),
        ("cancelled", FactStatus.WITHDRAWN),
        ("entered-in-error", FactStatus.WITHDRAWN),
    ],
)
def test_status(status: str, becomes: FactStatus) -> None:
    assert only(event(report(result(status=status)))).status is becomes


def test_a_correction_has_the_same_fact_id_in_another_message() -> None:
    first = only(event(report(result("0.4"))))
    corrected = only(event(report(result("4.0", status="corrected"), issued_at="2026-03-03T09:00:00+09:00")))
    assert first.fact_id == corrected.fact_id
    assert corrected.versioned_at > first.versioned_at


def test_the_same_code_twice_in_a_report_is_two_facts() -> None:
    first, second = facts(event(report(result("0.4"), result("0.5"))))
    assert first.fact_id != second.fact_id


def test_without_any_number_of_its_own_a_fact_id_is_derived_and_says_so() -> None:
    one = only(event(report(result(), report_id=None, specimen=None)))
    other = only(event(report(result(), report_id=None, specimen=None, patient=WHO.model_copy(update={"id": "2"}))))
    assert one.fact_id.startswith("derived|")
    assert one.fact_id != other.fact_id


def test_the_issue_time_stands_in_for_a_missing_collection_time_and_is_flagged() -> None:
    fact = only(event(report(result(), collected_at=None)))
    assert fact.when.from_issue
    assert fact.when.latest == fact.issued_at


def test_a_result_without_any_time_is_rejected() -> None:
    reading = event(report(result(), collected_at=None, issued_at=None))
    assert [rejection.reason for rejection in reading.rejections] == [RejectionReason.TIME_MISSING]
    assert reading.outcome is Outcome.REJECTED


def test_a_withdrawal_without_any_time_still_reaches_what_it_withdraws() -> None:
    sent = report(result(None, status="entered-in-error", id="L9"), collected_at=None, issued_at=None)
    fact = only(event(sent, RECEIVED))
    assert (fact.status, fact.doubt) == (FactStatus.WITHDRAWN, None)
    assert fact.fact_id == only(event(report(result("0.4", id="L9")))).fact_id


def test_a_time_without_zone_takes_the_feeds_or_is_rejected_with_what_to_do() -> None:
    sent = report(result(), collected_at="2026-03-02T08:15:00", issued_at=None)
    assert only(event(sent)).when.zone_assumed
    (rejection,) = event(sent, NO_ZONE).rejections
    assert rejection.reason is RejectionReason.ZONE_MISSING
    assert "--timezone" in rejection.detail


def test_an_unknown_code_is_ignored_and_counted() -> None:
    reading = event(report(result(code="13457-7"), result(code="13457-7"), result()))
    assert len(facts(reading)) == 1
    (ignored,) = reading.ignored
    assert (ignored.reason, ignored.count) == (IgnoreReason.UNKNOWN_CODE, 2)


def test_a_known_code_under_a_foreign_system_is_a_doubt() -> None:
    fact = only(event(report(result(system="http://example.org/lab", low="1.5"))))
    assert (fact.analyte, fact.doubt, fact.normalised) == ("anc", ResultDoubt.CODE_SYSTEM, None)
    assert fact.range is None


def test_codes_that_name_two_analytes_are_refused() -> None:
    both = result(other_codes=(Code(system=LOINC, code="777-3"),))
    (rejection,) = event(report(both)).rejections
    assert rejection.part == "results[0]"


def test_a_panel_code_is_no_value() -> None:
    reading = event(report(result(code="58410-2")))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.PANEL
    assert reading.outcome is Outcome.IGNORED


# --- medicines


def test_dispense() -> None:
    fact = only(
        event(
            Dispense(
                patient=WHO, id="d1", medicine=LENALIDOMIDE, handed_over_at="2026-03-02T14:00:00+09:00",
                quantity=Decimal(21), days_supply=28, dose_mg=Decimal(25), times_per_day=Decimal(1), cycle_day_1=True,
            )
        )
    )  # fmt: skip
    assert (fact.kind, fact.medicine, fact.strength_mg) == ("medicine-dispensed", "lenalidomide", 25)
    assert (fact.quantity, fact.days_supply, fact.daily_dose_mg, fact.cycle_day_1) == (21, 28, 25, True)
    assert fact.fact_id == "laboratory|dispense|d1"


def test_order_administration_and_home_medicine() -> None:
    order = only(
        event(
            Order(
                patient=WHO, medicine=MedicineCode(system=ATC, code="B01AB05"), ordered_at="2026-03-02T14:00:00+09:00",
                ends_at="2026-04-02", status="planned", purpose="prophylaxis",
            )
        )
    )  # fmt: skip
    assert (order.medicine, order.status, order.purpose) == ("enoxaparin", FactStatus.PLANNED, "prophylaxis")
    assert order.until.earliest == datetime(2026, 4, 1, 15, tzinfo=UTC)
    given = only(
        event(
            Administration(
                patient=WHO, medicine=MedicineCode(system=ATC, code="H02AB02"), given_at="2026-03-02", dose_mg=Decimal(40),
                schedule="weekly",
            )
        )
    )  # fmt: skip
    assert (given.medicine, given.dose_mg, given.daily_dose_mg) == ("dexamethasone", 40, 40)
    taken = only(
        event(HomeMedicine(patient=WHO, medicine=MedicineCode(system=RXNORM, code="1191"), taken_from="2026-01-10"))
    )
    assert (taken.kind, taken.medicine, taken.until) == ("medicine-taken-at-home", "aspirin", None)


def test_eye_drops_do_not_count() -> None:
    for medicine, route in (
        (MedicineCode(system=ATC, code="S01BA01"), None),
        (MedicineCode(system=RXNORM, code="3264"), Code(system="http://snomed.info/sct", code="54485002")),
        (MedicineCode(system=RXNORM, code="3264", other_codes=(Code(system=ATC, code="S01BA01"),)), None),
    ):
        reading = event(Administration(patient=WHO, medicine=medicine, given_at="2026-03-02", route=route))
        assert not facts(reading)
        assert reading.ignored[0].reason is IgnoreReason.NOT_SYSTEMIC


def test_nothing_is_read_from_a_name() -> None:
    named = MedicineCode(system="http://example.org/edi", code="6789", display="Lenalidomide 25 mg")
    reading = event(Dispense(patient=WHO, medicine=named, handed_over_at="2026-03-02"))
    assert not facts(reading)
    assert reading.ignored[0].reason is IgnoreReason.UNKNOWN_CODE
    assert "Lenalidomide" not in str(reading.ignored)


# --- patient facts


def test_a_statement_needs_a_value_of_its_list() -> None:
    good = PatientFact(
        patient=WHO, fact=Statement(code="vte-risk-assessment", stated_at="2026-03-02", value_code="tier-1")
    )
    assert only(event(good)).value_code == "tier-1"
    bad = PatientFact(
        patient=WHO, fact=Statement(code="vte-risk-assessment", stated_at="2026-03-02", value_code="high")
    )
    assert event(bad).rejections[0].reason is RejectionReason.VALUE_MISSING
    unknown = PatientFact(patient=WHO, fact=Statement(code="favourite-colour", stated_at="2026-03-02"))
    assert event(unknown).ignored[0].reason is IgnoreReason.UNKNOWN_CODE


def test_a_planned_day_is_its_own_time_where_none_is_stated() -> None:
    fact = only(event(PatientFact(patient=WHO, fact=Statement(code="planned-cycle-day-1", value_time="2026-03-30"))))
    assert fact.value_when == fact.when


def test_birth_dates_need_no_zone() -> None:
    sent = PatientFact(
        patient=WHO, recorded_at="2026-03-02T00:00:00Z", fact=PatientDescription(birth_date="1955-07-14", sex="female")
    )
    fact = only(event(sent, NO_ZONE))
    assert fact.birth.earliest == datetime(1955, 7, 14, tzinfo=UTC)


def test_conditions_and_graded_events() -> None:
    dvt = Condition(codes=(Code(system="http://snomed.info/sct", code="128053003"),), began_at="2026-02-20")
    fact = only(event(PatientFact(patient=WHO, fact=dvt)))
    assert fact.concepts == ("dvt", "vte")
    rash = AdverseEvent(
        codes=(Code(system=OWN, code="unknown-rash"),), grade=2, began_at="2026-02-20", related_to=(LENALIDOMIDE,)
    )
    fact = only(event(PatientFact(patient=WHO, fact=rash)))
    assert (fact.grade, fact.concepts, fact.related_to) == (2, (), ("lenalidomide",))


# --- when it could be known


def test_in_a_file_the_events_own_instant_rules_then_issue_then_collection() -> None:
    def known(**fields: object) -> tuple[datetime | None, bool]:
        known_at = fields.pop("known_at", None)
        raw = write_structured(report(result(), **fields), event_id="e", source="s", known_at=known_at)  # type: ignore[arg-type]
        (entry,) = read_event(raw, None, CONTEXT, "file").entries
        return entry.known_at, entry.known_at_assumed

    explicit = datetime(2026, 3, 5, tzinfo=UTC)
    assert known(known_at=explicit) == (explicit, False)
    assert known() == (datetime(2026, 3, 2, 1, 40, tzinfo=UTC), False)
    assert known(issued_at=None) == (datetime(2026, 3, 1, 23, 15, tzinfo=UTC), True)


def test_a_live_feed_cannot_say_when_it_is() -> None:
    raw = write_structured(report(result()), event_id="e", source="s", known_at=datetime(2030, 1, 1, tzinfo=UTC))
    (entry,) = read_event(raw, None, CONTEXT).entries
    assert entry.known_at is None


# --- bad input


@pytest.mark.parametrize(
    ("shows", "raw", "reason"),
    [
        ("no bytes", b"", RejectionReason.NOT_JSON),
        ("not UTF-8", b'{"a": "\xff"}', RejectionReason.UNDECODABLE),
        ("not JSON", b"{", RejectionReason.NOT_JSON),
        ("NaN", b'{"a": NaN}', RejectionReason.NOT_JSON),
        ("Infinity", b'{"a": -Infinity}', RejectionReason.NOT_JSON),
        ("a number beyond all bounds", b'{"a": 1e999}', RejectionReason.NUMBER_UNREADABLE),
        ("a number too small", b'{"a": 1e-999}', RejectionReason.NUMBER_UNREADABLE),
        ("a number too long", b'{"a": ' + b"9" * 5000 + b"}", RejectionReason.NUMBER_UNREADABLE),
        ("the same key twice", b'{"a": 1, "a": 2}', RejectionReason.DUPLICATE_KEY),
        ("too deep", b"[" * 40 + b"]" * 40, RejectionReason.TOO_DEEP),
        ("far too deep", b"[" * 100_000 + b"]" * 100_000, RejectionReason.TOO_DEEP),
        ("half a surrogate pair", b'{"a": "\\ud800"}', RejectionReason.UNDECODABLE),
        ("half a surrogate pair in a key", b'{"\\udc00": 1}', RejectionReason.UNDECODABLE),
        ("a list", b"[]", RejectionReason.WRONG_SHAPE),
        ("no envelope", b"{}", RejectionReason.WRONG_SHAPE),
        ("another version", b'{"specversion":"0.3","id":"1","source":"s","type":"t"}', RejectionReason.WRONG_SHAPE),
        ("no id", b'{"specversion":"1.0","source":"s","type":"t"}', RejectionReason.WRONG_SHAPE),
        ("another type", b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":{}}', RejectionReason.UNSUPPORTED_TYPE),
    ],
)  # fmt: skip
def test_bad_bytes_become_a_rejection(shows: str, raw: bytes, reason: RejectionReason) -> None:
    reading = read_event(raw, None, CONTEXT)
    assert [rejection.reason for rejection in reading.rejections] == [reason], shows
    assert not reading.entries


def test_a_whole_surrogate_pair_is_text() -> None:
    raw = write_structured(report(result("0.9", text="x")), event_id="e", source="s").replace(
        b'"text":"x"', b'"text":"\\ud83d\\ude00"'
    )
    assert not read_event(raw, None, CONTEXT).rejections


def test_too_large() -> None:
    small = replace(CONTEXT, max_bytes=100)
    raw = write_structured(report(result()), event_id="e", source="s")
    assert read_event(raw, None, small).rejections[0].reason is RejectionReason.TOO_LARGE


def test_a_wrong_shape_names_the_place_and_not_the_content() -> None:
    data = json.loads(report(result()).model_dump_json(exclude_none=True))
    data["results"][0]["units"] = "Kim Minji"
    data["results"][0]["status"] = "Kim Minji"
    raw = json.dumps(
        {"specversion": "1.0", "id": "1", "source": "s", "type": "org.myelowatch.lab.result.v1", "data": data}
    )
    (rejection,) = read_event(raw.encode(), None, CONTEXT).rejections
    assert rejection.reason is RejectionReason.WRONG_SHAPE
    assert "results.0.units: extra forbidden" in rejection.detail
    assert "results.0.status: enum" in rejection.detail
    assert "Kim" not in rejection.to_json().decode()


def test_an_event_id_is_derived_from_content_and_place() -> None:
    def ids(raw: bytes) -> list[str]:
        return [entry.event_id for entry in read_event(raw, None, CONTEXT).entries]

    one = write_structured(report(result("0.9")), event_id="e", source="s")
    other = write_structured(report(result("0.8")), event_id="e", source="s")
    assert ids(one) == ids(one)
    assert ids(one) != ids(other)


def test_order_of_results_changes_no_fact() -> None:
    pair = (result("0.9"), result("12", code="777-3"))

    def seen(sent: LabReport) -> set[tuple[object, ...]]:
        return {(fact.fact_id, fact.analyte, fact.normalised) for fact in facts(event(sent))}  # type: ignore[union-attr]

    assert seen(report(*pair)) == seen(report(*reversed(pair)))


# --- properties

UNITS = ["10*3/uL", "10*9/L", "/uL", "K/uL", "mystery", None]
CODES = ["751-8", "777-3", "6690-2", "718-7", "2160-0"]
numbers = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=3)
lab_results = st.builds(
    lambda code, value, unit: result(str(value), unit, code=code),
    st.sampled_from(CODES),
    numbers,
    st.sampled_from(UNITS),
)


@given(lab_results)
def test_what_was_written_is_what_is_read(sent: LabResult) -> None:
    fact = only(event(report(sent)))
    assert str(fact.value) == sent.value
    assert fact.unit == sent.unit
    assert fact.codes == (Coding(system=LOINC, code=sent.code),)
    assert (fact.normalised is None) == (fact.doubt is not None)
    assert fact.when.earliest == datetime(2026, 3, 1, 23, 15, tzinfo=UTC)


@given(st.lists(lab_results, min_size=2, max_size=5, unique_by=lambda sent: sent.code), st.integers(1, 4))
def test_splitting_a_panel_into_messages_changes_no_fact(sent: list[LabResult], cut: int) -> None:
    def without_place(found: list[Fact]) -> set[str]:
        return {fact.model_dump_json(exclude={"source"}) for fact in found}

    whole = without_place(facts(event(report(*sent))))
    first, second = sent[:cut], sent[cut:]
    parts = [report(*some) for some in (first, second) if some]
    assert set().union(*(without_place(facts(event(part))) for part in parts)) == whole


@given(numbers)
def test_a_unit_change_that_keeps_the_quantity_gives_the_same_fact(value: Decimal) -> None:
    cells = only(event(report(result(str(value * 1000), "/uL")))) if value * 1000 <= 200_000 else None
    thousands = only(event(report(result(str(value), "10*9/L")))) if cells else None
    if cells is not None and thousands is not None:
        assert (cells.normalised, cells.doubt) == (thousands.normalised, thousands.doubt)
        assert str(cells.normalised) == str(thousands.normalised)


def test_a_feed_that_prints_decimal_commas() -> None:
    german = replace(CONTEXT, decimal_comma=True)
    fact = only(event(report(result("0,9", low="1,5")), german))
    assert (fact.normalised, fact.range.low) == (900, 1500)
    assert only(event(report(result("1.200")), german)).doubt is ResultDoubt.NOT_A_NUMBER
