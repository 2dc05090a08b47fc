"""A thrombosis at a central venous catheter without an anticoagulant.

Watches for    a VTE of this course that is coded or stated to lie at a catheter, and no anticoagulant taken.
Stays silent   with one taken at any dose or stated, with a pulmonary embolism beside it (`vte-event-untreated`), when
               the time of treatment has passed, and when it is over.
Cannot assess  never: the state of the catheter is asked for in the alert.
Numbers        vte_treatment_months, vte_same_event_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.thrombosis.agents import ANTICOAGULANT, THERAPEUTIC, anticoagulated_until, taken, unprotected_since
from rules.thrombosis.events import CATHETER_RELATED, clots, is_at_catheter, is_isolated_calf
from rules.thrombosis.factors import months_later
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-cvc-plan"
STATE = "catheter-state"
TAKE_OUT = frozenset(("infected", "not-working"))


def assess(view: View) -> Answer:
    """Anticoagulate, and leave the catheter in unless it is infected or does not work."""
    if not view.is_on_treatment:
        return NOTHING
    is_anticoagulated, recheck = anticoagulated_until(view)
    recheck, findings = earliest(recheck, next_recorded_end(view)), []
    months, state = view.policy.terms.vte_treatment_months, view.statement(STATE)
    for event in clots(view):
        until = months_later(event.at, months.whole, view.zone)
        if view.at >= until or not is_at_catheter(view, event) or is_isolated_calf(event) or event.is_over(view.at):
            continue
        recheck = earliest(recheck, until)
        if is_anticoagulated:
            continue
        ended = unprotected_since(view, taken(view, ANTICOAGULANT))
        is_to_go = state is not None and state.value_code in TAKE_OUT
        catheter = "Take the catheter out" if is_to_go else "Leave the catheter in unless it is infected or not working"
        shown = (Shown("state of the catheter", state),) if state is not None else ()
        said = [view.answer_since(code) for code in (CATHETER_RELATED, THERAPEUTIC)]
        findings.append(
            Finding(
                subject=event.id,
                since=event.at,
                effective_at=latest(event.at, ended, *said, *(d.at for d in event.diagnoses)),
                title="Thrombosis at a catheter and no anticoagulant",
                message=f"A thrombosis at a central venous catheter, and no anticoagulant is taken. Anticoagulate for "
                f"{months} months. {catheter}.",
                advice=Advice(action=Action.START, agent="anticoagulant"),
                evidence=(*event.evidence, *shown),
                thresholds=(months,),
                is_provisional=event.is_unconfirmed,
            )
        )
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)
