"""Builders for tests of `rules.watch`: entries of a log for one patient, and a walk through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from rules.policy.reading import Policy
from rules.record import Record, read_record, write_record
from rules.watch import Heard, step
from schemas.alerts import Transition
from schemas.events import (
    Comparator,
    ConditionRecorded,
    Entry,
    EntryKind,
    Fact,
    FactStatus,
    LabResultReported,
    MedicineDispensed,
    PatientDescribed,
    StatementRecorded,
)
from schemas.values import Coding, PatientRef, Source, When
from tests.rules.bedside import CLASSES, ZONE, on, policy

PATIENT = PatientRef(key="0" * 32, authority="urn:ward", id="P-1")
LOINC = {"anc": "751-8", "wbc": "6690-2", "platelets": "777-3", "haemoglobin": "718-7", "creatinine": "2160-0"}
UNITS = {"anc": "cells/uL", "wbc": "cells/uL", "platelets": "cells/uL", "haemoglobin": "g/dL", "creatinine": "mg/dL",
         "weight": "kg", "temperature": "Cel", "inr": "INR"}  # fmt: skip
NORMAL = {"wbc": "5000", "anc": "2500", "platelets": "180000", "haemoglobin": "11.5"}


def lab(
    day: float,
    values: dict[str, str] | None = None,
    hour: float = 9.0,
    *,
    status: FactStatus = FactStatus.FINAL,
    version: datetime | None = None,
    issued: datetime | None = None,
    **changed: str,
) -> list[LabResultReported]:
    """The results of one specimen; a CBC in range unless values say otherwise."""
    at = on(day, hour)
    issued = issued or at
    return [
        LabResultReported(
            fact_id=f"lab/{day}/{hour}/{analyte}",
            origin_key=PATIENT.key,
            when=When.at(at),
            issued_at=issued,
            versioned_at=version or issued,
            status=status,
            source=Source(feed="lab", message=f"L{day}-{hour}", position=str(place)),
            analyte=analyte,
            codes=(Coding(system="http://loinc.org", code=LOINC.get(analyte, "0-0")),),
            value=Decimal(value.lstrip("<>")),
            comparator=Comparator(value[0]) if value[0] in "<>" else None,
            unit=UNITS.get(analyte),
            normalised=Decimal(value.lstrip("<>")),
            normalised_unit=UNITS.get(analyte),
            specimen=f"S{day}-{hour}",
        )
        for place, (analyte, value) in enumerate({**(values or NORMAL), **changed}.items())
    ]


def dispense(
    day: float, medicine: str = "lenalidomide", hour: float = 10.0, *, days: int = 28, dose: str = "25",
    quantity: str = "21", status: FactStatus = FactStatus.FINAL, version: datetime | None = None,
) -> list[MedicineDispensed]:  # fmt: skip
    """A medicine handed over."""
    at = on(day, hour)
    return [
        MedicineDispensed(
            fact_id=f"rx/{day}/{hour}/{medicine}",
            origin_key=PATIENT.key,
            when=When.at(at),
            issued_at=at,
            versioned_at=version or at,
            status=status,
            source=Source(feed="pharmacy", message=f"R{day}-{hour}"),
            medicine=medicine,
            classes=CLASSES.get(medicine, ()),
            strength_mg=Decimal(dose),
            quantity=Decimal(quantity),
            days_supply=days,
            dose_mg=Decimal(dose),
        )
    ]


def described(birth: str = "1958-03-01", sex: str = "male", day: float = -20) -> list[PatientDescribed]:
    """Who the patient is."""
    born = datetime.fromisoformat(f"{birth}T00:00:00+09:00")
    when = When(earliest=born, latest=born.replace(hour=23, minute=59), precision="day")
    return [
        PatientDescribed(
            fact_id="who", origin_key=PATIENT.key, when=When.at(on(day)), birth=when, sex=sex, country="KR",
            source=Source(feed="adt", message="A1"),
        )
    ]  # fmt: skip


def condition(day: float, *concepts: str) -> list[ConditionRecorded]:
    """A condition."""
    return [
        ConditionRecorded(
            fact_id=f"dx/{day}/{concepts[0]}", origin_key=PATIENT.key, when=When.at(on(day)), issued_at=on(day),
            source=Source(feed="adt", message=f"D{day}"), concepts=concepts,
        )
    ]  # fmt: skip


def stated(
    day: float, code: str, value: str | None = None, when: datetime | None = None, *, number: str | None = None
) -> list[StatementRecorded]:
    """A fact of the project's own CodeSystem."""
    return [
        StatementRecorded(
            fact_id=f"st/{day}/{code}", origin_key=PATIENT.key, when=When.at(on(day, 8)), issued_at=on(day, 8),
            source=Source(feed="console", message=f"S{day}"), code=code, value_code=value,
            value_when=When.at(when) if when else None, value_number=Decimal(number) if number else None,
        )
    ]  # fmt: skip


@dataclass
class Walk:
    """One patient's log, walked entry by entry; records go through their bytes each time."""

    using: Policy = field(default_factory=policy)
    record: Record | None = None
    offset: int = 0
    transitions: list[Transition] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)

    def hear(self, facts: Iterable[Fact], known: datetime, event_id: str | None = None) -> list[Transition]:
        """One entry; its transitions."""
        entry = Entry(
            event_id=event_id or f"e{self.offset}", patient=PATIENT, feed="lab", zone=ZONE, facts=tuple(facts)
        )
        return self._step(entry, known)

    def tick(self, at: datetime) -> list[Transition]:
        """Time passes."""
        return self._step(Entry(kind=EntryKind.TICK, event_id="tick"), at)

    def _step(self, entry: Entry, known: datetime) -> list[Transition]:
        heard = Heard(known, 0, self.offset)
        stepped = step(self.record, entry, heard, self.using)
        if stepped.needs:
            behind = {name: self.stored[name] for name in stepped.needs}
            stepped = step(self.record, entry, heard, self.using, behind)
        self.stored.update(stepped.segments or {})
        self.offset += 1
        self.record = read_record(write_record(stepped.record))
        self.transitions.extend(stepped.transitions)
        return list(stepped.transitions)

    def open(self) -> set[tuple[str, str]]:
        """Open alerts as (rule, severity)."""
        assert self.record is not None
        return {(alert.rule, alert.severity.value) for alert in self.record.register if alert.superseded_by is None}

    def said(self) -> list[tuple[str, str]]:
        """Every transition so far as (transition, rule)."""
        return [(told.transition.value, told.rule) for told in self.transitions]


def walk(entries: Sequence[tuple[Iterable[Fact], datetime]], using: Policy | None = None) -> Walk:
    """A walk over (facts, known) in the order given."""
    one = Walk(using=using or policy())
    for facts, known in entries:
        one.hear(facts, known)
    return one
