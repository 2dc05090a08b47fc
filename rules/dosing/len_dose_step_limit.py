"""More than one dose step down inside one cycle.

Watches for    a dose two or more ladder steps below the one the cycle began with.
Stays silent   after one step, from the next cycle on, and, where the policy reads it so, when a second episode of low
               counts in the cycle asked for the second step.
Cannot assess  where the doses of the cycle are not stated, or are for every other day: they have no ladder.
Numbers        dose_ladder, dose_step_second_hold_raises
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.calendar import local_day, start_of_day
from rules.course_moment import begin_of
from rules.ledger import LENALIDOMIDE, Cycle
from rules.lookahead import next_border
from rules.picture import Supply
from rules.resuming import as_limit
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-dose-step-limit"
_LEAST_TOO_MANY = 2


def assess(view: View) -> Answer:
    """The source says one step a cycle."""
    cycle, recheck = view.cycle, next_border(view)
    if not view.is_on_treatment or cycle is None or begin_of(cycle, view.zone) > view.at:
        return Nothing(recheck) if view.is_on_treatment else NOTHING
    supplies = [s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered"]
    # Of doses given on a ward only the last few are kept: what was handed over says more, where there is any.
    taken = [s for s in supplies if s.way != "given"] or supplies
    # A dispense of the day the cycle began with opened it, whatever its hour.
    before = [
        s for s in taken if s.at <= cycle.day_1 or local_day(s.at, view.zone) <= local_day(cycle.day_1, view.zone)
    ]
    later = [s for s in taken if s not in before]
    if not before or not later:
        return Nothing(recheck)
    first, newest = before[-1], later[-1]
    if None in (first.dose, newest.dose) or "alternate-days" in (first.schedule, newest.schedule):
        return CannotAssess(("doses of lenalidomide on the ladder",), recheck)
    steps = _steps(view, first, newest)
    is_explained = not view.policy.terms.dose_step_second_hold_raises and _episodes(view, cycle) >= steps
    if steps < _LEAST_TOO_MANY or is_explained:
        return Nothing(recheck)
    deciding = newest
    for supply in reversed(later):
        if supply.dose is None or _steps(view, first, supply) < _LEAST_TOO_MANY:
            break
        deciding = supply
    return found(
        Finding(
            since=start_of_day(local_day(cycle.day_1, view.zone), view.zone),
            effective_at=deciding.at,
            title=f"Lenalidomide lowered by {steps} steps in cycle {cycle.number}",
            message=f"Lenalidomide went from {first.dose:f} to {newest.dose:f} mg inside cycle {cycle.number}, {steps} "
            "steps of the ladder. The source says one step a cycle; a second hold in the cycle may have asked for more.",
            advice=Advice(action=Action.VERIFY_DATA, agent=LENALIDOMIDE, dose_mg=f"{newest.dose:f}"),
            evidence=(Shown("dose the cycle began with", first), Shown("dose now", newest)),
            thresholds=(as_limit(None, view.policy),),
        ),
        recheck,
    )


def _steps(view: View, first: Supply, newest: Supply) -> int:
    high, low = first.dose, newest.dose
    return sum(1 for step in view.policy.ladder if high is not None and low is not None and low <= step < high)


def _episodes(view: View, cycle: Cycle) -> int:
    """Distinct episodes of low counts that opened in the cycle; two causes on one specimen are one."""
    ledger = view.ledger
    known = (*ledger.past_episodes, ledger.neutropenia, ledger.thrombocytopenia)
    return len({e.opened.at for e in known if e is not None and e.opened.at >= begin_of(cycle, view.zone)})
