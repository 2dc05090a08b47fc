"""A clot was treated for its least time: does treatment go on?

Watches for    anticoagulation of a VTE of this course that goes on after its least time: while the myeloma is active
               it may last longer, and a person decides.
Stays silent   once that review is recorded (shortly before counts), treatment has ended, or its days have passed.
Cannot assess  never: a VTE without treatment is the matter of `vte-event-untreated`.
Numbers        vte_treatment_months, vte_duration_shown_days, vte_same_event_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.thrombosis.events import clots, treated_until, treatment_of
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-duration-review"
REVIEWED = "vte-treatment-review"


def assess(view: View) -> Answer:
    """One review for each event."""
    if not view.is_on_treatment:
        return NOTHING
    terms, recheck, findings = view.policy.terms, next_recorded_end(view), []
    reviewed = view.ledger.statements.get(REVIEWED)
    for event in clots(view):
        treatment = treatment_of(view, event)
        due = treated_until(view, treatment)
        if due is None or treatment.newest is None:
            continue
        shown = terms.vte_duration_shown_days.whole
        until = days_after(due, shown, view.zone)
        recheck = earliest(recheck, *(i for i in (due, until, treatment.ends) if i is not None and i > view.at))
        is_reviewed = reviewed is not None and reviewed.at >= days_after(due, -shown, view.zone)
        if not due <= view.at < until or is_reviewed or not treatment.is_on:
            continue
        findings.append(
            Finding(
                subject=event.id,
                since=due,
                effective_at=max(due, treatment.newest.at),
                title=f"{event.name.capitalize()} treated for {terms.vte_treatment_months} months: does it go on?",
                message=f"Anticoagulation of the {event.name} has lasted {terms.vte_treatment_months} months. While "
                "the myeloma is active it may go on for longer: review benefit and bleeding, and record the decision.",
                advice=Advice(action=Action.REVIEW_MEDICINE, agent="anticoagulant"),
                evidence=(*event.evidence, Shown("treatment", treatment.newest)),
                thresholds=(terms.vte_treatment_months, terms.vte_duration_shown_days),
                is_provisional=event.is_unconfirmed,
            )
        )
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)
