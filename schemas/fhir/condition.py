"""Condition: a diagnosis, symptom or bleeding."""

from __future__ import annotations

from typing import Final

from schemas.events import ConditionRecorded, FactStatus
from schemas.fhir.elements import first_code
from schemas.fhir.resource import Resource, StatusMap, derived_key
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_issue
from schemas.rejection import RejectionReason

ROWS: Final = (
    Row("what", ("code",), "fact.codes"),
    Row("when it began", ("onsetDateTime", "onsetPeriod.start"), "fact.began_at"),
    Row("when it ended", ("abatementDateTime", "abatementPeriod.end", "onsetPeriod.end"), "fact.ended_at"),
    Row("over without a known date", ("clinicalStatus", "abatementBoolean"), "fact.is_active"),
    Row("how firm", ("verificationStatus",), "status"),
    Row("when it was recorded", ("recordedDate",), "recorded_at"),
    Row("who", ("subject",), "patient"),
)
READS: Final = elements_of(ROWS)
STATUS: Final[StatusMap] = {
    "confirmed": FactStatus.FINAL,
    "unconfirmed": FactStatus.PRELIMINARY,
    "provisional": FactStatus.PRELIMINARY,
    "differential": FactStatus.PRELIMINARY,
    "refuted": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}
_OVER: Final = frozenset({"inactive", "remission", "resolved"})


def read(resource: Resource) -> list[PlacedFact]:
    """One condition with every concept its codes fall under."""
    body = resource.body
    codings = resource.codings("code")
    concepts = resource.codes.concepts_of(codings)
    if not concepts:
        resource.ignore_code(codings)
        return []
    # Without a verification status the standard gives no hint of doubt: it is taken as said.
    status = STATUS.get(first_code(body, "verificationStatus") or "confirmed", FactStatus.PRELIMINARY)
    onset, onset_end, usable = resource.choice_time("onset")
    abated, abated_end, abated_usable = resource.choice_time("abatement")
    recorded, recorded_usable = resource.time("recordedDate")
    if not (usable and abated_usable and recorded_usable):
        return []
    when = onset if onset is not None else from_issue(recorded) if recorded is not None else resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "Condition has neither onset[x] nor recordedDate")
        return []
    end = abated_end or abated or onset_end
    is_over = first_code(body, "clinicalStatus") in _OVER or body.get("abatementBoolean") is True
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=recorded)
    fact = ConditionRecorded(
        **stamp,
        concepts=concepts,
        codes=codings,
        abated=end,
        is_active=not is_over,
        is_history=resource.codes.is_history(concepts),
    )
    return [resource.place(fact, recorded)]
