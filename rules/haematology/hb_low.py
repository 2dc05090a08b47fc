"""Low haemoglobin on treatment.

Watches for    a newest valid haemoglobin below the limit.
Stays silent   at or above it; a transfusion alone changes nothing.
Cannot assess  on treatment without a valid haemoglobin, or when a newer one is unusable.
Numbers        hb_low_below
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found, latest
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "hb-low"


def assess(view: View) -> Answer:
    """The present run of low values."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    spell = view.ledger.anaemia
    if spell is None:
        return _blind(view)
    terms, count = view.policy.terms, spell.newest
    return found(
        Finding(
            since=spell.opened.at,
            effective_at=latest(count.at, started),
            title=f"Low haemoglobin: {count.shown} g/dL",
            message=f"Haemoglobin {count.shown} g/dL on lenalidomide, below {terms.hb_low_below}. "
            "Look for a cause and consider transfusion.",
            advice=Advice(action=Action.REFER),
            evidence=(Shown("newest haemoglobin", count),),
            thresholds=(terms.hb_low_below,),
        )
    )


def _blind(view: View) -> Answer:
    if view.unusable("haemoglobin") is not None:
        return CannotAssess(("a usable value of the newest haemoglobin",))
    newest = view.newest("haemoglobin")
    if newest is None:
        return CannotAssess(("haemoglobin",))
    if newest.is_below(view.policy.terms.hb_low_below.value) is None:
        return CannotAssess(("a haemoglobin that is no bound",))
    return NOTHING
