"""Which segments belong together: patients, their orders, and the results with their notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from schemas.hl7v2.message import Segment

_MEDICINE: Final = frozenset({"RXO", "RXE", "RXD", "RXA"})
_DETAILS: Final = ("TQ1", "RXR", "RXC")


@dataclass(slots=True)
class Observed:
    """One OBX with the notes behind it."""

    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One ORC or OBR with everything up to the next.

    `timings` (TQ1), `routes` (RXR) and `parts` (RXC) are those of the last medicine segment that has its own: what
    the pharmacy encoded replaces what was ordered.
    """

    orc: Segment | None = None
    obr: Segment | None = None
    rxo: Segment | None = None
    rxe: Segment | None = None
    given: list[Segment] = field(default_factory=list)
    """RXD or RXA: what was handed over or given."""
    timings: list[Segment] = field(default_factory=list)
    routes: list[Segment] = field(default_factory=list)
    parts: list[Segment] = field(default_factory=list)
    """RXC: what a mixture is made of."""
    specimens: list[Segment] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)


@dataclass(slots=True)
class PatientPart:
    """Everything a message says about one PID."""

    pid: Segment
    retired: list[Segment] = field(default_factory=list)
    """MRG: numbers that are this patient's no more."""
    visit: Segment | None = None
    orders: list[Order] = field(default_factory=list)
    records: list[Segment] = field(default_factory=list)
    """DG1, PRB, AL1, IAM, PR1, in order."""
    observed: list[Observed] = field(default_factory=list)
    """OBX outside of any order."""


@dataclass(slots=True)
class Grouped:
    """The message in parts; `strays` stand before any PID."""

    event: Segment | None = None
    parts: list[PatientPart] = field(default_factory=list)
    strays: list[Segment] = field(default_factory=list)


def group(segments: Iterable[Segment]) -> Grouped:
    """Sort the segments of a message, in one pass and in their order."""
    grouping = _Grouping()
    for segment in segments:
        grouping.take(segment)
    return grouping.found


class _Grouping:
    def __init__(self) -> None:
        self.found = Grouped()
        self._part: PatientPart | None = None
        self._order: Order | None = None
        self._observed: Observed | None = None
        self._fresh: set[str] = set()
        """What the newest medicine segment has none of yet."""

    def take(self, segment: Segment) -> None:
        name = segment.name
        if name == "EVN":
            self.found.event = self.found.event or segment
            return
        if name == "PID":
            self._part = PatientPart(segment)
            self._order = self._observed = None
            self.found.parts.append(self._part)
            return
        part = self._part
        if part is None:
            self.found.strays.append(segment)
            return
        if name == "NTE":
            if self._observed is not None:
                self._observed.notes.append(segment)
            return
        if name != "OBX":
            self._observed = None
        if name == "MRG":
            part.retired.append(segment)
        elif name == "PV1":
            part.visit = part.visit or segment
        elif name in ("DG1", "PRB", "AL1", "IAM", "PR1"):
            part.records.append(segment)
        else:
            self._take_order(part, segment)

    def _take_order(self, part: PatientPart, segment: Segment) -> None:
        name = segment.name
        if name == "OBX":
            self._observed = Observed(segment)
            (self._order.observed if self._order is not None else part.observed).append(self._observed)
            return
        order = self._order
        if order is None or _begins_anew(name, order):
            order = self._order = Order()
            self._fresh = set()
            part.orders.append(order)
        if name in _MEDICINE:
            self._fresh = set(_DETAILS)
        match name:
            case "ORC":
                order.orc = segment
            case "OBR":
                order.obr = segment
            case "RXO":
                order.rxo = segment
            case "RXE":
                order.rxe = segment
            case "RXD" | "RXA":
                order.given.append(segment)
            case "SPM":
                order.specimens.append(segment)
            case _:
                details = {"TQ1": order.timings, "RXR": order.routes, "RXC": order.parts}[name]
                if name in self._fresh:
                    self._fresh.discard(name)
                    details.clear()
                details.append(segment)


def _begins_anew(name: str, order: Order) -> bool:
    if name == "ORC":
        return True
    if name == "OBR":
        return order.obr is not None or bool(order.observed)
    if name in _MEDICINE:
        return (name == "RXO" and order.rxo is not None) or (name == "RXE" and order.rxe is not None)
    return False
