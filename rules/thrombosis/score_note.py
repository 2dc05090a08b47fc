"""How a score is told: the interval, its band, its items, what is missing, and its value without the term for race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Shown, earliest, found
from rules.ledger import LENALIDOMIDE
from rules.policy.terms import Number
from rules.thrombosis.esa import esa_run
from rules.thrombosis.risk import next_recorded_end
from rules.thrombosis.scores import Score, chemotherapy, next_end, surgery_within
from rules.view import View
from schemas.alerts import Action, Advice

_BANDS = {1: ("low", "high"), 2: ("low", "intermediate", "high")}


def score_changes_at(view: View) -> datetime | None:
    """The next instant at which an item may change by time alone."""
    run, (_, chemo_over) = esa_run(view), chemotherapy(view)
    _, surgery_over = surgery_within(view, view.policy.terms.saved_surgery_days)
    ends = run.ends if run is not None else None
    return earliest(ends, chemo_over, surgery_over, next_end(view), view.next_cycle_at, next_recorded_end(view))


def note(view: View, name: str, how: Callable[[View], Score], limits: tuple[Number, ...]) -> Answer:
    """The score of the course as a note."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    score = view.derive(how)
    bands = _BANDS[len(limits)]
    low, high = (bands[sum(points >= limit.whole for limit in limits)] for points in (score.low, score.high))
    band = low if low == high else f"{low} to {high}"
    missing = (f"Not known: {', '.join(score.missing)}.",) if score.missing else ()
    first = next((s for s in view.supplies(LENALIDOMIDE) if s.at >= started), None)
    return found(
        Finding(
            since=started,
            effective_at=score.decided_at(started),
            title=f"{name} {score.shown}{score.without_race}: {band} risk",
            message=f"{name}: {'; '.join(item.shown for item in score.items) or 'no item'}. Built mainly in newly "
            "diagnosed myeloma: extrapolated here.",
            advice=Advice(action=Action.INFORM),
            evidence=(
                *((Shown("treatment", first),) if first is not None else ()),
                *(Shown(item.what, fact) for item in score.items for fact in item.facts),
            ),
            thresholds=(*score.numbers, *limits),
            context=missing,
        ),
        score_changes_at(view),
    )
