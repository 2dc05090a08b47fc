"""Lenalidomide ended, and nothing recorded says why.

Watches for    a recorded stop without a reason, or as completed or other, and no progression recorded in the course.
Stays silent   with progression, toxicity, the patient's choice, pregnancy, a second malignancy, a transplant or death
               as the reason, after a restart, and when it was shown long enough.
Cannot assess  never: a reason that is not recorded is what it asks about.
Numbers        ind_stop_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_after
from rules.lookahead import next_border
from rules.picture import STOPPED
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ind-early-stop"
RESPONSE = "response"
_NO_REASON = frozenset((None, "completed", "other"))


def assess(view: View) -> Answer:
    """The panel continues to progression."""
    ended, stop, started = view.ledger.ended_at, view.ledger.statements.get(STOPPED), view.ledger.started_at
    if ended is None or stop is None or started is None or view.ledger.end_reason == "died":
        return NOTHING
    days = view.policy.terms.ind_stop_shown_days
    over, response = days_after(ended, days.whole, view.zone), view.statement(RESPONSE)
    has_progressed = response is not None and response.value_code == "pd" and response.at >= started
    if not ended <= view.at < over or stop.value_code not in _NO_REASON or has_progressed:
        return Nothing(earliest(next_border(view, RESPONSE, STOPPED), over if view.at < over else None))
    said = "as completed" if stop.value_code == "completed" else "without a reason"
    return found(
        Finding(
            since=ended,
            effective_at=max(ended, stop.at, view.answer_since(RESPONSE) or ended),
            title="Lenalidomide ended, reason not recorded"
            if stop.value_code != "completed"
            else "Lenalidomide ended as completed",
            message=f"Lenalidomide is recorded as ended {said}: no progression, intolerance or choice of the patient. "
            "The panel continues until progression. Record why it ended.",
            advice=Advice(action=Action.VERIFY_DATA, agent="lenalidomide"),
            evidence=(Shown("stop", stop),),
            thresholds=(days,),
        ),
        earliest(next_border(view, RESPONSE, STOPPED), over),
    )
