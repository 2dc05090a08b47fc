"""Which dose is allowed after holds: one step for each distinct hold that asks for one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.picture import AnyKept
from rules.resuming import AllowedDose, allowed_dose, as_limit, asks_for_reduction, cleared_after, is_within
from tests.rules.asking import start
from tests.rules.bedside import cbc, ledger, lenalidomide, policy, result, supply


def allowed(*facts: AnyKept | list[AnyKept], dose: str = "25", **changes: str) -> AllowedDose:
    using = policy(**changes)
    held = ledger(start(dose=dose), *facts, using=using)
    return allowed_dose((*held.released, *held.holds), using)


@pytest.mark.parametrize(
    ("shows", "facts", "steps", "dose"),
    [
        ("no hold", [], 0, None),
        ("a first neutropenia asks for none", [*cbc(8, "400")], 0, "25"),
        ("a second one asks for one", [*cbc(8, "900"), *cbc(10), *cbc(15, "900")], 1, "15"),
        ("a persistent one asks for one", [*cbc(8, "400"), *cbc(15, "900")], 1, "15"),
        ("persistent and second is still one hold", [*cbc(8, "900"), *cbc(10), *cbc(15, "900"), *cbc(22, "900")], 1, "15"),
        ("platelets always ask for one", [*cbc(8, "2500", "20000")], 1, "15"),
        ("both on the same CBC are one step", [*cbc(5, "900"), *cbc(6), *cbc(8, "400", "20000")], 1, "15"),
        ("both on different days are two", [*cbc(5, "900"), *cbc(6), *cbc(8, "400"), *cbc(9, "450", "20000")], 2, "10"),
        ("held, released and held again without a dose between", [*cbc(8, "2500", "20000"), *cbc(10), *cbc(12, "2500", "20000")], 2, "10"),
        ("three", [*cbc(8, "2500", "20000"), *cbc(10), *cbc(12, "2500", "20000"), *cbc(14), *cbc(16, "2500", "20000")], 3, "5"),
    ],
)  # fmt: skip
def test_steps(shows: str, facts: list[AnyKept], steps: int, dose: str | None) -> None:
    found = allowed(facts)
    assert (found.steps, found.dose_mg) == (steps, Decimal(dose) if dose else None)


def test_a_dose_in_between_begins_the_count_anew() -> None:
    facts = [*cbc(8, "2500", "20000"), *cbc(10), lenalidomide(11, "15"), *cbc(12, "2500", "20000")]
    found = allowed(facts)
    assert (found.steps, found.from_mg, found.dose_mg) == (1, Decimal(15), Decimal(10))


def test_a_fever_asks_for_no_step() -> None:
    held = ledger(start(), cbc(8, "2500"), result("temperature", "39", 12))
    assert [asks_for_reduction(hold) for hold in held.holds] == [False]


@pytest.mark.parametrize(
    ("shows", "dose", "ladder", "steps", "lowered"),
    [
        ("25", "25", "consensus", 1, "15"),
        ("15", "15", "consensus", 1, "10"),
        ("10", "10", "consensus", 1, "5"),
        ("5 is the last", "5", "consensus", 1, None),
        ("20 is not on the ladder: the first value below it", "20", "consensus", 1, "15"),
        ("25 on the other ladder", "25", "capsule", 1, "20"),
        ("5 on the other ladder", "5", "capsule", 1, "2.5"),
        ("2.5 is its last", "2.5", "capsule", 1, None),
        ("two steps from 25", "25", "consensus", 2, "10"),
        ("two steps from 10 leave the ladder", "10", "consensus", 2, None),
    ],
)
def test_ladders(shows: str, dose: str, ladder: str, steps: int, lowered: str | None) -> None:
    facts = [*cbc(8, "2500", "20000"), *([*cbc(10), *cbc(12, "2500", "20000")] if steps > 1 else [])]
    found = allowed(facts, dose=dose, dose_ladder=ladder)
    assert (found.steps, found.dose_mg) == (steps, Decimal(lowered) if lowered else None)
    assert found.is_at_floor is (lowered is None)


def test_alternate_days_have_no_ladder() -> None:
    begun = [*cbc(-1), lenalidomide(1, "15", schedule="alternate-days")]
    reduced = ledger(begun, cbc(8, "2500", "20000"))
    found = allowed_dose(reduced.holds, policy())
    assert (found.is_defined, found.dose_mg, found.is_at_floor) == (False, None, False)
    assert found.sentence == "Reduce by one dose step when resuming: ladder not defined."
    same = allowed_dose(ledger(begun, cbc(8, "400")).holds, policy())
    assert (same.dose_mg, same.daily_mg) == (Decimal(15), Decimal("7.5"))
    assert same.sentence == "Resume at the same dose, 15 mg on alternate days."


def test_a_dose_nobody_stated() -> None:
    begun = [*cbc(-1), supply("lenalidomide", 1, days=21)]
    assert "not known" in allowed_dose(ledger(begun, cbc(8, "2500", "20000")).holds, policy()).sentence
    same = allowed_dose(ledger(begun, cbc(8, "400")).holds, policy()).sentence
    assert same == "Resume at the same dose as before the hold."


def test_within() -> None:
    using = policy()
    assert is_within(lenalidomide(9, "15"), Decimal(15), using) is True
    assert is_within(lenalidomide(9, "20"), Decimal(15), using) is False
    assert is_within(lenalidomide(9, "25", schedule="alternate-days"), Decimal(15), using) is True
    assert is_within(supply("lenalidomide", 9), Decimal(15), using) is None
    assert is_within(lenalidomide(9, "5"), None, using) is True
    assert is_within(lenalidomide(9, "10"), None, using) is False
    assert (str(as_limit(None, using)), as_limit(Decimal(15), using).unit) == ("5", "mg")


def test_cleared_only_when_every_cause_is() -> None:
    facts = [*start(), *cbc(8, "400", "20000"), result("anc", "1500", 10)]
    assert cleared_after(ledger(facts), "anc") is None
    clear = ledger(facts, result("platelets", "30000", 12))
    anc, platelets = cleared_after(clear, "anc"), cleared_after(clear, "platelets")
    assert anc is not None
    assert platelets is not None
    assert cleared_after(ledger(facts, result("platelets", "30000", 12), lenalidomide(13)), "anc") is None
