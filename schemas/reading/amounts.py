"""Amounts of a medicine: masses in mg, counted units, whole days. Spellings are a closed list, as for every unit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

_MASS_MG: Final = {
    "mg": Decimal(1),
    "milligram": Decimal(1),
    "milligrams": Decimal(1),
    "g": Decimal(1000),
    "ug": Decimal("0.001"),
    "mcg": Decimal("0.001"),
    "µg": Decimal("0.001"),
    "μg": Decimal("0.001"),
}
"""SI prefixes: a definition, not a clinical number."""
_COUNTED: Final = frozenset(
    {
        *("", "1", "each", "ea", "unit", "units", "capsule", "capsules", "cap", "caps", "tablet", "tablets"),
        *("tab", "tabs", "syringe", "syringes", "pill", "pills", "sachet", "sachets", "orcap", "ortab", "sol"),
        *("doses", "dose", "캡슐", "정", "개"),
    }
)
_DAYS: Final = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7, "": 1, "일": 1, "주": 7}
_MOST_DAYS: Final = 1000
"""A supply beyond this is a typing error: no medicine is handed over for three years."""


def mass_in_mg(value: Decimal, units: Iterable[str]) -> Decimal | None:
    """A mass in mg; None where no spelling is a mass, or two spellings contradict each other."""
    factors = {factor for unit in units if (factor := _MASS_MG.get(unit.strip().lower())) is not None}
    return value * factors.pop() if len(factors) == 1 else None


def counts_units(units: Iterable[str]) -> bool:
    """Whether a quantity counts units (capsules, syringes) rather than measures an amount."""
    spelled = tuple(units)
    return not spelled or any(unit.strip().strip("{}[]").lower() in _COUNTED for unit in spelled)


def whole_days(value: Decimal, units: Iterable[str]) -> int | None:
    """Whole days of a duration in days or weeks; days where no unit is given."""
    spelled = tuple(units) or ("",)
    factor = next((_DAYS[unit.strip().lower()] for unit in spelled if unit.strip().lower() in _DAYS), None)
    days = value * factor if factor is not None else None
    if days is None or days != days.to_integral_value() or not 0 <= days <= _MOST_DAYS:
        return None
    return int(days)
