"""Two numbers turned out to be one patient, or one that was taken for two people is two again.

A merge (or an unmerge) is an entry of the log keyed by the retired number; what follows from it travels as entries
between the numbers (`schemas.events.moving`). Design part 6.
"""

from __future__ import annotations

from typing import Literal

from schemas.values import PatientRef, Source, When
from schemas.values.frozen import Frozen


class PatientsMerged(Frozen):
    """`retired` is `survivor`'s from `when` on (HL7 v2 A40 and kin, FHIR Patient.link `replaced-by`).

    `is_undone` takes an earlier merge of the two back (A37): the facts that came under each number are its own again.
    """

    kind: Literal["patients-merged"] = "patients-merged"
    survivor: PatientRef
    retired: PatientRef
    is_undone: bool = False
    when: When | None = None
    source: Source
