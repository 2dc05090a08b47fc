"""DG1, PRB, AL1, IAM, PR1 and the RXA of a vaccination: conditions, allergies, procedures, vaccines."""

from __future__ import annotations

from typing import Final

from schemas.events import (
    AdverseEventRecorded,
    AllergyRecorded,
    ConditionRecorded,
    FactStatus,
    ProcedureRecorded,
    VaccineGiven,
)
from schemas.hl7v2.groups import Order
from schemas.hl7v2.medicine import administration_status
from schemas.hl7v2.message import Segment
from schemas.hl7v2.rows import Row
from schemas.hl7v2.subject import Subject, key_of, order_number
from schemas.reading.entries import PlacedFact
from schemas.reading.timing import from_issue
from schemas.rejection import RejectionReason
from schemas.values import Coding, When

CONDITION_ROWS: Final = (
    Row("what", ("DG1-3", "PRB-3")),
    Row("when it began", ("PRB-16", "PRB-7", "DG1-5")),
    Row("when it ended", ("PRB-9",)),
    Row("over without a known date", ("PRB-14",)),
    Row("how firm", ("DG1-6", "DG1-21", "PRB-1", "PRB-13")),
    Row("when it was recorded", ("PRB-2", "MSH-7")),
    Row("who", ("PID-3",)),
)
ADVERSE_EVENT_ROWS: Final = (
    Row("what", ("PRB-3",)),
    Row("CTCAE grade", ("PRB-26 (`3^^CTCAE`)",)),
    Row("when it began", ("PRB-16", "PRB-7")),
    Row("when it was recorded", ("PRB-2", "MSH-7")),
    Row("really happened", ("PRB-1", "PRB-13")),
    Row("who", ("PID-3",)),
)
ALLERGY_ROWS: Final = (
    Row("substance, or the allergy to it", ("AL1-3", "IAM-3")),
    Row("still so", ("IAM-17",)),
    Row("how firm", ("IAM-6", "IAM-17")),
    Row("since when", ("IAM-11", "AL1-6")),
    Row("when it was recorded", ("IAM-13", "MSH-7")),
    Row("who", ("PID-3",)),
)
PROCEDURE_ROWS: Final = (
    Row("what", ("PR1-3", "OBR-4")),
    Row("when", ("PR1-5", "OBR-7")),
    Row("done, planned or not", ("PR1-20", "OBR-25")),
    Row("when it was recorded", ("MSH-7", "OBR-22")),
    Row("who", ("PID-3",)),
)
VACCINE_ROWS: Final = (
    Row("which vaccine", ("RXA-5",)),
    Row("when given", ("RXA-3",)),
    Row("given or not", ("RXA-20", "RXA-21")),
    Row("when it was recorded", ("RXA-22", "MSH-7")),
    Row("who", ("PID-3",)),
)

_DIAGNOSIS: Final = {"F": FactStatus.FINAL, "A": FactStatus.PRELIMINARY, "W": FactStatus.PRELIMINARY}
"""DG1-6, HL7 table 0052: admitting and working diagnoses are not settled yet."""
_CONFIRMED: Final = {
    **dict.fromkeys(("CONFIRMED", "C"), FactStatus.FINAL),
    **dict.fromkeys(("DIFFERENTIAL", "PROVISIONAL", "RULE-OUT", "D", "P"), FactStatus.PRELIMINARY),
}
_OVER: Final = frozenset({"INACTIVE", "RESOLVED", "REMISSION", "I", "R"})
_DELETED: Final = frozenset({"D", "DE"})
_CTCAE: Final = frozenset({"CTCAE", "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system"})
_GRADES: Final = frozenset("012345")
_ALLERGY: Final = {
    **dict.fromkeys(("C", "I"), FactStatus.FINAL),
    **dict.fromkeys(("U", "P", "S", "D"), FactStatus.PRELIMINARY),
    "E": FactStatus.WITHDRAWN,
}
"""IAM-17, HL7 table 0438: confirmed, confirmed but inactive; unconfirmed, pending, suspect, doubted; erroneous."""


