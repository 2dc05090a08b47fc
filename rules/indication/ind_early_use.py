"""First relapse, and lenalidomide not begun: the panel prefers it early. For analysis only.

Watches for    progression recorded after exactly the line of therapy that lenalidomide may follow, before any dose.
Stays silent   once lenalidomide is begun, without progression, and at later relapses.
Cannot assess  with progression recorded and the lines of therapy not.
Numbers        ind_min_prior_lines
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.indication.ind_line_check import LINES
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ind-early-use"
RESPONSE = "response"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert."""
    response, lines, least = view.statement(RESPONSE), view.statement(LINES), view.policy.terms.ind_min_prior_lines
    if view.has_started or view.has_ended or response is None or response.value_code != "pd":
        return NOTHING
    recheck = next_border(view, RESPONSE, LINES)
    if lines is None or lines.number is None:
        return CannotAssess(("lines of therapy",), recheck)
    if lines.number != least.value:
        return Nothing(recheck)
    since = max(response.at, lines.at)
    return found(
        Finding(
            since=since,
            effective_at=since,
            title="First relapse: the panel prefers lenalidomide early",
            message=f"Progression is recorded after {least} line of therapy and lenalidomide is not begun. The panel "
            "prefers its use early after the first relapse.",
            advice=Advice(action=Action.INFORM, agent="lenalidomide"),
            evidence=(Shown("progression", response), Shown("lines of therapy", lines)),
            thresholds=(least,),
        ),
        recheck,
    )
