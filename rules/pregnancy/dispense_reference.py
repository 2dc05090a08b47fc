"""What the days to a dispense are counted from: the pregnancy test, the prescription or the authorisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.picture import AnyKept, Supply
from rules.policy.terms import Number
from rules.pregnancy.obligation import orders
from rules.pregnancy.tests_taken import negative_tests
from rules.view import View

AUTHORISATION = "authorisation"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a dispense is counted from, and how far it may lie from it."""

    what: str
    fact: AnyKept
    at: datetime
    limit: Number


def counted_from(view: View, supply: Supply, is_possible: bool) -> Counted | None:
    """For one dispense; None where there is nothing to count from."""
    terms = view.policy.terms
    if is_possible and terms.ppp_dispense_from == "test":
        tests = [test for test in negative_tests(view.ledger, view.policy) if test.at <= supply.last]
        return Counted("negative pregnancy test", tests[-1], tests[-1].at, terms.ppp_dispense_days) if tests else None
    if is_possible:
        ordered = [order for order in orders(view) if order.at <= supply.last]
        return Counted("prescription", ordered[-1], ordered[-1].at, terms.ppp_dispense_days) if ordered else None
    if terms.ppp_dispense_from != "test":
        return None
    stated = [s for s in view.ledger.stated if s.code == AUTHORISATION and (s.when or s.at) <= supply.last]
    newest = max(stated, key=lambda s: s.when or s.at, default=None)
    if newest is None:
        return None
    return Counted("authorisation", newest, newest.when or newest.at, terms.ppp_authorisation_days)
