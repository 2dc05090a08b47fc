"""Episodes and holds: the states that counts open and close.

A hold means "lenalidomide should not be taken or dispensed". Each cause is released on its own;
the drug is clear only when all are. Which count opens or releases a hold is said by the rule
modules of `rules/haematology`, which are handed in as `HoldRules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from rules.picture import AnyKept, Result, Supply
from rules.policy.terms import Policy, Terms

if TYPE_CHECKING:
    from rules.ledger import Ledger


class Episode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run of low counts of one analyte, numbered per course; it survives cycle borders."""

    analyte: str
    number: int
    opened: Result
    nadir: Result
    newest: Result


class PastEpisode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An episode that is over: what opened it, and when a count closed it."""

    analyte: str
    number: int
    opened: Result
    closed_at: datetime


class Hold(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One cause to hold lenalidomide.

    `opened` is the result that opened it, `decided` the one that set its present rule and reason,
    `known` when it could be known here. `persistent` is a count still low long enough after.
    """

    cause: str
    """`anc`, `platelets` or `fever`."""
    rule: str
    reason: str
    episode: int
    opened: Result
    decided: Result
    newest: Result
    worst: Result
    known: datetime
    cycle: int | None
    dose: Supply | None
    is_provisional: bool = False
    persistent: Result | None = None
    rechecked_at: datetime | None = None
    """The newest complete CBC since it opened."""
    released: Result | None = None

    @property
    def began(self) -> Result:
        """The result that made it a hold; for fever `opened` is the first reading of the run, which may be older."""
        return self.decided if self.cause == "fever" else self.opened


class Stop(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A cause to hold lenalidomide that is no run of counts: a rash, a clot, a pregnancy, a liver that suffers.

    `until` is an end that is already recorded (an event that is over then); None: nothing has ended it.
    """

    rule: str
    subject: str
    """As in the finding of the rule: the id of the fact, or empty where there is one at a time."""
    reason: str | None
    since: datetime
    known: datetime
    opened: AnyKept
    until: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it holds lenalidomide at an instant."""
        return self.since <= at and (self.until is None or at < self.until)


class Fever(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run of temperatures at or above the fever limit."""

    first: Result
    peak: Result
    last: Result
    below: Result | None = None
    """The first reading below the limit after `last`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in treatment a count falls."""

    cycle: int
    is_pre_cycle: bool
    """From three days before the expected day 1 until the first dose or dispense of that cycle."""
    episode: int
    """The number of the episode this count belongs to, or would open."""


@dataclass(frozen=True, slots=True)
class CountHoldRule:
    """One row a count can open a hold by; earlier rows of a cause take precedence.

    `highest` is the policy key of the limit above which no count opens it.
    """

    rule: str
    reason: str
    cause: str
    highest: str
    opens: Callable[[Result, Moment, Terms], bool]
    releases: Callable[[Result, Hold, Terms], bool]


@dataclass(frozen=True, slots=True)
class FeverHoldRule:
    """The rule that fever with a low or unknown ANC opens a hold by."""

    rule: str
    opens: Callable[[Fever, Result | None, Terms], str | None]
    releases: Callable[[Fever, Result, Result | None, Terms], bool]


@dataclass(frozen=True, slots=True)
class StopRule:
    """A rule that holds lenalidomide for something that is no count.

    `find` names every cause that stands, as the ledger is, those that end later by themselves included.
    `results` names the analytes that may change its mind, `concerns` says which other facts may (a dispense
    or dose of lenalidomide always does).
    """

    rule: str
    find: Callable[[Ledger, Policy], tuple[Stop, ...]]
    concerns: Callable[[AnyKept], bool] | None = None
    results: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HoldRules:
    """Every rule that opens a hold, in order of precedence within its cause."""

    counts: tuple[CountHoldRule, ...]
    fever: FeverHoldRule
    stops: tuple[StopRule, ...] = ()

    by_cause: Mapping[str, tuple[CountHoldRule, ...]] = field(init=False, repr=False)
    stopping: frozenset[str] = field(init=False, repr=False)
    """Analytes that one of `stops` asks about."""

    def __post_init__(self) -> None:
        causes = dict.fromkeys(rule.cause for rule in self.counts)
        by_cause = {cause: tuple(rule for rule in self.counts if rule.cause == cause) for cause in causes}
        object.__setattr__(self, "by_cause", by_cause)
        object.__setattr__(self, "stopping", frozenset().union(*(rule.results for rule in self.stops)))

    def of_cause(self, cause: str) -> tuple[CountHoldRule, ...]:
        """The rules of one cause, most severe first."""
        return self.by_cause[cause]


def is_hold_known_at(hold: Hold, at: datetime) -> bool:
    """Whether the alert of this hold could have been seen at an instant."""
    return at >= hold.known
