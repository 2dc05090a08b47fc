"""The dose may go up one level again after cycles without haematologic toxicity.

Watches for    a dose below that of the start, enough cycles completed without a low-count episode, hold or severe
               event, and counts at the start of the cycle at or above the limits.
Stays silent   otherwise, and at the starting dose. For newly diagnosed myeloma: no profile for relapse has it on.
Cannot assess  without counts at the start of the cycle, or with a dose that has no ladder.
Numbers        reescalate_cycles, reescalate_anc_at, reescalate_plt_at, dose_ladder, pre_cycle_window_days
"""

from __future__ import annotations

from decimal import Decimal

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_between, local_day, start_of_day
from rules.course_moment import begin_of
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.picture import Result
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "dose-reescalate-ok"


def assess(view: View) -> Answer:
    """One level, and never above the dose of the start."""
    cycle, terms, dose = view.cycle, view.policy.terms, view.ledger.dose
    if not view.is_on_treatment or cycle is None or dose is None or view.holds or view.stops:
        return NOTHING
    recheck, begins = earliest(next_border(view), view.stop_ends_at), begin_of(cycle, view.zone)
    before = [c for c in view.ledger.cycles if c.number == cycle.number - terms.reescalate_cycles.whole]
    start, at = view.ledger.start_dose, view.ledger.complication_at
    if begins > view.at or not before or (at is not None and at >= begin_of(before[0], view.zone)):
        return Nothing(recheck)
    if start is None or start.dose is None or dose.dose is None or dose.dose >= start.dose:
        return Nothing(recheck)
    if "alternate-days" in (dose.schedule, start.schedule):
        return CannotAssess(("a dose ladder for alternate days",), recheck)
    counts = [(_count(view, name), limit, name) for name, limit in
              (("anc", terms.reescalate_anc_at), ("platelets", terms.reescalate_plt_at))]  # fmt: skip
    missing = tuple(f"{name} at the start of the cycle" for count, _, name in counts if count is None)
    if missing:
        return CannotAssess(missing, recheck)
    if not all(count is not None and count.is_below(limit.value) is False for count, limit, _ in counts):
        return Nothing(recheck)
    higher: Decimal = min([step for step in view.policy.ladder if dose.dose < step <= start.dose] or [start.dose])
    facts = [count for count, _, _ in counts if count is not None]
    return found(
        Finding(
            since=start_of_day(local_day(cycle.day_1, view.zone), view.zone),
            effective_at=latest(begins, dose.at, *(count.at for count in facts)),
            title=f"Lenalidomide may go up one level, from {dose.dose:f} to {higher:f} mg",
            message=f"{terms.reescalate_cycles} cycles without haematologic toxicity, and the counts of this cycle "
            f"allow it: lenalidomide may go up to {higher:f} mg, not above the {start.dose:f} mg of the start.",
            advice=Advice(action=Action.INFORM, agent=LENALIDOMIDE, dose_mg=f"{higher:f}"),
            evidence=(Shown("present dose", dose), *(Shown(count.analyte, count) for count in facts)),
            thresholds=(terms.reescalate_cycles, terms.reescalate_anc_at, terms.reescalate_plt_at),
        ),
        recheck,
    )


def _count(view: View, analyte: str) -> Result | None:
    """The newest count, unless it is older than the window before the cycle."""
    count, cycle = view.newest(analyte), view.cycle
    if count is None or cycle is None:
        return None
    is_old = days_between(count.at, cycle.day_1, view.zone) > view.policy.terms.pre_cycle_window_days.whole
    return None if is_old else count
