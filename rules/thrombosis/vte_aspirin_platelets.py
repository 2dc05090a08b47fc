"""Prophylactic aspirin with too few platelets.

Watches for    aspirin as prophylaxis, taken or ordered, with platelets below its limit; provisionally on a
               preliminary count.
Stays silent   at or above it, without aspirin, or with aspirin known to be for pain.
Cannot assess  on aspirin without a valid platelet count, or when the newest cannot be used.
Numbers        vte_aspirin_platelets, aspirin_prophylaxis_max_mg
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, earliest, found
from rules.picture import Result
from rules.thrombosis.agents import aspirin_spans, count_below, on_treatment_since, present, since_below
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-aspirin-platelets"


def assess(view: View) -> Answer:
    """Row 2 of the table asks for more platelets."""
    span = present(aspirin_spans(view, with_orders=True), view.at)
    if not view.is_on_treatment or span is None:
        return NOTHING
    limit = view.policy.terms.vte_aspirin_platelets
    recheck = earliest(span.ends, next_recorded_end(view))
    count = count_below(view, limit, recheck)
    if not isinstance(count, Result):
        return count
    since = on_treatment_since(view, span.begins, since_below(view, "platelets", limit))
    return found(
        Finding(
            since=since,
            effective_at=max(since, count.at),
            title=f"Aspirin with platelets {count.shown} cells/uL",
            message=f"Platelets {count.shown} cells/uL while aspirin is active; the table needs at least {limit}. "
            "Review aspirin today and look for bleeding.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="aspirin"),
            evidence=(Shown("aspirin", span.newest), Shown("newest platelets", count)),
            thresholds=(limit,),
            is_provisional=count.is_preliminary or count.is_doubtful,
        ),
        recheck,
    )
