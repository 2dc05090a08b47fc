"""LMWH with too few platelets.

Watches for    LMWH taken or ordered with platelets below its limit; on a preliminary count provisionally.
Stays silent   at or above it, or without LMWH.
Cannot assess  on LMWH without a valid platelet count, or when the newest cannot be used.
Numbers        vte_lmwh_platelets
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, earliest, found
from rules.picture import Result
from rules.thrombosis.agents import LMWH, count_below, on_treatment_since, present, since_below, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-lmwh-platelets"


def assess(view: View) -> Answer:
    """Stop or review the same day."""
    span = present(taken(view, LMWH, with_orders=True), view.at)
    if not view.is_on_treatment or span is None:
        return NOTHING
    limit = view.policy.terms.vte_lmwh_platelets
    recheck = earliest(span.ends, next_recorded_end(view))
    count = count_below(view, limit, recheck)
    if not isinstance(count, Result):
        return count
    since = on_treatment_since(view, span.begins, since_below(view, "platelets", limit))
    return found(
        Finding(
            since=since,
            effective_at=max(since, count.at),
            title=f"{span.newest.medicine.capitalize()} with platelets {count.shown} cells/uL",
            message=f"Platelets {count.shown} cells/uL, below {limit}, while {span.newest.medicine} is active. Stop "
            "it or review it today.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent=span.newest.medicine),
            evidence=(Shown("LMWH", span.newest), Shown("newest platelets", count)),
            thresholds=(limit,),
            is_provisional=count.is_preliminary or count.is_doubtful,
        ),
        recheck,
    )
