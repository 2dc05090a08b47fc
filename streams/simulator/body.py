"""A synthetic patient's blood over time: two cell lines, and what the patient took on which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from streams.simulator import practice
from streams.simulator.marrow import CellLine
from streams.simulator.people import Person


@dataclass(slots=True)
class _Taking:
    """Lenalidomide taken from one day up to (not including) another."""

    first: date
    end: date
    dose_mg: int


class Body:
    """Lives one day at a time, up to the day that is asked for."""

    def __init__(self, person: Person, since: date) -> None:
        self._neutrophils = CellLine(person.neutrophils)
        self._platelets = CellLine(person.platelets)
        self._lived_until = since
        self._taking: list[_Taking] = []
        self._helped_until: date | None = None

    def take_lenalidomide(self, first: date, days: int, dose_mg: int) -> None:
        """Take this daily dose on `days` days from `first` on."""
        self._taking.append(_Taking(first, first + timedelta(days=days), dose_mg))

    def stop_lenalidomide(self, day: date) -> None:
        """Take no more from this day on."""
        for taking in self._taking:
            taking.end = min(taking.end, max(taking.first, day))

    def is_helped_on(self, day: date) -> bool:
        """Whether a growth factor is being given."""
        return self._helped_until is not None and day < self._helped_until

    def help_with_growth_factor(self, until: date) -> None:
        """Growth factor until (not including) this day."""
        self._helped_until = until

    def transfuse_platelets(self) -> None:
        """One platelet transfusion."""
        self._platelets.transfuse(practice.TRANSFUSION_GAIN_PER_UL)

    def counts_on(self, day: date) -> tuple[float, float]:
        """Neutrophils and platelets, cells/uL, on the morning of this day; days only go forward."""
        while self._lived_until < day:
            today = self._lived_until
            dose = float(sum(taking.dose_mg for taking in self._taking if taking.first <= today < taking.end))
            growth_factor = practice.GROWTH_FACTOR_EFFECT if self.is_helped_on(today) else 0.0
            self._neutrophils.live(1.0, dose, growth_factor=growth_factor)
            self._platelets.live(1.0, dose)
            self._lived_until = today + timedelta(days=1)
        return self._neutrophils.count_per_ul, self._platelets.count_per_ul
