"""A severe adverse event outside the blood: reduce, interrupt or stop is to be decided.

Watches for    a non-haematologic adverse event of the severe grade or above that began on treatment.
Stays silent   below that grade, once it is over or milder, about blood counts, and about events with a rule of
               their own: skin, hypersensitivity, clots, second cancers, and what `nonheme-g34` holds for.
Cannot assess  never: an event without a grade is not one this rule speaks of.
Numbers        ae_severe_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown, latest
from rules.picture import Diagnosis
from rules.policy.terms import Policy
from rules.toxicity.events import HAEMATOLOGIC, WITH_OWN_RULE, current_events, is_any_of, is_related, name_of, next_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ae-severe-review"
HOLDS_INSTEAD = "nonheme-g34"


def is_severe(event: Diagnosis, policy: Policy) -> bool:
    """Severe, not of the blood, and no other rule's own matter."""
    if event.grade is None or event.grade < policy.terms.ae_severe_grade_at.value:
        return False
    return not is_any_of(event, *HAEMATOLOGIC, *WITH_OWN_RULE)


def assess(view: View) -> Answer:
    """Each such event while it lasts."""
    if not view.is_on_treatment:
        return NOTHING
    terms, is_held = view.policy.terms, view.policy.severity(HOLDS_INSTEAD) is not None
    events = tuple(
        event
        for event in current_events(view.ledger, view.at)
        if is_severe(event, view.policy) and not (is_held and is_related(event))
    )
    findings = tuple(
        Finding(
            subject=event.id,
            since=event.at,
            effective_at=latest(event.at, view.ledger.started_at),
            title=f"Severe adverse event: {name_of(event)}, grade {event.grade}",
            message=f"{name_of(event).capitalize()} of grade {event.grade} on lenalidomide. Decide whether to reduce, "
            "interrupt or stop lenalidomide until it has resolved.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="lenalidomide"),
            evidence=(Shown(f"adverse event of grade {event.grade}", event),),
            thresholds=(terms.ae_severe_grade_at,),
        )
        for event in events
    )
    return Found(findings, next_end(view, events)) if findings else NOTHING
