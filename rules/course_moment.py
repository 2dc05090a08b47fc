"""Where in treatment an instant falls: cycle, expected day 1, pre-cycle window."""

from __future__ import annotations

from datetime import datetime

from rules.calendar import days_after, days_between, local_day, start_of_day
from rules.holds import Moment
from rules.ledger import Cycle, Ledger
from rules.picture import Result
from rules.policy.terms import Policy


def cycle_at(ledger: Ledger, at: datetime) -> Cycle | None:
    """The newest cycle whose day 1 has come; before the first day 1, the first cycle."""
    for cycle in reversed(ledger.cycles):
        if cycle.day_1 <= at or days_between(cycle.day_1, at, ledger.zone) >= 0:
            return cycle
    return ledger.cycles[0] if ledger.cycles else None


def begin_of(cycle: Cycle, zone: str) -> datetime:
    """When a cycle began: a planned day 1 with its day, any other at the time of the fact that made it."""
    return start_of_day(local_day(cycle.day_1, zone), zone) if cycle.trust == "planned" else cycle.day_1


def expected_day_1(ledger: Ledger, policy: Policy) -> datetime | None:
    """Day 1 of the next cycle: as planned, else the last day 1 plus one cycle length."""
    if not ledger.cycles:
        return ledger.plan.when if ledger.plan else None
    last = ledger.cycles[-1]
    plan = ledger.plan.when if ledger.plan else None
    enough = policy.terms.cycle_infer_after_days.whole - policy.terms.coverage_grace_days.whole
    if plan is not None and days_between(last.day_1, plan, ledger.zone) >= enough:
        return plan
    # By calendar days: 28 times 24 hours may end on another day where the clock changes.
    return days_after(last.day_1, policy.terms.cycle_length_days.whole, ledger.zone)


def moment_of(ledger: Ledger, count: Result, cause: str, policy: Policy) -> Moment:
    """Where a count falls; episodes must already be advanced by it."""
    number = ledger.neutropenia_count if cause == "anc" else ledger.thrombocytopenia_count
    cycle = cycle_at(ledger, count.at)
    return Moment(
        cycle=cycle.number if cycle else 0, is_pre_cycle=_is_pre_cycle(ledger, count, policy), episode=max(number, 1)
    )


def _is_pre_cycle(ledger: Ledger, count: Result, policy: Policy) -> bool:
    """From three days before the expected day 1 until the first dose or dispense of that cycle.

    Where the newest day 1 is only planned, or inferred from a dispense, nobody said that a dose was
    taken: until that day is over a count still decides on starting the cycle (part 3.1: "day 1: delay").
    """
    expected, window = expected_day_1(ledger, policy), policy.terms.pre_cycle_window_days.whole
    if expected is not None and days_between(count.at, expected, ledger.zone) <= window:
        return True
    last = ledger.cycles[-1] if ledger.cycles else None
    if last is None or last.number == 1 or not last.is_inferred:
        return False
    return 0 <= days_between(count.at, last.day_1, ledger.zone) <= window
