"""A massive clot and nothing known that forbids lysis.

Watches for    an iliofemoral thrombosis of this course, or a pulmonary embolism with a newest systolic pressure below
               its limit, and no risk of bleeding on record (`lysis_risks`).
Stays silent   once lysis is recorded, a risk of bleeding is coded, the pressure recovered, or its days have passed.
Cannot assess  a pulmonary embolism without a blood pressure since that day; a massive clot without usable platelets.
Numbers        vte_lysis_systolic_below, vte_lysis_shown_days, lysis_platelets, lysis_stroke_months, lysis_trauma_days,
               bleed_recent_days,
               vte_same_event_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_after
from rules.picture import Diagnosis, Result
from rules.thrombosis.agents import UNUSABLE
from rules.thrombosis.events import Event, clots
from rules.thrombosis.lysis_risks import find_risk, next_risk_change, risks_over
from rules.thrombosis.massive import is_lysed, massive_because
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-massive-lysis"
NO_PRESSURE = "systolic blood pressure since the pulmonary embolism"


def assess(view: View) -> Answer:
    """Only without any risk of bleeding, and a person decides."""
    if not view.is_on_treatment:
        return NOTHING
    recheck = earliest(next_recorded_end(view), next_risk_change(view))
    findings, missing = [], set[str]()
    for event in clots(view):
        until = days_after(event.at, view.policy.terms.vte_lysis_shown_days.whole + 1, view.zone)
        if view.at >= until or event.is_over(view.at) or is_lysed(view, event):
            continue
        massive = massive_because(view, event)
        if massive is False or find_risk(view) is not None:
            continue
        recheck = earliest(recheck, until)
        count = view.newest("platelets")
        if massive is None:
            missing.add(NO_PRESSURE)
        elif view.unusable("platelets") is not None or count is None:
            missing.add(UNUSABLE if view.unusable("platelets") is not None else "platelets")
        elif (is_low := count.is_below(view.policy.terms.lysis_platelets.value)) is None:
            missing.add(UNUSABLE)
        elif not is_low:
            findings.append(_describe(view, event, massive, count))
    if findings:
        return Found(tuple(findings), recheck)
    return CannotAssess(tuple(sorted(missing)), recheck) if missing else Nothing(recheck)


def _describe(view: View, event: Event, massive: Diagnosis | Result, count: Result) -> Finding:
    terms, since = view.policy.terms, max(event.at, massive.at)
    is_shock = isinstance(massive, Result)
    what = (
        f"{event.name.capitalize()} with a systolic pressure of {massive.shown} mmHg"
        if isinstance(massive, Result)
        else event.name.capitalize()
    )
    return Finding(
        subject=event.id,
        since=since,
        effective_at=latest(since, count.at, risks_over(view), *(d.at for d in event.diagnoses)),
        title=f"{what}: is lysis an option?",
        message=f"{what}, and nothing on record forbids lysis. Ask a specialist now. Exclude before it: a haemorrhagic "
        "or unexplained stroke ever, a tumour inside the skull, an ischaemic stroke within "
        f"{terms.lysis_stroke_months} months, major trauma, surgery or head injury within {terms.lysis_trauma_days} "
        f"days, platelets below {terms.lysis_platelets}, active bleeding, a tendency to bleed.",
        advice=Advice(action=Action.REFER),
        evidence=(
            *event.evidence,
            *((Shown("systolic blood pressure", massive),) if is_shock else ()),
            Shown("newest platelets", count),
        ),
        thresholds=(terms.vte_lysis_systolic_below, terms.lysis_platelets),
        is_provisional=event.is_unconfirmed or count.is_doubtful,
    )
