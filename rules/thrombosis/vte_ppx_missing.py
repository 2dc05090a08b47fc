"""No prophylaxis against venous thromboembolism although Table 3 asks for it.

Watches for    tier 1 without any anticoagulant in the first cycles (LMWH, or warfarin where the clearance is low);
               tier 2, or tier 1 in later cycles, with neither aspirin nor an anticoagulant.
Stays silent   with an anticoagulant taken or stated for any reason (an order alone is not taken), where the table
               asks for nothing or for a person (`vte-specialist-review`, `vte-monitor-only`).
Cannot assess  without platelets, without a clearance where it chooses the agent, or silent only because facts of
               the tier were never recorded and nobody assessed the risk.
Numbers        vte_tier1_cycles, vte_tier1_from_factor, vte_lmwh_platelets, vte_lmwh_clcr, vte_aspirin_platelets,
               table3_literal, vte_tier3_aspirin, enoxaparin_mg, dalteparin_iu, aspirin_mg, inr_low, inr_high
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, earliest, found
from rules.calendar import days_after
from rules.policy.terms import Terms
from rules.thrombosis.agents import (
    ANTICOAGULANT,
    CONTRAINDICATED,
    anticoagulated_until,
    aspirin_spans,
    last_end,
    present,
    vte_on_treatment,
)
from rules.thrombosis.table3 import Decision, Outcome, decide_prophylaxis
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-ppx-missing"


def assess(view: View) -> Answer:
    """The agent that Table 3 asks for, where nothing acceptable is taken."""
    if not view.is_on_treatment:
        return NOTHING
    is_anticoagulated, until = anticoagulated_until(view)
    if is_anticoagulated:
        return Nothing(until)
    decision = decide_prophylaxis(view)
    aspirin = aspirin_spans(view)
    taken = present(aspirin, view.at)
    recheck = earliest(decision.tier.changes_at, taken.ends if taken else None)
    outcome = decision.outcome
    if outcome is None:
        return CannotAssess(decision.missing, recheck)
    is_met = outcome is Outcome.ASPIRIN and taken is not None
    if is_met or outcome in (Outcome.SPECIALIST, Outcome.REVIEW, Outcome.NONE):
        return CannotAssess(decision.gaps, recheck) if decision.gaps else Nothing(recheck)
    ended = last_end(view, view.spans(ANTICOAGULANT), aspirin if outcome is Outcome.ASPIRIN else ())
    started = view.ledger.started_at or view.at
    since = max(started, decision.tier.begins or started, ended or started)
    terms = view.policy.terms
    advice, title, message = _untreated_event(view) or _say(decision, outcome, terms)
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
            context=(*decision.context, *_cautions(view, has_aspirin=taken is not None)),
        ),
        recheck,
    )


def _say(decision: Decision, outcome: Outcome, terms: Terms) -> tuple[Advice, str, str]:
    why, target = decision.tier.named, f"INR {terms.inr_low} to {terms.inr_high}"
    if outcome is Outcome.LMWH:
        advice = Advice(action=Action.START, agent="enoxaparin", dose_mg=f"{terms.enoxaparin_mg}", schedule="daily")
        how = f"Start enoxaparin {terms.enoxaparin_mg} mg or dalteparin {terms.dalteparin_iu} IU daily."
    elif outcome is Outcome.WARFARIN:
        advice = Advice(action=Action.START, agent="warfarin", schedule=target)
        how = f"Start warfarin, {target}; reduced LMWH or unfractionated heparin are alternatives a site may prefer."
    else:
        advice = Advice(action=Action.START, agent="aspirin", dose_mg=f"{terms.aspirin_mg}", schedule="daily")
        how = f"Start aspirin {terms.aspirin_mg} mg daily for the whole length of treatment and watch for bleeding."
    agent = "LMWH" if outcome is Outcome.LMWH else outcome.value
    message = f"{why[0].upper()}{why[1:]} and no accepted prophylaxis is taken. {how}"
    return advice, f"No VTE prophylaxis: {why}, {agent} asked for", message


def _untreated_event(view: View) -> tuple[Advice, str, str] | None:
    """A clot of this course that no anticoagulant followed asks for treatment, not for a prophylactic dose."""
    event = vte_on_treatment(view)
    if event is None or event.is_over(view.at):
        return None
    day = days_after(event.at, 0, view.zone)
    if any(s.way != "ordered" and s.at >= day for s in view.supplies(ANTICOAGULANT)):
        return None
    title = "VTE on treatment and no anticoagulant is taken"
    message = f"{title}. A prophylactic dose does not treat it: decide on treatment today."
    return Advice(action=Action.REFER), title, message


def _cautions(view: View, *, has_aspirin: bool) -> tuple[str, ...]:
    lines = []
    if has_aspirin:
        lines.append("Aspirin is taken; the table asks for more.")
    if view.says_yes(CONTRAINDICATED):
        lines.append("Anticoagulation is recorded as contraindicated.")
    if view.active("bleeding") is not None:
        lines.append("Bleeding is coded.")
    if view.allergies(("aspirin", "heparin", "lmwh", "enoxaparin", "dalteparin", "warfarin")):
        lines.append("An allergy to an antithrombotic is recorded.")
    return tuple(lines)
