"""Vaccines that are missing, and live vaccines that must not be given.

Watches for    no pneumococcal, recombinant zoster or COVID-19 vaccine on record; a live vaccine ordered, planned or given.
Stays silent   once each is on record; about a live vaccine when its order is cancelled or it was shown long enough.
Cannot assess  never: the missing record is the finding. Influenza is left to `inf-vaccine-flu`.
Numbers        inf_live_vaccine_shown_days
"""

from __future__ import annotations

from datetime import datetime

from rules.answers import NOTHING, Answer, Finding, Found, Nothing, Shown, earliest, latest
from rules.infection.course_facts import lenalidomide_shown
from rules.picture import Supply, Vaccine
from rules.view import View
from schemas.alerts import Action, Advice
from schemas.events import FactStatus

RULE_ID = "vaccines"
WANTED = ("pneumococcal", "zoster-recombinant", "covid-19")
LIVE = frozenset(("influenza-live", "zoster-live", "measles-mumps-rubella", "varicella", "yellow-fever", "bcg",
                  "typhoid-oral"))  # fmt: skip
LIVE_ORDERED = "live-vaccine"


def assess(view: View) -> Answer:
    """What is missing as one note, each live vaccine as an alert of its own."""
    started, terms = view.ledger.started_at, view.policy.terms
    if started is None or not view.is_on_treatment:
        return NOTHING
    borders = earliest(*(i for i in (started, view.ledger.ended_at) if i is not None and i > view.at))
    if started > view.at:
        return Nothing(borders)
    shown_for = terms.inf_live_vaccine_shown_days.span
    live: list[Vaccine | Supply] = [v for v in view.ledger.vaccines if not LIVE.isdisjoint(v.vaccines)]
    here = [fact for fact in (*live, *view.supplies(LIVE_ORDERED)) if view.at < fact.at + shown_for]
    findings = [_live(view, fact, started) for fact in here]
    given = [v for v in view.ledger.vaccines if v.status is not FactStatus.PLANNED]
    missing = [name for name in WANTED if not any(name in v.vaccines for v in given)]
    if missing:
        findings.append(_missing(view, missing, given, started))
    recheck = earliest(borders, *(fact.at + shown_for for fact in here))
    return Found(tuple(findings), recheck) if findings else Nothing(recheck)


def _live(view: View, fact: Vaccine | Supply, started: datetime) -> Finding:
    what = ", ".join(fact.vaccines) if isinstance(fact, Vaccine) else fact.medicine
    since = latest(fact.at, started)
    return Finding(
        subject=f"live:{fact.id}",
        since=since,
        effective_at=since,
        reason="live",
        title=f"Live vaccine on lenalidomide and dexamethasone: {what}",
        message="Live vaccines are contraindicated on this treatment. Cancel it; if it was given, ask a specialist today.",
        advice=Advice(action=Action.STOP, agent=what),
        evidence=(Shown("live vaccine", fact),),
        thresholds=(view.policy.terms.inf_live_vaccine_shown_days,),
    )


def _missing(view: View, missing: list[str], given: list[Vaccine], started: datetime) -> Finding:
    return Finding(
        subject="missing",
        since=started,
        effective_at=started,
        title=f"Vaccines not on record: {', '.join(missing)}",
        message=f"Not on record: {', '.join(missing)}. Consider them; live vaccines must not be given.",
        advice=Advice(action=Action.START, agent=", ".join(missing)),
        evidence=(lenalidomide_shown(view), *(Shown("newest vaccine on record", v) for v in given[-1:])),
    )
