"""The unit of a result is missing, unknown or doubtful.

Watches for    a value without a unit we know; a count whose scale does not fit the one before it.
Stays silent   once the unit was corrected, or a newer valid result of the same analyte is there.
Cannot assess  never: it is what the rules that lack the value point to.
Numbers        dq_scale_factor, dq_scale_unit_factor, dq_scale_unit_percent, anc_episode_below, plt_hold_below
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import as_received, doubts_of, effective_at, name_of, with_unit
from rules.ledger import Doubt
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-unit"


def assess(view: View) -> Answer:
    """Each result whose unit a person must look at."""
    doubts = doubts_of(view, "unit")
    return Found(tuple(_describe(doubt, view) for doubt in doubts)) if doubts else NOTHING


def _describe(doubt: Doubt, view: View) -> Finding:
    result, before, terms = doubt.result, doubt.other, view.policy.terms
    name, limit = name_of(result), _hold_limit(result.analyte, view)
    if before is None:
        could_breach = result.could_breach
        title = f"Unit of {name} missing or unknown: {as_received(result)}"
        message = f"{name} came as {as_received(result)}. No rule decides on it. Ask the laboratory for the unit."
    else:
        could_breach = limit is not None and _reads_below(result, before, limit)
        title = f"Unit of {name} in doubt: {with_unit(result)} after {with_unit(before)}"
        message = (
            f"{name} is {with_unit(result)}, the one before was {with_unit(before)}: the scale does not fit. Alerts on "
            "it are provisional and it releases no hold. Ask the laboratory to confirm value and unit."
        )
    scale = (terms.dq_scale_factor, terms.dq_scale_unit_factor) if before is not None else ()
    return Finding(
        subject=result.id,
        since=result.at,
        effective_at=effective_at(result, view),
        reason="could-breach" if could_breach else None,
        title=title,
        message=message + (" Read in some unit it would hold lenalidomide." if could_breach else ""),
        advice=Advice(action=Action.VERIFY_DATA),
        evidence=(Shown(name, result), *((Shown(f"{name} before", before),) if before is not None else ())),
        thresholds=(*scale, *((limit,) if limit is not None else ())),
    )


def _hold_limit(analyte: str, view: View) -> Number | None:
    """Neutrophils cannot outnumber leukocytes: a WBC below the ANC limit would breach it too."""
    terms = view.policy.terms
    return {"anc": terms.anc_episode_below, "wbc": terms.anc_episode_below, "platelets": terms.plt_hold_below}.get(
        analyte
    )


def _reads_below(result: Result, before: Result, limit: Number) -> bool:
    """Whether the count as read, or moved to the scale of the one before, lies below a hold limit."""
    if not result.value or not before.value:
        return True
    shift = int((before.value / result.value).log10().to_integral_value())
    readings = (result.value, result.value.scaleb(shift))
    return any(reading < limit.value for reading in readings)
