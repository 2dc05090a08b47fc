"""LMWH or warfarin prophylaxis goes on after its cycles: change to aspirin.

Watches for    LMWH or a vitamin K antagonist still supplied in a cycle after those of tier 1.
Stays silent   where it is treatment (stated, coded, a VTE of this course, a dose above prophylaxis), where aspirin
               came after it, and once its supply is used up.
Cannot assess  never by itself: without platelets, or with too few, it asks for a review and proposes no aspirin.
Numbers        vte_tier1_cycles, vte_tier1_from_factor, vte_aspirin_platelets, aspirin_mg, enoxaparin_mg
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.thrombosis.agents import LMWH, VKA, aspirin_spans, is_treatment, present, taken
from rules.thrombosis.risk import decide_tier
from rules.thrombosis.table3 import is_within_tier1_cycles, last_tier1_cycle, tier1_cycles_over_at
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-ppx-switch-due"


def assess(view: View) -> Answer:
    """The source gives no instruction below the aspirin limit: a person reviews."""
    if not view.is_on_treatment:
        return NOTHING
    tier, terms = decide_tier(view), view.policy.terms
    span = present(taken(view, LMWH, VKA), view.at)
    if span is None or view.at >= span.until or is_within_tier1_cycles(view) or is_treatment(view, span.newest):
        return Nothing(earliest(tier.changes_at, span.until if span and view.at < span.until else None))
    aspirin = present(aspirin_spans(view), view.at)
    recheck = earliest(tier.changes_at, span.until, aspirin.ends if aspirin else None)
    if aspirin is not None and aspirin.newest.at >= span.newest.at:
        return Nothing(recheck)
    last = last_tier1_cycle(view)
    count = view.newest("platelets")
    is_enough = count is not None and count.is_below(terms.vte_aspirin_platelets.value) is False
    is_enough = is_enough and view.unusable("platelets") is None
    shown = [Shown("prophylaxis", span.newest)] + ([Shown("newest platelets", count)] if count is not None else [])
    since = max(tier1_cycles_over_at(view), span.begins)
    persists = [f"Still true: {tier.named}."] if tier.number == 1 else []
    unknown = [] if count is not None else ["No platelet count is known."]
    if is_enough:
        advice = Advice(action=Action.SWITCH, agent="aspirin", dose_mg=f"{terms.aspirin_mg}", schedule="daily")
        how = f"Change to aspirin {terms.aspirin_mg} mg daily"
    else:
        advice = Advice(action=Action.REVIEW_MEDICINE, agent=span.newest.medicine)
        enough = f"at least {terms.vte_aspirin_platelets} cells/uL"
        how = f"Platelets are not known to be {enough}: review, no aspirin is proposed"
    return found(
        Finding(
            since=since,
            effective_at=max(since, count.at) if count is not None else since,
            title=f"{span.newest.medicine.capitalize()} prophylaxis after cycle {last}: change due",
            message=f"{span.newest.medicine.capitalize()} is still supplied after cycle {last}. If it is prophylaxis, "
            f"its time is over. {how}.",
            advice=advice,
            evidence=tuple(shown),
            thresholds=(terms.vte_tier1_cycles, terms.vte_aspirin_platelets),
            context=(*persists, *unknown),
        ),
        recheck,
    )
