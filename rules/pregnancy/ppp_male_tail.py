"""Treatment of a man ended: condom or abstinence goes on for a while.

Watches for    after the end, a record of condom or abstinence that is missing or ends before the stated time is over.
Stays silent   with a record that lasts long enough, with no partner at risk, and afterwards.
Cannot assess  never: it reminds. An unknown sex is said by `ppp-contraception-male`.
Numbers        ppp_male_tail_days
"""

from __future__ import annotations

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.pregnancy.childbearing_potential import is_male
from rules.pregnancy.contraception_record import FOR_MEN, records, runs
from rules.pregnancy.obligation import ahead, borders_ahead, obligation, reaches_tail
from rules.pregnancy.ppp_contraception_male import PARTNER
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-male-tail"
_NO_RISK = frozenset(("none", "not-of-potential", "of-potential-with-contraception"))


def assess(view: View) -> Answer:
    """A reminder from the end of treatment to the end of the tail."""
    tail, ended, partner = view.policy.terms.ppp_male_tail_days, view.ledger.ended_at, view.statement(PARTNER)
    must = obligation(view, tail)
    recheck = earliest(borders_ahead(view, tail), ahead(view, partner.until if partner is not None else None))
    if must is None or ended is None or not view.has_ended or not view.has_started or not is_male(view.ledger):
        return Nothing(recheck)
    enough = runs(view, FOR_MEN)
    is_covered = bool(enough) and enough[-1].begins <= view.at and reaches_tail(view, enough[-1].ends, tail)
    if is_covered or (partner is not None and partner.value_code in _NO_RISK):
        return Nothing(recheck)
    newest = records(view)[-1] if records(view) else None
    return found(
        Finding(
            since=ended,
            effective_at=latest(ended, newest.at if newest is not None else None, view.answer_since(PARTNER)),
            title=f"Condom or abstinence for {tail} days after lenalidomide",
            message=f"Treatment ended. Condom or abstinence goes on for {tail} days, and the record does not reach that "
            "far: remind the patient, and record it.",
            advice=Advice(action=Action.INFORM),
            evidence=(
                Shown("lenalidomide", must.first),
                *((Shown("contraception", newest),) if newest is not None else ()),
            ),
            thresholds=(tail,),
        ),
        recheck,
    )
