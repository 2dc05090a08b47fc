"""No antibacterial prophylaxis in the first cycles.

Watches for    the first cycles, some days after day 1 of cycle 1, without co-trimoxazole, a quinolone or a penicillin
               taken (an order alone is not taken). High risk with aggressive disease, past neutropenia or infections.
Stays silent   with any of these, from the first day of the cycle after them, and outside the risk groups where the
               policy asks for prophylaxis in them alone.
Cannot assess  never by itself: no record of an agent is what it speaks of.
Numbers        inf_ppx_cycles, inf_ppx_wait_days, inf_ppx_for_all, inf_recent_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_after
from rules.infection.risk_groups import find_risks
from rules.ledger import LENALIDOMIDE
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "inf-ppx-missing"
AGENTS = "antibacterial-prophylaxis"
SUBSTANCES = ("sulfonamide", "co-trimoxazole", "quinolone", "levofloxacin", "ciprofloxacin", "moxifloxacin",
              "penicillin", "penicillin-v", "amoxicillin", "co-amoxiclav", AGENTS)  # fmt: skip
DECLINED = "infection-prophylaxis-declined"


def assess(view: View) -> Answer:
    """Routine prophylaxis for the first cycles, the more so in the risk groups."""
    cycle, day_1, terms = view.cycle, view.first_cycle_day_1, view.policy.terms
    if not view.is_on_treatment or cycle is None or day_1 is None:
        return NOTHING
    due = days_after(day_1, terms.inf_ppx_wait_days.whole + 1, view.zone)
    span = view.span_now(AGENTS)
    recheck = earliest(
        *(i for i in (due, span and span.ends, view.next_cycle_at, view.ledger.ended_at) if i and i > view.at)
    )
    if cycle.number > terms.inf_ppx_cycles.whole or view.at < due or span is not None:
        return Nothing(recheck)
    risks = find_risks(view)
    if not (risks or terms.inf_ppx_for_all):
        return Nothing(recheck)
    past = view.spans(AGENTS)
    since = max(due, past[-1].ends) if past else due
    first = next((s for s in view.supplies(LENALIDOMIDE) if s.way != "ordered"), None)
    evidence = [Shown("lenalidomide", first)] if first is not None else []
    evidence += [Shown("last prophylaxis", past[-1].newest)] if past else []
    evidence += [Shown(what, fact) for what, fact in risks]
    named = ", ".join(dict.fromkeys(what for what, _ in risks))
    return found(
        Finding(
            since=since,
            effective_at=since,
            reason="high-risk" if risks else None,
            title="No antibacterial prophylaxis" + (f" although at high risk: {named}" if risks else ""),
            message=f"Neither co-trimoxazole nor a quinolone nor a penicillin is taken in the first "
            f"{terms.inf_ppx_cycles} cycles{f', with {named}' if risks else ''}. "
            "Routine prophylaxis is recommended for these cycles.",
            advice=Advice(action=Action.START, agent="antibacterial prophylaxis"),
            evidence=tuple(evidence),
            thresholds=(terms.inf_ppx_cycles, terms.inf_ppx_wait_days, *((terms.inf_recent_days,) if risks else ())),
            context=_context(view),
        ),
        recheck,
    )


def _context(view: View) -> tuple[str, ...]:
    allergies = {name for allergy in view.allergies(SUBSTANCES) for name in allergy.substances}
    lines = [f"Allergy recorded: {', '.join(sorted(allergies))}."] if allergies else []
    if view.ledger.statements.get(DECLINED) is not None:
        lines.append("A person recorded that no prophylaxis is given on purpose.")
    return tuple(lines)
