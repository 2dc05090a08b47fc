"""Kidney function was impaired at the start: more dose cuts and interruptions are to be expected.

Watches for    a clearance before cycle 1 below the limit, or dialysis since before the start.
Stays silent   at or above it, and after the course.
Cannot assess  where the clearance before cycle 1 is not known.
Numbers        renal_impaired_below, renal_severe_below, renal_cuts_normal_percent, renal_cuts_moderate_percent,
               renal_cuts_severe_percent
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, earliest, found
from rules.lookahead import next_border
from rules.renal.course_of_dose import took_effect
from rules.renal_dose import DIALYSIS, kidney_by, kidney_now
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "renal-ae-watch"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert."""
    started, terms = view.ledger.started_at, view.policy.terms
    if not view.is_on_treatment or started is None:
        return NOTHING
    baseline, now = view.baseline("creatinine"), kidney_now(view)
    kidney, recheck = kidney_by(view, baseline), earliest(next_border(view, DIALYSIS), now.until)
    if now.dialysis is not None and now.dialysis.at <= started:
        kidney = now
    elif kidney.figure is None:
        return CannotAssess(("creatinine at the start",) if baseline is None else kidney.missing, recheck)
    elif kidney.figure.ml_per_min >= terms.renal_impaired_below.value:
        return Nothing(recheck)
    is_severe = kidney.figure is None or kidney.figure.ml_per_min < terms.renal_severe_below.value
    share = terms.renal_cuts_severe_percent if is_severe else terms.renal_cuts_moderate_percent
    word = "severe" if is_severe else "moderate"
    return found(
        Finding(
            since=started,
            effective_at=took_effect(view, started, *(item.fact.at for item in kidney.evidence)),
            title=f"Renal impairment at the start ({word}): dose cuts or interruptions in about {share} %",
            message=f"Treatment began with {kidney.named}. In {word} impairment {share} % had a dose cut or "
            f"interruption for an adverse event, against {terms.renal_cuts_normal_percent} % without.",
            advice=Advice(action=Action.INFORM),
            evidence=kidney.evidence,
            thresholds=(terms.renal_impaired_below, terms.renal_severe_below, share),
        ),
        recheck,
    )
