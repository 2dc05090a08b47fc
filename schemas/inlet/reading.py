"""Bytes of our own events to facts; bad data becomes a rejection, never an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from schemas.codes.normalising import read_number
from schemas.codes.tables import CodeTables, MedicineMatch
from schemas.events import (
    AdverseEventRecorded,
    AllergyRecorded,
    ConditionRecorded,
    EncounterRecorded,
    Fact,
    FactStatus,
    MedicineAdministered,
    MedicineDispensed,
    MedicineOrdered,
    MedicineTakenAtHome,
    PatientDescribed,
    PatientsMerged,
    ProcedureRecorded,
    StatementRecorded,
    VaccineGiven,
)
from schemas.inlet.envelope import Envelope, read_envelope
from schemas.inlet.event_types import EVENT_TYPES
from schemas.inlet.fields import Code, MedicineCode, RecordStatus, ResultStatus
from schemas.inlet.lab_report import LabReport, LabResult
from schemas.inlet.medicines import Administration, Dispense, HomeMedicine, Order
from schemas.inlet.patient_fact import (
    AdverseEvent,
    Allergy,
    Condition,
    Encounter,
    Merge,
    PatientDescription,
    PatientFact,
    Procedure,
    Statement,
    Vaccine,
)
from schemas.reading.context import ReadingContext
from schemas.reading.entries import Mode, PlacedFact, build_entries, build_merges
from schemas.reading.result import Notes, Reading, name_code, name_part
from schemas.reading.results import ReceivedValue, ResultIdentity, build_lab_result
from schemas.reading.stamp import FactStamp, MedicineStamp, build_coding, daily_dose
from schemas.reading.timing import from_instant, from_issue, read_calendar_day, read_time
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding, PatientRef, When

_RESULT_STATUS: Final = {
    ResultStatus.PRELIMINARY: FactStatus.PRELIMINARY,
    ResultStatus.FINAL: FactStatus.FINAL,
    ResultStatus.CORRECTED: FactStatus.CORRECTED,
    ResultStatus.AMENDED: FactStatus.CORRECTED,
    ResultStatus.CANCELLED: FactStatus.WITHDRAWN,
    ResultStatus.ENTERED_IN_ERROR: FactStatus.WITHDRAWN,
}
_RECORD_STATUS: Final = {
    RecordStatus.PLANNED: FactStatus.PLANNED,
    RecordStatus.PRELIMINARY: FactStatus.PRELIMINARY,
    RecordStatus.FINAL: FactStatus.FINAL,
    RecordStatus.CORRECTED: FactStatus.CORRECTED,
    RecordStatus.CANCELLED: FactStatus.WITHDRAWN,
    RecordStatus.ENTERED_IN_ERROR: FactStatus.WITHDRAWN,
}
_FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_Medicine = Dispense | Administration | Order | HomeMedicine


def read_event(raw: bytes, headers: Mapping[str, str] | None, context: ReadingContext, mode: Mode = "live") -> Reading:
    """Read one of our events; `headers` are those of the record, None for a line of a file.

    With `mode="file"` the entry carries when its facts could be known: the event's own
    `knownat`, else the issue time, else the clinical time, flagged.
    """
    notes = Notes(context, raw)
    envelope = read_envelope(raw, headers, notes)
    if envelope is None:
        return notes.finish(())
    notes.name_message(envelope.id)
    return _EventReader(notes, envelope, mode).read()


class _EventReader:
    """Reads the data of one event."""

    def __init__(self, notes: Notes, envelope: Envelope, mode: Mode) -> None:
        self._notes = notes
        self._context = notes.context
        self._envelope = envelope
        self._mode = mode
        self._codes: CodeTables = notes.context.codes
        self._facts: list[Fact] = []
        self._merges: list[PatientsMerged] = []
        self._issued: When | None = None

    def read(self) -> Reading:
        model = EVENT_TYPES.get(self._envelope.type)
        if model is None:
            self._notes.reject(RejectionReason.UNSUPPORTED_TYPE, "the event type is none of ours")
            return self._notes.finish(())
        try:
            event = model.model_validate(self._envelope.data)
        except ValidationError as error:
            self._notes.reject(RejectionReason.WRONG_SHAPE, _describe(error))
            return self._notes.finish(())
        patient = self._context.refer(event.patient.authority, event.patient.id)
        if isinstance(event, LabReport):
            self._read_lab_report(event, patient)
        elif isinstance(event, PatientFact):
            self._read_patient_fact(event, patient)
        else:
            self._read_medicine(event, patient)
        return self._finish(patient)

    def _finish(self, patient: PatientRef) -> Reading:
        known_at, is_assumed = self._known_at()
        placed = [PlacedFact(patient, fact, known_at, is_assumed) for fact in self._facts]
        entries = build_entries(placed, self._notes, self._mode)
        if known_at is not None and self._mode == "live":
            entries = tuple(entry.model_copy(update={"known_at": known_at}) for entry in entries)
        merges = build_merges(self._merges, self._notes, self._mode)
        if self._merges and (self._mode == "file" or self._context.obeys_known_at):
            known = read_time(self._envelope.known_at, self._context).when
            if known is not None:
                merges = tuple(entry.model_copy(update={"known_at": known.latest}) for entry in merges)
        return self._notes.finish((*entries, *merges), merges=tuple(self._merges))

    def _known_at(self) -> tuple[datetime | None, bool]:
        if not self._facts or (self._mode == "live" and not self._context.obeys_known_at):
            return None, False
        if self._envelope.known_at is not None:
            known = read_time(self._envelope.known_at, self._context)
            if known.when is not None:
                return known.when.latest, False
            self._notes.leave("CloudEvents knownat, unreadable")
        if self._mode == "live":
            return None, False
        if self._issued is not None:
            return self._issued.latest, False
        return self._facts[0].when.latest, True

    # --- times

    def _time(self, text: str | None, part: str) -> tuple[When | None, bool]:
        """The time and whether it may be used: False after a rejection."""
        reading = read_time(text, self._context)
        if reading.reason is not None:
            self._notes.reject(reading.reason, reading.named(part), part)
            return None, False
        return reading.when, True

    def _stand_in(self, *, is_withdrawn: bool) -> When | None:
        """A withdrawal without a time must still reach what it withdraws."""
        if not is_withdrawn:
            return None
        event_time = read_time(self._envelope.time, self._context).when
        if event_time is not None:
            return from_issue(event_time)
        return from_instant(self._context.received_at) if self._context.received_at is not None else None

    # --- laboratory

    def _read_lab_report(self, report: LabReport, patient: PatientRef) -> None:
        collected, collected_usable = self._time(report.collected_at, "collected_at")
        issued, issued_usable = self._time(report.issued_at, "issued_at")
        if not (collected_usable and issued_usable):
            return
        self._issued = issued
        when = collected if collected is not None else from_issue(issued) if issued is not None else None
        counted: dict[tuple[str, str], int] = {}
        for index, result in enumerate(report.results):
            nth = counted.get((result.system, result.code), 0)
            counted[result.system, result.code] = nth + 1
            self._read_result(report, result, patient, when, index, nth)

    def _read_result(
        self, report: LabReport, result: LabResult, patient: PatientRef, when: When | None, index: int, nth: int
    ) -> None:
        part = f"results[{index}]"
        codings = _result_codings(result, self._codes)
        match, is_conflict = self._codes.analyte_among(codings)
        if is_conflict:
            self._notes.reject(RejectionReason.WRONG_SHAPE, "the codes name different analytes", part)
            return
        if match is None:
            if any(self._codes.is_panel(code.system, code.code) for code in codings):
                self._notes.ignore(IgnoreReason.PANEL, name_part(codings[0].code))
                return
            if not any(self._codes.looks_like_analyte(code.system, code.code) for code in codings):
                self._notes.ignore_code("result", codings)
                return
        status = _RESULT_STATUS[result.status]
        holds = when or self._stand_in(is_withdrawn=status is FactStatus.WITHDRAWN)
        if holds is None:
            self._notes.reject(RejectionReason.TIME_MISSING, "neither collected_at nor issued_at", part)
            return
        received = _received_value(result, self._codes, decimal_comma=self._context.decimal_comma)
        issued = self._issued.latest if self._issued is not None else None
        identity = ResultIdentity(
            fact_id=self._result_id(report, result, patient, holds, nth),
            origin_key=patient.key,
            when=holds,
            source=self._notes.source(part),
            status=status,
            issued_at=issued,
            versioned_at=issued,
            specimen=report.specimen or report.report_id,
        )
        self._facts.append(
            build_lab_result(identity, match, codings, received, self._codes, decimal_comma=self._context.decimal_comma)
        )

    def _result_id(self, report: LabReport, result: LabResult, patient: PatientRef, when: When, nth: int) -> str:
        feed = self._context.feed
        if result.id is not None:
            return f"{feed}|result|{result.id}"
        system = self._codes.system_of(result.system) or result.system
        repeat = f"#{nth + 1}" if nth else ""
        code = f"{system}|{result.code}{repeat}"
        if report.report_id is not None:
            return f"{feed}|report|{report.report_id}|{code}|{report.specimen or ''}"
        return f"derived|{feed}|{patient.key[:12]}|{_basic(when)}|{code}"

    # --- medicines

    def _read_medicine(self, event: _Medicine, patient: PatientRef) -> None:
        taken_at, name = _medicine_time(event)
        when, usable = self._time(taken_at, name)
        recorded, recorded_usable = self._time(event.recorded_at, "recorded_at")
        until_text, until_name = _medicine_end(event)
        until, until_usable = self._time(until_text, until_name)
        if not (usable and recorded_usable and until_usable) or when is None:
            return
        self._issued = recorded
        codings = _medicine_codings(event.medicine, self._codes)
        match = self._codes.medicine_of(codings)
        routes = (_coding(event.route, self._codes),) if event.route is not None else ()
        if self._codes.is_local_use(codings) or self._codes.is_local_route(routes):
            self._notes.ignore(IgnoreReason.NOT_SYSTEMIC, f"medicine {name_code(codings[0].system, codings[0].code)}")
            return
        if match is None:
            self._notes.ignore_code("medicine", codings)
            return
        self._facts.append(self._build_medicine(event, patient, when, recorded, until, codings, match))

    def _build_medicine(
        self,
        event: _Medicine,
        patient: PatientRef,
        when: When,
        recorded: When | None,
        until: When | None,
        codings: tuple[Coding, ...],
        match: MedicineMatch,
    ) -> Fact:
        kind = type(event).__name__.lower()
        fact_id = (
            f"{self._context.feed}|{kind}|{event.id}"
            if event.id is not None
            else f"derived|{self._context.feed}|{kind}|{patient.key[:12]}|{_basic(when)}|{match.medicine}"
        )
        issued = recorded.latest if recorded is not None else None
        stamp = FactStamp(
            fact_id=fact_id,
            origin_key=patient.key,
            when=when,
            issued_at=issued,
            versioned_at=issued,
            status=_RECORD_STATUS[event.status],
            source=self._notes.source(),
        )
        fields = MedicineStamp(
            medicine=match.medicine,
            classes=match.classes,
            codes=codings,
            strength_mg=event.medicine.strength_mg if event.medicine.strength_mg is not None else match.strength_mg,
            quantity=event.quantity if isinstance(event, (Dispense, Order)) else None,
            days_supply=event.days_supply if isinstance(event, (Dispense, Order)) else None,
            dose_mg=event.dose_mg,
            daily_dose_mg=daily_dose(event.dose_mg, event.times_per_day, event.schedule),
            schedule=event.schedule,
            until=until,
            purpose=event.purpose,
            cycle_day_1=event.cycle_day_1 if isinstance(event, (Dispense, Administration)) else None,
        )
        if isinstance(event, Dispense):
            return MedicineDispensed(**stamp, **fields)
        if isinstance(event, Administration):
            return MedicineAdministered(**stamp, **fields)
        if isinstance(event, Order):
            return MedicineOrdered(**stamp, **fields)
        return MedicineTakenAtHome(**stamp, **fields)

    # --- everything else about a patient

    def _read_patient_fact(self, event: PatientFact, patient: PatientRef) -> None:
        recorded, usable = self._time(event.recorded_at, "recorded_at")
        if not usable:
            return
        self._issued = recorded
        fact = event.fact
        if isinstance(fact, Merge):
            if event.status is RecordStatus.FINAL:
                self._read_merge(fact, patient)
            else:
                self._notes.reject(
                    RejectionReason.WRONG_SHAPE, "a merge is final, or taken back by is_undone", "status"
                )
            return
        began, began_usable = self._time(_began(fact), "fact")
        ended, ended_usable = self._time(_ended(fact), "fact")
        if not (began_usable and ended_usable):
            return
        status = _RECORD_STATUS[event.status]
        when = began if began is not None else from_issue(recorded) if recorded is not None else None
        if when is None and isinstance(fact, PatientDescription):
            when = self._description_time(fact)
        when = when or self._stand_in(is_withdrawn=status is FactStatus.WITHDRAWN)
        if when is None:
            self._notes.reject(RejectionReason.TIME_MISSING, "the fact has no time of its own and no recorded_at")
            return
        built = self._build_patient_fact(event, patient, when, ended, status)
        if built is not None:
            self._facts.append(built)

    def _read_merge(self, fact: Merge, patient: PatientRef) -> None:
        merged, usable = self._time(fact.merged_at, "fact")
        if usable:
            when = merged or self._issued or read_time(self._envelope.time, self._context).when
            retired = self._context.refer(fact.retired.authority, fact.retired.id)
            self._merges.append(
                PatientsMerged(
                    survivor=patient, retired=retired, is_undone=fact.is_undone, when=when, source=self._notes.source()
                )
            )

    def _description_time(self, fact: PatientDescription) -> When | None:
        """Who somebody is has no time of its own: the event's, else the receipt, else the birth."""
        event_time = read_time(self._envelope.time, self._context).when
        if event_time is not None:
            return from_issue(event_time)
        if self._context.received_at is not None:
            return from_instant(self._context.received_at)
        return read_calendar_day(fact.birth_date, self._context) if fact.birth_date is not None else None

    def _stamp(self, fact_id: str, patient: PatientRef, when: When, status: FactStatus) -> FactStamp:
        issued = self._issued.latest if self._issued is not None else None
        return FactStamp(
            fact_id=fact_id,
            origin_key=patient.key,
            when=when,
            issued_at=issued,
            versioned_at=issued,
            status=status,
            source=self._notes.source(),
        )

    def _build_patient_fact(
        self, event: PatientFact, patient: PatientRef, when: When, ended: When | None, status: FactStatus
    ) -> Fact | None:
        fact, codes = event.fact, self._codes
        assert not isinstance(fact, Merge), "a merge is no fact"
        if isinstance(fact, PatientDescription):
            named = f"{self._context.feed}|patient|{event.id or patient.key[:12]}"
            return self._build_description(fact, self._stamp(named, patient, when, status))
        codings = () if isinstance(fact, Statement) else tuple(_coding(code, codes) for code in fact.codes)
        if isinstance(fact, Statement):
            key = fact.code
        elif isinstance(fact, Encounter):
            key = fact.setting
        else:
            key = codings[0].code
        named = (
            f"{self._context.feed}|{fact.kind}|{event.id}"
            if event.id is not None
            else f"derived|{self._context.feed}|{fact.kind}|{patient.key[:12]}|{_basic(when)}|{key}"
        )
        stamp = self._stamp(named, patient, when, status)
        built: Fact | None
        if isinstance(fact, Statement):
            return self._build_statement(fact, ended, stamp)
        if isinstance(fact, Encounter):
            return EncounterRecorded(**stamp, setting=fact.setting, codes=codings, ended=ended)
        if isinstance(fact, Vaccine):
            vaccines = codes.vaccines_of(codings)
            built = VaccineGiven(**stamp, vaccines=vaccines, codes=codings) if vaccines else None
        elif isinstance(fact, Procedure):
            done = codes.procedures_of(codings)
            built = ProcedureRecorded(**stamp, concepts=done, codes=codings, ended=ended) if done else None
        elif isinstance(fact, Allergy):
            substances = codes.substances_of(codings)
            built = (
                AllergyRecorded(**stamp, substances=substances, codes=codings, is_active=fact.is_active)
                if substances
                else None
            )
        elif isinstance(fact, AdverseEvent):
            built = self._build_adverse_event(fact, codings, ended, stamp)
        else:
            concepts = codes.concepts_of(codings)
            built = (
                ConditionRecorded(
                    **stamp,
                    concepts=concepts,
                    codes=codings,
                    abated=ended,
                    is_active=fact.is_active,
                    is_history=codes.is_history(concepts),
                )
                if concepts
                else None
            )
        if built is None:
            self._notes.ignore_code(fact.kind, codings)
        return built

    def _build_adverse_event(
        self, fact: AdverseEvent, codings: tuple[Coding, ...], ended: When | None, stamp: FactStamp
    ) -> AdverseEventRecorded | None:
        concepts = self._codes.concepts_of(codings)
        if not concepts and fact.grade is None:
            return None  # a graded event counts for surveillance even where no rule knows its code
        related = (self._codes.medicine_of(_medicine_codings(one, self._codes)) for one in fact.related_to)
        return AdverseEventRecorded(
            **stamp,
            concepts=concepts,
            codes=codings,
            grade=fact.grade,
            related_to=tuple(match.medicine for match in related if match is not None),
            abated=ended,
        )

    def _build_description(self, fact: PatientDescription, stamp: FactStamp) -> Fact | None:
        birth = read_calendar_day(fact.birth_date, self._context) if fact.birth_date is not None else None
        if birth is None and fact.birth_date is not None:
            self._notes.reject(RejectionReason.TIME_UNREADABLE, "birth_date: not a date", "birth_date")
            return None
        died, usable = self._time(fact.died_at, "died_at")
        if not usable:
            return None
        return PatientDescribed(
            **stamp,
            birth=birth,
            sex=fact.sex,
            country=fact.country,
            race=" ".join(code.code for code in fact.race) or None,
            died=died,
        )

    def _build_statement(self, fact: Statement, until: When | None, stamp: FactStamp) -> Fact | None:
        known = self._codes.statements.get(fact.code)
        if known is None:
            self._notes.ignore(IgnoreReason.UNKNOWN_CODE, f"statement {name_part(fact.code)}")
            return None
        value_when, usable = self._time(fact.value_time, "value_time")
        if not usable:
            return None
        missing = {
            "time": value_when is None,
            "number": fact.value_number is None,
            "code": fact.value_code not in known.allowed,
            "none": False,
        }[known.value]
        if missing and stamp["status"] is not FactStatus.WITHDRAWN:
            self._notes.reject(
                RejectionReason.VALUE_MISSING,
                f"statement {known.code} needs a {known.value}, of its list where it has one",
            )
            return None
        return StatementRecorded(
            **stamp,
            code=known.code,
            value_code=fact.value_code if known.value == "code" else None,
            value_number=fact.value_number if known.value == "number" else None,
            value_when=value_when if known.value == "time" else None,
            until=until,
        )


