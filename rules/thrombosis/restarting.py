"""Holds for a thrombosis: what opens one, and that a recorded restart (after a VTE: with an anticoagulant) ends it."""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, earliest
from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept, Diagnosis, Statement, Supply
from rules.policy.terms import Policy
from rules.thrombosis.agents import ANTICOAGULANT, STOPPED, THERAPEUTIC, runs
from rules.thrombosis.events import Event, find_events
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RESTART = "lenalidomide-restart"
READS = (RESTART, THERAPEUTIC, STOPPED, ANTICOAGULANT, "lenalidomide")


def concerns(fact: AnyKept, concepts: frozenset[str]) -> bool:
    """Whether a fact may open or release such a hold."""
    match fact:
        case Diagnosis():
            return not concepts.isdisjoint(fact.concepts)
        case Statement():
            return fact.code in (RESTART, THERAPEUTIC, STOPPED)
        case Supply():
            return ANTICOAGULANT in fact.classes
        case _:
            return False


def find_stops(
    ledger: Ledger, policy: Policy, rule: str, concepts: frozenset[str], *, needs_anticoagulant: bool
) -> tuple[Stop, ...]:
    """The holds that stand for events of the course, one for each; a diagnosis nobody confirmed holds nothing."""
    stops = []
    for event in find_events(ledger, policy, *concepts):
        firm = next((d for d in event.diagnoses if d.status is not FactStatus.PRELIMINARY), None)
        if firm is not None and released_at(ledger, policy, event, needs_anticoagulant=needs_anticoagulant) is None:
            stops.append(Stop(rule, event.id, None, firm.at, firm.known, firm))
    return tuple(stops)


def released_at(ledger: Ledger, policy: Policy, event: Event, *, needs_anticoagulant: bool) -> datetime | None:
    """When lenalidomide was clear again: a restart recorded since the event, with an anticoagulant then or later."""
    restart = ledger.statements.get(RESTART)
    if restart is None or restart.last < event.diagnoses[-1].at:
        return None
    if not needs_anticoagulant:
        return restart.at
    stated, first = ledger.statements.get(THERAPEUTIC), ledger.first_stated.get(THERAPEUTIC)
    is_stated = stated is not None and stated.value_code == "yes" and first is not None
    is_ahead = is_stated and stated is not None and (stated.until is None or stated.until > restart.at)
    supplies = (s for s in ledger.supplies if ANTICOAGULANT in s.classes and s.way != "ordered")
    covered = (max(restart.at, run.begins) for run in runs(ledger, policy, supplies) if run.ends > restart.at)
    return earliest(max(restart.at, first.at) if is_ahead and first is not None else None, *covered)


def hold_for(view: View, events: tuple[Event, ...], *, needs_anticoagulant: bool, what: str) -> Answer:
    """The finding for each event that still holds lenalidomide."""
    if not view.is_on_treatment:
        return NOTHING
    ends = view.ledger.ended_at
    held = tuple(
        _describe(view, event, what)
        for event in events
        if released_at(view.ledger, view.policy, event, needs_anticoagulant=needs_anticoagulant) is None
    )
    return Found(held, ends) if held else Nothing(ends)


def _describe(view: View, event: Event, what: str) -> Finding:
    restart = view.ledger.statements.get(RESTART)
    is_restarted = restart is not None and restart.last >= event.diagnoses[-1].at
    confirm = " Nothing is held on an unconfirmed diagnosis: confirm it today." if event.is_unconfirmed else ""
    return Finding(
        subject=event.id,
        since=event.at,
        effective_at=event.at,
        title=f"Hold lenalidomide: {event.name} on treatment",
        message=f"{event.name.capitalize()} was recorded on treatment. {what}{confirm}",
        advice=Advice(action=Action.HOLD, agent="lenalidomide"),
        evidence=event.evidence,
        thresholds=(view.policy.terms.vte_same_event_days,),
        is_provisional=event.is_unconfirmed,
        context=("A restart is recorded, and no anticoagulant is taken.",) if is_restarted else (),
    )
