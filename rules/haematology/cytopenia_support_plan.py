"""Counts too low before the first dose, and no plan to support them by day 1.

Watches for    on day 1 of cycle 1, a low baseline ANC without G-CSF ordered or planned, or low baseline
               platelets without a transfusion plan.
Stays silent   before day 1, with a plan for each low count, once the counts recovered, from cycle 2 on.
Cannot assess  never by itself: `cytopenia-start-caution` speaks for a missing baseline count.
Numbers        start_anc_below, start_plt_below, start_plt_below_infiltrated, baseline_window_days
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.answers import NOTHING, Answer, Finding, Nothing, earliest, found, latest
from rules.baseline import StartCount, baseline_since, infiltration_ends_at
from rules.haematology.cytopenia_start_caution import evidence_of, low_at_start
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "cytopenia-support-plan"
_PLANS = {"anc": "gcsf-plan", "platelets": "transfusion-plan"}
_SUPPORT = {"anc": "G-CSF", "platelets": "platelet transfusion"}


def assess(view: View) -> Answer:
    """The low baseline counts that nobody planned for."""
    day_1, low = view.first_cycle_day_1, low_at_start(view)
    if day_1 is None or not low:
        return NOTHING if view.ledger.started_at is None else Nothing(_border(view))
    if view.at < day_1:
        return Nothing(earliest(day_1, _border(view)))
    unplanned = tuple(item for item in low if not _is_planned(view, item))
    if not unplanned:
        return Nothing(_border(view))
    evidence = evidence_of(view, unplanned)
    support = " and ".join(_SUPPORT[item.analyte] for item in unplanned)
    return found(
        Finding(
            since=day_1,
            effective_at=latest(
                day_1,
                baseline_since(view),
                *(view.answer_since(code) for code in _PLANS.values()),
                *(shown.fact.at for shown in evidence),
            ),
            title=f"No plan for {support} with low baseline counts",
            message=f"Treatment starts with {' and '.join(f'low {item.name}' for item in unplanned)}, and no plan for "
            f"{support} is recorded. Record a plan.",
            advice=Advice(action=Action.START, agent=support),
            evidence=evidence,
            thresholds=tuple(item.limit for item in unplanned),
            is_provisional=any(item.count is not None and item.count.is_doubtful for item in unplanned),
        ),
        _border(view),
    )


def _is_planned(view: View, item: StartCount) -> bool:
    if view.says_yes(_PLANS[item.analyte]):
        return True
    began = (view.first_cycle_day_1 or view.at) - timedelta(days=view.policy.terms.baseline_window_days.whole)
    if item.analyte == "anc":
        return view.supply_since(began, "gcsf") is not None
    return view.procedure_since(began, "platelet-transfusion") is not None


def _border(view: View) -> datetime | None:
    """When a statement that was counted on ends, or a recorded day 1 comes."""
    plans = (view.statement(code) for code in _PLANS.values())
    return earliest(infiltration_ends_at(view), view.next_cycle_at, *(plan.until for plan in plans if plan is not None))
