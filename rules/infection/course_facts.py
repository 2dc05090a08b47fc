"""What several rules of the family show: the first lenalidomide of the course."""

from __future__ import annotations

from rules.answers import Shown
from rules.ledger import LENALIDOMIDE
from rules.picture import AnyKept
from rules.view import View


def lenalidomide_shown(view: View) -> Shown:
    """The first dose of the course as far as it is kept, so that a refill is no news; else what a patient said or ordered."""
    started, first = view.ledger.started_at or view.at, view.ledger.start_dose
    if first is not None:
        return Shown("lenalidomide", first)
    facts: list[AnyKept] = [s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered" and s.at >= started]
    said = view.ledger.statements.get("cycle-day-1-taken")
    facts += [said] if said is not None else []
    return Shown("lenalidomide", [*facts, *view.supplies(LENALIDOMIDE)][0])
