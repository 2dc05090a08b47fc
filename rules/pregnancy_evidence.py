"""What the record says of pregnancy: how a test reads, and the pregnancy that stands.

It is folded, because a pregnancy must not be forgotten however many tests follow. Once one was seen on treatment
only a specialist's word ends it; before treatment a negative test does (clinical reference, parts 1.9 and 2.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rules.calendar import days_after, days_between
from rules.ledger import Ledger, Pregnancy
from rules.picture import Diagnosis, Result
from rules.policy.terms import Policy
from schemas.events import FactStatus

TESTS = ("hcg-qualitative", "hcg")
STATUS = "pregnancy-status"
PREGNANT = "pregnant"
OUTCOME = "pregnancy-outcome"
POSITIVE, NEGATIVE, INDETERMINATE = "positive", "negative", "indeterminate"
_ANSWERED = (*TESTS, STATUS, "hbsag", "anti-hbc")
_KEPT_ANSWERS = 12


def outcome_of(test: Result, policy: Policy) -> str | None:
    """`positive`, `negative` or `indeterminate`; None where the result cannot be read.

    A quantity between the limits, or a bound that proves neither side, is indeterminate.
    """
    if test.value is None:
        return test.answer
    if not test.is_usable:
        return None
    if test.is_below(policy.terms.ppp_hcg_negative_below.value):
        return NEGATIVE
    return POSITIVE if test.is_at_most(policy.terms.ppp_hcg_positive_above.value) is False else INDETERMINATE


def take_answers(ledger: Ledger, results: Iterable[Result], policy: Policy) -> None:
    """Remember results that are read as answers, and advance the pregnancy by those that are valid."""
    for result in results:
        outcome = outcome_of(result, policy) if result.analyte in _ANSWERED else None
        if outcome is None:
            continue
        same = [held for held in ledger.answers if held.analyte == result.analyte]
        drop = same[0] if len(same) >= _KEPT_ANSWERS else None
        ledger.answers = (*(held for held in ledger.answers if held is not drop), result)
        if result.is_preliminary or result.analyte not in (*TESTS, STATUS):
            continue
        if outcome == POSITIVE:
            _confirm(ledger, result, policy)
        elif outcome == NEGATIVE and result.analyte in TESTS:
            _deny(ledger, result.at, policy)


def take_pregnancy_code(ledger: Ledger, diagnosis: Diagnosis, policy: Policy) -> None:
    """A code of pregnancy: of the past, already over or unconfirmed it opens nothing."""
    is_past = diagnosis.is_history or diagnosis.is_over(diagnosis.at)
    if PREGNANT in diagnosis.concepts and not is_past and diagnosis.status is not FactStatus.PRELIMINARY:
        _confirm(ledger, diagnosis, policy)


def is_in_window(ledger: Ledger, at: datetime, policy: Policy) -> bool:
    """From the first dose or dispense to the end of the time after treatment, that last day included."""
    started, ended = ledger.started_at, ledger.ended_at
    if started is None:
        return False
    return ended is None or at < days_after(ended, policy.terms.ppp_tail_days.whole + 1, ledger.zone)


def _confirm(ledger: Ledger, fact: Result | Diagnosis, policy: Policy) -> None:
    held, is_within = ledger.pregnancy, is_in_window(ledger, fact.at, policy)
    if held is None or (not held.on_treatment and is_stale(held, fact.at, ledger.zone, policy)):
        ledger.pregnancy = Pregnancy(fact, fact, is_within)
    else:
        ledger.pregnancy = Pregnancy(held.first, fact, held.on_treatment or is_within)


def _deny(ledger: Ledger, at: datetime, policy: Policy) -> None:
    held = ledger.pregnancy
    if held is not None and not held.on_treatment and not is_in_window(ledger, at, policy):
        ledger.pregnancy = None


def is_stale(held: Pregnancy, at: datetime, zone: str, policy: Policy) -> bool:
    """Longer ago than a pregnancy lasts, or recorded as over."""
    newest = held.newest
    is_over = isinstance(newest, Diagnosis) and newest.is_over(at)
    return is_over or days_between(newest.at, at, zone) > policy.terms.ppp_pregnancy_code_days.whole
