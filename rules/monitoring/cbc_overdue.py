"""The next complete blood count is overdue.

Watches for    more days since the last complete CBC (ANC and platelets) than the interval and its grace.
Stays silent   while a hold is open (see `heme-recheck-overdue`), and while even the baseline CBC is
               missing (see `cbc-baseline-missing`).
Cannot assess  in early cycles without the inputs of the creatinine clearance, until the longer interval
               has run out too.
Numbers        cbc_early_cycles, cbc_interval_early_days, cbc_interval_late_days,
               cbc_interval_intensive_days, cbc_grace_days, cbc_grace_intensive_days, cbc_high_after_days,
               cbc_intensive_clcr_below, start_anc_below, start_plt_below, complication_grade_at,
               cbc_weekly_cycles, cbc_interval_weekly_days, cbc_grace_weekly_days, cbc_closer_at_risk
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.baseline import infiltration_ends_at
from rules.calendar import days_after, days_between
from rules.monitoring.cadence import Cadence, decide_cadence
from rules.monitoring.cbc_baseline_missing import lacks_baseline
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "cbc-overdue"


def assess(view: View) -> Answer:
    """The days since the last complete CBC against the interval in force."""
    last = view.ledger.last_cbc
    if last is None or view.holds or not view.is_on_treatment or lacks_baseline(view):
        return NOTHING
    cadence, border = decide_cadence(view, last), earliest(infiltration_ends_at(view), view.next_cycle_at)
    due = cadence.overdue_at(last, view.zone)
    if view.at < due:
        recheck = earliest(due, border)
        return CannotAssess(cadence.missing, recheck) if cadence.missing else Nothing(recheck)
    # Lateness counts from the day the CBC was due, not from the end of the grace.
    after = view.policy.terms.cbc_high_after_days
    late_at = max(due, days_after(last.at, cadence.interval.whole + after.whole + 1, view.zone))
    is_late = view.at >= late_at
    days = days_between(last.at, due if not is_late else late_at, view.zone)
    return found(
        Finding(
            since=last.at,
            effective_at=_effective_at(view, cadence, due),
            reason="late" if is_late else None,
            title=f"CBC overdue: none for {days} days or more",
            message=f"The last CBC with ANC and platelets is {days} days old or older. In this patient one is due every "
            f"{cadence.interval} days ({cadence.why}). Take a CBC with differential.",
            advice=Advice(action=Action.REPEAT_TEST, agent="CBC with differential"),
            evidence=(Shown("last complete CBC", last), *cadence.evidence),
            thresholds=(cadence.interval, cadence.grace, after),
        ),
        earliest(border, None if is_late else late_at),
    )


def _effective_at(view: View, cadence: Cadence, due: datetime) -> datetime:
    """The due instant; later where the course, the end of a hold or the reason for the interval came after it."""
    ledger = view.ledger
    return latest(due, ledger.started_at, ledger.cleared_at, cadence.since, *(s.fact.at for s in cadence.evidence))
