"""Watch a low neutrophil count that this guideline does not interrupt for.

Watches for    an ANC below the episode limit and above the severe one, mid-cycle, in the first episode.
Stays silent   while an ANC hold is open (it covers the same episode), from the second episode on, and
               before the first dose (see `cytopenia-start-caution`).
Cannot assess  never by itself: `anc-hold` speaks for a missing ANC.
Numbers        anc_episode_below, anc_severe, anc_watch_recheck_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found
from rules.calendar import days_after, days_between
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "anc-low-watch"


def assess(view: View) -> Answer:
    """The open first episode, where no hold speaks for it."""
    episode, day_1 = view.ledger.neutropenia, view.first_cycle_day_1
    if episode is None or episode.number > 1 or day_1 is None or not view.is_on_treatment:
        return NOTHING
    count, terms = episode.newest, view.policy.terms
    if view.hold_of("anc") is not None or days_between(day_1, count.at, view.zone) < 0:
        return NOTHING
    evidence = [Shown("newest ANC", count)]
    if episode.opened.id != count.id:
        evidence.append(Shown("ANC that opened the episode", episode.opened))
    return found(
        Finding(
            since=episode.opened.at,
            effective_at=count.at,
            title=f"Watch: ANC {count.shown} cells/uL mid-cycle",
            message=f"ANC {count.shown} cells/uL in the first neutropenia episode, mid-cycle. The panel does not "
            f"interrupt lenalidomide at this count: repeat the CBC within {terms.anc_watch_recheck_days} days.",
            advice=Advice(
                action=Action.REPEAT_TEST,
                next_check=days_after(count.at, terms.anc_watch_recheck_days.whole, view.zone),
            ),
            evidence=tuple(evidence),
            thresholds=(terms.anc_episode_below, terms.anc_severe),
            episode=episode.number,
            is_provisional=count.is_doubtful,
            context=("The US label would interrupt lenalidomide at this count.",),
        )
    )
