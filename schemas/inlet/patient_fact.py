"""Everything else a rule needs to know about a patient; one fact an event."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from schemas.inlet.fields import Code, Identifier, Instant, MedicineCode, PatientIdentity, RecordStatus
from schemas.values.frozen import Frozen

Codes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]


class PatientDescription(Frozen):
    """Birth date, administrative sex, country and race; names are neither asked for nor kept."""

    kind: Literal["patient"] = "patient"
    birth_date: Instant | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None
    country: Annotated[str | None, Field(min_length=2, max_length=60, examples=["KR"])] = None
    race: tuple[Code, ...] = ()
    died_at: Instant | None = None


class Condition(Frozen):
    """A diagnosis, symptom or bleeding."""

    kind: Literal["condition"] = "condition"
    codes: Codes
    began_at: Instant | None = None
    ended_at: Instant | None = None
    is_active: bool = True


class AdverseEvent(Frozen):
    """An adverse event with the CTCAE grade a clinician gave it, and the medicines thought to have caused it."""

    kind: Literal["adverse-event"] = "adverse-event"
    codes: Codes
    grade: Annotated[int | None, Field(ge=0, le=5)] = None
    began_at: Instant | None = None
    ended_at: Instant | None = None
    related_to: tuple[MedicineCode, ...] = ()


class Allergy(Frozen):
    """An allergy or intolerance; the codes name the substance or the allergy to it."""

    kind: Literal["allergy"] = "allergy"
    codes: Codes
    began_at: Instant | None = None
    is_active: bool = True


class Procedure(Frozen):
    """A procedure, transfusion or imaging study; planned ones have `status: planned` on the event."""

    kind: Literal["procedure"] = "procedure"
    codes: Codes
    began_at: Instant
    ended_at: Instant | None = None


class Vaccine(Frozen):
    """A vaccine was given."""

    kind: Literal["vaccine"] = "vaccine"
    codes: Codes
    given_at: Instant


class Encounter(Frozen):
    """An admission or visit."""

    kind: Literal["encounter"] = "encounter"
    setting: Literal["inpatient", "ambulatory", "emergency", "home", "virtual", "other"]
    codes: tuple[Code, ...] = ()
    began_at: Instant
    ended_at: Instant | None = None


class Statement(Frozen):
    """Something no standard names, in the project's own CodeSystem; `docs/facts.md` lists the codes."""

    kind: Literal["statement"] = "statement"
    code: Annotated[str, Field(min_length=1, max_length=100, examples=["planned-cycle-day-1"])]
    stated_at: Instant | None = None
    value_code: Annotated[str | None, Field(max_length=100)] = None
    value_number: Decimal | None = None
    value_time: Instant | None = None
    until: Instant | None = None


class Merge(Frozen):
    """The number `retired` is this patient's from `merged_at` on; with `is_undone` an earlier merge is taken back."""

    kind: Literal["merge"] = "merge"
    retired: PatientIdentity
    is_undone: bool = False
    merged_at: Instant | None = None


AnyPatientFact = Annotated[
    PatientDescription | Condition | AdverseEvent | Allergy | Procedure | Vaccine | Encounter | Statement | Merge,
    Field(discriminator="kind"),
]


class PatientFact(Frozen):
    """One fact about one patient; `id` is the sender's number of the record, repeated by a correction."""

    patient: PatientIdentity
    id: Identifier | None = None
    recorded_at: Instant | None = None
    status: RecordStatus = RecordStatus.FINAL
    fact: AnyPatientFact
