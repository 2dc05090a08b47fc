"""A result that cannot be true.

Watches for    a value outside the plausible range of its analyte; an ANC above the WBC of its specimen.
Stays silent   once it was corrected, or a newer valid result of the same analyte is there.
Cannot assess  never: it is what the rules that lack the value point to.
Numbers        dq_anc_over_wbc (the plausible ranges stand in schemas/codes/analytes.yaml)
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown
from rules.dataquality.doubted import as_received, doubts_of, effective_at, name_of, with_unit
from rules.ledger import Doubt
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dq-implausible"


def assess(view: View) -> Answer:
    """Each result that decides no clinical rule because it cannot be true."""
    doubts = doubts_of(view, "implausible")
    return Found(tuple(_describe(doubt, view) for doubt in doubts)) if doubts else NOTHING


def _describe(doubt: Doubt, view: View) -> Finding:
    result, wbc = doubt.result, doubt.other
    name = name_of(result)
    if wbc is None:
        why, value = "outside any plausible range", as_received(result)
    else:
        why, value = f"above the WBC of the same specimen ({with_unit(wbc)})", with_unit(result)
    return Finding(
        subject=result.id,
        since=result.at,
        effective_at=effective_at(result, view),
        title=f"Implausible {name}: {value}",
        message=f"{name} {value} is {why}. It decides no rule. Ask the laboratory to check it, or repeat the test.",
        advice=Advice(action=Action.VERIFY_DATA),
        evidence=(Shown(name, result), *((Shown("WBC", wbc),) if wbc is not None else ())),
        thresholds=(view.policy.terms.dq_anc_over_wbc,) if wbc is not None else (),
    )