def _describe(error: ValidationError) -> str:
    """Place and fault of the first errors, without a word of the content."""
    described = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        place = ".".join(
            str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "?" for step in fault["loc"]
        )
        described.append(f"{place or 'data'}: {fault['type'].replace('_', ' ')}")
    return "; ".join(described)


def _basic(when: When) -> str:
    return f"{when.earliest:%Y%m%dT%H%M%S}"


def _coding(code: Code, codes: CodeTables) -> Coding:
    return build_coding(codes.uri_of(code.system), code.code, code.display)


def _result_codings(result: LabResult, codes: CodeTables) -> tuple[Coding, ...]:
    first = build_coding(codes.uri_of(result.system), result.code, result.display)
    return (first, *(_coding(code, codes) for code in result.other_codes)) if result.other_codes else (first,)


def _medicine_codings(medicine: MedicineCode, codes: CodeTables) -> tuple[Coding, ...]:
    first = build_coding(codes.uri_of(medicine.system), medicine.code, medicine.display)
    return (first, *(_coding(code, codes) for code in medicine.other_codes))


def _received_value(result: LabResult, codes: CodeTables, *, decimal_comma: bool) -> ReceivedValue:
    value = result.value
    return ReceivedValue(
        number=value if isinstance(value, Decimal) else None,
        text=value if isinstance(value, str) else None,
        comparator=result.comparator,
        units=(result.unit,) if result.unit is not None else (),
        answer_codes=(_coding(result.value_code, codes),) if result.value_code is not None else (),
        remark=result.text,
        low=_limit(result.low, decimal_comma=decimal_comma),
        high=_limit(result.high, decimal_comma=decimal_comma),
    )


