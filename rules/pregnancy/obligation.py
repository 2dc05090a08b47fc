"""From when until when pregnancy prevention is asked for: treatment, its interruptions, and a time after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rules.answers import earliest
from rules.calendar import days_after
from rules.ledger import LENALIDOMIDE
from rules.picture import AnyKept, Supply
from rules.policy.terms import Number
from rules.view import View
from schemas.events import FactStatus


@dataclass(frozen=True, slots=True)
class Obligation:
    """`begins` with the first dose or dispense, before that with the first order; `first` is that fact.

    `last` is the latest instant of its beginning, where no more than the day is known.
    """

    begins: datetime
    last: datetime
    first: AnyKept


def obligation(view: View, tail: Number) -> Obligation | None:
    """The one that holds now; None before the first order, after the tail's last day, and after death."""
    if is_over(view, tail):
        return None
    started = view.ledger.started_at
    if started is None:
        order = next(orders(view), None)
        return Obligation(order.at, order.last, order) if order is not None else None
    if started > view.at:
        return None
    first = first_fact(view, started)
    return Obligation(started, first.last if first.at == started else started, first)


def first_fact(view: View, started: datetime) -> AnyKept:
    """The oldest fact that is kept of the course: what was handed over or given, else what was said or ordered."""
    facts: list[AnyKept] = [s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered" and s.at >= started]
    said = view.ledger.statements.get("cycle-day-1-taken")
    facts += [said] if said is not None else []
    return [*facts, *view.supplies(LENALIDOMIDE)][0]


def orders(view: View) -> Iterator[Supply]:
    """Lenalidomide prescribed, oldest first; what is only planned is no prescription."""
    return (s for s in view.supplies(LENALIDOMIDE) if s.way == "ordered" and s.status is not FactStatus.PLANNED)


def dispenses(view: View) -> tuple[Supply, ...]:
    """Lenalidomide handed over, oldest first; what is only planned was not."""
    handed = (s for s in view.supplies(LENALIDOMIDE) if s.way == "dispensed")
    return tuple(s for s in handed if s.status is not FactStatus.PLANNED)


def is_over(view: View, tail: Number) -> bool:
    """Treatment ended, and the last day of the tail is over; or the patient died."""
    if not view.has_ended:
        return False
    return is_dead(view) or view.at >= tail_ends_at(view, tail)


def is_dead(view: View) -> bool:
    """The patient's death is recorded, and its time has come."""
    person = view.ledger.person
    return person is not None and person.died is not None and person.died <= view.at


def tail_ends_at(view: View, tail: Number) -> datetime:
    """The first instant after the last day of the tail; far ahead while treatment goes on."""
    ended = view.ledger.ended_at
    return (
        days_after(ended, tail.whole + 1, view.zone)
        if ended is not None
        else datetime.max.replace(tzinfo=view.at.tzinfo)
    )


def reaches_tail(view: View, until: datetime | None, tail: Number) -> bool:
    """Whether something that lasts until then lasts as long as the tail asks; without an end it does."""
    ended = view.ledger.ended_at
    return until is None or (ended is not None and until >= days_after(ended, tail.whole, view.zone))


def ahead(view: View, *instants: datetime | None) -> datetime | None:
    """The first of these instants that lies ahead."""
    return earliest(*(instant for instant in instants if instant is not None and instant > view.at))


def borders_ahead(view: View, tail: Number) -> datetime | None:
    """The next instant at which time alone begins or ends the obligation."""
    ended, person = view.ledger.ended_at, view.ledger.person
    ends = tail_ends_at(view, tail) if ended is not None else None
    return ahead(view, view.ledger.started_at, ended, ends, person.died if person is not None else None)
