"""What a value did since a medicine was begun."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rules.picture import Result
from rules.view import View

_HUNDRED = Decimal(100)


def newest_since(view: View, analyte: str, begins: datetime) -> Result | None:
    """The newest value, if it was taken since the medicine was begun."""
    newest = view.newest(analyte)
    return newest if newest is not None and newest.at >= begins else None


def rise_since(view: View, analyte: str, begins: datetime) -> Decimal | None:
    """By how many percent a value rose since the newest one from before; None where either is not known."""
    newest = newest_since(view, analyte, begins)
    held = (view.previous(analyte), view.baseline(analyte))
    before = max((r for r in held if r is not None and r.at < begins), key=lambda r: r.at, default=None)
    if newest is None or before is None or not newest.value or not before.value or newest.bound or before.bound:
        return None
    return (newest.value - before.value) * _HUNDRED / before.value
