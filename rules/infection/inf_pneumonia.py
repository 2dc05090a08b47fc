"""Pneumonia was coded on treatment.

Watches for    a code of pneumonia that began between the first dose and the end of the course; codes that follow each
               other within the stated time are one pneumonia.
Stays silent   once its end is recorded, or the stated time after the last code has passed; about history codes.
Cannot assess  never: the code is the finding. The ANC that is known is named, and that none is known is said.
Numbers        inf_pneumonia_shown_days
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import local_day
from rules.picture import Diagnosis
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "inf-pneumonia"
CONCEPT = "pneumonia"


def assess(view: View) -> Answer:
    """One alert a pneumonia, from its first code."""
    started, ended = view.ledger.started_at, view.ledger.ended_at
    if started is None:
        return NOTHING
    shown_for = view.policy.terms.inf_pneumonia_shown_days.span
    coded = [
        d for d in view.diagnoses(CONCEPT)
        if not d.is_history and d.status is not FactStatus.PLANNED
        and d.at >= started and (ended is None or d.at < ended)
    ]  # fmt: skip
    ends = {run[0].id: _ends_at(run[-1], run[-1].at + shown_for) for run in _runs(coded, shown_for)}
    here = [run for run in _runs(coded, shown_for) if view.at < ends[run[0].id]]
    recheck = earliest(*(ends[run[0].id] for run in here))
    return Found(tuple(_describe(view, run) for run in here), recheck) if here else Nothing()


def _ends_at(newest: Diagnosis, latest: datetime) -> datetime:
    """The recorded end, where there is one; over without a date means over when it was said."""
    if newest.abated is not None:
        return min(newest.abated, latest)
    return latest if newest.is_active else newest.at


def _runs(coded: list[Diagnosis], shown_for: timedelta) -> list[list[Diagnosis]]:
    runs: list[list[Diagnosis]] = []
    for diagnosis in coded:
        if runs and diagnosis.at < _ends_at(runs[-1][-1], runs[-1][-1].at + shown_for):
            runs[-1].append(diagnosis)
        else:
            runs.append([diagnosis])
    return runs


def _describe(view: View, run: list[Diagnosis]) -> Finding:
    first, newest, anc = run[0], run[-1], view.newest("anc")
    grade = max((d.grade for d in run if d.grade is not None), default=None)
    count = (
        f"Newest ANC {anc.shown} cells/uL of {local_day(anc.at, view.zone)}." if anc is not None else "No ANC is known."
    )
    graded = f"Graded {grade}." if grade is not None else "No grade is recorded."
    return Finding(
        subject=first.id,
        since=first.at,
        effective_at=first.at,
        title="Pneumonia on lenalidomide and dexamethasone",
        message="Pneumonia was coded on treatment. Grade it, check the ANC, and look at prophylaxis and at the risk of "
        "thrombosis again.",
        advice=Advice(action=Action.REPEAT_TEST, agent="CBC with differential"),
        evidence=(
            Shown("pneumonia", first),
            *((Shown("pneumonia, newest code", newest),) if newest is not first else ()),
        ),
        thresholds=(view.policy.terms.inf_pneumonia_shown_days,),
        is_provisional=all(d.status is FactStatus.PRELIMINARY for d in run),
        context=(graded, count),
    )
