"""Patient: who somebody is, as far as a rule needs to know, and by which number we know them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal, cast

from schemas.events import FactStatus, PatientDescribed
from schemas.fhir.elements import Body, group_of, groups_of, text_of
from schemas.fhir.resource import Message, Resource, relative
from schemas.fhir.rows import Row, elements_of
from schemas.reading.context import ReadingContext
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_instant, read_calendar_day
from schemas.values import PatientRef, When

RACE_EXTENSION: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_BEFORE_ANYTHING: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""For a Patient that says neither when it was recorded nor when it was born."""
_SEXES: Final = frozenset({"female", "male", "other", "unknown"})

ROWS: Final = (
    Row("which patient", ("identifier", "Patient.id"), "patient.authority, patient.id"),
    Row("birth date", ("birthDate",), "fact.birth_date"),
    Row("administrative sex", ("gender",), "fact.sex"),
    Row("country", ("address.country",), "fact.country"),
    Row("race", ("extension (us-core-race, ombCategory)",), "fact.race"),
    Row("death", ("deceasedDateTime",), "fact.died_at"),
)
READS: Final = elements_of(ROWS) | {"link"}
"""What a link says is read by `linking`."""
READS_EXTENSIONS: Final = frozenset({RACE_EXTENSION})


def identify(body: Body, context: ReadingContext) -> PatientRef | None:
    """The number we know a patient by: the site's choice, else the first MR, else the first, else the resource id."""
    named = text_of(body, "id")
    identifiers = [item for item in groups_of(body, "identifier") if text_of(item, "value") is not None]
    if context.identity == "identifier" and identifiers:
        chosen = _choose(identifiers, context.preferred_authority)
        return context.refer(text_of(chosen, "system") or context.feed, text_of(chosen, "value") or "")
    return context.refer(context.feed, named) if named is not None else None


def _choose(identifiers: list[Body], preferred: str | None) -> Body:
    if preferred is not None:
        for item in identifiers:
            if text_of(item, "system") == preferred:
                return item
    current = [item for item in identifiers if text_of(item, "use") != "old"] or identifiers
    for item in current:
        if any(text_of(coding, "code") == "MR" for coding in groups_of(group_of(item, "type"), "coding")):
            return item
    return current[0]


def resolve_subject(body: Body, owner: Body | None, message: Message) -> PatientRef | None:
    """The patient a resource is about, or None where that cannot be known from the message."""
    context = message.context
    for name in ("subject", "patient"):
        subject = group_of(body, name)
        reference = text_of(subject, "reference")
        if reference is not None:
            known = message.patients.get(reference) or message.patients.get(relative(reference))
            if known is not None:
                return known
            found = message.find(reference, owner or body)
            if found is not None:
                return identify(found, context) if found.get("resourceType") == "Patient" else None
            known = context.patients.get(relative(reference))
            if known is not None:
                return known
        identifier = group_of(subject, "identifier")
        value = text_of(identifier, "value")
        if value is not None and context.identity == "identifier":
            return context.refer(text_of(identifier, "system") or context.feed, value)
        if reference is not None:
            kind, _, number = relative(reference).partition("/")
            if kind == "Patient" and number:
                return context.refer(context.feed, number)
    return None


def read(resource: Resource) -> list[PlacedFact]:
    """Describe the patient; a birth date is a day of the calendar and needs no zone."""
    body = resource.body
    died, usable = resource.time("deceasedDateTime")
    if not usable:
        return []
    if body.get("deceasedBoolean") is True:
        resource.notes.leave("Patient.deceasedBoolean (no time)")
    birth = _birth(resource)
    gender = text_of(body, "gender")
    sex = cast("Literal['female', 'male', 'other', 'unknown']", gender) if gender in _SEXES else None
    when = resource.stand_in or birth or from_instant(_BEFORE_ANYTHING)
    updated = resource.last_updated
    issued = from_instant(updated) if updated is not None else None
    stamp = resource.stamp(resource.fact_id(fallback="patient"), when, FactStatus.FINAL, issued=issued)
    fact = PatientDescribed(**stamp, birth=birth, sex=sex, country=_country(body), race=_race(body), died=died)
    placed = resource.place(fact, None)
    is_dated = resource.message.is_dated and resource.message.timestamp is not None
    has_own_time = is_dated or updated is not None
    return [placed if has_own_time else placed._replace(follows_others=True)]


def _birth(resource: Resource) -> When | None:
    text = text_of(resource.body, "birthDate")
    if text is None:
        return None
    birth = read_calendar_day(text, resource.context)
    if birth is None:
        resource.notes.leave("Patient.birthDate, unreadable")
    return birth


def _country(body: Body) -> str | None:
    addresses = groups_of(body, "address")
    current = [address for address in addresses if text_of(address, "use") != "old"] or addresses
    return next((country for address in current if (country := text_of(address, "country")) is not None), None)


def _race(body: Body) -> str | None:
    codes = [
        code
        for extension in groups_of(body, "extension")
        if text_of(extension, "url") == RACE_EXTENSION
        for part in groups_of(extension, "extension")
        if text_of(part, "url") == "ombCategory"
        and (code := text_of(group_of(part, "valueCoding"), "code")) is not None
    ]
    return " ".join(codes) or None
