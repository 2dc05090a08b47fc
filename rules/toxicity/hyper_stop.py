"""Anaphylaxis or angio-oedema on lenalidomide: never give it again.

Watches for    either of them, begun on treatment; the hold is never released, not by a new course either.
Stays silent   about what came before the first dose, and what another medicine was judged to cause.
Cannot assess  never: it needs no more than the record of the event.
Numbers        none
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown, latest
from rules.holds import Stop
from rules.ledger import Ledger
from rules.picture import AnyKept, Diagnosis
from rules.policy.terms import Policy
from rules.toxicity.events import HYPERSENSITIVITY, began_on_treatment, is_any_of, is_blamed_elsewhere, name_of
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "hyper-stop"


def concerns(fact: AnyKept) -> bool:
    """Hypersensitivity."""
    return isinstance(fact, Diagnosis) and is_any_of(fact, *HYPERSENSITIVITY)


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """Every such event of this course and of those before it."""
    before = tuple(stop for stop in ledger.stops if stop.rule == RULE_ID)
    held = {stop.subject for stop in before}
    return before + tuple(
        Stop(RULE_ID, event.id, None, event.at, event.known, event)
        for event in ledger.diagnoses
        if event.id not in held and concerns(event) and began_on_treatment(event, ledger)
        if not is_blamed_elsewhere(event)
    )


def assess(view: View) -> Answer:
    """The holds for hypersensitivity."""
    stops = view.stops_of(RULE_ID)
    if not stops or not view.is_on_treatment:
        return NOTHING
    findings = []
    for stop in stops:
        event = stop.opened
        assert isinstance(event, Diagnosis)
        findings.append(
            Finding(
                subject=event.id,
                since=event.at,
                effective_at=latest(event.at, view.ledger.started_at),
                title=f"Stop lenalidomide for good: {name_of(event)}",
                message=f"{name_of(event).capitalize()} on lenalidomide. Stop it for good and do not give it again; "
                "treat and refer today.",
                advice=Advice(action=Action.STOP, agent="lenalidomide"),
                evidence=(Shown("hypersensitivity", event),),
            )
        )
    return Found(tuple(findings))
