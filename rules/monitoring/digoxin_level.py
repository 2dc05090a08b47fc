"""Digoxin on lenalidomide without a recent level.

Watches for    digoxin taken or ordered, and more days than the interval since the last level, or none at all.
Stays silent   with a recent level, and without digoxin.
Cannot assess  never: the missing level is the finding.
Numbers        digoxin_interval_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "digoxin-level"
DIGOXIN, LEVEL = "digoxin", "digoxin-level"


def assess(view: View) -> Answer:
    """The newest level against the interval, while both are taken."""
    started, span = view.ledger.started_at, view.span_now(DIGOXIN, with_orders=True)
    if started is None or span is None or not view.is_on_treatment:
        return NOTHING
    interval, level = view.policy.terms.digoxin_interval_days, view.newest(LEVEL)
    together = latest(started, span.begins)
    due = together if level is None else days_after(level.at, interval.whole + 1, view.zone)
    if view.at < due:
        return Nothing(earliest(due, span.ends))
    evidence = [Shown("digoxin", span.newest)]
    if level is not None:
        evidence.append(Shown("last digoxin level", level))
    return found(
        Finding(
            since=latest(together, due),
            effective_at=latest(together, due),
            title=f"No digoxin level for {interval} days",
            message=f"Digoxin is active together with lenalidomide and no level came in the last {interval} days. Check it.",
            advice=Advice(action=Action.REPEAT_TEST, agent="digoxin level"),
            evidence=tuple(evidence),
            thresholds=(interval,),
        ),
        span.ends,
    )
