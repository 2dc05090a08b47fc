"""The closed lists of words that may leave a process: as label values of metrics, as values in log lines.

Enums of the house are closed by themselves; what an installation names (its feeds, its topics) comes
from its settings. A word that is in no list is shown as `other`: a typing error in a message can
neither open a new series nor carry a name out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from streams.settings import Settings

OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of this installation that may appear in logs and labels."""

    feeds: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    analytes: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    """Brokers and our own listening ports, as `host:port`."""


def closed(word: str, words: frozenset[str]) -> str:
    """The word itself where it is listed, else `other`."""
    return word if word in words else OTHER


def build_vocabulary(settings: Settings, *, profile: str | None = None) -> Vocabulary:
    """Every word that an installation may show; `profile` is that of a policy file of its own."""
    from rules.catalogue import BY_ID
    from schemas.codes.tables import tables
    from streams.policy_commands import profiles
    from streams.topics import Subject

    return Vocabulary(
        feeds=frozenset(settings.feeds),
        topics=frozenset(settings.topics[subject] for subject in Subject),
        profiles=frozenset(profiles()) | ({profile} if profile else frozenset()),
        rules=frozenset(BY_ID),
        analytes=frozenset(tables().analytes),
        addresses=frozenset(settings.kafka.servers),
    )
