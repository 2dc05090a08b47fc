"""A pregnancy test reads neither negative nor positive.

Watches for    a quantitative hCG between the limits, or a test answered as indeterminate.
Stays silent   after a negative test or a specialist's word, without childbearing potential, and while pregnancy is open.
Cannot assess  when the newest test has a result that cannot be read.
Numbers        ppp_hcg_negative_below, ppp_hcg_positive_above, ppp_repeat_from_hours, ppp_repeat_to_hours
"""

from __future__ import annotations

from rules.answers import Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.obligation import borders_ahead, is_over
from rules.pregnancy.pregnancy_now import INDETERMINATE_ID, clear_since, pregnancy_changes_at, pregnancy_now
from rules.pregnancy.tests_taken import open_indeterminate, tests_taken
from rules.pregnancy_evidence import TESTS
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = INDETERMINATE_ID


def assess(view: View) -> Answer:
    """One alert from the first such test until a clear one."""
    terms, potential = view.policy.terms, potential_of(view)
    recheck = earliest(borders_ahead(view, terms.ppp_tail_days), potential.changes_at, pregnancy_changes_at(view))
    if is_over(view, terms.ppp_tail_days) or not potential.is_possible or pregnancy_now(view) is not None:
        return Nothing(recheck)
    valid = open_indeterminate(view.ledger, view.policy)
    question = valid or open_indeterminate(view.ledger, view.policy, with_preliminary=True)
    if question is None:
        return CannotAssess(("a readable pregnancy test",), recheck) if _is_unreadable(view) else Nothing(recheck)
    first, newest = question.first, question.newest
    evidence = [Shown("first indeterminate test", first)]
    if newest.id != first.id:
        evidence.append(Shown("newest indeterminate test", newest))
    return found(
        Finding(
            subject=first.id,
            since=first.at,
            effective_at=latest(first.at, potential.since, clear_since(view)),
            title="Pregnancy test indeterminate",
            message=f"Neither negative nor positive (quantitative hCG {terms.ppp_hcg_negative_below} to "
            f"{terms.ppp_hcg_positive_above} mIU/mL). Repeat it {terms.ppp_repeat_from_hours} to "
            f"{terms.ppp_repeat_to_hours} hours later, and do not dispense lenalidomide until it is clear.",
            advice=Advice(
                action=Action.REPEAT_TEST, agent="pregnancy test", next_check=newest.at + terms.ppp_repeat_to_hours.span
            ),
            evidence=tuple(evidence),
            thresholds=(terms.ppp_hcg_negative_below, terms.ppp_hcg_positive_above, terms.ppp_repeat_to_hours),
            is_provisional=valid is None,
            context=potential.context,
        ),
        recheck,
    )


def _is_unreadable(view: View) -> bool:
    taken = tests_taken(view.ledger, view.policy)
    newest = taken[-1].test.at if taken else None
    unread = (view.unusable(name) for name in TESTS)
    return any(result is not None and (newest is None or result.at > newest) for result in unread)
