"""The marrow model: falls and comes back as counts under treatment do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.simulator.marrow import CellLine, MarrowParameters, effect_for_nadir, nadir_per_ul

NEUTROPHILS = MarrowParameters(3_300.0, 5.2, 0.17, 0.065)
PLATELETS = MarrowParameters(215_000.0, 7.5, 0.15, 0.05)


def counts(parameters: MarrowParameters, daily_dose_mg: float, days: int) -> list[float]:
    """Count on each morning of a first cycle of 21 dosing days, then without treatment."""
    line = CellLine(parameters)
    seen = []
    for day in range(days):
        seen.append(line.count_per_ul)
        line.live(1.0, daily_dose_mg if day < 21 else 0.0)
    return seen


def test_nothing_changes_without_a_drug() -> None:
    assert counts(NEUTROPHILS, 0.0, 200)[-1] == pytest.approx(3_300.0)


@pytest.mark.parametrize(("line", "earliest", "latest"), [(NEUTROPHILS, 14, 26), (PLATELETS, 17, 30)])
def test_the_nadir_comes_late_in_the_cycle_and_counts_recover(
    line: MarrowParameters, earliest: int, latest: int
) -> None:
    seen = counts(line, 25.0, 60)
    nadir = min(seen)
    assert earliest <= seen.index(nadir) <= latest
    assert 0.4 * seen[0] < nadir < 0.85 * seen[0]
    assert seen[40] > 0.9 * seen[0]
    assert all(0.4 * seen[0] < count < 1.6 * seen[0] for count in seen)


def test_a_higher_dose_never_gives_a_higher_nadir() -> None:
    nadirs = [nadir_per_ul(NEUTROPHILS, dose) for dose in (0, 5, 10, 15, 20, 25)]
    assert nadirs == sorted(nadirs, reverse=True)
    assert len(set(nadirs)) == len(nadirs)


@pytest.mark.parametrize("dose", [10.0, 25.0])
@pytest.mark.parametrize("target", [300.0, 700.0, 1_500.0])
def test_an_effect_is_found_for_a_nadir(target: float, dose: float) -> None:
    aimed = replace(NEUTROPHILS, effect_at_reference_dose=effect_for_nadir(NEUTROPHILS, target, dose))
    assert nadir_per_ul(aimed, dose) == pytest.approx(target, rel=0.02)


def test_growth_factor_shortens_recovery_and_a_transfusion_lifts_at_once() -> None:
    plain, helped = CellLine(NEUTROPHILS), CellLine(NEUTROPHILS)
    for line in (plain, helped):
        line.live(21.0, 75.0)
    plain.live(10.0, 0.0)
    helped.live(5.0, 0.0, growth_factor=0.35)
    helped.live(5.0, 0.0)
    assert helped.count_per_ul > plain.count_per_ul
    before = plain.count_per_ul
    plain.transfuse(1_000.0)
    assert plain.count_per_ul == pytest.approx(before + 1_000.0)
