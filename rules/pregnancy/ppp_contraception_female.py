"""Contraception is not recorded as the programme asks, where pregnancy is possible.

Watches for    from the first order to the end of the time after treatment: no record, one that does not suffice, one that
               ended too soon, or one that began less than the lead time before cycle 1 and is not yet that old.
Stays silent   with abstinence or enough methods on record; without childbearing potential; while pregnancy is open.
Cannot assess  never: the missing record is the finding.
Numbers        ppp_lead_days, ppp_tail_days, ppp_two_methods
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after, days_between
from rules.picture import Statement
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.contraception_record import Run, enough_for_women, records, runs
from rules.pregnancy.obligation import Obligation, ahead, borders_ahead, obligation, reaches_tail
from rules.pregnancy.pregnancy_now import clear_since, pregnancy_changes_at, pregnancy_now
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-contraception-female"
_TEXTS = {
    "missing": "No contraception or abstinence is recorded.",
    "insufficient": "What is recorded does not suffice.",
    "ended": "The record of contraception has ended.",
    "short-lead": "Contraception began less than the lead time before cycle 1.",
}


def assess(view: View) -> Answer:
    """The present record, or the gap since the last one that sufficed."""
    terms, potential, must = view.policy.terms, potential_of(view), obligation(view, view.policy.terms.ppp_tail_days)
    recheck = earliest(
        borders_ahead(view, terms.ppp_tail_days), potential.changes_at, pregnancy_changes_at(view),
        ahead(view, *(record.until for record in records(view))),
    )  # fmt: skip
    if must is None or not potential.is_possible or pregnancy_now(view) is not None:
        return Nothing(recheck)
    enough = runs(view, enough_for_women(view))
    last = enough[-1] if enough else None
    if last is not None and last.holds_at(view.at):
        ready = _ready_at(view, last)
        if ready is None or view.at >= ready:
            return Nothing(recheck)
        since = latest(must.begins, last.begins)
        return found(_describe(view, must, since, "short-lead", last.newest), earliest(recheck, ready))
    if view.has_ended and last is not None and reaches_tail(view, last.ends, terms.ppp_tail_days):
        return Nothing(recheck)
    newest = records(view)[-1] if records(view) else None
    reason = "missing" if newest is None else "insufficient"
    if newest is not None and newest.until is not None and newest.until <= view.at:
        reason = "ended"
    since = latest(must.begins, last.ends if last is not None else None)
    return found(_describe(view, must, since, reason, newest), recheck)


def _ready_at(view: View, run: Run) -> datetime | None:
    """When contraception that began too late has lasted the lead time; None where it began in time."""
    plan, lead = view.ledger.plan, view.policy.terms.ppp_lead_days.whole
    day_1 = view.first_cycle_day_1 if view.has_started else plan.when if plan is not None else None
    if day_1 is None or days_between(run.begins, day_1, view.zone) >= lead:
        return None
    return days_after(run.begins, lead, view.zone)


def _describe(view: View, must: Obligation, since: datetime, reason: str, record: Statement | None) -> Finding:
    terms, potential = view.policy.terms, potential_of(view)
    methods = "two methods at once" if terms.ppp_two_methods else "an effective method"
    evidence = (Shown("lenalidomide", must.first), *((Shown("contraception", record),) if record is not None else ()))
    return Finding(
        since=since,
        effective_at=latest(since, potential.since, clear_since(view), record.at if record is not None else None),
        reason=reason,
        title="Contraception not recorded as it must be",
        message=f"{_TEXTS[reason]} Abstinence or {methods} from {terms.ppp_lead_days} days before cycle 1, through "
        f"interruptions, to {terms.ppp_tail_days} days after the end. Settle and record it before the next dispense.",
        advice=Advice(action=Action.VERIFY_DATA, agent="contraception"),
        evidence=evidence,
        thresholds=(terms.ppp_lead_days, terms.ppp_tail_days),
        context=potential.context,
    )
