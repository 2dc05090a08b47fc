"""PID-3 and MRG-1: which patient a message is about, and what stands against knowing it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from schemas.hl7v2.escapes import unescape
from schemas.hl7v2.faults import ErrorCode, Fault, fault, missing
from schemas.hl7v2.feed_map import FeedMap
from schemas.hl7v2.separators import Separators
from schemas.hl7v2.types import SEXES
from schemas.rejection import RejectionReason

if TYPE_CHECKING:
    from schemas.hl7v2.header import Header

_MOST_PATIENTS: Final = 500
"""PID segments of one message; a real one has one, a query's answer some dozens."""
_NULL: Final = '""'


@dataclass(frozen=True, slots=True)
class PatientNumber:
    """One number of a patient, under the name all feeds of the site share for who assigned it."""

    authority: str
    id: str


def is_merge(header: Header, feed_map: FeedMap) -> bool:
    """Whether the message says that two numbers are one patient."""
    return header.code == "ADT" and header.event in feed_map.merges


def patients_of(
    text: str, header: Header, feed_map: FeedMap, faults: list[Fault], warnings: list[Fault]
) -> tuple[PatientNumber, ...]:
    separators = header.separators
    found: dict[PatientNumber, None] = {}
    survivor: PatientNumber | None = None
    count = 0
    for name, line in _segments_named(text, separators, ("PID", "MRG")):
        fields = line.split(separators.field)
        if name == "PID":
            count += 1
            if count > _MOST_PATIENTS:
                text = f"more than {_MOST_PATIENTS} patients in one message"
                faults.append(Fault(ErrorCode.INTERNAL, text, RejectionReason.TOO_LARGE, ("PID", count, 3)))
                return ()
            number = feed_map.patient.field
            survivor = choose_number(_get(fields, number), header, feed_map)
            if survivor is None:
                faults.append(missing("PID", number, f"PID-{number} (patient identifier) is empty", count))
            else:
                found[survivor] = None
                _check_person(fields, survivor, header, feed_map, faults, warnings, count)
        elif is_merge(header, feed_map):
            _check_merge(_get(fields, 1), survivor, header, feed_map, faults, count)
    if not count:
        faults.append(missing("PID", 3, "there is no PID segment"))
    return tuple(found)


def _check_person(
    fields: list[str],
    patient: PatientNumber,
    header: Header,
    feed_map: FeedMap,
    faults: list[Fault],
    warnings: list[Fault],
    count: int,
) -> None:
    number = feed_map.patient.field
    numbers = numbers_in(_get(fields, number), header.separators)
    kind = next(each.kind for each in numbers if each.id == patient.id)
    rivals = {
        each.id for each in numbers if _authority(each, header, feed_map) == patient.authority and each.kind == kind
    }
    if len(rivals) > 1 and not feed_map.patient.first_of_several:
        text = f"PID-{number} holds several numbers of one authority and type: which of them is the patient is not said"
        faults.append(Fault(ErrorCode.DATA_TYPE, text, RejectionReason.NO_IDENTITY, ("PID", count, number)))
    sex = unescape(_get(_get(fields, 8).split(header.separators.component), 0), header.separators).strip()
    if sex and sex != _NULL and sex not in feed_map.sexes and sex.upper() not in SEXES:
        text = "PID-8 is no value of table 0001: read as not said"
        warnings.append(
            Fault(
                ErrorCode.TABLE_VALUE_NOT_FOUND, text, RejectionReason.WRONG_SHAPE, ("PID", count, 8), is_warning=True
            )
        )


def _check_merge(
    prior: str,
    survivor: PatientNumber | None,
    header: Header,
    feed_map: FeedMap,
    faults: list[Fault],
    count: int,
) -> None:
    retired = choose_number(prior, header, feed_map)
    if retired is None:
        faults.append(missing("MRG", 1, "MRG-1 (prior patient identifier) is empty", count))
    elif retired == survivor:
        text = "MRG-1 and PID-3 are the same patient: a patient is not merged with itself"
        faults.append(fault(ErrorCode.DUPLICATE_KEY, "MRG", 1, text, count))


class IdentifierNumber(NamedTuple):
    """One repetition of PID-3 or MRG-1: CX-1, CX-4, CX-5."""

    id: str
    authority: str
    kind: str


def numbers_in(field: str, separators: Separators) -> list[IdentifierNumber]:
    """Every number of an identifier field, as sent."""
    found = []
    for repetition in field.split(separators.repetition):
        parts = repetition.split(separators.component)
        identifier = _first(_get(parts, 0), separators)
        subs = _get(parts, 3).split(separators.sub)
        authority = _first(subs[0], separators) or _first(_get(subs, 1), separators)
        if identifier and identifier != _NULL:
            kind = _first(_get(parts, 4), separators)
            found.append(IdentifierNumber(identifier, "" if authority == _NULL else authority, kind))
    return found


def choose_number(field: str, header: Header, feed_map: FeedMap) -> PatientNumber | None:
    """The number of PID-3 (or MRG-1) we know a patient by: the site's choice, else the first of the chosen type,
    else the first. A number without an assigning authority belongs to the sending facility.
    """
    numbers = numbers_in(field, header.separators)
    if not numbers:
        return None
    choice = feed_map.patient
    chosen = next((each for each in numbers if choice.authority and each.authority == choice.authority), None)
    chosen = chosen or next((each for each in numbers if each.kind == choice.type), None) or numbers[0]
    return PatientNumber(_authority(chosen, header, feed_map), chosen.id)


def _authority(number: IdentifierNumber, header: Header, feed_map: FeedMap) -> str:
    authority = number.authority or header.sending_facility
    return feed_map.authorities.get(authority, authority)


def _first(text: str, separators: Separators) -> str:
    return unescape(text.split(separators.sub, 1)[0], separators).strip()


def _segments_named(text: str, separators: Separators, names: tuple[str, ...]) -> list[tuple[str, str]]:
    pattern = rf"(?:^|[\r\n])(({'|'.join(names)}){re.escape(separators.field)}[^\r\n]*)"
    return [(match.group(2), match.group(1)) for match in re.finditer(pattern, text)]


def _get(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""
