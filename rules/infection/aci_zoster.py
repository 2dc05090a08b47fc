"""A proteasome inhibitor or an antibody against CD38 was added, and no antiviral prophylaxis is taken.

Watches for    either of them given, dispensed or taken at home in the stated time, some days after it was added, without
               aciclovir or valaciclovir.
Stays silent   with one of these, and when the added medicine was not given for the stated time.
Cannot assess  never: no record of an antiviral is what it speaks of.
Numbers        aci_drug_days, aci_wait_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after
from rules.picture import Supply
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "aci-zoster"
ADDED = ("proteasome-inhibitor", "anti-cd38")
ANTIVIRALS = ("aciclovir", "valaciclovir")


def assess(view: View) -> Answer:
    """From some days after the medicine was added, while it goes on."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    borders = earliest(*(i for i in (started, view.ledger.ended_at) if i is not None and i > view.at))
    run, terms = _present_run(view), view.policy.terms
    if not run:
        return Nothing(borders)
    ends, due = (
        _ends_at(view, run[-1]),
        days_after(latest(run[0].at, started), terms.aci_wait_days.whole + 1, view.zone),
    )
    span = view.span_now(*ANTIVIRALS)
    recheck = earliest(borders, ends, due if due > view.at else None, span.ends if span is not None else None)
    if view.at < due or span is not None:
        return Nothing(recheck)
    past = view.spans(*ANTIVIRALS)
    since = latest(due, past[-1].ends if past else None)
    return found(
        Finding(
            since=since,
            effective_at=since,
            title=f"No antiviral prophylaxis with {run[-1].medicine}",
            message=f"{run[-1].medicine.capitalize()} was added, and neither aciclovir nor valaciclovir is taken. It raises the "
            "risk of herpes zoster: consider antiviral prophylaxis.",
            advice=Advice(action=Action.START, agent="aciclovir or valaciclovir"),
            evidence=(Shown("added", run[0]), *((Shown("last antiviral", past[-1].newest),) if past else ())),
            thresholds=(terms.aci_wait_days, terms.aci_drug_days),
        ),
        recheck,
    )


def _ends_at(view: View, supply: Supply) -> datetime:
    return days_after(supply.at, view.policy.terms.aci_drug_days.whole + 1, view.zone)


def _present_run(view: View) -> list[Supply]:
    """The medicine's doses and dispenses since it was last not given for long; empty where that is so now."""
    run: list[Supply] = []
    for supply in view.supplies(*ADDED):
        if supply.way == "ordered" or supply.status is FactStatus.PLANNED:
            continue
        if run and supply.at >= _ends_at(view, run[-1]):
            run = []
        run.append(supply)
    return run if run and view.at < _ends_at(view, run[-1]) else []
