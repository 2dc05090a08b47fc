"""Our CTCAE grades against every row of the published criteria for the terms we grade: v5 and v6, SI and US units.

The published code is R; its conditions are evaluated here as they stand, with their rounding to significant
digits. A value near every limit of a row is converted to our unit and graded both ways. Where the two differ,
`EXPLAINED` says why, and a difference that nobody explained fails, as does an explanation that explains nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any

import pytest

from rules.grading import GradedTerm, Grading, Measured, grade_measured, read_grading

_HERE = Path(__file__).resolve()
GRADING: Grading = read_grading((_HERE.parents[2] / "rules" / "policy" / "ctcae.yaml").read_text())
ADMIRAL = _HERE.parents[3] / "shared" / "data" / "grading" / "admiral"
FILES = {("5", "SI"): "ncictcaev5.json", ("5", "US"): "ncictcaev5_uscv.json",
         ("6", "SI"): "ncictcaev6.json", ("6", "US"): "ncictcaev6_uscv.json"}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not ADMIRAL.exists(), reason="NOT CHECKED: the published criteria are not at ../shared/data/grading/admiral"
)

PER_OUR_UNIT: dict[tuple[str, str], str] = {
    ("cells/uL", "10^9/L"): "0.001",
    ("cells/uL", "10^3/uL"): "0.001",
    ("cells/uL", "10^3/mL"): "1",
    ("g/dL", "g/L"): "10",
    ("g/dL", "g/dL"): "1",
    ("mmol/L", "MMOL/L"): "1",
    ("mg/dL", "mg/dL"): "1",
    ("mL/min", "mL/min"): "1",
}
"""How many of the published unit one of ours is, exactly. A row without a unit compares multiples only."""
DIVIDED_BY = {"Hypercalcemia": "4.008", "Hyperglycemia": "18.02", "Hyperglycemia (Fasting)": "18.02"}
"""mg/dL in one mmol/L, as our tables of units have it."""

SIGNIFICANT_DIGITS = 15
"""What admiral rounds to unless told otherwise (its option `signif_digits`)."""

EXPLAINED: dict[tuple[str, str, str], str] = {
    (
        "5",
        "SI",
        "GGT increased",
    ): "their code asks for more than 2 x a raised baseline; the words, as for ALP, say 2.0 x itself",
    ("5", "US", "GGT increased"): "the same as in SI units",
    (
        "5",
        "SI",
        "INR increased",
    ): "their code takes the worse clause whoever the patient is; ours asks for the anticoagulant",
    ("5", "US", "INR increased"): "the same as in SI units",
    ("6", "SI", "INR increased"): "the same as in version 5",
    ("6", "US", "INR increased"): "the same as in version 5",
    ("5", "SI", "Hypercalcemia"): "the printed limits in mmol/L are rounded: 2.9 mmol/L is 11.6 mg/dL, not 11.5",
    ("6", "SI", "Hypercalcemia"): "the same as in version 5",
    ("6", "SI", "Hyperglycemia"): "the printed limits in mmol/L are rounded: 13.9 mmol/L is 250.5 mg/dL, not 250",
    ("6", "SI", "Hyperglycemia (Fasting)"): "the same: 8.9 mmol/L is 160.4 mg/dL, not 160",
}

NOT_GRADED = {
    "Leukocytosis", "Activated partial thromboplastin time prolonged", "Blood lactate dehydrogenase increased",
    "CD4 lymphocytes decreased", "Cholesterol high", "Fibrinogen decreased", "Haptoglobin decreased", "HDL decreased",
    "LDL increased", "Hemoglobin increased", "Lipase increased", "Lymphocyte count increased", "Serum amylase increased",
    "Acidosis", "Alkalosis", "Hypercalcemia (Ionized)", "Hypermagnesemia", "Hypernatremia", "Hypertriglyceridemia",
    "Hyperuricemia", "Hypoalbuminemia", "Hypocalcemia", "Hypocalcemia (Ionized)", "Hypoglycemia", "Hypokalemia",
    "Hypomagnesemia", "Hyponatremia",
}  # fmt: skip
"""Published terms that no rule shows a value of: they are not graded, on purpose."""


@dataclass(frozen=True)
class Published:
    """One row of one file, and our term for it."""

    version: str
    units: str
    row: dict[str, str]
    term: GradedTerm

    @property
    def key(self) -> tuple[str, str, str]:
        return self.version, self.units, self.row["TERM"]

    def __str__(self) -> str:
        return f"v{self.version} {self.units} {self.row['TERM']} {self.row.get('UNIT_CHECK') or ''}".strip()


def raw(version: str, units: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((ADMIRAL / FILES[version, units]).read_text())
    return rows


def published() -> Iterator[Published]:
    if not ADMIRAL.exists():
        return
    for version, units in FILES:
        ours = {term.term: term for term in GRADING[version].values()}
        for row in raw(version, units):
            if row["TERM"] in ours:
                yield Published(version, units, row, ours[row["TERM"]])


ROWS = tuple(published())


# --- the published code, evaluated


def signif(value: Decimal | None, digits: int) -> Decimal | None:
    """Rounded to significant digits, as R does it."""
    if value is None:
        return None
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)


def as_python(condition: str) -> str:
    """The condition of one case in Python."""
    text = re.sub(r"!\(BNRIND %in% (\w+)\)", r"(BNRIND not in \1)", condition)
    text = re.sub(r"BNRIND %in% (\w+)", r"(BNRIND in \1)", text)
    text = re.sub(r"!is\.na\((\w+)\)", r"(\1 is not None)", text)
    text = re.sub(r"is\.na\((\w+)\)", r"(\1 is None)", text)
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])", r"Decimal('\1')", text)
    return text.replace("&", " and ").replace("|", " or ").strip().lstrip(",").strip()


def their_grade(row: dict[str, str], facts: dict[str, Any], digits: int = SIGNIFICANT_DIGITS) -> str:
    """The first case that holds; a missing number makes a comparison untrue, as R's `case_when` has it."""
    world = {"__builtins__": {}, "Decimal": Decimal, "signif": signif, "signif_dig": digits,
             "high_indicator": ("H",), "low_indicator": ("L",)}  # fmt: skip
    for case in ("NA", "4", "3", "2", "1"):
        code = row.get(f"GRADE_{case}_CODE", "")
        for condition, outcome in re.findall(r'(.+?)~\s*(NA_character_|"\d")\s*(?:,|$)', code, flags=re.DOTALL):
            try:
                holds = bool(eval(as_python(condition), world, facts))
            except TypeError:
                holds = False
            if holds:
                return "unknown" if outcome.startswith("NA") else outcome.strip('"')
    return "0"


