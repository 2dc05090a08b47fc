"""A fact that raises the risk tier arrived in the course of treatment.

Watches for    a factor that began after the first dose and was, when it began, of a more severe tier than every
               factor that already held: immobilisation, high-dose dexamethasone, a VTE, an infection and their kin.
Stays silent   about facts of a tier that held already, and when the fact has been shown long enough.
Cannot assess  never by itself: what the new tier asks for is said, or found unassessable, by `vte-ppx-missing`.
Numbers        vte_change_shown_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest
from rules.thrombosis.factors import Factor
from rules.thrombosis.risk import LOWEST, decide_tier
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-tier-change"


def assess(view: View) -> Answer:
    """One note a fact, whatever became of it since."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    tier, shown_for = decide_tier(view), view.policy.terms.vte_change_shown_days
    raising: dict[str, Finding] = {}
    ends = []
    for factor in tier.known_factors:
        until = factor.begins + shown_for.span
        if not (factor.is_event and started < factor.begins <= view.at < until):
            continue
        before = _tier_before(factor, tier.known_factors)
        fact = factor.facts[-1]
        if factor.tier < before and fact.id not in raising:
            ends.append(until)
            raising[fact.id] = Finding(
                subject=fact.id,
                since=factor.begins,
                effective_at=factor.begins,
                title=f"VTE risk tier {before} became {factor.tier}: {factor.what}",
                message=f"New: {factor.what}. It raises the risk of venous thromboembolism from tier {before} to tier "
                f"{factor.tier}: look at the prophylaxis again.",
                advice=Advice(action=Action.INFORM),
                evidence=tuple(Shown(factor.what, item) for item in factor.facts),
                thresholds=(*factor.numbers, shown_for),
            )
    recheck = earliest(tier.changes_at, *ends)
    return Found(tuple(raising.values()), recheck) if raising else Nothing(recheck)


def _tier_before(factor: Factor, others: tuple[Factor, ...]) -> int:
    held = (other.tier for other in others if other.begins < factor.begins and other.holds_at(factor.begins))
    return min(held, default=LOWEST)
