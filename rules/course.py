"""What the facts mean for treatment: enrolment, cycles, doses, coverage, episodes and holds.

A `Course` is the running account of one patient, advanced fact by fact in clinical order
(`advance`). It is all that rules read. Because it is a fold, a fact that comes in order costs
the same after five years as after five weeks; a late or corrected fact folds the history anew
from the opening balance, which is itself a `Course`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

import msgspec

from rules.calendar import days_after, days_between
from rules.counts import advance_results
from rules.holds import HoldRules, is_hold_known_at
from rules.ledger import LENALIDOMIDE, Cycle, HeldDispense, Ledger, Resumed
from rules.lysis import advance_lysis
from rules.picture import (
    Allergy,
    AnyKept,
    Diagnosis,
    Person,
    Procedure,
    Result,
    Statement,
    Stay,
    Supply,
    Vaccine,
)
from rules.policy.terms import Policy
from rules.pregnancy_evidence import OUTCOME, take_pregnancy_code
from rules.resuming import allowed_dose, is_within
from rules.stops import open_stops, settle_stops
from schemas.events import FactStatus

DEXAMETHASONE = "dexamethasone"
_KEPT_CYCLES = 6
_KEPT_SUPPLIES = 8
_KEPT_DOSES = 60
_KEPT_DIAGNOSES = 60
_KEPT_PROCEDURES = 12
_KEPT_VACCINES = 40
_KEPT_STATED = 8
_HISTORY_KEPT = frozenset(("contraception", "menses", "donation", "authorisation"))
"""Statements of which the course matters: when each was made, not only what was said last."""


def fold(opening: Ledger, facts: Iterable[AnyKept], policy: Policy, hold_rules: HoldRules) -> Ledger:
    """Advance a copy of the opening balance by facts in clinical order; withdrawn facts do not count."""
    ledger = msgspec.structs.replace(opening)
    standing = (fact for fact in facts if not fact.is_withdrawn)
    for _, group in groupby(standing, key=lambda fact: (fact.at, type(fact) is Result)):
        advance(ledger, tuple(group), policy, hold_rules)
    return ledger


def advance(ledger: Ledger, facts: Sequence[AnyKept], policy: Policy, hold_rules: HoldRules) -> None:
    """Advance the ledger, which must be the caller's own copy, by facts of one instant.

    All results of one instant are judged together: they are one specimen's panel, whichever
    messages they came in.
    """
    first, was_pregnant = facts[0], ledger.pregnancy is not None
    if isinstance(first, Result):
        advance_results(ledger, [fact for fact in facts if isinstance(fact, Result)], policy, hold_rules)
    else:
        for fact in facts:
            _advance_one(ledger, fact, policy)
    if ledger.folded_to is None or first.at > ledger.folded_to:
        ledger.folded_to = first.at
    if was_pregnant and ledger.pregnancy is None:
        ledger.pregnancy_ended_at = first.at
    settle_stops(ledger, facts, policy, hold_rules)


def _advance_one(ledger: Ledger, fact: AnyKept, policy: Policy) -> None:
    match fact:
        case Supply():
            _take_supply(ledger, fact, policy)
        case Statement():
            _take_statement(ledger, fact, policy)
        case Person():
            _take_person(ledger, fact)
        case Diagnosis():
            ledger.diagnoses = (*ledger.diagnoses, fact)[-_KEPT_DIAGNOSES:]
            take_pregnancy_code(ledger, fact, policy)
            if fact.grade is not None and fact.grade >= policy.terms.complication_grade_at.value:
                ledger.complication_at = fact.at
        case Allergy():
            ledger.allergies = (*ledger.allergies, fact)
        case Procedure():
            ledger.procedures = (*ledger.procedures, fact)[-_KEPT_PROCEDURES:]
        case Stay():
            ledger.stays = (*ledger.stays, fact)[-_KEPT_PROCEDURES:]
        case Vaccine():
            ledger.vaccines = (*ledger.vaccines, fact)[-_KEPT_VACCINES:]
        case _:
            pass


def _take_person(ledger: Ledger, fact: Person) -> None:
    held = ledger.person
    if held is not None:
        # A later message may carry less than an earlier one: what it leaves out still stands.
        fact = msgspec.structs.replace(
            fact,
            birth=fact.birth or held.birth,
            birth_latest=fact.birth_latest or held.birth_latest,
            sex=fact.sex or held.sex,
            country=fact.country or held.country,
            race=fact.race or held.race,
            died=fact.died or held.died,
        )
    ledger.person = fact
    if fact.died is not None:
        # After a recorded stop the course ended with the stop; the death still is what nothing begins again after.
        ledger.ended_at, ledger.end_reason = ledger.ended_at or fact.died, "died"


def _take_statement(ledger: Ledger, fact: Statement, policy: Policy) -> None:
    before = ledger.statements.get(fact.code)
    is_same = before is not None and (before.value_code, before.number) == (fact.value_code, fact.number)
    if not is_same or (before is not None and before.until is not None and before.until < fact.at):
        ledger.first_stated = {**ledger.first_stated, fact.code: fact}
    ledger.statements = {**ledger.statements, fact.code: fact}
    if fact.code in _HISTORY_KEPT:
        same = [held for held in ledger.stated if held.code == fact.code]
        drop = same[0] if len(same) >= _KEPT_STATED else None
        ledger.stated = (*(held for held in ledger.stated if held is not drop), fact)
    if fact.code == OUTCOME:
        ledger.pregnancy = None
    if fact.code == "planned-cycle-day-1" and fact.when is not None:
        ledger.plan = fact
        ledger.enrolled_at = ledger.enrolled_at or fact.at
    elif fact.code == "cycle-day-1-taken":
        _begin_again_after_stop(ledger, fact.when or fact.at)
        _take_dose(ledger, fact.when or fact.at, fact, "patient-reported", policy)
    elif fact.code in ("lenalidomide-planned", "enrolled-by-hand"):
        ledger.enrolled_at = ledger.enrolled_at or fact.at
    elif fact.code == "lenalidomide-stopped" and ledger.started_at is not None and ledger.ended_at is None:
        ledger.ended_at, ledger.end_reason = fact.when or fact.at, fact.value_code or "stopped"


def _take_supply(ledger: Ledger, fact: Supply, policy: Policy) -> None:
    is_lenalidomide = fact.medicine == LENALIDOMIDE
    if is_lenalidomide:
        ledger.enrolled_at = ledger.enrolled_at or fact.at
        if fact.status is FactStatus.PLANNED and fact.way != "ordered":
            # Handing over or taking that is only intended is a plan: it enrols and starts nothing.
            return
    ledger.supplies = _make_room(ledger.supplies, fact, policy)
    if not is_lenalidomide:
        return
    if fact.way == "ordered":
        ledger.dose = ledger.dose or fact
        return
    _begin_again_after_stop(ledger, fact.at)
    if fact.way == "dispensed":
        fact = _with_other_strengths(ledger, fact)
        _judge_dispense(ledger, fact, policy)
    if fact.way in ("dispensed", "home"):
        _take_hand_over(ledger, fact, policy)
    else:
        _take_dose(ledger, fact.at, fact, "administered", policy)
        if not ledger.holds and not open_stops(ledger, fact.at):
            ledger.released = ()
    if fact.dose is not None:
        ledger.dose = fact
        ledger.start_dose = ledger.start_dose or fact


def _make_room(supplies: tuple[Supply, ...], fact: Supply, policy: Policy) -> tuple[Supply, ...]:
    """Supplies with one more: the last few of each medicine, doses given apart from what was handed over.

    A stay in hospital must not push out what lies at home. Doses of dexamethasone given are summed over a
    window, so they are kept for two of them.
    """
    if fact.medicine == DEXAMETHASONE and fact.way == "given":
        oldest = fact.at - 2 * policy.terms.dex_window_days.span
        doses = [held for held in supplies if held.medicine == DEXAMETHASONE and held.way == "given"]
        drop = [held for held in doses if held.at < oldest] or doses[: max(0, len(doses) + 1 - _KEPT_DOSES)]
    else:
        same = [
            held
            for held in supplies
            if held.medicine == fact.medicine and (held.way == "given") == (fact.way == "given")
        ]
        drop = same[: max(0, len(same) + 1 - _KEPT_SUPPLIES)]
    gone = {id(held) for held in drop}
    return (*(held for held in supplies if id(held) not in gone), fact)


def _begin_again_after_stop(ledger: Ledger, at: datetime) -> None:
    """Treatment after a recorded stop is a new course: cycles and episodes are numbered anew.

    A hold that nothing released stays open: a stop is no recovery.
    """
    if ledger.ended_at is None or at <= ledger.ended_at or ledger.end_reason == "died":
        return
    ledger.started_at = None
    ledger.ended_at = None
    ledger.end_reason = None
    ledger.cycles = ()
    ledger.neutropenia = ledger.thrombocytopenia = None
    ledger.neutropenia_count = ledger.thrombocytopenia_count = 0
    ledger.released = ledger.late = ()
    ledger.resumed = None
    ledger.baseline = {}
    ledger.dose = ledger.start_dose = None
    ledger.complication_at = None
    ledger.lysis = None


def _start_course(ledger: Ledger, at: datetime, policy: Policy) -> None:
    ledger.number += 1
    ledger.started_at = at
    ledger.baseline = _baseline_before(ledger, at, policy)
    # Episodes are numbered per course: a count that was low before the first dose is the baseline's matter.
    ledger.neutropenia = ledger.thrombocytopenia = None
    ledger.neutropenia_count = ledger.thrombocytopenia_count = 0


def _baseline_before(ledger: Ledger, day_1: datetime, policy: Policy) -> dict[str, Result]:
    """The newest valid values of the window before day 1 of cycle 1 (clinical reference, part 0.4)."""
    window = policy.terms.baseline_window_days.whole
    return {
        name: result
        for held in (ledger.baseline, ledger.newest)
        for name, result in held.items()
        if result.at <= day_1 and days_between(result.at, day_1, ledger.zone) <= window
    }


def _take_hand_over(ledger: Ledger, fact: Supply, policy: Policy) -> None:
    """A dispense starts the first cycle, or the next one when it comes long enough after the last day 1."""
    if ledger.started_at is None:
        _start_course(ledger, fact.at, policy)
        _open_cycle(ledger, fact, policy)
        return
    last = ledger.cycles[-1]
    since = days_between(last.day_1, fact.at, ledger.zone)
    terms = policy.terms
    is_apart = abs(since) > terms.cycle_plan_match_days.whole
    if since >= terms.cycle_infer_after_days.whole or (fact.cycle_day_1 and is_apart):
        _open_cycle(ledger, fact, policy)
    elif fact.cycle_day_1:
        # A second package of the same day, or a better word on a day 1 that was only inferred: no new cycle.
        _take_dose(ledger, fact.at, fact, "patient-reported", policy)


def _open_cycle(ledger: Ledger, fact: Supply, policy: Policy) -> None:
    day_1, trust = fact.at, "inferred"
    plan = ledger.plan
    if plan is not None and plan.when is not None:
        ahead = days_between(fact.at, plan.when, ledger.zone)
        if 0 <= ahead <= policy.terms.cycle_plan_match_days.whole:
            day_1, trust = plan.when, "planned"
    if fact.cycle_day_1:
        day_1, trust = fact.at, "patient-reported"
    _append_cycle(ledger, day_1, trust, fact.known, policy)


def _append_cycle(ledger: Ledger, day_1: datetime, trust: str, known: datetime, policy: Policy) -> None:
    number = ledger.cycles[-1].number + 1 if ledger.cycles else 1
    ledger.cycles = (*ledger.cycles, Cycle(number, day_1, trust, known))[-_KEPT_CYCLES:]
    if number == 1:
        advance_lysis(ledger, policy)


def _take_dose(ledger: Ledger, at: datetime, fact: Supply | Statement, trust: str, policy: Policy) -> None:
    """A dose taken is the most trusted day 1; it also corrects a day 1 that was only inferred or planned."""
    if ledger.started_at is None:
        _start_course(ledger, at, policy)
        _append_cycle(ledger, at, trust, fact.known, policy)
        return
    last = ledger.cycles[-1]
    since = days_between(last.day_1, at, ledger.zone)
    if since >= policy.terms.cycle_infer_after_days.whole:
        _append_cycle(ledger, at, trust, fact.known, policy)
    elif last.is_inferred and abs(since) <= policy.terms.cycle_plan_match_days.whole:
        ledger.cycles = (*ledger.cycles[:-1], Cycle(last.number, at, trust, fact.known))
        if last.number == 1:
            ledger.baseline = _baseline_before(ledger, at, policy)


def _with_other_strengths(ledger: Ledger, fact: Supply) -> Supply:
    """Capsules of several strengths handed over on one day are one dose, 15 mg and 10 mg are 25 mg.

    A second package of the same strength is more of it, not a higher dose.
    """
    doses: dict[Decimal | None, Decimal | None] = {}
    for held in (*ledger.supplies, fact):
        is_one = held.medicine == LENALIDOMIDE and held.way == "dispensed"
        if is_one and _is_same_day(held, fact, ledger.zone):
            doses[held.strength_mg] = held.dose
    several = [dose for dose in doses.values() if dose is not None]
    if len(several) < 2 or len(several) < len(doses) or None in doses:
        return fact
    return msgspec.structs.replace(fact, dose_mg=sum(several, Decimal()))


def _is_same_day(one: Supply, other: Supply, zone: str) -> bool:
    """Both on one calendar day, whether its hour is known or not."""
    return days_between(one.at, other.at, zone) == 0 and days_between(one.last, other.last, zone) == 0


def _judge_dispense(ledger: Ledger, fact: Supply, policy: Policy) -> None:
    """Remember a dispense that met an open hold, or that ended the wait after a release."""
    if ledger.holds:
        met = min(ledger.holds, key=lambda hold: hold.known)
        was_known = is_hold_known_at(met, fact.last)
        held = HeldDispense(fact, met.cause, met.opened, was_known)
        ledger.held_dispenses = (*ledger.held_dispenses, held)[-_KEPT_SUPPLIES:]
        return
    stops = open_stops(ledger, fact.at)
    if stops:
        first = min(stops, key=lambda stop: stop.known)
        held = HeldDispense(fact, first.rule, first.opened, fact.last >= first.known)
        ledger.held_dispenses = (*ledger.held_dispenses, held)[-_KEPT_SUPPLIES:]
        return
    if ledger.released:
        allowed = allowed_dose(ledger.released, policy)
        ledger.resumed = Resumed(fact, allowed.daily_mg, allowed.is_defined, ledger.released[-1].opened)
        ledger.released = ()
    elif ledger.resumed is not None and _is_same_day(ledger.resumed.supply, fact, ledger.zone):
        ledger.resumed = msgspec.structs.replace(ledger.resumed, supply=fact)
    elif ledger.resumed is not None and ledger.resumed.supply.at < fact.at:
        resumed = ledger.resumed
        was_high = resumed.is_defined and is_within(resumed.supply, resumed.allowed_mg, policy) is False
        if not was_high or is_within(fact, resumed.allowed_mg, policy):
            ledger.resumed = None


def supplied_until(supplies: Iterable[Supply], policy: Policy, zone: str) -> datetime | None:
    """The first instant not covered by these (one medicine or class), grace not counted; carried stock counts.

    A dispense on day d for n days covers the calendar days d to d + n - 1. Dispenses add up: what is
    left of an earlier one is used first. An order or home statement covers to its stated end, else
    for `order_open_days`; a dose given covers a little while; what was only planned covers nothing.
    """
    until = stock = None
    for supply in supplies:
        if supply.status is FactStatus.PLANNED:
            continue
        end = covers_until(supply, stock, policy, zone)
        if supply.way == "dispensed":
            stock = end
        if until is None or end > until:
            until = end
    return until


def covers_until(supply: Supply, stock: datetime | None, policy: Policy, zone: str) -> datetime:
    """The first instant one supply does not cover, after what is left of earlier dispenses (`stock`)."""
    if supply.way == "dispensed":
        begin = supply.at if stock is None or stock < supply.at else stock
        return days_after(begin, supply.days or _days_by_quantity(supply), zone)
    if supply.way == "given":
        return supply.at + policy.terms.administration_covers_days.span
    return supply.until or supply.at + policy.terms.order_open_days.span


def used_up_at(supply: Supply, policy: Policy, zone: str) -> datetime:
    """The first instant at which one dispense alone is used up; a whole cycle where its size is not said."""
    if supply.days is None and supply.quantity is None:
        return days_after(supply.at, policy.terms.cycle_length_days.whole, zone)
    return days_after(supply.at, supply.days or _days_by_quantity(supply), zone)


def _days_by_quantity(supply: Supply) -> int:
    """Days of supply where none were stated: one unit a day is the least that a quantity can mean."""
    if supply.quantity is not None and supply.quantity > 0:
        per_day = Decimal(1)
        if supply.daily_mg and supply.strength_mg:
            per_day = supply.daily_mg / supply.strength_mg
        return int(supply.quantity / per_day) if per_day > 0 else 0
    return 1
