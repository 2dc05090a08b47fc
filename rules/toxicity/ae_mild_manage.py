"""A mild complaint for which lenalidomide was held or reduced: it can usually be managed without.

Watches for    fatigue, diarrhoea, constipation or rash below the severe grade, and a statement that lenalidomide
               was held or reduced for it.
Stays silent   about bullous or exfoliative rash, once lenalidomide is dispensed or taken again, the complaint is
               over, or the note was shown long enough.
Cannot assess  where lenalidomide was changed for a complaint whose grade is not recorded.
Numbers        ae_severe_grade_at, ae_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.ledger import LENALIDOMIDE
from rules.toxicity.events import SEVERE_SKIN, began_on_treatment, current_events, is_any_of, name_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ae-mild-manage"
CHANGED_FOR = "lenalidomide-changed-for"
COMPLAINTS = ("fatigue", "diarrhoea", "constipation", "rash")


def assess(view: View) -> Answer:
    """The newest change of lenalidomide against the complaint it was made for."""
    change, terms = view.statement(CHANGED_FOR), view.policy.terms
    if change is None or change.value_code not in COMPLAINTS or not view.is_on_treatment:
        return NOTHING
    until = change.at + terms.ae_shown_days.span
    is_resumed = any(taken.at > change.last and taken.way != "ordered" for taken in view.supplies(LENALIDOMIDE))
    if view.at >= until or is_resumed:
        return NOTHING
    complaint = str(change.value_code)
    events = [e for e in current_events(view.ledger, view.at) if is_any_of(e, complaint) and e.at <= change.last]
    if not events:
        ungraded = [
            event
            for event in view.diagnoses(complaint)
            if event.grade is None and began_on_treatment(event, view.ledger) and not event.is_over(view.at)
        ]
        borders = earliest(until, change.until, *(d.abated for d in ungraded))
        return CannotAssess((f"the grade of the {complaint}",), borders) if ungraded else Nothing(change.until)
    event = events[-1]
    recheck = earliest(until, change.until, event.abated)
    if event.grade is None or not 0 < event.grade < terms.ae_severe_grade_at.value or is_any_of(event, *SEVERE_SKIN):
        return Nothing(recheck)
    return found(
        Finding(
            subject=event.id,
            since=event.at,
            effective_at=latest(event.at, change.at, view.ledger.started_at),
            title=f"Lenalidomide changed for {name_of(event)} of grade {event.grade}",
            message=f"Lenalidomide was held or reduced for {name_of(event)} of grade {event.grade}. This is usually "
            "managed without a change of dose: treat the complaint and think about the full dose.",
            advice=Advice(action=Action.INFORM, agent="lenalidomide"),
            evidence=(
                Shown(f"{name_of(event)} of grade {event.grade}", event),
                Shown("change of lenalidomide", change),
            ),
            thresholds=(terms.ae_severe_grade_at, terms.ae_shown_days),
        ),
        recheck,
    )
