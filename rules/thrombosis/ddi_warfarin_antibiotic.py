"""An antibiotic that changes the effect of warfarin was started or stopped.

Watches for    the start (an order counts) or the end of co-trimoxazole or a quinolone while a vitamin K antagonist is
               taken.
Stays silent   once an INR was taken some days after the change, and when warfarin ended.
Cannot assess  never: no INR since is what it speaks of.
Numbers        ddi_inr_from_days, ddi_inr_until_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.picture import Supply
from rules.thrombosis.agents import VKA, on_treatment_since, present, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ddi-warfarin-antibiotic"
ANTIBIOTICS = ("co-trimoxazole", "quinolone")
INR = "inr"


def assess(view: View) -> Answer:
    """The INR is due some days after the change; earlier it shows nothing."""
    warfarin = present(taken(view, VKA, with_orders=True), view.at)
    if not view.is_on_treatment or warfarin is None:
        return NOTHING
    recheck, findings = earliest(next_recorded_end(view), warfarin.ends), []
    for name in ANTIBIOTICS:
        for run in view.spans(name, with_orders=True):
            changes = [("start", run.first, run.begins, run.begins)]
            if run.ends <= view.at:
                # Known only when the grace is over: a refill would have joined.
                changes.append(("stop", run.newest, run.until, run.ends))
            else:
                recheck = earliest(recheck, run.ends)
            findings += [
                _describe(view, what, supply, changed, known)
                for what, supply, changed, known in changes
                if warfarin.begins <= changed and not _is_measured(view, changed)
            ]
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)


def _is_measured(view: View, changed: datetime) -> bool:
    inr = view.newest(INR)
    return inr is not None and inr.at >= days_after(changed, view.policy.terms.ddi_inr_from_days.whole, view.zone)


def _describe(view: View, what: str, supply: Supply, changed: datetime, known: datetime) -> Finding:
    terms = view.policy.terms
    first, last = terms.ddi_inr_from_days, terms.ddi_inr_until_days
    since, due = on_treatment_since(view, known), days_after(changed, last.whole, view.zone)
    word = "started" if what == "start" else "ended"
    worse = " Co-trimoxazole raises the INR the most." if supply.medicine == "co-trimoxazole" else ""
    return Finding(
        subject=f"{supply.id}:{what}",
        since=since,
        effective_at=since,
        title=f"{supply.medicine.capitalize()} {word} on warfarin: INR in {first} to {last} days",
        message=f"{supply.medicine.capitalize()} {word} while warfarin is taken, which moves the INR.{worse} Measure "
        f"it {first} to {last} days after the change.",
        advice=Advice(action=Action.REPEAT_TEST, agent="INR", next_check=due),
        evidence=(Shown("antibiotic", supply),),
        thresholds=(first, last),
    )
