"""TSH outside the laboratory's normal range on lenalidomide.

Watches for    a newest TSH outside its own normal range, or above the high limit whatever the range.
Stays silent   in the range, while a thyroid medicine is taken or ordered, and with no TSH (see `tsh-overdue`).
Cannot assess  where the laboratory gave no range and the value is not above the high limit, or it cannot be used.
Numbers        tsh_high_above
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found, latest
from rules.picture import Result
from rules.policy.terms import Number
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "thy-abnormal"
TSH, TREATMENT = "tsh", "thyroid-treatment"


def assess(view: View) -> Answer:
    """The newest TSH, while nothing is taken for the thyroid."""
    started, newest = view.ledger.started_at, view.newest(TSH)
    if started is None or newest is None or not view.is_on_treatment:
        return NOTHING
    span = view.span_now(TREATMENT, with_orders=True)
    if span is not None:
        return Nothing(span.ends)
    limit = view.policy.terms.tsh_high_above
    verdict = _judge(newest, limit)
    if verdict is None:
        what = "a usable value of the newest TSH" if view.unusable(TSH) is not None else "the normal range of TSH"
        return CannotAssess((what,))
    if not verdict:
        return CannotAssess(("a usable value of the newest TSH",)) if view.unusable(TSH) is not None else NOTHING
    before, runs = view.previous(TSH), view.spans(TREATMENT, with_orders=True)
    first = before if before is not None and _judge(before, limit) else newest
    untreated = runs[-1].ends if runs else None
    return found(
        Finding(
            since=latest(first.at, started, untreated),
            effective_at=latest(newest.at, started, untreated),
            reason=verdict,
            title=f"TSH {newest.shown} mIU/L on lenalidomide",
            message=f"TSH {newest.shown} mIU/L, {'above' if verdict == 'high' else 'outside'} "
            f"{limit if verdict == 'high' else 'the normal range of the laboratory'}. Measure free T4 and consider "
            "treatment or endocrine advice.",
            advice=Advice(action=Action.REFER),
            evidence=(Shown("newest TSH", newest),),
            thresholds=(limit,),
        )
    )


def _judge(result: Result, limit: Number) -> str | None:
    """`high`, `out-of-range`, empty for in range; None where it cannot be told."""
    if result.is_at_most(limit.value) is False:
        return "high"
    above = result.is_at_most(result.high) if result.high is not None else None
    below = result.is_below(result.low) if result.low is not None else None
    if above is False or below is True:
        return "out-of-range"
    return "" if above is True and below is False else None
