"""Builders for tests of the medicine: facts by day of treatment, and a view of them.

Day 1 is the first day of cycle 1 (1 June 2026, Asia/Seoul). `day=8` is 09:00 of day 8; `day=-2` is
three days before day 1 (there is no day 0). Every fact is known when it happened unless said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from rules.catalogue import HOLD_RULES
from rules.course import fold
from rules.ledger import Ledger
from rules.picture import (
    Allergy,
    AnyKept,
    Diagnosis,
    Person,
    Procedure,
    Result,
    Statement,
    Stay,
    Supply,
)
from rules.policy.reading import Policy, read_policy
from rules.view import View
from schemas.events import FactStatus, ResultDoubt

ZONE = "Asia/Seoul"
_POLICY = Path(__file__).resolve().parents[2] / "rules" / "policy"
_DAY_1 = datetime(2026, 6, 1, tzinfo=ZoneInfo(ZONE))
_CANONICAL = {
    "anc": "cells/uL", "wbc": "cells/uL", "platelets": "cells/uL", "haemoglobin": "g/dL",
    "creatinine": "mg/dL", "weight": "kg", "height": "cm", "bmi": "kg/m2", "temperature": "Cel", "inr": "INR",
    "systolic-bp": "mm[Hg]",
}  # fmt: skip
_serial = count(1)
PROFILES = ("kr-panel", "uspi", "eu-smpc")
"""The published rule sets that a rule whose numbers differ is tested in."""


@lru_cache(maxsize=512)
def policy(profile: str = "kr-panel", **changes: str) -> Policy:
    """A profile, with single keys changed."""
    return read_policy(
        (_POLICY / f"{profile}.yaml").read_text(),
        (_POLICY / "keys.yaml").read_text(),
        overrides=changes,
        bases={name: (_POLICY / f"{name}.yaml").read_text() for name in PROFILES},
    )


def on(day: float, hour: float = 9.0) -> datetime:
    """An instant by day of treatment."""
    whole = day - 1 if day > 0 else day
    return (_DAY_1 + timedelta(days=whole, hours=hour)).astimezone(UTC)


def _base(day: float, hour: float, known: datetime | None, status: FactStatus, fact_id: str | None) -> tuple:  # type: ignore[type-arg]
    at = on(day, hour)
    known = known or at
    return (fact_id or f"f{next(_serial):05d}", at, None, known, known, status, known, 0, None, "ward", "m", "1")


def result(
    analyte: str,
    value: str | None,
    day: float,
    hour: float = 9.0,
    *,
    known: datetime | None = None,
    status: FactStatus = FactStatus.FINAL,
    bound: str | None = None,
    doubt: ResultDoubt | None = None,
    could_breach: bool = False,
    unit: str | None = None,
    code: str | None = None,
    fact_id: str | None = None,
    specimen: str | None = None,
    low: str | None = None,
    high: str | None = None,
) -> Result:
    """A result whose canonical value is `value`."""
    return Result(
        *_base(day, hour, known, status, fact_id),
        analyte=analyte,
        value=Decimal(value) if value is not None else None,
        bound=bound,
        doubt=doubt,
        could_breach=could_breach,
        received=value,
        unit=unit or _CANONICAL.get(analyte),
        canonical=_CANONICAL.get(analyte),
        code=code,
        system="http://loinc.org",
        low=Decimal(low) if low else None,
        high=Decimal(high) if high else None,
        specimen=specimen,
    )


def cbc(day: float, anc: str = "2500", platelets: str = "180000", hour: float = 9.0, **more: object) -> list[AnyKept]:
    """A complete CBC with an unremarkable WBC."""
    wbc = str(max(int(Decimal(anc)) * 2, 3000))
    return [
        result("wbc", wbc, day, hour, **more),  # type: ignore[arg-type]
        result("anc", anc, day, hour, **more),  # type: ignore[arg-type]
        result("platelets", platelets, day, hour, **more),  # type: ignore[arg-type]
        result("haemoglobin", "11.5", day, hour, **more),  # type: ignore[arg-type]
    ]


CLASSES = {
    "enoxaparin": ("lmwh", "anticoagulant", "antithrombotic"),
    "dalteparin": ("lmwh", "anticoagulant", "antithrombotic"),
    "warfarin": ("vitamin-k-antagonist", "anticoagulant", "antithrombotic"),
    "apixaban": ("doac", "anticoagulant", "antithrombotic"),
    "aspirin": ("antithrombotic",),
    "filgrastim": ("gcsf",),
    "co-trimoxazole": ("antibacterial-prophylaxis", "sulfonamide"),
    "levofloxacin": ("antibacterial-prophylaxis", "quinolone"),
    "amoxicillin": ("antibacterial-prophylaxis",),
    "epoetin-alfa": ("esa",),
    "lenalidomide": ("imid",),
    "pembrolizumab": ("pd1-antibody",),
    "levothyroxine": ("thyroid-treatment",),
    "rivaroxaban": ("doac", "anticoagulant", "antithrombotic"),
    "dabigatran": ("doac", "anticoagulant", "antithrombotic"),
    "heparin": ("anticoagulant", "antithrombotic"),
    "fondaparinux": ("anticoagulant", "antithrombotic"),
    "clopidogrel": ("antithrombotic",),
    "doxorubicin": ("cytotoxic",),
    "melphalan": ("cytotoxic",),
    "cyclophosphamide": ("cytotoxic",),
}


def supply(
    medicine: str,
    day: float,
    hour: float = 10.0,
    *,
    way: str = "dispensed",
    days: int | None = None,
    strength: str | None = None,
    quantity: str | None = None,
    dose: str | None = None,
    schedule: str | None = None,
    until: datetime | None = None,
    purpose: str | None = None,
    cycle_day_1: bool | None = None,
    known: datetime | None = None,
    status: FactStatus = FactStatus.FINAL,
    fact_id: str | None = None,
) -> Supply:
    """A medicine handed over, ordered, given or taken."""
    return Supply(
        *_base(day, hour, known, status, fact_id),
        way=way,
        medicine=medicine,
        classes=CLASSES.get(medicine, ()),
        strength_mg=Decimal(strength) if strength else None,
        quantity=Decimal(quantity) if quantity else None,
        days=days,
        dose_mg=Decimal(dose) if dose else None,
        daily_mg=None,
        schedule=schedule,
        until=until,
        purpose=purpose,
        cycle_day_1=cycle_day_1,
        code=None,
        system=None,
    )


def lenalidomide(day: float, dose: str = "25", hour: float = 10.0, **more: object) -> Supply:
    """21 capsules for a 28-day cycle."""
    return supply("lenalidomide", day, hour, days=28, strength=dose, quantity="21", dose=dose, **more)  # type: ignore[arg-type]


def diagnosis(
    concepts: Iterable[str], day: float, *, history: bool = False, grade: int | None = None,
    abated: datetime | None = None, active: bool = True, fact_id: str | None = None,
    related: tuple[str, ...] = (), code: str | None = None,
) -> Diagnosis:  # fmt: skip
    """A condition or event."""
    base = _base(day, 9.0, None, FactStatus.FINAL, fact_id)
    return Diagnosis(*base, tuple(concepts), abated, active, history, grade, related, code)


def statement(
    code: str, day: float, value: str | None = None, *, number: str | None = None, when: datetime | None = None,
    until: datetime | None = None,
) -> Statement:  # fmt: skip
    """A fact of the project's own CodeSystem."""
    base = _base(day, 8.0, None, FactStatus.FINAL, None)
    return Statement(*base, code, value, Decimal(number) if number else None, when, until)


