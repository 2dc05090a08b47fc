"""HL7 v2 to facts, and the answer to its sender: bytes in, bytes and facts out; no sockets.

Four doors. `peek` reads just enough to key, answer and bind a message; `split_batch` takes batches apart and
checks their counts; `answer` writes the acknowledgement; `read_message` turns a message into facts, by the field
map of its feed (`read_feed_map`).

At the front door, in this order: `split_batch(raw)` (one message is a batch of one), then for each message
`header = peek(message, feed_map)`; where `header.faults` is empty, keep it, keyed by `header.patient`; then
`answer(header, code_of(header, verdict_of(faults)), faults, at=now)`.
"""

from schemas.hl7v2.answer import AckCode, Verdict, answer, code_of, is_wanted, verdict_of
from schemas.hl7v2.batch import Batch, split_batch
from schemas.hl7v2.faults import ErrorCode, Fault, MessageUnreadable
from schemas.hl7v2.feed_map import STANDARD, FeedMap, FeedMapUnusable, read_feed_map
from schemas.hl7v2.header import AckMode, Header, Kind, peek
from schemas.hl7v2.identity import PatientNumber
from schemas.hl7v2.reading import read_message

__all__ = [
    "STANDARD",
    "AckCode",
    "AckMode",
    "Batch",
    "ErrorCode",
    "Fault",
    "FeedMap",
    "FeedMapUnusable",
    "Header",
    "Kind",
    "MessageUnreadable",
    "PatientNumber",
    "Verdict",
    "answer",
    "code_of",
    "is_wanted",
    "peek",
    "read_feed_map",
    "read_message",
    "split_batch",
    "verdict_of",
]
