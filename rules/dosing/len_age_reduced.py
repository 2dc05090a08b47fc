"""Lenalidomide was started at a reduced dose for age or stage alone.

Watches for    in cycle 1, a starting dose below the full one with a clearance in the band of the full dose and no low
               baseline count, where age or stage is the only reason recorded, or none is and the patient is elderly.
Stays silent   at the full dose, with another reason recorded, and from cycle 2 on.
Cannot assess  without the dose, the clearance, a baseline count, or (with no reason recorded) the birth date.
Numbers        len_elderly_age_at, renal_dose_table, start_anc_below, start_plt_below
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.baseline import baseline_since, infiltration_ends_at, start_counts
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.renal_dose import DIALYSIS, dialysis_ended, intensity_of, kidney_now, limits, start_intensity
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "len-age-reduced"
REASON = "reduced-dose-reason"
_NO_REASON = frozenset(("age", "stage"))


def assess(view: View) -> Answer:
    """Neither age nor stage alone calls for a lower dose."""
    started, cycle, terms = view.ledger.started_at, view.cycle, view.policy.terms
    if started is None or not view.is_on_treatment or cycle is None or cycle.number > 1:
        return NOTHING
    kidney, start, dose = kidney_now(view), view.ledger.start_dose, view.ledger.dose
    recheck = earliest(next_border(view, DIALYSIS, REASON), kidney.until, infiltration_ends_at(view))
    first = intensity_of(start) if start is not None else None
    now = intensity_of(dose) if dose is not None else None
    full = start_intensity(view.policy.dose_table[0])
    if first is None or now is None or start is None:
        return CannotAssess(("dose of lenalidomide",), recheck)
    reason = view.statement(REASON)
    named = reason.value_code if reason is not None else None
    if max(first, now) >= full or (named is not None and named not in _NO_REASON):
        return Nothing(recheck)
    if named is None and view.age is not None and view.age < terms.len_elderly_age_at.value:
        return Nothing(recheck)
    counts = view.derive(start_counts)
    missing = (
        *kidney.missing,
        *(f"baseline {item.name}" for item in counts if item.was_low is None),
    )
    if missing:
        return CannotAssess(tuple(dict.fromkeys(missing)), recheck)
    if kidney.band is not view.policy.dose_table[0] or any(item.was_low for item in counts):
        return Nothing(recheck)
    person = view.ledger.person
    why = f"{named} is the only reason recorded" if named is not None else f"no reason is recorded at {view.age} years"
    facts = [start, *(item.count for item in counts if item.count is not None), *(s.fact for s in kidney.evidence)]
    return found(
        Finding(
            since=started,
            effective_at=latest(
                started,
                baseline_since(view),
                view.answer_since(REASON),
                dialysis_ended(view),
                person.at if person is not None else None,
                *(fact.at for fact in facts),
            ),
            title=f"Lenalidomide started at {start.dose:f} mg: neither age nor stage alone calls for less than the full "
            "dose",
            message=f"Lenalidomide was started at {start.dose:f} mg, {why}; clearance and counts allow the full dose. "
            "Record the reason, or look at the dose again.",
            advice=Advice(action=Action.VERIFY_DATA, agent=LENALIDOMIDE),
            evidence=(Shown("starting dose", start), *kidney.evidence),
            thresholds=(terms.len_elderly_age_at, *limits(view.policy)),
        ),
        recheck,
    )
