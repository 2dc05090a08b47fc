"""What a reader must be told about a feed before it can place a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.codes.tables import CodeTables, tables
from schemas.values import PatientRef
from schemas.values.patient import build_patient_key


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """One feed's settings, and the moment of receipt where there is one.

    `zone` places times that carry none; without it they are rejected. `secret` keys the
    patient hash. `patients` maps references of earlier files (`Patient/123`) to the
    patient they turned out to be; live feeds leave it empty.
    """

    feed: str
    zone: ZoneInfo | None
    secret: bytes
    received_at: datetime | None = None
    live_from: datetime | None = None
    decimal_comma: bool = False
    """The feed prints `1,2` for one and two tenths."""
    preferred_authority: str | None = None
    """The identifier system to know patients by, where they have several."""
    identity: Literal["identifier", "resource-id"] = "identifier"
    """`resource-id` for FHIR feeds that send single resources without the Patient they refer to."""
    obeys_known_at: bool = False
    """Whether an event's own `knownat` rules (demo, tests, files); never on a live feed."""
    site_codes: CodeTables | None = None
    """The project's tables with the site's own maps laid over them, where it has any."""
    patients: Mapping[str, PatientRef] = field(default_factory=dict)
    max_bytes: int = 16 * 1024 * 1024
    """A message above this is refused unread (16 MiB: a whole course as one Bundle stays below 4 MiB)."""

    def refer(self, authority: str, identifier: str) -> PatientRef:
        """The patient with this number, under the key that every topic uses."""
        return PatientRef(key=build_patient_key(authority, identifier, self.secret), authority=authority, id=identifier)

    @property
    def codes(self) -> CodeTables:
        """The tables that give this feed's codes a meaning."""
        return self.site_codes if self.site_codes is not None else tables()

    @property
    def zone_name(self) -> str:
        """The zone for day and month arithmetic; UTC where the feed has none."""
        return self.zone.key if self.zone is not None else "UTC"
