"""Hepatitis B: status unknown at the start of treatment, or positive without monitoring.

Watches for    no HBsAg or no anti-HBc result although treatment began; a positive one with no monitoring on record.
Stays silent   with both negative, and with monitoring stated.
Cannot assess  never: the missing result is the finding; a preliminary or indeterminate one does not count.
Numbers        hbv_wait_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after
from rules.infection.course_facts import lenalidomide_shown
from rules.picture import Result
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "hbv-status"
TESTS = {"hbsag": "HBsAg", "anti-hbc": "anti-HBc"}
MONITORED = "hbv-monitoring"


def assess(view: View) -> Answer:
    """A positive result first, then what is missing."""
    started, word = view.ledger.started_at, view.statement(MONITORED)
    if started is None or not view.is_on_treatment:
        return NOTHING
    ends = word.until if word is not None else None
    borders = earliest(*(i for i in (started, ends, view.ledger.ended_at) if i is not None and i > view.at))
    newest = {name: _newest(view, name) for name in TESTS}
    positive = [r for r in newest.values() if r is not None and r.answer == "positive"]
    if not positive:
        missing = [name for name, result in newest.items() if result is None]
        return found(_unknown(view, missing, started), borders) if missing and started <= view.at else Nothing(borders)
    if view.says_yes(MONITORED):
        return Nothing(borders)
    since = latest(min(result.at for result in positive), started)
    due = days_after(since, view.policy.terms.hbv_wait_days.whole + 1, view.zone)
    if view.at < due:
        return Nothing(earliest(borders, due))
    return found(_unmonitored(view, positive, since, latest(due, view.answer_since(MONITORED))), borders)


def _newest(view: View, name: str) -> Result | None:
    """The newest clear result; what is preliminary or indeterminate says nothing yet."""
    clear = [
        r for r in view.ledger.answers
        if r.analyte == name and not r.is_preliminary and r.answer in ("positive", "negative")
    ]  # fmt: skip
    return clear[-1] if clear else None


def _unknown(view: View, missing: list[str], started: datetime) -> Finding:
    names = " and ".join(TESTS[name] for name in missing)
    return Finding(
        since=started,
        # A positive result that a later one took back asked for something else until then.
        effective_at=latest(started, *(r.at for name in TESTS if (r := _newest(view, name)) is not None)),
        reason="unknown",
        title="Hepatitis B status unknown",
        message=f"No valid result of {names} is on record, and lenalidomide was started. Do the test.",
        advice=Advice(action=Action.REPEAT_TEST, agent=names),
        evidence=(lenalidomide_shown(view),),
    )


def _unmonitored(view: View, positive: list[Result], since: datetime, due: datetime) -> Finding:
    return Finding(
        since=since,
        effective_at=due,
        reason="positive",
        title="Hepatitis B positive, no monitoring recorded",
        message="Hepatitis B is or was present, and no monitoring is on record. Watch for reactivation, or prevent it, and "
        "record it.",
        advice=Advice(action=Action.REFER, agent="hepatitis B"),
        evidence=tuple(Shown(TESTS[result.analyte], result) for result in positive),
        thresholds=(view.policy.terms.hbv_wait_days,),
    )
