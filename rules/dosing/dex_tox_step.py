"""Harm by dexamethasone, and the next dose is not lower.

Watches for    myopathy, hyperglycaemia, a psychiatric disturbance or an infection without neutropenia that began on
               treatment, and dexamethasone given, dispensed or taken after it that is not below the dose before; or a
               cycle that begins with the plan unchanged.
Stays silent   once a lower dose is given or another amount planned, when the toxicity is over (without a recorded end
               after some time), and after the course.
Cannot assess  an infection where no ANC was ever known.
Numbers        dex_tox_active_days
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Found, Nothing, Shown, earliest
from rules.calendar import days_after
from rules.course_moment import begin_of
from rules.dexamethasone import PLAN, amount_of, given_mg, supplies_of
from rules.dosing.dex_toxicity import INFECTION, TOXICITIES, was_neutropenic
from rules.lookahead import next_border
from rules.picture import Diagnosis, Statement, Supply
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dex-tox-step"


def assess(view: View) -> Answer:
    """One alert a toxicity."""
    started, days = view.ledger.started_at, view.policy.terms.dex_tox_active_days
    if started is None or not view.is_on_treatment:
        return NOTHING
    findings, missing, ends = [], False, []
    for harm in view.diagnoses(*TOXICITIES, INFECTION):
        over = days_after(harm.last, days.whole + 1, view.zone)
        if harm.at < started or harm.is_history or harm.is_over(view.at) or (harm.abated is None and view.at >= over):
            continue
        ends.append(over)
        is_infection = not set(harm.concepts).intersection(TOXICITIES)
        low = was_neutropenic(view, harm) if is_infection else False
        missing = missing or low is None
        same = _not_lower(view, harm) if low is False else None
        if same is not None:
            findings.append(_describe(view, harm, *same))
    recheck = earliest(next_border(view, PLAN, *TOXICITIES, INFECTION), *(end for end in ends if end > view.at))
    if findings:
        return Found(tuple(findings), recheck)
    return CannotAssess(("ANC",), recheck) if missing else Nothing(recheck)


def _not_lower(view: View, harm: Diagnosis) -> tuple[tuple[Supply | Statement, ...], datetime] | None:
    """The dose before and the first after it that is not lower, and since when; None where there is none."""
    taken = [s for s in supplies_of(view) if s.way != "ordered"]
    plan, first = view.statement(PLAN), view.stated_since(PLAN)
    if plan is not None and first is not None and first.at > harm.at:
        return None
    after = [s for s in taken if s.at > harm.at]
    for newest in after[-1:]:
        before = next((s for s in reversed(taken) if s.at <= harm.at and s.way == newest.way), None)
        if before is None or _is_lower(view, newest, before):
            return None
        next_one = next(s for s in after if s.way == newest.way and not _is_lower(view, s, before))
        return (before, next_one), next_one.at
    begun = [begin_of(c, view.zone) for c in view.ledger.cycles if begin_of(c, view.zone) > harm.at]
    if plan is None or not plan.number or first is None or not begun or begun[0] > view.at:
        return None
    return (plan,), begun[0]


def _is_lower(view: View, supply: Supply, before: Supply) -> bool:
    """Lower by single dose or by amount, as far as both say it; a dose that neither says is not known to be lower."""
    pairs = [(_single(supply), _single(before)), (_amount(view, supply), _amount(view, before))]
    return any(now is not None and then is not None and now < then for now, then in pairs)


def _single(supply: Supply) -> Decimal | None:
    return given_mg(supply) if supply.way == "given" else supply.daily_mg or supply.dose_mg


def _amount(view: View, supply: Supply) -> Decimal | None:
    amount = amount_of(supply, view)
    return amount[0] / max(1, amount[1]) if amount is not None else None


def _describe(view: View, harm: Diagnosis, facts: tuple[Supply | Statement, ...], since: datetime) -> Finding:
    named = next((c for c in (*TOXICITIES, INFECTION) if c in harm.concepts), "toxicity").replace("-", " ")
    terms = view.policy.terms
    return Finding(
        subject=harm.id,
        since=harm.at,
        effective_at=max(harm.at, since),
        title=f"Dexamethasone not lowered after {named}",
        message=f"After {named} the dose of dexamethasone is not lower than before. Lower it by a step, or record why "
        f"not. The ladder of the trials: {terms.dex_day_mg} mg on {terms.dex_step_days} days every "
        f"{terms.dex_step_1_weeks} weeks; the same every {terms.dex_step_2_weeks} weeks; {terms.dex_step_3_mg} mg so.",
        advice=Advice(action=Action.REDUCE_STEP, agent="dexamethasone"),
        evidence=(Shown(named, harm), *(Shown("dexamethasone", fact) for fact in facts)),
        thresholds=(terms.dex_tox_active_days,),
    )
