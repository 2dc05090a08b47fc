"""One alert a patient that lists what could not be assessed.

Watches for    any rule that applies and lacks a fact; supply that ended long ago with no stop recorded.
Stays silent   when every rule could answer.
Cannot assess  never: it is the channel for that answer.
Numbers        course_end_after_days
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.answers import NOTHING, Answer, Finding
from rules.calendar import days_after
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "assessment-gap"
COURSE_END = "course-end"


def course_end_unknown(view: View) -> tuple[bool, datetime | None]:
    """Whether a person must be asked if treatment ended, and when that would become true."""
    until = view.lenalidomide_until
    if until is None or not view.is_on_treatment:
        return False, None
    due = days_after(until, view.policy.terms.course_end_after_days.whole, view.zone)
    return (True, None) if view.at >= due else (False, due)


def describe(gaps: Sequence[tuple[str, str, datetime]], *, is_blind: bool) -> Finding:
    """The finding for these gaps; `is_blind` while a rule that can hold lenalidomide is among them."""
    since = min(began for _, _, began in gaps)
    listed = "; ".join(f"{rule}: {what}" for rule, what, _ in gaps)
    return Finding(
        since=since,
        effective_at=since,
        reason="blind" if is_blind else None,
        title="Cannot assess: " + ", ".join(sorted({what for _, what, _ in gaps})),
        message=f"These rules apply and lack a fact: {listed}. Silence of these rules does not mean all is well.",
        advice=Advice(action=Action.VERIFY_DATA),
    )


def assess(view: View) -> Answer:
    """Nothing by itself: `rules.watch` gathers what the other rules lack and asks `describe`."""
    return NOTHING
