"""One entry of the patient log: the facts of one message about one patient, a tick, or a policy activation.

All results of a specimen that came in one report are one entry, so that a decision is
taken on a whole panel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.events.administration import MedicineAdministered
from schemas.events.allergy import AllergyRecorded
from schemas.events.condition import AdverseEventRecorded, ConditionRecorded
from schemas.events.dispense import MedicineDispensed
from schemas.events.encounter import EncounterRecorded
from schemas.events.home_medicine import MedicineTakenAtHome
from schemas.events.immunization import VaccineGiven
from schemas.events.lab_result import LabResultReported
from schemas.events.order import MedicineOrdered
from schemas.events.patient import PatientDescribed
from schemas.events.procedure import ProcedureRecorded
from schemas.events.statement import StatementRecorded
from schemas.values import PatientRef
from schemas.values.frozen import Frozen

Fact = Annotated[
    LabResultReported
    | MedicineDispensed
    | MedicineOrdered
    | MedicineAdministered
    | MedicineTakenAtHome
    | PatientDescribed
    | ConditionRecorded
    | AdverseEventRecorded
    | AllergyRecorded
    | ProcedureRecorded
    | VaccineGiven
    | EncounterRecorded
    | StatementRecorded,
    Field(discriminator="kind"),
]

facts_adapter: TypeAdapter[tuple[Fact, ...]] = TypeAdapter(tuple[Fact, ...])


class EntryKind(StrEnum):
    """What an entry of the log is."""

    FACTS = "facts"
    TICK = "tick"
    """Time itself: a watermark behind everything written to the partition before it."""
    POLICY = "policy-activated"


class PolicyActivation(Frozen):
    """Which policy judges everything from here on."""

    profile: str
    version: str
    hash: str
    rules_version: str
    text: str
    """The whole policy as YAML, so that the log alone is enough to replay."""


class Entry(Frozen):
    """`known_at` is set only where a header rules instead of the broker's own stamp (demo, files, tests).

    `zone` is the feed's timezone for day and month arithmetic; `live_from` the feed's
    go-live: what took effect before it is historical and pages nobody.
    """

    v: Literal[1] = 1
    kind: EntryKind = EntryKind.FACTS
    event_id: str = ""
    patient: PatientRef | None = None
    feed: str = ""
    zone: str = "UTC"
    live_from: AwareDatetime | None = None
    known_at: AwareDatetime | None = None
    known_at_assumed: bool = False
    """True where a file does not say when its facts could be known, and their clinical time stands in for it."""
    facts: tuple[Fact, ...] = ()
    unread: dict[str, int] | None = None
    """Parts of the message that no reader reads, counted by kind."""
    policy: PolicyActivation | None = None


def entry_from_json(raw: bytes) -> Entry:
    """Read an entry; raises `pydantic.ValidationError` on anything else."""
    return Entry.model_validate_json(raw)
