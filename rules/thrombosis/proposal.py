"""What `vte-ppx-missing` says: the agent to start, and what speaks against it."""

from __future__ import annotations

from rules.policy.terms import Terms
from rules.thrombosis.agents import CONTRAINDICATED
from rules.thrombosis.table3 import Decision, Outcome
from rules.view import View
from schemas.alerts import Action, Advice

ALLERGENS = ("aspirin", "heparin", "lmwh", "enoxaparin", "dalteparin", "warfarin")


def propose(decision: Decision, outcome: Outcome, terms: Terms) -> tuple[Advice, str, str]:
    """The agent with its dose or target, a title and a message."""
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
    message = f"{decision.tier.sentence} and no accepted prophylaxis is taken. {how}"
    return advice, f"No VTE prophylaxis: {why}, {agent} asked for", message


def cautions(view: View, *, has_aspirin: bool) -> tuple[str, ...]:
    """What speaks against the agent, for the context of the alert."""
    lines = []
    if has_aspirin:
        lines.append("Aspirin is taken; the table asks for more.")
    if view.says_yes(CONTRAINDICATED):
        lines.append("Anticoagulation is recorded as contraindicated.")
    if view.active("bleeding") is not None:
        lines.append("Bleeding is coded.")
    if view.allergies(ALLERGENS):
        lines.append("An allergy to an antithrombotic is recorded.")
    return tuple(lines)
