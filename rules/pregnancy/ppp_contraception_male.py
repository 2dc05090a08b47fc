"""A man on lenalidomide whose partner could be harmed, with no condom or abstinence on record.

Watches for    a partner recorded as pregnant, or as able to become so without contraception, from the first dose through
               interruptions to the stated days after the last, and no record of condom or abstinence.
Stays silent   with such a record, and with a partner recorded otherwise.
Cannot assess  the sex unknown; the partner unknown and neither condom nor abstinence on record.
Numbers        ppp_male_contraception_tail_days
"""

from __future__ import annotations

from rules.answers import Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.pregnancy.childbearing_potential import STATED, is_male
from rules.pregnancy.contraception_record import FOR_MEN, records, runs
from rules.pregnancy.obligation import ahead, borders_ahead, obligation, reaches_tail
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-contraception-male"
PARTNER = "partner"
AT_RISK = frozenset(("pregnant", "of-potential-without-contraception"))


def assess(view: View) -> Answer:
    """The present record against what is known of the partner."""
    tail = view.policy.terms.ppp_male_contraception_tail_days
    must, person, partner = obligation(view, tail), view.ledger.person, view.statement(PARTNER)
    ends = (*(record.until for record in records(view)), partner.until if partner is not None else None)
    recheck = earliest(borders_ahead(view, tail), ahead(view, *ends))
    if must is None or not view.has_started:
        return Nothing(recheck)
    if not is_male(view.ledger):
        is_known = (person is not None and person.sex == "female") or STATED in view.ledger.statements
        return Nothing(recheck) if is_known else CannotAssess(("sex",), recheck)
    enough = runs(view, FOR_MEN)
    last = enough[-1] if enough else None
    if last is not None and (last.holds_at(view.at) or (view.has_ended and reaches_tail(view, last.ends, tail))):
        return Nothing(recheck)
    if partner is None:
        return CannotAssess(("partner, or a record of condom or abstinence",), recheck)
    if partner.value_code not in AT_RISK:
        return Nothing(recheck)
    first = view.stated_since(PARTNER) or partner
    since = latest(must.begins, first.at, last.ends if last is not None else None)
    newest = records(view)[-1] if records(view) else None
    return found(
        Finding(
            since=since,
            effective_at=latest(since, newest.at if newest is not None else None),
            title="No condom or abstinence on record",
            message=f"The partner is recorded as {(partner.value_code or '').replace('-', ' ')}. Condom or abstinence is "
            f"needed on lenalidomide, through interruptions, and for {tail} days after the last dose. Record it.",
            advice=Advice(action=Action.VERIFY_DATA, agent="contraception"),
            evidence=(
                Shown("lenalidomide", must.first),
                Shown("partner", partner),
                *((Shown("contraception", newest),) if newest is not None else ()),
            ),
            thresholds=(tail,),
        ),
        recheck,
    )
