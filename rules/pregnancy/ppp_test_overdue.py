"""The next pregnancy test is overdue, on treatment or after it.

Watches for    more days since the last test than the interval (weekly at first, then by the menses) and its grace, through
               interruptions as well; after the end, no test from the stated time on.
Stays silent   without childbearing potential, while pregnancy is open, after death.
Cannot assess  never: unknown menses count as irregular, unknown potential as possible.
Numbers        ppp_test_weekly_until_days, ppp_test_weekly_days, ppp_test_regular_days, ppp_test_irregular_days,
               ppp_test_grace_days, ppp_end_test_from_days, ppp_end_test_within_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after, days_between
from rules.picture import Result
from rules.policy.terms import Number
from rules.pregnancy.childbearing_potential import MENSES, potential_of
from rules.pregnancy.obligation import ahead, first_fact, is_dead
from rules.pregnancy.pregnancy_now import clear_since, pregnancy_now
from rules.pregnancy.tests_taken import valid_tests
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-test-overdue"


def assess(view: View) -> Answer:
    """From the last test, or from the first dose where there is none; after the end, from the end."""
    started, ended, potential = view.ledger.started_at, view.ledger.ended_at, potential_of(view)
    borders = earliest(potential.changes_at, ahead(view, started, ended))
    if started is None or started > view.at or not potential.is_possible or pregnancy_now(view) is not None:
        return Nothing(borders)
    tests = [taken.test for taken in valid_tests(view.ledger, view.policy) if taken.test.at > started]
    if view.has_ended and ended is not None:
        return Nothing() if is_dead(view) else _after_the_end(view, ended, tests)
    last = tests[-1] if tests else None
    base = last.at if last is not None else started
    interval, changes_at, stated_at = _interval(view, started, base)
    due = days_after(base, interval.whole + view.policy.terms.ppp_test_grace_days.whole + 1, view.zone)
    recheck = earliest(borders, changes_at)
    if view.at < due:
        return Nothing(earliest(recheck, due))
    text = f"No pregnancy test for more than {interval} days; one is due every {interval} days now."
    return found(_describe(view, base, latest(due, stated_at), last, text, interval), recheck)


def _interval(view: View, started: datetime, base: datetime) -> tuple[Number, datetime | None, datetime | None]:
    """The interval in force, when a word on the menses ends, and since when it is said."""
    terms = view.policy.terms
    weekly = terms.ppp_test_weekly_days
    if days_between(started, base, view.zone) + weekly.whole <= terms.ppp_test_weekly_until_days.whole:
        return weekly, None, None
    menses = view.statement(MENSES)
    if menses is None:
        return terms.ppp_test_irregular_days, None, view.answer_since(MENSES)
    is_regular = menses.value_code == "regular"
    return (terms.ppp_test_regular_days if is_regular else terms.ppp_test_irregular_days), menses.until, menses.at


def _after_the_end(view: View, ended: datetime, tests: list[Result]) -> Answer:
    terms = view.policy.terms
    begin, within, potential = terms.ppp_end_test_from_days, terms.ppp_end_test_within_days, potential_of(view)
    if any(days_between(ended, test.at, view.zone) >= begin.whole for test in tests):
        return Nothing(potential.changes_at)
    due = days_after(ended, begin.whole + within.whole + 1, view.zone)
    if view.at < due:
        return Nothing(earliest(potential.changes_at, due))
    last = tests[-1] if tests else None
    text = f"Treatment ended, and no pregnancy test came {begin} days or more after it."
    return found(_describe(view, ended, due, last, text, begin, within), potential.changes_at)


def _describe(view: View, since: datetime, due: datetime, last: Result | None, text: str, *numbers: Number) -> Finding:
    potential, started = potential_of(view), view.ledger.started_at or since
    shown = Shown("last pregnancy test", last) if last is not None else Shown("lenalidomide", first_fact(view, started))
    return Finding(
        since=since,
        effective_at=latest(due, potential.since, clear_since(view)),
        title="Pregnancy test overdue",
        message=f"{text} Do one now.",
        advice=Advice(action=Action.REPEAT_TEST, agent="pregnancy test"),
        evidence=(shown,),
        thresholds=(*numbers, view.policy.terms.ppp_test_grace_days),
        context=potential.context,
    )
