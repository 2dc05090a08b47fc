"""Kidney function fell below the band that the present dose fits.

Watches for    on treatment, a newest clearance (or dialysis) whose band allows less than the present dose; one value
               raises it, a second within some days confirms it. From cycle 2 on also a dose that never fitted.
Stays silent   while the dose fits; a dose the band may be raised to after some cycles fits those who began in it.
Cannot assess  without creatinine, weight, birth date, sex, or the dose and its rhythm.
Numbers        renal_dose_table, renal_border_is_reduced, renal_equation, renal_confirm_days, renal_raise_after_cycles
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.lookahead import next_border
from rules.renal.course_of_dose import judge_dose, took_effect
from rules.renal_dose import DIALYSIS, kidney_now, limits
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-decline-review"


def assess(view: View) -> Answer:
    """The labels speak only of the starting dose, so this asks and does not prescribe."""
    if not view.is_on_treatment:
        return NOTHING
    recheck = earliest(next_border(view, DIALYSIS), kidney_now(view).until)
    misfit, missing = judge_dose(view)
    if missing:
        return CannotAssess(missing, recheck)
    if misfit is None or misfit.is_from_start or misfit.kidney.band is None:
        return Nothing(recheck)
    band, kidney, dose = misfit.kidney.band, misfit.kidney, misfit.dose
    again = "A second value confirms it." if misfit.is_confirmed else "One value so far: repeat creatinine."
    return found(
        Finding(
            since=misfit.since,
            effective_at=took_effect(view, misfit.since, dose.at, *(item.fact.at for item in kidney.evidence)),
            reason="confirmed" if misfit.is_confirmed else None,
            title=f"Lenalidomide {dose.dose:f} mg is above the dose for {kidney.named}",
            message=f"Review the dose: with {kidney.named} treatment would start at {band.shown}, and "
            f"{dose.dose:f} mg is taken. {again if kidney.dialysis is None else ''} The labels speak only of the "
            "starting dose.",
            advice=Advice(
                action=Action.REVIEW_MEDICINE, agent="lenalidomide", dose_mg=f"{band.dose_mg:f}", schedule=band.schedule
            ),
            evidence=(Shown("present dose", dose), *kidney.evidence),
            thresholds=(*limits(view.policy), view.policy.terms.renal_confirm_days),
        ),
        recheck,
    )
