"""Aggressive relapse, or a short last remission: a shorter response is to be expected.

Watches for    aggressive disease recorded, or a last remission shorter than the limit.
Stays silent   with neither recorded, and after the course.
Cannot assess  never: what is not recorded adds no note.
Numbers        ind_short_remission_months, ind_long_remission_months
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ind-high-dose-context"
AGGRESSIVE, REMISSION = "aggressive-disease", "remission-months"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    aggressive, remission = view.statement(AGGRESSIVE), view.statement(REMISSION)
    why = [Shown("aggressive disease", aggressive)] if aggressive and aggressive.value_code == "yes" else []
    limit = terms.ind_short_remission_months
    if remission is not None and remission.number is not None and remission.number < limit.value:
        why.append(Shown(f"last remission of {remission.number:f} months", remission))
    if not why:
        return Nothing(next_border(view, AGGRESSIVE, REMISSION))
    named = " and ".join(item.what for item in why)
    return found(
        Finding(
            since=started,
            effective_at=max(started, *(item.fact.at for item in why)),
            title=f"Shorter response to be expected: {named}",
            message=f"There is {named}. After a remission below {limit} months, or with aggressive disease, the "
            f"response is shorter than after one of more than {terms.ind_long_remission_months} months.",
            advice=Advice(action=Action.INFORM),
            evidence=tuple(why),
            thresholds=(limit, terms.ind_long_remission_months),
        ),
        next_border(view, AGGRESSIVE, REMISSION),
    )
