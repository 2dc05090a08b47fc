"""The Korean payer's rule: lenalidomide after failure of bortezomib. About payment, not about safety.

Watches for    cycle 1 of a patient in Korea with no failure of bortezomib recorded.
Stays silent   elsewhere or where the country is not known, once the failure is recorded, from cycle 2 on, and where
               the site switched it off because the payer's rule has widened.
Cannot assess  never: a failure that is not recorded is what it asks about.
Numbers        kr_reimb_bortezomib_first
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ind-kr-reimb"
FAILURE = "bortezomib-failure"
_KOREA = frozenset(("KR", "KOR"))


def assess(view: View) -> Answer:
    """Gated by the patient's country, not by the profile."""
    started, cycle, person = view.ledger.started_at, view.cycle, view.ledger.person
    if started is None or not view.is_on_treatment or cycle is None or cycle.number > 1:
        return NOTHING
    if person is None or person.country not in _KOREA or not view.policy.terms.kr_reimb_bortezomib_first:
        return NOTHING
    if view.says_yes(FAILURE):
        return Nothing(next_border(view, FAILURE))
    return found(
        Finding(
            since=started,
            effective_at=latest(started, person.at, view.answer_since(FAILURE)),
            title="Reimbursement in Korea: no failure of bortezomib recorded",
            message="Since March 2013 lenalidomide has been reimbursed in Korea after failure of bortezomib, and none "
            "is recorded. The rule has widened since about 2017-18: check the one in force. No matter of safety.",
            advice=Advice(action=Action.VERIFY_DATA, agent="bortezomib"),
            evidence=(Shown("country", person),),
        ),
        next_border(view, FAILURE),
    )
