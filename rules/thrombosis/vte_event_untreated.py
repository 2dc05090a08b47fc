"""A new deep vein thrombosis or pulmonary embolism, and no anticoagulant at a dose that treats it.

Watches for    a VTE of this course with none taken, until treatment has lasted its least time; a calf vein only with
               severe symptoms.
Stays silent   with treatment taken or stated (a prophylactic dose or an order alone is none), anticoagulation
               contraindicated, the event over; about one at a catheter (`vte-cvc-plan`).
Cannot assess  never: an agent at an unknown dose counts if it came since the event, else it is shown and does not.
Numbers        vte_treatment_months, vte_same_event_days, vte_severe_grade_at, enoxaparin_mg,
               apixaban_prophylaxis_mg, rivaroxaban_prophylaxis_mg, fondaparinux_prophylaxis_mg
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.thrombosis.agents import ANTICOAGULANT, CONTRAINDICATED, present, taken
from rules.thrombosis.events import Event, Treatment, clots, treated_until, treatment_asked_since, treatment_of
from rules.thrombosis.precedence import is_untreated
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-event-untreated"


def assess(view: View) -> Answer:
    """Each event that nobody treats."""
    if not view.is_on_treatment:
        return NOTHING
    recheck, findings = next_recorded_end(view), []
    for event in clots(view):
        treatment = treatment_of(view, event)
        over = treated_until(view, treatment)
        recheck = earliest(recheck, treatment.ends, over if over is not None and view.at < over else None)
        asked = treatment_asked_since(view, event)
        if asked is not None and is_untreated(view, event, treatment):
            findings.append(_describe(view, event, treatment, asked))
    prophylaxis = present(taken(view, ANTICOAGULANT), view.at)
    if findings and prophylaxis is not None:
        recheck = earliest(recheck, prophylaxis.ends)
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)


def _describe(view: View, event: Event, treatment: Treatment, asked: datetime) -> Finding:
    contraindicated = view.answer_since(CONTRAINDICATED)
    since, terms = latest(asked, treatment.stopped), view.policy.terms
    low = present(taken(view, ANTICOAGULANT), view.at)
    shown = [Shown("last treatment", treatment.newest)] if treatment.newest is not None else []
    shown += [Shown("at a dose not known to treat", low.newest)] if low is not None else []
    has_low = f" {low.newest.medicine.capitalize()} is taken at a dose not known to treat it." if low else ""
    return Finding(
        subject=event.id,
        since=since,
        effective_at=latest(since, contraindicated),
        title=f"{event.name.capitalize()} and no anticoagulant that treats it",
        message=f"{event.name.capitalize()} on treatment, and no anticoagulant is taken at a dose that treats it."
        f"{has_low} Anticoagulation is the standard: decide on it today, weighing the size of the clot, risk of "
        "bleeding, convenience, interactions and life expectancy.",
        advice=Advice(action=Action.START, agent="anticoagulant"),
        evidence=(*event.evidence, *shown),
        thresholds=(terms.vte_treatment_months,),
        is_provisional=event.is_unconfirmed,
    )
