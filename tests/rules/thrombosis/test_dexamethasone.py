"""The sum of dexamethasone: three sources, never added together, over any 28 days."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept, Supply
from schemas.events import FactStatus
from tests.rules.bedside import on, policy, statement, supply
from tests.rules.thrombosis.clinic import known, tier_of

TWELVE = (1, 2, 3, 4, 9, 10, 11, 12, 17, 18, 19, 20)
"""The 12 days of 40 mg that the source calls high dose."""


def plan(mg: str, day: float = 1) -> AnyKept:
    return statement("dexamethasone-plan-mg-per-cycle", day, number=mg)


def given(*days: int, mg: str = "40", hour: float = 9.0) -> list[Supply]:
    return [supply("dexamethasone", day, hour, way="given", dose=mg) for day in days]


def box(day: float, mg: str, days: int | None = 28, status: FactStatus = FactStatus.FINAL) -> Supply:
    """Tablets of 4 mg, `mg` in all."""
    return supply("dexamethasone", day, days=days, strength="4", quantity=str(int(mg) / 4), status=status)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "tier"),
    [
        # the plan
        ("planned 480 mg a cycle", [plan("480")], 1, 1),
        ("planned 479 mg a cycle", [plan("479")], 1, 3),
        ("planned 480, lowered since", [plan("480"), plan("320", 4)], 5, 3),
        ("raised since", [plan("160"), plan("480", 4)], 5, 1),
        # doses given
        ("12 doses of 40 mg in 20 days", given(*TWELVE), 20, 1),
        ("before the twelfth dose", given(*TWELVE), 19, 3),
        ("the first and the last dose are on day 1 and day 28", given(1, 28, mg="240"), 28, 1),
        ("on day 1 and day 29: no window holds both", given(1, 29, mg="240"), 29, 3),
        ("8 doses, the schedule below 65 years", given(1, 2, 3, 4, 15, 16, 17, 18), 20, 3),
        ("10 doses of the garbled schedule", given(1, 2, 3, 4, 15, 16, 17, 18, 19, 20), 20, 3),
        ("twice a day counts twice", [*given(1, 2, 3, 4, 9, 10), *given(1, 2, 3, 4, 9, 10, hour=18)], 11, 1),
        # a dispense, spread
        ("480 mg dispensed for 28 days", [box(1, "480")], 1, 1),
        ("476 mg dispensed for 28 days", [box(1, "476")], 1, 3),
        ("480 mg dispensed for 84 days", [box(1, "480", 84)], 1, 3),
        ("480 mg dispensed for 14 days", [box(1, "480", 14)], 1, 1),
        ("480 mg dispensed, days not said: one cycle", [box(1, "480", None)], 1, 1),
        ("240 mg for 14 days, and again", [box(1, "240", 14), box(15, "240", 14)], 15, 1),
        ("240 mg for 14 days, not yet again", [box(1, "240", 14), box(15, "240", 14)], 14, 3),
        ("what is left is used first: refilled 3 days early", [box(1, "440"), box(26, "440")], 27, 3),
        ("160 mg a month for months", [box(1, "160"), box(29, "160"), box(57, "160")], 60, 3),
        # never added together
        ("plan and dispense of 320 each", [plan("320"), box(1, "320")], 5, 3),
        ("plan and doses given of 320 each", [plan("320"), *given(1, 2, 3, 4, 15, 16, 17, 18)], 20, 3),
        ("dispense and doses given of 320 each", [box(1, "320"), *given(1, 2, 3, 4, 15, 16, 17, 18)], 20, 3),
        ("a plan outweighs a larger dispense", [plan("160"), box(1, "480")], 5, 3),
        ("until the plan comes the dispense counts", [box(1, "480"), plan("160", 20)], 10, 1),
        ("doses given outweigh a plan that is lower", [plan("160"), *given(*TWELVE)], 20, 1),
        # what tells nothing
        ("a dispense that is only prepared", [box(1, "480", status=FactStatus.PLANNED)], 5, 3),
    ],
)  # fmt: skip
def test_high_dose(shows: str, facts: list[AnyKept], day: float, tier: int) -> None:
    assert tier_of([*known(plan=None), *facts], day=day).number == tier


def test_high_dose_of_doses_given_ends_the_day_after_the_window_is_left() -> None:
    """A day is judged when it is over: the twelve doses of a cycle on time never lapse between two cycles."""
    facts = [*known(plan=None), *given(*TWELVE)]
    assert tier_of(facts, day=29, hour=23.9).number == 1
    assert tier_of(facts, day=30, hour=0).number == 3
    on_time = [*facts, *given(29)]
    assert tier_of(on_time, day=29, hour=1).number == 1
    assert tier_of(on_time, day=30, hour=0).number == 1
    assert tier_of(facts, day=20).changes_at == on(30, hour=0)


def test_high_dose_dispensed_ends_with_its_days() -> None:
    facts = [*known(plan=None), box(1, "480")]
    assert tier_of(facts, day=29, hour=23.9).number == 1
    assert tier_of(facts, day=30, hour=0).number == 3
    assert tier_of([*facts, box(29, "480")], day=45).number == 1


def test_months_of_high_doses_are_one_stretch() -> None:
    facts = [*known(plan=None), *(box(1 + 28 * n, "480") for n in range(4))]
    tier = tier_of(facts, day=90)
    assert tier.number == 1
    assert tier.deciding[0].begins < on(40)


def test_the_evidence_is_every_dose_of_the_window() -> None:
    tier = tier_of([*known(plan=None), *given(*TWELVE)], day=20)
    assert len(tier.deciding[0].facts) == 12
    assert tier.deciding[0].begins == on(20)
    assert "sum of doses given" in tier.named


def test_a_dispense_is_said_to_be_spread() -> None:
    assert "spread over its days of supply" in tier_of([*known(plan=None), box(1, "480")], day=5).named


def test_doses_given_do_not_push_out_what_was_dispensed() -> None:
    doses = given(*(1 + 2 * n for n in range(20)), mg="4")
    assert tier_of([*known(plan=None), box(1, "480", 84), *doses, box(43, "1440", 84)], day=45).number == 1


def test_a_weekly_dose_taken_at_home_is_counted_by_its_schedule() -> None:
    weekly = supply("dexamethasone", 1, way="home", dose="40", schedule="weekly", until=on(29))
    daily = supply("dexamethasone", 1, way="home", dose="20", schedule="daily", until=on(29))
    assert tier_of([*known(plan=None), weekly], day=5).number == 3
    assert tier_of([*known(plan=None), daily], day=5).number == 1


def test_a_dose_of_unknown_size_is_named_as_unknown() -> None:
    unsized = supply("dexamethasone", 1, days=28)
    assert "dexamethasone dose" in tier_of([*known(plan=None), unsized], day=5).unknown


def test_window_and_limit_are_policy() -> None:
    facts = [*known(plan=None), *given(1, 29, mg="240")]
    assert tier_of(facts, day=29, using=policy(dex_window_days="29")).number == 1
    assert tier_of([*known(plan="400")], day=5, using=policy(dex_high_mg="400")).number == 1
