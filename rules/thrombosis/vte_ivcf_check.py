"""A vena cava filter without an absolute contraindication to anticoagulation.

Watches for    a filter placed or planned in this course, and nothing on record that justifies it.
Stays silent   once anticoagulation is stated to be contraindicated, with a recent bleed inside the skull, a lesion
               there that is likely to bleed, a bleeding that takes many units of blood; and once the filter is out.
Cannot assess  never: no reason on record is what it speaks of.
Numbers        ivcf_recent_days, ivcf_red_cell_units, ivcf_bleed_hours
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_after
from rules.picture import Procedure
from rules.thrombosis.agents import CONTRAINDICATED
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "vte-ivcf-check"
FILTER, REMOVED, RED_CELLS = "vena-cava-filter", "vena-cava-filter-removed", "red-cell-transfusion"
RECENT = "intracranial-bleeding"
LESIONS = ("intracranial-tumour", "intraspinal-lesion")
BLEEDING = "bleeding"


def assess(view: View) -> Answer:
    """The source leaves one window for a filter."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    placed = [p for p in view.ledger.procedures if FILTER in p.concepts and p.at > started]
    placed = [p for p in placed if view.procedure_since(p.at, REMOVED) is None]
    recheck = next_recorded_end(view)
    if not placed or view.says_yes(CONTRAINDICATED) or view.active(*LESIONS) is not None or _is_great_bleeding(view):
        return Nothing(recheck)
    recent = view.policy.terms.ivcf_recent_days.whole
    over = [days_after(d.last, recent + 1, view.zone) for d in view.diagnoses(RECENT) if not d.is_history]
    ahead = earliest(*(end for end in over if view.at < end))
    if ahead is not None:
        return Nothing(earliest(recheck, ahead))
    ended = [d.abated for d in view.diagnoses(BLEEDING, *LESIONS) if d.is_over(view.at)]
    since = latest(started, view.answer_since(CONTRAINDICATED), *over, *ended)
    return Found(tuple(_describe(view, procedure, since) for procedure in placed), recheck)


def _is_great_bleeding(view: View) -> bool:
    """Active bleeding, and more units of red cells within the time than the limit."""
    terms, bleeding = view.policy.terms, view.active(BLEEDING)
    if bleeding is None:
        return False
    given = (p for p in view.ledger.procedures if RED_CELLS in p.concepts and p.status is not FactStatus.PLANNED)
    times = [p.at for p in given if p.at >= bleeding.at]
    most = terms.ivcf_red_cell_units.whole
    return any(last - first <= terms.ivcf_bleed_hours.span for first, last in zip(times, times[most:], strict=False))


def _describe(view: View, procedure: Procedure, since: datetime) -> Finding:
    terms = view.policy.terms
    how = "is planned" if procedure.status is FactStatus.PLANNED else "was placed"
    return Finding(
        subject=procedure.id,
        since=procedure.at,
        effective_at=max(procedure.at, since),
        title="Vena cava filter without a contraindication to anticoagulation",
        message=f"A vena cava filter {how}, and nothing on record forbids anticoagulation. A filter is for an absolute "
        "contraindication alone: a recent bleed into the nervous system, a lesion of skull or spine that is likely to "
        f"bleed, or bleeding that takes more than {terms.ivcf_red_cell_units} units of red cells in "
        f"{terms.ivcf_bleed_hours} hours. Record the reason, or plan to take it out and anticoagulate.",
        advice=Advice(action=Action.VERIFY_DATA),
        evidence=(Shown("filter", procedure),),
        thresholds=(terms.ivcf_recent_days, terms.ivcf_red_cell_units, terms.ivcf_bleed_hours),
    )
