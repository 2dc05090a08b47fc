"""How often a CBC is due: the interval by cycle, baseline counts, clearance and complications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.answers import Shown
from rules.baseline import baseline_since, start_counts
from rules.calendar import days_after, days_between
from rules.course_moment import cycle_at
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View


@dataclass(frozen=True, slots=True)
class Cadence:
    """The interval in force since the last CBC, why, and what would have to be known to be sure of it."""

    interval: Number
    grace: Number
    why: str
    evidence: tuple[Shown, ...] = ()
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    """When the reason for a closer interval came up, where it is no fact of the evidence."""

    def overdue_at(self, last: Result, zone: str) -> datetime:
        """The first instant of the first day later than interval and grace."""
        return days_after(last.at, self.interval.whole + self.grace.whole + 1, zone)


def decide_cadence(view: View, last: Result) -> Cadence:
    """The interval that applies on the day it runs out.

    A CBC that fell overdue in an early cycle stays overdue when the next cycle begins; one whose
    early interval runs out only in a late cycle has the late interval.
    """
    terms = view.policy.terms
    intensive = Cadence(terms.cbc_interval_intensive_days, terms.cbc_grace_intensive_days, "")
    weekly = Cadence(terms.cbc_interval_weekly_days, terms.cbc_grace_weekly_days, "one of the weekly cycles")
    if _is_within(view, weekly.overdue_at(last, view.zone), terms.cbc_weekly_cycles):
        return weekly
    missing: tuple[str, ...] = ()
    if terms.cbc_closer_at_risk and _is_early(view, intensive.overdue_at(last, view.zone)):
        why, evidence, missing = _intensive_because(view)
        if why is not None:
            return Cadence(intensive.interval, intensive.grace, why, evidence, since=baseline_since(view))
    early = Cadence(terms.cbc_interval_early_days, terms.cbc_grace_days, "an early cycle", missing=missing)
    due = early.overdue_at(last, view.zone)
    if _is_early(view, due):
        return early
    if terms.cbc_closer_at_risk and _has_complication(view, due):
        why = "a complication in the last cycle"
        return Cadence(early.interval, early.grace, why, since=view.ledger.complication_at)
    return Cadence(terms.cbc_interval_late_days, terms.cbc_grace_days, "a late cycle without complication")


def _is_early(view: View, at: datetime) -> bool:
    return _is_within(view, at, view.policy.terms.cbc_early_cycles)


def _is_within(view: View, at: datetime, cycles: Number) -> bool:
    """Whether an instant falls into the first so many cycles; before the first one it does, if there are any."""
    cycle = cycle_at(view.ledger, at)
    return cycles.whole > 0 and (cycle is None or cycle.number <= cycles.whole)


def _intensive_because(view: View) -> tuple[str | None, tuple[Shown, ...], tuple[str, ...]]:
    """Why CBCs are due more often in the early cycles; else which input of the clearance is missing."""
    low = [item for item in view.derive(start_counts) if item.was_low]
    if low:
        return "low baseline counts", tuple(Shown(f"baseline {i.name}", i.count) for i in low if i.count), ()
    clearance, limit = view.clearance, view.policy.terms.cbc_intensive_clcr_below
    if clearance is None:
        return None, (), view.clearance_missing
    if clearance.ml_per_min >= limit.value:
        return None, (), ()
    why = f"a creatinine clearance below {limit} {limit.unit}"
    return why, (Shown("creatinine", clearance.creatinine), Shown("weight", clearance.weight)), ()


def _has_complication(view: View, at: datetime) -> bool:
    """An open episode, or a hold, episode or severe event since the cycle before began (ambiguity 10)."""
    ledger = view.ledger
    if ledger.neutropenia is not None or ledger.thrombocytopenia is not None:
        return True
    cycle = cycle_at(ledger, at)
    if ledger.complication_at is None or cycle is None:
        return False
    began = next((c.day_1 for c in reversed(ledger.cycles) if c.number < cycle.number), cycle.day_1)
    return days_between(began, ledger.complication_at, view.zone) >= 0
