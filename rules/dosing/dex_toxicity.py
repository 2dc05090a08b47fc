"""Harm by dexamethasone, and what speaks against giving it."""

from __future__ import annotations

from datetime import datetime

from rules.picture import Diagnosis
from rules.view import View

TOXICITIES = ("myopathy", "hyperglycaemia", "psychiatric-disturbance")
INFECTION, NEUTROPENIAS = "infection", ("neutropenia", "febrile-neutropenia")
CONTRAINDICATED, ALLERGENS = "dexamethasone-contraindicated", ("dexamethasone", "corticosteroid")
READS = (*TOXICITIES, INFECTION, *NEUTROPENIAS, CONTRAINDICATED, *ALLERGENS)


def is_contraindicated(view: View) -> bool:
    """Stated, an allergy, or a toxicity or infection that is active."""
    has_harm = view.active(*TOXICITIES, INFECTION) is not None
    return has_harm or view.says_yes(CONTRAINDICATED) or bool(view.allergies(ALLERGENS))


def spoke_against_until(view: View) -> list[datetime]:
    """When something that spoke against it ended."""
    harm = [d.abated for d in view.diagnoses(*TOXICITIES, INFECTION) if d.abated is not None and d.abated <= view.at]
    said = view.answer_since(CONTRAINDICATED)
    return [*harm, *((said,) if said is not None else ())]


def was_neutropenic(view: View, diagnosis: Diagnosis) -> bool | None:
    """Whether the ANC was low when this began; None where no ANC was ever known."""
    if not set(NEUTROPENIAS).isdisjoint(diagnosis.concepts):
        return True
    past = [episode for episode in view.ledger.past_episodes if episode.analyte == "anc"]
    present = view.ledger.neutropenia
    if any(episode.opened.at <= diagnosis.at < episode.closed_at for episode in past):
        return True
    if present is not None and present.opened.at <= diagnosis.at:
        return True
    return None if view.newest("anc") is None else False
