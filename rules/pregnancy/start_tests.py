"""Which pregnancy tests the programme asks for before the first lenalidomide, and whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rules.calendar import days_between
from rules.picture import Result
from rules.policy.terms import Number
from rules.pregnancy.contraception_record import enough_for_women, runs
from rules.pregnancy.obligation import Obligation, orders
from rules.view import View


def beginnings(view: View, must: Obligation) -> Iterator[tuple[datetime, datetime]]:
    """Earliest and latest instant of the first dispense or dose, and of each prescription it can stand on."""
    yield must.begins, must.last
    oldest = must.begins - view.policy.terms.order_open_days.span
    is_started = view.ledger.started_at is not None
    yield from ((s.at, s.last) for s in orders(view) if oldest <= s.at and (not is_started or s.at <= must.last))


def fits(view: View, tests: tuple[Result, ...], begins: datetime, last: datetime) -> bool:
    """Whether the tests lie in the windows; where an hour is not known, the longest time that may have passed."""
    terms, before = view.policy.terms, [test for test in tests if test.at <= last]
    ages = [(test, days_between(test.at, begins, view.zone)) for test in before]
    if terms.ppp_start_two_tests:
        first, second = terms.ppp_first_test_latest_days.whole, terms.ppp_second_test_hours.span
        is_early = any(first <= age <= terms.ppp_first_test_earliest_days.whole for _, age in ages)
        return is_early and any(last - test.at <= second for test in before)
    protected = runs(view, enough_for_women(view))
    return any(
        age <= terms.ppp_single_test_days.whole
        and any(
            r.holds_at(t.at) and days_between(r.begins, t.at, view.zone) >= terms.ppp_lead_days.whole for r in protected
        )
        for t, age in ages
    )


def numbers_asked(view: View) -> tuple[Number, ...]:
    terms = view.policy.terms
    if terms.ppp_start_two_tests:
        return terms.ppp_first_test_earliest_days, terms.ppp_first_test_latest_days, terms.ppp_second_test_hours
    return terms.ppp_single_test_days, terms.ppp_lead_days


def words_asked(view: View) -> str:
    numbers = numbers_asked(view)
    if view.policy.terms.ppp_start_two_tests:
        return (
            f"Two negative pregnancy tests come before the first prescription: one {numbers[1]} to {numbers[0]} days "
            f"before it and one within {numbers[2]} hours."
        )
    return (
        f"A negative pregnancy test comes at most {numbers[0]} days before the first prescription, after "
        f"{numbers[1]} days of contraception."
    )
