"""Lenalidomide is held for the ANC, and dexamethasone was stopped with it.

Watches for    an ANC hold in which dexamethasone ended: its plan set to nothing or run out, its supply run out, or
               none given on the ward for some time.
Stays silent   while it goes on or was never taken, once it is given again, with a contraindication, a toxicity of
               dexamethasone or an infection recorded, and when the hold is released.
Cannot assess  never: of dexamethasone that was never recorded nothing can have been stopped.
Numbers        coverage_grace_days, dex_stopped_after_days
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.course import DEXAMETHASONE
from rules.dexamethasone import PLAN
from rules.dosing.dex_toxicity import READS, is_contraindicated, spoke_against_until
from rules.lookahead import next_border
from rules.picture import Statement, Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dex-kept-during-anc-hold"


def assess(view: View) -> Answer:
    """The panel goes on with dexamethasone unless something speaks against it."""
    hold = view.hold_of("anc")
    if hold is None or not view.is_on_treatment:
        return NOTHING
    last, ended = _ended(view)
    if last is None or ended is None or ended < hold.opened.at:
        return Nothing(next_border(view, PLAN, *READS))
    recheck = earliest(next_border(view, PLAN, *READS), ended if ended > view.at else None)
    if ended > view.at or is_contraindicated(view):
        return Nothing(recheck)
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(ended, hold.began.at, *spoke_against_until(view)),
            title="Dexamethasone stopped during an ANC hold",
            message="Lenalidomide is held for the ANC and dexamethasone ended with it; no contraindication is "
            "recorded. The panel goes on with dexamethasone: resume it, or record why not.",
            advice=Advice(action=Action.RESUME, agent=DEXAMETHASONE),
            evidence=(Shown("opened the hold", hold.opened), Shown("last dexamethasone", last)),
            thresholds=(view.policy.terms.dex_stopped_after_days,),
            episode=hold.episode,
        ),
        recheck,
    )


def _ended(view: View) -> tuple[Supply | Statement | None, datetime | None]:
    """The last word on dexamethasone, and when it ended or will end."""
    plan, spans = view.ledger.statements.get(PLAN), view.spans(DEXAMETHASONE, with_orders=True)
    newest = spans[-1] if spans else None
    if plan is not None and (newest is None or newest.newest.at <= plan.at):
        return plan, plan.at if plan.number == 0 else plan.until
    if newest is None or (plan is not None and plan.number and plan.until is None):
        return None, None
    if newest.newest.way == "given":
        wait: timedelta = view.policy.terms.dex_stopped_after_days.span
        return newest.newest, max(newest.ends, newest.newest.at + wait)
    return newest.newest, newest.ends
