"""One entry of the patient log: the facts of one message about one patient, a tick, a policy activation, or a merge.

All results of a specimen that came in one report are one entry, so that a decision is
taken on a whole panel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.events.administration import MedicineAdministered
from schemas.events.allergy import AllergyRecorded
from schemas.events.condition import AdverseEventRecorded, ConditionRecorded
from schemas.events.dispense import MedicineDispensed
from schemas.events.encounter import EncounterRecorded
from schemas.events.home_medicine import MedicineTakenAtHome
from schemas.events.immunization import VaccineGiven
from schemas.events.lab_result import LabResultReported
from schemas.events.merge import PatientsMerged
from schemas.events.moving import Carried, MoveAcknowledged, Moved, ReturnAsked
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
    MERGE = "merge"
    """Written by translate, keyed by the number that is retired."""
    UNMERGE = "unmerge"
    FORWARDED = "forwarded"
    """Facts that came for a retired number, sent on to the one it was merged into."""
    MOVED = "moved"
    RETURN_ASKED = "return-asked"
    MOVE_ACKNOWLEDGED = "move-acknowledged"


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
    merge: PatientsMerged | None = None
    carried: Carried | None = None
    """How it came here, for entries that one number sends to another."""
    moved: Moved | None = None
    asked: ReturnAsked | None = None
    acknowledged: MoveAcknowledged | None = None

    @property
    def lacks(self) -> str:
        """What an entry of this kind must have and this one has not; empty for a whole one."""
        return next((name for name in _NEEDS[self.kind] if getattr(self, name) is None), "")


_NEEDS: Final = {
    EntryKind.FACTS: ("patient",),
    EntryKind.TICK: (),
    EntryKind.POLICY: ("policy",),
    EntryKind.MERGE: ("patient", "merge"),
    EntryKind.UNMERGE: ("patient", "merge"),
    EntryKind.FORWARDED: ("patient", "carried"),
    EntryKind.MOVED: ("patient", "carried", "moved"),
    EntryKind.RETURN_ASKED: ("patient", "carried", "asked"),
    EntryKind.MOVE_ACKNOWLEDGED: ("patient", "carried", "acknowledged"),
}


def entry_from_json(raw: bytes) -> Entry:
    """Read an entry; raises `pydantic.ValidationError` on anything else."""
    return Entry.model_validate_json(raw)
