"""What several rules of the family show: the first lenalidomide of the course."""

from __future__ import annotations

from rules.answers import Shown
from rules.ledger import LENALIDOMIDE
from rules.picture import AnyKept
from rules.view import View


def lenalidomide_shown(view: View) -> Shown:
    """The dose the course began with, so that a refill is no news; else the oldest fact of the course that is kept."""
    started, first = view.ledger.started_at or view.at, view.ledger.start_dose
    facts: list[AnyKept] = [first] if first is not None else []
    facts += [s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered" and s.at >= started]
    said = view.ledger.statements.get("cycle-day-1-taken")
    facts += [said] if said is not None else []
    return Shown("lenalidomide", [*facts, *view.supplies(LENALIDOMIDE)][0])
