"""Who is at risk of tumour lysis at the start of lenalidomide, and for how long that is said."""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after
from rules.picture import Result
from rules.view import View
from schemas.alerts import Action, Advice

BURDEN, MARKERS = "high-tumour-burden", ("ldh", "urate")
_NAMES = {"ldh": "LDH"}


def assess_risk(view: View) -> Answer:
    """A high burden, or a raised LDH or urate at the start, until the window of the laboratory set ends."""
    terms, started, day_1 = view.policy.terms, view.ledger.started_at, view.first_cycle_day_1
    assert started is not None
    assert day_1 is not None
    ends = days_after(day_1, terms.tls_days_after.whole + 1, view.zone)
    if view.at >= ends:
        return NOTHING
    burden, markers = view.statement(BURDEN), [_at_start(view, name) for name in MARKERS]
    recheck = earliest(ends, burden.until if burden is not None else None)
    high = [r for r in markers if r is not None and r.high is not None and r.is_at_most(r.high) is False]
    if not high and not view.says_yes(BURDEN):
        is_known = burden is not None or any(r is not None and r.high is not None for r in markers)
        return Nothing(recheck) if is_known else CannotAssess(("LDH or urate at the start",), recheck)
    shown = [Shown(f"{_NAMES.get(r.analyte, r.analyte)} at the start", r) for r in high]
    if burden is not None and view.says_yes(BURDEN):
        shown.append(Shown("tumour burden", burden))
    return found(
        Finding(
            since=started,
            effective_at=latest(started, view.answer_since(BURDEN), *(item.fact.at for item in shown)),
            reason="risk",
            title="Risk of tumour lysis at the start of lenalidomide",
            message="High tumour burden, or LDH or urate above normal, at the start of lenalidomide. Watch urate, potassium, "
            "phosphate and calcium in the first days, and see to fluids and allopurinol.",
            advice=Advice(action=Action.REPEAT_TEST, agent="urate, potassium, phosphate, calcium"),
            evidence=tuple(shown),
            thresholds=(terms.tls_days_after,),
        ),
        recheck,
    )


def _at_start(view: View, analyte: str) -> Result | None:
    """The newest value since the first dose, else that of the baseline."""
    newest, started = view.newest(analyte), view.ledger.started_at
    is_since = newest is not None and started is not None and newest.at >= started
    return newest if is_since else view.baseline(analyte)
