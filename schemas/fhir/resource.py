"""One resource with all a reader needs to turn it into facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from schemas.codes.tables import CodeTables
from schemas.events import Fact, FactStatus
from schemas.fhir.elements import Body, codings_in, group_of, groups_of, text_of
from schemas.reading.context import ReadingContext
from schemas.reading.entries import PlacedFact
from schemas.reading.result import Notes
from schemas.reading.stamp import FactStamp, short_id
from schemas.reading.timing import from_instant, read_time
from schemas.rejection import RejectionReason
from schemas.values import Coding, PatientRef, Precision, When

_COARSENESS: Final = {
    Precision.YEAR: 0,
    Precision.MONTH: 1,
    Precision.DAY: 2,
    Precision.MINUTE: 3,
    Precision.INSTANT: 4,
}


@dataclass(slots=True)
class Report:
    """The DiagnosticReport or panel that a result belongs to; it lends what the result itself does not say."""

    key: str
    body: Body
    specimen: str | None = None


@dataclass(slots=True)
class Message:
    """Everything that came in the same message: what references mean, and when it was sent."""

    notes: Notes
    codes: CodeTables
    by_reference: dict[str, Body] = field(default_factory=dict)
    patients: dict[str, PatientRef] = field(default_factory=dict)
    reports: dict[int, Report] = field(default_factory=dict)
    """By identity of the resource's body: an Observation belongs to at most one report."""
    timestamp: datetime | None = None
    is_dated: bool = False
    """A message, transaction or batch: all of it could be known at `timestamp` (contract part 1)."""

    @property
    def context(self) -> ReadingContext:
        """The feed's settings."""
        return self.notes.context

    def find(self, reference: str, owner: Body | None = None) -> Body | None:
        """The resource a reference names: contained in its owner, or in the same message."""
        if reference.startswith("#"):
            wanted = reference[1:]
            for inside in groups_of(owner or {}, "contained"):
                if inside.get("id") == wanted:
                    return inside
            return None
        found = self.by_reference.get(reference)
        return found if found is not None else self.by_reference.get(relative(reference))


def relative(reference: str) -> str:
    """`https://server/fhir/Patient/1/_history/2` to `Patient/1`."""
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 else reference