# --- the cases of a row


def factor(published: Published) -> Decimal:
    """How many of the row's unit one of our unit is."""
    unit = published.row.get("UNIT_CHECK")
    if unit is None:
        return Decimal(1)
    exact = PER_OUR_UNIT.get((published.term.unit, unit))
    if exact is not None:
        return Decimal(exact)
    return 1 / Decimal(DIVIDED_BY[published.row["TERM"]])


def limits_of(term: GradedTerm) -> tuple[Decimal, Decimal]:
    """A normal range that lies outside the printed limits where there are any, in our unit."""
    printed = [c.number for row in term.rows for c in row.comparisons if c.times is None]
    if not printed:
        return Decimal(4), Decimal(10)
    if term.rows[0].comparisons[0].op in ("below", "at_most"):
        return max(printed) * 2, max(printed) * 4
    return min(printed) / 4, min(printed) * Decimal("0.9")


def cases(published: Published) -> Iterator[dict[str, Decimal | None]]:
    """Values at every limit of ours and of theirs and one step to each side, in our unit, with limits and baselines
    of every kind there and missing."""
    term, scale = published.term, factor(published)
    low, high = limits_of(term)
    code = " ".join(published.row.get(f"GRADE_{case}_CODE", "") for case in ("NA", "1", "2", "3", "4"))
    theirs = {Decimal(number) / scale for number in re.findall(r"(?<![\w.*])(\d+(?:\.\d+)?)(?![\w.*])", code)}
    multiples = {Decimal(number) for number in re.findall(r"(\d+(?:\.\d+)?)\*", code)} | {Decimal(1)}
    for baseline in (None, low / 2, (low + high) / 2, high, high * Decimal("1.7")):
        ours = {c.number for row in term.rows for c in row.comparisons if c.times is None}
        ours |= {
            c.number * of
            for row in term.rows
            for c in row.comparisons
            for of in (low, high, baseline)
            if c.times is not None and of is not None
        }
        relative = {times * of for times in multiples for of in (low, high, baseline) if of is not None}
        for lln, uln in ((low, high), (None, None)):
            for edge in ours | theirs | relative:
                for value in (edge * Decimal("0.999"), edge, edge * Decimal("1.001")):
                    yield {"value": value, "lln": lln, "uln": uln, "baseline": baseline}


def both(published: Published, case: dict[str, Decimal | None]) -> tuple[str, str]:
    """Our grade and theirs."""
    scale = factor(published)
    value, lln, uln, baseline = case["value"], case["lln"], case["uln"], case["baseline"]
    assert value is not None
    ours = grade_measured(published.term, Measured(value=value, lln=lln, uln=uln, baseline=baseline)).grade
    flag = None
    if baseline is not None:
        flag = "H" if uln is not None and baseline > uln else "L" if lln is not None and baseline < lln else "N"
    facts = {
        "AVAL": value * scale,
        "ANRLO": lln * scale if lln is not None else None,
        "ANRHI": uln * scale if uln is not None else None,
        "BASE": baseline * scale if baseline is not None else None,
        "BNRIND": flag,
    }
    return ours, their_grade(published.row, facts)


def comparable(case: dict[str, Decimal | None]) -> bool:
    """They take a flag for a raised baseline, we compare it with the limit: without a limit there is no flag."""
    return case["baseline"] is None or case["uln"] is not None


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_limit_is_graded_the_same_or_the_difference_is_explained(row: Published) -> None:
    differing = []
    tried = 0
    for case in cases(row):
        if not comparable(case):
            continue
        tried += 1
        ours, theirs = both(row, case)
        if ours != theirs:
            differing.append((case, ours, theirs))
    assert tried > 20
    assert not differing or row.key in EXPLAINED, differing[:3]


