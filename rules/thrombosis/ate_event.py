"""A myocardial infarction or stroke on treatment: hold lenalidomide.

Watches for    an arterial thromboembolism after the first dose.
Stays silent   once a restart is recorded, after the end of the course, and about one from before it.
Cannot assess  never: a diagnosis that nobody confirmed yet raises it provisionally and holds nothing.
Numbers        vte_same_event_days
"""

from __future__ import annotations

from rules.answers import Answer
from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept
from rules.policy.terms import Policy
from rules.thrombosis.events import find_events
from rules.thrombosis.factors import ARTERIAL
from rules.thrombosis.restarting import concerns as may_concern
from rules.thrombosis.restarting import find_stops, hold_for
from rules.view import View

RULE_ID = "ate-event"


def concerns(fact: AnyKept) -> bool:
    """Diagnoses of an arterial event, and a restart."""
    return may_concern(fact, ARTERIAL)


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """The holds that stand."""
    return find_stops(ledger, policy, RULE_ID, ARTERIAL, needs_anticoagulant=False)


def assess(view: View) -> Answer:
    """One hold for each event."""
    return hold_for(
        view,
        find_events(view.ledger, view.policy, *ARTERIAL),
        needs_anticoagulant=False,
        what="Hold lenalidomide and treat the event. Once the patient is stable it may be taken again at the dose of "
        "before, if the benefit outweighs the risk.",
    )
