"""Lenalidomide is ordered or begun, and the clearance that sets its dose cannot be computed.

Watches for    no creatinine, weight (height where the equation needs it), birth date or sex that the clearance can be
               computed from: values of the baseline window before the first order or dispense, or any since.
Stays silent   once it can be computed, on dialysis (which has a dose of its own), and after the course.
Cannot assess  never: what is missing is what it speaks of.
Numbers        baseline_window_days, order_open_days, renal_equation
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_between
from rules.course import covers_until
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Result, Statement, Supply
from rules.renal_dose import DIALYSIS, dialysis_ended, kidney_now
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-baseline-missing"
TAKEN = "cycle-day-1-taken"


def assess(view: View) -> Answer:
    """From the first order of a course, or its first dispense or dose, on."""
    first, ends = _first(view)
    if first is None or view.has_ended:
        return NOTHING
    kidney, at = kidney_now(view), view.ledger.started_at or first.at
    recheck = earliest(next_border(view, DIALYSIS), kidney.until, ends)
    missing = _missing(view, at) if kidney.dialysis is None else ()
    if not missing:
        return Nothing(recheck)
    named, terms = ", ".join(missing), view.policy.terms
    done = first.way if isinstance(first, Supply) else "taken"
    return found(
        Finding(
            since=at,
            effective_at=max(at, dialysis_ended(view) or at),
            title=f"No creatinine clearance to set the dose of lenalidomide: {named} missing",
            message=f"Lenalidomide is {done} and the creatinine clearance "
            f"cannot be computed: {named} missing. The starting dose must follow it: obtain it before the first dose.",
            advice=Advice(action=Action.REPEAT_TEST, agent="creatinine"),
            evidence=(Shown("lenalidomide", first),),
            thresholds=(terms.baseline_window_days,),
        ),
        recheck,
    )


def _first(view: View) -> tuple[Supply | Statement | None, datetime | None]:
    """What the course began with, else the oldest order that is still open, and when that ends."""
    supplies = view.supplies(LENALIDOMIDE)
    if view.has_started:
        taken = view.ledger.statements.get(TAKEN)
        return next((s for s in supplies if s.way != "ordered"), taken), None
    orders = [(s, covers_until(s, None, view.policy, view.zone)) for s in supplies]
    return next(((s, until) for s, until in orders if view.at < until), (None, None))


def _missing(view: View, at: datetime) -> tuple[str, ...]:
    window = view.policy.terms.baseline_window_days.whole

    def is_there(value: Result | None) -> bool:
        usable = value is not None and bool(value.value) and value.bound is None
        return usable and value is not None and days_between(value.at, at, view.zone) <= window

    needed = ("creatinine", "weight", "height")[: 3 if view.policy.terms.renal_equation != "cockcroft-gault" else 2]
    old = tuple(a for a in needed if not (is_there(view.newest(a)) or is_there(view.baseline(a))))
    # What the person lacks (birth date, sex) counts whenever; a newer value that is unusable does not undo the baseline.
    return (*old, *(name for name in kidney_now(view).missing if name not in needed))
