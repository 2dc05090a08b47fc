"""An isolated calf vein thrombosis was not looked at again.

Watches for    a calf vein thrombosis of this course without severe symptoms, and no repeat study by its day.
Stays silent   with a study some days after the diagnosis, with any anticoagulant taken since, with severe symptoms
               (`vte-event-untreated`), where more than the calf was coded, and when it is over.
Cannot assess  never: no record of a study is what it speaks of.
Numbers        vte_calf_recheck_days, vte_calf_repeat_from_days, vte_same_event_days, vte_severe_grade_at
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, earliest, latest
from rules.calendar import days_after
from rules.thrombosis.agents import THERAPEUTIC, anticoagulated_since
from rules.thrombosis.events import SYMPTOMS, clots, is_isolated_calf, severe_since
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-calf-recheck"
STUDY = "vte-imaging"
_ANSWERS = (THERAPEUTIC, SYMPTOMS)


def assess(view: View) -> Answer:
    """The repeat study is due at two weeks."""
    if not view.is_on_treatment:
        return NOTHING
    terms, recheck, findings = view.policy.terms, next_recorded_end(view), []
    for event in clots(view):
        if not is_isolated_calf(event) or severe_since(view, event) is not None or event.is_over(view.at):
            continue
        from_day = days_after(event.at, terms.vte_calf_repeat_from_days.whole, view.zone)
        if view.procedure_since(from_day, STUDY) is not None or anticoagulated_since(view, event.at):
            continue
        due = days_after(event.at, terms.vte_calf_recheck_days.whole + 1, view.zone)
        if view.at < due:
            recheck = earliest(recheck, due)
            continue
        since = latest(due, *(d.at for d in event.diagnoses), *(view.answer_since(code) for code in _ANSWERS))
        findings.append(
            Finding(
                subject=event.id,
                since=due,
                effective_at=since,
                title="Calf vein thrombosis: the repeat study is due",
                message=f"An isolated calf vein thrombosis is not anticoagulated, and no study after day "
                f"{terms.vte_calf_repeat_from_days} is recorded. Look at the veins again, due at "
                f"{terms.vte_calf_recheck_days} days; anticoagulate if it grew or symptoms are severe.",
                advice=Advice(action=Action.REPEAT_TEST, agent="leg vein imaging"),
                evidence=event.evidence,
                thresholds=(terms.vte_calf_recheck_days, terms.vte_calf_repeat_from_days),
                is_provisional=event.is_unconfirmed,
            )
        )
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)
