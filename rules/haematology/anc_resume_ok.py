"""Lenalidomide may be resumed after a hold for neutrophils.

Watches for    an ANC hold that was released while no other cause holds lenalidomide.
Stays silent   while any hold is open, and once lenalidomide was given or dispensed.
Cannot assess  never: where the dose cannot be named it says so.
Numbers        anc_resume_at, anc_resume_strict_later, anc_persistent_reading, dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.resuming import allowed_dose, cleared_after
from rules.stops import last_ended_at
from rules.view import View

RULE_ID = "anc-resume-ok"
ONLY_TOXICITY = "The labels allow the same dose only where neutropenia was the only toxicity; else one dose step lower."


def assess(view: View) -> Answer:
    """The released ANC hold that waits for the first dose, with the lowest dose any cause asks for."""
    hold = cleared_after(view.ledger, "anc")
    if hold is None or hold.released is None or not view.is_on_treatment:
        return NOTHING
    if view.stops:
        return Nothing(view.stop_ends_at)
    terms, count = view.policy.terms, hold.released
    allowed = allowed_dose(view.ledger.released, view.policy)
    clear = [other.released for other in view.ledger.released if other.released is not None]
    is_still_low = hold.persistent is not None and hold.persistent.id == count.id
    course = "has stayed low, now" if is_still_low else "has recovered to"
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(*(result.at for result in clear), last_ended_at(view.ledger, view.at)),
            title=f"Lenalidomide may be resumed: ANC {count.shown} cells/uL",
            message=f"ANC {course} {count.shown} cells/uL and no other cause holds lenalidomide. "
            f"{allowed.sentence} Doses missed while held are not made up.",
            advice=allowed.advice,
            evidence=(Shown("ANC that released the hold", count), Shown("ANC that opened the hold", hold.opened)),
            thresholds=(terms.anc_resume_at,),
            episode=hold.episode,
            context=(ONLY_TOXICITY,) if allowed.steps == 0 else (),
        )
    )
