"""How counts fall under treatment and come back: a small model of the bone marrow.

The structure is the semi-mechanistic model of myelosuppression of Friberg, Henningsson, Maas,
Nguyen and Karlsson (J Clin Oncol 2002;20:4713-4721): one compartment of dividing cells, three
transit compartments of maturing cells, one of circulating cells, and a feedback by which low
circulating counts speed up division. One instance follows one cell line (neutrophils or
platelets) of one synthetic patient.

The numbers below are **synthetic: chosen so that courses look plausible, no patient data**. They
are of the order that the paper prints for the structure (transit of about five days, feedback of
about 0.16), and nothing clinical is decided on them: the rules never see this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STEP_DAYS = 0.25
"""Length of one explicit Euler step, days. Transit runs at about 0.8 a day, so 0.25 is well inside stability."""

TRANSIT_COMPARTMENTS = 3
"""Number of maturation steps between division and blood (structure of the 2002 paper)."""

REFERENCE_DOSE_MG = 25.0
"""Daily dose, mg, that `effect_at_reference_dose` refers to: the first step of the dose ladder."""

EFFECT_MAX = 0.95
"""Largest share of division a drug may stop, so that a marrow never dies out. Synthetic: chosen."""

COUNT_FLOOR_SHARE = 1e-3
"""Smallest circulating share of baseline, so that the feedback stays finite. Synthetic: chosen."""


@dataclass(frozen=True, slots=True)
class MarrowParameters:
    """One cell line of one synthetic patient; every value is synthetic, chosen without patient data."""

    baseline_per_ul: float
    """Circulating count without treatment, cells/uL."""
    transit_days: float
    """Mean transit time from division to blood, days."""
    feedback: float
    """Exponent gamma of the feedback (baseline / count) ** gamma; dimensionless."""
    effect_at_reference_dose: float
    """Share of division that 25 mg a day stops; linear in the dose; dimensionless, 0 to 0.95."""


@dataclass(frozen=True, slots=True)
class PopulationSpread:
    """Median and spread (standard deviation of the logarithm) from which a parameter is drawn."""

    median: float
    log_sd: float
    low: float
    high: float


NEUTROPHILS: dict[str, PopulationSpread] = {
    # Synthetic: chosen, no patient data. cells/uL; pre-treated adults, a little below healthy values.
    "baseline_per_ul": PopulationSpread(3300.0, 0.22, 2300.0, 6500.0),
    # Synthetic: chosen, of the order of Friberg 2002. days.
    "transit_days": PopulationSpread(5.2, 0.12, 4.0, 7.0),
    # Synthetic: chosen, of the order of Friberg 2002. dimensionless.
    "feedback": PopulationSpread(0.17, 0.08, 0.13, 0.22),
    # Synthetic: chosen so that an ordinary nadir is about two thirds of baseline. dimensionless.
    "effect_at_reference_dose": PopulationSpread(0.065, 0.30, 0.02, 0.12),
}

PLATELETS: dict[str, PopulationSpread] = {
    # Synthetic: chosen, no patient data. cells/uL.
    "baseline_per_ul": PopulationSpread(215_000.0, 0.18, 150_000.0, 380_000.0),
    # Synthetic: chosen; platelets come later and stay longer than neutrophils. days.
    "transit_days": PopulationSpread(6.6, 0.08, 5.6, 8.0),
    # Synthetic: chosen. dimensionless.
    "feedback": PopulationSpread(0.15, 0.08, 0.12, 0.19),
    # Synthetic: chosen so that an ordinary nadir is about three quarters of baseline. dimensionless.
    "effect_at_reference_dose": PopulationSpread(0.05, 0.30, 0.015, 0.09),
}


@dataclass(slots=True)
class CellLine:
    """The state of one cell line, in shares of its baseline; starts in balance, undisturbed."""

    parameters: MarrowParameters
    dividing: float = 1.0
    transit: list[float] = field(default_factory=lambda: [1.0] * TRANSIT_COMPARTMENTS)
    circulating: float = 1.0

    @property
    def count_per_ul(self) -> float:
        """Circulating cells/uL now."""
        return self.circulating * self.parameters.baseline_per_ul

    def live(self, days: float, daily_dose_mg: float, *, growth_factor: float = 0.0) -> None:
        """Let `days` pass at one daily dose; `growth_factor` adds that share to division (G-CSF)."""
        for _ in range(round(days / STEP_DAYS)):
            self._step(daily_dose_mg, growth_factor)

    def transfuse(self, cells_per_ul: float) -> None:
        """Add circulating cells at once (platelet transfusion)."""
        self.circulating += cells_per_ul / self.parameters.baseline_per_ul

    def _step(self, daily_dose_mg: float, growth_factor: float) -> None:
        rate = (TRANSIT_COMPARTMENTS + 1) / self.parameters.transit_days
        effect = min(EFFECT_MAX, self.parameters.effect_at_reference_dose * daily_dose_mg / REFERENCE_DOSE_MG)
        feedback = max(self.circulating, COUNT_FLOOR_SHARE) ** -self.parameters.feedback
        moved = rate * STEP_DAYS
        first, second, third = self.transit
        born = moved * self.dividing * (1.0 - effect) * (1.0 + growth_factor) * feedback
        self.circulating += moved * (third - self.circulating)
        self.transit = [
            first + moved * (self.dividing - first),
            second + moved * (first - second),
            third + moved * (second - third),
        ]
        self.dividing += born - moved * self.dividing


def nadir_per_ul(
    parameters: MarrowParameters, daily_dose_mg: float, days_on: int = 21, days_watched: int = 28
) -> float:
    """Lowest count of a first cycle at this dose, cells/uL."""
    line = CellLine(parameters)
    lowest = line.count_per_ul
    for day in range(days_watched):
        line.live(1.0, daily_dose_mg if day < days_on else 0.0)
        lowest = min(lowest, line.count_per_ul)
    return lowest


def effect_for_nadir(parameters: MarrowParameters, target_per_ul: float, daily_dose_mg: float) -> float:
    """The drug effect that brings the first nadir to the target, found by halving; 0 to 0.95."""
    low, high = 0.0, EFFECT_MAX
    for _ in range(12):
        middle = (low + high) / 2
        tried = MarrowParameters(
            parameters.baseline_per_ul,
            parameters.transit_days,
            parameters.feedback,
            middle * REFERENCE_DOSE_MG / daily_dose_mg,
        )
        if nadir_per_ul(tried, daily_dose_mg) > target_per_ul:
            low = middle
        else:
            high = middle
    return (low + high) / 2 * REFERENCE_DOSE_MG / daily_dose_mg
