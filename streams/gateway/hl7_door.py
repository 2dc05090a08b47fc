"""What one HL7 v2 message is answered: table D1, row by row.

| what came | answer | kept |
| --- | --- | --- |
| nothing stands against it | AA / CA, once the broker confirmed it | to be read |
| the same message again | the same answer, byte for byte | not again |
| a control id of other bytes | AE / CE 205 | as refused |
| cannot be read, a required field is missing | AE / CE 100 to 103 | as refused |
| type, event, version, processing id not ours | AR / CR 200 to 203 | as refused |
| the brokers did not confirm it in time | AE / CE 207 | not known: send again |
| too large, too many delimiters, framing broken | AR / CR 207 | no |
| a sender unknown here, or not the certificate's | AR / CR 103, and the end of the connection | no |

"As refused" means on intake, under a header that translate turns into a rejection: people see it, mend what is wrong
and have it read again (`myelowatch rejected`). Times in answers are the broker's stamps where there is one, so that an
answer can be given again after a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from schemas.hl7v2 import (
    AckCode,
    ErrorCode,
    Fault,
    Header,
    MessageUnreadable,
    Verdict,
    answer,
    code_of,
    is_wanted,
    peek,
    split_batch,
    verdict_of,
)
from schemas.rejection import RejectionReason
from schemas.values.patient import build_patient_key
from streams.gateway import keeping
from streams.gateway.framing import SENTENCES, Broken, count_delimiters
from streams.gateway.keeping import Keeper, Offer, Refused
from streams.gateway.mllp import Answers, Peer, Work
from streams.gateway.senders import Bound, Senders
from streams.ports import Clock, Meters, SystemClock
from streams.translate import PROTOCOL_HL7

_NOT_KEPT: Final = Fault(
    ErrorCode.INTERNAL, "the message is not kept for certain: send it again, with the same id", RejectionReason.NOT_KEPT
)
_REUSED: Final = Fault(
    ErrorCode.DUPLICATE_KEY,
    "MSH-10 is that of another message of the last hours; every message needs an id of its own",
    RejectionReason.CONTROL_ID_REUSED,
    ("MSH", 1, 10),
)
_REASONS: Final = {
    ErrorCode.UNSUPPORTED_VERSION: RejectionReason.UNSUPPORTED_VERSION,
    ErrorCode.UNSUPPORTED_PROCESSING_ID: RejectionReason.NOT_PRODUCTION,
}
_APPLICATION: Final = {
    Verdict.ACCEPTED: AckCode.APPLICATION_ACCEPT,
    Verdict.ERROR: AckCode.APPLICATION_ERROR,
    Verdict.REJECTED: AckCode.APPLICATION_REJECT,
}
_LARGEST_BATCH: Final = 10_000


class Hl7Door:
    """Answers messages. One loop."""

    def __init__(
        self,
        keeper: Keeper,
        senders: Senders,
        meters: Meters,
        *,
        secret: bytes,
        delimiters: int,
        clock: Clock | None = None,
    ) -> None:
        """`secret` keys the hash of patient numbers; `delimiters` bounds those of one message."""
        self._keeper = keeper
        self._senders = senders
        self._meters = meters
        self._secret = secret
        self._delimiters = delimiters
        self._now = (clock or SystemClock()).now

    def take(self, payload: bytes, peer: Peer) -> Work:
        """One whole frame: a message, several, or a batch."""
        if count_delimiters(payload) > self._delimiters:
            text = f"the message has more than {self._delimiters} delimiters"
            return _done(self._turn_away(payload, peer, text))
        try:
            batch = split_batch(payload)
            if not batch.has_envelope and len(batch.messages) == 1:
                return self._take_one(payload, peer)
            header = peek(payload)
        except MessageUnreadable:
            return _done(self._silent(closes=True))
        if batch.faults or len(batch.messages) > _LARGEST_BATCH:
            bound = self._senders.bind(header, peer)
            faults = batch.faults or (Fault(ErrorCode.INTERNAL, "too many messages", RejectionReason.TOO_LARGE),)
            return Work(self._settle(payload, header, bound, faults), header.is_enhanced)
        if batch.has_envelope:
            return Work(self._take_batch(header, batch.messages, peer), header.is_enhanced)
        return Work(self._take_several(batch.messages, peer), is_enhanced=False)

    def refuse(self, broken: Broken, peer: Peer) -> Answers:
        """What was no whole frame."""
        return self._turn_away(broken.head, peer, SENTENCES[broken.fault], closes=broken.is_endless)

    # --- one message ---

    def _take_one(self, message: bytes, peer: Peer) -> Work:
        header, bound = self._open(message, peer)
        return Work(self._settle(message, header, bound, header.faults), header.is_enhanced)

    def _open(self, message: bytes, peer: Peer) -> tuple[Header, Bound]:
        """Who speaks is asked first: the map that says how to read the head is the sender's."""
        header = peek(_first_line(message))
        bound = self._senders.bind(header, peer)
        return peek(message, bound.feed_map), bound

    async def _settle(self, message: bytes, header: Header, bound: Bound, faults: Sequence[Fault]) -> Answers:
        verdict, said, at = await self._judge(message, header, bound, faults)
        closes = bound.fault is not None
        answers = tuple(self._answers(header, verdict, said, at))
        if not answers and said == (_NOT_KEPT,):
            # The sender asked for no answer at all; the end of the connection is the one way to say "not kept".
            closes = True
        return Answers(answers, closes)

    async def _judge(
        self, message: bytes, header: Header, bound: Bound, faults: Sequence[Fault]
    ) -> tuple[Verdict, tuple[Fault, ...], datetime]:
        """Keep it, or not; what to say, and the instant to say it with."""
        if bound.fault is not None:
            self._count(bound.feed, header, AckCode.APPLICATION_REJECT)
            self._count_refused(bound.feed, RejectionReason.UNKNOWN_SENDER)
            return Verdict.REJECTED, (bound.fault,), self._now()
        faults = tuple(faults)
        verdict = verdict_of(faults)
        code = code_of(header, verdict)
        outcome = await self._keeper.keep(
            Offer(
                feed=bound.feed,
                protocol=PROTOCOL_HL7,
                control_id=header.control_id or None,
                body=message,
                digest=hashlib.sha256(message).digest(),
                key=self._key(header, bound.feed),
                ack=code.value,
                ack_refused=code_of(header, Verdict.ERROR).value,
                refused=_refused(faults),
            )
        )
        if outcome.verdict is keeping.Verdict.NOT_KEPT:
            verdict, faults = Verdict.ERROR, (_NOT_KEPT,)
        elif outcome.verdict is keeping.Verdict.REUSED:
            verdict, faults = Verdict.ERROR, (_REUSED,)
        self._count(bound.feed, header, code_of(header, verdict))
        return verdict, faults, outcome.at or self._now()

    def _answers(self, header: Header, verdict: Verdict, faults: Sequence[Fault], at: datetime) -> Iterable[bytes]:
        if not header.is_enhanced:
            yield answer(header, code_of(header, verdict), faults, at=at)
            return
        told = is_wanted(header.accept_mode, verdict)
        if told:
            yield answer(header, code_of(header, verdict), faults, at=at)
        # The application's own answer follows an accepted message; of a refused one it stands in for a commit answer
        # that was not asked for, and never repeats one.
        if is_wanted(header.application_mode, verdict) and (verdict is Verdict.ACCEPTED or not told):
            yield answer(header, _APPLICATION[verdict], faults, at=at)

    def _key(self, header: Header, feed: str) -> str:
        patient = header.patient
        return feed if patient is None else build_patient_key(patient.authority, patient.id, self._secret)

    # --- several ---

    async def _take_several(self, messages: Sequence[bytes], peer: Peer) -> Answers:
        """Messages one after the other in one frame: each its own answer."""
        told: list[bytes] = []
        for message in messages:
            try:
                header, bound = self._open(message, peer)
            except MessageUnreadable:
                return Answers((*told, *self._silent(closes=True).messages), closes=True)
            answers = await self._settle(message, header, bound, header.faults)
            told.extend(answers.messages)
            if answers.closes:
                return Answers(tuple(told), closes=True)
        return Answers(tuple(told))

    async def _take_batch(self, envelope: Header, messages: Sequence[bytes], peer: Peer) -> Answers:
        """A batch: one answer to its envelope, positive only where every message is kept."""
        worst, faults = Verdict.ACCEPTED, []
        closes = False
        for number, message in enumerate(messages, start=1):
            try:
                header, bound = self._open(message, peer)
            except MessageUnreadable as error:
                worst = Verdict.ERROR
                faults.append(_of_batch(number, Fault(ErrorCode.SEGMENT_SEQUENCE, error.detail, error.reason)))
                continue
            verdict, said, _ = await self._judge(message, header, bound, header.faults)
            faults.extend(_of_batch(number, each) for each in said)
            closes = closes or bound.fault is not None
            if verdict is not Verdict.ACCEPTED and worst is not Verdict.ERROR:
                worst = verdict
        answers = tuple(self._answers(envelope, worst, faults[:20], self._now()))
        return Answers(answers, closes)

    # --- what is not kept ---

    def _turn_away(self, head: bytes, peer: Peer, text: str, *, closes: bool = False) -> Answers:
        """AR or CR 207 where its head can be read; else the end of the connection."""
        try:
            header = peek(_first_line(head))
        except MessageUnreadable:
            return self._silent(closes=True)
        bound = self._senders.bind(header, peer)
        fault = bound.fault or Fault(ErrorCode.INTERNAL, text, RejectionReason.TOO_LARGE)
        self._count(bound.feed, header, code_of(header, Verdict.REJECTED))
        self._count_refused(bound.feed, fault.reason)
        answers = self._answers(header, Verdict.REJECTED, (fault,), self._now())
        return Answers(tuple(answers), closes=closes or bound.fault is not None, is_hostile=True)

    def _silent(self, *, closes: bool) -> Answers:
        self._meters.message_received("", "hl7v2", "none")
        self._count_refused("", RejectionReason.WRONG_SHAPE)
        return Answers((), closes=closes)

    def _count(self, feed: str, header: Header, code: AckCode) -> None:
        self._meters.message_received(feed, header.code, code.value)

    def _count_refused(self, feed: str, reason: RejectionReason) -> None:
        self._meters.message_translated(feed, "rejected")
        self._meters.message_rejected(feed, reason)


def _refused(faults: Sequence[Fault]) -> Refused | None:
    if not faults:
        return None
    first = faults[0]
    return Refused(_REASONS.get(first.code, first.reason), "; ".join(each.text for each in faults[:5]))


def _of_batch(number: int, fault: Fault) -> Fault:
    return Fault(fault.code, f"message {number} of the batch: {fault.text}", fault.reason, fault.place)


def _first_line(message: bytes) -> bytes:
    begin = message.lstrip(b"\r\n \t\xef\xbb\xbf")
    ends = [place for place in (begin.find(b"\r"), begin.find(b"\n")) if place >= 0]
    return begin[: min(ends)] if ends else begin


def _done(answers: Answers) -> Work:
    async def give() -> Answers:
        return answers

    return Work(give(), is_enhanced=False)
