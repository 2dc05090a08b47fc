"""A missed period or abnormal bleeding where pregnancy is possible.

Watches for    menses stated as missed or as abnormal bleeding, from the first order to the end of the time after treatment.
Stays silent   after a negative test or a specialist's word, without childbearing potential, and while pregnancy is open.
Cannot assess  never: the statement is the finding.
Numbers        ppp_tail_days
"""

from __future__ import annotations

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.obligation import borders_ahead, is_over
from rules.pregnancy.pregnancy_now import MENSES_ID, clear_since, pregnancy_changes_at, pregnancy_now
from rules.pregnancy.tests_taken import open_missed_menses
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = MENSES_ID


def assess(view: View) -> Answer:
    """One alert from the first such statement until a negative test."""
    tail, potential = view.policy.terms.ppp_tail_days, potential_of(view)
    recheck = earliest(borders_ahead(view, tail), potential.changes_at, pregnancy_changes_at(view))
    question = open_missed_menses(view.ledger, view.policy)
    is_silent = is_over(view, tail) or not potential.is_possible or pregnancy_now(view) is not None
    if question is None or is_silent:
        return Nothing(recheck)
    first, newest = question.first, question.newest
    evidence = [Shown("menses", first)]
    if newest.id != first.id:
        evidence.append(Shown("menses, newest statement", newest))
    return found(
        Finding(
            subject=first.id,
            since=first.at,
            effective_at=latest(first.at, potential.since, clear_since(view)),
            title="Missed period or abnormal bleeding: exclude pregnancy",
            message="A missed period or abnormal bleeding was recorded. Do a pregnancy test and counsel; lenalidomide is "
            "not dispensed until pregnancy is excluded.",
            advice=Advice(action=Action.HOLD, agent="lenalidomide"),
            evidence=tuple(evidence),
            thresholds=(tail,),
            context=potential.context,
        ),
        recheck,
    )
