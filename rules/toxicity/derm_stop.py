"""A rash on lenalidomide: interrupt it, or end it for good.

Watches for    a rash at or above the grade that holds; a severe form (Stevens-Johnson, epidermal necrolysis, DRESS,
               bullous or exfoliative) of any grade, and a rash of the highest grade, which end treatment for good.
Stays silent   about milder rash, rash from before the first dose, and rash another medicine was judged to cause.
Cannot assess  a rash without a grade, for a stated time after it was recorded.
Numbers        rash_hold_grade_at, rash_stop_grade_at, ae_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Shown, earliest, latest
from rules.holds import Stop
from rules.picture import Diagnosis
from rules.toxicity.events import RASH, name_of
from rules.toxicity.skin import DERM_STOP, FOR_GOOD, may_be_by_lenalidomide
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = DERM_STOP


def assess(view: View) -> Answer:
    """The open holds for the skin, or a rash nobody graded."""
    stops = view.stops_of(RULE_ID)
    if not view.is_on_treatment:
        return NOTHING
    if not stops:
        return _ungraded(view)
    return Found(tuple(_describe(stop, view) for stop in stops), earliest(*(stop.until for stop in stops)))


def _describe(stop: Stop, view: View) -> Finding:
    event, terms, is_for_good = stop.opened, view.policy.terms, stop.reason == FOR_GOOD
    assert isinstance(event, Diagnosis)
    what = name_of(event) + (f", grade {event.grade}" if event.grade is not None else "")
    advice = (
        "Stop lenalidomide for good and do not give it again; refer today."
        if is_for_good
        else "Interrupt lenalidomide, or consider stopping it, until the rash has gone."
    )
    return Finding(
        subject=event.id,
        since=event.at,
        effective_at=latest(event.at, view.ledger.started_at),
        reason=stop.reason,
        title=f"{'Stop' if is_for_good else 'Hold'} lenalidomide: {what}",
        message=f"Skin reaction on lenalidomide: {what}. {advice}",
        advice=Advice(action=Action.STOP if is_for_good else Action.HOLD, agent="lenalidomide"),
        evidence=(Shown("skin reaction", event),),
        thresholds=(terms.rash_hold_grade_at, terms.rash_stop_grade_at),
    )


def _ungraded(view: View) -> Answer:
    shown_for = view.policy.terms.ae_shown_days.span
    open_ = [
        event
        for event in view.diagnoses(RASH)
        if event.grade is None and may_be_by_lenalidomide(event, view.ledger) and not event.is_over(view.at)
        if view.at < event.at + shown_for
    ]
    if not open_:
        return NOTHING
    ends = (event.abated for event in open_)
    return CannotAssess(("the grade of the rash",), earliest(*ends, *(event.at + shown_for for event in open_)))
