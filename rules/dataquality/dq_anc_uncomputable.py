"""A blood count from which no neutrophil count can be had.

Watches for    a WBC with neither an ANC nor the shares of neutrophils to compute it on the same specimen.
Stays silent   once an ANC is reported or computable on this or a newer specimen.
Cannot assess  never: it says itself that the ANC is not there.
Numbers        none
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import doubts_of, effective_at, with_unit
from rules.picture import Result
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-anc-uncomputable"


def assess(view: View) -> Answer:
    """Each blood count that lacks its neutrophils."""
    doubts = doubts_of(view, "anc-uncomputable")
    return Found(tuple(_describe(doubt.result, view) for doubt in doubts)) if doubts else NOTHING


def _describe(wbc: Result, view: View) -> Finding:
    return Finding(
        subject=wbc.id,
        since=wbc.at,
        effective_at=effective_at(wbc, view),
        title="CBC without a neutrophil count",
        message=f"A CBC with WBC {with_unit(wbc)} has no ANC and no differential to compute it from. It does not count as "
        "a CBC for monitoring. Ask the laboratory to add the differential, or repeat the CBC.",
        advice=Advice(action=Action.REPEAT_TEST, agent="CBC with differential"),
        evidence=(Shown("WBC", wbc),),
    )
