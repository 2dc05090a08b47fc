"""No influenza vaccine in the season.

Watches for    treatment in the influenza season with no vaccine given in it, or shortly before it for it.
Stays silent   outside the season, and with a vaccine on record.
Cannot assess  never: the missing record is the finding.
Numbers        inf_flu_season_from_month, inf_flu_season_to_month, inf_flu_counts_before_days
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, earliest, found, latest
from rules.calendar import start_of_day
from rules.infection.course_facts import lenalidomide_shown
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "inf-vaccine-flu"
VACCINES = frozenset(("influenza", "influenza-live"))


def assess(view: View) -> Answer:
    """One spell a season."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    terms, (begin, end) = view.policy.terms, season(view)
    begins, ends = start_of_day(begin, view.zone), start_of_day(end, view.zone)
    recheck = earliest(*(i for i in (started, begins, ends, view.ledger.ended_at) if i is not None and i > view.at))
    since = latest(begins, started)
    counts_from = start_of_day(begin - timedelta(days=terms.inf_flu_counts_before_days.whole), view.zone)
    if view.at < since or is_vaccinated(view, counts_from):
        return Nothing(recheck)
    return found(
        Finding(
            since=since,
            effective_at=since,
            title="No influenza vaccine this season",
            message=f"No influenza vaccine is on record for the season from {begin.isoformat()}. Consider the inactivated "
            "one; a live vaccine must not be given.",
            advice=Advice(action=Action.START, agent="influenza vaccine, inactivated"),
            evidence=(lenalidomide_shown(view),),
            thresholds=(
                terms.inf_flu_season_from_month,
                terms.inf_flu_season_to_month,
                terms.inf_flu_counts_before_days,
            ),
        ),
        recheck,
    )


def season(view: View) -> tuple[date, date]:
    """First day of the season that runs or comes next, and the first day after it."""
    terms, today = view.policy.terms, view.today
    first, last = terms.inf_flu_season_from_month.whole, terms.inf_flu_season_to_month.whole
    begin = date(today.year - 1, first, 1)
    while True:
        year = begin.year if last >= first else begin.year + 1
        end = date(year, last + 1, 1) if last < 12 else date(year + 1, 1, 1)
        if today < end:
            return begin, end
        begin = date(begin.year + 1, first, 1)


def is_vaccinated(view: View, since: datetime) -> bool:
    """An influenza vaccine was given since then; what is planned was not given."""
    return any(
        v.at >= since and v.status is not FactStatus.PLANNED and not VACCINES.isdisjoint(v.vaccines)
        for v in view.ledger.vaccines
    )
