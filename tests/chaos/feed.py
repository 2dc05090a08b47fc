"""What is sent while the world breaks: reports about a large ward, in the order in which they could be known.

Mostly blood counts of eight results, one in forty at the hold threshold; some lows are corrected a day later, some
patients' counts stay away for weeks (absences), some messages come twice, and now and then there is one that
nobody can read. Time is explicit, so that a run of minutes spans months.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from streams.simulator.pathway import ZONE
from streams.simulator.ward import OPENS_ON
from tests.benchmarks.load import Message, load_ward

_ID = re.compile(rb'"id":"(LOAD-\d+-[A-Z]\w*)"')


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A message, or a tick where there is none. `name` is the message's own id, empty where it has none."""

    known_at: datetime
    message: Message | None = None
    name: str = ""
    is_report: bool = False


def feed(patients: int, seed: int, days: int = 2_000) -> Iterator[FeedItem]:
    """Endless for all practical purposes; deterministic."""
    chance = Random(f"feed/{seed}")
    corrections: list[FeedItem] = []
    for day in range(days):
        today = [item for item in _day(patients, day, seed) if not _stays_away(item, day)]
        today.extend(corrections)
        corrections = []
        for item in list(today):
            assert item.message is not None
            if item.message.is_low and chance.random() < 0.2:
                corrections.append(_corrected(item))
            if chance.random() < 0.01:
                today.append(item)
        if chance.random() < 0.5 and today:
            garbled = chance.choice(today)
            assert garbled.message is not None
            today.append(FeedItem(garbled.known_at, garbled.message._replace(value=garbled.message.value[:150])))
        today.sort(key=lambda item: item.known_at)
        yield FeedItem(_at(day, 3))
        yield from today
        yield FeedItem(_at(day, 20))


def _day(patients: int, day: int, seed: int) -> Iterator[FeedItem]:
    for message in load_ward(patients, day + 1, every=1, first_day=day, seed=seed):
        found = _ID.search(message.value)
        assert found is not None
        yield FeedItem(message.known_at, message, found[1].decode(), message.is_report)


def _stays_away(item: FeedItem, day: int) -> bool:
    """One patient in nine has no count for two weeks, others in the next two."""
    number = int(item.name[5:11])
    return item.is_report and number % 9 == (day // 14) % 9 and day >= 14


def _corrected(item: FeedItem) -> FeedItem:
    """The same report a day later: the low count was none."""
    assert item.message is not None
    value = item.message.value.replace(b'"status":"final"', b'"status":"corrected"')
    value = re.sub(rb'(-3","value":")[\d.]+', rb"\g<1>2.50", value)
    value = value.replace(b'"id":"%b"' % item.name.encode(), b'"id":"%bC"' % item.name.encode(), 1)
    later = item.known_at + timedelta(days=1)
    value = re.sub(rb'("knownat":")[^"]*', rb"\g<1>" + later.isoformat().encode(), value)
    value = re.sub(rb'("issued_at":")[^"]*', rb"\g<1>" + later.isoformat().encode(), value)
    return FeedItem(later, item.message._replace(value=value, known_at=later), item.name + "C", True)


def _at(day: int, hour: int) -> datetime:
    on = OPENS_ON + timedelta(days=day)
    return datetime(on.year, on.month, on.day, hour, tzinfo=ZONE)
