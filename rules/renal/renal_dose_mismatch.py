"""The dose of cycle 1 is above the one that kidney function asks for.

Watches for    a dose intensity in cycle 1 above the starting dose of the band, by the clearance before cycle 1 (or
               the newest where there was none then) and by the newest; or dialysis since before the start.
Stays silent   at or below the band's dose, once a newer clearance fits it, and from cycle 2 on; a clearance that fell
               in cycle 1 is the matter of `renal-decline-review`, and so is a dose still too high in cycle 2.
Cannot assess  without creatinine, weight, birth date, sex, or the dose and its rhythm.
Numbers        renal_dose_table, renal_border_is_reduced, renal_equation
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.lookahead import next_border
from rules.renal.course_of_dose import judge_dose, took_effect
from rules.renal_dose import DIALYSIS, kidney_now, limits
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-dose-mismatch"


def assess(view: View) -> Answer:
    """Cycle 1 only: the labels speak of the starting dose."""
    cycle, started = view.cycle, view.ledger.started_at
    if not view.is_on_treatment or started is None or cycle is None or cycle.number > 1:
        return NOTHING
    recheck = earliest(next_border(view, DIALYSIS), kidney_now(view).until)
    misfit, missing = judge_dose(view)
    if missing:
        return CannotAssess(missing, recheck)
    if misfit is None or not misfit.is_from_start or misfit.kidney.band is None:
        return Nothing(recheck)
    band, kidney, dose = misfit.kidney.band, misfit.kidney, misfit.dose
    has = "every other day" if dose.schedule == "alternate-days" else "daily"
    return found(
        Finding(
            since=started,
            effective_at=took_effect(view, started, dose.at, *(item.fact.at for item in kidney.evidence)),
            title=f"Lenalidomide {dose.dose:f} mg {has} with {kidney.named}: {band.shown} is the starting dose",
            message=f"The dose of cycle 1 is {dose.dose:f} mg {has}. With {kidney.named} the starting dose is "
            f"{band.shown}. Call the prescriber today.",
            advice=Advice(
                action=Action.REDUCE_STEP, agent="lenalidomide", dose_mg=f"{band.dose_mg:f}", schedule=band.schedule
            ),
            evidence=(Shown("dose of cycle 1", dose), *kidney.evidence),
            thresholds=limits(view.policy),
        ),
        recheck,
    )
