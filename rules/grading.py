"""CTCAE grades of laboratory values, by tables read from text. Annotation only: no rule decides on a grade.

"0" means that the value could be graded and is fine; "unknown" that it could not, because a limit of normal or a
baseline is missing. Values are compared as they are, never rounded. Where only a bound of the value is known, a row
is met only if every value within the bound meets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import yaml

from rules.equations import correct_calcium_for_albumin_1973
from rules.picture import Result
from schemas.alerts import Grade

UNKNOWN = "unknown"
_OPS = ("below", "above", "at_least", "at_most")
_TIMES = ("lln", "uln", "baseline")
_WHEN = ("baseline-known", "baseline-raised", "baseline-not-raised", "baseline-below-lln", "baseline-not-below-lln",
         "on-anticoagulant", "no-anticoagulant")  # fmt: skip
_WORST, _MILDEST = 4, 1


class GradingUnusable(ValueError):
    """The tables cannot be used; `errors` holds everything wrong with them."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A limit: a number in the term's unit, or a multiple of a limit of normal or of the baseline."""

    op: str
    number: Decimal
    times: str | None


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One way to reach a grade: every comparison holds, and the condition applies."""

    grade: int
    comparisons: tuple[Comparison, ...]
    when: str | None


@dataclass(frozen=True, slots=True)
class GradedTerm:
    """A term of one version: the analyte it grades, the source's words, the rows from the worst grade down."""

    term: str
    version: str
    analyte: str
    unit: str
    says: Mapping[int, str]
    rows: tuple[GradeRow, ...]
    source: str
    ungraded_below: Decimal | None = None
    """Below it the term names no grade: another term does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value with what its grade may depend on, all in one unit. `bound` as in `Result`."""

    value: Decimal
    bound: str | None = None
    lln: Decimal | None = None
    uln: Decimal | None = None
    baseline: Decimal | None = None
    baseline_lln: Decimal | None = None
    baseline_uln: Decimal | None = None
    is_on_anticoagulant: bool = False


Grading = Mapping[str, Mapping[str, GradedTerm]]
"""By version, then by analyte."""


def grade_result(
    grading: Grading,
    version: str,
    result: Result,
    *,
    baseline: Result | None = None,
    albumin: Result | None = None,
    is_on_anticoagulant: bool = False,
) -> Grade | None:
    """The grade of a result; None where the version does not grade its analyte or the value cannot be used.

    Calcium is graded corrected for the albumin of the same specimen; without one its grade is unknown.
    """
    is_calcium = result.analyte == "calcium"
    term = grading[version].get("calcium-corrected" if is_calcium else result.analyte)
    if term is None or result.value is None or not result.is_usable:
        return None
    value, bound = result.value, result.bound
    if is_calcium:
        if albumin is None or albumin.value is None or albumin.bound is not None:
            return Grade(term=term.term, version=version, grade=UNKNOWN)
        value = correct_calcium_for_albumin_1973(value, albumin.value)
    known = baseline if baseline is not None and baseline.bound is None else None
    measured = Measured(
        value=value,
        bound=bound,
        lln=result.low,
        uln=result.high,
        baseline=known.value if known is not None else None,
        baseline_lln=known.low if known is not None else None,
        baseline_uln=known.high if known is not None else None,
        is_on_anticoagulant=is_on_anticoagulant,
    )
    return grade_measured(term, measured)


def grade_measured(term: GradedTerm, measured: Measured) -> Grade:
    """The worst grade that is known to be reached; 0 only where every row is known not to be met."""
    floor = term.ungraded_below
    is_open = floor is not None and _is_below(measured.value, measured.bound, floor) is not False
    for row in () if is_open else term.rows:
        met = _is_met(row, measured)
        if met:
            return Grade(term=term.term, version=term.version, grade=str(row.grade))
        is_open = is_open or met is None
    return Grade(term=term.term, version=term.version, grade=UNKNOWN if is_open else "0")


def _is_met(row: GradeRow, measured: Measured) -> bool | None:
    """True, false, or None where something is missing: a false part makes the whole false, whatever is missing."""
    parts = [_applies(row.when, measured), *(_holds(comparison, measured) for comparison in row.comparisons)]
    if False in parts:
        return False
    return None if None in parts else True


def _applies(when: str | None, measured: Measured) -> bool | None:
    if when is None:
        return True
    if when.endswith("anticoagulant"):
        return measured.is_on_anticoagulant is (when == "on-anticoagulant")
    if when == "baseline-known":
        return measured.baseline is not None
    if measured.baseline is None:
        # A baseline that is not known counts as within the normal range, as the data standard has it.
        return "-not-" in when
    if when.endswith("raised"):
        limit = measured.baseline_uln if measured.baseline_uln is not None else measured.uln
        is_so = measured.baseline > limit if limit is not None else None
    else:
        limit = measured.baseline_lln if measured.baseline_lln is not None else measured.lln
        is_so = measured.baseline < limit if limit is not None else None
    return is_so if is_so is None else is_so is not ("-not-" in when)


