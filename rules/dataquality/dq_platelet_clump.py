"""A platelet count from a clumped specimen may be falsely low.

Watches for    a platelet count that the laboratory marks as clumped.
Stays silent   once a count without clumps is there, from the same draw (citrate) or a newer one.
Cannot assess  never: `plt-hold` stays provisional meanwhile.
Numbers        none
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import doubts_of, effective_at, with_unit
from rules.picture import Result
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-platelet-clump"


def assess(view: View) -> Answer:
    """Each clumped count that nothing replaced."""
    doubts = doubts_of(view, "clumped")
    return Found(tuple(_describe(doubt.result, view) for doubt in doubts)) if doubts else NOTHING


def _describe(count: Result, view: View) -> Finding:
    return Finding(
        subject=count.id,
        since=count.at,
        effective_at=effective_at(count, view),
        title=f"Clumped platelets: {with_unit(count)}",
        message=f"The platelet count of {with_unit(count)} is from a clumped specimen and may be falsely low. It can open "
        "a provisional hold and releases none. Repeat the count in a citrate tube.",
        advice=Advice(action=Action.REPEAT_TEST, agent="platelet count in citrate"),
        evidence=(Shown("clumped platelets", count),),
    )
