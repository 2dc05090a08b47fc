"""One patient of a message: how facts about them are named, stamped and placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.events import Fact, FactStatus
from schemas.hl7v2.groups import Order, PatientPart
from schemas.hl7v2.message import Message, Segment
from schemas.reading.entries import PlacedFact
from schemas.reading.result import name_code
from schemas.reading.stamp import FactStamp, short_id
from schemas.reading.timing import from_instant, from_issue
from schemas.rejection import IgnoreReason
from schemas.values import Coding, PatientRef, When


@dataclass(slots=True)
class Subject:
    """A patient with the message that speaks of them."""

    message: Message
    patient: PatientRef
    part: PatientPart

    @property
    def sent(self) -> datetime | None:
        """MSH-7; the latest instant it can mean."""
        return self.message.sent.latest if self.message.sent is not None else None

    @property
    def stand_in(self) -> When | None:
        """The message's own time for what says nothing about its own; flagged."""
        if self.message.sent is not None:
            return from_issue(self.message.sent)
        received = self.message.context.received_at
        return from_instant(received) if received is not None else None

    def fact_id(self, kind: str, *names: str | None) -> str:
        """(feed, kind, names), for things that the sender numbers: the first name is that number."""
        return "|".join([self.message.context.feed, kind, *(short_id(name) if name else "" for name in names)])

    def derived_id(self, kind: str, *names: str | None) -> str:
        """For things without a number: flagged as derived, and the patient's alone."""
        head = f"derived|{self.message.context.feed}|{kind}|{self.patient.key[:12]}"
        return "|".join([head, *(short_id(name) if name else "" for name in names)])

    def stamp(
        self,
        fact_id: str,
        when: When,
        status: FactStatus,
        segment: Segment,
        *,
        issued: datetime | None = None,
    ) -> FactStamp:
        """The fields every fact carries; versions of a fact order by issue, else by MSH-7."""
        return FactStamp(
            fact_id=fact_id,
            origin_key=self.patient.key,
            when=when,
            issued_at=issued,
            versioned_at=issued or self.sent,
            status=status,
            source=self.message.notes.source(segment.place),
        )

    def place(self, fact: Fact, *, issued: datetime | None = None, report: str | None = None) -> PlacedFact:
        """The fact with when it could be known: MSH-7, or its issue where that is earlier (contract part 1)."""
        instants = [instant for instant in (self.sent, issued) if instant is not None]
        if instants:
            return PlacedFact(self.patient, fact, min(instants), report=report)
        return PlacedFact(self.patient, fact, fact.when.latest, is_assumed=True, report=report)

    def ignore_code(self, segment: Segment, codings: tuple[Coding, ...]) -> None:
        """Count a segment whose code no rule knows."""
        named = name_code(codings[0].system, codings[0].code) if codings else "without a code"
        self.message.notes.ignore(IgnoreReason.UNKNOWN_CODE, f"{segment.name} {named}")


def order_number(order: Order, *, prefers_placer: bool = False) -> str | None:
    """The number an order goes by: the filler's (OBR-3, ORC-3), else none; an order's own life is the placer's."""
    filler = order.obr.identifier(3) if order.obr is not None else None
    if filler is None and order.orc is not None:
        filler = order.orc.identifier(3)
    if not prefers_placer:
        return filler
    placer = order.orc.identifier(2) if order.orc is not None else None
    return placer or filler


def key_of(codings: tuple[Coding, ...]) -> str:
    """The first code as sent: a map mended later does not change what a fact is called."""
    return f"{codings[0].system}|{codings[0].code}" if codings else ""
