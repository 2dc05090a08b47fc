"""No growth factor although a severe neutrophil count has been holding lenalidomide for long.

Watches for    a severe ANC hold open for the stated time, the newest ANC still severe, no G-CSF ordered,
               dispensed or given since, nor active from before.
Stays silent   once there is G-CSF, once the ANC is above the severe level, and when the hold is released.
Cannot assess  never by itself: `anc-hold` speaks for a missing ANC.
Numbers        anc_gcsf_wait_hours, anc_severe, anc_severe_inclusive
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.haematology import anc_hold
from rules.picture import Result
from rules.policy.terms import Terms
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "anc-gcsf-missing"
GROWTH_FACTOR = "gcsf"


def assess(view: View) -> Answer:
    """The severe ANC hold, once it has stood too long without support."""
    hold = view.hold_of("anc")
    if hold is None or (hold.rule, hold.reason) != (anc_hold.RULE_ID, "severe") or not view.is_on_treatment:
        return NOTHING
    terms = view.policy.terms
    if _is_above_severe(hold.newest, terms) or view.supply_since(hold.decided.at, GROWTH_FACTOR) is not None:
        return NOTHING
    due = hold.decided.at + terms.anc_gcsf_wait_hours.span
    runs = view.spans(GROWTH_FACTOR, with_orders=True)
    uncovered = runs[-1].ends if runs else None
    ahead = [instant for instant in (due, uncovered) if instant is not None and view.at < instant]
    if ahead:
        return Nothing(min(ahead))
    evidence = [Shown("ANC that opened the hold", hold.decided)]
    if hold.newest.id != hold.decided.id:
        evidence.append(Shown("newest ANC", hold.newest))
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(due, hold.newest.at, uncovered, view.restarted_at),
            title=f"No G-CSF: ANC {hold.newest.shown} cells/uL",
            message=f"Lenalidomide has been held for a severe ANC for more than {terms.anc_gcsf_wait_hours} hours, the "
            f"newest ANC is {hold.newest.shown} cells/uL, and no G-CSF is ordered, dispensed or given. Order G-CSF.",
            advice=Advice(action=Action.START, agent="G-CSF"),
            evidence=tuple(evidence),
            thresholds=(terms.anc_severe, terms.anc_gcsf_wait_hours),
            episode=hold.episode,
            is_provisional=hold.is_provisional,
        )
    )


def _is_above_severe(count: Result, terms: Terms) -> bool:
    """Proven above it: a bound that proves neither side ends nothing."""
    limit = terms.anc_severe.value
    return (count.is_at_most(limit) if terms.anc_severe_inclusive else count.is_below(limit)) is False
