"""The instants at which anything that tier or scores stand on begins, comes, ends or is no longer recent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rules.calendar import days_after
from rules.course import DEXAMETHASONE
from rules.course_moment import begin_of
from rules.thrombosis.agents import CONTRAINDICATED, STOPPED, THERAPEUTIC
from rules.thrombosis.events import CATHETER_RELATED, SYMPTOMS
from rules.thrombosis.factors import CONCEPTS, RESULTS, STATEMENTS, esa_stretches
from rules.thrombosis.impede import FRACTURE
from rules.thrombosis.imwg import DIABETES
from rules.thrombosis.restarting import RESTART
from rules.thrombosis.risk import decide_tier
from rules.thrombosis.scores import CATHETER, CATHETER_STATE, CYTOTOXIC, MYELOMA, SURGERY, counted_runs
from rules.view import View

_PROCEDURES = frozenset((SURGERY, CATHETER))
_CONDITIONS = (*CONCEPTS, FRACTURE, MYELOMA, DIABETES)
_CODES = (*STATEMENTS, THERAPEUTIC, STOPPED, CATHETER_STATE, CONTRAINDICATED, RESTART, CATHETER_RELATED, SYMPTOMS)


def newest_border(view: View, first: datetime) -> datetime:
    """The last of them behind the instant, and not before `first`."""
    return max((at for at in _borders(view) if at is not None and first <= at <= view.at), default=first)


def next_border(view: View) -> datetime | None:
    """The first of them ahead."""
    return min((at for at in _borders(view) if at is not None and at > view.at), default=None)


def _borders(view: View) -> Iterator[datetime | None]:
    terms, ledger = view.policy.terms, view.ledger
    for factor in decide_tier(view).known_factors:
        yield from (factor.begins, factor.ends)
    for begins, ends, _, _ in esa_stretches(view):
        yield from (begins, ends)
    for run in counted_runs(view):
        yield from (run.begins, run.ends)
    for procedure in (done for done in ledger.procedures if not _PROCEDURES.isdisjoint(done.concepts)):
        yield from (procedure.at, days_after(procedure.last, terms.saved_surgery_days.whole + 1, view.zone))
    for supply in view.supplies(CYTOTOXIC):
        yield from (supply.at, supply.at + terms.vte_score_chemo_days.span)
    yield from (supply.at for supply in view.supplies(DEXAMETHASONE))
    for diagnosis in view.diagnoses(*_CONDITIONS):
        yield from (diagnosis.at, diagnosis.abated)
    for held in (ledger.statements, ledger.first_stated):
        for code in _CODES:
            if code in held:
                yield from (held[code].at, held[code].until)
    yield from (result.at for result in (view.newest(analyte) for analyte in RESULTS) if result is not None)
    yield from (begin_of(cycle, view.zone) for cycle in ledger.cycles)
    yield ledger.person.at if ledger.person is not None else None
