"""A medicine that raises the risk of thrombosis was started on treatment.

Watches for    an erythropoiesis-stimulating agent or an oestrogen whose run began after the first dose, for a while.
Stays silent   about refills, about what was taken before the course, once it is used up and when its days have passed;
               about contraceptives, which have a rule of their own.
Cannot assess  never: what is not recorded was not started.
Numbers        esa_estrogen_shown_days, vte_esa_covers_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.thrombosis.esa import ESA, esa_run
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "esa-or-estrogen"
OESTROGEN = "oestrogen"


def assess(view: View) -> Answer:
    """Each of the two on its own."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    days, recheck, findings = view.policy.terms.esa_estrogen_shown_days, next_recorded_end(view), []
    for name, run in ((ESA, esa_run(view)), (OESTROGEN, view.span_now(OESTROGEN, with_orders=True))):
        until = days_after(run.begins, days.whole + 1, view.zone) if run is not None else None
        if run is None or until is None or run.begins <= started or view.at >= until:
            continue
        recheck = earliest(recheck, run.ends, until)
        medicine = run.first.medicine
        findings.append(
            Finding(
                subject=name,
                since=run.begins,
                effective_at=run.begins,
                title=f"{medicine.capitalize()} started on lenalidomide and dexamethasone",
                message=f"{medicine.capitalize()} was started on treatment and raises the risk of thrombosis: look at "
                "the need for it, and at the prophylaxis.",
                advice=Advice(action=Action.REVIEW_MEDICINE, agent=medicine),
                evidence=(Shown("started", run.first),),
                thresholds=(days,),
            )
        )
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)
