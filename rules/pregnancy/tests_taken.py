"""Pregnancy tests as the rules count them: valid ones, and what they leave open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.ledger import Ledger
from rules.picture import Result, Statement
from rules.policy.terms import Policy
from rules.pregnancy_evidence import INDETERMINATE, NEGATIVE, OUTCOME, POSITIVE, TESTS, outcome_of

_ORDER = (NEGATIVE, INDETERMINATE, POSITIVE)
MISSED = frozenset(("missed", "abnormal-bleeding"))


@dataclass(frozen=True, slots=True)
class Taken:
    """One pregnancy test and how it reads."""

    test: Result
    outcome: str


@dataclass(frozen=True, slots=True)
class Open:
    """What no negative test has answered yet: the first such fact, and the newest."""

    first: Result | Statement
    newest: Result | Statement


def tests_taken(ledger: Ledger, policy: Policy) -> tuple[Taken, ...]:
    """Valid and preliminary tests, oldest first; of one instant the less reassuring counts as the later."""
    read = ((test, outcome_of(test, policy)) for test in ledger.answers if test.analyte in TESTS)
    taken = [Taken(test, outcome) for test, outcome in read if outcome is not None]
    return tuple(sorted(taken, key=lambda item: (item.test.at, _ORDER.index(item.outcome))))


def valid_tests(ledger: Ledger, policy: Policy) -> tuple[Taken, ...]:
    """Without preliminary ones, which satisfy no obligation."""
    return tuple(taken for taken in tests_taken(ledger, policy) if not taken.test.is_preliminary)


def negative_tests(ledger: Ledger, policy: Policy) -> tuple[Result, ...]:
    """Valid negative ones, oldest first."""
    return tuple(taken.test for taken in valid_tests(ledger, policy) if taken.outcome == NEGATIVE)


def open_indeterminate(ledger: Ledger, policy: Policy, *, with_preliminary: bool = False) -> Open | None:
    """Indeterminate tests that neither a clear one nor a specialist's word followed."""
    found: Open | None = None
    cleared = _cleared_at(ledger)
    for taken in tests_taken(ledger, policy):
        is_cleared = cleared is not None and taken.test.at <= cleared
        if is_cleared or (taken.test.is_preliminary and not with_preliminary):
            continue
        if taken.outcome == INDETERMINATE:
            found = Open(found.first if found is not None else taken.test, taken.test)
        elif not taken.test.is_preliminary:
            found = None
    return found


def open_missed_menses(ledger: Ledger, policy: Policy) -> Open | None:
    """Missed periods or abnormal bleeding that neither a negative test nor a specialist's word followed."""
    answers = [test.at for test in negative_tests(ledger, policy)]
    cleared = _cleared_at(ledger)
    since = max((*answers, *((cleared,) if cleared is not None else ())), default=None)
    events = [
        s for s in ledger.stated if s.code == "menses" and s.value_code in MISSED and (since is None or s.at >= since)
    ]
    return Open(events[0], events[-1]) if events else None


def _cleared_at(ledger: Ledger) -> datetime | None:
    word = ledger.statements.get(OUTCOME)
    return word.at if word is not None else None
