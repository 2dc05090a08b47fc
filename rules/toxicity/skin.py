"""Skin reactions that hold lenalidomide: which ones, for now or for good, and until when."""

from __future__ import annotations

from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept, Diagnosis
from rules.policy.terms import Policy, Terms
from rules.toxicity.events import SEVERE_SKIN, SKIN, began_on_treatment, current_events, is_any_of, is_blamed_elsewhere

DERM_STOP = "derm-stop"
FOR_GOOD, FOR_NOW = "for-good", "for-now"


def concerns(fact: AnyKept) -> bool:
    """Skin reactions."""
    return isinstance(fact, Diagnosis) and is_any_of(fact, *SKIN)


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """Severe forms for ever, others until they are milder or over."""
    stands = [stop for stop in ledger.stops if stop.rule == DERM_STOP and stop.reason == FOR_GOOD]
    held = {stop.subject for stop in stands}
    stands += [
        Stop(DERM_STOP, event.id, FOR_GOOD, event.at, event.known, event)
        for event in ledger.diagnoses
        if event.id not in held and may_be_by_lenalidomide(event, ledger) and _is_for_good(event, policy.terms)
    ]
    assert ledger.folded_to is not None
    limit = policy.terms.rash_hold_grade_at.value
    for event in current_events(ledger, ledger.folded_to):
        is_held = may_be_by_lenalidomide(event, ledger) and event.grade is not None and event.grade >= limit
        if is_held and not _is_for_good(event, policy.terms):
            stands.append(Stop(DERM_STOP, event.id, FOR_NOW, event.at, event.known, event, event.abated))
    return tuple(stands)


def may_be_by_lenalidomide(event: Diagnosis, ledger: Ledger) -> bool:
    """A skin reaction that began on treatment and that nobody blamed on another medicine alone."""
    return is_any_of(event, *SKIN) and began_on_treatment(event, ledger) and not is_blamed_elsewhere(event)


def _is_for_good(event: Diagnosis, terms: Terms) -> bool:
    return is_any_of(event, *SEVERE_SKIN) or (event.grade or 0) >= terms.rash_stop_grade_at.value
