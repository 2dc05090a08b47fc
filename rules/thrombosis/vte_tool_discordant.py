"""Table 3, IMPEDE VTE and SAVED ask for different things.

Watches for    the class each asks for: none, aspirin or an anticoagulant. The scores know no "none": low is aspirin.
Stays silent   where one class fits all three, on therapeutic anticoagulation, from a VTE of this course on while its
               alert is open or it is treated, and after the course.
Cannot assess  where the tier is not known, or a score is an interval that leaves it open whether they agree.
Numbers        impede_intermediate_at, saved_high_at, imwg_lmwh_at, vte_tier1_cycles, vte_tier3_aspirin
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.ledger import LENALIDOMIDE
from rules.picture import Diagnosis, Procedure
from rules.thrombosis.agents import THERAPEUTIC
from rules.thrombosis.borders import newest_border, next_border
from rules.thrombosis.impede import impede
from rules.thrombosis.imwg import imwg
from rules.thrombosis.precedence import event_in_charge
from rules.thrombosis.risk import decide_tier, is_assessed_by_person
from rules.thrombosis.saved import saved
from rules.thrombosis.table3 import is_within_tier1_cycles
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-tool-discordant"
NONE, ASPIRIN, ANTICOAGULANT = "none", "aspirin", "anticoagulant"


def assess(view: View) -> Answer:
    """A note for a person: both scores were built mainly in newly diagnosed myeloma."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    tier, (has_event, event_until) = decide_tier(view), event_in_charge(view)
    recheck = earliest(tier.changes_at, event_until, next_border(view), view.next_cycle_at)
    if has_event or view.says_yes(THERAPEUTIC):
        return Nothing(recheck)
    if tier.unknown and not is_assessed_by_person(view):
        return CannotAssess(tier.unknown, recheck)
    scores = view.derive(impede), view.derive(saved)
    limits = terms.impede_intermediate_at, terms.saved_high_at
    table = _by_tier(view, tier.number)
    by_score = [
        {ANTICOAGULANT if points >= limit.whole else ASPIRIN for points in (score.low, score.high)}
        for score, limit in zip(scores, limits, strict=True)
    ]
    common = by_score[0] & by_score[1] & {table}
    if common:
        is_open = any(len(classes) > 1 for classes in by_score)
        missing = tuple(dict.fromkeys((*scores[0].missing, *scores[1].missing)))
        return CannotAssess(missing, recheck) if is_open else Nothing(recheck)
    lines = [
        f"Table 3, {tier.named}: {table}",
        *(
            f"{name} {score.shown}{score.without_race}: {' or '.join(sorted(classes))}"
            for name, score, classes in zip(("IMPEDE VTE", "SAVED"), scores, by_score, strict=True)
        ),
    ]
    # What is measured again and again, or refilled, is no news each time: the scores are shown in the title.
    facts = [f for f in (*scores[0].facts, *scores[1].facts) if isinstance(f, (Diagnosis, Procedure))]
    evidence = (*tier.evidence, *(Shown("item of a score", fact) for fact in dict.fromkeys(facts)))
    return found(
        Finding(
            since=started,
            effective_at=newest_border(view, started),
            title=f"VTE risk tools disagree: {'; '.join(lines)}",
            message=f"The tools ask for different prophylaxis. {'. '.join(lines)}. The scores were built mainly in "
            "newly diagnosed myeloma and are extrapolated here.",
            advice=Advice(action=Action.INFORM),
            evidence=evidence or _treatment(view),
            thresholds=limits,
            context=(imwg(view).shown,),
        ),
        recheck,
    )


def _treatment(view: View) -> tuple[Shown, ...]:
    """The dose the course began with: a refill is no news."""
    first = view.ledger.start_dose
    supplies = (first,) if first is not None else view.supplies(LENALIDOMIDE)[:1]
    return tuple(Shown("treatment", supply) for supply in supplies)


def _by_tier(view: View, tier: int) -> str:
    """What Table 3 asks of the tier, whatever the platelets allow."""
    if tier == 1 and is_within_tier1_cycles(view):
        return ANTICOAGULANT
    return ASPIRIN if tier < 3 or view.policy.terms.vte_tier3_aspirin else NONE
