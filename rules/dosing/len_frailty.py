"""Old age or frailty: the reduced levels that the European Myeloma Network describes.

Watches for    an age over the limit, or frailty recorded.
Stays silent   otherwise, and after the course. S2 makes no reduction for age: this is for information.
Cannot assess  without a birth date where no frailty is recorded.
Numbers        frail_over_years, frail_len_mg_1, frail_dex_mg_1, frail_len_mg_2, frail_dex_mg_2
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found, latest
from rules.course_moment import begin_of
from rules.lookahead import next_border
from rules.picture import Diagnosis, Person, Statement
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-frailty"
FRAILTY = "frailty"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert."""
    started, terms, person = view.ledger.started_at, view.policy.terms, view.ledger.person
    if started is None or not view.is_on_treatment:
        return NOTHING
    recheck, said = next_border(view, FRAILTY), view.statement(FRAILTY)
    why: Statement | Diagnosis | Person | None = said if said is not None and said.value_code == "frail" else None
    why = why or view.active(FRAILTY)
    if why is None and view.age is None:
        return CannotAssess(("birth date",), recheck)
    if why is None and view.age is not None and view.age > terms.frail_over_years.value:
        why = person
    if why is None:
        return Nothing(recheck)
    named = f"{view.age} years" if why is person else "frailty recorded"
    begun = begin_of(view.cycle, view.zone) if why is person and view.cycle is not None else None
    return found(
        Finding(
            since=started,
            effective_at=latest(started, why.at, begun if begun is not None and begun <= view.at else None),
            title=f"{named[0].upper()}{named[1:]}: reduced levels of the European Myeloma Network",
            message=f"With {named} the European Myeloma Network goes to lenalidomide {terms.frail_len_mg_1} mg with "
            f"dexamethasone {terms.frail_dex_mg_1} mg a week, then to {terms.frail_len_mg_2} mg with "
            f"{terms.frail_dex_mg_2} mg. The panel makes no reduction of lenalidomide for age.",
            advice=Advice(action=Action.INFORM, agent="lenalidomide"),
            evidence=(Shown(named, why),),
            thresholds=(terms.frail_over_years, terms.frail_len_mg_1, terms.frail_len_mg_2),
        ),
        recheck,
    )
