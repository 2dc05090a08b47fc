"""Newly diagnosed, in the first twelve weeks, and no levofloxacin.

Watches for    no line of therapy before this one, and no levofloxacin taken in the first weeks.
Stays silent   with a line before, and where the lines are not recorded: it is for newly diagnosed patients alone, and
               every published profile switches it off.
Cannot assess  never: see above.
Numbers        levo_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.calendar import days_after
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "levo-12w"
LINES, AGENT = "therapy-line", "levofloxacin"


def assess(view: View) -> Answer:
    """One note a course."""
    day_1, lines, ended = view.first_cycle_day_1, view.statement(LINES), view.ledger.ended_at
    if day_1 is None or not view.is_on_treatment or lines is None or lines.number != 0:
        return NOTHING
    over, span = days_after(day_1, view.policy.terms.levo_days.whole, view.zone), view.span_now(AGENT)
    ends = (day_1, over, ended, lines.until, span.ends if span is not None else None)
    recheck = earliest(*(i for i in ends if i is not None and i > view.at))
    if not day_1 <= view.at < over or span is not None:
        return Nothing(recheck)
    past = view.spans(AGENT)
    since = latest(day_1, past[-1].ends if past else None)
    return found(
        Finding(
            since=since,
            effective_at=latest(since, lines.at),
            title="Newly diagnosed and no levofloxacin",
            message="No line of therapy came before. Levofloxacin in the first twelve weeks lowered febrile illness and death "
            "in newly diagnosed myeloma: consider it.",
            advice=Advice(action=Action.START, agent=AGENT),
            evidence=(Shown("lines of therapy before", lines),),
            thresholds=(view.policy.terms.levo_days,),
        ),
        recheck,
    )
