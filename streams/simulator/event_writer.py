"""Happenings as our own events: structured CloudEvents, one a line, in order of `known_at`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from schemas.inlet import (
    Code,
    Condition,
    Dispense,
    InletEvent,
    LabReport,
    LabResult,
    MedicineCode,
    Order,
    PatientDescription,
    PatientFact,
    PatientIdentity,
    Procedure,
    RecordStatus,
    ResultStatus,
    Statement,
    TakingSchedule,
    Vaccine,
    write_binary,
    write_structured,
)
from streams.simulator.happenings import (
    CodedConcept,
    Described,
    Diagnosed,
    Dispensed,
    Happening,
    Ordered,
    Performed,
    Reported,
    Stated,
    Vaccinated,
)
from streams.simulator.people import AUTHORITY

FEED: Final = "synthetic-ward"
SOURCE: Final = f"/site/synthetic/feed/{FEED}"
"""CloudEvents `source` of everything the simulator sends; its last part is the feed."""

ONCE: Final = Decimal(1)
"""Every medicine of the ward is taken once on a day of taking."""


def event_of(happening: Happening) -> InletEvent:
    """The event a hospital's own producer would write for this."""
    patient = PatientIdentity(authority=AUTHORITY, id=happening.patient)
    match happening.what:
        case Reported() as report:
            return _lab_report(patient, report)
        case Dispensed() as dispensed:
            return Dispense(
                patient=patient,
                id=dispensed.dispense,
                medicine=_medicine(dispensed.medicine, Decimal(dispensed.strength_mg)),
                handed_over_at=dispensed.handed_over_at.isoformat(),
                quantity=Decimal(dispensed.quantity),
                days_supply=dispensed.days_supply,
                dose_mg=Decimal(dispensed.dose_mg),
                times_per_day=ONCE,
                schedule=TakingSchedule(dispensed.schedule),
                purpose=_purpose(dispensed),
            )
        case Ordered() as ordered:
            return Order(
                patient=patient,
                id=ordered.order,
                medicine=_medicine(ordered.medicine, None),
                recorded_at=ordered.authored_at.isoformat(),
                ordered_at=ordered.authored_at.isoformat(),
                ends_at=ordered.until.isoformat(),
                dose_mg=Decimal(ordered.dose_mg),
                times_per_day=ONCE,
                schedule=TakingSchedule(ordered.schedule),
            )
        case Described() as described:
            fact = PatientDescription(
                birth_date=described.birth.isoformat(), sex=described.sex, country=described.country
            )
            return _patient_fact(patient, patient.id, described.at, fact)
        case Diagnosed() as diagnosed:
            condition = Condition(
                codes=tuple(_code(code) for code in diagnosed.codes),
                began_at=diagnosed.onset.isoformat(),
                ended_at=None if diagnosed.abated is None else diagnosed.abated.isoformat(),
                is_active=diagnosed.abated is None,
            )
            return _patient_fact(patient, diagnosed.condition, diagnosed.recorded_at, condition)
        case Performed() as performed:
            procedure = Procedure(codes=(_code(performed.code),), began_at=performed.performed_at.isoformat())
            return _patient_fact(patient, performed.procedure, performed.performed_at, procedure)
        case Vaccinated() as vaccinated:
            vaccine = Vaccine(codes=(_code(vaccinated.vaccine),), given_at=vaccinated.given_at.isoformat())
            return _patient_fact(patient, vaccinated.vaccination, vaccinated.given_at, vaccine)
        case Stated() as stated:
            statement = Statement(
                code=stated.code,
                stated_at=stated.stated_at.isoformat(),
                value_code=stated.value_code,
                value_number=None if stated.value_number is None else Decimal(stated.value_number),
                value_time=None if stated.value_date is None else stated.value_date.isoformat(),
            )
            status = RecordStatus.CORRECTED if stated.is_revised else RecordStatus.FINAL
            return PatientFact(
                patient=patient,
                id=stated.statement,
                recorded_at=stated.stated_at.isoformat(),
                status=status,
                fact=statement,
            )


def structured_event(happening: Happening, *, subject: str | None = None) -> bytes:
    """One event in structured mode, without a line end; `known_at` travels as an extension."""
    return write_structured(
        event_of(happening),
        event_id=happening.message,
        source=SOURCE,
        time=clinical_time(happening),
        subject=subject,
        known_at=happening.known_at,
    )


def binary_event(happening: Happening, *, subject: str | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and value of a Kafka record for an inlet topic."""
    return write_binary(
        event_of(happening),
        event_id=happening.message,
        source=SOURCE,
        time=clinical_time(happening),
        subject=subject,
        known_at=happening.known_at,
    )


def event_lines(happenings: Iterable[Happening]) -> Iterator[bytes]:
    """NDJSON, with line ends."""
    for happening in happenings:
        yield structured_event(happening) + b"\n"


def write_events(happenings: Iterable[Happening], folder: Path) -> Path:
    """Write `events.ndjson` into an existing folder; the path is answered."""
    path = folder / "events.ndjson"
    with path.open("wb") as file:
        file.writelines(event_lines(happenings))
    return path


def clinical_time(happening: Happening) -> datetime:
    """When it happened to the patient, as far as one instant can say."""
    match happening.what:
        case Reported() as report:
            return report.collected_at
        case Dispensed() as dispensed:
            return dispensed.handed_over_at
        case Ordered() as ordered:
            return ordered.authored_at
        case Described() as described:
            return described.at
        case Diagnosed() as diagnosed:
            return diagnosed.recorded_at
        case Performed() as performed:
            return performed.performed_at
        case Vaccinated() as vaccinated:
            return vaccinated.given_at
        case Stated() as stated:
            return stated.stated_at


def _lab_report(patient: PatientIdentity, report: Reported) -> LabReport:
    status = ResultStatus(report.status.value)
    return LabReport(
        patient=patient,
        report_id=report.report,
        specimen=report.specimen,
        collected_at=report.collected_at.isoformat(),
        issued_at=report.issued_at.isoformat(),
        results=tuple(
            LabResult(
                code=result.test.code,
                system=result.test.system,
                display=result.test.display,
                id=result.id,
                value=result.value,
                unit=result.unit,
                status=status,
                text=result.note,
                low=None if result.low is None else Decimal(result.low),
                high=None if result.high is None else Decimal(result.high),
            )
            for result in report.results
        ),
    )


def _patient_fact(
    patient: PatientIdentity,
    identifier: str,
    recorded_at: datetime,
    fact: PatientDescription | Condition | Procedure | Vaccine,
) -> PatientFact:
    return PatientFact(patient=patient, id=identifier, recorded_at=recorded_at.isoformat(), fact=fact)


def _purpose(dispensed: Dispensed) -> Literal["prophylaxis"] | None:
    return "prophylaxis" if dispensed.is_prophylaxis else None


def _code(concept: CodedConcept) -> Code:
    return Code(system=concept.system, code=concept.code, display=concept.display)


def _medicine(concept: CodedConcept, strength_mg: Decimal | None) -> MedicineCode:
    return MedicineCode(system=concept.system, code=concept.code, display=concept.display, strength_mg=strength_mg)