def procedure(concept: str, day: float) -> Procedure:
    """A procedure or transfusion."""
    return Procedure(*_base(day, 9.0, None, FactStatus.FINAL, None), (concept,), None)


def stay(day: float, setting: str = "inpatient", ended: datetime | None = None) -> Stay:
    """An encounter."""
    return Stay(*_base(day, 9.0, None, FactStatus.FINAL, None), setting, ended)


def allergy(substance: str, day: float = -30) -> Allergy:
    """An allergy."""
    return Allergy(*_base(day, 9.0, None, FactStatus.FINAL, None), (substance,), True)


def person(birth: str = "1958-03-01", sex: str = "male", day: float = -30) -> Person:
    """Who the patient is (68 years at day 1 by default)."""
    born = datetime.fromisoformat(birth).date()
    return Person(*_base(day, 7.0, None, FactStatus.FINAL, None), born, born, sex, "KR", None, None)


def ledger(*facts: AnyKept | Iterable[AnyKept], using: Policy | None = None) -> Ledger:
    """The ledger after these facts, in clinical order."""
    flat: list[AnyKept] = []
    for fact in facts:
        flat.extend([fact] if isinstance(fact, AnyKept) else fact)
    flat.sort(key=lambda kept: kept.order)
    return fold(Ledger(zone=ZONE), flat, using or policy(), HOLD_RULES)


def view(*facts: AnyKept | Iterable[AnyKept], day: float, hour: float = 12.0, using: Policy | None = None) -> View:
    """What a rule sees at noon of a day, with all facts up to then."""
    at = on(day, hour)
    flat: list[AnyKept] = []
    for fact in facts:
        flat.extend([fact] if isinstance(fact, AnyKept) else fact)
    kept = [fact for fact in flat if fact.at <= at]
    return View(ledger(kept, using=using), at, using or policy())
