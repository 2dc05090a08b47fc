"""Suspected febrile neutropenia: an emergency, and a hold.

Watches for    fever (one reading above the single limit, or the sustained limit for longer than the
               stated time) with an ANC below the episode limit; fever with no recent ANC at all.
Stays silent   with a recent ANC at or above the limit.
Cannot assess  never by itself: an unknown ANC with fever is a finding, not a gap.
Numbers        fever_single_above, fever_sustained_at, fever_sustained_hours, fever_unknown_anc_at,
               fever_unknown_anc_hours, fever_over_hours, fever_anc_below
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found, latest
from rules.holds import Fever
from rules.picture import Result
from rules.policy.terms import Terms
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "fn-suspected"


def opens(fever: Fever, anc: Result | None, terms: Terms) -> str | None:
    """`neutropenic` with a low ANC, `anc-unknown` with none recent; None where neither holds."""
    if anc is not None and anc.at - fever.last.at > terms.fever_over_hours.span:
        # A fever that long ago, with no reading since, says nothing about the count of today.
        return None
    # A bound that proves neither side of the limit is no knowledge of the ANC.
    is_bound = anc is not None and anc.is_below(terms.fever_anc_below.value) is None
    is_known = anc is not None and not is_bound and fever.last.at - anc.at <= terms.fever_unknown_anc_hours.span
    if anc is not None and anc.is_below(terms.fever_anc_below.value):
        is_single = fever.peak.is_at_most(terms.fever_single_above.value) is False
        is_sustained = fever.last.at - fever.first.at > terms.fever_sustained_hours.span
        return "neutropenic" if is_single or is_sustained else None
    if not is_known and fever.peak.is_below(terms.fever_unknown_anc_at.value) is False:
        return "anc-unknown"
    return None


def releases(fever: Fever, reading: Result, anc: Result | None, terms: Terms) -> bool:
    """ANC recovered, and readings below fever from the first such reading on for long enough."""
    if anc is None or anc.at < fever.first.at or anc.is_below(terms.fever_anc_below.value) is not False:
        return False
    return fever.below is not None and reading.at - fever.below.at >= terms.fever_over_hours.span


def assess(view: View) -> Answer:
    """The open hold for fever."""
    hold, fever = view.hold_of("fever"), view.ledger.fever
    if hold is None or fever is None:
        return NOTHING
    terms, anc = view.policy.terms, view.newest("anc")
    evidence = [Shown("highest temperature", fever.peak)]
    if anc is not None:
        evidence.append(Shown("newest ANC", anc))
    known = f"ANC {anc.shown} cells/uL" if anc is not None and hold.reason == "neutropenic" else "no recent ANC"
    return found(
        Finding(
            since=hold.opened.at,
            effective_at=latest(hold.decided.at, view.restarted_at),
            reason=hold.reason,
            title=f"Suspected febrile neutropenia: {fever.peak.shown} Cel, {known}",
            message=f"Temperature {fever.peak.shown} Cel with {known}. Start the febrile neutropenia pathway now and "
            "hold lenalidomide. Take blood cultures and a CBC with differential.",
            advice=Advice(action=Action.REFER, agent="lenalidomide"),
            evidence=tuple(evidence),
            thresholds=(terms.fever_single_above, terms.fever_sustained_at, terms.fever_anc_below),
            episode=hold.episode,
        )
    )
