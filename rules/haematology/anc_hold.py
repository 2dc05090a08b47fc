"""Hold lenalidomide for a low neutrophil count.

Watches for    an ANC at or below the severe limit on any day; an ANC below the episode limit in
               the second or a later episode, or in any where the policy follows a label that says so.
Stays silent   in a first episode above the severe limit where it does not (see `anc-low-watch`), and before
               a cycle (see `anc-cycle-delay`).
Cannot assess  on treatment without a valid ANC, or when a newer one is unusable.
Numbers        anc_severe, anc_severe_inclusive, anc_episode_below, anc_first_episode_holds, anc_resume_at,
               anc_resume_strict_later
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found, latest
from rules.holds import Hold, Moment
from rules.picture import Result
from rules.policy.terms import Terms
from rules.resuming import asks_for_reduction
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "anc-hold"
GCSF_RULE = "anc-gcsf-missing"
"""A policy that never asks where the growth factor is does not advise one either."""


def opens_severe(count: Result, moment: Moment, terms: Terms) -> bool:
    """Any day: interrupt lenalidomide, add G-CSF."""
    limit = terms.anc_severe.value
    return bool(count.is_at_most(limit) if terms.anc_severe_inclusive else count.is_below(limit))


def opens_repeat(count: Result, moment: Moment, terms: Terms) -> bool:
    """Second or later episode below the limit: interrupt until recovery, reduce one step."""
    return moment.episode > 1 and bool(count.is_below(terms.anc_episode_below.value))


def opens_label(count: Result, moment: Moment, terms: Terms) -> bool:
    """Any episode, any day: the label interrupts below the limit of an episode."""
    return terms.anc_first_episode_holds and bool(count.is_below(terms.anc_episode_below.value))


def releases(count: Result, hold: Hold, terms: Terms) -> bool:
    """Recovered to the resume value; a later episode may be asked to be above it."""
    if count.is_below(terms.anc_resume_at.value) is not False:
        return False
    is_strict = terms.anc_resume_strict_later and hold.episode > 1
    return not (is_strict and count.is_at_most(terms.anc_resume_at.value))


def assess(view: View) -> Answer:
    """The open ANC hold, if this rule decided it."""
    hold = view.hold_of("anc")
    if hold is None:
        return (_provisional(view) or _blind(view)) if view.is_on_treatment else NOTHING
    if hold.rule != RULE_ID:
        return NOTHING
    terms = view.policy.terms
    limit = terms.anc_severe if hold.reason == "severe" else terms.anc_episode_below
    evidence = [Shown("ANC that decided", hold.decided)]
    if hold.newest.id != hold.decided.id:
        evidence.append(Shown("newest ANC", hold.newest))
    supports = view.policy.severity(GCSF_RULE) is not None
    growth = " Add G-CSF." if hold.reason == "severe" and supports else ""
    dose = " Resume one dose step lower." if asks_for_reduction(hold) else ""
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(hold.decided.at, view.restarted_at),
            reason=hold.reason,
            title=f"Hold lenalidomide: ANC {hold.decided.shown} cells/uL",
            message=f"ANC {hold.decided.shown} cells/uL in neutropenia episode {hold.episode}. Interrupt lenalidomide "
            f"until ANC is at least {terms.anc_resume_at} cells/uL.{growth} "
            f"Continue dexamethasone unless contraindicated.{dose} Repeat the CBC weekly.",
            advice=Advice(action=Action.HOLD, agent="lenalidomide"),
            evidence=tuple(evidence),
            thresholds=(limit, terms.anc_resume_at),
            episode=hold.episode,
            is_provisional=hold.is_provisional,
        )
    )


def _provisional(view: View) -> Answer | None:
    """A preliminary ANC that would hold in a first episode shows an alert and opens no hold."""
    count = view.preliminary("anc")
    terms, first = view.policy.terms, Moment(cycle=0, is_pre_cycle=False, episode=1)
    if count is None:
        return None
    is_severe = opens_severe(count, first, terms)
    if not (is_severe or opens_label(count, first, terms)):
        return None
    return found(
        Finding(
            since=count.at,
            effective_at=latest(count.at, view.ledger.started_at),
            reason="severe" if is_severe else "label",
            title=f"Preliminary ANC {count.shown} cells/uL: hold lenalidomide if confirmed",
            message=f"A preliminary ANC of {count.shown} cells/uL would interrupt lenalidomide. "
            "Nothing is held on a preliminary result: confirm it today.",
            advice=Advice(action=Action.REPEAT_TEST),
            evidence=(Shown("preliminary ANC", count),),
            thresholds=(terms.anc_severe if is_severe else terms.anc_episode_below,),
            is_provisional=True,
        )
    )


def _blind(view: View) -> Answer:
    if view.unusable("anc") is not None:
        return CannotAssess(("a usable value of the newest ANC",))
    if view.newest("anc") is None:
        return CannotAssess(("ANC",))
    return NOTHING
