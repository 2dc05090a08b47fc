"""No prophylaxis against venous thromboembolism although Table 3 asks for it.

Watches for    tier 1 without any anticoagulant in the first cycles (LMWH, or warfarin where the clearance is low);
               tier 2, or tier 1 in later cycles, with neither aspirin nor an anticoagulant.
Stays silent   with an anticoagulant taken or stated for any reason (an order alone is not taken), from a VTE of this
               course on while its alert is open or it is treated, where the table asks for nothing or for a person
               (`vte-specialist-review`, `vte-monitor-only`).
Cannot assess  without platelets, without a clearance where it chooses the agent, or silent only because facts of
               the tier were never recorded and nobody assessed the risk.
Numbers        vte_tier1_cycles, vte_tier1_from_factor, vte_lmwh_platelets, vte_lmwh_clcr, vte_aspirin_platelets,
               table3_literal, vte_tier3_aspirin, enoxaparin_mg, dalteparin_iu, aspirin_mg, inr_low, inr_high
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, earliest, found
from rules.thrombosis.agents import (
    ANTICOAGULANT,
    anticoagulated_until,
    aspirin_spans,
    present,
    taken,
    unprotected_since,
)
from rules.thrombosis.precedence import event_in_charge
from rules.thrombosis.proposal import cautions, propose
from rules.thrombosis.table3 import Outcome, decide_prophylaxis
from rules.view import View

RULE_ID = "vte-ppx-missing"


def assess(view: View) -> Answer:
    """The agent that Table 3 asks for, where nothing acceptable is taken."""
    if not view.is_on_treatment:
        return NOTHING
    is_anticoagulated, until = anticoagulated_until(view)
    has_event, event_until = event_in_charge(view)
    if is_anticoagulated or has_event:
        return Nothing(earliest(until, event_until))
    decision = decide_prophylaxis(view)
    aspirin = aspirin_spans(view)
    pills = present(aspirin, view.at)
    recheck = earliest(decision.tier.changes_at, pills.ends if pills else None)
    outcome = decision.outcome
    if outcome is None:
        return CannotAssess(decision.missing, recheck)
    is_met = outcome is Outcome.ASPIRIN and pills is not None
    if is_met or outcome in (Outcome.SPECIALIST, Outcome.REVIEW, Outcome.NONE):
        return CannotAssess(decision.gaps, recheck) if decision.gaps else Nothing(recheck)
    ended = unprotected_since(view, taken(view, ANTICOAGULANT), aspirin if outcome is Outcome.ASPIRIN else ())
    started = view.ledger.started_at or view.at
    since = max(started, decision.tier.begins or started, ended or started)
    terms = view.policy.terms
    advice, title, message = propose(decision, outcome, terms)
    return found(
        Finding(
            since=since,
            effective_at=decision.decided_at(since),
            reason=outcome.value,
            title=title,
            message=message,
            advice=advice,
            evidence=decision.evidence,
            thresholds=decision.numbers(terms),
            is_provisional=decision.is_provisional,
            context=(*decision.context, *cautions(view, has_aspirin=pills is not None)),
        ),
        recheck,
    )
