"""Lenalidomide may be resumed after a hold for platelets, one dose step lower.

Watches for    a platelet hold that was released while no other cause holds lenalidomide.
Stays silent   while any hold is open, and once lenalidomide was given or dispensed.
Cannot assess  never: where the dose cannot be named it says so.
Numbers        plt_resume_at, plt_resume_warn_below, dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.resuming import allowed_dose, cleared_after
from rules.stops import last_ended_at
from rules.view import View

RULE_ID = "plt-resume-ok"


def assess(view: View) -> Answer:
    """The released platelet hold that waits for the first dose, with a warning while the count is low."""
    hold = cleared_after(view.ledger, "platelets")
    if hold is None or hold.released is None or not view.is_on_treatment:
        return NOTHING
    if view.stops:
        return Nothing(view.stop_ends_at)
    terms, newest = view.policy.terms, view.newest("platelets") or hold.released
    allowed = allowed_dose(view.ledger.released, view.policy)
    clear = [other.released for other in view.ledger.released if other.released is not None]
    evidence = [Shown("platelets that released the hold", hold.released)]
    if newest.id != hold.released.id:
        evidence.append(Shown("newest platelets", newest))
    is_still_low = newest.is_doubtful or newest.is_below(terms.plt_resume_warn_below.value) is not False
    warning = f" Platelets are below {terms.plt_resume_warn_below}: watch for bleeding." if is_still_low else ""
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(*(result.at for result in clear), last_ended_at(view.ledger, view.at)),
            title=f"Lenalidomide may be resumed: platelets {newest.shown} cells/uL",
            message=f"Platelets have recovered to {newest.shown} cells/uL and no other cause holds lenalidomide. "
            f"{allowed.sentence} Doses missed while held are not made up.{warning}",
            advice=allowed.advice,
            evidence=(*evidence, Shown("platelets that opened the hold", hold.opened)),
            thresholds=(terms.plt_resume_at, terms.plt_resume_warn_below),
            episode=hold.episode,
        )
    )
