"""A hold is open and the weekly blood count did not come.

Watches for    more days than the interval and its grace since the hold opened or, if there was one since,
               the last complete CBC (ANC and platelets).
Stays silent   with no hold open (see `cbc-overdue`).
Cannot assess  never: the missing count is the finding.
Numbers        hold_recheck_days, hold_recheck_grace_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.calendar import days_after, days_between
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "heme-recheck-overdue"


def assess(view: View) -> Answer:
    """The days since the oldest open hold was last looked after."""
    if not view.holds or not view.is_on_treatment:
        return NOTHING
    opened = min((hold.began for hold in view.holds), key=lambda result: result.at)
    last, terms = view.ledger.last_cbc, view.policy.terms
    is_since = last is not None and last.at > opened.at
    base = last if last is not None and is_since else opened
    due = days_after(base.at, terms.hold_recheck_days.whole + terms.hold_recheck_grace_days.whole + 1, view.zone)
    if view.at < due:
        return Nothing(due)
    days = days_between(base.at, due, view.zone)
    what = "last complete CBC" if is_since else "result that opened the hold"
    return found(
        Finding(
            since=base.at,
            effective_at=latest(due, view.restarted_at),
            title=f"CBC overdue while lenalidomide is held: none for {days} days or more",
            message=f"Lenalidomide is held and no CBC with ANC and platelets came for {days} days or more. While a hold "
            f"is open one is due every {terms.hold_recheck_days} days. Take a CBC with differential.",
            advice=Advice(action=Action.REPEAT_TEST, agent="CBC with differential"),
            evidence=(Shown(what, base),),
            thresholds=(terms.hold_recheck_days, terms.hold_recheck_grace_days),
        )
    )
