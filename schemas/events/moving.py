"""What the numbers of one patient say to each other in the log after a merge or an unmerge.

Each of these is the content of one kind of entry, keyed by the number it is for. They are written by monitor
only, from what `rules.watch.step` says is to be sent; every one of them also carries `Carried`.
"""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from schemas.values import PatientRef
from schemas.values.frozen import Frozen


class Carried(Frozen):
    """How an entry came from one number to another.

    `offset` is the place in the log of the entry that made the last of the `path` say this, `index` which of the
    entries it said then. Entries of one sender come in that order; one that is not above the last heard of its
    sender was written again after a crash, and says nothing new.
    """

    path: tuple[PatientRef, ...] = Field(min_length=1)
    """Every number that sent it, or sent it on; first the one it began with."""
    offset: int
    index: int


class Moved(Frozen):
    """Facts and open alerts of one number, on their way to the number they belong to now.

    `cargo` is opaque here: the kept facts and alerts as the state record holds them, compressed, in base64.
    """

    id: str
    numbers: tuple[PatientRef, ...] = ()
    """The numbers that the facts came under."""
    joins: bool = False
    """Whether these numbers are part of the receiver from here on: messages for them will come the same way."""
    part: int = 1
    parts: int = 1
    facts: int = 0
    cargo: str
    answers: str | None = None
    """The request (`ReturnAsked.id`) that this gives back to."""
    not_monitored_since: AwareDatetime | None = None


class ReturnAsked(Frozen):
    """A number that was merged stands by itself again and asks for what came under these numbers."""

    id: str
    origins: tuple[str, ...]


class CarriedOn(Frozen):
    """What became of an alert of a retired number at the surviving one."""

    alert_id: str
    continued_by: str | None = None
    was_true: bool = True


class MoveAcknowledged(Frozen):
    """The surviving number has placed the facts of a move (`Moved.id`) and judged."""

    id: str
    alerts: tuple[CarriedOn, ...] = ()
