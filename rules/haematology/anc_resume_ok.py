"""Lenalidomide may be resumed after a hold for neutrophils.

Watches for    an ANC hold that was released while no other cause holds lenalidomide.
Stays silent   while any hold is open, and once lenalidomide was given or dispensed.
Cannot assess  never: where the dose cannot be named it says so.
Numbers        anc_resume_at, anc_resume_strict_later, dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found
from rules.resuming import allowed_dose, cleared_after
from rules.view import View

RULE_ID = "anc-resume-ok"


def assess(view: View) -> Answer:
    """The released ANC hold that waits for the first dose, with the lowest dose any cause asks for."""
    hold = cleared_after(view.ledger, "anc")
    if hold is None or hold.released is None or not view.is_on_treatment:
        return NOTHING
    terms, count = view.policy.terms, hold.released
    allowed = allowed_dose(view.ledger.released, view.policy)
    clear = [other.released for other in view.ledger.released if other.released is not None]
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=max(result.at for result in clear),
            title=f"Lenalidomide may be resumed: ANC {count.shown} cells/uL",
            message=f"ANC has recovered to {count.shown} cells/uL and no other cause holds lenalidomide. "
            f"{allowed.sentence} Doses missed while held are not made up.",
            advice=allowed.advice,
            evidence=(Shown("ANC that released the hold", count), Shown("ANC that opened the hold", hold.opened)),
            thresholds=(terms.anc_resume_at,),
            episode=hold.episode,
        )
    )
