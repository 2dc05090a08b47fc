"""A value in any listed unit becomes the same canonical value, exactly; any other unit becomes none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import analyte, normalise, tables
from schemas.codes.normalising import normalise_result
from schemas.events import Comparator, ResultDoubt

COUNT_SPELLINGS = [
    *((unit, "1000") for unit in (
        "10*3/uL", "10^3/uL", "10*3/mm3", "x10E3/uL", "x10(3)/mcL", "K/uL", "k/uL", "K/mcL", "K/cumm", "k/cumm",
        "thou/uL", "Thousand/uL", "thou/mm3", "x10³/µL", "x10³/μL", "10*9/L", "10^9/L", "x10E9/L", "x10⁹/L",
        "bil/L", "G/L", "Gpt/L", "/nL", "Giga/L", "10*3 / uL", "X10E3/UL", "K/UL",
    )),
    *((unit, "1") for unit in (
        "/uL", "{cells}/uL", "cells/uL", "/mcL", "cells/mcL", "/mm3", "/cmm", "cells/mm3", "/cu mm", "10*6/L",
        "/µL", "/μL", "/mm³",
    )),
    *((unit, "10000") for unit in ("10*4/uL", "万/µL", "x10^4", "10^4/uL", "x10⁴/µL")),
    *((unit, "100") for unit in ("10*2/uL", "10^2/uL")),
    *((unit, "0.000001") for unit in ("cells/L", "/L")),
]  # fmt: skip


@pytest.mark.parametrize(("unit", "factor"), COUNT_SPELLINGS)
def test_every_spelling_of_a_count_has_its_factor(unit: str, factor: str) -> None:
    count = Decimal(2400)
    assert normalise(analyte("platelets"), count / Decimal(factor), unit) == (count, None)


@pytest.mark.parametrize(
    ("shows", "unit"),
    [
        ("grams are not giga", "g/L"),
        ("kelvin alone", "K"),
        ("international units are no cells", "[IU]/L"),
        ("a percentage is not a count", "%"),
        ("milligrams", "mg/dL"),
        ("litre of microlitres", "uL"),
        ("a word", "normal"),
        ("a power that is not listed", "10*5/uL"),
    ],
)
def test_a_unit_that_is_not_listed_is_not_guessed(shows: str, unit: str) -> None:
    assert normalise(analyte("anc"), Decimal("0.9"), unit) == (None, ResultDoubt.UNIT_UNKNOWN), shows


@pytest.mark.parametrize("unit", [None, "", "  "])
def test_a_missing_unit_is_not_guessed(unit: str | None) -> None:
    assert normalise(analyte("anc"), Decimal("1.2"), unit) == (None, ResultDoubt.UNIT_MISSING)


@pytest.mark.parametrize(
    ("name", "value", "unit", "canonical"),
    [
        ("haemoglobin", "80", "g/L", "8"),
        ("haemoglobin", "5", "mmol/L", "8.057"),
        ("haemoglobin", "8.0", "G/DL", "8"),
        ("creatinine", "88.4", "umol/L", "1"),
        ("creatinine", "88.4", "µmol/L", "1"),
        ("creatinine", "0.0884", "mmol/L", "1"),
        ("creatinine", "1.2", "MG/DL", "1.2"),
        ("bilirubin", "17.1", "umol/L", "1"),
        ("calcium", "2.5", "mmol/L", "10.02"),
        ("urate", "594.8", "umol/L", "10"),
        ("alt", "2", "ukat/L", "120"),
        ("alt", "40", "UNITS/L", "40"),
        ("ft4", "12.87", "pmol/L", "1"),
        ("tsh", "4.5", "uIU/mL", "4.5"),
        ("tsh", "4.5", "mIU/L", "4.5"),
        ("tsh", "4.5", "mcU/mL", "4.5"),
        ("hcg", "25", "IU/L", "25"),
        ("temperature", "100.94", "[degF]", "38.3"),
        ("temperature", "38.3", "°C", "38.3"),
        ("weight", "100", "[lb_av]", "45.359237"),
        ("weight", "61000", "g", "61"),
        ("height", "1.68", "m", "168"),
        ("inr", "2.5", None, "2.5"),
        ("inr", "2.5", "{INR}", "2.5"),
        ("egfr", "55", "mL/min/1.73.m2", "55"),
        ("potassium", "5.1", "mEq/L", "5.1"),
        ("ecog", "2", None, "2"),
    ],
)
def test_other_conversions(name: str, value: str, unit: str | None, canonical: str) -> None:
    assert normalise(analyte(name), Decimal(value), unit) == (Decimal(canonical), None)


@pytest.mark.parametrize(
    ("shows", "name", "value", "unit"),
    [
        (
            "a filtration rate per body surface is not a clearance",
            "creatinine-clearance-reported",
            "60",
            "mL/min/{1.73_m2}",
        ),
        ("a clearance is not a filtration rate per body surface", "egfr", "60", "mL/min"),
        ("enzyme units are not milli-units", "tsh", "4", "[IU]/L"),
        ("kelvin is no body temperature of ours", "temperature", "310", "K"),
        ("mass of a hormone measured in units", "hcg", "5", "ng/mL"),
    ],
)
def test_traps_of_like_units(shows: str, name: str, value: str, unit: str) -> None:
    assert normalise(analyte(name), Decimal(value), unit) == (None, ResultDoubt.UNIT_UNKNOWN), shows


@pytest.mark.parametrize(
    ("shows", "name", "value", "unit", "is_plausible"),
    [
        ("highest neutrophil count", "anc", "200000", "/uL", True),
        ("above it", "anc", "200001", "/uL", False),
        ("zero is not missing", "anc", "0", "10*9/L", True),
        ("negative", "anc", "-1", "/uL", False),
        ("a literal count per litre is impossible", "anc", "1000", "cells/L", False),
        ("a true count per litre", "anc", "900000000", "/L", True),
        ("less than one cell", "platelets", "0.0005", "10*9/L", False),
        ("lowest haemoglobin", "haemoglobin", "2", "g/dL", True),
        ("below it", "haemoglobin", "1.9", "g/dL", False),
        ("grams per litre sent as per decilitre", "haemoglobin", "120", "g/dL", False),
        ("micromoles sent as milligrams", "creatinine", "88", "mg/dL", False),
        ("highest creatinine", "creatinine", "25", "mg/dL", True),
        ("Fahrenheit sent as Celsius", "temperature", "101", "Cel", False),
        ("warmest", "temperature", "45", "Cel", True),
        ("lightest adult", "weight", "25", "kg", True),
        ("a child", "weight", "24.9", "kg", False),
        ("platelets at the gate", "platelets", "3000", "10*9/L", True),
        ("leukocytes at the gate", "wbc", "500", "10*9/L", True),
        ("leukocytes past it", "wbc", "501", "10*9/L", False),
        ("INR at its lowest", "inr", "0.5", None, True),
        ("INR past its highest", "inr", "20.1", None, False),
    ],
)
def test_plausibility_gates(shows: str, name: str, value: str, unit: str | None, is_plausible: bool) -> None:
    canonical, doubt = normalise(analyte(name), Decimal(value), unit)
    assert (doubt is None, canonical is None) == (is_plausible, not is_plausible), shows
    assert is_plausible or doubt is ResultDoubt.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("shows", "name", "value", "unit", "could"),
    [
        ("1.2 may be 1.2 cells", "anc", "1.2", None, True),
        ("0.4 may be 400", "anc", "0.4", "banana", True),
        ("5,000 is above the limit under every plausible reading", "anc", "5000", None, False),
        ("900 may be 900 cells", "anc", "900", None, True),
        (
            "exactly the limit is not below it, a hundredth of it would need an unlisted unit",
            "anc",
            "1000",
            None,
            False,
        ),
        ("platelets 150 may be 150 cells", "platelets", "150", None, True),
        ("platelets 49,999", "platelets", "49999", None, True),
        ("platelets 50,000", "platelets", "50000", None, False),
        ("leukocytes bound the neutrophils", "wbc", "0.8", None, True),
        ("haemoglobin has no such limit", "haemoglobin", "7", None, False),
    ],
)
def test_an_unread_unit_that_could_hide_a_hold_is_urgent(
    shows: str, name: str, value: str, unit: str | None, could: bool
) -> None:
    assert normalise_result(analyte(name), Decimal(value), unit).could_breach is could, shows


def test_a_listed_unit_is_never_marked_as_hiding_a_hold() -> None:
    assert normalise_result(analyte("anc"), Decimal("0.1"), "10*9/L").could_breach is False


def test_below_the_lowest_possible_value_is_implausible() -> None:
    assert normalise_result(analyte("anc"), Decimal(0), "/uL", Comparator.LESS).doubt is ResultDoubt.IMPLAUSIBLE
    assert normalise_result(analyte("anc"), Decimal("0.1"), "10*9/L", Comparator.LESS).value == 100


def test_no_value_is_ever_rounded() -> None:
    value, _ = normalise(analyte("anc"), Decimal("0.999999999999"), "10*9/L")
    assert value == Decimal("999.999999999")
    assert value < 1000


@given(st.integers(min_value=1, max_value=2_000_000), st.integers(0, 3))
def test_a_unit_change_that_keeps_the_quantity_changes_nothing(cells: int, zeros: int) -> None:
    """Equal quantities give equal values and equal text, whatever unit and trailing zeros they came with."""
    texts = set()
    for conversion in analyte("platelets").units.conversions:  # type: ignore[union-attr]
        sent = Decimal(cells) / conversion.multiply
        padded = Decimal(f"{sent:f}" + ("." if "." not in f"{sent:f}" else "") + "0" * zeros)
        texts.add(str(conversion.convert(padded)))
    assert texts == {str(cells)}


@given(
    st.sampled_from(sorted(tables().analytes)),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.text(max_size=12),
)
def test_every_number_and_unit_gets_a_value_or_a_doubt(name: str, value: Decimal, unit: str) -> None:
    canonical, doubt = normalise(analyte(name), value, unit)
    assert (canonical is None) != (doubt is None)


def test_every_spelling_in_the_tables_is_found_in_any_case() -> None:
    """Upper case is how many laboratories print; only a spelling whose case carries meaning may refuse it."""
    for entry in tables().analytes.values():
        if entry.units is None:
            continue
        for spelling, conversion in entry.units.exact.items():
            assert entry.units.find(spelling) == conversion
            assert entry.units.find(spelling.upper()) in (conversion, None)
