"""Holds that no count opens: the rules that name them are asked again when a fact concerns them.

Which fact opens or ends one is said by the rule modules, handed in as `HoldRules.stops`; this only keeps
the ledger in line with them, and notes lenalidomide handed over on the very day, at an hour nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.holds import HoldRules, Stop, StopRule
from rules.ledger import LENALIDOMIDE, HeldDispense, Ledger
from rules.picture import AnyKept, Result, Supply
from rules.policy.terms import Policy


def settle_stops(ledger: Ledger, facts: Sequence[AnyKept], policy: Policy, hold_rules: HoldRules) -> None:
    """Ask the rules these facts concern which causes stand now; the ledger must be the caller's own copy."""
    asked = _concerned(facts, hold_rules)
    if not asked:
        return
    names = {rule.rule for rule in asked}
    before = {(stop.rule, stop.subject, stop.since) for stop in ledger.stops}
    # A rule that the policy switches off holds nothing: no alert would speak of it.
    found = tuple(s for rule in asked for s in rule.find(ledger, policy) if policy.severity(s.rule, s.reason))
    stands = {(stop.rule, stop.subject, stop.since) for stop in found}
    at = max(fact.at for fact in facts)
    for stop in open_stops(ledger, at):
        if stop.rule in names and (stop.rule, stop.subject, stop.since) not in stands:
            ledger.stops_ended_at = at
    stops = (*(stop for stop in ledger.stops if stop.rule not in names), *found)
    if stops != ledger.stops:
        ledger.stops = stops
    for stop in found:
        if (stop.rule, stop.subject, stop.since) not in before:
            ledger.complication_at = max(stop.since, ledger.complication_at or stop.since)
            _meet_dispenses(ledger, stop)


def _concerned(facts: Sequence[AnyKept], hold_rules: HoldRules) -> Sequence[StopRule]:
    """The rules whose mind these facts may change; most reports hold nothing but results that no rule asks about."""
    analytes = {fact.analyte for fact in facts if isinstance(fact, Result)} & hold_rules.stopping
    others = [fact for fact in facts if not isinstance(fact, Result)]
    if not others and not analytes:
        return ()
    if any(isinstance(fact, Supply) and fact.medicine == LENALIDOMIDE for fact in others):
        return hold_rules.stops
    return [
        rule
        for rule in hold_rules.stops
        if not analytes.isdisjoint(rule.results)
        or (rule.concerns is not None and any(rule.concerns(fact) for fact in others))
    ]


def _meet_dispenses(ledger: Ledger, stop: Stop) -> None:
    """A dispense of that day whose hour is not known may have come after it."""
    held = {dispense.supply.id for dispense in ledger.held_dispenses}
    met = tuple(
        HeldDispense(supply, stop.rule, stop.opened, supply.last >= stop.known)
        for supply in ledger.supplies
        if supply.medicine == LENALIDOMIDE and supply.way == "dispensed" and supply.id not in held
        if supply.latest is not None and supply.at <= stop.since <= supply.last
    )
    ledger.held_dispenses = (*ledger.held_dispenses, *met)


def last_ended_at(ledger: Ledger, at: datetime) -> datetime | None:
    """When the last of the causes that are no counts ended, by a fact or by itself."""
    ends = [stop.until for stop in ledger.stops if stop.until is not None and stop.until <= at]
    return max((end for end in (ledger.stops_ended_at, *ends) if end is not None), default=None)


def open_stops(ledger: Ledger, at: datetime) -> tuple[Stop, ...]:
    """The causes that hold lenalidomide at an instant."""
    return tuple(stop for stop in ledger.stops if stop.is_open(at))
