"""Antibacterial prophylaxis goes on after its cycles.

Watches for    prophylaxis still supplied or ordered in the cycle after the last one with prophylaxis.
Stays silent   once it is used up, with a coded reason to go on, where it is coded as treatment, and afterwards.
Cannot assess  never by itself: no record of an agent means that none goes on.
Numbers        inf_ppx_cycles, inf_ppx_end_cycles
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found
from rules.course_moment import begin_of
from rules.coverage import coverage_spans
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "inf-ppx-end"
AGENTS = "antibacterial-prophylaxis"
JUSTIFIED = "infection-prophylaxis-justified"


def assess(view: View) -> Answer:
    """Stop or justify; what is left in grace no longer counts as going on."""
    cycle, started, terms = view.cycle, view.ledger.started_at, view.policy.terms
    if not view.is_on_treatment or cycle is None or started is None:
        return NOTHING
    supplies = (s for s in view.supplies(AGENTS) if s.purpose != "treatment")
    spans = coverage_spans(supplies, view.policy, view.zone)
    until = spans[-1].until if spans else None
    justified = view.ledger.statements.get(JUSTIFIED)
    ends = justified.until if justified is not None else None
    recheck = earliest(*(i for i in (until, ends, view.next_cycle_at, view.ledger.ended_at) if i and i > view.at))
    over_by = cycle.number - terms.inf_ppx_cycles.whole
    is_justified = justified is not None and justified.at >= started and (ends is None or view.at < ends)
    if until is None or view.at >= until or is_justified or not 0 < over_by <= terms.inf_ppx_end_cycles.whole:
        return Nothing(recheck)
    newest = spans[-1].newest
    # The first cycle without need of it: a later one can be asked for by the policy.
    first = next((c for c in view.ledger.cycles if c.number == terms.inf_ppx_cycles.whole + 1), cycle)
    since = max(begin_of(first, view.zone), spans[-1].begins)
    return found(
        Finding(
            since=since,
            effective_at=since,
            title=f"{newest.medicine.capitalize()} prophylaxis goes on in cycle {cycle.number}",
            message=f"Antibacterial prophylaxis is recommended for {terms.inf_ppx_cycles} cycles; {newest.medicine} "
            f"still goes on in cycle {cycle.number}. Stop it, or record why it goes on.",
            advice=Advice(action=Action.REVIEW_MEDICINE, agent=newest.medicine),
            evidence=(Shown("prophylaxis", newest),),
            thresholds=(terms.inf_ppx_cycles, terms.inf_ppx_end_cycles),
        ),
        recheck,
    )
