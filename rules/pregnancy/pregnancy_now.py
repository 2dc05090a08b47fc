"""The pregnancy that stands, and what else holds lenalidomide until pregnancy is excluded."""

from __future__ import annotations

from datetime import datetime

from rules.calendar import days_after
from rules.holds import Stop
from rules.ledger import Ledger, Pregnancy
from rules.picture import AnyKept, Diagnosis, Person, Statement
from rules.policy.terms import Policy
from rules.pregnancy.childbearing_potential import READS as POTENTIAL_READS
from rules.pregnancy.childbearing_potential import childbearing_potential, is_male
from rules.pregnancy.tests_taken import Open, open_indeterminate, open_missed_menses
from rules.pregnancy_evidence import OUTCOME, PREGNANT, STATUS, TESTS, is_stale
from rules.view import View

POSITIVE_ID, INDETERMINATE_ID, MENSES_ID = "ppp-pregnancy-positive", "ppp-test-indeterminate", "ppp-missed-menses"
READS = (*TESTS, STATUS, PREGNANT, OUTCOME, "lenalidomide", *POTENTIAL_READS)
_STATED = frozenset((*POTENTIAL_READS, OUTCOME, "lenalidomide-stopped"))


def open_pregnancy(ledger: Ledger, policy: Policy, at: datetime) -> Pregnancy | None:
    """The pregnancy that holds lenalidomide; one from before treatment only while it can be the present one."""
    held = ledger.pregnancy
    if held is None or held.on_treatment:
        return held
    ends = window_ends_at(ledger, policy)
    is_after = ends is not None and held.first.at >= ends
    return None if is_after or is_stale(held, ledger.started_at or at, ledger.zone, policy) else held


def pregnancy_now(view: View) -> Pregnancy | None:
    """As of the instant of the view."""
    return open_pregnancy(view.ledger, view.policy, view.at)


def clear_since(view: View) -> datetime | None:
    """When the last pregnancy was over, by a fact or by time: what it had silenced is true from then on."""
    held = view.ledger.pregnancy
    if held is None:
        return view.ledger.pregnancy_ended_at
    return min((end for end in _ends_of(view, held) if end <= view.at), default=None)


def pregnancy_changes_at(view: View) -> datetime | None:
    """Before treatment a code may end, or grow too old, by time alone."""
    held = view.ledger.pregnancy
    if held is None or held.on_treatment or view.ledger.started_at is not None:
        return None
    return min((end for end in _ends_of(view, held) if end > view.at), default=None)


def _ends_of(view: View, held: Pregnancy) -> list[datetime]:
    old = days_after(held.newest.at, view.policy.terms.ppp_pregnancy_code_days.whole + 1, view.zone)
    abated = held.newest.abated if isinstance(held.newest, Diagnosis) else None
    return [end for end in (old, abated) if end is not None]


def window_ends_at(ledger: Ledger, policy: Policy) -> datetime | None:
    """The first instant after the time after treatment, where treatment ended."""
    ended = ledger.ended_at
    return days_after(ended, policy.terms.ppp_tail_days.whole + 1, ledger.zone) if ended is not None else None


RESULTS = frozenset((*TESTS, STATUS))
"""Results that may open or end one of these holds."""


def concerns(fact: AnyKept) -> bool:
    """Other facts that may."""
    match fact:
        case Diagnosis():
            return PREGNANT in fact.concepts
        case Statement():
            return fact.code in _STATED
        case _:
            return isinstance(fact, Person)


def find_pregnancy_stop(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """Pregnancy holds lenalidomide until a specialist releases it; a man's record is verified first."""
    held = ledger.pregnancy
    if held is None or is_male(ledger) or open_pregnancy(ledger, policy, held.newest.at) is None:
        return ()
    return (Stop(POSITIVE_ID, "", None, held.first.at, held.first.known, held.first),)


def find_indeterminate_stop(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """An indeterminate test holds dispensing until it is repeated."""
    return _stop(ledger, policy, INDETERMINATE_ID, open_indeterminate(ledger, policy))


def find_menses_stop(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """A missed period or abnormal bleeding holds dispensing during the evaluation."""
    return _stop(ledger, policy, MENSES_ID, open_missed_menses(ledger, policy))


def _stop(ledger: Ledger, policy: Policy, rule: str, question: Open | None) -> tuple[Stop, ...]:
    if question is None or not childbearing_potential(ledger, policy, question.newest.at).is_possible:
        return ()
    first = question.first
    return (Stop(rule, first.id, None, first.at, first.known, first, window_ends_at(ledger, policy)),)
