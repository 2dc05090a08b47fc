"""TSH: none before lenalidomide, or the last one too long ago.

Watches for    no TSH in the baseline window and none since; then more days than the interval since the last.
Stays silent   with one recorded in time, and once the course ended.
Cannot assess  never: the missing test is the finding.
Numbers        tsh_interval_days, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer
from rules.monitoring.interval import assess_interval
from rules.view import View

RULE_ID = "tsh-overdue"
TSH = "tsh"


def assess(view: View) -> Answer:
    """The newest TSH against the interval."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    return assess_interval(view, started, view.newest(TSH), view.policy.terms.tsh_interval_days, "TSH")
