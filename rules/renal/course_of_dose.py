"""Whether the dose of lenalidomide fits kidney function: at the start, now, and since when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rules.answers import latest
from rules.calendar import days_between
from rules.course_moment import begin_of
from rules.ledger import LENALIDOMIDE
from rules.picture import Result, Supply
from rules.renal_dose import (
    Kidney,
    dialysis_ended,
    intensity_of,
    kidney_by,
    kidney_now,
    raised_intensity,
    rank_of,
    start_intensity,
)
from rules.view import View

DOSE_UNKNOWN = "dose of lenalidomide"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A dose above that of the band. `is_from_start`: the dose did not fit the clearance before cycle 1 either."""

    kidney: Kidney
    dose: Supply
    is_from_start: bool
    is_confirmed: bool
    since: datetime


def judge_dose(view: View) -> tuple[Misfit | None, tuple[str, ...]]:
    """The present dose against the present band, or what is missing; worked out once for the rules."""
    return view.derive(_judge_dose)


def _judge_dose(view: View) -> tuple[Misfit | None, tuple[str, ...]]:
    now, dose, cycle = kidney_now(view), view.ledger.dose, view.cycle
    given = intensity_of(dose) if dose is not None else None
    if now.band is None or dose is None or given is None or cycle is None:
        return None, (*now.missing, *((DOSE_UNKNOWN,) if given is None else ()))
    allowed = allowed_intensity(view, now)
    if given <= allowed:
        return None, ()
    started = view.ledger.started_at or view.at
    if now.dialysis is not None:
        was_so = cycle.number == 1 and now.dialysis.at <= started
        return Misfit(now, dose, was_so, False, max(now.dialysis.at, _dose_since(view, allowed), started)), ()
    before = kidney_by(view, view.baseline("creatinine"))
    fitted = before.band is not None and given <= start_intensity(before.band)
    run = _run(view, allowed)
    days = view.policy.terms.renal_confirm_days.whole
    is_confirmed = len(run) > 1 and days_between(run[-2].at, run[-1].at, view.zone) <= days
    since = max(run[0].at, _dose_since(view, allowed), started)
    return Misfit(now, dose, cycle.number == 1 and not fitted, is_confirmed, since), ()


def allowed_intensity(view: View, kidney: Kidney) -> Decimal:
    """What the band allows: its starting dose; after some cycles what it may be raised to.

    The raised dose is for people who began in this band or a lower one: a clearance that fell into it is no reason.
    """
    assert kidney.band is not None
    start, raised = start_intensity(kidney.band), raised_intensity(kidney.band)
    cycle, before = view.cycle, kidney_by(view, view.baseline("creatinine")).band
    is_later = cycle is not None and cycle.number > view.policy.terms.renal_raise_after_cycles.whole
    if (
        raised is None
        or not is_later
        or before is None
        or rank_of(before, view.policy) < rank_of(kidney.band, view.policy)
    ):
        return start
    return raised


def _run(view: View, allowed: Decimal) -> list[Result]:
    """The last creatinine values whose bands allow less than the dose, the oldest first; at least the newest."""
    dose = view.ledger.dose
    given = intensity_of(dose) if dose is not None else None
    run: list[Result] = []
    for creatinine in reversed(view.series("creatinine")):
        band = kidney_by(view, creatinine).band
        if band is None or given is None or given <= max(allowed, start_intensity(band)):
            break
        run.insert(0, creatinine)
    newest = view.newest("creatinine")
    return run or ([newest] if newest is not None else [])


def _dose_since(view: View, allowed: Decimal) -> datetime:
    """Since when more than this is taken: the first of the last supplies in a row."""
    first: Supply | None = None
    for supply in reversed(view.supplies(LENALIDOMIDE)):
        given = intensity_of(supply)
        if given is not None and given <= allowed:
            break
        first = supply
    return first.at if first is not None else view.at


def took_effect(view: View, since: datetime, *instants: datetime | None) -> datetime:
    """The last of what a finding needs: these, what is known of the person, the cycle, an end of dialysis."""
    person, cycle = view.ledger.person, view.cycle
    begun = begin_of(cycle, view.zone) if cycle is not None else None
    return latest(
        since,
        *instants,
        person.at if person is not None else None,
        begun if begun is not None and begun <= view.at else None,
        dialysis_ended(view),
    )
