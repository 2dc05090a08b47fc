"""Kidney function is better than at the start, and the dose is still the reduced one.

Watches for    values in a higher band than before cycle 1, from one at least some days old to the newest without
               a break, while the dose is still below that of the newer band and was reduced for the kidney.
Stays silent   once the dose was raised or the clearance is back in the lower band; with another reason recorded for
               the reduced dose, or a dose lowered since the start; on dialysis.
Cannot assess  where renal is the recorded reason for the dose and the clearance at the start is not known.
Numbers        renal_improve_days, renal_dose_table, renal_border_is_reduced, renal_equation
"""

from __future__ import annotations

from itertools import takewhile

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_between
from rules.lookahead import next_border
from rules.picture import Result
from rules.policy.terms import DoseBand
from rules.renal.course_of_dose import took_effect
from rules.renal_dose import DIALYSIS, intensity_of, kidney_by, kidney_now, limits, rank_of, shown, start_intensity
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-improve-review"
REASON = "reduced-dose-reason"


def assess(view: View) -> Answer:
    """The dose may be raised with caution."""
    start, dose, reason = view.ledger.start_dose, view.ledger.dose, view.statement(REASON)
    if not view.is_on_treatment or start is None or dose is None:
        return NOTHING
    now, before = kidney_now(view), kidney_by(view, view.baseline("creatinine"))
    recheck = earliest(next_border(view, DIALYSIS, REASON), now.until)
    if reason is not None and reason.value_code == "renal" and before.band is None:
        return CannotAssess(("creatinine clearance at the start",), recheck)
    given, first = intensity_of(dose), intensity_of(start)
    if now.figure is None or now.band is None or before.band is None or given is None or first is None:
        return Nothing(recheck)
    is_renal = first <= start_intensity(before.band) and given >= first
    if reason is not None:
        is_renal = reason.value_code == "renal"
    run = _better(view, before.band)
    days = view.policy.terms.renal_improve_days
    is_better = bool(run) and days_between(run[0].at, run[-1].at, view.zone) >= days.whole
    if not is_renal or not is_better or given >= start_intensity(now.band):
        return Nothing(recheck)
    reached = next(v for v in run if days_between(run[0].at, v.at, view.zone) >= days.whole)
    since = max(reached.at, view.ledger.started_at or reached.at)
    told = view.answer_since(REASON)
    value = shown(now.figure)
    return found(
        Finding(
            since=since,
            effective_at=took_effect(view, since, dose.at, told, *(item.fact.at for item in now.evidence)),
            title=f"Creatinine clearance improved to {value} mL/min: lenalidomide is still {dose.dose:f} mg",
            message=f"The clearance was {shown(before.figure)} mL/min at the start and is {value} mL/min now, in a "
            f"higher band for {days} days or more; the dose is still the reduced {dose.dose:f} mg. It may be raised "
            f"with caution; the starting dose of the present band is {now.band.shown}.",
            advice=Advice(action=Action.INFORM, agent="lenalidomide", dose_mg=f"{now.band.dose_mg:f}"),
            evidence=(Shown("present dose", dose), Shown("first better value", run[0]), Shown("better since", reached)),
            thresholds=(*limits(view.policy), days),
        ),
        recheck,
    )


def _better(view: View, before: DoseBand) -> list[Result]:
    """The newest values in a row that lie in a higher band than this one, the oldest first."""

    def is_better(creatinine: Result) -> bool:
        band = kidney_by(view, creatinine).band
        return band is not None and rank_of(band, view.policy) < rank_of(before, view.policy)

    return list(takewhile(is_better, reversed(view.series("creatinine"))))[::-1]
