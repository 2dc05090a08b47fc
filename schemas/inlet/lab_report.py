"""A report of the laboratory or the ward: the results of one specimen, or one set of vital signs."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from schemas.inlet.fields import Code, Identifier, Instant, PatientIdentity, ResultComparator, ResultStatus
from schemas.values.frozen import Frozen

Printed = Annotated[str, Field(max_length=4000)]
"""A value as the laboratory printed it."""


class LabResult(Frozen):
    """One result as the analyser's system has it: its code, its unit, nothing mapped.

    `value` may be a number or the text that was printed (`0.4`, `< 0.1`, `clumped`,
    `Negative`); `value_code` is for results that are codes. `low` and `high` are the
    laboratory's own range in the same unit. `id` is the laboratory's number of this
    result: a correction repeats it. Without it the report id, code and specimen stand in.
    """

    code: Annotated[str, Field(min_length=1, max_length=100)]
    system: Annotated[str, Field(max_length=200, examples=["http://loinc.org"])]
    display: Annotated[str | None, Field(max_length=500)] = None
    other_codes: tuple[Code, ...] = ()
    id: Identifier | None = None
    value: Annotated[Decimal | Printed | None, Field(examples=["0.9", 900, "< 0.1"])] = None
    value_code: Code | None = None
    comparator: ResultComparator | None = None
    unit: Annotated[str | None, Field(max_length=100, examples=["10*3/uL"])] = None
    status: ResultStatus
    low: Annotated[Decimal | Printed | None, Field(examples=["1.5"])] = None
    high: Annotated[Decimal | Printed | None, Field(examples=["8.0"])] = None
    text: Annotated[str | None, Field(max_length=4000)] = None
    """A remark of the laboratory on this result (HL7 NTE): read for platelet clumps only."""


class LabReport(Frozen):
    """All results of one specimen in one message; a decision is taken on the whole report."""

    patient: PatientIdentity
    report_id: Identifier | None = None
    specimen: Identifier | None = None
    collected_at: Instant | None = None
    issued_at: Instant | None = None
    results: Annotated[tuple[LabResult, ...], Field(min_length=1, max_length=500)]
