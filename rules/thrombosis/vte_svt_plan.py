"""A superficial vein thrombosis that asks for something: the catheter out, or an anticoagulant.

Watches for    a superficial vein thrombosis of this course at a catheter that is still in, or near the deep veins.
Stays silent   with an anticoagulant taken or stated, with the catheter removed, where it is neither at a catheter nor
               near the deep veins, when its time has passed, and when it is over.
Cannot assess  where nobody said whether it lies at a catheter or near the deep veins.
Numbers        vte_svt_days, vte_same_event_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_after
from rules.thrombosis.agents import ANTICOAGULANT, THERAPEUTIC, anticoagulated_until, taken, unprotected_since
from rules.thrombosis.events import CATHETER_RELATED, SUPERFICIAL, Event, find_events, said_of
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-svt-plan"
NEAR, STATE = "thrombosis-near-deep-veins", "catheter-state"
_ANSWERS = (CATHETER_RELATED, NEAR, STATE, THERAPEUTIC)


def assess(view: View) -> Answer:
    """Catheter first: taking it out is the treatment."""
    if not view.is_on_treatment:
        return NOTHING
    is_anticoagulated, recheck = anticoagulated_until(view)
    recheck, findings, missing = earliest(recheck, next_recorded_end(view)), [], False
    for event in find_events(view.ledger, view.policy, SUPERFICIAL):
        until = days_after(event.at, view.policy.terms.vte_svt_days.whole, view.zone)
        if view.at >= until or event.is_over(view.at):
            continue
        recheck = earliest(recheck, until)
        at_catheter, near = (said_of(view, event, code) for code in (CATHETER_RELATED, NEAR))
        is_at_catheter = at_catheter is not None and at_catheter.value_code == "yes"
        if is_anticoagulated or (is_at_catheter and _is_removed(view, event)):
            continue
        if is_at_catheter or (near is not None and near.value_code == "yes"):
            said = at_catheter if is_at_catheter else near
            shown = (Shown("what was said of it", said),) if said is not None else ()
            findings.append(_describe(view, event, shown, is_at_catheter=is_at_catheter))
        elif near is None:
            missing = True
    if findings:
        return Found(tuple(findings), recheck)
    what = "whether the superficial thrombosis lies at a catheter or near the deep veins"
    return CannotAssess((what,), recheck) if missing else Nothing(recheck)


def _is_removed(view: View, event: Event) -> bool:
    state = said_of(view, event, STATE)
    return state is not None and state.value_code == "removed"


def _describe(view: View, event: Event, shown: tuple[Shown, ...], *, is_at_catheter: bool) -> Finding:
    days = view.policy.terms.vte_svt_days
    where = "at a catheter" if is_at_catheter else "near the deep veins"
    how = "Take the catheter out." if is_at_catheter else f"Anticoagulate for {days} days."
    ended = unprotected_since(view, taken(view, ANTICOAGULANT))
    said = (view.answer_since(code) for code in _ANSWERS)
    return Finding(
        subject=event.id,
        since=event.at,
        effective_at=latest(event.at, ended, *said, *(d.at for d in event.diagnoses)),
        title=f"Superficial vein thrombosis {where}: plan it",
        message=f"A superficial vein thrombosis {where}, and no anticoagulant is taken. {how}",
        advice=Advice(action=Action.REFER) if is_at_catheter else Advice(action=Action.START, agent="anticoagulant"),
        evidence=(*event.evidence, *shown),
        thresholds=(days,),
        is_provisional=event.is_unconfirmed,
    )
