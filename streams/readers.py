"""Which reader reads which protocol: `fhir`, `hl7v2` and our own `event`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schemas.reading import Reading, ReadingContext
from streams.site_maps import codes_for, load_site_maps
from streams.translate import PROTOCOL_EVENT, PROTOCOL_FHIR, PROTOCOL_HL7, Reader

if TYPE_CHECKING:
    from schemas.hl7v2 import FeedMap
    from streams.settings import Settings


def build_readers(maps: Mapping[str, FeedMap] | None = None) -> dict[str, Reader]:
    """By the `protocol` header; `maps` are the field maps of HL7 v2 feeds (`streams.feed_maps`)."""
    of_feed = maps or {}

    def read_hl7_message(raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading:
        from schemas.hl7v2 import read_message

        return read_message(raw, context, of_feed.get(context.feed))

    return {PROTOCOL_FHIR: read_fhir_message, PROTOCOL_EVENT: read_event_message, PROTOCOL_HL7: read_hl7_message}


def build_contexts(settings: Settings) -> dict[str, ReadingContext]:
    """What a reader must know of each configured feed."""
    secret = settings.secret()
    maps = load_site_maps(settings.site_maps)
    return {
        name: ReadingContext(
            feed=name,
            zone=feed.zone,
            secret=secret,
            live_from=feed.live_from,
            decimal_comma=feed.decimal_comma,
            preferred_authority=feed.preferred_authority,
            identity=feed.identity,
            site_codes=codes_for(name, maps),
            obeys_known_at=settings.explicit_known_at,
        )
        for name, feed in settings.feeds.items()
    }


def read_fhir_message(raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading:
    """A FHIR resource or Bundle."""
    from schemas.fhir import read_fhir

    return read_fhir(raw, context)


def read_event_message(raw: bytes, headers: Mapping[str, bytes], context: ReadingContext) -> Reading:
    """One of our events, in either CloudEvents mode."""
    from schemas.inlet import read_event

    return read_event(raw, {name: value.decode("utf-8", "replace") for name, value in headers.items()}, context)
