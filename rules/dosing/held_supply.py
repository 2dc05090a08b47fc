"""Lenalidomide that was handed over against a hold and that the patient may still have."""

from __future__ import annotations

from datetime import datetime

from rules.answers import Finding, Shown, earliest
from rules.course import used_up_at
from rules.ledger import HeldDispense
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

_NAMES = {"anc": "ANC", "platelets": "platelets", "fever": "temperature"}


def standing(view: View, *, was_known: bool) -> tuple[tuple[HeldDispense, ...], datetime | None]:
    """Such dispenses whose supply is not used up, and when the first of them will be.

    The ledger forgets them when the last hold of a count is released, and a returned dispense is no fact any
    more; one against a hold that no count opened stands while its rule holds.
    """
    ends = {
        held.supply.id: used_up_at(held.supply, view.policy, view.zone)
        for held in view.ledger.held_dispenses
        if held.was_known is was_known
    }
    stopped_by = {stop.rule for stop in view.stops}
    here = tuple(
        held
        for held in view.ledger.held_dispenses
        if view.at < ends.get(held.supply.id, view.at) and (held.cause in _NAMES or held.cause in stopped_by)
    )
    return here, earliest(view.stop_ends_at, *(ends[held.supply.id] for held in here))


def describe(held: HeldDispense, view: View, title: str, message: str) -> Finding:
    """The finding for one dispense."""
    supply, opened = held.supply, held.opened
    name, limit = _NAMES.get(held.cause, held.cause), _limit(held.cause, view)
    count = f"{name} {opened.shown} {opened.canonical or ''}".rstrip() if isinstance(opened, Result) else name
    return Finding(
        subject=supply.id,
        since=supply.at,
        effective_at=supply.at,
        title=title,
        message=message.format(count=count),
        advice=Advice(action=Action.HOLD, agent="lenalidomide"),
        evidence=(Shown("dispensed", supply), Shown(f"{name} that opened the hold", opened)),
        thresholds=(limit,) if limit is not None else (),
    )


def _limit(cause: str, view: View) -> Number | None:
    """The number of the hold; a hold that no count opened has none."""
    terms = view.policy.terms
    return {
        "anc": terms.anc_resume_at,
        "platelets": terms.plt_resume_at,
        "fever": terms.fever_sustained_at,
    }.get(cause)
