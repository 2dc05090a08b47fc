"""A result that would have opened a hold arrived only after a newer one had shown recovery.

Watches for    a hold that became known only after the result that releases it.
Stays silent   once the stated time since it became known has passed.
Cannot assess  never: it is about results that are known.
Numbers        late_result_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Shown, earliest
from rules.holds import Hold
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "late-result-historical"
_NAMES = {"anc": "ANC", "platelets": "platelets", "fever": "temperature"}


def assess(view: View) -> Answer:
    """Each such hold of the course, for a while."""
    if not view.ledger.late or not view.is_on_treatment:
        return NOTHING
    shown_for = view.policy.terms.late_result_shown_days.span
    recent = [hold for hold in view.ledger.late if view.at < hold.known + shown_for]
    if not recent:
        return NOTHING
    findings = tuple(_describe(hold, view) for hold in recent)
    return Found(findings, earliest(*(hold.known + shown_for for hold in recent)))


def _describe(hold: Hold, view: View) -> Finding:
    name = _NAMES[hold.cause]
    assert hold.released is not None  # what is late was released by a newer result
    evidence = (Shown(f"late {name}", hold.opened), Shown("newer result", hold.released))
    return Finding(
        subject=hold.opened.id,
        since=hold.opened.at,
        effective_at=hold.opened.at,
        title=f"Late result: {name} {hold.opened.shown} {hold.opened.canonical or ''}".rstrip(),
        message=f"A {name} of {hold.opened.shown} {hold.opened.canonical or ''} would have held lenalidomide, but it "
        "arrived after a newer result that shows recovery. Nothing is held; the episode counts from now on.",
        advice=Advice(action=Action.INFORM),
        evidence=evidence,
        thresholds=(view.policy.terms.late_result_shown_days,),
        episode=hold.episode,
    )
