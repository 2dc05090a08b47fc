"""Published formulas against the worked examples of the clinical reference, part 5."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.equations import (
    correct_calcium_for_albumin_1973,
    deindex_gfr,
    estimate_body_mass_index,
    estimate_body_surface_mosteller_1987,
    estimate_creatinine_clearance_cockcroft_gault_1976,
    estimate_gfr_ckd_epi_2021,
    estimate_gfr_mdrd_2006,
)
from tests.rules.bedside import lenalidomide, person, result, view

D = Decimal


@pytest.mark.parametrize(
    ("shows", "creatinine", "clearance"),
    [
        ("creatinine 1.0", "1.0", "60"),
        ("creatinine 1.2 is 50 exactly, where floats are not", "1.2", "50"),
        ("creatinine 2.0 is 30 exactly", "2.0", "30"),
        ("creatinine 2.4", "2.4", "25"),
    ],
)
def test_man_of_68_and_60_kg(shows: str, creatinine: str, clearance: str) -> None:
    value = estimate_creatinine_clearance_cockcroft_gault_1976(68, D(60), D(creatinine), is_female=False)
    assert value == D(clearance)


def test_woman_of_80_and_45_kg() -> None:
    clearance = estimate_creatinine_clearance_cockcroft_gault_1976(80, D(45), D("0.9"), is_female=True)
    surface = estimate_body_surface_mosteller_1987(D(150), D(45))
    mdrd = estimate_gfr_mdrd_2006(80, D("0.9"), is_female=True)
    assert round(clearance, 1) == D("35.4")
    assert round(mdrd, 1) == D("60.2")
    assert round(deindex_gfr(mdrd, surface), 1) == D("47.7")
    assert round(estimate_gfr_ckd_epi_2021(80, D("0.9"), is_female=True), 1) == D("64.6")


def test_a_man_has_the_other_coefficients() -> None:
    woman = estimate_gfr_ckd_epi_2021(60, D("1.1"), is_female=True)
    man = estimate_gfr_ckd_epi_2021(60, D("1.1"), is_female=False)
    assert woman < man
    assert estimate_gfr_mdrd_2006(60, D("1.1"), is_female=False) * D("0.742") == estimate_gfr_mdrd_2006(
        60, D("1.1"), is_female=True
    )


def test_small_formulas() -> None:
    assert estimate_body_mass_index(D(150), D(45)) == D(20)
    assert correct_calcium_for_albumin_1973(D("8.0"), D("2.5")) == D("9.20")


@pytest.mark.parametrize(
    ("shows", "facts", "missing"),
    [
        ("all there", [person(), result("weight", "60", -1), result("creatinine", "1.2", -1)], ()),
        ("no weight", [person(), result("creatinine", "1.2", -1)], ("weight",)),
        ("no creatinine", [person(), result("weight", "60", -1)], ("creatinine",)),
        ("a creatinine that is a bound", [person(), result("weight", "60", -1), result("creatinine", "0.2", -1, bound="<")], ("creatinine",)),
        ("nobody described", [result("weight", "60", -1), result("creatinine", "1.2", -1)], ("birth date", "sex")),
        ("sex not said", [person(sex="unknown"), result("weight", "60", -1), result("creatinine", "1.2", -1)], ("sex",)),
        ("a child", [person("2010-01-01"), result("weight", "60", -1), result("creatinine", "1.2", -1)], ("age outside 18 to 100 years",)),
    ],
)  # fmt: skip
def test_clearance_says_what_it_lacks(shows: str, facts: list[object], missing: tuple[str, ...]) -> None:
    seen = view(facts, lenalidomide(1), day=2)  # type: ignore[arg-type]
    assert seen.clearance_missing == missing
    assert (seen.clearance is None) is bool(missing)
    if seen.clearance is not None:
        assert seen.clearance.ml_per_min == D(50)
