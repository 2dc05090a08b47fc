"""No platelet transfusion although a very low count has been standing.

Watches for    a platelet hold open for the stated time with a count below the transfusion limit, or below
               the higher limit with bleeding recorded, and no transfusion since that count.
Stays silent   once a transfusion is recorded, at or above the limits, and when the hold is released.
Cannot assess  never by itself: `plt-hold` speaks for a missing count.
Numbers        plt_support_below, plt_support_bleeding_below, plt_support_wait_hours
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "plt-support-missing"


def assess(view: View) -> Answer:
    """The platelet hold, once it has stood too long at a count that calls for transfusion."""
    hold = view.hold_of("platelets")
    if hold is None or not view.is_on_treatment:
        return NOTHING
    terms, count = view.policy.terms, hold.newest
    bleeding = None
    if not count.is_below(terms.plt_support_below.value):
        bleeding = view.active("bleeding")
        if bleeding is None or not count.is_below(terms.plt_support_bleeding_below.value):
            return NOTHING
    given = view.procedure_since(hold.opened.at, "platelet-transfusion")
    if given is not None and given.at >= count.at:
        return NOTHING
    # After a transfusion a count that is low again gets the same time for the next one.
    due = (hold.opened.at if given is None else given.at) + terms.plt_support_wait_hours.span
    ends = bleeding.abated if bleeding is not None else None
    if view.at < due:
        return Nothing(due if ends is None else min(due, ends))
    evidence = [Shown("newest platelets", count)]
    if bleeding is not None:
        evidence.append(Shown("bleeding", bleeding))
    limit = terms.plt_support_below if bleeding is None else terms.plt_support_bleeding_below
    with_bleeding = " with bleeding" if bleeding is not None else ""
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(due, view.restarted_at, *(shown.fact.at for shown in evidence)),
            reason="very-low" if bleeding is None else "bleeding",
            title=f"No platelet transfusion: platelets {count.shown} cells/uL{with_bleeding}",
            message=f"Platelets {count.shown} cells/uL{with_bleeding}, below {limit}, for more than "
            f"{terms.plt_support_wait_hours} hours, and no platelet transfusion is recorded. Make a transfusion plan.",
            advice=Advice(action=Action.START, agent="platelet transfusion"),
            evidence=tuple(evidence),
            thresholds=(limit, terms.plt_support_wait_hours),
            episode=hold.episode,
            is_provisional=hold.is_provisional,
        ),
        ends,
    )
