"""Treatment replaces prophylaxis: from a VTE on, while an alert about it is open or it is treated (part 1.14)."""

from __future__ import annotations

from datetime import datetime

from rules.answers import earliest
from rules.thrombosis.agents import CONTRAINDICATED
from rules.thrombosis.events import Event, Treatment, clots, treated_until, treatment_asked_since, treatment_of
from rules.thrombosis.restarting import released_at
from rules.view import View


def is_untreated(view: View, event: Event, treatment: Treatment) -> bool:
    """Whether treatment is asked for and none is on: until it has lasted its least time, or for ever if none began."""
    over = treated_until(view, treatment)
    if treatment.is_on or event.is_over(view.at) or (over is not None and view.at >= over):
        return False
    return treatment_asked_since(view, event) is not None and not view.says_yes(CONTRAINDICATED)


def event_in_charge(view: View) -> tuple[bool, datetime | None]:
    """Whether a VTE of the course rules what is given; and when that may change by time alone."""
    return view.derive(_event_in_charge)


def _event_in_charge(view: View) -> tuple[bool, datetime | None]:
    is_one, recheck = False, None
    for event in clots(view):
        treatment = treatment_of(view, event)
        over = treated_until(view, treatment)
        recheck = earliest(recheck, treatment.ends, over if over is not None and over > view.at else None)
        holds = released_at(view.ledger, view.policy, event, needs_anticoagulant=True) is None
        is_one = is_one or holds or treatment.is_on or is_untreated(view, event, treatment)
    return is_one, recheck
