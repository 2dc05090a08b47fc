"""Lenalidomide was started without a documented line of therapy before it.

Watches for    cycle 1 with no line of therapy recorded, or fewer than the use of the panel stands on.
Stays silent   once enough lines are recorded, and from cycle 2 on.
Cannot assess  never: lines that are not recorded are what it asks about.
Numbers        ind_min_prior_lines
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, found, latest
from rules.ledger import LENALIDOMIDE
from rules.lookahead import next_border
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ind-line-check"
LINES = "therapy-line"


def assess(view: View) -> Answer:
    """The timed end keeps it short."""
    started, cycle = view.ledger.started_at, view.cycle
    if started is None or not view.is_on_treatment or cycle is None or cycle.number > 1:
        return NOTHING
    lines, least = view.statement(LINES), view.policy.terms.ind_min_prior_lines
    if lines is not None and lines.number is not None and lines.number >= least.value:
        return Nothing(next_border(view, LINES))
    said = f"{lines.number:f} lines" if lines is not None and lines.number is not None else "no number of lines"
    return found(
        Finding(
            since=started,
            effective_at=latest(started, view.answer_since(LINES)),
            title="Indication to confirm: no line of myeloma therapy before lenalidomide is documented",
            message=f"There is {said} of therapy before lenalidomide on record; the panel's use is after at least "
            f"{least}. Confirm the indication, or record the lines.",
            advice=Advice(action=Action.VERIFY_DATA, agent="lenalidomide"),
            evidence=(*_begun_by(view), *((Shown("lines of therapy", lines),) if lines is not None else ())),
            thresholds=(least,),
        ),
        next_border(view, LINES),
    )


def _begun_by(view: View) -> tuple[Shown, ...]:
    """The first supply that is kept, else the patient's own word on the first dose."""
    supplies = [supply for supply in view.supplies(LENALIDOMIDE) if supply.way != "ordered"]
    taken = view.ledger.statements.get("cycle-day-1-taken")
    first = supplies[0] if supplies else taken
    return (Shown("lenalidomide", first),) if first is not None else ()
