"""PID, PV1 and MRG: who the patient is, where they are, and which numbers are theirs no more."""

from __future__ import annotations

from typing import Final

from schemas.events import EncounterRecorded, Fact, FactStatus, PatientDescribed
from schemas.events.merge import PatientsMerged
from schemas.hl7v2.identity import choose_number
from schemas.hl7v2.message import Segment
from schemas.hl7v2.rows import Row
from schemas.hl7v2.subject import Subject
from schemas.hl7v2.types import SEXES
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_issue, read_calendar_day
from schemas.rejection import RejectionReason
from schemas.values import When

PERSON_ROWS: Final = (
    Row("which patient", ("PID-3",)),
    Row("birth date", ("PID-7",)),
    Row("administrative sex", ("PID-8",)),
    Row("country", ("PID-11.6",)),
    Row("race", ("PID-10",)),
    Row("death", ("PID-29",)),
)
VISIT_ROWS: Final = (
    Row("setting", ("PV1-2",)),
    Row("kind of visit", ("PV1-4",)),
    Row("admission and discharge", ("PV1-44", "PV1-45", "EVN-6")),
    Row("how firm", ("MSH-9 (A05 planned, A11 cancelled)",)),
    Row("who", ("PID-3",)),
)

_SETTINGS: Final = {
    "I": "inpatient",
    "B": "inpatient",
    "E": "emergency",
    "O": "ambulatory",
    "R": "ambulatory",
    "P": "ambulatory",
}
"""PV1-2, HL7 table 0004: inpatient, obstetrics, emergency, outpatient, recurring, preadmit."""
_BEGINS: Final = frozenset({"A01", "A04", "A05", "A06", "A07"})
"""Events whose own time is that of the visit's beginning."""
_DATE: Final = 8


def read_person(subject: Subject) -> list[PlacedFact]:
    """Birth, sex, country, race and death, as far as they are said; a message without any of them describes nobody."""
    pid, message = subject.part.pid, subject.message
    birth = _birth(pid, subject)
    sent = pid.text(8) or ""
    sex = message.feed_map.sexes.get(sent, SEXES.get(sent.upper()))
    country = next((found for each in pid.repetitions(11) if (found := pid.part(each, 6)) is not None), None)
    race = " ".join(code for each in pid.repetitions(10) if (code := pid.part(each, 1)) is not None) or None
    died, usable = pid.time(29)
    if pid.text(30) == "Y" and died is None:
        pid.leave("30, death without a time")
    if not usable or (birth is None and sex is None and died is None and country is None and race is None):
        return []
    when = subject.stand_in or birth
    if when is None:
        pid.reject(RejectionReason.TIME_MISSING, "MSH-7 is empty: when this was known is not said")
        return []
    stamp = subject.stamp(
        subject.fact_id("patient", subject.patient.key[:12]), when, FactStatus.FINAL, pid, issued=subject.sent
    )
    fact: Fact = PatientDescribed.model_validate(
        {**stamp, "birth": birth, "sex": sex, "country": country, "race": race, "died": died}
    )
    return [subject.place(fact)]


def _birth(pid: Segment, subject: Subject) -> When | None:
    """A day of the calendar, whatever hour is sent behind it."""
    text = pid.text(7)
    if text is None:
        return None
    digits = text[:_DATE]
    written = "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)
    birth = read_calendar_day(written, subject.message.context) if digits.isascii() and digits.isdigit() else None
    if birth is None:
        pid.leave("7, birth date unreadable")
    return birth


def read_visit(event: str, evn: Segment | None, subject: Subject) -> list[PlacedFact]:
    """The visit of an ADT message: from PV1-44 to PV1-45, cancelled by A11, planned by A05."""
    pv1 = subject.part.visit
    if pv1 is None:
        return []
    setting = (pv1.text(2) or "").upper()
    began, usable = pv1.time(44)
    ended, end_usable = pv1.time(45)
    happened, happened_usable = evn.time(6) if evn is not None else (None, True)
    recorded, recorded_usable = evn.time(2) if evn is not None else (None, True)
    if not (usable and end_usable and happened_usable and recorded_usable):
        return []
    if began is None and event in _BEGINS:
        began = happened or (from_issue(recorded) if recorded is not None else subject.stand_in)
    status = {"A05": FactStatus.PLANNED, "A11": FactStatus.WITHDRAWN}.get(event, FactStatus.FINAL)
    if event == "A03" and ended is None:
        ended = happened or (from_issue(recorded) if recorded is not None else None)
    if began is None and status is FactStatus.WITHDRAWN:
        began = subject.stand_in
    if began is None:
        # Taken as it came, it would move an admission that is known to the instant of this message.
        if event == "A03":
            pv1.reject(RejectionReason.TIME_MISSING, "PV1-44 (admission) is empty: which stay ends is not said")
        else:
            pv1.leave("44 empty, visit not read")
        return []
    number = pv1.identifier(19)
    fact_id = (
        subject.fact_id("visit", number)
        if number is not None
        else subject.derived_id("visit", f"{began.earliest:%Y%m%dT%H%M%S}")
    )
    fact = EncounterRecorded(
        **subject.stamp(fact_id, began, status, pv1),
        setting=_SETTINGS.get(setting, "other"),
        codes=pv1.codings(4),
        ended=ended if event != "A13" else None,
    )
    return [subject.place(fact)]


def read_merges(subject: Subject) -> list[PatientsMerged]:
    """The numbers that MRG retires in favour of PID's."""
    message = subject.message
    merges = []
    for mrg in subject.part.retired:
        retired = choose_number(mrg.sent(1), message.header, message.feed_map)
        if retired is None:
            mrg.reject(RejectionReason.NO_PATIENT, "MRG-1 (prior patient identifier) is empty")
            continue
        merges.append(
            PatientsMerged(
                survivor=subject.patient,
                retired=message.context.refer(retired.authority, retired.id),
                when=subject.stand_in,
                source=message.notes.source(mrg.place),
            )
        )
    return merges
