"""A rash of the highest grade with thalidomide in the past: lenalidomide must not be used.

Watches for    a statement that says so, or a rash of that grade judged related to thalidomide, in anybody enrolled.
Stays silent   once the course ended; no other fact can cure a contraindication.
Cannot assess  never: without such a record there is none.
Numbers        rash_stop_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.picture import Diagnosis, Statement
from rules.toxicity.events import SKIN
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "thal-rash-history"
STATED, THALIDOMIDE = "thalidomide-severe-rash", "thalidomide"


def assess(view: View) -> Answer:
    """The history, from enrolment to the end of the course."""
    enrolled, limit = view.ledger.enrolled_at, view.policy.terms.rash_stop_grade_at
    if enrolled is None or view.has_ended:
        return NOTHING
    stated = view.statement(STATED)
    ends = stated.until if stated is not None else None
    history: Statement | Diagnosis | None = stated if view.says_yes(STATED) else _coded(view)
    if history is None:
        return Nothing(ends)
    return found(
        Finding(
            since=history.at,
            effective_at=latest(history.at, enrolled, view.restarted_at),
            title="Severe rash with thalidomide in the past",
            message="The patient had a rash of the highest grade on thalidomide. Lenalidomide must not be used: call the "
            "prescriber before the next dose.",
            advice=Advice(action=Action.STOP, agent="lenalidomide"),
            evidence=(Shown("history", history),),
            thresholds=(limit,),
        ),
        ends,
    )


def _coded(view: View) -> Diagnosis | None:
    limit = view.policy.terms.rash_stop_grade_at.value
    return next((e for e in view.diagnoses(*SKIN) if (e.grade or 0) >= limit and THALIDOMIDE in e.related), None)
