"""Patient.link and the merge operation: which numbers are one patient.

`replaced-by` and `replaces` are merges; `refer` and `seealso` say nothing about whose the facts are, and are counted
as unread. That a link is gone is no unmerge: FHIR has no message for it, our own event and HL7 v2 A37 have.
"""

from __future__ import annotations

from typing import Final

from schemas.events import PatientsMerged
from schemas.fhir.elements import Body, group_of, groups_of, text_of
from schemas.fhir.patient import identify
from schemas.fhir.resource import Message, relative
from schemas.reading.timing import from_instant, read_time
from schemas.rejection import RejectionReason
from schemas.values import PatientRef, When

MERGE_PARAMETERS: Final = frozenset(
    {"source-patient", "target-patient", "source-patient-identifier", "target-patient-identifier", "result-patient"}
)


def read_links(body: Body, patient: PatientRef, position: str, message: Message) -> list[PatientsMerged]:
    """The merges that a Patient speaks of."""
    merges = []
    for index, link in enumerate(groups_of(body, "link")):
        kind = text_of(link, "type")
        if kind not in ("replaced-by", "replaces"):
            message.notes.leave("Patient.link of another type")
            continue
        place = f"{position} Patient.link[{index}]".strip()
        other = _who(group_of(link, "other"), body, message)
        if other is None:
            message.notes.reject(RejectionReason.NO_PATIENT, "the other patient cannot be known", place)
            continue
        survivor, retired = (other, patient) if kind == "replaced-by" else (patient, other)
        updated = text_of(group_of(body, "meta"), "lastUpdated")
        merges.append(_merge(survivor, retired, _when(updated, message), place, message))
    return merges


def read_parameters(body: Body, position: str, message: Message) -> list[PatientsMerged]:
    """The input of `Patient/$merge`: the source is retired, the target survives."""
    named = {name: part for part in groups_of(body, "parameter") if (name := text_of(part, "name")) is not None}
    if not named.keys() & MERGE_PARAMETERS:
        message.notes.leave("resource Parameters")
        return []
    place = f"{position} Parameters".strip()
    found = [_parameter(named, side, message) for side in ("target", "source")]
    survivor, retired = found
    if survivor is None or retired is None:
        message.notes.reject(RejectionReason.NO_PATIENT, "source and target patient of a merge must be known", place)
        return []
    return [_merge(survivor, retired, _when(None, message), place, message)]


def _parameter(named: dict[str, Body], side: str, message: Message) -> PatientRef | None:
    reference = group_of(named.get(f"{side}-patient", {}), "valueReference")
    identifier = group_of(named.get(f"{side}-patient-identifier", {}), "valueIdentifier")
    return _who({**reference, **({"identifier": identifier} if identifier else {})}, {}, message)


def _merge(
    survivor: PatientRef, retired: PatientRef, when: When | None, place: str, message: Message
) -> PatientsMerged:
    return PatientsMerged(survivor=survivor, retired=retired, when=when, source=message.notes.source(place))


def _when(updated: str | None, message: Message) -> When | None:
    if message.is_dated and message.timestamp is not None:
        return from_instant(message.timestamp)
    return read_time(updated, message.context).when


def _who(reference: Body, owner: Body, message: Message) -> PatientRef | None:
    """The patient a reference names; never a guess: a merge with a wrong number cannot be seen afterwards."""
    context = message.context
    text = text_of(reference, "reference")
    if text is not None:
        known = message.patients.get(text) or message.patients.get(relative(text))
        if known is not None:
            return known
        found = message.find(text, owner)
        if found is not None:
            return identify(found, context) if found.get("resourceType") == "Patient" else None
        known = context.patients.get(relative(text))
        if known is not None:
            return known
        kind, _, number = relative(text).partition("/")
        if context.identity == "resource-id" and kind == "Patient" and number:
            return context.refer(context.feed, number)
    identifier = group_of(reference, "identifier")
    value = text_of(identifier, "value")
    if value is not None and context.identity == "identifier":
        return context.refer(text_of(identifier, "system") or context.feed, value)
    return None
