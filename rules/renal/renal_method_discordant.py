"""Two ways to state kidney function give different doses.

Watches for    Cockcroft-Gault, de-indexed MDRD, and an eGFR that the laboratory printed for the same day (per 1.73 m2,
               which people read as a clearance), where they do not all fall into one dose band.
Stays silent   while every figure there is gives the same band, and on dialysis.
Cannot assess  without creatinine, weight, birth date or sex, or with neither height nor a printed eGFR to compare with.
Numbers        renal_dose_table, renal_border_is_reduced, renal_equation (the one that is used)
"""

from __future__ import annotations

from decimal import Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.calendar import local_day
from rules.lookahead import next_border
from rules.picture import Result
from rules.policy.terms import DoseBand
from rules.renal.course_of_dose import took_effect
from rules.renal_dose import DIALYSIS, MDRD, Figure, band_of, by_cockcroft_gault, by_mdrd, kidney_now, limits, shown
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-method-discordant"
EGFR, PRINTED = "egfr", "eGFR as printed, per 1.73 m2"


def assess(view: View) -> Answer:
    """Both are shown, and the one used is named."""
    now = kidney_now(view)
    recheck = earliest(next_border(view, DIALYSIS), now.until)
    if not view.is_on_treatment:
        return NOTHING
    if now.dialysis is not None:
        return Nothing(recheck)
    creatinine = view.newest("creatinine")
    one, missing = by_cockcroft_gault(view, creatinine)
    if one is None or creatinine is None:
        return CannotAssess(missing, recheck)
    other, printed = by_mdrd(view, creatinine)[0], _printed(view, creatinine)
    figures = [one, *(figure for figure in (other, printed) if figure is not None)]
    if len(figures) == 1:
        return CannotAssess(("height, or an eGFR of the day of the creatinine",), recheck)
    bands = [(figure, _band(view, figure)) for figure in figures]
    apart = [(f, g) for f, band in bands for g, other in bands if band and other and band.name < other.name]
    if not apart:
        return Nothing(recheck)
    said = "; ".join(f"{f.how} {shown(f)} gives {b.shown if b is not None else 'no band'}" for f, b in bands)
    began = {figure.how: _began(view, figure) for figure in figures}
    since = min(max(began[f.how].creatinine.at, began[g.how].creatinine.at) for f, g in apart)
    since = max(since, view.ledger.started_at or since)
    facts = dict.fromkeys(fact for figure in began.values() for fact in figure.facts)
    newest = (fact.at for figure in figures for fact in figure.facts)
    used = now.figure.how if now.figure is not None else "none, an input is missing"
    return found(
        Finding(
            since=since,
            effective_at=took_effect(view, since, *newest),
            title="The ways to estimate creatinine clearance give different doses of lenalidomide",
            message=f"{said}. Used here: {used}. A figure per 1.73 m2 is no clearance.",
            advice=Advice(action=Action.INFORM, agent="lenalidomide"),
            evidence=tuple(Shown(f"{fact.analyte} of an estimate", fact) for fact in facts),
            thresholds=limits(view.policy),
        ),
        recheck,
    )


def _printed(view: View, creatinine: Result) -> Figure | None:
    """The laboratory's own figure of the same day."""
    printed = view.newest(EGFR)
    if printed is None or local_day(printed.at, view.zone) != local_day(creatinine.at, view.zone):
        return None
    return _figure(view, printed, PRINTED)


def _band(view: View, figure: Figure) -> DoseBand | None:
    """The band of a figure; None where the laboratory gave a bound that does not say which."""
    borders = [limit.value for limit in limits(view.policy)]
    bound = figure.creatinine.bound
    if bound in (">", ">=") and figure.ml_per_min < max(borders):
        return None
    if bound in ("<", "<="):
        return band_of(Decimal(0), view.policy) if figure.ml_per_min <= min(borders) else None
    return band_of(figure.ml_per_min, view.policy)


def _began(view: View, figure: Figure) -> Figure:
    """The first of the last figures of one kind in a row that lie in the band of this one."""
    band, first = _band(view, figure), figure
    for value in reversed(view.series(EGFR if figure.how == PRINTED else "creatinine")):
        before = _figure(view, value, figure.how)
        if before is None or _band(view, before) is not band:
            break
        first = before
    return first


def _figure(view: View, value: Result, how: str) -> Figure | None:
    if how == PRINTED:
        return Figure(value.value, PRINTED, (value,)) if value.value is not None else None
    return (by_mdrd if how == MDRD else by_cockcroft_gault)(view, value)[0]
