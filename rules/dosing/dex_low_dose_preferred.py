"""More dexamethasone than the panel prefers, with no reason coded.

Watches for    more than the low dose in the present cycle, planned, given or dispensed.
Stays silent   at or below it, with a reason for more recorded, and after the course.
Cannot assess  where nothing says how much dexamethasone there is.
Numbers        dex_low_mg, dex_high_phase_mg
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.dexamethasone import PLAN, is_dose_known
from rules.dosing.dex_cycle import cycle_doses, recheck_of, took_effect
from rules.dosing.dex_high_reasons import REASON
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dex-low-dose-preferred"


def assess(view: View) -> Answer:
    """A note on the patient, not an alert: under 65 more is valid in the first cycles."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    doses = cycle_doses(view)
    recheck = recheck_of(doses, next_border(view, PLAN, REASON))
    if not is_dose_known(view):
        return CannotAssess(("dexamethasone dose",), recheck)
    dose = doses.above(terms.dex_low_mg)
    if dose is None or view.statement(REASON) is not None:
        return Nothing(recheck)
    mg = f"{dose.mg.normalize():f}"
    much = f" It is above the {terms.dex_high_phase_mg} mg of days 1-4 and 15-18, too."
    return found(
        Finding(
            since=started,
            effective_at=max(took_effect(view, doses, dose), view.answer_since(REASON) or started),
            title=f"Dexamethasone {mg} mg a cycle: the panel prefers {terms.dex_low_mg} mg",
            message=f"Dexamethasone {mg} mg {dose.how} and no reason coded. The panel prefers {terms.dex_day_mg} mg "
            f"once a week, {terms.dex_low_mg} mg a cycle.{much if dose.mg > terms.dex_high_phase_mg.value else ''}",
            advice=Advice(action=Action.INFORM, agent="dexamethasone"),
            evidence=tuple(Shown("dexamethasone", fact) for fact in dose.facts),
            thresholds=(terms.dex_low_mg, terms.dex_high_phase_mg),
        ),
        recheck,
    )
