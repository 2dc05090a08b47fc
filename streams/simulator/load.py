"""Load: intake messages by the hundred thousand, ready made, for benchmarks and fault tests.

Reports of eight results each, as our own events, patient after patient in rounds, so that every report is
a new fact and time goes forward. The bytes are put together from a template, because a model per report
would measure the generator and not the pipeline; a test holds them equal to what the model would write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from schemas.values.patient import build_patient_key
from streams.simulator import codebook, practice
from streams.simulator.event_writer import FEED, SOURCE, structured_event
from streams.simulator.happenings import Dispensed, Happening
from streams.simulator.pathway import ZONE
from streams.simulator.people import AUTHORITY
from streams.simulator.ward import OPENS_ON

LOW_EVERY: Final = 40
"""Every so many reports a patient's neutrophils lie at the hold threshold, for one report: 2.5 % raise an alert."""

_LAB_TYPE: Final = "org.myelowatch.lab.result.v1"
_MORNING: Final = 7 * 3600
_MORNING_SECONDS: Final = 4 * 3600
"""Reports of a round are spread from 07:00 on over four hours, in seconds."""


class LoadMessage(NamedTuple):
    """One record for the intake topic. `known_at` is ISO 8601; `is_low` marks reports that raise an alert."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    known_at: str
    patient: str
    is_low: bool


def load_enrolments(patients: int, *, secret: bytes) -> Iterator[LoadMessage]:
    """One lenalidomide dispense for each patient, on the ward's first day: from then on rules run."""
    handed_over_at = datetime(OPENS_ON.year, OPENS_ON.month, OPENS_ON.day, 6, 0, tzinfo=ZONE)
    days = practice.DOSING_DAYS
    for number in range(patients):
        patient = _patient(number)
        dispensed = Dispensed(
            f"{patient}-D1", codebook.LENALIDOMIDE[25], "25", str(days), days, "25", "daily", handed_over_at
        )
        happening = Happening(handed_over_at + timedelta(minutes=1), patient, f"{patient}-E1", dispensed)
        value = structured_event(happening)
        yield _message(
            _key(patient, secret), value, happening.message, happening.known_at.isoformat(), patient, is_low=False
        )


def load_reports(
    patients: int, reports: int, seed: int, *, secret: bytes, days_between: int = 1, first_round: int = 1
) -> Iterator[LoadMessage]:
    """So many blood counts, one for each patient a round, `days_between` days from round to round.

    `first_round` continues an earlier load: rounds are numbered from 1, and a round's reports are always the same.
    """
    keys = [_key(_patient(number), secret) for number in range(patients)]
    names = [_patient(number) for number in range(patients)]
    step = _MORNING_SECONDS / patients
    clocks = [_clock(_MORNING + int(number * step)) for number in range(patients)]
    known = [_clock(_MORNING + int(number * step) + 7_200) for number in range(patients)]
    made = 0
    for round_number in range(first_round, first_round + -(-reports // patients)):
        chance = Random(f"{seed}/load/{round_number}").random
        day = (OPENS_ON + timedelta(days=round_number * days_between)).isoformat()
        for number in range(patients):
            if made == reports:
                return
            made += 1
            is_low = (round_number + 7 * number) % LOW_EVERY == 0
            neutrophils = 0.2 + 0.29 * chance() if is_low else 1.6 + 3.0 * chance()
            lymphocytes = 0.9 + chance()
            eosinophils = 0.05 + 0.2 * chance()
            white = neutrophils + lymphocytes + eosinophils + 0.4
            patient, message = names[number], f"{names[number]}-L{round_number}"
            known_at = f"{day}T{known[number]}+09:00"
            value = _REPORT % (
                message,
                f"{day}T{clocks[number]}+09:00",
                known_at,
                patient,
                message,
                message,
                f"{day}T{clocks[number]}+09:00",
                known_at,
                message,
                f"{white:.2f}",
                message,
                f"{9.0 + 4.0 * chance():.1f}",
                message,
                f"{110 + 180 * chance():.0f}",
                message,
                f"{neutrophils:.2f}",
                message,
                f"{100 * neutrophils / white:.1f}",
                message,
                f"{lymphocytes:.2f}",
                message,
                f"{100 * lymphocytes / white:.1f}",
                message,
                f"{eosinophils:.2f}",
            )
            yield _message(keys[number], value.encode(), message, known_at, patient, is_low=is_low)


def _message(key: bytes, value: bytes, message: str, known_at: str, patient: str, *, is_low: bool) -> LoadMessage:
    headers = [
        ("feed", _FEED),
        ("protocol", b"event"),
        ("control_id", message.encode()),
        ("sha256", hashlib.sha256(value).hexdigest().encode()),
        ("known_at", known_at.encode()),
    ]
    return LoadMessage(key, value, headers, known_at, patient, is_low)


def _patient(number: int) -> str:
    return f"LOAD-{number + 1:06d}"


def _key(patient: str, secret: bytes) -> bytes:
    return build_patient_key(AUTHORITY, patient, secret).encode()


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _template() -> str:
    tests = (
        (codebook.WHITE_CELLS, "10*3/uL"),
        (codebook.HAEMOGLOBIN, "g/dL"),
        (codebook.PLATELETS, "10*3/uL"),
        (codebook.NEUTROPHILS, "10*3/uL"),
        (codebook.NEUTROPHIL_SHARE, "%%"),
        (codebook.LYMPHOCYTES, "10*3/uL"),
        (codebook.LYMPHOCYTE_SHARE, "%%"),
        (codebook.EOSINOPHILS, "10*3/uL"),
    )
    results = ",".join(
        f'{{"code":"{test.code}","system":"{test.system}","id":"%s-{place}","value":"%s","unit":"{unit}","status":"final"}}'
        for place, (test, unit) in enumerate(tests)
    )
    return (
        f'{{"specversion":"1.0","id":"%s","source":"{SOURCE}","type":"{_LAB_TYPE}","time":"%s","knownat":"%s",'
        f'"datacontenttype":"application/json","data":{{"patient":{{"authority":"{AUTHORITY}","id":"%s"}},'
        f'"report_id":"%s","specimen":"%s-B","collected_at":"%s","issued_at":"%s","results":[{results}]}}}}'
    )


_FEED: Final = FEED.encode()
_REPORT: Final = _template()
