"""Which feeds say nothing for longer than their hour of the week allows.

A lab interface that stops looks like a ward without results. Each feed's settings say how long it may be silent at
which hours, in its own timezone; the spell counts from the newest message, whoever brought it and whenever this process
started. Says a feed once a spell, and once more when it is heard again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from streams.settings import FeedSettings


@dataclass(frozen=True, slots=True)
class Silence:
    """A feed that should have spoken, or one that speaks again."""

    feed: str
    seconds: float
    is_over: bool = False


class Listener:
    """Remembers when each feed was heard."""

    def __init__(self, feeds: Mapping[str, FeedSettings], started_at: datetime) -> None:
        """A feed that never spoke counts as heard when the process started."""
        self._feeds = feeds
        self._heard = dict.fromkeys(feeds, started_at)
        self._silent: set[str] = set()

    def heard(self, feed: str, at: datetime) -> None:
        """A message came."""
        if feed in self._heard:
            self._heard[feed] = max(at, self._heard[feed])

    def begins_at(self, feed: str, at: datetime) -> None:
        """What the log says of the time before the process: it rules over the start."""
        if feed in self._heard:
            self._heard[feed] = at

    def silent(self) -> frozenset[str]:
        """The feeds that are silent beyond their limit, as of the last look."""
        return frozenset(self._silent)

    def look(self, now: datetime) -> Iterator[Silence]:
        """What has changed since the last look."""
        for name, settings in self._feeds.items():
            spell = now - self._heard[name]
            is_silent = _limit(settings, now) < spell
            if is_silent != (name in self._silent):
                (self._silent.add if is_silent else self._silent.discard)(name)
                yield Silence(name, spell.total_seconds(), is_over=not is_silent)


def _limit(settings: FeedSettings, now: datetime) -> timedelta:
    """The limit at this hour; a feed that may be silent now is not silent, however long the spell."""
    here = now.astimezone(settings.zone)
    minutes = settings.silence.expected_minutes(here.weekday(), here.hour)
    return timedelta(minutes=minutes) if minutes else timedelta.max
