"""Synthetic people: drawn from a seed, with no name and no real counterpart.

Every distribution here is synthetic, chosen so that a ward looks plausible; no patient data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Final, Literal

from streams.simulator.happenings import Mishap
from streams.simulator.marrow import (
    NEUTROPHILS,
    PLATELETS,
    MarrowParameters,
    PopulationSpread,
    effect_for_nadir,
    nadir_per_ul,
)

AUTHORITY: Final = "urn:myelowatch:synthetic-ward"
"""Who assigned the numbers of synthetic patients."""

START_DOSE_MG: Final = 25
START_DOSE_RENAL_MG: Final = 10
"""Starting doses by renal band, mg (clinical reference 3.5: from 60 mL/min, and 30 to below 50 mL/min)."""

AGE_OF_VTE_RISK: Final = 75
AGE_OF_HALF_DEXAMETHASONE: Final = 76
"""Completed years from which age counts as a clot risk (1.6), and from which dexamethasone is halved (1.3)."""

# Nadirs to aim for where a mishap needs one, cells/uL. Synthetic: chosen around the limits of clinical reference 3.1, 3.2.
_SEVERE_NEUTROPENIA = (260.0, 440.0)
_MODERATE_NEUTROPENIA = (640.0, 820.0)
_SEVERE_THROMBOCYTOPENIA = (12_000.0, 20_000.0)
_MILD_THROMBOCYTOPENIA = (58_000.0, 78_000.0)
_ORDINARY_NEUTROPHIL_NADIR = 1_500.0
_ORDINARY_PLATELET_NADIR = 125_000.0

_TARGETS: Final[dict[Mishap, tuple[float, float]]] = {
    Mishap.FALLING_COUNTS: _SEVERE_NEUTROPENIA,
    Mishap.DISPENSE_DURING_HOLD: _SEVERE_NEUTROPENIA,
    Mishap.PRELIMINARY_THEN_FINAL: _SEVERE_NEUTROPENIA,
    Mishap.FEVER: _MODERATE_NEUTROPENIA,
    Mishap.RELAPSING_NEUTROPENIA: _MODERATE_NEUTROPENIA,
}
_PLATELET_TARGETS: Final[dict[Mishap, tuple[float, float]]] = {
    Mishap.PLATELET_FALL: _SEVERE_THROMBOCYTOPENIA,
    Mishap.LOW_PLATELETS_ON_ASPIRIN: _MILD_THROMBOCYTOPENIA,
}


class ClotRisk(StrEnum):
    """The tier of venous thromboembolism prevention a synthetic clinician sees (clinical reference 1.6)."""

    RECENT_THROMBOSIS = "recent-thrombosis"
    """Tier 1: a low-molecular-weight heparin for four cycles, then aspirin."""
    RAISED = "raised"
    """Tier 2: aspirin."""
    ORDINARY = "ordinary"
    """Tier 3: no drug."""


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic patient as drawn, before anything happens."""

    id: str
    sex: Literal["female", "male"]
    birth: date
    weight_kg: float
    height_cm: float
    creatinine_mg_dl: float
    has_kidney_disease: bool
    clot_risk: ClotRisk
    had_thrombosis_on: date | None
    neutrophils: MarrowParameters
    platelets: MarrowParameters
    start_dose_mg: int
    has_weekly_counts: bool
    """The ward takes counts every week in the first cycles, more often than the guideline asks."""
    can_become_pregnant: bool = False
    """She follows the pregnancy prevention programme. Women drawn for a ward are past their menopause."""
    is_given_aspirin: bool = False
    """Aspirin whatever the risk, as the labels ask for."""

    def age_on(self, day: date) -> int:
        """Completed years."""
        return day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))


def draw_person(identifier: str, chance: Random, first_dose_on: date, mishaps: frozenset[Mishap]) -> Person:
    """Draw a person to whom the given mishaps can happen; everyone else's counts stay above every limit."""
    sex: Literal["female", "male"] = chance.choice(("female", "male"))
    clot_risk = _draw_clot_risk(chance, mishaps)
    is_old = clot_risk is ClotRisk.RAISED and chance.random() < 0.5
    age = chance.randint(AGE_OF_VTE_RISK, 83) if is_old else chance.randint(52, 73)
    birth = date(first_dose_on.year - age, 1, 1) - timedelta(days=chance.randint(20, 340))
    has_kidney_disease = clot_risk is ClotRisk.RAISED and not is_old and not mishaps and chance.random() < 0.5
    had_thrombosis_on = None
    if clot_risk is ClotRisk.RECENT_THROMBOSIS:
        had_thrombosis_on = first_dose_on - timedelta(days=chance.randint(40, 70))
    elif clot_risk is ClotRisk.RAISED and not is_old and not has_kidney_disease:
        had_thrombosis_on = first_dose_on - timedelta(days=chance.randint(700, 2500))
    height_cm = round(chance.gauss(158.0 if sex == "female" else 170.0, 5.0), 0)
    weight_kg = round((height_cm / 100) ** 2 * chance.uniform(20.5, 26.5), 1)
    clearance = chance.uniform(36.0, 46.0) if has_kidney_disease else chance.uniform(78.0, 110.0)
    start_dose_mg = START_DOSE_RENAL_MG if has_kidney_disease else START_DOSE_MG
    neutrophils, platelets = _draw_marrow(chance, mishaps, start_dose_mg)
    person = Person(
        id=identifier,
        sex=sex,
        birth=birth,
        weight_kg=weight_kg,
        height_cm=height_cm,
        creatinine_mg_dl=1.0,
        has_kidney_disease=has_kidney_disease,
        clot_risk=clot_risk,
        had_thrombosis_on=had_thrombosis_on,
        neutrophils=neutrophils,
        platelets=platelets,
        start_dose_mg=start_dose_mg,
        has_weekly_counts=_needs_weekly_counts(chance, mishaps, has_kidney_disease),
    )
    return replace(person, creatinine_mg_dl=creatinine_for(person, clearance, first_dose_on))


