"""What forbids lysis (Table 4, note a): strokes, tumours inside the skull, trauma, bleeding, a tendency to bleed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rules.answers import earliest
from rules.calendar import days_after
from rules.picture import Diagnosis, Procedure
from rules.thrombosis.factors import months_later
from rules.view import View
from schemas.events import FactStatus

EVER = (
    "intracranial-bleeding",
    "stroke-unexplained",
    "intracranial-tumour",
    "bleeding-diathesis",
    "intraspinal-lesion",
)
STROKE, TRAUMA, BLEEDING, SURGERY = "stroke", "major-trauma", "bleeding", "surgery"
READS = (*EVER, STROKE, TRAUMA, BLEEDING, SURGERY)


def find_risk(view: View) -> Diagnosis | Procedure | None:
    """One fact that forbids lysis now, if there is any."""
    return next((fact for fact, ends in _risks(view) if ends is None or view.at < ends), None)


def next_risk_change(view: View) -> datetime | None:
    """The next instant at which one of them is over by time alone."""
    return earliest(*(ends for _, ends in _risks(view) if ends is not None and view.at < ends))


def risks_over(view: View) -> datetime | None:
    """When the last of those that are over ended."""
    return max((ends for _, ends in _risks(view) if ends is not None and ends <= view.at), default=None)


def _risks(view: View) -> Iterator[tuple[Diagnosis | Procedure, datetime | None]]:
    """Each fact with its end; a code of history counts for what forbids lysis for ever."""
    terms, zone = view.policy.terms, view.zone
    for diagnosis in view.diagnoses(*READS):
        concepts = set(diagnosis.concepts)
        if not concepts.isdisjoint(EVER):
            yield diagnosis, None
        if diagnosis.is_history:
            continue
        if STROKE in concepts:
            yield diagnosis, months_later(diagnosis.last, terms.lysis_stroke_months.whole, zone)
        if TRAUMA in concepts:
            yield diagnosis, days_after(diagnosis.last, terms.lysis_trauma_days.whole + 1, zone)
        if BLEEDING in concepts and (diagnosis.is_active or diagnosis.abated is not None):
            # A bleeding whose end nobody records does not go on for ever.
            yield diagnosis, diagnosis.abated or days_after(diagnosis.last, terms.bleed_recent_days.whole + 1, zone)
    for procedure in view.ledger.procedures:
        if SURGERY in procedure.concepts and procedure.status is not FactStatus.PLANNED:
            yield procedure, days_after(procedure.last, terms.lysis_trauma_days.whole + 1, zone)
