"""A code is only a code together with its system.

`2106-3` is a urine pregnancy test in LOINC and a race in the CDC race code system:
matching on the bare code turns one into the other (clinical reference, part 7.1).
"""

from __future__ import annotations

from schemas.values.frozen import Frozen

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
CVX = "http://hl7.org/fhir/sid/cvx"
OWN = "urn:myelowatch:codes"
"""The project's own published CodeSystem, for facts that no standard resource names."""


class Coding(Frozen):
    """One (system, code) pair as received; `display` is shown to people, never decided on."""

    system: str
    code: str
    display: str | None = None
