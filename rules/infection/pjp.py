"""Enough dexamethasone to think of Pneumocystis, and no cover against it: a note, never an alert.

Watches for    dexamethasone in 28 days at or above the limit - given, planned for a cycle, or dispensed, whichever says
               most - without co-trimoxazole, atovaquone, dapsone or pentamidine.
Stays silent   with one of these, and below the limit.
Cannot assess  never: unknown dexamethasone brings no note.
Numbers        pjp_dex_mg, dex_window_days
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_between
from rules.course import used_up_at
from rules.picture import Statement, Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "pjp"
DEXAMETHASONE, PLAN = "dexamethasone", "dexamethasone-plan-mg-per-cycle"
COVER = "pjp-cover"


def assess(view: View) -> Answer:
    """The highest of the readings against the limit."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    readings, span = [r for r in _readings(view) if r[0] >= terms.pjp_dex_mg.value], view.span_now(COVER)
    ends = (
        *(until for _, _, until in readings),
        started,
        view.ledger.ended_at,
        span.ends if span is not None else None,
    )
    recheck = earliest(*(i for i in ends if i is not None and i > view.at))
    if not readings or span is not None or started > view.at:
        return Nothing(recheck)
    mg, fact, _ = max(readings, key=lambda reading: reading[0])
    return found(
        Finding(
            since=fact.at,
            effective_at=fact.at,
            title=f"Dexamethasone {mg.normalize():f} mg in {terms.dex_window_days} days without Pneumocystis cover",
            message=f"At {terms.pjp_dex_mg} mg or more in {terms.dex_window_days} days Pneumocystis prophylaxis is considered.",
            advice=Advice(action=Action.INFORM),
            evidence=(Shown("dexamethasone", fact),),
            thresholds=(terms.pjp_dex_mg, terms.dex_window_days),
        ),
        recheck,
    )


def _readings(view: View) -> Iterator[tuple[Decimal, Supply | Statement, datetime | None]]:
    """Mg in the window, the fact it stands on, and when the reading ends by itself."""
    window = view.policy.terms.dex_window_days
    given = [s for s in view.supplies(DEXAMETHASONE) if s.way == "given" and s.at > view.at - window.span]
    if given:
        yield sum((s.total_mg() or Decimal(0) for s in given), Decimal(0)), given[-1], given[0].at + window.span
    plan = view.statement(PLAN)
    if plan is not None and plan.number is not None:
        yield plan.number, plan, plan.until
    for supply in view.supplies(DEXAMETHASONE):
        ends, total = used_up_at(supply, view.policy, view.zone), supply.total_mg()
        if supply.way == "dispensed" and total is not None and view.at < ends:
            days = max(days_between(supply.at, ends, view.zone), window.whole)
            yield total * window.whole / days, supply, ends
