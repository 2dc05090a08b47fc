"""Lenalidomide that was handed over against a hold and that the patient may still have."""

from __future__ import annotations

from datetime import datetime

from rules.answers import Finding, Shown, earliest
from rules.course import used_up_at
from rules.ledger import HeldDispense
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

_NAMES = {"anc": "ANC", "platelets": "platelets", "fever": "temperature"}


def standing(view: View, *, was_known: bool) -> tuple[tuple[HeldDispense, ...], datetime | None]:
    """Such dispenses whose supply is not used up, and when the first of them will be.

    The ledger forgets them when the last hold is released, and a returned dispense is no fact any more.
    """
    ends = {
        held.supply.id: used_up_at(held.supply, view.policy, view.zone)
        for held in view.ledger.held_dispenses
        if held.was_known is was_known
    }
    here = tuple(held for held in view.ledger.held_dispenses if view.at < ends.get(held.supply.id, view.at))
    return here, earliest(*(ends[held.supply.id] for held in here))


def describe(held: HeldDispense, view: View, title: str, message: str) -> Finding:
    """The finding for one dispense."""
    supply, opened = held.supply, held.opened
    name = _NAMES[held.cause]
    count = f"{name} {opened.shown} {opened.canonical or ''}".rstrip()
    return Finding(
        subject=supply.id,
        since=supply.at,
        effective_at=supply.at,
        title=title,
        message=message.format(count=count),
        advice=Advice(action=Action.HOLD, agent="lenalidomide"),
        evidence=(Shown("dispensed", supply), Shown(f"{name} that opened the hold", opened)),
        thresholds=(_limit(held.cause, view),),
    )


def _limit(cause: str, view: View) -> Number:
    terms = view.policy.terms
    return {
        "anc": terms.anc_resume_at,
        "platelets": terms.plt_resume_at,
        "fever": terms.fever_sustained_at,
    }[cause]
