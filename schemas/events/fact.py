"""What every fact carries: identity, clinical time, version, and where it came from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from schemas.values import Source, When
from schemas.values.frozen import Frozen


class FactStatus(StrEnum):
    """How firmly the sender stands behind a fact.

    HL7 v2 OBX-11 P, F, C, D/W/X and FHIR preliminary, final, corrected/amended,
    cancelled, entered-in-error come down to these. Plans (orders not yet given) are `planned`.
    """

    PLANNED = "planned"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    """Cancelled, entered in error, deleted, returned: what it said is no longer claimed."""


class FactBase(Frozen):
    """Fields shared by every kind of fact.

    `fact_id` names the thing reported on, not the message: a correction is a new message
    with the same `fact_id`. `origin_key` is the patient key it arrived under, kept so that
    a merge of two patients can be undone. `versioned_at` orders the versions of one fact.
    """

    fact_id: str
    origin_key: str
    when: When
    issued_at: AwareDatetime | None = None
    versioned_at: AwareDatetime | None = None
    status: FactStatus = FactStatus.FINAL
    source: Source