def read_record(segment: Segment, subject: Subject) -> list[PlacedFact]:
    """One record of the patient's file."""
    match segment.name:
        case "DG1":
            return _read_diagnosis(segment, subject)
        case "PRB":
            return _read_problem(segment, subject)
        case "PR1":
            return _read_procedure(segment, subject)
        case _:
            return _read_allergy(segment, subject)


def _read_diagnosis(dg1: Segment, subject: Subject) -> list[PlacedFact]:
    codes = subject.message.codes
    codings = dg1.codings(3, dg1.text(2))
    concepts = codes.concepts_of(codings)
    if not concepts:
        subject.ignore_code(dg1, codings)
        return []
    made, usable = dg1.time(5)
    if not usable:
        return []
    status = _DIAGNOSIS.get(dg1.text(6) or "", FactStatus.PRELIMINARY)
    if dg1.text(21) in _DELETED:
        status = FactStatus.WITHDRAWN
    when = made or subject.stand_in
    if when is None:
        dg1.reject(RejectionReason.TIME_MISSING, "neither DG1-5 nor MSH-7")
        return []
    number = dg1.identifier(20)
    # A diagnosis without a number or a time comes again with every message: one fact a day, none overwrites another.
    fact_id = (
        subject.fact_id("condition", number)
        if number is not None
        else subject.derived_id("condition", f"{when.earliest:%Y%m%d}", key_of(codings))
    )
    fact = ConditionRecorded(
        **subject.stamp(fact_id, when, status, dg1, issued=subject.sent),
        concepts=concepts,
        codes=codings,
        is_history=codes.is_history(concepts),
    )
    return [subject.place(fact)]


def _read_problem(prb: Segment, subject: Subject) -> list[PlacedFact]:
    codes = subject.message.codes
    codings = prb.codings(3)
    concepts = codes.concepts_of(codings)
    grade = _grade(prb)
    if not concepts and grade is None:
        subject.ignore_code(prb, codings)
        return []
    times = [prb.time(number) for number in (16, 7, 2, 9)]
    if not all(usable for _, usable in times):
        return []
    onset, established, recorded, ended = (when for when, _ in times)
    when = onset or established or (from_issue(recorded) if recorded is not None else subject.stand_in)
    if when is None:
        prb.reject(RejectionReason.TIME_MISSING, "no time in PRB-16, PRB-7, PRB-2 or MSH-7")
        return []
    confirmed = prb.text(13)
    # Without a confirmation status the standard gives no hint of doubt: it is taken as said.
    status = FactStatus.FINAL if confirmed is None else _CONFIRMED.get(confirmed.upper(), FactStatus.PRELIMINARY)
    if prb.text(1) in _DELETED:
        status = FactStatus.WITHDRAWN
    issued = recorded.latest if recorded is not None else subject.sent
    kind = "condition" if grade is None else "adverse-event"
    number = prb.identifier(4)
    fact_id = (
        subject.fact_id(kind, number)
        if number is not None
        else subject.derived_id(kind, f"{when.earliest:%Y%m%dT%H%M%S}", key_of(codings))
    )
    stamp = subject.stamp(fact_id, when, status, prb, issued=issued)
    if grade is not None:
        event = AdverseEventRecorded(**stamp, concepts=concepts, codes=codings, grade=grade, abated=ended)
        return [subject.place(event, issued=issued)]
    fact = ConditionRecorded(
        **stamp,
        concepts=concepts,
        codes=codings,
        abated=ended,
        is_active=(prb.text(14) or "").upper() not in _OVER,
        is_history=codes.is_history(concepts),
    )
    return [subject.place(fact, issued=issued)]


def _grade(prb: Segment) -> int | None:
    for coding in prb.codings(26):
        if coding.system in _CTCAE and coding.code in _GRADES:
            return int(coding.code)
    return None


