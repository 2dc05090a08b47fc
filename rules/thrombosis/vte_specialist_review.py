"""High risk of thrombosis with platelets too low for any agent: a specialist decides.

Watches for    tier 1 with platelets below the limit for LMWH, in any cycle and whatever is taken.
Stays silent   at or above it, in tiers 2 and 3, and where the policy asks for the table to the letter (warfarin).
Cannot assess  in tier 1 without a valid platelet count, or when the newest cannot be used.
Numbers        vte_lmwh_platelets, table3_literal
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found
from rules.picture import Result
from rules.thrombosis.agents import count_below, since_below
from rules.thrombosis.risk import decide_tier
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-specialist-review"


def assess(view: View) -> Answer:
    """Never proposes an agent: the printed table sends these patients to full-dose warfarin and to nothing at once."""
    if not view.is_on_treatment:
        return NOTHING
    tier, terms = decide_tier(view), view.policy.terms
    recheck, limit = tier.changes_at, terms.vte_lmwh_platelets
    if tier.number > 1 or terms.table3_literal:
        return Nothing(recheck)
    count = count_below(view, limit, recheck)
    if not isinstance(count, Result):
        return count
    started = view.ledger.started_at or count.at
    since = max(started, tier.reached_at or started, since_below(view, "platelets", limit))
    return found(
        Finding(
            since=since,
            effective_at=max(since, count.at),
            title=f"VTE {tier.named} with platelets {count.shown} cells/uL: ask a specialist",
            message=f"{tier.sentence} and platelets {count.shown} cells/uL, below {limit}. The source "
            "contradicts itself here, and full-dose warfarin at this count is generally held to be unsafe. No agent is "
            "proposed: ask a specialist.",
            advice=Advice(action=Action.REFER),
            evidence=(*tier.evidence, Shown("newest platelets", count)),
            thresholds=(*tier.numbers, limit),
            is_provisional=tier.is_provisional or count.is_preliminary or count.is_doubtful,
        ),
        recheck,
    )
