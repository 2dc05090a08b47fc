"""Tests that are due at the start and then at an interval: how long ago the last one was, and when the next is due."""

from __future__ import annotations

from datetime import datetime

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after, days_between
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

BASELINE, OVERDUE = "baseline", "overdue"


def assess_interval(view: View, started: datetime, last: Result | None, interval: Number, what: str) -> Answer:
    """Missing at the start, overdue since the last one, or due at an instant that lies ahead."""
    window = view.policy.terms.baseline_window_days
    if last is None or days_between(last.at, started, view.zone) > window.whole:
        first = next((s for s in view.supplies("lenalidomide") if s.at == started and s.way != "ordered"), None)
        evidence = [] if first is None else [Shown("first", first)]
        if last is not None:
            evidence.append(Shown(f"last {what}", last))
        return found(
            _finding(
                *(started, started, BASELINE, f"No {what} before lenalidomide"),
                f"Lenalidomide was started with no {what} in the {window} days before, and none came since. Measure it now.",
                what,
                tuple(evidence),
                (window,),
            )
        )
    due = days_after(last.at, interval.whole + 1, view.zone)
    if view.at < due:
        return Nothing(earliest(due, view.next_cycle_at))
    return found(
        _finding(
            *(last.at, latest(due, started), OVERDUE, f"{what[0].upper()}{what[1:]} overdue: none for {interval} days"),
            f"The last {what} is more than {interval} days old. Measure it.",
            what,
            (Shown(f"last {what}", last),),
            (interval,),
        ),
        view.next_cycle_at,
    )


def _finding(
    since: datetime,
    effective_at: datetime,
    reason: str,
    title: str,
    message: str,
    what: str,
    evidence: tuple[Shown, ...],
    thresholds: tuple[Number, ...],
) -> Finding:
    return Finding(
        since=since,
        effective_at=effective_at,
        reason=reason,
        title=title,
        message=message,
        advice=Advice(action=Action.REPEAT_TEST, agent=what),
        evidence=evidence,
        thresholds=thresholds,
    )