def _holds(comparison: Comparison, measured: Measured) -> bool | None:
    factors = {"lln": measured.lln, "uln": measured.uln, "baseline": measured.baseline}
    factor = Decimal(1) if comparison.times is None else factors[comparison.times]
    if factor is None:
        return None
    limit = comparison.number * factor
    value, bound = measured.value, measured.bound
    if comparison.op == "below":
        return _is_below(value, bound, limit)
    if comparison.op == "at_least":
        is_below = _is_below(value, bound, limit)
        return None if is_below is None else not is_below
    is_above = _is_above(value, bound, limit)
    if comparison.op == "at_most":
        return None if is_above is None else not is_above
    return is_above


def _is_above(value: Decimal, bound: str | None, limit: Decimal) -> bool | None:
    if bound is None:
        return value > limit
    if bound in (">", ">="):
        return True if value > limit or (bound == ">" and value == limit) else None
    return False if value <= limit else None


def _is_below(value: Decimal, bound: str | None, limit: Decimal) -> bool | None:
    if bound is None:
        return value < limit
    if bound in ("<", "<="):
        return True if value < limit or (bound == "<" and value == limit) else None
    return False if value >= limit else None


# --- reading the tables ---


@lru_cache(maxsize=4)
def read_grading(text: str) -> Grading:
    """The tables of `policy/ctcae.yaml`; raises `GradingUnusable` with every error."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise GradingUnusable((f"not YAML: {getattr(error, 'problem', error)}",)) from None
    wrong: list[str] = []
    grading: dict[str, dict[str, GradedTerm]] = {}
    for version, part in document.items() if isinstance(document, dict) else ():
        terms = grading.setdefault(str(version), {})
        for row in part.get("terms") or ():
            term = _read_term(str(version), str(part.get("source") or ""), row, wrong)
            if term is not None and term.analyte in terms:
                wrong.append(f"{version}: {term.analyte} is graded twice")
            elif term is not None:
                terms[term.analyte] = term
    if not grading:
        wrong.append("no version is listed")
    if wrong:
        raise GradingUnusable(tuple(wrong))
    return grading


def _read_term(version: str, source: str, row: Mapping[str, object], wrong: list[str]) -> GradedTerm | None:
    name = f"{version}: {row.get('term') or 'a term without a name'}"
    missing = [field for field in ("term", "analyte", "unit", "says", "rows") if not row.get(field)]
    extra = sorted(set(row) - {"term", "analyte", "unit", "says", "rows", "note", "ungraded_below"})
    wrong.extend(f"{name}: `{field}` is missing" for field in missing)
    wrong.extend(f"{name}: unknown field `{field}`" for field in extra)
    if not source:
        wrong.append(f"{name}: its version names no source")
    says, listed = row.get("says"), row.get("rows")
    if missing or extra or not isinstance(says, dict) or not isinstance(listed, list):
        return None
    rows = [_read_row(name, item, wrong) for item in listed]
    read = tuple(item for item in rows if item is not None)
    if [item.grade for item in read] != sorted((item.grade for item in read), reverse=True):
        wrong.append(f"{name}: rows go from the worst grade down")
    wrong.extend(f"{name}: grade {item.grade} has no words of the source" for item in read if item.grade not in says)
    floor = _read_number(row["ungraded_below"]) if "ungraded_below" in row else None
    if "ungraded_below" in row and floor is None:
        wrong.append(f"{name}: {row['ungraded_below']!r} is not a number in quotes")
    return GradedTerm(str(row["term"]), version, str(row["analyte"]), str(row["unit"]), says, read, source, floor)


def _read_row(name: str, item: Mapping[str, object], wrong: list[str]) -> GradeRow | None:
    grade, when, also = item.get("grade"), item.get("when"), item.get("also")
    if not isinstance(grade, int) or not _MILDEST <= grade <= _WORST:
        wrong.append(f"{name}: a row without a grade from {_MILDEST} to {_WORST}")
        return None
    if when is not None and when not in _WHEN:
        wrong.append(f"{name}: grade {grade} has an unknown `when: {when}`")
        return None
    extra = sorted(set(item) - {"grade", "when", "also", "times", *_OPS})
    if extra:
        wrong.append(f"{name}: grade {grade} has unknown field(s) {', '.join(extra)}")
        return None
    parts = [item] + ([also] if isinstance(also, dict) else [])
    comparisons = [_read_comparison(f"{name}: grade {grade}", part, wrong) for part in parts]
    read = tuple(comparison for comparison in comparisons if comparison is not None)
    return GradeRow(grade, read, str(when) if when is not None else None) if len(read) == len(parts) else None


def _read_comparison(name: str, part: Mapping[str, object], wrong: list[str]) -> Comparison | None:
    ops = [op for op in _OPS if op in part]
    times = part.get("times")
    if len(ops) != 1 or (times is not None and times not in _TIMES):
        wrong.append(f"{name} needs one of {', '.join(_OPS)}, and `times` only of {', '.join(_TIMES)}")
        return None
    number = _read_number(part[ops[0]])
    if number is None:
        wrong.append(f"{name}: {part[ops[0]]!r} is not a number in quotes")
        return None
    return Comparison(ops[0], number, str(times) if times is not None else None)


def _read_number(raw: object) -> Decimal | None:
    """A number outside quotes has been through a float: it may not be what was written."""
    try:
        number = Decimal(raw) if isinstance(raw, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None
