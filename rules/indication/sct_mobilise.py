"""Eligible for a transplant, several cycles of lenalidomide, and no plan to collect stem cells.

Watches for    a patient recorded as eligible, from day 1 of the cycle after those in which cells are collected.
Stays silent   once collection is planned or done, and where eligibility was never recorded, is denied or declined.
Cannot assess  never: who was not judged eligible is not asked about.
Numbers        sct_collect_cycles
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.course_moment import begin_of
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "sct-mobilise"
PLAN = "transplant-plan"


def assess(view: View) -> Answer:
    """Lenalidomide makes collection harder the longer it is taken."""
    plan, cycle, limit = view.statement(PLAN), view.cycle, view.policy.terms.sct_collect_cycles
    if not view.is_on_treatment or cycle is None:
        return NOTHING
    if cycle.number <= limit.whole or plan is None or plan.value_code != "eligible":
        return Nothing(next_border(view, PLAN))
    late = next(begin_of(c, view.zone) for c in view.ledger.cycles if c.number > limit.whole)
    since = max(late, (view.stated_since(PLAN) or plan).at)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, view.answer_since(PLAN)),
            title=f"Transplant-eligible and more than {limit} cycles without a plan to collect stem cells",
            message=f"This is cycle {cycle.number}, the patient is recorded as eligible for a transplant, and no "
            f"collection is planned. Stem cells should be collected within {limit} cycles: plan it.",
            advice=Advice(action=Action.REFER),
            evidence=(Shown("eligible for transplant", plan),),
            thresholds=(limit,),
        ),
        next_border(view, PLAN),
    )
