"""Hold lenalidomide for a low platelet count.

Watches for    platelets below the hold limit on treatment.
Stays silent   at or above it.
Cannot assess  on treatment without a valid platelet count, or when a newer one is unusable.
Numbers        plt_hold_below, plt_resume_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found, latest
from rules.holds import Hold, Moment
from rules.picture import Result
from rules.policy.terms import Terms
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "plt-hold"


def opens(count: Result, moment: Moment, terms: Terms) -> bool:
    """Below the hold limit on any day."""
    return bool(count.is_below(terms.plt_hold_below.value))


def releases(count: Result, hold: Hold, terms: Terms) -> bool:
    """Recovered to the resume value."""
    return count.is_below(terms.plt_resume_at.value) is False


def assess(view: View) -> Answer:
    """The open platelet hold, or a preliminary count that would open one."""
    hold, terms = view.hold_of("platelets"), view.policy.terms
    preliminary = view.preliminary("platelets")
    if hold is not None:
        count, evidence = hold.decided, [Shown("platelets that decided", hold.decided)]
        if hold.newest.id != hold.decided.id:
            evidence.append(Shown("newest platelets", hold.newest))
        is_provisional, since, episode = hold.is_provisional, hold.opened.at, hold.episode
    elif not view.is_on_treatment:
        return NOTHING
    elif preliminary is not None and preliminary.is_below(terms.plt_hold_below.value):
        count, evidence = preliminary, [Shown("preliminary platelets", preliminary)]
        is_provisional, since, episode = True, preliminary.at, None
    else:
        return _blind(view)
    return found(
        Finding(
            since=since,
            effective_at=latest(count.at, view.ledger.started_at),
            title=f"Hold lenalidomide: platelets {count.shown} cells/uL",
            message=f"Platelets {count.shown} cells/uL, below {terms.plt_hold_below}. Hold lenalidomide, consider "
            "transfusion, repeat the CBC weekly. Resume one dose step lower when at least "
            f"{terms.plt_resume_at} cells/uL.",
            advice=Advice(action=Action.HOLD if hold else Action.REPEAT_TEST, agent="lenalidomide"),
            evidence=tuple(evidence),
            thresholds=(terms.plt_hold_below, terms.plt_resume_at),
            episode=episode,
            is_provisional=is_provisional,
        )
    )


def _blind(view: View) -> Answer:
    if view.unusable("platelets") is not None:
        return CannotAssess(("a usable value of the newest platelet count",))
    if view.newest("platelets") is None:
        return CannotAssess(("platelets",))
    return NOTHING
