"""The next dose step would go below the lowest dose of the ladder.

Watches for    holds, open or waiting for the first dose, that ask for more steps than the ladder has.
Stays silent   while a lower dose exists, and once lenalidomide is given or dispensed after release.
Cannot assess  where a step is asked for and the dose before is not known, or it is taken on alternate days.
Numbers        dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found, latest
from rules.resuming import allowed_dose, as_limit, asks_for_reduction
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dose-floor"


def assess(view: View) -> Answer:
    """The dose that every hold since the last dose asks for together."""
    if not view.is_on_treatment:
        return NOTHING
    asking = [hold for hold in (*view.ledger.released, *view.holds) if asks_for_reduction(hold)]
    if not asking:
        return NOTHING
    allowed = allowed_dose((*view.ledger.released, *view.holds), view.policy)
    if not allowed.is_defined:
        unknown = "the dose before the hold" if allowed.from_mg is None else "a dose ladder for alternate days"
        return CannotAssess((unknown,))
    if not allowed.is_at_floor:
        return NOTHING
    # A hold that a count in doubt opened asks for a step only since a sound count confirmed it.
    deciding = [hold.persistent or (hold.newest if hold.opened.is_doubtful else hold.opened) for hold in asking]
    before = next((hold.dose for hold in asking if hold.dose is not None), None)
    dispensed = (Shown("dose before the hold", before),) if before is not None else ()
    return found(
        Finding(
            since=min(hold.opened.at for hold in asking),
            effective_at=latest(*(count.at for count in deciding), view.restarted_at),
            title=f"No dose step below {allowed.from_mg} mg of lenalidomide",
            message=f"A step below {allowed.from_mg} mg is due when lenalidomide is resumed, and the ladder has none. "
            "Consider stopping; ask a specialist.",
            advice=Advice(action=Action.REFER, agent="lenalidomide"),
            evidence=(*(Shown("asks for a lower dose", count) for count in deciding), *dispensed),
            thresholds=(as_limit(None, view.policy),),
            episode=asking[-1].episode,
        )
    )