def _limit(value: Decimal | str | None, *, decimal_comma: bool) -> Decimal | None:
    if isinstance(value, str):
        reading = read_number(value, decimal_comma=decimal_comma)
        return reading.value if reading.comparator is None else None
    return value


def _medicine_time(event: _Medicine) -> tuple[str, str]:
    if isinstance(event, Dispense):
        return event.handed_over_at, "handed_over_at"
    if isinstance(event, Administration):
        return event.given_at, "given_at"
    if isinstance(event, Order):
        return event.ordered_at, "ordered_at"
    return event.taken_from, "taken_from"


def _medicine_end(event: _Medicine) -> tuple[str | None, str]:
    if isinstance(event, Order):
        return event.ends_at, "ends_at"
    if isinstance(event, HomeMedicine):
        return event.taken_until, "taken_until"
    return None, ""


_AnyFact = PatientDescription | Condition | AdverseEvent | Allergy | Procedure | Vaccine | Encounter | Statement


def _began(fact: _AnyFact) -> str | None:
    if isinstance(fact, PatientDescription):
        return None
    if isinstance(fact, Statement):
        return fact.stated_at or fact.value_time
    if isinstance(fact, Vaccine):
        return fact.given_at
    return fact.began_at


def _ended(fact: _AnyFact) -> str | None:
    if isinstance(fact, (Condition, AdverseEvent, Procedure, Encounter)):
        return fact.ended_at
    return fact.until if isinstance(fact, Statement) else None
