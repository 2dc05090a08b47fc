"""What we know of one patient: facts as kept, placed by their clinical time.

A fact of the log becomes one small immutable `Kept` struct that holds what rules read and what
an alert must show. Facts are ordered by clinical time, never by arrival; of several versions of
one fact the newest counts (version time, then status rank, then place in the log).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from rules.calendar import in_utc
from schemas.events import (
    AdverseEventRecorded,
    AllergyRecorded,
    ConditionRecorded,
    EncounterRecorded,
    Fact,
    FactStatus,
    LabResultReported,
    MedicineFact,
    PatientDescribed,
    ProcedureRecorded,
    ResultDoubt,
    StatementRecorded,
    VaccineGiven,
)
from schemas.values import When

STOPPED = "lenalidomide-stopped"

STATUS_RANK = {
    FactStatus.PLANNED: 0,
    FactStatus.PRELIMINARY: 1,
    FactStatus.FINAL: 2,
    FactStatus.CORRECTED: 3,
    FactStatus.WITHDRAWN: 4,
}


class Kept(msgspec.Struct, frozen=True, array_like=True, tag_field="t", gc=False):
    """What every kept fact has. `at` is the earliest instant it may have happened.

    `latest` is set only where the time was not a full instant. `known` is when this version
    could be known here, `version` orders versions of the same fact, `origin` is the patient key
    it arrived under (None for this record's own), so that a merge can be undone.
    """

    id: str
    at: datetime
    latest: datetime | None
    known: datetime
    issued: datetime | None
    status: FactStatus
    version: datetime
    offset: int
    origin: str | None
    feed: str
    message: str
    position: str

    @property
    def last(self) -> datetime:
        """The latest instant it may have happened."""
        return self.latest or self.at

    @property
    def is_withdrawn(self) -> bool:
        """Retracted, cancelled, returned: no longer claimed."""
        return self.status is FactStatus.WITHDRAWN

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Place in the patient's history."""
        return (self.at, RANK[type(self)], self.id)

    def outranks(self, other: Kept) -> bool:
        """Whether this version of a fact replaces the other; the same words again do not."""
        mine, theirs = (self.version, STATUS_RANK[self.status]), (other.version, STATUS_RANK[other.status])
        if self._says_the_same_as(other) and (mine == theirs or (self._has_no_version and other._has_no_version)):
            return False
        return (*mine, self.offset) > (*theirs, other.offset)

    @property
    def _has_no_version(self) -> bool:
        """No version time was sent: when it became known stands in for it."""
        return self.version == self.known

    def became(self, kept: Kept) -> bool:
        """Whether this version is the one that was kept, as it came or as known for longer."""
        is_one = (self.version, self.status, self.offset) == (kept.version, kept.status, kept.offset)
        return self is kept or (is_one and kept.known <= self.known)

    def _says_the_same_as(self, other: Kept) -> bool:
        """Equal in all but when, where and by which message it was heard."""
        heard = {"known", "version", "offset", "feed", "message", "position", "earlier"}
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name not in heard
        )


_KEPT_EARLIER = 4
"""A result is corrected once or twice; what was said before that decided nothing that still stands."""


class Result(Kept, frozen=True, array_like=True, tag="r", gc=False):
    """A measured value in the canonical unit of its analyte, and as it was received."""

    analyte: str
    value: Decimal | None
    bound: str | None
    """`<`, `<=`, `>` or `>=` where the laboratory gave a bound instead of a value."""
    doubt: ResultDoubt | None
    could_breach: bool
    received: str | None
    unit: str | None
    canonical: str | None
    code: str | None
    system: str | None
    low: Decimal | None
    high: Decimal | None
    specimen: str | None
    unit_doubted: bool = False
    """Set while deriving: the scale against the previous count makes the unit doubtful."""
    earlier: tuple[tuple[datetime, Decimal], ...] = ()
    """What was said before a correction, oldest first: since when it was known, and the value."""
    answer: str | None = None
    """`positive`, `negative` or `indeterminate`, where the result is no number."""

    @property
    def is_preliminary(self) -> bool:
        """Shown, but neither opens nor releases a hold."""
        return self.status is FactStatus.PRELIMINARY

    @property
    def is_usable(self) -> bool:
        """Has a value that a rule may decide on."""
        return self.value is not None and self.doubt in (None, ResultDoubt.CLUMPED)

    @property
    def is_doubtful(self) -> bool:
        """Usable, but an alert it raises is provisional (unit or clumping doubt)."""
        return self.unit_doubted or self.doubt is ResultDoubt.CLUMPED

    def is_below(self, limit: Decimal) -> bool | None:
        """Whether the true value is below the limit; None where a bound proves neither."""
        value = self.value
        if value is None:
            return None
        if self.bound is None:
            return value < limit
        if self.bound == "<":
            return True if value <= limit else None
        if self.bound == "<=":
            return True if value < limit else None
        return False if value >= limit else None

    def is_at_most(self, limit: Decimal) -> bool | None:
        """Whether the true value is at or below the limit; None where a bound proves neither."""
        value = self.value
        if value is None:
            return None
        if self.bound is None:
            return value <= limit
        if self.bound in ("<", "<="):
            return True if value <= limit else None
        if self.bound == ">":
            return False if value >= limit else None
        return False if value > limit else None

    def known_since(self, other: Result) -> Result:
        """This version after an earlier one: known since that one if no rule could tell the two apart."""
        names = ("at", "latest", "analyte", "value", "bound", "doubt", "canonical", "answer", "is_preliminary",
                 "is_withdrawn")  # fmt: skip
        if all(getattr(self, name) == getattr(other, name) for name in names):
            return msgspec.structs.replace(self, known=other.known, earlier=other.earlier)
        if other.value is None or other.bound or other.doubt or other.is_preliminary or other.is_withdrawn:
            return self
        earlier = (*other.earlier, (other.known, other.value))
        return msgspec.structs.replace(self, earlier=earlier[-_KEPT_EARLIER:])

    @property
    def shown(self) -> str:
        """The value for people, in the canonical unit."""
        if self.value is None:
            return f"{self.answer or self.received or 'no value'} {self.unit or ''}".strip()
        number = f"{self.value:,f}" if self.canonical == "cells/uL" else f"{self.value:f}"
        if "." in number:
            number = number.rstrip("0").rstrip(".")
        return f"{self.bound or ''}{number}"


