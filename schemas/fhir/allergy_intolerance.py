"""AllergyIntolerance: what must not be given."""

from __future__ import annotations

from typing import Final

from schemas.events import AllergyRecorded, FactStatus
from schemas.fhir.elements import concept_codings, first_code, groups_of
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_issue
from schemas.rejection import RejectionReason

ROWS: Final = (
    Row("substance, or the allergy to it", ("code", "reaction.substance"), "fact.codes"),
    Row("still so", ("clinicalStatus",), "fact.is_active"),
    Row("how firm", ("verificationStatus",), "status"),
    Row("since when", ("onsetDateTime", "onsetPeriod"), "fact.began_at"),
    Row("when it was recorded", ("recordedDate",), "recorded_at"),
    Row("who", ("patient",), "patient"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "confirmed": FactStatus.FINAL,
    "presumed": FactStatus.FINAL,
    "unconfirmed": FactStatus.PRELIMINARY,
    "refuted": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}


def read(resource: Resource) -> list[PlacedFact]:
    """One allergy to a substance or class that the rules know."""
    body = resource.body
    codings = resource.codings("code")
    for reaction in groups_of(body, "reaction"):
        codings += concept_codings(reaction, "substance", resource.codes)
    substances = resource.codes.substances_of(codings)
    if not substances:
        resource.ignore_code(codings)
        return []
    status = STATUS.get(first_code(body, "verificationStatus") or "confirmed", FactStatus.PRELIMINARY)
    onset, _, usable = resource.choice_time("onset")
    recorded, recorded_usable = resource.time("recordedDate")
    if not (usable and recorded_usable):
        return []
    when = onset if onset is not None else from_issue(recorded) if recorded is not None else resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "AllergyIntolerance has neither onset[x] nor recordedDate")
        return []
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=recorded)
    is_active = first_code(body, "clinicalStatus") not in {"inactive", "resolved"}
    fact = AllergyRecorded(**stamp, substances=substances, codes=codings, is_active=is_active)
    return [resource.place(fact, recorded)]
