"""What the benchmarks send: reports of eight results about a ward of any size, ready made.

Everybody is described, assessed and put on lenalidomide, gets a dispense every 28 days and a blood count every
so many days; one count in forty lies at the hold threshold. Every report is a new fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.events import PolicyActivation
from schemas.inlet import read_event
from schemas.reading import ReadingContext
from schemas.values.patient import build_patient_key
from streams.medicine import load_activation
from streams.ports import instant_of, milliseconds_of
from streams.simulator import codebook, practice
from streams.simulator.event_writer import FEED, structured_event
from streams.simulator.happenings import Described, Dispensed, Happening, Stated
from streams.simulator.load import load_reports
from streams.simulator.pathway import ZONE
from streams.simulator.people import AUTHORITY
from streams.simulator.ward import OPENS_ON

SECRET: Final = b"a secret of the benchmarks only  "
CONTEXT: Final = ReadingContext(feed=FEED, zone=ZONE, secret=SECRET, obeys_known_at=True)
HEADERS: Final = [("feed", FEED.encode()), ("protocol", b"event")]


class Message(NamedTuple):
    """One record for intake, and when it is known."""

    key: bytes
    value: bytes
    known_at: datetime
    is_report: bool
    is_low: bool = False


class LoadEntry(NamedTuple):
    """The same, as an entry of the patient log."""

    key: bytes
    value: bytes
    known_at: datetime
    is_report: bool


@lru_cache(maxsize=1)
def default_policy() -> PolicyActivation:
    """The policy everything is judged by."""
    return load_activation("kr-panel")


def load_ward(patients: int, days: int, *, every: int, first_day: int = 0, seed: int = 1) -> Iterator[Message]:
    """All messages of a ward from one day (below `days`) on, in order of time; day 0 puts everybody on treatment."""
    rounds = [day for day in range(max(first_day, 1), days) if day % every == 0]
    reports = load_reports(
        patients,
        len(rounds) * patients,
        seed,
        secret=SECRET,
        days_between=every,
        first_round=rounds[0] // every if rounds else 1,
    )
    for day in range(first_day, days):
        if day == 0:
            yield from (_described(number) for number in range(patients))
            yield from (_assessed(number) for number in range(patients))
        if day % 28 == 0:
            for number in range(patients):
                yield _dispense(number, day)
        if day and day % every == 0:
            for _ in range(patients):
                made = next(reports)
                yield Message(made.key, made.value, datetime.fromisoformat(made.known_at), True, made.is_low)


def to_entries(messages: Iterator[Message]) -> list[LoadEntry]:
    """What translate makes of them."""
    entries = []
    for message in messages:
        for entry in read_event(message.value, None, CONTEXT).entries:
            stamped = entry.model_copy(update={"known_at": instant_of(milliseconds_of(message.known_at))})
            entries.append(LoadEntry(message.key, stamped.to_json(), message.known_at, message.is_report))
    return entries


def _patient(number: int) -> str:
    return f"LOAD-{number + 1:06d}"


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    on: date = OPENS_ON + timedelta(days=day)
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=ZONE)


def _message(number: int, known_at: datetime, name: str, what: Described | Dispensed | Stated) -> Message:
    patient = _patient(number)
    value = structured_event(Happening(known_at, patient, f"{patient}-{name}", what))
    return Message(build_patient_key(AUTHORITY, patient, SECRET).encode(), value, known_at, False)


def _described(number: int) -> Message:
    birth = date(1950 + number % 25, 3, 14)
    return _message(number, _at(0, 4), "W", Described(birth, "female" if number % 2 else "male", "KR", _at(0, 4)))


def _assessed(number: int) -> Message:
    stated = Stated(f"{_patient(number)}-S", "vte-risk-assessment", _at(0, 4, 5), value_code="tier-3")
    return _message(number, _at(0, 4, 6), "A", stated)


def _dispense(number: int, day: int) -> Message:
    days = practice.DOSING_DAYS
    dispensed = Dispensed(
        f"{_patient(number)}-D{day}",
        codebook.LENALIDOMIDE[25],
        "25",
        str(days),
        days,
        "25",
        "daily",
        _at(day, 6),
    )
    return _message(number, _at(day, 6, 1), f"D{day}", dispensed)
