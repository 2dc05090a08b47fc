"""The running account of one patient: the fields that rules read and nothing more.

Bounded by design: newest values, open episodes and holds, the last cycles and supplies. Lists are
tuples that are replaced, never changed in place, so that a shallow copy is a whole copy.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from rules.holds import Episode, Fever, Hold, PastEpisode, Stop
from rules.picture import Allergy, AnyKept, Diagnosis, Person, Procedure, Result, Statement, Stay, Supply, Vaccine

LENALIDOMIDE = "lenalidomide"


class Cycle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One cycle: its day 1 and how far that is to be trusted."""

    number: int
    day_1: datetime
    trust: str
    """`administered`, `patient-reported`, `planned` or `inferred`, in falling order of trust."""
    known: datetime

    @property
    def is_inferred(self) -> bool:
        """Day 1 was not recorded as taken."""
        return self.trust in ("inferred", "planned")


class Doubt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something about a result that a person must look at (clinical reference, part 7.2)."""

    kind: str
    """`unit`, `implausible`, `clumped`, `conflict`, `anc-uncomputable` or `code-system`."""
    result: Result
    other: Result | None = None


class HeldDispense(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Lenalidomide handed over although a hold stood, or before its result was known."""

    supply: Supply
    cause: str
    """`anc`, `platelets`, `fever`, or the rule of a stop."""
    opened: AnyKept
    was_known: bool


class Resumed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first dispense after every hold was released, and the dose a day that was allowed (None: none)."""

    supply: Supply
    allowed_mg: Decimal | None
    is_defined: bool
    opened: Result
    """What opened the hold that was released last."""


class Pregnancy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A pregnancy that the record shows: the test or code that showed it first, and the newest one."""

    first: Result | Diagnosis
    newest: Result | Diagnosis
    on_treatment: bool
    """Seen between the first dose and the end of the time after treatment: a negative test alone does not end it."""


class Ledger(msgspec.Struct, array_like=True):
    """See the module. Everything is as of `folded_to`, the clinical time of the last fact folded."""

    zone: str = "UTC"
    folded_to: datetime | None = None
    person: Person | None = None
    enrolled_at: datetime | None = None
    number: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    cycles: tuple[Cycle, ...] = ()
    plan: Statement | None = None
    dose: Supply | None = None
    newest: dict[str, Result] = {}
    previous: dict[str, Result] = {}
    preliminary: dict[str, Result] = {}
    unusable: dict[str, Result] = {}
    baseline: dict[str, Result] = {}
    last_cbc: Result | None = None
    neutropenia: Episode | None = None
    neutropenia_count: int = 0
    thrombocytopenia: Episode | None = None
    thrombocytopenia_count: int = 0
    past_episodes: tuple[PastEpisode, ...] = ()
    holds: tuple[Hold, ...] = ()
    released: tuple[Hold, ...] = ()
    late: tuple[Hold, ...] = ()
    held_dispenses: tuple[HeldDispense, ...] = ()
    resumed: Resumed | None = None
    fever: Fever | None = None
    fever_count: int = 0
    complication_at: datetime | None = None
    supplies: tuple[Supply, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    stays: tuple[Stay, ...] = ()
    statements: dict[str, Statement] = {}
    doubts: tuple[Doubt, ...] = ()
    anaemia: Episode | None = None
    """The present run of low haemoglobin values; it is not numbered."""
    cleared_at: datetime | None = None
    """When the last open hold was released."""
    first_stated: dict[str, Statement] = {}
    """The first statement of each code since it says what it says now."""
    start_dose: Supply | None = None
    """The first lenalidomide of the course that was handed over or taken and states its dose."""
    series: dict[str, tuple[Result, ...]] = {}
    """Values of what a rule follows over weeks: the newest two, the highest of each week before, further back fewer."""
    stops: tuple[Stop, ...] = ()
    """Causes to hold that are no counts, as the rules named them when a fact that concerns them came last."""
    answers: tuple[Result, ...] = ()
    """The last results of each test that is read as an answer (pregnancy, hepatitis B)."""
    pregnancy: Pregnancy | None = None
    vaccines: tuple[Vaccine, ...] = ()
    stated: tuple[Statement, ...] = ()
    """The last statements of each code whose course matters, not only its newest word; in clinical order."""
    liver: Episode | None = None
    """The present run of raised liver values, until all are back to the baseline; it is not numbered."""
    lysis: datetime | None = None
    """Since when enough values of the start count towards tumour lysis, while they do."""
    stops_ended_at: datetime | None = None
    """When a fact last ended a cause to hold that is no count."""
    pregnancy_ended_at: datetime | None = None
    """When the record last showed that there is no pregnancy any more."""