@pytest.mark.parametrize("key", sorted(EXPLAINED), ids=" ".join)
def test_what_is_explained_does_differ(key: tuple[str, str, str]) -> None:
    rows = [row for row in ROWS if row.key == key]
    assert rows
    assert any(both(row, case)[0] != both(row, case)[1] for row in rows for case in cases(row) if comparable(case))


def test_differences_in_si_units_lie_only_between_the_two_printed_limits() -> None:
    """Calcium 11.55 mg/dL is 2.88 mmol/L: grade 2 by the one print, grade 1 by the other."""
    for row in ROWS:
        if row.units != "SI" or row.row["TERM"] not in DIVIDED_BY:
            continue
        scale = factor(row)
        printed = sorted(c.number for r in row.term.rows for c in r.comparisons if c.times is None)
        theirs = sorted(Decimal(n) / scale for n in re.findall(r"> (\d+\.\d+)", " ".join(map(str, row.row.values()))))
        for case in cases(row):
            ours, other = both(row, case)
            if comparable(case) and ours != other:
                value = case["value"]
                assert value is not None
                gaps = [sorted(pair) for pair in zip(printed, sorted(set(theirs)), strict=True)]
                assert any(low <= value <= high for low, high in gaps), (str(row), case, ours, other)


def test_inr_differs_only_by_whom_it_is_graded_for() -> None:
    """On an anticoagulant ours is their clause against the baseline, without one their clause without it."""
    for row in ROWS:
        if row.row["TERM"] != "INR increased":
            continue
        for case in cases(row):
            value, baseline = case["value"], case["baseline"]
            assert value is not None
            free = grade_measured(row.term, Measured(value=value, baseline=baseline)).grade
            alone = their_grade(row.row, {"AVAL": value, "BASE": Decimal(1000), "BNRIND": None})
            assert free == alone, case
            if baseline is not None:
                taken = Measured(value=value, baseline=baseline, is_on_anticoagulant=True)
                against = their_grade(row.row, {"AVAL": Decimal("1.2"), "BASE": baseline * Decimal("1.2") / value})
                ratio_alone = their_grade(row.row, {"AVAL": Decimal("1.2"), "BASE": Decimal(1000)})
                assert ratio_alone == "0"
                assert grade_measured(row.term, taken).grade == against, case


def test_ggt_differs_only_at_exactly_twice_a_raised_baseline() -> None:
    for row in ROWS:
        if row.row["TERM"] != "GGT increased" or row.version != "5":
            continue
        for case in cases(row):
            ours, theirs = both(row, case)
            if comparable(case) and ours != theirs:
                assert case["baseline"] is not None
                assert case["value"] == 2 * case["baseline"]
                assert (ours, theirs) == ("1", "0")


def test_rounding_would_hide_what_lies_just_below_a_limit() -> None:
    """They round to 15 significant digits, and would to fewer if told to; we compare the value as it is."""
    row = next(r for r in ROWS if r.key == ("5", "US", "Anemia"))
    value = Decimal("7.9999999999999999")
    assert grade_measured(row.term, Measured(value=value)).grade == "3"
    assert their_grade(row.row, {"AVAL": value, "ANRLO": Decimal(12)}) == "2"
    coarse = Decimal("7.99")
    assert grade_measured(row.term, Measured(value=coarse)).grade == "3"
    assert their_grade(row.row, {"AVAL": coarse, "ANRLO": Decimal(12)}) == "3"
    assert their_grade(row.row, {"AVAL": coarse, "ANRLO": Decimal(12)}, digits=2) == "2"


def test_every_published_row_is_graded_or_left_out_on_purpose() -> None:
    for version, units in FILES:
        terms = {row["TERM"] for row in raw(version, units)}
        ours = {term.term for term in GRADING[version].values()}
        assert terms - ours - NOT_GRADED == set(), (version, units)
        # Of ours only TSH has no row: admiral does not grade it.
        assert ours - terms == ({"TSH increased"} if version == "6" else set()), (version, units)
        assert not ours & NOT_GRADED


def test_all_rows_of_the_terms_we_grade_are_compared() -> None:
    compared = {(version, units): sum(row.key[:2] == (version, units) for row in ROWS) for version, units in FILES}
    assert compared == {("5", "SI"): 15, ("5", "US"): 19, ("6", "SI"): 16, ("6", "US"): 19}


def test_a_wrong_limit_would_be_seen() -> None:
    """The comparison can fail: the same row against another term's limits differs."""
    platelets = next(r for r in ROWS if r.key == ("5", "SI", "Platelet count decreased"))
    wrong = Published("5", "SI", platelets.row, GRADING["6"]["platelets"])
    assert any(both(wrong, case)[0] != both(wrong, case)[1] for case in cases(wrong) if comparable(case))
