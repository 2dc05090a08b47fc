"""A patient of whom everything the tier needs is known, and answers as short phrases."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from rules.answers import Answer, CannotAssess, Finding, Found
from rules.catalogue import BY_ID
from rules.picture import AnyKept, Procedure
from rules.policy.reading import Policy
from rules.thrombosis.risk import Tier, decide_tier
from schemas.events import FactStatus
from tests.rules.bedside import lenalidomide, on, person, policy, procedure, result, statement, view

Facts = Iterable[AnyKept]


def known(
    *,
    platelets: str | None = "180000",
    creatinine: str | None = "1.0",
    weight: str | None = "60",
    height: str | None = "170",
    birth: str | None = "1958-03-01",
    sex: str = "male",
    ecog: str | None = "1",
    plan: str | None = "160",
    start: bool = True,
) -> list[AnyKept]:
    """A man of 68 with a clearance of 60 mL/min, tier 3, who takes the first dose on day 1."""
    facts: list[AnyKept] = []
    if birth is not None:
        facts.append(person(birth, sex))
    facts += [
        result(analyte, value, -2)
        for analyte, value in (
            ("platelets", platelets),
            ("creatinine", creatinine),
            ("weight", weight),
            ("height", height),
        )
        if value is not None
    ]
    if ecog is not None:
        facts.append(statement("ecog", -2, number=ecog))
    if plan is not None:
        facts.append(statement("dexamethasone-plan-mg-per-cycle", -2, number=plan))
    return [*facts, lenalidomide(1)] if start else facts


def cycles(last: int) -> list[AnyKept]:
    """Lenalidomide for cycle 2 to `last`, each 28 days after the one before."""
    return [lenalidomide(1 + 28 * number) for number in range(1, last)]


def done(concept: str, day: float, hour: float = 9.0, status: FactStatus = FactStatus.FINAL) -> Procedure:
    """A procedure at an hour, done or planned."""
    at = on(day, hour)
    return structs.replace(procedure(concept, day), at=at, known=at, issued=at, version=at, status=status)


def said(rule: str, facts: Facts, *, day: float, hour: float = 12.0, using: Policy | None = None) -> str:
    """`quiet`, `cannot: what`, or reason and severity of each finding, `provisional` where it is."""
    answer = ask(rule, facts, day=day, hour=hour, using=using)
    if isinstance(answer, CannotAssess):
        return "cannot: " + ", ".join(answer.missing)
    if not isinstance(answer, Found):
        return "quiet"
    return "; ".join(
        " ".join(
            word
            for word in (
                finding.reason,
                str((using or policy()).severity(rule, finding.reason)),
                "provisional" if finding.is_provisional else None,
            )
            if word
        )
        for finding in answer.findings
    )


def ask(rule: str, facts: Facts, *, day: float, hour: float = 12.0, using: Policy | None = None) -> Answer:
    """What a rule answers."""
    return BY_ID[rule].assess(view(facts, day=day, hour=hour, using=using))


def found(rule: str, facts: Facts, *, day: float, hour: float = 12.0, using: Policy | None = None) -> Finding:
    """The one finding of a rule, which must be there."""
    answer = ask(rule, facts, day=day, hour=hour, using=using)
    assert isinstance(answer, Found), answer
    (finding,) = answer.findings
    return finding


def tier_of(facts: Facts, *, day: float, hour: float = 12.0, using: Policy | None = None) -> Tier:
    """The tier on a day."""
    return decide_tier(view(facts, day=day, hour=hour, using=using))
