"""An erythropoiesis-stimulating agent with enough haemoglobin: stop it.

Watches for    such an agent taken or ordered with the newest haemoglobin above the limit.
Stays silent   at or below it, and once the agent is used up.
Cannot assess  on the agent without a valid haemoglobin, or when the newest cannot be used.
Numbers        esa_hb_above, vte_esa_covers_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.thrombosis.agents import on_treatment_since
from rules.thrombosis.esa import esa_run
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "esa-hb12"
HAEMOGLOBIN = "haemoglobin"


def assess(view: View) -> Answer:
    """The higher the haemoglobin on it, the more clots."""
    run = esa_run(view)
    if not view.is_on_treatment or run is None:
        return NOTHING
    recheck, limit = earliest(run.ends, next_recorded_end(view)), view.policy.terms.esa_hb_above
    newest, before = view.newest(HAEMOGLOBIN), view.previous(HAEMOGLOBIN)
    if newest is None:
        return CannotAssess((HAEMOGLOBIN,), recheck)
    if newest.is_at_most(limit.value) is not False:
        is_unknown = newest.is_at_most(limit.value) is None or view.unusable(HAEMOGLOBIN) is not None
        return CannotAssess(("a usable value of the newest haemoglobin",), recheck) if is_unknown else Nothing(recheck)
    was_high = before is not None and before.is_at_most(limit.value) is False
    since = on_treatment_since(view, run.begins, before.at if before is not None and was_high else newest.at)
    return found(
        Finding(
            since=since,
            effective_at=max(since, newest.at),
            title=f"Haemoglobin {newest.shown} g/dL on {run.newest.medicine}",
            message=f"Haemoglobin {newest.shown} g/dL, above {limit}, while {run.newest.medicine} is active: the risk "
            "of thrombosis rises. Stop it until the haemoglobin is lower.",
            advice=Advice(action=Action.STOP, agent=run.newest.medicine),
            evidence=(Shown("agent", run.newest), Shown("newest haemoglobin", newest)),
            thresholds=(limit,),
            is_provisional=newest.is_doubtful,
        ),
        recheck,
    )
