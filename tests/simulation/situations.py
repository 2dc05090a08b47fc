"""Named situations that a simulation must have met: a harness that never got there proves nothing about it.

Whoever notices one says so (`Situations.add`). A run over all seeds of the test command must have seen each of
`MUST_BE_SEEN` at least once; `make simulation` prints how often.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

MUST_BE_SEEN: Final = (
    # crashes, by where the process stood
    "crash before the first alert was sent",
    "crash between an alert and its acknowledgement",
    "crash when some alerts of a batch had landed",
    "crash between the acknowledged alert and the state",
    "crash when some records of a batch had landed",
    "crash between the state and its acknowledgement",
    "crash between the acknowledged state and the commit",
    "crash between a segment and the record that points to it",
    "crash in the middle of a recovery",
    "crash while an older record was being repaired",
    "crash between an entry and its acknowledgement",
    "all workers crashed at once",
    # pauses
    "a paused owner came back as a zombie",
    "two processes held the same partition at once",
    "a zombie wrote an alert again after the new owner",
    "a zombie wrote an older record behind a newer one",
    "what a dead process had sent landed after the new owner had begun",
    "the commit of a former owner was refused",
    # rebalances
    "rebalance with due checks pending",
    "rebalance in the middle of a recovery",
    "partitions given up in the middle of a batch",
    "a patient's older record stood behind a newer one at recovery",
    "a recovery from a warm disk",
    "a recovery from an empty disk",
    "the changelog was compacted between two owners",
    # delivery
    "an entry that was already applied came again",
    "a tick that was already heard came again",
    "several ticks in one batch",
    "records of say written twice by a retry",
    "say not acknowledged",
    "show not acknowledged",
    "records not acknowledged",
    "entries not acknowledged",
    "say while the broker was away",
    "records while the broker was away",
    "the broker's clock stepped back",
    # the medicine
    "a policy changed in the middle of the log",
    "an entry was judged by an older policy than the newest known",
    "a rule failed and its entry came again",
    "a transition said that the patient is not monitored",
    "an entry nobody can read came again",
    "an absence was raised by time alone",
    "an alert was withdrawn by a later fact",
    "a corrected result moved an alert",
    "a record outgrew its head: a segment was written",
    "a late fact reached behind the cut: segments were read",
    # merges
    "a merge came while an alert was open and a check pending",
    "a merge came before any message of the retired number",
    "a merge met a tombstone",
    "a merge that leads in a circle was refused",
    "a message came for a retired number",
    "a message went over two tombstones",
    "an alert was carried on by the surviving number",
    "an unmerge moved an alert",
    "facts went back after an unmerge",
    "an entry between two numbers was written again",
    "crash before facts were handed on",
    "crash when some of what was handed on had landed",
    "crash between what was handed on and the tombstone",
    "moves not acknowledged",
    # translate
    "a message was translated twice",
    "a tick waited for a slower source",
    "a rejection was written twice",
)


class Situations:
    """Counts what was met."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """It happened."""
        self.count[name] += 1


def never_seen(count: Counter[str]) -> list[str]:
    """What a run must have met and did not."""
    return [name for name in MUST_BE_SEEN if not count[name]]