class Supply(Kept, frozen=True, array_like=True, tag="m", gc=False):
    """A medicine dispensed, ordered, given or taken at home."""

    way: str
    """`dispensed`, `ordered`, `given` or `home`."""
    medicine: str
    classes: tuple[str, ...]
    strength_mg: Decimal | None
    quantity: Decimal | None
    days: int | None
    dose_mg: Decimal | None
    daily_mg: Decimal | None
    schedule: str | None
    until: datetime | None
    purpose: str | None
    cycle_day_1: bool | None
    code: str | None
    system: str | None

    @property
    def dose(self) -> Decimal | None:
        """The dose of one intake in mg, as far as it is stated."""
        return self.dose_mg or self.daily_mg or self.strength_mg

    def total_mg(self) -> Decimal | None:
        """All of it in mg: strength by quantity, else the single dose."""
        if self.strength_mg is not None and self.quantity is not None:
            return self.strength_mg * self.quantity
        return self.dose_mg


class Diagnosis(Kept, frozen=True, array_like=True, tag="d", gc=False):
    """A condition, symptom, bleeding or adverse event, by concept."""

    concepts: tuple[str, ...]
    abated: datetime | None
    is_active: bool
    is_history: bool
    grade: int | None
    related: tuple[str, ...] = ()
    """Medicines that a person judged to have caused it."""
    code: str | None = None
    """The first code as received: tells one cancer from another under the same concept."""

    def is_over(self, at: datetime) -> bool:
        """Ended by then, as far as recorded."""
        return (self.abated is not None and self.abated <= at) or (self.abated is None and not self.is_active)


class Allergy(Kept, frozen=True, array_like=True, tag="a", gc=False):
    """An allergy or intolerance to an ingredient or class."""

    substances: tuple[str, ...]
    is_active: bool


class Procedure(Kept, frozen=True, array_like=True, tag="p", gc=False):
    """A procedure, transfusion or imaging study."""

    concepts: tuple[str, ...]
    ended: datetime | None


class Vaccine(Kept, frozen=True, array_like=True, tag="v", gc=False):
    """A vaccine that was given."""

    vaccines: tuple[str, ...]


class Stay(Kept, frozen=True, array_like=True, tag="e", gc=False):
    """An encounter: admission, visit."""

    setting: str | None
    ended: datetime | None


class Statement(Kept, frozen=True, array_like=True, tag="s", gc=False):
    """A fact of the project's own CodeSystem."""

    code: str
    value_code: str | None
    number: Decimal | None
    when: datetime | None
    until: datetime | None


class Person(Kept, frozen=True, array_like=True, tag="w", gc=False):
    """Who the patient is, as far as a rule needs."""

    birth: date | None
    birth_latest: date | None
    sex: str | None
    country: str | None
    race: str | None
    died: datetime | None


AnyKept = Result | Supply | Diagnosis | Allergy | Procedure | Vaccine | Stay | Statement | Person

RANK: dict[type[Kept], int] = {
    Person: 0,
    Statement: 1,
    Diagnosis: 2,
    Allergy: 2,
    Procedure: 3,
    Vaccine: 3,
    Stay: 3,
    Result: 4,
    Supply: 5,
}
"""At the same instant a result counts before a dispense: a count decides on what is handed over after it."""

_WAYS = {
    "medicine-dispensed": "dispensed",
    "medicine-ordered": "ordered",
    "medicine-administered": "given",
    "medicine-taken-at-home": "home",
}


_Base = tuple[
    str, datetime, datetime | None, datetime, datetime | None, FactStatus, datetime, int, str | None, str, str, str
]
"""The fields of `Kept`, in order."""


