"""High-dose dexamethasone without one of the reasons it is given for.

Watches for    dexamethasone at or above the high-dose limit in the window, given, planned or dispensed, and neither
               cord compression, hypercalcaemia, pain, renal failure nor aggressive disease recorded.
Stays silent   with one of these, and once the sum is below the limit. The VTE tier does not ask for the reason.
Cannot assess  where nothing says how much dexamethasone there is.
Numbers        dex_high_mg, dex_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.dexamethasone import PLAN, find_high_doses, is_dose_known
from rules.dosing.dex_high_reasons import READS, REASON, has_listed_reason, reasons_since
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dex-high-dose-justify"


def assess(view: View) -> Answer:
    """The same sums as tier 1 of Table 3."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment:
        return NOTHING
    if not is_dose_known(view):
        return CannotAssess(("dexamethasone dose",), next_border(view, PLAN, *READS))
    known = view.derive(find_high_doses)
    borders = (instant for high in known for instant in (high.begins, high.ends) if instant and instant > view.at)
    recheck = earliest(next_border(view, PLAN, *READS), *borders)
    here = [h for h in known if h.begins <= view.at and (h.ends is None or view.at < h.ends)]
    if not here or has_listed_reason(view):
        return Nothing(recheck)
    high, terms = min(here, key=lambda one: one.begins), view.policy.terms
    other = view.statement(REASON)
    since = max(started, high.begins)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, *reasons_since(view)),
            title="High-dose dexamethasone without a recorded reason",
            message=f"Dexamethasone at or above {terms.dex_high_mg} mg in {terms.dex_window_days} days ({high.how}), "
            "and none of cord compression, hypercalcaemia, pain, renal failure or aggressive disease recorded. Record "
            "the reason. High dose puts the patient in VTE risk tier 1.",
            advice=Advice(action=Action.VERIFY_DATA, agent="dexamethasone"),
            evidence=tuple(Shown("dexamethasone", fact) for fact in high.facts),
            thresholds=(terms.dex_high_mg, terms.dex_window_days),
            context=("Another reason than those listed is recorded.",) if other is not None else (),
        ),
        recheck,
    )
