"""More than low-dose dexamethasone after the cycles of the high-dose phase.

Watches for    a cycle after them with more dexamethasone given or planned, within that cycle, than the low dose.
Stays silent   in the cycles of that phase and at or below the low dose; each cycle is judged by itself.
Cannot assess  where nothing says how much dexamethasone there is.
Numbers        dex_high_phase_cycles, dex_low_mg, dex_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.dexamethasone import PLAN, is_dose_known
from rules.dosing.dex_cycle import begun_on, cycle_doses, recheck_of, took_effect
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dex-after-c4"


def assess(view: View) -> Answer:
    """A sum within the cycle, never a rolling one that still holds doses of the cycle before."""
    if not view.is_on_treatment:
        return NOTHING
    doses, terms = cycle_doses(view), view.policy.terms
    recheck = recheck_of(doses, next_border(view, PLAN))
    if doses.cycle is None or doses.cycle.number <= terms.dex_high_phase_cycles.whole:
        return Nothing(recheck)
    if not is_dose_known(view):
        return CannotAssess(("dexamethasone dose",), recheck)
    dose = doses.above(terms.dex_low_mg)
    if dose is None:
        return Nothing(recheck)
    number = doses.cycle.number
    return found(
        Finding(
            since=begun_on(view, doses),
            effective_at=took_effect(view, doses, dose),
            title=f"Dexamethasone {dose.mg.normalize():f} mg in cycle {number}, above {terms.dex_low_mg} mg",
            message=f"Dexamethasone {dose.mg.normalize():f} mg {dose.how} (cycle {number}). More than "
            f"{terms.dex_low_mg} mg in 28 days is for the first {terms.dex_high_phase_cycles} cycles: go on with "
            f"{terms.dex_day_mg} mg once a week.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent="dexamethasone", dose_mg=f"{terms.dex_day_mg}"),
            evidence=tuple(Shown("dexamethasone", fact) for fact in dose.facts),
            thresholds=(terms.dex_high_phase_cycles, terms.dex_low_mg),
        ),
        recheck,
    )
