"""A severe peripheral neuropathy, which lenalidomide rarely causes: look for another reason.

Watches for    a peripheral neuropathy of the severe grade or above that began on treatment.
Stays silent   once it is milder or over, or another cause is recorded.
Cannot assess  never: a neuropathy without a grade is often that of an earlier medicine.
Numbers        ae_severe_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.ledger import LENALIDOMIDE
from rules.toxicity.events import current_events, is_any_of, next_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ae-neuropathy-unexpected"
NEUROPATHY = "peripheral-neuropathy"
CAUSE = "neuropathy-cause"


def assess(view: View) -> Answer:
    """Each such event while nobody named another cause."""
    if not view.is_on_treatment:
        return NOTHING
    limit, cause = view.policy.terms.ae_severe_grade_at, view.statement(CAUSE)
    ends = cause.until if cause is not None else None
    if cause is not None and cause.value_code != LENALIDOMIDE:
        return Nothing(ends)
    events = tuple(
        event
        for event in current_events(view.ledger, view.at)
        if is_any_of(event, NEUROPATHY) and event.grade is not None and event.grade >= limit.value
    )
    if not events:
        return NOTHING
    findings = tuple(
        Finding(
            subject=event.id,
            since=event.at,
            effective_at=latest(event.at, view.ledger.started_at, view.answer_since(CAUSE)),
            title=f"Unexpected: peripheral neuropathy of grade {event.grade} on lenalidomide",
            message=f"Peripheral neuropathy of grade {event.grade} is unusual for lenalidomide. Look for another cause: "
            "earlier bortezomib or thalidomide, diabetes, amyloidosis, the paraprotein.",
            advice=Advice(action=Action.REFER),
            evidence=(Shown(f"neuropathy of grade {event.grade}", event),),
            thresholds=(limit,),
        )
        for event in events
    )
    return Found(findings, earliest(next_end(view, events), ends))
