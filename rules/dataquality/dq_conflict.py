"""Two valid results of one specimen and analyte disagree.

Watches for    values that differ by more than the stated share; meanwhile the safer one is used.
Stays silent   once a correction brings them together, or a newer specimen is there.
Cannot assess  never: it is about results that are known.
Numbers        dq_conflict_percent
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import doubts_of, effective_at, name_of, with_unit
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-conflict"


def assess(view: View) -> Answer:
    """Each pair that disagrees."""
    doubts = doubts_of(view, "conflict")
    if not doubts:
        return NOTHING
    share = view.policy.terms.dq_conflict_percent
    return Found(
        tuple(_describe(doubt.result, doubt.other, share, view) for doubt in doubts if doubt.other is not None)
    )


def _describe(used: Result, other: Result, share: Number, view: View) -> Finding:
    name = name_of(used)
    return Finding(
        subject=used.id,
        since=used.at,
        effective_at=effective_at(used, view),
        title=f"Two {name} values of one specimen: {with_unit(used)} and {with_unit(other)}",
        message=f"{name} of one specimen is {with_unit(used)} and {with_unit(other)}, more than {share} % apart. "
        f"The safer value, {with_unit(used)}, is used. Ask the laboratory which one stands.",
        advice=Advice(action=Action.VERIFY_DATA),
        evidence=(Shown(f"{name} in use", used), Shown(f"other {name}", other)),
        thresholds=(share,),
    )
