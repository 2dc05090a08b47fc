"""A clot is treated with another agent than LMWH.

Watches for    a VTE of this course with a vitamin K antagonist, rivaroxaban, dabigatran or unfractionated heparin taken
               since, for a while.
Stays silent   with LMWH taken, with anything that speaks against LMWH (stated, an allergy, a low clearance), where the
               policy holds other agents to be as good, and when its days have passed.
Cannot assess  never by itself: an unknown clearance speaks against nothing.
Numbers        vte_lmwh_preferred, vte_agent_shown_days, vte_lmwh_clcr, vte_same_event_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_after
from rules.thrombosis.agents import LMWH, VKA, present, taken
from rules.thrombosis.events import clots
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-agent-not-preferred"
NOT_PREFERRED = (VKA, "rivaroxaban", "dabigatran", "heparin")
NO_LMWH = "lmwh-contraindicated"
ALLERGENS = ("heparin", "enoxaparin", "dalteparin", LMWH)


def assess(view: View) -> Answer:
    """The ranking of 2012 to 2014; later consensus sees it differently."""
    terms = view.policy.terms
    if not view.is_on_treatment or not terms.vte_lmwh_preferred:
        return NOTHING
    recheck, findings = earliest(next_recorded_end(view), view.next_cycle_at), []
    lmwh, runs = taken(view, LMWH), taken(view, *NOT_PREFERRED)
    present_lmwh, agent = present(lmwh, view.at), present(runs, view.at)
    ends = (run.ends for run in (present_lmwh, agent) if run is not None)
    recheck = earliest(recheck, *ends)
    clearance = view.clearance
    is_low = clearance is not None and clearance.ml_per_min < terms.vte_lmwh_clcr.value
    if agent is None or present_lmwh is not None or is_low or view.says_yes(NO_LMWH) or view.allergies(ALLERGENS):
        return Nothing(recheck)
    for event in clots(view):
        since = max(event.at, agent.begins)
        until = days_after(since, terms.vte_agent_shown_days.whole + 1, view.zone)
        if view.at >= until or event.is_over(view.at):
            continue
        recheck = earliest(recheck, until)
        kidneys = (clearance.creatinine.at, clearance.weight.at) if clearance is not None else ()
        newest = agent.newest
        findings.append(
            Finding(
                subject=event.id,
                since=since,
                effective_at=latest(since, lmwh[-1].ends if lmwh else None, view.answer_since(NO_LMWH), *kidneys),
                title=f"{event.name.capitalize()} treated with {newest.medicine}: the panel prefers LMWH",
                message=f"The {event.name} is treated with {newest.medicine}, and nothing on record speaks against "
                "LMWH, which the panel prefers. Later consensus (since about 2018) accepts direct oral anticoagulants.",
                advice=Advice(action=Action.INFORM, agent=newest.medicine),
                evidence=(*event.evidence, Shown("anticoagulant", newest)),
                thresholds=(terms.vte_agent_shown_days, terms.vte_lmwh_clcr),
                is_provisional=event.is_unconfirmed,
            )
        )
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)
