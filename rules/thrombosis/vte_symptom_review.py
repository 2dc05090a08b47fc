"""A symptom of venous thromboembolism was not looked into.

Watches for    leg swelling or pain, breathlessness or chest pain coded on treatment, and no study for VTE in its days.
Stays silent   with a study since the day of the symptom, with a VTE diagnosed since or shortly before, and when its
               days have passed. Several symptoms are one alert, about the first that nobody looked into.
Cannot assess  never: no record of a study is what it speaks of.
Numbers        vte_symptom_study_days, vte_symptom_shown_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_after
from rules.picture import Diagnosis
from rules.thrombosis.factors import VTE
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "vte-symptom-review"
SYMPTOMS = ("leg-swelling-or-pain", "dyspnoea", "chest-pain")
STUDY = "vte-imaging"
_NAMES = {"leg-swelling-or-pain": "leg swelling or pain", "dyspnoea": "breathlessness", "chest-pain": "chest pain"}


def assess(view: View) -> Answer:
    """The first symptom of the course that still waits for a study."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    terms, recheck = view.policy.terms, next_recorded_end(view)
    waiting: list[tuple[datetime, Diagnosis]] = []
    for symptom in view.diagnoses(*SYMPTOMS):
        until = days_after(symptom.at, terms.vte_symptom_shown_days.whole + 1, view.zone)
        if symptom.is_history or symptom.at <= started or view.at >= until or _is_explained(view, symptom):
            continue
        due = symptom.at + terms.vte_symptom_study_days.span
        recheck = earliest(recheck, due if view.at < due else until)
        if view.at >= due:
            waiting.append((due, symptom))
    if not waiting:
        return Nothing(recheck)
    due, first = waiting[0]
    named = ", ".join(dict.fromkeys(name for _, s in waiting for c, name in _NAMES.items() if c in s.concepts))
    return found(
        Finding(
            subject=first.id,
            since=due,
            effective_at=due,
            title=f"{named.capitalize()} on treatment and no study for VTE",
            message=f"{named.capitalize()} recorded on treatment, and no imaging for venous thromboembolism followed "
            f"within {terms.vte_symptom_study_days} days. Look for it today.",
            advice=Advice(action=Action.REPEAT_TEST, agent="VTE imaging"),
            evidence=tuple(Shown("symptom", symptom) for _, symptom in waiting),
            thresholds=(terms.vte_symptom_study_days, terms.vte_symptom_shown_days),
            is_provisional=all(symptom.status is FactStatus.PRELIMINARY for _, symptom in waiting),
        ),
        recheck,
    )


def _is_explained(view: View, symptom: Diagnosis) -> bool:
    """A study since the beginning of its day, or a VTE since shortly before it."""
    if view.procedure_since(days_after(symptom.at, 0, view.zone), STUDY) is not None:
        return True
    before = days_after(symptom.at, -view.policy.terms.vte_symptom_shown_days.whole, view.zone)
    return any(d.at >= before and not d.is_history for d in view.diagnoses(*VTE))
