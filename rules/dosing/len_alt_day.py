"""Lenalidomide every other day although the clearance does not ask for it.

Watches for    an alternate-day schedule with a clearance at or above the limit of severe impairment.
Stays silent   on a daily schedule, below the limit, and on dialysis.
Cannot assess  on alternate days without the clearance.
Numbers        renal_severe_below
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Supply
from rules.renal_dose import DIALYSIS, dialysis_ended, first_so, kidney_now, shown_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-alt-day"
_ALTERNATE = "alternate-days"


def assess(view: View) -> Answer:
    """A small retrospective idea: ask whether it is intended."""
    first, kidney = _first(view), kidney_now(view)
    if not view.is_on_treatment or first is None:
        return NOTHING
    recheck, limit = earliest(next_border(view, DIALYSIS), kidney.until), view.policy.terms.renal_severe_below
    if kidney.missing:
        return CannotAssess(kidney.missing, recheck)
    if kidney.figure is None or kidney.figure.ml_per_min < limit.value:
        return Nothing(recheck)
    person, started = view.ledger.person, view.ledger.started_at
    since = latest(first.at, started)
    begun = first_so(view, lambda figure: figure.ml_per_min >= limit.value)
    facts = (item.fact.at for item in kidney.evidence)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, person.at if person is not None else None, *facts, dialysis_ended(view)),
            title=f"Lenalidomide every other day with {kidney.named}",
            message=f"Lenalidomide is taken every other day with {kidney.named}; below {limit} mL/min that is the "
            "starting dose, above it only a small retrospective study speaks for it. Ask whether it is intended.",
            advice=Advice(action=Action.VERIFY_DATA, agent=LENALIDOMIDE, schedule=_ALTERNATE),
            evidence=(Shown("every other day since", first), *shown_of(begun)),
            thresholds=(limit,),
        ),
        recheck,
    )


def _first(view: View) -> Supply | None:
    """The first of the last supplies in a row that are for every other day."""
    first: Supply | None = None
    for supply in reversed([s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered"]):
        if supply.schedule != _ALTERNATE:
            break
        first = supply
    return first
