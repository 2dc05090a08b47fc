"""Bleeding while aspirin or an anticoagulant is active.

Watches for    a bleeding coded while any antithrombotic is taken or ordered, or shortly before one is started.
Stays silent   once the bleeding ended, every antithrombotic was stopped or used up, and after the course.
Cannot assess  never: a stated anticoagulation counts as one, whatever the agent.
Numbers        bleed_recent_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.picture import Diagnosis, Statement, Supply
from rules.thrombosis.agents import THERAPEUTIC, on_treatment_since, present, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "bleed-on-antithrombotic"
BLEEDING = "bleeding"
AGENTS = "antithrombotic"


def assess(view: View) -> Answer:
    """Each bleeding that goes on; the agent is reviewed today."""
    if not view.is_on_treatment:
        return NOTHING
    run, recheck = present(taken(view, AGENTS, with_orders=True), view.at), next_recorded_end(view)
    stated, first = view.statement(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    is_stated = stated is not None and first is not None and view.says_yes(THERAPEUTIC)
    began = earliest(run.begins if run is not None else None, first.at if is_stated and first is not None else None)
    newest: Supply | Statement | None = run.newest if run is not None else stated
    if began is None or newest is None:
        return Nothing(recheck)
    recent = view.policy.terms.bleed_recent_days
    findings = tuple(
        _describe(view, bleeding, newest, began)
        for bleeding in view.diagnoses(BLEEDING)
        if not bleeding.is_history and not bleeding.is_over(view.at)
        if began < days_after(bleeding.last, recent.whole + 1, view.zone)
    )
    recheck = earliest(recheck, run.ends if run is not None else None)
    return Found(findings, recheck) if findings else Nothing(recheck)


def _describe(view: View, bleeding: Diagnosis, newest: Supply | Statement, began: datetime) -> Finding:
    name = newest.medicine if isinstance(newest, Supply) else "an anticoagulant"
    since = on_treatment_since(view, bleeding.at, began)
    return Finding(
        subject=bleeding.id,
        since=since,
        effective_at=since,
        title=f"Bleeding while {name} is active",
        message=f"A bleeding is recorded while {name} is active. Review the agent today, and stop it or record why it "
        "goes on.",
        advice=Advice(action=Action.REVIEW_MEDICINE, agent=name),
        evidence=(Shown("bleeding", bleeding), Shown("antithrombotic", newest)),
        thresholds=(view.policy.terms.bleed_recent_days,),
        is_provisional=bleeding.status is FactStatus.PRELIMINARY,
    )
