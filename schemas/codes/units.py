"""The closed table of unit spellings of one kind of analyte: exact Decimal factors, no unit engine.

A unit engine reads `K/uL` as kelvin, drops `{1.73_m2}` and answers floats that flip a
threshold; a spelling that is not listed is not known, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough that a product of two printed numbers is never rounded."""
_QUOTIENT: Final = Context(prec=20, rounding=ROUND_HALF_EVEN)
"""A quotient has no end; twenty digits are far more than any laboratory prints."""

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)

# Both micro signs, the superscripts of printed powers, the multiplication sign: one spelling for each.
_SAME: Final = str.maketrans(
    {
        "µ": "u",
        "μ": "u",
        "×": "x",
        "²": "2",
        "³": "3",
        "⁴": "4",
        "⁵": "5",
        "⁶": "6",
        "⁹": "9",
        "⁻": "-",
        "¹": "1",
        "∕": "/",
        "㎕": "uL",
        "㎖": "mL",
        "㎎": "mg",
        "㎗": "dL",
    }
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """canonical = (received - subtract) * multiply / divide."""

    multiply: Decimal = _ONE
    divide: Decimal = _ONE
    subtract: Decimal = _ZERO

    def convert(self, value: Decimal) -> Decimal:
        """The value in the canonical unit, in plain notation: equal quantities give equal text."""
        if self.subtract:
            value = _EXACT.subtract(value, self.subtract)
        if self.multiply is not _ONE:
            value = _EXACT.multiply(value, self.multiply)
        if self.divide is not _ONE:
            value = _QUOTIENT.divide(value, self.divide)
        return plain(value)


@dataclass(frozen=True, slots=True, eq=False)
class UnitTable:
    """Spellings to conversions."""

    canonical: str
    exact: Mapping[str, Conversion]
    any_case: Mapping[str, Conversion]
    conversions: tuple[Conversion, ...]

    def find(self, unit: str) -> Conversion | None:
        """The conversion of a unit as received, or None where the spelling is not listed."""
        found = self.exact.get(unit)
        if found is not None:
            return found
        spelling = normalise_spelling(unit)
        found = self.exact.get(spelling)
        return found if found is not None else self.any_case.get(spelling.casefold())


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    if not value:
        return _ZERO
    reduced = value.normalize(_EXACT)
    _, _, exponent = reduced.as_tuple()
    if isinstance(exponent, int) and exponent > 0:
        return reduced.quantize(_ONE, context=_EXACT)
    return reduced


def normalise_spelling(unit: str) -> str:
    """One spelling for signs that look alike, and no blanks; case stays."""
    return "".join(unit.translate(_SAME).split())


def build_unit_table(spec: Mapping[str, Any]) -> UnitTable:
    """Index one `unit_tables` entry; a spelling with two meanings is a fault of the table and raises."""
    exact: dict[str, Conversion] = {}
    folded: dict[str, Conversion] = {}
    conversions: list[Conversion] = []
    case_matters = {
        normalise_spelling(spelling).casefold() for unit in spec["units"] for spelling in unit.get("exact", ())
    }
    for unit in spec["units"]:
        conversion = Conversion(
            multiply=_factor(unit.get("multiply", "1")),
            divide=_factor(unit.get("divide", "1")),
            subtract=Decimal(unit.get("subtract", "0")),
        )
        conversions.append(conversion)
        for spelling in (*unit.get("any_case", ()), *unit.get("exact", ())):
            written = normalise_spelling(spelling)
            for key in (spelling, written):
                if exact.setdefault(key, conversion) != conversion:
                    raise ValueError(f"unit {spelling!r} has two meanings")
            if written.casefold() in case_matters:
                continue
            if folded.setdefault(written.casefold(), conversion) != conversion:
                raise ValueError(f"unit {spelling!r} has two meanings without its case")
    return UnitTable(spec["canonical"], exact, folded, tuple(conversions))


def _factor(text: str) -> Decimal:
    factor = Decimal(text)
    return _ONE if factor == _ONE else factor