def creatinine_for(person: Person, clearance_ml_min: float, on: date) -> float:
    """The serum creatinine that gives this clearance (Cockcroft and Gault 1976, solved for creatinine), mg/dL."""
    factor = 0.85 if person.sex == "female" else 1.0
    return round((140 - person.age_on(on)) * person.weight_kg * factor / (72 * clearance_ml_min), 2)


def steady_person(
    identifier: str,
    sex: Literal["female", "male"],
    first_dose_on: date,
    *,
    can_become_pregnant: bool = False,
    is_by_label: bool = False,
) -> Person:
    """Someone whose counts hardly move and who has no risk factor: treatment by the book.

    `is_by_label`: the book is a label, which asks for weekly counts at first and for aspirin.
    """
    person = Person(
        id=identifier,
        sex=sex,
        birth=date(first_dose_on.year - (41 if can_become_pregnant else 62), 3, 14),
        weight_kg=58.0 if sex == "female" else 70.0,
        height_cm=160.0 if sex == "female" else 172.0,
        creatinine_mg_dl=1.0,
        has_kidney_disease=False,
        clot_risk=ClotRisk.ORDINARY,
        had_thrombosis_on=None,
        neutrophils=MarrowParameters(3600.0, 5.2, 0.17, 0.03),
        platelets=MarrowParameters(230_000.0, 7.5, 0.20, 0.02),
        start_dose_mg=START_DOSE_MG,
        has_weekly_counts=is_by_label,
        can_become_pregnant=can_become_pregnant,
        is_given_aspirin=is_by_label,
    )
    return replace(person, creatinine_mg_dl=creatinine_for(person, 95.0, first_dose_on))


def _draw_clot_risk(chance: Random, mishaps: frozenset[Mishap]) -> ClotRisk:
    drawn = chance.random()
    if Mishap.LOW_PLATELETS_ON_ASPIRIN in mishaps:
        return ClotRisk.RAISED
    if Mishap.FORGOTTEN_VTE_PROPHYLAXIS in mishaps:
        return ClotRisk.RECENT_THROMBOSIS if drawn < 0.4 else ClotRisk.RAISED
    if drawn < 0.06:
        return ClotRisk.RECENT_THROMBOSIS
    return ClotRisk.RAISED if drawn < 0.36 else ClotRisk.ORDINARY


def _needs_weekly_counts(chance: Random, mishaps: frozenset[Mishap], has_kidney_disease: bool) -> bool:
    drawn = chance.random() < 0.4
    if mishaps & {Mishap.MISSED_CBC, Mishap.DELAYED_REPORT, Mishap.LATE_RESULT}:
        return False
    return drawn or has_kidney_disease or bool(mishaps & {*_TARGETS, *_PLATELET_TARGETS})


def _draw_marrow(
    chance: Random, mishaps: frozenset[Mishap], start_dose_mg: int
) -> tuple[MarrowParameters, MarrowParameters]:
    neutrophils = _draw_line(chance, NEUTROPHILS)
    platelets = _draw_line(chance, PLATELETS)
    return (
        _aimed(chance, neutrophils, mishaps, _TARGETS, _ORDINARY_NEUTROPHIL_NADIR, start_dose_mg),
        _aimed(chance, platelets, mishaps, _PLATELET_TARGETS, _ORDINARY_PLATELET_NADIR, start_dose_mg),
    )


def _draw_line(chance: Random, spreads: dict[str, PopulationSpread]) -> MarrowParameters:
    drawn = {name: _draw(chance, spread) for name, spread in spreads.items()}
    return MarrowParameters(**drawn)


def _draw(chance: Random, spread: PopulationSpread) -> float:
    value = spread.median * math.exp(chance.gauss(0.0, spread.log_sd))
    return min(spread.high, max(spread.low, value))


def _aimed(
    chance: Random,
    line: MarrowParameters,
    mishaps: frozenset[Mishap],
    targets: dict[Mishap, tuple[float, float]],
    ordinary_nadir: float,
    dose_mg: int,
) -> MarrowParameters:
    """Make the drug effect fit: the nadir a mishap needs, or one above every limit."""
    for mishap, (low, high) in targets.items():
        if mishap in mishaps:
            target = chance.uniform(low, high)
            return replace(line, effect_at_reference_dose=effect_for_nadir(line, target, dose_mg))
    if nadir_per_ul(line, dose_mg) >= ordinary_nadir:
        return line
    return replace(line, effect_at_reference_dose=effect_for_nadir(line, ordinary_nadir, dose_mg))
