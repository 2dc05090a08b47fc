"""A positive pregnancy test or a code of pregnancy, from the start to the end of the time after treatment.

Watches for    a positive test, a recorded status or a code of pregnancy, whatever the sex or potential recorded.
Stays silent   once a specialist recorded that pregnancy is excluded or ended; before treatment also after a negative test.
Cannot assess  never by itself: a result that cannot be read is said by `ppp-test-indeterminate`.
Numbers        ppp_hcg_positive_above, ppp_hcg_negative_below, ppp_tail_days, ppp_pregnancy_code_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_between
from rules.picture import Diagnosis, Result
from rules.pregnancy.childbearing_potential import is_male, potential_of
from rules.pregnancy.obligation import borders_ahead, is_over
from rules.pregnancy.pregnancy_now import POSITIVE_ID, pregnancy_changes_at, pregnancy_now
from rules.pregnancy.tests_taken import negative_tests
from rules.pregnancy_evidence import PREGNANT, STATUS, TESTS, outcome_of
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = POSITIVE_ID


def assess(view: View) -> Answer:
    """One alert a pregnancy; what is only preliminary, or of a man, is shown as provisional."""
    held, known_until = pregnancy_now(view), potential_of(view).changes_at
    if held is not None:
        finding = _describe(view, held.first, held.newest, is_male(view.ledger))
        return found(finding, earliest(pregnancy_changes_at(view), known_until))
    recheck = earliest(borders_ahead(view, view.policy.terms.ppp_tail_days), known_until)
    if is_over(view, view.policy.terms.ppp_tail_days):
        return NOTHING
    hint = _unconfirmed(view)
    return found(_describe(view, hint, hint, True), recheck) if hint is not None else Nothing(recheck)


def _unconfirmed(view: View) -> Result | Diagnosis | None:
    """The newest preliminary sign of pregnancy that no negative test has followed."""
    tests = [
        r for r in view.ledger.answers
        if r.is_preliminary and r.analyte in (*TESTS, STATUS) and outcome_of(r, view.policy) == "positive"
    ]  # fmt: skip
    codes = [
        d for d in view.diagnoses(PREGNANT)
        if d.status is FactStatus.PRELIMINARY and d.is_active and not d.is_history and d.abated is None
    ]  # fmt: skip
    signs: list[Result | Diagnosis] = [*tests, *codes]
    newest = max(signs, key=lambda fact: fact.at, default=None)
    if newest is None or any(test.at >= newest.at for test in negative_tests(view.ledger, view.policy)):
        return None
    begins = view.ledger.started_at or view.ledger.folded_to or newest.at
    is_old = days_between(newest.at, begins, view.zone) > view.policy.terms.ppp_pregnancy_code_days.whole
    return None if is_old else newest


def _describe(view: View, first: Result | Diagnosis, newest: Result | Diagnosis, is_provisional: bool) -> Finding:
    terms = view.policy.terms
    shown = f": {newest.shown} {newest.canonical or ''}".rstrip() if isinstance(newest, Result) else ": recorded"
    male = ("Recorded as male: verify the sex, and whose test or diagnosis it is.",) if is_male(view.ledger) else ()
    evidence = [Shown("first sign of pregnancy", first)]
    if newest.id != first.id:
        evidence.append(Shown("newest sign of pregnancy", newest))
    return Finding(
        since=first.at,
        effective_at=first.at,
        title=f"Pregnancy{' to be confirmed' if is_provisional else ''}{shown}",
        message="Lenalidomide harms the unborn child. Stop it now, refer to a specialist today, and report the exposure. "
        "It may be considered again only when a specialist recorded that pregnancy is excluded or ended.",
        advice=Advice(action=Action.STOP, agent="lenalidomide"),
        evidence=tuple(evidence),
        thresholds=(terms.ppp_hcg_positive_above, terms.ppp_tail_days),
        is_provisional=is_provisional,
        context=(*male, *potential_of(view).context),
    )
