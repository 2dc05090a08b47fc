"""A new cancer other than myeloma: review it, and count it.

Watches for    the first record of a cancer (myelodysplasia and leukaemia included) since the first dose, for a stated
               time or until a review for second cancers is recorded; after the end of treatment as well.
Stays silent   about a cancer known from before, its further records, plasma-cell disease, and history codes.
Cannot assess  never: it needs no more than the record of the cancer.
Numbers        ae_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown, earliest, latest
from rules.picture import Diagnosis
from rules.toxicity.events import CANCER, name_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "spm-event"
REVIEW = "spm-review"


def assess(view: View) -> Answer:
    """Each cancer that is new, while the note is shown."""
    started = view.ledger.started_at
    if started is None:
        return NOTHING
    shown_for, review = view.policy.terms.ae_shown_days, view.statement(REVIEW)
    known: set[str] = set()
    findings, ends = [], []
    for event in view.diagnoses(CANCER):
        kind = _kind(event)
        is_new = kind not in known and not event.is_history and event.last >= started
        known.add(kind)
        until = event.at + shown_for.span
        is_reviewed = review is not None and review.at >= event.at
        if not is_new or is_reviewed or view.at >= until:
            continue
        ends.append(until)
        findings.append(
            Finding(
                subject=event.id,
                since=event.at,
                effective_at=latest(event.at, started),
                title=f"New cancer on or after lenalidomide: {name_of(event)}",
                message=f"{name_of(event).capitalize()} is recorded for the first time since lenalidomide was begun. "
                "Review the patient, weigh lenalidomide against it, and report it as a second primary malignancy.",
                advice=Advice(action=Action.REFER, agent="lenalidomide"),
                evidence=(Shown("new cancer", event),),
                thresholds=(shown_for,),
            )
        )
    return Found(tuple(findings), earliest(*ends)) if findings else NOTHING


def _kind(event: Diagnosis) -> str:
    """What tells one cancer from another: its code without the part after the dot, else the concepts."""
    return event.code.split(".")[0] if event.code is not None else "|".join(event.concepts)
