"""A dose of lenalidomide that was due on the ward was not given.

Watches for    daily or alternate-day doses given one after the other, and the next one later than the limit.
Stays silent   once a dose is recorded or the dose was shown long enough; after the days of taking; while held or
               stopped; after discharge, or with capsules handed over since; where only first doses are recorded.
Cannot assess  never: without doses given there is nothing that was due.
Numbers        missed_dose_late_hours, missed_dose_shown_hours, len_dosing_days
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_between
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "missed-dose"
_MOMENT = timedelta(seconds=1)


def assess(view: View) -> Answer:
    """Skip it, and do not double the next."""
    supplies = [s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered"]
    if len(supplies) < 2 or not view.is_on_treatment or view.holds or view.stops:
        return NOTHING
    before, last = supplies[-2:]
    terms = view.policy.terms
    apart = timedelta(days=2 if last.schedule == "alternate-days" else 1)
    due = last.at + apart
    late, over = due + terms.missed_dose_late_hours.span + _MOMENT, due + terms.missed_dose_shown_hours.span
    recheck = earliest(next_border(view), *(i for i in (late, over, *_discharges(view)) if i > view.at))
    is_run = last.at - before.at <= apart + terms.missed_dose_late_hours.span
    if not is_run or before.way != "given" or last.way != "given" or not _is_day_of_taking(view, last, due):
        return Nothing(recheck)
    if not late <= view.at < over or any(last.at <= out <= view.at for out in _discharges(view)):
        return Nothing(recheck)
    return found(
        Finding(
            subject=last.id,
            since=due,
            effective_at=late,
            title="Dose of lenalidomide missed",
            message=f"No dose is recorded since the last one, and the next is more than {terms.missed_dose_late_hours} "
            "hours late. Leave it out; take the next dose at its usual time and do not double it.",
            advice=Advice(action=Action.INFORM, agent=LENALIDOMIDE),
            evidence=(Shown("last dose given", last),),
            thresholds=(terms.missed_dose_late_hours, terms.missed_dose_shown_hours),
        ),
        recheck,
    )


def _is_day_of_taking(view: View, last: Supply, due: datetime) -> bool:
    cycle = view.cycle
    if cycle is None or last.at < cycle.day_1:
        return False
    return days_between(cycle.day_1, due, view.zone) < view.policy.terms.len_dosing_days.whole


def _discharges(view: View) -> list[datetime]:
    return [stay.ended for stay in view.ledger.stays if stay.ended is not None]