@dataclass(slots=True)
class Resource:
    """A resource of one patient, at its place in the message."""

    body: Body
    type: str
    position: str
    patient: PatientRef
    message: Message
    owner: Body | None = None
    """The resource it is contained in."""

    @property
    def notes(self) -> Notes:
        """Where everything goes that is not a fact."""
        return self.message.notes

    @property
    def codes(self) -> CodeTables:
        """The tables of codes."""
        return self.message.codes

    @property
    def context(self) -> ReadingContext:
        """The feed's settings."""
        return self.message.notes.context

    # --- identity

    def fact_id(self, suffix: str = "", fallback: str = "") -> str:
        """(server, type, id); without an id (feed, patient, `fallback`), flagged as derived."""
        feed, named = self.context.feed, text_of(self.body, "id")
        if named is not None and self.owner is not None:
            named = f"{text_of(self.owner, 'id') or ''}#{named}" if text_of(self.owner, "id") else None
        if named is not None:
            return f"{feed}|{self.type}|{short_id(named)}{suffix}"
        return f"derived|{feed}|{self.type}|{self.patient.key[:12]}|{fallback}{suffix}"

    def find(self, reference: str | None) -> Body | None:
        """The resource a reference of this one names."""
        if reference is None:
            return None
        return self.message.find(reference, self.owner or self.body)

    # --- times

    def time(self, *names: str) -> tuple[When | None, bool]:
        """The first named element that is there, and whether it may be used: False after a rejection."""
        for name in names:
            text = text_of(self.body, name)
            if text is not None:
                return self.time_in(text, name)
        return None, True

    def time_in(self, text: str | None, name: str) -> tuple[When | None, bool]:
        """One time of the resource; a refusal names the element."""
        reading = read_time(text, self.context)
        if reading.reason is not None:
            self.reject(reading.reason, reading.named(f"{self.type}.{name}"))
            return None, False
        return reading.when, True

    def period(self, name: str) -> tuple[When | None, When | None, bool]:
        """Start and end of a Period."""
        period = group_of(self.body, name)
        start, start_usable = self.time_in(text_of(period, "start"), f"{name}.start")
        end, end_usable = self.time_in(text_of(period, "end"), f"{name}.end")
        return start, end, start_usable and end_usable

    def choice_time(self, *stems: str) -> tuple[When | None, When | None, bool]:
        """`effective[x]` and kin: an instant, or the start and end of a period."""
        for stem in stems:
            when, usable = self.time(f"{stem}DateTime", f"{stem}Instant", f"{stem}Date")
            if when is not None or not usable:
                return when, None, usable
            if f"{stem}Period" in self.body:
                start, end, usable = self.period(f"{stem}Period")
                return start or end, end, usable
        return None, None, True

    @property
    def last_updated(self) -> datetime | None:
        """`meta.lastUpdated`, where it can be read."""
        when = read_time(text_of(group_of(self.body, "meta"), "lastUpdated"), self.context).when
        return when.latest if when is not None else None

    @property
    def stand_in(self) -> When | None:
        """The message's own time, for facts that say nothing about theirs; flagged."""
        instant = self.last_updated or self.message.timestamp or self.context.received_at
        return from_instant(instant) if instant is not None else None

    @property
    def stated_by(self) -> datetime | None:
        """The latest moment by which the resource was in this state: for "stopped" without a date."""
        return self.last_updated or self.message.timestamp or self.context.received_at

    # --- facts

    def stamp(
        self, fact_id: str, when: When, status: FactStatus, *, issued: When | None = None, place: str = ""
    ) -> FactStamp:
        """The fields every fact carries."""
        issued_at = issued.latest if issued is not None else None
        return FactStamp(
            fact_id=fact_id,
            origin_key=self.patient.key,
            when=when,
            issued_at=issued_at,
            versioned_at=self.last_updated or issued_at or self.message.timestamp,
            status=status,
            source=self.notes.source(f"{self.position}{place}"),
        )

    def place(
        self, fact: Fact, known: When | None, *, report: str | None = None, clinical_end: When | None = None
    ) -> PlacedFact:
        """The fact with when it could be known: its own instant, else `meta.lastUpdated`, else its clinical time."""
        if self.message.is_dated and self.message.timestamp is not None:
            return PlacedFact(self.patient, fact, self.message.timestamp, report=report)
        if known is not None:
            return PlacedFact(self.patient, fact, known.latest, report=report)
        updated = self.last_updated
        if updated is not None:
            return PlacedFact(self.patient, fact, updated, report=report)
        return PlacedFact(self.patient, fact, (clinical_end or fact.when).latest, is_assumed=True, report=report)

    # --- what is not a fact

    def reject(self, reason: RejectionReason, detail: str) -> None:
        """Keep this resource as unusable."""
        self.notes.reject(reason, detail, f"{self.position} {self.type}".strip())

    def ignore_code(self, codings: tuple[Coding, ...]) -> None:
        """Count a resource whose code no rule knows."""
        self.notes.ignore_code(self.type, codings)

    def codings(self, name: str) -> tuple[Coding, ...]:
        """The codings of a CodeableConcept element."""
        return codings_in(group_of(self.body, name), self.codes)


def join(start: When, end: When | None) -> When:
    """One interval from a start and an end, as coarse as the coarser of the two."""
    if end is None or end.latest <= start.earliest:
        return start
    coarser = min(start.precision, end.precision, key=lambda precision: _COARSENESS[precision])
    return When(
        earliest=start.earliest,
        latest=end.latest,
        precision=coarser,
        zone_assumed=start.zone_assumed or end.zone_assumed,
        from_issue=start.from_issue,
    )


def derived_key(when: When, codings: tuple[Coding, ...]) -> str:
    """The fallback identity of a fact without an id: its time and its first code."""
    code = codings[0].code if codings else ""
    return f"{when.earliest:%Y%m%dT%H%M%S}|{code}"


StatusMap = Mapping[str, FactStatus]
