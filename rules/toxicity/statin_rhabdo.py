"""Muscle complaints or a high CK on a statin with lenalidomide: think of rhabdomyolysis.

Watches for    a statin taken or ordered on lenalidomide, with a muscle complaint that began meanwhile or a newest CK
               above its multiple of the normal limit.
Stays silent   without a statin, and once CK is at or below it and the complaint is over.
Cannot assess  where a CK was measured and the laboratory gave no normal limit.
Numbers        statin_ck_times_uln
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "statin-rhabdo"
STATIN, COMPLAINT, CK = "statin", "muscle-symptom", "ck"


def assess(view: View) -> Answer:
    """What the muscles say while both are taken."""
    started, span = view.ledger.started_at, view.span_now(STATIN, with_orders=True)
    if started is None or span is None or not view.is_on_treatment:
        return NOTHING
    limit, ck = view.policy.terms.statin_ck_times_uln, view.newest(CK)
    together = max(started, span.begins)
    complaints = [
        event
        for event in view.diagnoses(COMPLAINT)
        if not event.is_history and not event.is_over(view.at) and event.last >= together
    ]
    recheck = earliest(span.ends, *(event.abated for event in complaints))
    is_high = ck is not None and ck.high is not None and ck.is_at_most(limit.value * ck.high) is False
    shown = [Shown("statin", span.newest)]
    if is_high and ck is not None:
        shown.append(Shown("newest CK", ck))
    if complaints:
        shown.append(Shown("muscle complaint", complaints[0]))
    if len(shown) == 1:
        is_blind = ck is not None and ck.high is None
        return CannotAssess(("the normal limit of CK",), recheck) if is_blind else Nothing(recheck)
    reasons = [f"CK {ck.shown} U/L"] if is_high and ck is not None else []
    reasons += ["a muscle complaint"] if complaints else []
    deciding = latest(together, *(item.fact.at for item in shown[1:]))
    return found(
        Finding(
            since=together,
            effective_at=deciding,
            title=f"Statin with lenalidomide: {' and '.join(reasons)}",
            message=f"{' and '.join(reasons).capitalize()} on a statin with lenalidomide, which raises the risk of "
            "rhabdomyolysis. Measure CK and creatinine; review the statin.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="statin"),
            evidence=tuple(shown),
            thresholds=(limit,),
        ),
        recheck,
    )
