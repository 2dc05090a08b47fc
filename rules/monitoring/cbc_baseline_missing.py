"""No complete blood count before the first lenalidomide.

Watches for    treatment begun with no CBC that has ANC and platelets in the baseline window.
Stays silent   with one in the window, and after the first complete CBC since.
Cannot assess  never: the missing count is the finding.
Numbers        baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Shown, found
from rules.calendar import days_between
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "cbc-baseline-missing"


def lacks_baseline(view: View) -> bool:
    """No complete CBC in the window before the first dispense or dose, nor since."""
    started, last = view.ledger.started_at, view.ledger.last_cbc
    if started is None or last is None:
        return started is not None
    return days_between(last.at, started, view.zone) > view.policy.terms.baseline_window_days.whole


def assess(view: View) -> Answer:
    """The baseline of the course, from its first dispense or dose."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment or not lacks_baseline(view):
        return NOTHING
    window, last = view.policy.terms.baseline_window_days, view.ledger.last_cbc
    first = next((supply for supply in view.supplies("lenalidomide") if supply.at >= started), None)
    evidence = [] if first is None else [Shown("first", first)]
    if last is not None:
        evidence.append(Shown("last complete CBC", last))
    return found(
        Finding(
            since=started,
            effective_at=started,
            title="No baseline CBC before lenalidomide",
            message=f"Lenalidomide was started with no CBC (ANC and platelets) in the {window} days before. "
            "Take a CBC with differential now.",
            advice=Advice(action=Action.REPEAT_TEST, agent="CBC with differential"),
            evidence=tuple(evidence),
            thresholds=(window,),
        )
    )
