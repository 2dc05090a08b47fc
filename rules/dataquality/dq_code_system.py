"""Results of an analyte come under a code system we do not accept.

Watches for    a known code under another system than its own: the same code can mean two things.
Stays silent   once the same analyte comes under an accepted system.
Cannot assess  never: it is what the rules that lack the value point to.
Numbers        none
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import doubts_of, effective_at, name_of
from rules.ledger import Doubt
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-code-system"


def assess(view: View) -> Answer:
    """Each analyte, from the first such result on."""
    doubts = doubts_of(view, "code-system")
    return Found(tuple(_describe(doubt, view) for doubt in doubts)) if doubts else NOTHING


def _describe(doubt: Doubt, view: View) -> Finding:
    first, newest = doubt.result, doubt.other or doubt.result
    evidence = [Shown("first such result", first)]
    if newest.id != first.id:
        evidence.append(Shown("newest such result", newest))
    return Finding(
        subject=first.analyte,
        since=first.at,
        effective_at=effective_at(first, view),
        title=f"Code system not accepted: {name_of(first)}",
        message=f"Code {newest.code} came under the system {newest.system or 'none'}, which is not its own: such results "
        "decide no rule. Correct the feed's map of codes.",
        advice=Advice(action=Action.VERIFY_DATA),
        evidence=tuple(evidence),
    )
