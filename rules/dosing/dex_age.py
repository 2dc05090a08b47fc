"""What the two rules on dexamethasone by age have in common."""

from __future__ import annotations

from dataclasses import dataclass

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.dexamethasone import PLAN, is_dose_known
from rules.dosing.dex_cycle import age_in_cycle, begun_on, cycle_doses, recheck_of, took_effect
from rules.lookahead import next_border
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice


@dataclass(frozen=True, slots=True)
class Band:
    """An age band: over the higher limit or from the lower one up to it, and its doses for a day and for 28 days."""

    is_over: bool
    age: Number
    day_mg: Number
    mg: Number


def assess_age(view: View, band: Band) -> Answer:
    """The doses of the cycle against those of the age band."""
    if not view.is_on_treatment:
        return NOTHING
    doses = cycle_doses(view)
    recheck = recheck_of(doses, next_border(view, PLAN))
    if doses.cycle is None:
        return Nothing(recheck)
    age, dose = age_in_cycle(view, doses.cycle), doses.above(band.mg, band.day_mg)
    if age is None:
        return CannotAssess(("birth date",), recheck) if dose is not None else Nothing(recheck)
    years, is_over = age
    if is_over is not band.is_over or (not is_over and years < band.age.value):
        return Nothing(recheck)
    if not is_dose_known(view):
        return CannotAssess(("dexamethasone dose",), recheck)
    if dose is None:
        return Nothing(recheck)
    day = f", {dose.day_mg.normalize():f} mg on one day" if dose.day_mg is not None else ""
    return found(
        Finding(
            since=begun_on(view, doses),
            effective_at=took_effect(view, doses, dose),
            title=f"Dexamethasone {dose.mg.normalize():f} mg at {years} years, above {band.day_mg} mg once a week",
            message=f"Dexamethasone {dose.mg.normalize():f} mg {dose.how}{day}. At {years} years it is "
            f"{band.day_mg} mg once a week, {band.mg} mg in 28 days.",
            advice=Advice(
                action=Action.REVIEW_MEDICINE, agent="dexamethasone", dose_mg=f"{band.day_mg}", schedule="weekly"
            ),
            evidence=tuple(Shown("dexamethasone", fact) for fact in dose.facts),
            thresholds=(band.age, band.day_mg, band.mg),
        ),
        recheck,
    )
