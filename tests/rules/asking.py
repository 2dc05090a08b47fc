"""What a rule answers, as one short phrase, so that a table of cases reads like a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from rules.answers import Answer, CannotAssess, Finding, Found
from rules.catalogue import BY_ID, CATALOGUE
from rules.picture import AnyKept
from rules.policy.reading import Policy
from rules.view import View
from tests.rules.bedside import cbc, ledger, lenalidomide, on, person, policy, result, view

Facts = Iterable[AnyKept | Iterable[AnyKept]]
FAMILIES = ("haematology", "dosing", "monitoring", "dataquality")


def start(anc: str = "2500", platelets: str = "180000", dose: str = "25") -> list[AnyKept]:
    """A man of 68 years, 60 kg and a clearance of 60 mL/min, with a baseline CBC, who starts on day 1."""
    return [
        person(),
        result("weight", "60", -1),
        result("creatinine", "1.0", -1),
        *cbc(-1, anc, platelets),
        lenalidomide(1, dose),
    ]


def finding_of(
    rule: str, *facts: AnyKept | Iterable[AnyKept], day: float, hour: float = 12.0, using: Policy | None = None
) -> Finding:
    """The one finding of a rule, which must be there."""
    answer = BY_ID[rule].assess(view(*facts, day=day, hour=hour, using=using))
    assert isinstance(answer, Found), answer
    (finding,) = answer.findings
    return finding


def answer_of(
    rule: str, *facts: AnyKept | Iterable[AnyKept], day: float, hour: float = 12.0, using: Policy | None = None
) -> str:
    """`quiet`, `cannot: what is missing`, or the severity of each finding (with `provisional`)."""
    return phrase(rule, BY_ID[rule].assess(view(*facts, day=day, hour=hour, using=using)), using or policy())


def phrase(rule: str, answer: Answer, using: Policy) -> str:
    """An answer in a few words."""
    if isinstance(answer, CannotAssess):
        return "cannot: " + ", ".join(answer.missing)
    if not isinstance(answer, Found):
        return "quiet"
    return ", ".join(
        f"{using.severity(rule, finding.reason)}{' provisional' if finding.is_provisional else ''}"
        for finding in answer.findings
    )


def alerts(
    *facts: AnyKept | Iterable[AnyKept],
    day: float,
    hour: float = 12.0,
    using: Policy | None = None,
    family: str = "haematology",
) -> set[str]:
    """Every rule of a family that has a finding."""
    seen = view(*facts, day=day, hour=hour, using=using)
    return {entry.id for entry in CATALOGUE if entry.family == family and isinstance(entry.assess(seen), Found)}


def recheck_of(
    rule: str, *facts: AnyKept | Iterable[AnyKept], day: float, hour: float = 12.0, using: Policy | None = None
) -> datetime | None:
    """When the rule wants to be asked again."""
    return BY_ID[rule].assess(view(*facts, day=day, hour=hour, using=using)).recheck_at


def all_at(facts: Facts, at: datetime, using: Policy | None = None) -> View:
    """A view at any instant with all facts up to then."""
    flat: list[AnyKept] = []
    for fact in facts:
        flat.extend([fact] if isinstance(fact, AnyKept) else fact)
    return View(ledger([fact for fact in flat if fact.at <= at], using=using), at, using or policy())


Table = Callable[..., None]

__all__ = ["FAMILIES", "Facts", "alerts", "all_at", "answer_of", "finding_of", "on", "phrase", "recheck_of", "start"]
