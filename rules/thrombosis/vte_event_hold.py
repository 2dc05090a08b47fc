"""A venous thromboembolism on treatment: hold lenalidomide and anticoagulate.

Watches for    a deep vein thrombosis (a calf vein included), pulmonary embolism or their kin after the first dose.
Stays silent   once a restart is recorded and an anticoagulant is taken, after the end of the course, about a VTE
               from before it, and about myocardial infarction or stroke (`ate-event`).
Cannot assess  never: a diagnosis that nobody confirmed yet raises it provisionally and holds nothing.
Numbers        vte_same_event_days
"""

from __future__ import annotations

from rules.answers import Answer
from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept
from rules.policy.terms import Policy
from rules.thrombosis.events import clots
from rules.thrombosis.factors import VTE
from rules.thrombosis.restarting import concerns as may_concern
from rules.thrombosis.restarting import find_stops, hold_for
from rules.view import View

RULE_ID = "vte-event-hold"


def concerns(fact: AnyKept) -> bool:
    """Diagnoses of a VTE, a restart, and what may be an anticoagulant."""
    return may_concern(fact, VTE)


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """The holds that stand; a restart without an anticoagulant releases none."""
    return find_stops(ledger, policy, RULE_ID, VTE, needs_anticoagulant=True)


def assess(view: View) -> Answer:
    """One hold for each event; the dose after it is the original one."""
    return hold_for(
        view,
        clots(view),
        needs_anticoagulant=True,
        what="Hold lenalidomide and anticoagulate. Once the patient is stable it may be taken again at the dose of "
        "before, if the benefit outweighs the risk and the anticoagulant goes on.",
    )
