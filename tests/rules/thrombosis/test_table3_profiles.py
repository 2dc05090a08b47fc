"""Table 3 (part 3.7) is complete: every cell, in every profile and with every key that changes it, has one outcome."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from rules.thrombosis.table3 import Outcome, decide_outcome
from tests.rules.bedside import PROFILES, policy

TIERS = (1, 2, 3)
COUNTS = ("10000", "49999", "50000", "99999", "100000", "180000")
CLEARANCES = ("10", "29.99", "30", "90")
FLAGS = ("false", "true")


def printed(tier: int, count: int, clearance: float, *, early: bool, literal: bool, aspirin_for_all: bool) -> str:
    """The table as the reference prints it, written down a second time and without looking at the first."""
    if tier == 1 and count < 50_000:
        return ("warfarin" if early else "review") if literal else "specialist"
    if tier == 1 and early:
        return "lmwh" if clearance >= 30 else "warfarin"
    if tier == 1:
        return "aspirin" if count >= 100_000 else "review"
    wants_aspirin = tier == 2 or aspirin_for_all
    return "aspirin" if wants_aspirin and count >= 100_000 else "none"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("literal", "aspirin_for_all"), list(product(FLAGS, FLAGS)))
def test_every_cell_in_every_profile(profile: str, literal: str, aspirin_for_all: str) -> None:
    using = policy(profile, table3_literal=literal, vte_tier3_aspirin=aspirin_for_all)
    cells = list(product(TIERS, COUNTS, CLEARANCES, (True, False)))
    for tier, count, clearance, early in cells:
        outcome = decide_outcome(tier, Decimal(count), Decimal(clearance), using.terms, is_within_cycles=early)
        expected = printed(
            tier, int(count), float(clearance), early=early, literal=literal == "true",
            aspirin_for_all=aspirin_for_all == "true",
        )  # fmt: skip
        assert outcome == Outcome(expected), (tier, count, clearance, early)
    assert len(cells) == 144


@pytest.mark.parametrize("profile", PROFILES)
def test_a_cell_is_left_open_only_for_want_of_a_clearance(profile: str) -> None:
    """It decides between LMWH and warfarin, and nowhere else."""
    for tier, count, early, literal in product(TIERS, COUNTS, (True, False), FLAGS):
        using = policy(profile, table3_literal=literal)
        outcome = decide_outcome(tier, Decimal(count), None, using.terms, is_within_cycles=early)
        is_open = tier == 1 and early and int(count) >= 50_000
        assert (outcome is None) is is_open, (tier, count, early, literal)


@pytest.mark.parametrize(("profile", "tier_3"), [("kr-panel", "none"), ("uspi", "aspirin"), ("eu-smpc", "aspirin")])
def test_tier_3_is_where_the_profiles_differ(profile: str, tier_3: str) -> None:
    using = policy(profile)
    assert using.terms.table3_literal is False
    assert using.terms.vte_tier1_from_factor is False
    outcome = decide_outcome(3, Decimal(180_000), None, using.terms, is_within_cycles=True)
    assert outcome == Outcome(tier_3)


@pytest.mark.parametrize(
    ("profile", "severities"),
    [
        ("kr-panel", ["high", "high", "medium", "info", "medium"]),
        ("uspi", ["high", "high", "high", "None", "None"]),
        ("eu-smpc", ["high", "high", "high", "None", "None"]),
    ],
)
def test_what_each_outcome_weighs(profile: str, severities: list[str]) -> None:
    using = policy(profile)
    asked = [("vte-ppx-missing", reason) for reason in ("lmwh", "warfarin", "aspirin")]
    asked += [("vte-monitor-only", ""), ("vte-ppx-switch-due", "")]
    assert [str(using.severity(rule, reason)) for rule, reason in asked] == severities
