"""Co-trimoxazole: potassium, and a creatinine that may only look like a failing kidney.

Watches for    co-trimoxazole taken or ordered on lenalidomide, with a newest potassium above its limit, or a
               creatinine that rose since before it while cystatin C or urea stayed as they were.
Stays silent   at or below them, and once co-trimoxazole ended.
Cannot assess  without any potassium; where creatinine rose and neither cystatin C nor urea is known.
Numbers        tmpsmx_potassium_above, tmpsmx_creatinine_rise_percent, tmpsmx_stable_percent
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found, latest
from rules.toxicity.meanwhile import newest_since, rise_since
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "tmpsmx-safety"
MEDICINE, POTASSIUM, CREATININE = "co-trimoxazole", "potassium", "creatinine"
STEADY = ("cystatin-c", "urea-nitrogen")


def assess(view: View) -> Answer:
    """Potassium and creatinine while it is active."""
    started, span = view.ledger.started_at, view.span_now(MEDICINE, with_orders=True)
    if started is None or span is None or not view.is_on_treatment:
        return NOTHING
    terms, potassium = view.policy.terms, view.newest(POTASSIUM)
    shown, reasons, missing = [Shown("co-trimoxazole", span.newest)], [], []
    if potassium is None:
        missing.append("potassium")
    elif potassium.is_at_most(terms.tmpsmx_potassium_above.value) is False:
        shown.append(Shown("newest potassium", potassium))
        reasons.append(f"potassium {potassium.shown} mmol/L")
    creatinine, rise = newest_since(view, CREATININE, span.begins), rise_since(view, CREATININE, span.begins)
    if creatinine is not None and rise is not None and rise > terms.tmpsmx_creatinine_rise_percent.value:
        others = [(name, rise_since(view, name, span.begins)) for name in STEADY]
        steady = [name for name, change in others if change is not None and change <= terms.tmpsmx_stable_percent.value]
        if steady:
            witness = newest_since(view, steady[0], span.begins)
            shown += [
                Shown("newest creatinine", creatinine),
                *([Shown("stayed as it was", witness)] if witness else []),
            ]
            reasons.append(f"creatinine {creatinine.shown} mg/dL with a stable {steady[0].replace('-', ' ')}")
        elif all(change is None for _, change in others):
            missing.append("cystatin C or urea before and on co-trimoxazole")
    if not reasons:
        return CannotAssess(tuple(missing), span.ends) if missing else Nothing(span.ends)
    since = latest(started, span.begins)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, *(item.fact.at for item in shown[1:])),
            title=f"Co-trimoxazole: {' and '.join(reasons)}",
            message=f"On co-trimoxazole: {' and '.join(reasons)}. Trimethoprim raises potassium, and raises creatinine by "
            "blocking its secretion: the fall of the clearance may be apparent only. Review it, and look at the CBC.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="co-trimoxazole"),
            evidence=tuple(shown),
            thresholds=(
                terms.tmpsmx_potassium_above,
                terms.tmpsmx_creatinine_rise_percent,
                terms.tmpsmx_stable_percent,
            ),
        ),
        span.ends,
    )
