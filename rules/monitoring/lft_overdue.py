"""Liver tests: none before lenalidomide, or the last ones too long ago.

Watches for    no ALT and bilirubin in the baseline window and none since; then more days than the interval since both
               were last known.
Stays silent   with both recorded in time, and once the course ended.
Cannot assess  never: the missing test is the finding.
Numbers        lft_interval_days, lft_interval_early_days, lft_early_cycles, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer
from rules.calendar import days_after
from rules.course_moment import cycle_at
from rules.monitoring.interval import assess_interval
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View

RULE_ID = "lft-overdue"
ENZYME, BILIRUBIN = "alt", "bilirubin"


def assess(view: View) -> Answer:
    """The older of the two newest values against the interval in force."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    both = (view.newest(ENZYME), view.newest(BILIRUBIN))
    held = [result for result in both if result is not None]
    last = min(held, key=lambda result: result.at) if len(held) == len(both) else None
    return assess_interval(view, started, last, _interval(view, last), "liver test (ALT and bilirubin)")


def _interval(view: View, last: Result | None) -> Number:
    """The interval of the early cycles where it runs out in one of them."""
    terms = view.policy.terms
    if last is None:
        return terms.lft_interval_days
    due = days_after(last.at, terms.lft_interval_early_days.whole + 1, view.zone)
    cycle = cycle_at(view.ledger, due)
    is_early = cycle is None or cycle.number <= terms.lft_early_cycles.whole
    return terms.lft_interval_early_days if is_early else terms.lft_interval_days
