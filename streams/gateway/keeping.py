"""Commit, then acknowledge: the one path on which every message of the door is kept, whatever it came by.

The same message again (feed, control id and bytes) is not kept twice: its sender gets the answer it got, or, where the
first is still under way, the answer that the first will get. The same id with other bytes is kept apart as
refused. A confirmation that comes after the sender was told AE is remembered all the same, so that the message
sent again is a repetition and not a second message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.rejection import RejectionReason
from streams.gateway.committing import Committer, Kept, Overloaded
from streams.gateway.memory import Memory, Remembered
from streams.ports import Clock, Meters, NotAcknowledged, SystemClock, milliseconds_of
from streams.translate import (
    HEADER_ACK,
    HEADER_BECAUSE,
    HEADER_CONTROL_ID,
    HEADER_FEED,
    HEADER_PROTOCOL,
    HEADER_REFUSED,
    HEADER_SHA256,
)

_REUSED: Final = "the message id is that of another message of the last hours; every message needs an id of its own"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message is held and not read; `because` is the sentence its sender gets."""

    reason: RejectionReason
    because: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A message to be kept. Without a `control_id` nothing can be known to be a repetition of it."""

    feed: str
    protocol: str
    control_id: str | None
    body: bytes
    digest: bytes
    key: str
    ack: str
    ack_refused: str = ""
    """What the sender is told where the id turns out to be that of another message."""
    refused: Refused | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Verdict(StrEnum):
    """What became of an offer."""

    KEPT = "kept"
    REPEATED = "repeated"
    REUSED = "reused"
    NOT_KEPT = "not-kept"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`at` is the broker's stamp of the message that was kept, now or before; None where none was."""

    verdict: Verdict
    at: datetime | None = None


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Kept]
    digest: bytes
    is_accepted: bool


class Keeper:
    """Keeps messages once. One loop."""

    def __init__(
        self,
        committer: Committer,
        memory: Memory,
        meters: Meters,
        *,
        answer_within: float,
        clock: Clock | None = None,
    ) -> None:
        """`answer_within` seconds after which a sender is told that its message is not kept.

        The clock only says what has fallen out of the duplicate window; it decides nothing about a patient.
        """
        self._clock = clock or SystemClock()
        self._committer = committer
        self._memory = memory
        self._meters = meters
        self._answer_within = answer_within
        self._pending: dict[tuple[str, str, str], list[_Pending]] = {}

    async def keep(self, offer: Offer) -> Outcome:
        """Keep a message, or find that it is kept already; returns within `answer_within` seconds. Never raises."""
        try:
            async with asyncio.timeout(self._answer_within):
                return await self._keep(offer)
        except TimeoutError:
            return Outcome(Verdict.NOT_KEPT)

    async def _keep(self, offer: Offer) -> Outcome:
        offered = offer
        while (same := self._under_way(offered)) is not None:
            if same.digest == offered.digest:
                self._meters.message_translated(offered.feed, "ignored")
            try:
                kept = await asyncio.shield(same.future)
            except NotAcknowledged:
                if same.digest == offered.digest:
                    return Outcome(Verdict.NOT_KEPT)
                continue
            if same.digest == offered.digest:
                return Outcome(Verdict.REPEATED, kept.at)
        for known in self._known(offered):
            if known.digest == offered.digest and (known.is_accepted or offered.refused is not None):
                self._meters.message_translated(offered.feed, "ignored")
                return Outcome(Verdict.REPEATED, known.at)
        is_reused = offered.refused is None and any(each.is_accepted for each in self._known(offered))
        if is_reused:
            refused = Refused(RejectionReason.CONTROL_ID_REUSED, _REUSED)
            offered = replace(offered, refused=refused, ack=offered.ack_refused)
            for known in self._known(offered):
                if known.digest == offered.digest:
                    self._meters.message_translated(offered.feed, "ignored")
                    return Outcome(Verdict.REUSED, known.at)
        try:
            kept = await asyncio.shield(self._commit(offered))
        except NotAcknowledged as error:
            if isinstance(error, Overloaded):
                self._count_lost(offered.feed)
            return Outcome(Verdict.NOT_KEPT)
        return Outcome(Verdict.REUSED if is_reused else Verdict.KEPT, kept.at)

    def _known(self, offer: Offer) -> tuple[Remembered, ...]:
        if offer.control_id is None:
            return ()
        return self._memory.recall(offer.protocol, offer.feed, offer.control_id, self._clock.now())

    def _under_way(self, offer: Offer) -> _Pending | None:
        """A message under the same id that is being kept at this moment and that decides what becomes of this one."""
        if offer.control_id is None:
            return None
        for each in self._pending.get((offer.protocol, offer.feed, offer.control_id), ()):
            is_same = each.digest == offer.digest
            if (is_same and (each.is_accepted or offer.refused is not None)) or (not is_same and each.is_accepted):
                return each
        return None

    def _commit(self, offer: Offer) -> asyncio.Future[Kept]:
        future = self._committer.keep(offer.key, offer.body, _headers(offer))
        pending = _Pending(future, offer.digest, offer.refused is None)
        if offer.control_id is not None:
            self._pending.setdefault((offer.protocol, offer.feed, offer.control_id), []).append(pending)
        future.add_done_callback(lambda done: self._settled(offer, pending, done))
        return future

    def _settled(self, offer: Offer, pending: _Pending, done: asyncio.Future[Kept]) -> None:
        """Whether or not anybody still waits: what was kept is remembered, what was not is counted."""
        if offer.control_id is not None:
            place = (offer.protocol, offer.feed, offer.control_id)
            left = [each for each in self._pending.get(place, ()) if each is not pending]
            if left:
                self._pending[place] = left
            else:
                self._pending.pop(place, None)
        if done.cancelled() or done.exception() is not None:
            self._count_lost(offer.feed)
        elif offer.control_id is not None:
            kept = done.result()
            what = Remembered(
                offer.digest, offer.refused is None, milliseconds_of(kept.at), kept.partition, kept.offset
            )
            self._memory.remember(offer.protocol, offer.feed, offer.control_id, what)

    def _count_lost(self, feed: str) -> None:
        self._meters.message_translated(feed, "rejected")
        self._meters.message_rejected(feed, RejectionReason.NOT_KEPT)


def _headers(offer: Offer) -> list[tuple[str, bytes]]:
    headers = [
        (HEADER_FEED, offer.feed.encode()),
        (HEADER_PROTOCOL, offer.protocol.encode()),
        (HEADER_SHA256, offer.digest.hex().encode()),
        (HEADER_ACK, offer.ack.encode()),
    ]
    if offer.control_id is not None:
        headers.append((HEADER_CONTROL_ID, offer.control_id.encode("utf-8", "replace")))
    if offer.refused is not None:
        headers.append((HEADER_REFUSED, offer.refused.reason.value.encode()))
        headers.append((HEADER_BECAUSE, offer.refused.because.encode()))
    return [*headers, *offer.headers]
