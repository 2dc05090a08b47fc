"""A result as printed to a number in the analyte's canonical unit, or the doubt that stands in the way.

Nothing is guessed: a missing or unlisted unit, a value outside the plausible range or a
text that is not one number each end in a doubt, and the value as received is kept beside it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.codes.tables import Analyte
from schemas.codes.units import Conversion, plain
from schemas.events.lab_result import Comparator, ResultDoubt

# ASCII digits only: full-width digits are refused, as is anything before or after the number.
_NUMBER: Final = re.compile(r"(-?)([0-9]{0,30})(?:\.([0-9]{1,30}))?(?:[eE]([+-]?[0-9]{1,2}))?", re.ASCII)
_BOUND: Final = re.compile(r"(<=|>=|=<|=>|<|>|≤|≥)\s*(.*)", re.ASCII | re.DOTALL)
_GROUPED: Final = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3})+", re.ASCII)
_GROUPED_BY_DOT: Final = re.compile(r"-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+", re.ASCII)
_COMPARATORS: Final = {
    "<": Comparator.LESS,
    "<=": Comparator.AT_MOST,
    "=<": Comparator.AT_MOST,
    "≤": Comparator.AT_MOST,
    ">": Comparator.MORE,
    ">=": Comparator.AT_LEAST,
    "=>": Comparator.AT_LEAST,
    "≥": Comparator.AT_LEAST,
}
_NEGATED: Final = r"\b(?:no|not|non|nil|without|none)\b[^.;,]*(?:{words})"

_LONGEST_REMARK: Final = 4000
"""Characters of a remark that are searched; a bound on the work, not on what a laboratory writes."""

_REMEMBERED: Final = 8192
"""Laboratories print the same values and limits again and again; the answers are pure and are kept."""

LARGEST_EXPONENT: Final = 30
"""Beyond 1e30 or below 1e-30 nothing is a laboratory value; it also bounds the work on hostile numbers."""


class NumberReading(NamedTuple):
    """One number with its comparator, or the doubt why there is none."""

    value: Decimal | None = None
    comparator: Comparator | None = None
    doubt: ResultDoubt | None = None


_NO_NUMBER: Final = NumberReading(doubt=ResultDoubt.NOT_A_NUMBER)


@lru_cache(maxsize=_REMEMBERED)
def read_number(text: str, *, decimal_comma: bool = False) -> NumberReading:
    """Read one printed number, or refuse.

    A comma is refused unless the feed is known to print decimal commas, or it can only
    group thousands (`1,200.5`, `1,200,000`): `1,200` alone could be either. With
    `decimal_comma` a point is refused where it could group thousands (`1.200`).
    """
    stripped = text.strip(" \t\r\n\u00a0")
    comparator: Comparator | None = None
    if match := _BOUND.fullmatch(stripped):
        comparator = _COMPARATORS[match.group(1)]
        stripped = match.group(2)
    if "," in stripped:
        unified = _unify_comma(stripped, decimal_comma=decimal_comma)
        if unified is None:
            return _NO_NUMBER
        stripped = unified
    elif decimal_comma and _GROUPED_BY_DOT.fullmatch(stripped):
        return _NO_NUMBER
    match = _NUMBER.fullmatch(stripped)
    if match is None or not (match.group(2) or match.group(3)):
        return _NO_NUMBER
    value = Decimal(stripped)
    return NumberReading(value, comparator) if is_readable(value) else _NO_NUMBER


def _unify_comma(text: str, *, decimal_comma: bool) -> str | None:
    whole, dot, fraction = text.partition(".")
    if decimal_comma:
        # The comma is the decimal sign; points before it may group thousands (`1.200,5`).
        head, _, tail = text.partition(",")
        if "," in tail or "." in tail:
            return None
        if "." in head:
            if not _GROUPED_BY_DOT.fullmatch(head):
                return None
            head = head.replace(".", "")
        return f"{head}.{tail}"
    if not _GROUPED.fullmatch(whole):
        return None
    if dot:
        return whole.replace(",", "") + dot + fraction if "," not in fraction else None
    return whole.replace(",", "") if whole.count(",") > 1 else None


def is_readable(value: Decimal) -> bool:
    """Finite, and of a magnitude that a laboratory could print."""
    return value.is_finite() and (not value or -LARGEST_EXPONENT <= value.adjusted() <= LARGEST_EXPONENT)


def says_clumped(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a remark says that platelets clumped; a remark that denies it does not."""
    text = text[:_LONGEST_REMARK]
    if pattern.search(text) is None:
        return False
    denied = re.compile(_NEGATED.format(words=pattern.pattern), re.IGNORECASE)
    return pattern.search(denied.sub("", text)) is not None


