"""Which feed an HL7 v2 sender speaks on: MSH-3 and MSH-4, bound to its certificate and address.

A sender is never guessed. Where several feeds could be meant, or none, the message is refused with a sentence
that tells the sender's operator what to have corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.hl7v2 import STANDARD, ErrorCode, Fault, FeedMap, Header
from schemas.rejection import RejectionReason
from streams.gateway.mllp import Peer
from streams.settings import FeedSettings, Settings

_SENDER: Final = ("MSH", 1, 3)


@dataclass(frozen=True, slots=True)
class Bound:
    """The feed of a message; or why there is none."""

    feed: str
    feed_map: FeedMap
    fault: Fault | None = None


class Senders:
    """Binds messages to feeds."""

    def __init__(self, settings: Settings, maps: Mapping[str, FeedMap]) -> None:
        """Feeds with a field map speak HL7 v2; without any map, the one feed there is does."""
        self._feeds: dict[str, FeedSettings] = {name: settings.feeds[name] for name in maps}
        self._maps = dict(maps)
        if not self._feeds and len(settings.feeds) == 1:
            self._feeds = dict(settings.feeds)
            self._maps = dict.fromkeys(settings.feeds, STANDARD)
        tls = settings.gateway.tls
        self._needs_certificate = tls is not None and tls.client_ca_file is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The feeds that speak HL7 v2."""
        return tuple(self._feeds)

    def bind(self, header: Header, peer: Peer) -> Bound:
        """The feed, with a fault where this peer may not speak on it."""
        found = self._named(header) or self._open()
        if len(found) != 1:
            text = (
                "MSH-3 and MSH-4 are not those of a sender known here"
                if not found
                else ("MSH-3 and MSH-4 are those of several feeds")
            )
            return Bound("", STANDARD, _fault(text))
        name = found[0]
        door = self._feeds[name].door
        fault = None
        if not door.takes_address(peer.address):
            fault = _fault("this sender may not speak from this address")
        elif self._needs_certificate or door.certificate_names:
            if not peer.is_tls:
                fault = _fault("this sender must use TLS with its own certificate")
            elif not door.takes_certificate(peer.names):
                fault = _fault("MSH-3 and MSH-4 are not those that this certificate may speak for")
        return Bound(name, self._maps[name], fault)

    def _named(self, header: Header) -> list[str]:
        application, facility = header.sending_application, header.sending_facility
        return [
            name
            for name, feed_map in self._maps.items()
            if any(
                each.application in ("", application) and each.facility in ("", facility) for each in feed_map.senders
            )
        ]

    def _open(self) -> list[str]:
        return [name for name, feed_map in self._maps.items() if not feed_map.senders]


def _fault(text: str) -> Fault:
    return Fault(ErrorCode.TABLE_VALUE_NOT_FOUND, text, RejectionReason.UNKNOWN_SENDER, _SENDER)
