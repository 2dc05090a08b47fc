"""The reduced starting dose was tolerated for some cycles and may be raised.

Watches for    cycles completed at exactly the starting dose of a band whose dose may be raised, no dose-limiting
               toxicity since (no low-count episode, hold, or adverse event of the stated grade), and, where the policy
               asks for it, a response less than partial recorded in this course.
Stays silent   before that, at any other dose, with a stop or hold open, and with a response at least partial.
Cannot assess  without the clearance, or without a response where one is asked for.
Numbers        renal_dose_table, renal_raise_after_cycles, renal_raise_needs_nonresponse, complication_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.calendar import local_day
from rules.course_moment import begin_of
from rules.ledger import LENALIDOMIDE, Cycle
from rules.lookahead import next_border
from rules.picture import Supply
from rules.policy.terms import DoseBand
from rules.renal.course_of_dose import took_effect
from rules.renal_dose import DIALYSIS, band_of, first_so, intensity_of, kidney_now, limits, shown_of, start_intensity
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-escalate-2c"
RESPONSE = "response"
_LESS_THAN_PARTIAL = frozenset(("mr", "sd", "pd"))


def assess(view: View) -> Answer:
    """The labels allow it; it is no advice to do so."""
    if not view.is_on_treatment:
        return NOTHING
    kidney = kidney_now(view)
    band, recheck = kidney.band, earliest(next_border(view, DIALYSIS, RESPONSE), kidney.until, view.stop_ends_at)
    if band is None:
        return CannotAssess(kidney.missing, recheck)
    run, done = _at_starting_dose(view, band)
    after = view.policy.terms.renal_raise_after_cycles
    if band.raised_mg is None or run is None or len(done) <= after.whole or _is_limited(view, run):
        return Nothing(recheck)
    response, needs = view.statement(RESPONSE), view.policy.terms.renal_raise_needs_nonresponse
    if needs and (response is None or response.at < (view.ledger.started_at or view.at)):
        return CannotAssess(("response of the myeloma in this course",), recheck)
    if needs and response is not None and response.value_code not in _LESS_THAN_PARTIAL:
        return Nothing(recheck)
    reached = begin_of(done[after.whole], view.zone)
    stated = (Shown("response", response),) if needs and response is not None else ()
    begun = first_so(view, lambda figure: band_of(figure.ml_per_min, view.policy) is band)
    start = view.ledger.start_dose
    # The starting dose stays, while of later supplies only the last few are kept.
    is_first = start is not None and intensity_of(start) == start_intensity(band)
    dose = Shown("starting dose", start) if is_first and start is not None else Shown("at this dose since", run)
    facts = (run, *(item.fact for item in (*kidney.evidence, *stated)))
    return found(
        Finding(
            since=reached,
            effective_at=took_effect(view, reached, *(fact.at for fact in facts)),
            title=f"{after} cycles at {band.shown} tolerated: {band.raised_mg} mg may be considered",
            message=f"With {kidney.named}, {after} cycles at {band.shown} were completed without dose-limiting "
            f"toxicity. The label lets the dose go up to {band.raised_mg} mg {band.raised_schedule}.",
            advice=Advice(
                action=Action.INFORM,
                agent="lenalidomide",
                dose_mg=f"{band.raised_mg:f}",
                schedule=band.raised_schedule,
            ),
            evidence=(dose, *shown_of(begun), *stated),
            thresholds=(after, *limits(view.policy)),
        ),
        recheck,
    )


def _at_starting_dose(view: View, band: DoseBand) -> tuple[Supply | None, list[Cycle]]:
    """The first of the last supplies in a row at this dose, and the cycles begun with it."""
    first: Supply | None = None
    for supply in reversed([s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered"]):
        if intensity_of(supply) != start_intensity(band):
            break
        first = supply
    if first is None:
        return None, []
    day = local_day(first.at, view.zone)
    begun = [c for c in view.ledger.cycles if day <= local_day(c.day_1, view.zone) <= view.today]
    return first, begun


def _is_limited(view: View, run: Supply) -> bool:
    at = view.ledger.complication_at
    return bool(view.holds or view.stops) or (at is not None and at >= run.at)
