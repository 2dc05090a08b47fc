"""RDS, RAS, RDE, OMP and ORM: what was handed over, given, ordered, taken at home."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schemas.events import FactStatus, Schedule
from schemas.hl7v2 import STANDARD, FeedMap
from tests.schemas.feed import facts
from tests.schemas.hl7v2.writing import one, read, reasons, segment

LENALIDOMIDE = "643720^lenalidomide 25 mg^RXNORM"
DEXAMETHASONE = "3264^dexamethasone^RXNORM"


def rxd(**changes: str) -> str:
    given = {"_1": "1", "_2": LENALIDOMIDE, "_3": "20260302140000", "_4": "21", "_5": "cap", "_7": "RX-1"}
    return segment("RXD", **{**given, **changes})


def rxe(**changes: str) -> str:
    return segment("RXE", **{"_2": LENALIDOMIDE, "_3": "25", "_5": "mg", **changes})


def rxa(**changes: str) -> str:
    given = {"_1": "0", "_2": "1", "_3": "20260302090000", "_5": DEXAMETHASONE, "_6": "40", "_7": "mg", "_20": "CP"}
    return segment("RXA", **{**given, **changes})


def orc(control: str = "NW", **changes: str) -> str:
    return segment("ORC", **{"_1": control, "_2": "P-1", "_9": "20260302100000", **changes})


def dispense(*segments: str) -> Any:
    return one(read(orc("RE"), *segments, kind="RDS^O13"))


def order(*segments: str, kind: str = "RDE^O11", feed_map: FeedMap = STANDARD) -> Any:
    return one(read(*segments, kind=kind, feed_map=feed_map))


def test_a_dispense() -> None:
    fact = dispense("TQ1|1|25^mg|QD|||28^d", rxd())
    assert (fact.kind, fact.medicine, fact.strength_mg, fact.quantity) == (
        "medicine-dispensed",
        "lenalidomide",
        25,
        21,
    )
    assert (fact.dose_mg, fact.daily_dose_mg, fact.schedule, fact.days_supply) == (25, 25, Schedule.DAILY, 28)


@pytest.mark.parametrize(
    ("shows", "segments", "dose", "daily"),
    [
        ("a dose in mg", ("TQ1|1|25^mg|QD", rxd()), 25, 25),
        ("a dose in capsules", ("TQ1|1|1^cap|QD", rxd()), 25, 25),
        ("twice a day", ("TQ1|1|25^mg|BID", rxd()), 25, 50),
        ("the dose of the encoded order", (rxe(), "TQ1|1||QD", rxd()), 25, 25),
        ("a day's sum", (rxd(_12="25^mg"),), None, 25),
        ("a span of doses is none", (rxe(_4="50"), rxd()), None, None),
        ("a dose in words", ("TQ1|1|one^cap|QD", rxd()), None, None),
        ("no dose", (rxd(),), None, None),
    ],
)
def test_doses(shows: str, segments: tuple[str, ...], dose: int | None, daily: int | None) -> None:
    fact = dispense(*segments)
    assert (fact.dose_mg, fact.daily_dose_mg) == (dose, daily), shows


@pytest.mark.parametrize(
    ("pattern", "schedule", "times"),
    [
        ("QD", "daily", 1),
        ("qd", "daily", 1),
        ("QAM", "daily", 1),
        ("Q24H", "daily", 1),
        ("BID", "daily", 2),
        ("TID", "daily", 3),
        ("Q6H", "daily", 4),
        ("Q4H", "daily", 6),
        ("QOD", "alternate-days", 1),
        ("Q2D", "alternate-days", 1),
        ("Q1W", "weekly", 1),
        ("QJ3", "weekly", 1),
        ("Q2W", "other", None),
        ("Q5H", "other", None),
        ("PRN", "other", None),
        ("QD~QHS", "other", None),
        ("", None, None),
    ],
)
def test_repeat_patterns(pattern: str, schedule: str | None, times: int | None) -> None:
    fact = dispense(f"TQ1|1|10^mg|{pattern}", rxd())
    assert (fact.schedule, fact.daily_dose_mg) == (schedule, times * 10 if times else None)


@pytest.mark.parametrize(
    ("quantity", "units", "counted"),
    [
        ("21", "", 21),
        ("21", "CAP", 21),
        ("21", "385049006^capsule^SCT", 21),
        ("525", "mg", 21),
        ("530", "mg", None),
        ("21", "mL", None),
        ("<21", "cap", None),
        ("", "cap", None),
    ],
)
def test_quantities(quantity: str, units: str, counted: int | None) -> None:
    assert dispense(rxd(_4=quantity, _5=units)).quantity == counted


@pytest.mark.parametrize(
    ("span", "days"), [("28^d", 28), ("4^wk", 28), ("28", 28), ("3^D&day&ISO", 3), ("1^mo", None), ("1.5^d", None)]
)
def test_how_long_it_lasts(span: str, days: int | None) -> None:
    assert dispense(f"TQ1|1||QD|||{span}", rxd()).days_supply == days


@pytest.mark.parametrize(("span", "days"), [("D28", 28), ("W4", 28), ("M1", None), ("INDEF", None)])
def test_timing_as_it_was_before_tq1(span: str, days: int | None) -> None:
    fact = one(read(orc("RE", _7=f"25&mg^BID^{span}^20260302^20260330"), rxd(), kind="RDS^O01", _12="2.3"))
    assert (fact.dose_mg, fact.schedule, fact.daily_dose_mg, fact.days_supply) == (25, "daily", 50, days)


def test_strength_from_the_segment_where_the_code_has_none() -> None:
    fact = dispense(rxd(_2="342369^lenalidomide^RXNORM", _16="10", _17="mg"), "TQ1|1|1^cap|QD")
    assert (fact.strength_mg, fact.dose_mg) == (10, 10)
    assert dispense(rxd(_16="10", _17="mg")).strength_mg == 25


def test_two_dispenses_of_one_prescription_are_two_facts() -> None:
    """Many senders count every dispense as the first."""
    first, second = dispense(rxd()), dispense(rxd(_3="20260330140000"))
    assert first.fact_id != second.fact_id
    assert dispense(rxd(_3="20260302150000", _4="14")).fact_id == first.fact_id


@pytest.mark.parametrize(
    ("control", "state", "status"),
    [
        ("RE", "", FactStatus.FINAL),
        ("CA", "", FactStatus.WITHDRAWN),
        ("OC", "", FactStatus.WITHDRAWN),
        ("RE", "CA", FactStatus.WITHDRAWN),
        ("ZZ", "", FactStatus.PRELIMINARY),
        ("", "", FactStatus.PRELIMINARY),
    ],
)
def test_how_firm_a_dispense_is(control: str, state: str, status: FactStatus) -> None:
    assert one(read(orc(control, _5=state), rxd(), kind="RDS^O13")).status is status


def test_purpose_and_cycle_in_our_own_codes() -> None:
    fact = dispense(rxd(_21="purpose-prophylaxis^^99MYW~cycle-day-1^^99MYW"))
    assert (fact.purpose, fact.cycle_day_1) == ("prophylaxis", True)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ((rxd(_3=""),), "time-missing"),
        ((rxd(_3="20269901"),), "time-unreadable"),
    ],
)
def test_a_dispense_without_a_usable_time(segments: tuple[str, ...], reason: str) -> None:
    assert reasons(read(orc("RE"), *segments, kind="RDS^O13")) == [(reason, "RXD[1]")]


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ((rxd(_2="325850^Amoxicillin^NDC"),), "unknown-code"),
        ((rxd(_2="^lenalidomide"),), "unknown-code"),
        ((rxd(_2=DEXAMETHASONE), "RXR|OP^^HL70162"), "not-systemic"),
        ((rxd(_2=DEXAMETHASONE), "RXR|OP"), "not-systemic"),
        ((rxd(_2="S01BA01^dexamethasone^ATC"),), "not-systemic"),
    ],
)
def test_what_is_no_medicine_of_ours(segments: tuple[str, ...], reason: str) -> None:
    reading = read(orc("RE"), *segments, kind="RDS^O13")
    assert facts(reading) == []
    assert [each.reason.value for each in reading.ignored] == [reason]


def test_the_route_of_the_dispense_rules_over_that_of_the_order() -> None:
    fact = dispense(segment("RXO", _1=DEXAMETHASONE), "RXR|OP^^HL70162", rxd(_2=DEXAMETHASONE), "RXR|PO^^HL70162")
    assert fact.medicine == "dexamethasone"


# --- given


def test_a_dose_given() -> None:
    fact = one(read(orc("RE"), rxa(), kind="RAS^O17"))
    assert (fact.kind, fact.medicine, fact.dose_mg, fact.status) == (
        "medicine-administered",
        "dexamethasone",
        40,
        FactStatus.FINAL,
    )


def test_doses_that_are_all_counted_as_the_first_stay_apart() -> None:
    reading = read(orc("RE"), rxa(), rxa(_3="20260309090000"), kind="RAS^O17")
    assert len({fact.fact_id for fact in facts(reading)}) == 2


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"_20": ""}, FactStatus.FINAL),
        ({"_20": "PA"}, FactStatus.FINAL),
        ({"_20": "RE"}, FactStatus.WITHDRAWN),
        ({"_20": "NA"}, FactStatus.WITHDRAWN),
        ({"_20": "CP", "_21": "D"}, FactStatus.WITHDRAWN),
        ({"_20": "QQ"}, FactStatus.PRELIMINARY),
    ],
)
def test_how_firm_a_dose_is(fields: dict[str, str], status: FactStatus) -> None:
    assert one(read(orc("RE"), rxa(**fields), kind="RAS^O17")).status is status


def test_the_end_of_an_infusion() -> None:
    assert one(read(orc("RE"), rxa(_4="20260302100000"), kind="RAS^O17")).until is not None
    assert one(read(orc("RE"), rxa(_4="20260302090000"), kind="RAS^O17")).until is None


# --- ordered


@pytest.mark.parametrize(
    ("kind", "segments"),
    [
        ("RDE^O11", (orc(), rxe(), "TQ1|1||QD")),
        ("RDE^O25", (orc(), rxe(), "TQ1|1||QD")),
        ("RDE^O01", (orc(), rxe(_1="^QD"))),
        ("OMP^O09", (orc(), "TQ1|1||QD", segment("RXO", _1=LENALIDOMIDE, _2="25", _4="mg"))),
        ("ORM^O01", (orc(_7="^QD"), segment("RXO", _1=LENALIDOMIDE, _2="25", _4="mg"))),
    ],
)
def test_an_order_in_every_kind_of_message(kind: str, segments: tuple[str, ...]) -> None:
    fact = order(*segments, kind=kind)
    assert (fact.kind, fact.medicine, fact.dose_mg, fact.daily_dose_mg) == ("medicine-ordered", "lenalidomide", 25, 25)


def test_an_order_that_begins_and_ends() -> None:
    fact = order(orc(), rxe(), "TQ1|1||QD||||20260303|20260323")
    assert f"{fact.when.earliest:%d %H}" == "02 01"
    assert fact.until.latest.day == 23


def test_a_stopped_order_ends_when_it_was_stopped_and_keeps_its_beginning() -> None:
    begun = order(orc(), rxe(), "TQ1|1||QD")
    stopped = order(orc("DC", _9="20260310100000"), rxe(_32="20260302100000"), "TQ1|1||QD")
    assert (stopped.fact_id, stopped.when) == (begun.fact_id, begun.when)
    assert (stopped.status, f"{stopped.until.earliest:%d}") == (FactStatus.FINAL, "10")


def test_a_cancelled_order_was_never_there() -> None:
    assert order(orc("CA"), rxe()).status is FactStatus.WITHDRAWN


def test_the_number_of_units_of_an_order() -> None:
    assert order(orc(), rxe(_10="21", _11="cap"), "TQ1|1||QD|||21^d").quantity == Decimal(21)


def test_a_site_that_orders_when_it_hands_over() -> None:
    site = FeedMap(dispenses=("OMP^O09",))
    segments = (orc(), segment("RXO", _1=LENALIDOMIDE, _2="25", _4="mg", _11="21", _12="cap"))
    fact = order(*segments, kind="OMP^O09", feed_map=site)
    assert (fact.kind, fact.quantity) == ("medicine-dispensed", 21)


def test_a_medicine_taken_at_home() -> None:
    fact = order(orc("SN"), rxe(_27="taken-at-home^^99MYW"), "TQ1|1||QD||||20260110")
    assert (fact.kind, f"{fact.when.latest:%Y-%m-%d}") == ("medicine-taken-at-home", "2026-01-10")


def test_a_laboratory_order_is_not_a_medicine() -> None:
    reading = read(orc(), segment("OBR", _1="1", _2="P-1", _4="58410-2^CBC^LN"), kind="ORM^O01")
    assert [each.reason.value for each in reading.ignored] == ["not-clinical"]


def test_ingredients_are_one_medicine_only_where_the_table_says_so() -> None:
    parts = ("RXC|B|10180^^RXNORM", "RXC|B|10829^^RXNORM")
    assert order(orc(), rxe(_2="COT^^99PH"), *parts).medicine == "co-trimoxazole"
    reading = read(orc(), rxe(_2="MIX^^99PH"), "RXC|B|342369^^RXNORM", "RXC|B|1^^RXNORM", kind="RDE^O11")
    assert facts(reading) == []
