"""Reads stories: patients over time in YAML, as a pharmacist would tell them, into our own events.

A story names the rules it is `about`; each step lists exactly what these rules say because of it or
while time passed up to it. The same file is run in memory and through the real broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

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
    Statement,
    write_structured,
)

FOLDER = Path(__file__).parent
ZONE = ZoneInfo("Asia/Seoul")
DAY_1 = datetime(2026, 6, 1, tzinfo=ZONE)
LOINC = "http://loinc.org"
ANALYTES = {
    "wbc": "6690-2", "anc": "751-8", "neutrophils-pct": "770-8", "platelets": "777-3", "haemoglobin": "718-7",
    "creatinine": "2160-0", "weight": "29463-7", "temperature": "8310-5", "inr": "6301-6", "granulocytes": "19023-1",
    "alt": "1742-6", "ast": "1920-8", "bilirubin": "1975-2", "pregnancy-test": "2118-8",
}  # fmt: skip
MEDICINES = {
    "lenalidomide": "342369", "aspirin": "1191", "enoxaparin": "67108", "warfarin": "11289", "filgrastim": "68442",
    "co-trimoxazole": "10831", "levofloxacin": "82122", "dexamethasone": "3264", "epoetin-alfa": "105694",
}  # fmt: skip
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True)
class Step:
    """One thing that happens, when it could be known, and what is expected to be said by then."""

    known_at: datetime
    event: InletEvent | None
    event_id: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A story's file, patient number, rules it is about, and steps in order of time."""

    name: str
    sentence: str
    patient_id: str
    about: frozenset[str]
    steps: tuple[Step, ...]


def instant(day: float, hour: float) -> datetime:
    """Day 1 is 1 June 2026 in Seoul; there is no day 0."""
    return DAY_1 + timedelta(days=day - 1 if day > 0 else day, hours=hour)


def read_stories() -> list[Story]:
    """Every story of the folder, by file name."""
    return [story for path in sorted(FOLDER.glob("*.yaml")) for story in read_file(path)]


def read_file(path: Path) -> Iterator[Story]:
    """The stories of one file."""
    for number, told in enumerate(yaml.safe_load_all(path.read_text(encoding="utf-8"))):
        name = f"{path.stem}-{number + 1}"
        who = PatientIdentity(authority="urn:story", id=f"P-{name}")
        steps = [_describe(who, told.get("patient", {}), name)]
        steps.extend(_read_step(who, step, f"{name}/{place}") for place, step in enumerate(told["steps"]))
        yield Story(name, told["story"], who.id, frozenset(told["about"]), tuple(steps))


def _describe(who: PatientIdentity, row: Mapping[str, Any], name: str) -> Step:
    fact = PatientDescription(birth_date=str(row.get("birth", "1958-03-01")), sex=row.get("sex", "male"), country="KR")
    at = instant(-30, 8)
    return Step(at, PatientFact(patient=who, id="who", recorded_at=at.isoformat(), fact=fact), f"{name}/who", ())


def _read_step(who: PatientIdentity, row: Mapping[str, Any], event_id: str) -> Step:
    day, hour = float(row["day"]), float(row.get("hour", 9))
    at = instant(day, hour)
    known = (
        instant(float(row["known_day"]), float(row.get("known_hour", 12)))
        if "known_day" in row
        else at + timedelta(hours=2)
    )
    return Step(known, _event(who, row, at, event_id), event_id, tuple(row.get("says", ())))


def _event(who: PatientIdentity, row: Mapping[str, Any], at: datetime, event_id: str) -> InletEvent | None:
    time = at.isoformat()
    if "cbc" in row or "lab" in row:
        values = dict(row.get("lab", {}))
        if "cbc" in row:
            panel = {"wbc": "5.0 10*3/uL", "anc": "2.5 10*3/uL", "platelets": "180 10*3/uL", "haemoglobin": "11.5 g/dL"}
            values = {**panel, **(row["cbc"] or {}), **values}
        return _report(who, values, row, time)
    if "dispense" in row or "order" in row:
        verb = "dispense" if "dispense" in row else "order"
        name = row[verb]
        code = MedicineCode(system=RXNORM, code=MEDICINES[name], strength_mg=Decimal(str(row.get("dose", 1))))
        given = {"patient": who, "id": event_id, "medicine": code, "dose_mg": Decimal(str(row.get("dose", 1)))}
        if verb == "order":
            return Order(ordered_at=time, **given)
        return Dispense(
            handed_over_at=time,
            quantity=Decimal(str(row.get("quantity", 21))),
            days_supply=row.get("days", 28),
            **given,
        )
    if "condition" in row:
        system, code = row["condition"].split("|") if "|" in row["condition"] else (ICD10, row["condition"])
        fact: Any = Condition(codes=(Code(system=system, code=code),), began_at=time)
    elif "procedure" in row:
        fact = Procedure(codes=(Code(system=SNOMED, code=str(row["procedure"])),), began_at=time)
    elif "statement" in row:
        value = row.get("value")
        when = instant(float(row["value_day"]), 9).isoformat() if "value_day" in row else None
        number = Decimal(str(row["number"])) if "number" in row else None
        fact = Statement(code=row["statement"], stated_at=time, value_code=value, value_number=number, value_time=when)
    elif "time-passes" in row:
        return None
    else:
        raise ValueError(
            f"{event_id}: a step says cbc, lab, dispense, order, condition, procedure, statement or time-passes"
        )
    return PatientFact(patient=who, id=event_id, recorded_at=time, fact=fact)


def _report(who: PatientIdentity, values: Mapping[str, Any], row: Mapping[str, Any], time: str) -> LabReport:
    specimen = str(row.get("specimen", f"S{row['day']}-{row.get('hour', 9)}"))
    issued = (
        instant(float(row["issued_day"]), float(row.get("issued_hour", 9))).isoformat() if "issued_day" in row else time
    )
    results = []
    for analyte, text in values.items():
        if text is None:
            continue
        value, _, unit = str(text).partition(" ")
        results.append(
            LabResult(
                code=ANALYTES[analyte], system=LOINC, id=f"{specimen}-{analyte}", value=value, unit=unit or None,
                status=row.get("status", "final"),
            )
        )  # fmt: skip
    return LabReport(
        patient=who, report_id=specimen, specimen=specimen, collected_at=time, issued_at=issued, results=tuple(results)
    )


def body_of(step: Step) -> bytes:
    """The event of a step as one structured CloudEvent."""
    assert step.event is not None
    return write_structured(step.event, event_id=step.event_id, source="/story", known_at=step.known_at)