class Normalisation(NamedTuple):
    """The canonical value, or the doubt; `could_breach` where an unread unit might hide a hold."""

    value: Decimal | None
    doubt: ResultDoubt | None
    could_breach: bool = False


def normalise(analyte: Analyte, value: Decimal, unit: str | None) -> tuple[Decimal | None, ResultDoubt | None]:
    """The value in the analyte's canonical unit, exactly, or why there is none."""
    done = normalise_result(analyte, value, unit)
    return done.value, done.doubt


@lru_cache(maxsize=_REMEMBERED)
def normalise_result(
    analyte: Analyte, value: Decimal, unit: str | None, comparator: Comparator | None = None
) -> Normalisation:
    """As `normalise`, for a value that may be a bound, with the urgency of a doubt about its unit."""
    if analyte.units is None:
        return Normalisation(None, ResultDoubt.NOT_A_NUMBER)
    if unit is None or not unit.strip():
        if not analyte.is_unitless:
            return Normalisation(None, ResultDoubt.UNIT_MISSING, _could_breach(analyte, value, comparator))
        canonical = plain(value)
    else:
        conversion = analyte.units.find(unit)
        if conversion is None:
            return Normalisation(None, ResultDoubt.UNIT_UNKNOWN, _could_breach(analyte, value, comparator))
        canonical = conversion.convert(value)
    if not is_plausible(analyte, canonical, comparator):
        return Normalisation(None, ResultDoubt.IMPLAUSIBLE)
    return Normalisation(canonical, None)


@lru_cache(maxsize=_REMEMBERED)
def convert(analyte: Analyte, value: Decimal, unit: str | None) -> Decimal | None:
    """A reference limit in the canonical unit; no plausibility is asked of a limit."""
    if analyte.units is None:
        return None
    if unit is None or not unit.strip():
        return plain(value) if analyte.is_unitless else None
    conversion = analyte.units.find(unit)
    return conversion.convert(value) if conversion is not None else None


def is_plausible(analyte: Analyte, canonical: Decimal, comparator: Comparator | None = None) -> bool:
    """Within the range of the table, both ends inclusive; "less than the lowest" is outside it."""
    low, high = analyte.plausible_low, analyte.plausible_high
    if low is not None and (canonical < low or (canonical == low and comparator is Comparator.LESS)):
        return False
    if high is not None and (canonical > high or (canonical == high and comparator is Comparator.MORE)):
        return False
    return not (analyte.smallest_non_zero is not None and 0 < canonical < analyte.smallest_non_zero)


def _could_breach(analyte: Analyte, value: Decimal, comparator: Comparator | None) -> bool:
    """Whether some plausible reading of the bare number lies below the analyte's hold limits."""
    if analyte.breach_below is None or analyte.units is None:
        return False
    if comparator in (Comparator.LESS, Comparator.AT_MOST):
        return True
    return any(_reads_below(analyte, conversion, value) for conversion in analyte.units.conversions)


def _reads_below(analyte: Analyte, conversion: Conversion, value: Decimal) -> bool:
    canonical = conversion.convert(value)
    return analyte.breach_below is not None and canonical < analyte.breach_below and is_plausible(analyte, canonical)
