"""Results of one specimen: which value counts, the ANC where it must be computed, and episodes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.counts import compute_anc
from rules.picture import AnyKept, Result
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import start
from tests.rules.bedside import cbc, ledger, lenalidomide, on, procedure, result, statement


def panel(**values: str) -> dict[str, Result]:
    names = {name.replace("_", "-"): value for name, value in values.items()}
    return {
        name: result(name, value.lstrip("<"), 8, bound="<" if value[0] == "<" else None)
        for name, value in names.items()
    }


@pytest.mark.parametrize(
    ("shows", "parts", "anc"),
    [
        ("total neutrophils already contain the bands", panel(wbc="4000", neutrophils_pct="50", bands_pct="10"), "2000"),
        ("segmented and bands are added", panel(wbc="4000", segs_pct="40", bands_pct="10"), "2000"),
        ("segmented alone do not suffice", panel(wbc="4000", segs_pct="40"), None),
        ("absolute segmented and bands", panel(segs_abs="1500", bands_abs="100"), "1600"),
        ("absolute segmented alone do not suffice", panel(segs_abs="1500"), None),
        ("no band at all is zero, not missing", panel(wbc="4000", segs_pct="40", bands_pct="0"), "1600"),
        ("no WBC", panel(neutrophils_pct="50"), None),
        ("a WBC that is a bound", panel(wbc="<500", neutrophils_pct="50"), None),
        ("a percentage that is a bound", panel(wbc="4000", neutrophils_pct="<1"), None),
        ("granulocytes are no neutrophils", panel(wbc="4000", granulocytes_pct="50"), None),
        ("exact, not rounded", panel(wbc="2999", neutrophils_pct="33.3"), "998.667"),
    ],
)  # fmt: skip
def test_computed_anc(shows: str, parts: dict[str, Result], anc: str | None) -> None:
    computed = compute_anc(parts)
    assert (computed.value if computed else None) == (Decimal(anc) if anc else None)


def test_a_measured_anc_is_preferred() -> None:
    facts = [*panel(wbc="4000", neutrophils_pct="50", anc="900").values()]
    assert ledger(facts).newest["anc"].value == Decimal(900)


def test_a_part_that_is_preliminary_makes_the_computed_anc_preliminary() -> None:
    parts = [result("wbc", "400", 8), result("neutrophils-pct", "50", 8, status=FactStatus.PRELIMINARY)]
    held = ledger(start(), parts)
    assert held.preliminary["anc"].value == Decimal(200)
    assert held.holds == ()


def test_percent_and_wbc_of_two_specimens_are_not_put_together() -> None:
    held = ledger(result("wbc", "4000", 8, 9), result("neutrophils-pct", "50", 8, 10))
    assert "anc" not in held.newest


def test_an_anc_without_unit_beside_a_differential_is_computed() -> None:
    broken = result("anc", None, 8, doubt=ResultDoubt.UNIT_MISSING)
    held = ledger(start(), broken, result("wbc", "4000", 8), result("neutrophils-pct", "50", 8))
    assert held.newest["anc"].value == Decimal(2000)
    assert "anc" not in held.unusable


@pytest.mark.parametrize(
    ("shows", "facts", "is_complete"),
    [
        ("ANC and platelets", cbc(8), True),
        ("in two reports of one instant", [result("anc", "2000", 8), result("platelets", "90000", 8)], True),
        ("of two instants", [result("anc", "2000", 8), result("platelets", "90000", 8, 10)], False),
        ("one of them preliminary", [result("anc", "2000", 8), result("platelets", "90000", 8, status=FactStatus.PRELIMINARY)], False),
        ("an ANC that the WBC contradicts", [result("wbc", "1000", 8), result("anc", "2000", 8), result("platelets", "90000", 8)], False),
    ],
)  # fmt: skip
def test_complete_cbc(shows: str, facts: list[AnyKept], is_complete: bool) -> None:
    assert (ledger(facts).last_cbc is not None) is is_complete


def test_what_a_newer_result_replaces() -> None:
    early = result("anc", "400", 8, status=FactStatus.PRELIMINARY)
    broken = result("anc", None, 9, doubt=ResultDoubt.UNIT_MISSING)
    assert set(ledger(start(), early, broken).unusable) == {"anc"}
    assert ledger(start(), early, broken, cbc(9)).unusable == {}
    assert ledger(start(), early, broken, cbc(9)).preliminary == {}
    late = result("anc", "400", 10, status=FactStatus.PRELIMINARY)
    assert set(ledger(start(), late, cbc(9)).preliminary) == {"anc"}


# --- episodes


def episodes(*facts: AnyKept | list[AnyKept]) -> tuple[int, bool]:
    held = ledger(start(), *facts)
    return held.neutropenia_count, held.neutropenia is not None


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("never low", [*cbc(8, "1000")], (0, False)),
        ("low", [*cbc(8, "999")], (1, True)),
        ("low twice is one episode", [*cbc(8, "999"), *cbc(10, "500")], (1, True)),
        ("closed at the limit", [*cbc(8, "999"), *cbc(10, "1000")], (1, False)),
        ("a second one", [*cbc(8, "999"), *cbc(10, "1000"), *cbc(12, "999")], (2, True)),
        ("across a cycle border", [*cbc(20, "999"), lenalidomide(29), *cbc(30, "999")], (1, True)),
        ("a doubtful recovery closes nothing", [*cbc(8, "999"), result("anc", "99900", 10)], (1, True)),
        ("a preliminary one opens none", [result("anc", "400", 8, status=FactStatus.PRELIMINARY)], (0, False)),
        ("low before the first dose is the baseline's matter", [*cbc(-1, "800", hour=10)], (0, False)),
        ("a bound that proves nothing changes nothing", [*cbc(8, "999"), result("anc", "1500", 10, bound="<")], (1, True)),
        ("a new course counts anew", [*cbc(8, "999"), *cbc(10), statement("lenalidomide-stopped", 12, "other"), lenalidomide(60), *cbc(61, "900")], (1, True)),
        ("after the end nothing is counted", [statement("lenalidomide-stopped", 7, "other"), *cbc(8, "900")], (0, False)),
    ],
)  # fmt: skip
def test_neutropenia_episodes(shows: str, facts: list[AnyKept], answer: tuple[int, bool]) -> None:
    assert episodes(facts) == answer


def test_the_course_remembers_its_last_complication() -> None:
    assert ledger(start(), cbc(8, "999")).complication_at == on(8)
    held = ledger(start(), cbc(8, "2500", "20000"), cbc(20, "2500", "30000"))
    assert held.complication_at == on(20)


def test_late_specimens_of_an_older_hold_change_only_the_past() -> None:
    """Out of order arrival is the record's matter: by clinical time the ledger is the same."""
    facts = [*start(), *cbc(8, "400"), *cbc(12, "1500"), *cbc(15, "900")]
    assert ledger(facts).holds == ledger(list(reversed(facts))).holds


def test_only_the_newest_holds_wait_for_a_dose() -> None:
    many = [fact for day in range(8, 80, 4) for fact in (*cbc(day, "2500", "20000"), *cbc(day + 2))]
    held = ledger(start(), many)
    assert len(held.released) == 7
    assert held.released[0].opened.at == on(8)
    assert held.released[-1].opened.at == on(76)


def test_a_procedure_is_no_result() -> None:
    assert ledger(start(), procedure("platelet-transfusion", 8)).newest.keys() == ledger(start()).newest.keys()