def keep(fact: Fact, known: datetime, offset: int, patient_key: str) -> AnyKept | None:
    """Turn a fact of the log into its kept form; None where it names nothing a rule could read."""
    when = fact.when
    at = in_utc(when.earliest)
    issued = None if fact.issued_at is None else in_utc(fact.issued_at)
    base: _Base = (
        fact.fact_id,
        _placed_at(fact, at),
        None if when.latest == when.earliest else in_utc(when.latest),
        known,
        issued,
        fact.status,
        (issued or known) if fact.versioned_at is None else in_utc(fact.versioned_at),
        offset,
        None if fact.origin_key == patient_key else fact.origin_key,
        fact.source.feed,
        fact.source.message,
        fact.source.position,
    )
    if isinstance(fact, LabResultReported):
        return _keep_result(fact, base)
    if isinstance(fact, MedicineFact):
        if fact.medicine is None:
            return None
        first = fact.codes[0] if fact.codes else None
        return Supply(
            *base,
            way=_WAYS[fact.kind],
            medicine=fact.medicine,
            classes=fact.classes,
            strength_mg=fact.strength_mg,
            quantity=fact.quantity,
            days=fact.days_supply,
            dose_mg=fact.dose_mg,
            daily_mg=fact.daily_dose_mg,
            schedule=fact.schedule,
            until=_end(fact.until),
            purpose=fact.purpose,
            cycle_day_1=fact.cycle_day_1,
            code=first.code if first else None,
            system=first.system if first else None,
        )
    if isinstance(fact, ConditionRecorded):
        code = fact.codes[0].code if fact.codes else None
        return Diagnosis(*base, fact.concepts, _end(fact.abated), fact.is_active, fact.is_history, None, (), code)
    if isinstance(fact, AdverseEventRecorded):
        code = fact.codes[0].code if fact.codes else None
        return Diagnosis(*base, fact.concepts, _end(fact.abated), True, False, fact.grade, fact.related_to, code)
    if isinstance(fact, StatementRecorded):
        return Statement(
            *base, fact.code, fact.value_code, fact.value_number, _start(fact.value_when), _end(fact.until)
        )
    if isinstance(fact, PatientDescribed):
        birth = fact.birth
        return Person(
            *base,
            _local_day(birth, end=False),
            _local_day(birth, end=True),
            fact.sex,
            fact.country,
            fact.race,
            _start(fact.died),
        )
    if isinstance(fact, AllergyRecorded):
        return Allergy(*base, fact.substances, fact.is_active)
    if isinstance(fact, ProcedureRecorded):
        return Procedure(*base, fact.concepts, _end(fact.ended))
    if isinstance(fact, VaccineGiven):
        return Vaccine(*base, fact.vaccines)
    if isinstance(fact, EncounterRecorded):
        return Stay(*base, fact.setting, _end(fact.ended))
    raise TypeError(f"no kept form for {type(fact).__name__}")


def _placed_at(fact: Fact, at: datetime) -> datetime:
    """A stop lies where treatment ended, not where it was written down: a course may have begun in between."""
    if isinstance(fact, StatementRecorded) and fact.code == STOPPED and fact.value_when is not None:
        return min(at, in_utc(fact.value_when.latest))
    return at


def _keep_result(fact: LabResultReported, base: _Base) -> Result | None:
    if fact.analyte is None:
        return None
    first = fact.codes[0] if fact.codes else None
    received = f"{fact.value:f}" if fact.value is not None else fact.text or fact.answer
    limits = fact.range
    # By position: a report makes many of these, and names cost a third of the time.
    return Result(
        *base,
        fact.analyte,
        fact.normalised,
        fact.comparator,
        fact.doubt,
        fact.could_breach,
        received,
        fact.unit,
        fact.normalised_unit,
        first.code if first else None,
        first.system if first else None,
        limits.low if limits else None,
        limits.high if limits else None,
        fact.specimen,
        answer=fact.answer,
    )


def _start(when: When | None) -> datetime | None:
    return in_utc(when.earliest) if when else None


def _end(when: When | None) -> datetime | None:
    return in_utc(when.latest) if when else None


def _local_day(when: When | None, *, end: bool) -> date | None:
    """A birth date is a calendar day: the middle of its interval lies in that day in any zone."""
    if when is None:
        return None
    if when.latest - when.earliest <= timedelta(hours=25):
        return (when.earliest + (when.latest - when.earliest) / 2).date()
    inside = timedelta(hours=24)
    return (when.latest - inside).date() if end else (when.earliest + inside).date()


def merge_versions(known: Iterable[AnyKept], new: Iterable[AnyKept]) -> dict[str, AnyKept]:
    """The newest version of each fact.

    A result that is sent again, as in a cumulative report, has been known since it first said the same.
    """
    best = {fact.id: fact for fact in known}
    for fact in new:
        held = best.get(fact.id)
        if held is None or fact.outranks(held):
            if isinstance(held, Result) and isinstance(fact, Result) and held.known < fact.known:
                fact = fact.known_since(held)
            best[fact.id] = fact
    return best
