"""Treatment began without a VTE risk assessment or without a platelet count.

Watches for    a first dose with no risk assessment recorded, or with no platelet count in the baseline window.
Stays silent   once both are recorded, also after the first dose.
Cannot assess  when the only platelet count there is cannot be used.
Numbers        vte_assessment_window_days, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, found
from rules.ledger import LENALIDOMIDE
from rules.thrombosis.agents import UNUSABLE
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-assessment-missing"
ASSESSMENT = "vte-risk-assessment"


def assess(view: View) -> Answer:
    """What is due before the first dose and was not recorded."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    recheck = next_recorded_end(view)
    assessment = view.ledger.statements.get(ASSESSMENT)
    is_assessed = assessment is not None and assessment.at >= started - terms.vte_assessment_window_days.span
    newest = view.newest("platelets")
    has_count = view.baseline("platelets") is not None or (newest is not None and newest.at >= started)
    if is_assessed and has_count:
        return Nothing(recheck)
    if is_assessed and view.unusable("platelets") is not None:
        return CannotAssess((UNUSABLE,), recheck)
    missing = [
        name for name, is_there in (("VTE risk assessment", is_assessed), ("platelet count", has_count)) if not is_there
    ]
    first = next((s for s in view.supplies(LENALIDOMIDE) if s.at >= started), None)
    return found(
        Finding(
            since=started,
            effective_at=started,
            title=f"Before lenalidomide: {' and '.join(missing)} missing",
            message=f"Lenalidomide was started and no {' and no '.join(missing)} is recorded. Assess the risk of "
            "venous thromboembolism and check the platelets: they decide on the prophylaxis.",
            advice=Advice(action=Action.VERIFY_DATA if has_count else Action.REPEAT_TEST),
            evidence=(Shown("first dose", first),) if first is not None else (),
            thresholds=(terms.baseline_window_days, terms.vte_assessment_window_days),
        ),
        recheck,
    )
