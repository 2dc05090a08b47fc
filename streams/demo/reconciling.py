"""The two equations of the promises (ARCHITECTURE, promise 1): nothing that came in is unaccounted for.

Both sides are counted, never derived from each other: the roles count in their metrics, the broker
knows offsets, the demo knows what it sent, and a reader of the log counts facts one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.accounts import Facts, Messages
from streams.demo.scraping import Readings


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """The same number from two places that do not know each other."""

    what: str
    one: str
    one_count: int
    other: str
    other_count: int

    @property
    def agrees(self) -> bool:
        """Both say the same."""
        return self.one_count == self.other_count

    def __str__(self) -> str:
        sign = "=" if self.agrees else "is not"
        return f"{self.what}: {self.one_count:,} {self.one} {sign} {self.other_count:,} {self.other}"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both equations, and the numbers of the metrics held against those of the broker."""

    messages: Messages
    facts: Facts
    checks: tuple[CrossCheck, ...]

    @property
    def balances(self) -> bool:
        """Nothing is unaccounted for, and nobody contradicts anybody."""
        return self.messages.balances and self.facts.balances and all(check.agrees for check in self.checks)


@dataclass(frozen=True, slots=True)
class BrokerCounts:
    """What the broker and the demo's own ends counted, without asking any role.

    `sent` messages and `ticks` were acknowledged to the demo; `held` records stand on the source topics,
    and `waiting` messages among them lie behind the offsets that the workers committed; `rejections` and
    `transitions` (and how many of the latter are `distinct`) were read from their topics; `facts` were
    counted in the patient log, one by one. `heard_or_replayed` and `heard_and_replayed` compare the ids
    on the notification topic with those that a replay of the same log says.
    """

    sent: int
    ticks: int
    held: int
    waiting: int
    log_held: int
    log_committed: int
    facts: int
    rejections: int
    transitions: int
    distinct: int
    heard_or_replayed: int
    heard_and_replayed: int


def reconcile(readings: Readings, counts: BrokerCounts) -> Reconciliation:
    """Put the metrics of the roles beside what the broker holds."""
    prefix = "myelowatch_"
    outcomes = readings.by(f"{prefix}messages_translated_total", "outcome")
    messages = Messages(
        received=counts.sent,
        translated=outcomes["translated"],
        partly=outcomes["partly"],
        ignored=outcomes["ignored"],
        rejected=outcomes["rejected"],
        waiting=counts.waiting,
        rejected_by=readings.by(f"{prefix}messages_rejected_total", "reason"),
    )
    placed = readings.by(f"{prefix}facts_total", "outcome")
    facts = Facts(
        translated=counts.facts,
        applied=placed["applied"],
        duplicate=placed["duplicate"],
        ignored=placed["ignored"],
        quarantined=placed["quarantined"],
        forwarded=placed["forwarded"],
        ignored_by=readings.by(f"{prefix}facts_total", "kind", outcome="ignored"),
    )
    received = readings.total(f"{prefix}messages_received_total")
    said = readings.total(f"{prefix}alert_transitions_total")
    rejected = readings.total(f"{prefix}messages_rejected_total")
    checks = (
        CrossCheck("Source topics", "records held", counts.held, "messages and ticks sent", counts.sent + counts.ticks),
        CrossCheck(
            "Received", "counted by the workers or waiting", received + counts.waiting, "messages sent", counts.sent
        ),
        CrossCheck("Patient log", "entries held", counts.log_held, "entries committed", counts.log_committed),
        CrossCheck("Rejections", "counted by the workers", rejected, "on their topic", counts.rejections),
        CrossCheck("Transitions", "counted by the workers", said, "on the notification topic", counts.transitions),
        CrossCheck("Transition ids", "distinct", counts.distinct, "on the notification topic", counts.transitions),
        CrossCheck(
            "Replay of the log",
            "ids on the topic or replayed",
            counts.heard_or_replayed,
            "both",
            counts.heard_and_replayed,
        ),
    )
    return Reconciliation(messages, facts, checks)
