"""Blood or sperm was donated on lenalidomide or too soon after it.

Watches for    a donation recorded from the first dose to the stated days after the end.
Stays silent   once it has been shown long enough.
Cannot assess  never: it speaks of what was recorded.
Numbers        ppp_donation_tail_days, ppp_donation_shown_days
"""

from __future__ import annotations

from rules.answers import Answer, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_between
from rules.picture import Statement
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-donation"
CODE = "donation"


def assess(view: View) -> Answer:
    """One note a donation, whatever the patient's sex."""
    shown_for = view.policy.terms.ppp_donation_shown_days
    here = [s for s in view.ledger.stated if s.code == CODE and _is_within(view, s) and view.at < s.at + shown_for.span]
    recheck = earliest(*(stated.at + shown_for.span for stated in here))
    return Found(tuple(_describe(view, stated) for stated in here), recheck) if here else Nothing(recheck)


def _is_within(view: View, stated: Statement) -> bool:
    started, ended = view.ledger.started_at, view.ledger.ended_at
    if started is None or stated.last < started:
        return False
    return ended is None or days_between(ended, stated.at, view.zone) <= view.policy.terms.ppp_donation_tail_days.whole


def _describe(view: View, stated: Statement) -> Finding:
    terms, what = view.policy.terms, stated.value_code or "blood or sperm"
    return Finding(
        subject=stated.id,
        since=stated.at,
        effective_at=stated.at,
        title=f"Donation on lenalidomide: {what}",
        message=f"Neither blood nor sperm is donated on lenalidomide and for {terms.ppp_donation_tail_days} days after it. "
        "Tell the patient, and the place of the donation.",
        advice=Advice(action=Action.INFORM),
        evidence=(Shown("donation", stated),),
        thresholds=(terms.ppp_donation_tail_days, terms.ppp_donation_shown_days),
    )
