"""Aspirin and an anticoagulant together, without a reason.

Watches for    aspirin supplied together with an anticoagulant for longer than the leftovers of a switch last.
Stays silent   with a coded reason, once one of them ended, and with aspirin known to be for pain.
Cannot assess  never by itself: aspirin of unknown use counts as prophylaxis.
Numbers        dup_leftover_days, aspirin_prophylaxis_max_mg
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.picture import Statement, Supply
from rules.thrombosis.agents import ANTICOAGULANT, THERAPEUTIC, aspirin_spans, on_treatment_since, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dup-antithrombotic"
REASON = "dual-antithrombotic-reason"


def assess(view: View) -> Answer:
    """Both are in the patient's hands at once; grace days do not count."""
    pills = next((run for run in reversed(aspirin_spans(view)) if run.begins <= view.at < run.until), None)
    if not view.is_on_treatment or pills is None:
        return NOTHING
    recheck, leftover = earliest(next_recorded_end(view), pills.until), view.policy.terms.dup_leftover_days
    run = next((r for r in reversed(taken(view, ANTICOAGULANT)) if r.begins <= view.at < r.until), None)
    stated, first = view.statement(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    other: Supply | Statement | None = None
    begins = pills.begins
    if view.says_yes(THERAPEUTIC) and first is not None:
        other, begins = stated, max(pills.begins, first.at)
    if run is not None:
        recheck = earliest(recheck, run.until)
        both = max(pills.begins, run.begins)
        if other is None and min(pills.until, run.until) - both > leftover.span:
            other, begins = run.newest, both
    if other is None or view.statement(REASON) is not None:
        return Nothing(recheck)
    since = on_treatment_since(view, begins)
    name = other.medicine if isinstance(other, Supply) else "an anticoagulant"
    return found(
        Finding(
            since=since,
            effective_at=max(since, view.answer_since(REASON) or since, pills.newest.at, other.at),
            title=f"Aspirin together with {name}, no reason recorded",
            message=f"Aspirin and {name} are taken together, which raises the risk of bleeding. Stop one of them, or "
            "record why both are needed.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="aspirin"),
            evidence=(Shown("aspirin", pills.newest), Shown("anticoagulant", other)),
            thresholds=(leftover,),
        ),
        recheck,
    )
