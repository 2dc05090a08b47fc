"""A contraceptive with an oestrogen on lenalidomide and dexamethasone.

Watches for    a combined hormonal contraceptive taken on treatment; one whose kind is not said is shown as provisional.
Stays silent   about contraceptives without an oestrogen, and once the supply (with its grace) is over.
Cannot assess  never: no record of one means none is taken.
Numbers        coverage_grace_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-coc"
COMBINED, KIND_UNKNOWN = "combined-contraceptive", "hormonal-contraceptive"


def assess(view: View) -> Answer:
    """The contraceptive that is taken now."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    combined, other = view.span_now(COMBINED), view.span_now(KIND_UNKNOWN)
    span = combined or other
    ends = earliest(*(s.ends for s in (combined, other) if s is not None))
    later = view.ledger.ended_at
    recheck = earliest(ends, later if later is not None and later > view.at else None)
    if span is None or started > view.at:
        return Nothing(earliest(recheck, started if started > view.at else None))
    since = latest(span.begins, started)
    kind = () if combined is not None else ("Whether it contains an oestrogen is not said: verify.",)
    return found(
        Finding(
            since=since,
            effective_at=since,
            title="Contraceptive with an oestrogen on lenalidomide",
            message="A combined hormonal contraceptive adds to the risk of thrombosis on lenalidomide and dexamethasone and "
            "is not recommended: change to another effective method without a gap.",
            advice=Advice(action=Action.SWITCH, agent=span.newest.medicine),
            evidence=(Shown("contraceptive", span.newest),),
            thresholds=(view.policy.terms.coverage_grace_days,),
            is_provisional=combined is None,
            context=kind,
        ),
        recheck,
    )
