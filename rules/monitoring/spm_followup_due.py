"""No review for second cancers for a long time.

Watches for    more than the stated months since the last review recorded; with none yet, since the course began.
Stays silent   within them, and once the course ended.
Cannot assess  never: the missing review is the finding.
Numbers        spm_review_months
"""

from __future__ import annotations

from datetime import timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.calendar import local_day, months_before, start_of_day
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "spm-followup-due"
REVIEW = "spm-review"


def assess(view: View) -> Answer:
    """The newest review, else the first dose or dispense, against the interval in calendar months."""
    started, review = view.ledger.started_at, view.statement(REVIEW)
    if started is None or not view.is_on_treatment:
        return NOTHING
    months = view.policy.terms.spm_review_months
    last = review.at if review is not None else started
    # The same day of the month still is in time, as with every window of months.
    due = start_of_day(months_before(local_day(last, view.zone), -months.whole) + timedelta(days=1), view.zone)
    ends = review.until if review is not None else None
    if view.at < due:
        return Nothing(due if ends is None else min(due, ends))
    first = next((s for s in view.supplies("lenalidomide") if s.at == started and s.way != "ordered"), None)
    stands_on = review or first
    return found(
        Finding(
            since=last,
            effective_at=latest(due, started, view.answer_since(REVIEW)),
            title=f"Review for second cancers due: none for {months} months",
            message=f"No review for second primary malignancies is recorded for more than {months} months on lenalidomide. "
            "Review the patient and record it.",
            advice=Advice(action=Action.REFER),
            evidence=(Shown("last review" if review is not None else "first", stands_on),) if stands_on else (),
            thresholds=(months,),
        ),
        ends,
    )
