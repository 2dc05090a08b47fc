"""The core alone: record decoded, every rule asked, record encoded; and what a long history costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rules.record import read_record, write_record
from rules.watch import Heard, step
from schemas.alerts import TransitionKind
from schemas.events import Entry, entry_from_json
from streams.medicine import RulesMedicine
from tests.benchmarks.load import LoadEntry, default_policy, load_ward, to_entries

_MEDICINE: Final = RulesMedicine()
"""Reads the policy once."""


@dataclass(slots=True)
class Spent:
    """What a number of reports cost."""

    reports: int = 0
    raising: int = 0
    """Reports that raised an alert."""
    transitions: int = 0
    wall: float = 0.0
    processor: float = 0.0

    @property
    def rate(self) -> float:
        """Reports a second of one processor: what else runs on the machine does not count."""
        return self.reports / self.processor

    @property
    def microseconds(self) -> float:
        """Of one processor, for a report."""
        return 1e6 * self.processor / self.reports


@dataclass(slots=True)
class CoreWard:
    """Records as bytes, as the store has them."""

    records: dict[bytes, bytes] = field(default_factory=dict)
    segments: dict[str, bytes] = field(default_factory=dict)
    offset: int = 0

    def hear(self, entries: Sequence[LoadEntry], *, parsed: Sequence[Entry] | None = None) -> Spent:
        """Judge entries, each a decode, a step and an encode; `parsed` leaves the entries' own decoding out."""
        policy = _MEDICINE.read_policy(default_policy())
        spent = Spent(reports=sum(entry.is_report for entry in entries))
        records, offset = self.records, self.offset
        wall, processor = time.perf_counter(), time.process_time()
        for place, entry in enumerate(entries):
            read = entry_from_json(entry.value) if parsed is None else parsed[place]
            raw = records.get(entry.key)
            heard = Heard(entry.known_at, 0, offset)
            record = None if raw is None else read_record(raw)
            stepped = step(record, read, heard, policy)
            if stepped.needs:
                pages = {name: self.segments[name] for name in stepped.needs}
                stepped = step(record, read, heard, policy, pages)
            records[entry.key] = write_record(stepped.record)
            if stepped.segments:
                self.segments.update(stepped.segments)
            for transition in stepped.transitions:
                transition.to_json()
            spent.transitions += len(stepped.transitions)
            spent.raising += any(each.transition is TransitionKind.RAISED for each in stepped.transitions)
            offset += 1
        spent.wall, spent.processor = time.perf_counter() - wall, time.process_time() - processor
        self.offset = offset
        return spent

    def sizes(self) -> list[int]:
        """Bytes of each patient's record, smallest first."""
        return sorted(len(raw) for raw in self.records.values())


def measure_core(patients: int = 100, days: int = 91, *, every: int = 1) -> tuple[Spent, Spent, CoreWard]:
    """Without and with the decoding of the entry itself, over a ward with some history behind it."""
    ward = CoreWard()
    warm, third = days // 3, 2 * days // 3
    ward.hear(to_entries(load_ward(patients, warm, every=every)))
    reports = [each for each in to_entries(load_ward(patients, third, every=every, first_day=warm)) if each.is_report]
    without = ward.hear(reports, parsed=[entry_from_json(each.value) for each in reports])
    reports = [each for each in to_entries(load_ward(patients, days, every=every, first_day=third)) if each.is_report]
    return without, ward.hear(reports), ward


def measure_history(
    patients: int = 30, *, every: int = 7, months_3: int = 91, years_5: int = 1_827, rounds: int = 28
) -> tuple[Spent, Spent, CoreWard, CoreWard]:
    """A report after three months and after five years of history, measured in turns."""
    wards = [CoreWard(), CoreWard()]
    starts = (months_3, years_5)
    for ward, start in zip(wards, starts, strict=True):
        ward.hear(to_entries(load_ward(patients, start, every=every)))
    totals = [Spent(), Spent()]
    for turn in range(rounds):
        for ward, start, total in zip(wards, starts, totals, strict=True):
            first = (start // every + 1 + turn) * every
            entries = to_entries(load_ward(patients, first + 1, every=every, first_day=first))
            reports = [each for each in entries if each.is_report]
            parsed = [entry_from_json(each.value) for each in reports]
            spent = ward.hear(reports, parsed=parsed)
            total.reports += spent.reports
            total.raising += spent.raising
            total.processor += spent.processor
            total.wall += spent.wall
    return totals[0], totals[1], wards[0], wards[1]
