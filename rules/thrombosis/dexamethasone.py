"""What thrombosis needs of dexamethasone; the sums themselves are shared with the dosing rules."""

from __future__ import annotations

from decimal import Decimal

from rules.calendar import local_day
from rules.dexamethasone import PLAN, HighDose, amount_of, find_high_doses, given_mg, is_dose_known, supplies_of
from rules.picture import Statement, Supply
from rules.view import View

__all__ = ["PLAN", "HighDose", "find_amount", "find_high_doses", "is_dose_known"]
_NONE = Decimal(0)


def find_amount(view: View) -> tuple[Decimal, Decimal | None, tuple[Supply | Statement, ...]]:
    """The sum of one cycle in mg, at least and at most (None: nobody knows), and the facts it stands on.

    Doses given where they fill a window, else the plan, else what was given so far (there may be more to come), else
    the newest supply by the days it lasts.
    """
    terms, plan = view.policy.terms, view.statement(PLAN)
    given = [(supply, mg) for supply in supplies_of(view) if (mg := given_mg(supply)) is not None]
    newest = local_day(given[-1][0].at, view.zone).toordinal() if given else 0
    begin = newest - terms.dex_window_days.whole
    inside = [(s, mg) for s, mg in given if local_day(s.at, view.zone).toordinal() > begin]
    total, facts = sum((mg for _, mg in inside), _NONE), tuple(supply for supply, _ in inside)
    if len(inside) < len(given):
        return total, total, facts
    if plan is not None and plan.number is not None:
        return plan.number, plan.number, (plan,)
    if given:
        return total, None, facts
    for supply in reversed(supplies_of(view)):
        amount = amount_of(supply, view)
        if amount is not None:
            mg = amount[0] * terms.cycle_length_days.whole / amount[1]
            return mg, mg, (supply,)
    return _NONE, None, ()
