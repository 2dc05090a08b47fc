"""A PD-1 antibody together with lenalidomide and dexamethasone: more deaths in trials.

Watches for    all three active at once: lenalidomide in the course, dexamethasone within its window, and a PD-1
               antibody given, dispensed or ordered within the time a dose of it counts.
Stays silent   where a trial of the combination is recorded, and once one of the three ended.
Cannot assess  never: what is not recorded as taken is not active.
Numbers        pd1_covers_days, dex_window_days
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.picture import Supply
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "pembro-imid"
PD1, DEXAMETHASONE, TRIAL = "pd1-antibody", "dexamethasone", "trial-of-combination"


def assess(view: View) -> Answer:
    """The present time all three share."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    antibody = _run(view, PD1, terms.pd1_covers_days.span, with_orders=True)
    steroid = _run(view, DEXAMETHASONE, terms.dex_window_days.span, with_orders=False)
    if antibody is None or steroid is None:
        return NOTHING
    trial = view.statement(TRIAL)
    recheck = earliest(antibody[1], steroid[1], trial.until if trial is not None else None)
    if view.says_yes(TRIAL):
        return Nothing(recheck)
    since = max(started, antibody[0], steroid[0])
    name = antibody[2].medicine.replace("-", " ")
    return found(
        Finding(
            since=since,
            effective_at=latest(since, view.answer_since(TRIAL)),
            title=f"{name.capitalize()} together with lenalidomide and dexamethasone",
            message=f"{name.capitalize()} is active together with lenalidomide and dexamethasone. Trials of this "
            "combination in myeloma were stopped for excess deaths: do not combine them outside a trial. Call the "
            "prescriber today.",
            advice=Advice(action=Action.STOP, agent=name),
            evidence=(Shown("PD-1 antibody", antibody[2]), Shown("dexamethasone", steroid[2])),
            thresholds=(terms.pd1_covers_days, terms.dex_window_days),
        ),
        recheck,
    )


def _run(view: View, name: str, covers: timedelta, *, with_orders: bool) -> tuple[datetime, datetime, Supply] | None:
    """The run of exposure that the instant lies in: when it began, when it ends, and its newest supply."""
    begin = end = newest = None
    for supply in view.supplies(name):
        if supply.status is FactStatus.PLANNED or (supply.way == "ordered" and not with_orders):
            continue
        if end is None or supply.at > end:
            begin, end = supply.at, supply.at
        until = max(supply.at + covers, supply.until or supply.at)
        end, newest = max(end, until), supply
    if begin is None or end is None or newest is None or view.at >= end:
        return None
    return begin, end, newest
