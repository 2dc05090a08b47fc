"""Neutropenia that persists under a hold: resume one dose step lower.

Watches for    an ANC hold or cycle delay with a count still below the episode limit at least the stated
               number of calendar days after the result that opened it.
Stays silent   before such a count, and once the hold is released (see `anc-resume-ok`).
Cannot assess  never by itself: without a new CBC `heme-recheck-overdue` speaks.
Numbers        anc_persistent_after_days, anc_persistent_reading, anc_episode_below, dose_ladder
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found, latest
from rules.resuming import allowed_dose
from rules.view import View

RULE_ID = "anc-persistent-reduce"


def assess(view: View) -> Answer:
    """The open ANC hold, once a late enough count is still low."""
    hold = view.hold_of("anc")
    if hold is None or hold.persistent is None or not view.is_on_treatment:
        return NOTHING
    terms, count = view.policy.terms, hold.persistent
    allowed = allowed_dose((*view.ledger.released, *view.holds), view.policy)
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(count.at, view.restarted_at),
            title=f"Persistent neutropenia: ANC {count.shown} cells/uL, reduce when resuming",
            message=f"ANC {count.shown} cells/uL, {terms.anc_persistent_after_days} days or more after the result that "
            f"opened the hold, is still below {terms.anc_episode_below}. Keep holding lenalidomide. {allowed.sentence}",
            advice=allowed.advice_while_held,
            evidence=(Shown("ANC that opened the hold", hold.opened), Shown("ANC still low", count)),
            thresholds=(terms.anc_episode_below, terms.anc_persistent_after_days),
            episode=hold.episode,
            is_provisional=hold.is_provisional,
        )
    )
