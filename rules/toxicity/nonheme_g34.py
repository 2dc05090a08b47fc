"""A severe adverse event that lenalidomide is held to have caused: interrupt it.

Watches for    a non-haematologic adverse event of the severe grade or above that a person judged related to
               lenalidomide, where the policy follows a label that holds for it.
Stays silent   about what is not judged related (see `ae-severe-review`), and about events with a rule of their own.
Cannot assess  never: without a grade and a judgement there is nothing to hold for.
Numbers        ae_severe_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown, earliest, latest
from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept, Diagnosis
from rules.policy.terms import Policy
from rules.toxicity.ae_severe_review import HOLDS_INSTEAD, is_severe
from rules.toxicity.events import current_events, is_related, name_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = HOLDS_INSTEAD


def concerns(fact: AnyKept) -> bool:
    """Graded events."""
    return isinstance(fact, Diagnosis) and fact.grade is not None


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """Each such event, until it is milder or over."""
    if policy.severity(RULE_ID) is None:
        return ()
    assert ledger.folded_to is not None
    return tuple(
        Stop(RULE_ID, event.id, None, event.at, event.known, event, event.abated)
        for event in current_events(ledger, ledger.folded_to)
        if is_severe(event, policy) and is_related(event)
    )


def assess(view: View) -> Answer:
    """The open holds for such events."""
    stops = view.stops_of(RULE_ID)
    if not stops or not view.is_on_treatment:
        return NOTHING
    findings = []
    for stop in stops:
        event = stop.opened
        assert isinstance(event, Diagnosis)
        findings.append(
            Finding(
                subject=event.id,
                since=event.at,
                effective_at=latest(event.at, view.ledger.started_at),
                title=f"Hold lenalidomide: {name_of(event)}, grade {event.grade}",
                message=f"{name_of(event).capitalize()} of grade {event.grade}, judged related to lenalidomide. Hold "
                "lenalidomide; when it is below the severe grade restart at the next lower dose.",
                advice=Advice(action=Action.HOLD, agent="lenalidomide"),
                evidence=(Shown(f"adverse event of grade {event.grade}", event),),
                thresholds=(view.policy.terms.ae_severe_grade_at,),
            )
        )
    return Found(tuple(findings), earliest(*(stop.until for stop in stops)))