def _read_allergy(segment: Segment, subject: Subject) -> list[PlacedFact]:
    is_iam = segment.name == "IAM"
    codings = segment.codings(3)
    substances = subject.message.codes.substances_of(codings)
    if not substances:
        subject.ignore_code(segment, codings)
        return []
    began, usable = segment.time(11 if is_iam else 6)
    reported, reported_usable = segment.time(13) if is_iam else (None, True)
    if not (usable and reported_usable):
        return []
    when = began or (from_issue(reported) if reported is not None else subject.stand_in)
    if when is None:
        segment.reject(RejectionReason.TIME_MISSING, "neither a time of the allergy nor MSH-7")
        return []
    status = FactStatus.FINAL
    if is_iam:
        status = _ALLERGY.get(segment.text(17) or "C", FactStatus.PRELIMINARY)
        if segment.text(6) in _DELETED:
            status = FactStatus.WITHDRAWN
    issued = reported.latest if reported is not None else subject.sent
    number = segment.identifier(7) if is_iam else None
    fact_id = (
        subject.fact_id("allergy", number) if number is not None else subject.derived_id("allergy", key_of(codings))
    )
    fact = AllergyRecorded(
        **subject.stamp(fact_id, when, status, segment, issued=issued),
        substances=substances,
        codes=codings,
        is_active=not (is_iam and segment.text(17) == "I"),
    )
    return [subject.place(fact, issued=issued)]


def _read_procedure(pr1: Segment, subject: Subject) -> list[PlacedFact]:
    codings = pr1.codings(3, pr1.text(2))
    concepts = subject.message.codes.procedures_of(codings)
    if not concepts:
        subject.ignore_code(pr1, codings)
        return []
    when, usable = pr1.time(5)
    if not usable:
        return []
    status = FactStatus.WITHDRAWN if pr1.text(20) in _DELETED else FactStatus.FINAL
    if when is None and status is FactStatus.WITHDRAWN:
        when = subject.stand_in
    if when is None:
        pr1.reject(RejectionReason.TIME_MISSING, "PR1-5 (procedure date/time) is empty")
        return []
    number = pr1.identifier(19)
    fact_id = (
        subject.fact_id("procedure", number)
        if number is not None
        else subject.derived_id("procedure", _basic(when), key_of(codings))
    )
    stamp = subject.stamp(fact_id, when, status, pr1)
    return [subject.place(ProcedureRecorded(**stamp, concepts=concepts, codes=codings))]


def read_vaccination(order: Order, subject: Subject) -> list[PlacedFact]:
    """The RXA of a VXU: vaccines of the table."""
    facts = []
    for rxa in order.given:
        codings: tuple[Coding, ...] = rxa.codings(5)
        vaccines = subject.message.codes.vaccines_of(codings)
        if not vaccines:
            subject.ignore_code(rxa, codings)
            continue
        when, usable = rxa.time(3)
        entered, entered_usable = rxa.time(22)
        if not (usable and entered_usable):
            continue
        status = administration_status(rxa)
        if when is None and status is FactStatus.WITHDRAWN:
            when = subject.stand_in
        if when is None:
            rxa.reject(RejectionReason.TIME_MISSING, "RXA-3 (date of administration) is empty")
            continue
        number = order_number(order)
        key = key_of(codings)
        fact_id = (
            subject.fact_id("vaccine", number, key)
            if number is not None
            else subject.derived_id("vaccine", _basic(when), key)
        )
        issued = entered.latest if entered is not None else None
        stamp = subject.stamp(fact_id, when, status, rxa, issued=issued)
        facts.append(subject.place(VaccineGiven(**stamp, vaccines=vaccines, codes=codings), issued=issued))
    return facts


def _basic(when: When) -> str:
    return f"{when.earliest:%Y%m%dT%H%M%S}"
