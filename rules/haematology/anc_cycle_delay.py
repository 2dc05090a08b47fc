"""Delay the next cycle for a low neutrophil count before it.

Watches for    an ANC below the start limit from three days before the expected day 1 of cycle 2 or
               later until its first dose.
Stays silent   at a severe count (`anc-hold` takes precedence), in cycle 1, and mid-cycle.
Cannot assess  never by itself: `anc-hold` speaks for a missing ANC.
Numbers        anc_cycle_start_below, pre_cycle_window_days, anc_delay_days, anc_resume_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found, latest
from rules.calendar import days_after
from rules.holds import Moment
from rules.picture import Result
from rules.policy.terms import Terms
from rules.resuming import asks_for_reduction
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "anc-cycle-delay"


def opens(count: Result, moment: Moment, terms: Terms) -> bool:
    """Before day 1 of cycle 2 or later, below the limit to start a cycle."""
    return moment.is_pre_cycle and moment.cycle >= 1 and bool(count.is_below(terms.anc_cycle_start_below.value))


def assess(view: View) -> Answer:
    """The open ANC hold, if it is a delay of the cycle."""
    hold = view.hold_of("anc")
    if hold is None or hold.rule != RULE_ID:
        return NOTHING
    terms = view.policy.terms
    evidence = [Shown("ANC before the cycle", hold.decided)]
    if hold.newest.id != hold.decided.id:
        evidence.append(Shown("newest ANC", hold.newest))
    dose = " Resume one dose step lower." if asks_for_reduction(hold) else ""
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(hold.decided.at, view.restarted_at),
            title=f"Delay the cycle: ANC {hold.decided.shown} cells/uL",
            message=f"ANC before the cycle is {hold.decided.shown} cells/uL, below {terms.anc_cycle_start_below}. "
            f"Delay the start by {terms.anc_delay_days} days and repeat the CBC.{dose}",
            advice=Advice(
                action=Action.DELAY_CYCLE,
                agent="lenalidomide",
                next_check=days_after(hold.decided.at, terms.anc_delay_days.whole, view.zone),
            ),
            evidence=tuple(evidence),
            thresholds=(terms.anc_cycle_start_below, terms.anc_resume_at),
            episode=hold.episode,
            is_provisional=hold.is_provisional,
        )
    )
