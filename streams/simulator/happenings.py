"""What happens to a synthetic patient, before any dialect: one `Happening` a message.

A happening has a clinical time inside `what` and a `known_at`: the instant at which the
message reached us. The two differ on purpose wherever something comes late. The writers turn
happenings into our own events or FHIR; both carry exactly the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal


class Mishap(StrEnum):
    """Everything that goes wrong in the ward; each is listed in the manifest with its count."""

    FALLING_COUNTS = "falling-counts"
    """Neutrophils fall to the hold threshold on treatment."""
    RELAPSING_NEUTROPENIA = "relapsing-neutropenia"
    """Neutrophils fall below 1,000 in one cycle after another."""
    PLATELET_FALL = "platelet-fall"
    """Platelets fall below 30,000."""
    LOW_PLATELETS_ON_ASPIRIN = "low-platelets-on-aspirin"
    """Platelets fall below 100,000 while aspirin goes on."""
    FEVER = "fever"
    """Fever with a neutrophil count below 1,000."""
    CORRECTED_RESULT = "corrected-result"
    """A final neutrophil count is corrected to a tenfold higher one, hours later."""
    WRONG_UNIT = "wrong-unit"
    """A count carries a unit that no table knows."""
    MISSING_UNIT = "missing-unit"
    """A count carries no unit at all."""
    IMPLAUSIBLE_VALUE = "implausible-value"
    """A value outside anything a living person can have."""
    CLUMPED_PLATELETS = "clumped-platelets"
    """A falsely low platelet count, with clumps noted; the repeat is normal."""
    ANC_BY_PERCENT = "anc-by-percent"
    """No absolute neutrophil count: once with the percentage it can be computed from, once with neither."""
    PRELIMINARY_THEN_FINAL = "preliminary-then-final"
    """A low count is reported as preliminary first and as final two hours later."""
    LATE_RESULT = "late-result"
    """A low count of an older specimen arrives after a newer, normal one."""
    DELAYED_REPORT = "delayed-report"
    """A normal report lies in a stuck interface until the count seems overdue."""
    MISSED_CBC = "missed-cbc"
    """A planned blood count is not taken."""
    DUPLICATED_MESSAGE = "duplicated-message"
    """The same message is sent twice."""
    FORGOTTEN_VTE_PROPHYLAXIS = "forgotten-vte-prophylaxis"
    """A patient at raised risk of clots gets no prophylaxis at first."""
    FORGOTTEN_INFECTION_PROPHYLAXIS = "forgotten-infection-prophylaxis"
    """Antibacterial prophylaxis starts a week late."""
    DISPENSE_DURING_HOLD = "dispense-during-hold"
    """The pharmacy hands lenalidomide over while a hold is known."""
    STOPPED_COURSE = "stopped-course"
    """Treatment ends before the ward closes."""


class ResultStatus(StrEnum):
    """How firmly the laboratory stands behind a report."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class CodedConcept:
    """A code of a named system, with the words the sender would print."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a report: value and unit exactly as the sender writes them; no unit is `None`.

    `note` is a remark of the laboratory on this line, `low` and `high` are its own normal range.
    """

    id: str
    test: CodedConcept
    value: str
    unit: str | None
    note: str | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """Results of one specimen (or vital signs of one visit) in one report."""

    report: str
    specimen: str
    collected_at: datetime
    issued_at: datetime
    status: ResultStatus
    results: tuple[Result, ...]
    is_vital_sign: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """Who the patient is; synthetic people have no names."""

    birth: date
    sex: Literal["female", "male"]
    country: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dispensed:
    """A medicine was handed over."""

    dispense: str
    medicine: CodedConcept
    strength_mg: str
    quantity: str
    days_supply: int
    dose_mg: str
    schedule: Literal["daily", "weekly"]
    handed_over_at: datetime
    is_prophylaxis: bool = False


@dataclass(frozen=True, slots=True)
class Ordered:
    """A medicine was ordered, to be taken from `authored_at` to `until`."""

    order: str
    medicine: CodedConcept
    dose_mg: str
    schedule: Literal["daily", "weekly"]
    authored_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A condition was recorded; `is_history` for what was and is over."""

    condition: str
    codes: tuple[CodedConcept, ...]
    onset: date
    recorded_at: datetime
    abated: date | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """A procedure was done."""

    procedure: str
    code: CodedConcept
    performed_at: datetime


@dataclass(frozen=True, slots=True)
class Vaccinated:
    """A vaccine was given."""

    vaccination: str
    vaccine: CodedConcept
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact that no standard resource names, under a code of the project's own list.

    The value is a code, a number or a date, never more than one of them. A statement made
    anew (`is_revised`) repeats the id of the one it replaces.
    """

    statement: str
    code: str
    stated_at: datetime
    value_code: str | None = None
    value_number: str | None = None
    value_date: date | None = None
    is_revised: bool = False


What = Described | Reported | Dispensed | Ordered | Diagnosed | Performed | Vaccinated | Stated


@dataclass(frozen=True, slots=True)
class Happening:
    """One message: when it reached us, about whom, what it says, and the mishap it belongs to, if any.

    `message` names the message; a message sent twice has the same name twice.
    """

    known_at: datetime
    patient: str
    message: str
    what: What
    mishap: Mishap | None = None
