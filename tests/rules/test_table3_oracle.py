"""Table 3 cell by cell, and against a second implementation that shares no code with the first.

The second one below is naive on purpose: it reads the printed table as text and the definitions of
the risk factors as dates on a calendar. Where the two differ one of them is wrong.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.answers import CannotAssess, Found
from rules.catalogue import BY_ID
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.thrombosis.table3 import Outcome, decide_outcome
from rules.view import View
from tests.rules.bedside import diagnosis, ledger, on, policy, result, statement, supply
from tests.rules.thrombosis.clinic import cycles, known, tier_of

# --- cell by cell: the reference's own table (3.7), each border from both sides ---

CELLS = [
    ("tier 1, 100,000, clearance 30", 1, "100000", "30", "lmwh"),
    ("tier 1, 100,000, clearance 29.99", 1, "100000", "29.99", "warfarin"),
    ("tier 1, 99,999, clearance 30", 1, "99999", "30", "lmwh"),
    ("tier 1, 99,999, clearance 29.99", 1, "99999", "29.99", "warfarin"),
    ("tier 1, 50,000, clearance 30", 1, "50000", "30", "lmwh"),
    ("tier 1, 50,000, clearance 29.99", 1, "50000", "29.99", "warfarin"),
    ("tier 1, 49,999, clearance 30", 1, "49999", "30", "specialist"),
    ("tier 1, 49,999, clearance 29.99", 1, "49999", "29.99", "specialist"),
    ("tier 1, 49,999, clearance unknown", 1, "49999", None, "specialist"),
    ("tier 1, 50,000, clearance unknown", 1, "50000", None, None),
    ("tier 2, 100,000, clearance 30", 2, "100000", "30", "aspirin"),
    ("tier 2, 100,000, clearance 29.99", 2, "100000", "29.99", "aspirin"),
    ("tier 2, 100,000, clearance unknown", 2, "100000", None, "aspirin"),
    ("tier 2, 99,999, clearance 30", 2, "99999", "30", "none"),
    ("tier 2, 99,999, clearance 29.99", 2, "99999", "29.99", "none"),
    ("tier 3, 100,000, clearance 30", 3, "100000", "30", "none"),
    ("tier 3, 99,999, clearance 29.99", 3, "99999", "29.99", "none"),
]
LATER = [
    ("tier 1 after its cycles, 100,000", 1, "100000", None, "aspirin"),
    ("tier 1 after its cycles, 99,999", 1, "99999", "30", "review"),
    ("tier 1 after its cycles, 50,000", 1, "50000", "30", "review"),
    ("tier 1 after its cycles, 49,999", 1, "49999", "30", "specialist"),
    ("tier 2 in any cycle", 2, "100000", None, "aspirin"),
    ("tier 3 in any cycle", 3, "100000", None, "none"),
]
LITERAL = [
    ("printed: tier 1, 49,999, clearance 30", 1, "49999", "30", "warfarin"),
    ("printed: tier 1, 49,999, clearance unknown", 1, "49999", None, "warfarin"),
    ("printed: tier 1, 50,000, clearance 30", 1, "50000", "30", "lmwh"),
    ("printed: tier 2, 99,999", 2, "99999", "30", "none"),
]


def cell(tier: int, platelets: str, clearance: str | None, using: Policy, *, within: bool = True) -> str | None:
    clcr = Decimal(clearance) if clearance is not None else None
    answer = decide_outcome(tier, Decimal(platelets), clcr, using.terms, is_within_cycles=within)
    return answer.value if answer is not None else None


@pytest.mark.parametrize(("shows", "tier", "platelets", "clearance", "outcome"), CELLS)
def test_cell(shows: str, tier: int, platelets: str, clearance: str | None, outcome: str | None) -> None:
    assert cell(tier, platelets, clearance, policy()) == outcome


@pytest.mark.parametrize(("shows", "tier", "platelets", "clearance", "outcome"), LATER)
def test_cell_after_the_cycles_of_tier_1(
    shows: str, tier: int, platelets: str, clearance: str | None, outcome: str
) -> None:
    assert cell(tier, platelets, clearance, policy(), within=False) == outcome


@pytest.mark.parametrize(("shows", "tier", "platelets", "clearance", "outcome"), LITERAL)
def test_cell_of_the_printed_table(shows: str, tier: int, platelets: str, clearance: str | None, outcome: str) -> None:
    assert cell(tier, platelets, clearance, policy(table3_literal="true")) == outcome


def test_no_outcome_is_without_a_cell() -> None:
    assert {outcome for *_, outcome in (*CELLS, *LATER)} - {None} == {outcome.value for outcome in Outcome}


# --- the second implementation: what each rule says, from the printed table ---

PRINTED = """
1 early >=100 >=30 | lmwh
1 early >=100 <30  | warfarin
1 early 50-99 >=30 | lmwh
1 early 50-99 <30  | warfarin
1 early <50   any  | specialist
1 late  >=100 any  | aspirin
1 late  50-99 any  | watch
1 late  <50   any  | specialist
2 any   >=100 any  | aspirin
2 any   50-99 any  | watch
2 any   <50   any  | watch
3 any   any   any  | watch
"""
TABLE = {tuple(line.split("|")[0].split()): line.split("|")[1].strip() for line in PRINTED.strip().splitlines()}


def naive(
    tier: int, cycle: int, platelets: int | None, creatinine: str | None, taken: str, *, literal: bool
) -> dict[str, str]:
    """What `vte-ppx-missing`, `vte-specialist-review` and `vte-monitor-only` say of a man of 68 and 60 kg."""
    time = "early" if cycle < 5 else "late"
    counts = (
        {"any"}
        if platelets is None
        else {"any", ">=100" if platelets >= 100_000 else "50-99" if platelets >= 50_000 else "<50"}
    )
    # For this man the clearance is 60 divided by the creatinine: below 30 means a creatinine above 2.
    kidneys = {"any"} if creatinine is None else {"any", "<30" if float(creatinine) > 2 else ">=30"}
    asked = {
        outcome
        for (row_tier, row_time, row_count, row_kidney), outcome in TABLE.items()
        if int(row_tier) == tier and row_time in (time, "any") and row_count in counts and row_kidney in kidneys
    }
    wanted = next(iter(asked)) if asked else "unknown"
    if wanted == "specialist" and literal:
        wanted = "warfarin" if time == "early" else "watch"
    says = {"vte-ppx-missing": "quiet", "vte-specialist-review": "quiet", "vte-monitor-only": "quiet"}
    if wanted == "specialist":
        says["vte-specialist-review"] = "found"
    if wanted == "watch":
        says["vte-monitor-only"] = "found"
    if wanted == "unknown":
        says["vte-monitor-only"] = "cannot"
        if tier == 1 and platelets is None and not literal:
            says["vte-specialist-review"] = "cannot"
    if taken in ("enoxaparin", "warfarin", "apixaban", "stated"):
        return says
    if wanted == "unknown":
        says["vte-ppx-missing"] = "cannot"
    elif wanted in ("lmwh", "warfarin") or (wanted == "aspirin" and taken != "aspirin"):
        says["vte-ppx-missing"] = wanted
    return says


RISKS: dict[str, tuple[int, list[AnyKept]]] = {
    "nothing": (3, []),
    "heart failure": (2, [diagnosis(["heart-failure"], -300)]),
    "immobile": (1, [diagnosis(["immobility"], -20)]),
    "immobile with heart failure": (1, [diagnosis(["immobility"], -20), diagnosis(["heart-failure"], -300)]),
}
COUNTS = (10_000, 49_999, 50_000, 99_999, 100_000, 180_000, None)
CREATININES = ("1.0", "2.0", "2.001", "3.0", None)
TAKEN: dict[str, list[AnyKept]] = {
    "nothing": [],
    "aspirin": [supply("aspirin", 1, days=180, dose="100")],
    "enoxaparin": [supply("enoxaparin", 1, days=180)],
    "warfarin": [supply("warfarin", 1, days=180)],
    "apixaban": [supply("apixaban", 1, days=180)],
    "stated": [statement("therapeutic-anticoagulation", 1, "yes")],
}


def says(rule: str, view: View) -> str:
    answer = BY_ID[rule].assess(view)
    if isinstance(answer, CannotAssess):
        return "cannot"
    if isinstance(answer, Found):
        return answer.findings[0].reason or "found"
    return "quiet"


@pytest.mark.parametrize("literal", [False, True])
@pytest.mark.parametrize("cycle", [1, 4, 5])
@pytest.mark.parametrize("risk", RISKS)
def test_every_combination_agrees_with_the_second_implementation(risk: str, cycle: int, literal: bool) -> None:
    tier, facts = RISKS[risk]
    using = policy(table3_literal=str(literal).lower())
    for platelets, creatinine, taken in product(COUNTS, CREATININES, TAKEN):
        count = str(platelets) if platelets is not None else None
        patient = [*known(platelets=count, creatinine=creatinine), *cycles(cycle), *facts, *TAKEN[taken]]
        at = on(28 * cycle - 14)
        view = View(ledger(patient, using=using), at, using)
        expected = naive(tier, cycle, platelets, creatinine, taken, literal=literal)
        assert {rule: says(rule, view) for rule in expected} == expected, (
            risk,
            cycle,
            platelets,
            creatinine,
            taken,
            literal,
        )


# --- the second implementation of the tier ---

JUNE_1 = date(2026, 6, 1)


def naive_tier(
    today: date, clots: list[date], infections: list[date], ecog: int, born: date, kilos: int, planned: int
) -> int:
    """Calendar arithmetic by hand: six months are the same day of the month, or its last day."""

    def six_months_before(day: date) -> date:
        year, month = (day.year, day.month - 6) if day.month > 6 else (day.year - 1, day.month + 6)
        return date(year, month, min(day.day, monthrange(year, month)[1]))

    if ecog == 4 or planned >= 480 or any(six_months_before(today) <= clot <= today for clot in clots):
        return 1
    age = JUNE_1.year - born.year - (1 if (JUNE_1.month, JUNE_1.day) < (born.month, born.day) else 0)
    is_infected = any(timedelta(0) <= today - day <= timedelta(days=14) for day in infections)
    is_heavy = kilos / 1.7**2 >= 30
    return 2 if age >= 75 or ecog >= 2 or is_heavy or is_infected or any(clot <= today for clot in clots) else 3


@settings(max_examples=300)
@given(
    today=st.integers(1, 28),
    clots=st.lists(st.one_of(st.integers(-190, 28), st.integers(-3000, -1)).filter(bool), max_size=2),
    infections=st.lists(st.integers(-20, 28).filter(bool), max_size=2),
    ecog=st.integers(0, 4),
    born=st.one_of(st.dates(date(1951, 5, 25), date(1951, 6, 8)), st.dates(date(1930, 1, 1), date(1990, 1, 1))),
    kilos=st.integers(50, 110),
    planned=st.sampled_from([160, 320, 479, 480, 640]),
)
def test_the_tier_agrees_with_the_second_implementation(
    today: int, clots: list[int], infections: list[int], ecog: int, born: date, kilos: int, planned: int
) -> None:
    def day_of(number: int) -> date:
        return JUNE_1 + timedelta(days=number - 1 if number > 0 else number)

    facts = [
        *known(birth=born.isoformat(), ecog=None, weight=None, plan=str(planned)),
        result("weight", str(kilos), -2),
        result("ecog", str(ecog), -2),
        *(diagnosis(["dvt", "vte"], day) for day in clots),
        *(diagnosis(["infection"], day) for day in infections),
    ]
    expected = naive_tier(
        day_of(today),
        [day_of(day) for day in clots if day <= today],
        [day_of(day) for day in infections if day <= today],
        ecog, born, kilos, planned,
    )  # fmt: skip
    assert tier_of(facts, day=today, hour=10).number == expected
