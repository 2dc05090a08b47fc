"""Counts too low before the first dose: start only with caution.

Watches for    a baseline ANC or platelet count below the limit to start (a lower platelet limit where the
               marrow is heavily infiltrated), until the counts recovered or cycle 2 begins.
Stays silent   with counts at or above the limits, and from cycle 2 on (see `anc-cycle-delay`).
Cannot assess  without a baseline count and none since.
Numbers        start_anc_below, start_plt_below, start_plt_below_infiltrated, start_low_anc_delays,
               marrow_heavy_percent, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found, latest
from rules.baseline import StartCount, baseline_since, heavy_infiltration, infiltration_ends_at, start_counts
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "cytopenia-start-caution"
_CAUTION = (
    "Start lenalidomide only with caution: closer CBCs, a plan for G-CSF or platelet support, and a plan for the dose."
)
_DELAY = "Delay cycle 1 until the ANC has recovered, as any later cycle would be, and repeat the CBC."


def low_at_start(view: View) -> tuple[StartCount, ...]:
    """Counts of the baseline that are low and did not recover; none from cycle 2 on."""
    cycle = view.cycle
    if not view.is_on_treatment or cycle is None or cycle.number > 1:
        return ()
    return tuple(item for item in view.derive(start_counts) if item.is_low)


def evidence_of(view: View, low: tuple[StartCount, ...]) -> tuple[Shown, ...]:
    """The counts, those since that show no recovery, and the word on the marrow that chose the platelet limit."""
    shown = [Shown(f"baseline {item.name}", item.count) for item in low if item.count is not None]
    shown.extend(Shown(f"newest {item.name}", item.newest) for item in low if item.newest is not None)
    marrow = heavy_infiltration(view)
    if marrow is not None and any(item.analyte == "platelets" for item in low):
        shown.append(Shown("heavy marrow infiltration", marrow))
    return tuple(shown)


def assess(view: View) -> Answer:
    """The baseline counts, from the first dispense or dose of cycle 1."""
    started = view.ledger.started_at
    if started is None or not view.is_on_treatment or (view.cycle is not None and view.cycle.number > 1):
        return NOTHING
    low, recheck = low_at_start(view), earliest(infiltration_ends_at(view), view.next_cycle_at)
    if not low:
        missing = tuple(f"baseline {item.name}" for item in view.derive(start_counts) if item.is_unknown)
        return CannotAssess(missing, recheck) if missing else Nothing(recheck)
    evidence = evidence_of(view, low)
    counts = " and ".join(f"{item.name} {item.count.shown} cells/uL" for item in low if item.count is not None)
    is_delayed = view.policy.terms.start_low_anc_delays and any(item.analyte == "anc" for item in low)
    how, action = (_DELAY, Action.DELAY_CYCLE) if is_delayed else (_CAUTION, Action.REVIEW_MEDICINE)
    return found(
        Finding(
            since=started,
            effective_at=latest(started, baseline_since(view), *(shown.fact.at for shown in evidence)),
            title=f"{'Delay the start' if is_delayed else 'Start with caution'}: baseline {counts}",
            message=f"Baseline {counts}, below the limit to start. {how}",
            advice=Advice(action=action, agent="lenalidomide"),
            evidence=evidence,
            thresholds=tuple(item.limit for item in low),
            is_provisional=any(item.count is not None and item.count.is_doubtful for item in low),
        ),
        recheck,
    )
