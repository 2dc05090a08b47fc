"""What an installation sets about its front door, and about who may speak on which feed.

Limits are those of the security plan: each has both ends, so that a typing error cannot open the door.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? (?P<start>\d{1,2})-(?P<end>\d{1,2})")


class Part(BaseModel):
    """A part of the settings: frozen and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(Part):
    """Our certificate, and whose certificates clients must show. Without `client_ca_file` no client is asked for one."""

    certificate_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    revoked_file: Path | None = None
    """Revocation list (PEM) of the clients' authority; the leaf is checked against it."""


class FolderSettings(Part):
    """A watched folder: each file that no longer grows is taken in and moved to `taken/`, or `refused/` with a reason."""

    path: Path
    feed: str
    live: bool = False
    """What comes by this folder may page; else it is history."""
    settled_seconds: float = Field(default=5, ge=0, le=3_600)
    """A file that has not changed for so long is whole."""


class GatewaySettings(Part):
    """The sockets of the door and how long and how much each sender may have."""

    roles: tuple[Literal["mllp", "http", "folders"], ...] = ("mllp", "http", "folders")
    tls: TlsSettings | None = None
    plaintext: bool = False
    """Without TLS the door opens on loopback only, unless this says that the network itself is trusted."""
    message_bytes: int = Field(default=1_048_576, ge=1_024, le=8_388_608)
    delimiters: int = Field(default=50_000, ge=100, le=1_000_000)
    body_bytes: int = Field(default=4_194_304, ge=1_024, le=8_388_608)
    """Of one HTTP body: a course as one Bundle stays below 4 MiB."""
    connections: int = Field(default=256, ge=1, le=10_000)
    connections_a_peer: int = Field(default=8, ge=1, le=10_000)
    first_byte_seconds: float = Field(default=10, gt=0, le=600)
    """From the connection to its first byte."""
    frame_seconds: float = Field(default=30, gt=0, le=600)
    """From the start block to the end block."""
    bytes_a_second: int = Field(default=1_000, ge=0, le=1_000_000)
    """A slower sender, looked at after the first seconds of a frame, is sent away."""
    idle_seconds: float = Field(default=300, gt=0, le=86_400)
    answer_within_seconds: float = Field(default=10, gt=0, le=300)
    """A message the broker has not confirmed by then is answered AE: the sender keeps it and sends again."""
    in_flight_a_connection: int = Field(default=32, ge=1, le=1_000)
    """In enhanced mode; in original mode one message is in flight on a connection."""
    waiting_messages: int = Field(default=2_000, ge=1, le=100_000)
    waiting_bytes: int = Field(default=67_108_864, ge=1_048_576)
    """Of all senders together; what comes beyond is answered AE at once."""
    requests_a_second: int = Field(default=50, ge=1, le=100_000)
    """Of one client of the HTTP intake; what comes beyond gets 429."""
    duplicate_hours: float = Field(default=72, gt=0, le=720)
    remembered: int = Field(default=500_000, ge=1_000)
    """Control ids of all feeds; the oldest are forgotten beyond."""
    linger_milliseconds: int = Field(default=3, ge=0, le=1_000)
    folders: tuple[FolderSettings, ...] = ()


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an address or network such as 10.1.2.0/24") from None
    return text


def _hex64(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text) is None:
        raise ValueError("a SHA-256 has 64 hexadecimal digits, in lower case")
    return text


class DoorSettings(Part):
    """Who may speak on a feed through the front door; part of the feed's settings."""

    certificate_names: tuple[str, ...] = ()
    """Names (DNS or URI of the subject alternative name, else common name) a client's certificate must show."""
    addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Networks the senders connect from; empty: any."""
    token_sha256: tuple[Annotated[str, AfterValidator(_hex64)], ...] = ()
    """SHA-256 of the bearer tokens of the HTTP intake: the settings never hold the token itself. Two while one is changed."""

    def takes_address(self, host: str) -> bool:
        """Whether a peer's address is one the feed is sent from."""
        if not self.addresses:
            return True
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(each) for each in self.addresses)

    def takes_certificate(self, names: frozenset[str]) -> bool:
        """Whether a certificate's names are bound to this feed; a feed without names is open to plaintext only."""
        return bool(names.intersection(self.certificate_names))


class SilenceSettings(Part):
    """How long a feed may say nothing before that is an alarm: by hour of the week, in the feed's own timezone."""

    usual_minutes: int = Field(default=0, ge=0, le=20_160)
    """0: silence of this feed is no alarm outside the listed hours."""
    hours: dict[str, int] = Field(default_factory=dict)
    """`mon-fri 8-18: 30` is thirty minutes on working days from 08:00 to 18:00; the last line that fits rules."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for text, minutes in self.hours.items():
            read_span(text)
            if not 0 <= minutes <= 20_160:
                raise ValueError(f"{text}: minutes lie between 0 and 20160")
        return self

    def expected_minutes(self, weekday: int, hour: int) -> int:
        """The limit at an hour of the week (Monday is 0); 0 where silence is no alarm."""
        limit = self.usual_minutes
        for text, minutes in self.hours.items():
            days, hours = read_span(text)
            if weekday in days and hour in hours:
                limit = minutes
        return limit


def read_span(text: str) -> tuple[frozenset[int], range]:
    """`mon-fri 8-18` as days and hours; raises ValueError with a sentence."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or found["first"] not in _DAYS or (found["last"] or "mon") not in _DAYS:
        raise ValueError(f"{text!r} is not a span such as `mon-fri 8-18` or `sat 9-13`")
    start, end = int(found["start"]), int(found["end"])
    if not start < end <= 24:
        raise ValueError(f"{text!r}: hours run from 0 to 24, the first before the last")
    first = _DAYS.index(found["first"])
    last = _DAYS.index(found["last"]) if found["last"] else first
    count = (last - first) % len(_DAYS) + 1
    return frozenset((first + step) % len(_DAYS) for step in range(count)), range(start, end)


def open_ports(gateway: GatewaySettings, ports: Any) -> list[str]:
    """What stands between the settings and an open door, as sentences; empty where nothing does."""
    loopback = ports.host in ("127.0.0.1", "::1", "localhost")
    if gateway.tls is None and not loopback and not gateway.plaintext:
        sentence = (
            f"The door would listen on {ports.host} without TLS. Set gateway.tls (certificate_file, key_file, "
            "client_ca_file), or gateway.plaintext: true where the network itself is trusted."
        )
        return [sentence]
    return []
