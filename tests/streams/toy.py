"""A tiny deterministic medicine: enough to see every path of the bodies, and to compute answers by hand.

A patient has the sum of all results, one alert `toy-low` while the newest result is below the policy's
threshold, and one alert `toy-silent` when no result came for a week. A result with the text `boom` makes the
step raise, `deep` asks for a history segment, `huge` makes the record too large, `stuck` a check that
does not move on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.alerts import Cause, PolicyStamp, Severity, Transition, TransitionKind
from schemas.events import Entry, EntryKind, LabResultReported, PolicyActivation
from schemas.values import PatientRef, Source, When
from streams.ports import Heard, MustStop, Standing
from streams.topics import partition_of

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SILENCE = timedelta(days=7)
RULES_VERSION = "toy-1"


@dataclass(frozen=True)
class Header:
    offset: int = -1
    partition: int = 0
    clock: datetime | None = None
    next_check: datetime | None = None


@dataclass(frozen=True)
class ToyRecord:
    header: Header = field(default_factory=Header)
    key: str = ""
    total: str = "0"
    seen: tuple[str, ...] = ()
    alerts: tuple[tuple[str, str, int], ...] = ()
    """(rule, alert id, sequence) of the open ones."""
    raised: int = 0
    padding: str = ""


@dataclass(frozen=True)
class Outcome:
    kind: str
    outcome: str
    reason: str | None = None


@dataclass(frozen=True)
class Stepped:
    record: ToyRecord
    transitions: tuple[Transition, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    segments: Mapping[str, bytes] | None = None
    needs: tuple[str, ...] = ()
    sends: tuple[Entry, ...] = ()
    refused: str | None = None


@dataclass(frozen=True)
class ToyPolicy:
    hash: str
    threshold: Decimal


class ToyMedicine:
    """See the module."""

    def __init__(self) -> None:
        self.steps = 0

    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None = None
    ) -> Stepped:
        self.steps += 1
        record = record or ToyRecord(key=entry.patient.key if entry.patient else "")
        clock = max(record.header.clock or heard.known_at, heard.known_at)
        transitions: list[Transition] = []
        outcomes: list[Outcome] = []
        segments: dict[str, bytes] = {}
        stuck = False
        due = record.header.next_check
        if due is not None and due <= clock:
            record, raised = _raise(record, "toy-silent", due, policy, "due:toy-silent")
            transitions.extend(raised)
            due = None
        for fact in entry.facts if entry.kind is EntryKind.FACTS else ():
            assert isinstance(fact, LabResultReported)
            if fact.text == "boom":
                raise RuntimeError("patient 900101-1234567 is not to be seen in any log")
            if fact.text == "deep" and history is None:
                return Stepped(record, needs=(f"{record.key}/2025-1",))
            if fact.text == "deep":
                name = f"{record.key}/2025-1"
                segments[name] = (history or {})[name] + b"+"
            if fact.text == "huge":
                record = replace(record, padding="x" * 70_000)
            stuck = stuck or fact.text == "stuck"
            if fact.fact_id in record.seen:
                outcomes.append(Outcome(fact.kind, "duplicate"))
                continue
            outcomes.append(Outcome(fact.kind, "applied"))
            total = Decimal(record.total) + (fact.value or 0)
            record = replace(record, seen=(*record.seen, fact.fact_id), total=str(total))
            due = max(due or clock, clock + SILENCE)
            record, closed = _close(record, "toy-silent", clock, policy, entry.event_id)
            transitions.extend(closed)
            if fact.value is not None and fact.value < policy.threshold:
                record, raised = _raise(record, "toy-low", clock, policy, entry.event_id)
            else:
                record, raised = _close(record, "toy-low", clock, policy, entry.event_id)
            transitions.extend(raised)
        if entry.kind is EntryKind.POLICY and Decimal(record.total) < policy.threshold:
            record, raised = _raise(record, "toy-policy", clock, policy, entry.event_id)
            transitions.extend(raised)
        header = Header(heard.offset, heard.partition, clock, clock if stuck else due)
        return Stepped(replace(record, header=header), tuple(transitions), tuple(outcomes), segments or None)

    def write_record(self, record: Any) -> bytes:
        head = record.header
        return json.dumps(
            {
                "header": [head.offset, head.partition, _iso(head.clock), _iso(head.next_check)],
                "key": record.key,
                "total": record.total,
                "seen": record.seen,
                "alerts": record.alerts,
                "raised": record.raised,
                "padding": record.padding,
            }
        ).encode()

    def read_record(self, raw: bytes) -> ToyRecord:
        read = json.loads(raw)
        offset, partition, clock, next_check = read["header"]
        return ToyRecord(
            header=Header(offset, partition, _from_iso(clock), _from_iso(next_check)),
            key=read["key"],
            total=read["total"],
            seen=tuple(read["seen"]),
            alerts=tuple((rule, alert, sequence) for rule, alert, sequence in read["alerts"]),
            raised=read["raised"],
            padding=read["padding"],
        )

    def mark_not_monitored(self, record: Any, since: datetime) -> Any:
        return record

    def read_policy(self, activation: PolicyActivation) -> ToyPolicy:
        if activation.rules_version != RULES_VERSION:
            raise MustStop(f"rules version {activation.rules_version} is not known here")
        return ToyPolicy(activation.hash, Decimal(activation.text))

    def standing(self, record: Any) -> Standing:
        return Standing(tuple((rule, "high") for rule, _, _ in record.alerts), is_watched=True)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _from_iso(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _transition(
    record: ToyRecord,
    rule: str,
    alert: str,
    sequence: int,
    kind: TransitionKind,
    at: datetime,
    policy: ToyPolicy,
    by: str,
) -> Transition:
    return Transition(
        transition_id=hashlib.sha256(f"{alert}|{sequence}".encode()).hexdigest()[:24],
        alert_id=alert,
        sequence=sequence,
        transition=kind,
        rule=rule,
        rule_version="1",
        severity=Severity.HIGH,
        patient=PatientRef(key=record.key, authority="toy", id="x"),
        at=at,
        effective_at=at,
        caused_by=by,
        cause=Cause.NEW_EVIDENCE,
        title=rule,
        message=rule,
        policy=PolicyStamp(profile="toy", version="1", hash=policy.hash),
    )


def _raise(
    record: ToyRecord, rule: str, at: datetime, policy: ToyPolicy, by: str
) -> tuple[ToyRecord, tuple[Transition, ...]]:
    if any(name == rule for name, _, _ in record.alerts):
        return record, ()
    alert = hashlib.sha256(f"{record.key}|{rule}|{record.raised}".encode()).hexdigest()[:24]
    record = replace(record, alerts=(*record.alerts, (rule, alert, 1)), raised=record.raised + 1)
    return record, (_transition(record, rule, alert, 1, TransitionKind.RAISED, at, policy, by),)


def _close(
    record: ToyRecord, rule: str, at: datetime, policy: ToyPolicy, by: str
) -> tuple[ToyRecord, tuple[Transition, ...]]:
    for name, alert, sequence in record.alerts:
        if name == rule:
            kept = tuple(each for each in record.alerts if each[1] != alert)
            record = replace(record, alerts=kept)
            kind = TransitionKind.RESOLVED
            return record, (_transition(record, rule, alert, sequence + 1, kind, at, policy, by),)
    return record, ()


def toy_activation(threshold: str = "1", rules_version: str = RULES_VERSION) -> PolicyActivation:
    """A policy whose whole text is its threshold."""
    digest = hashlib.sha256(threshold.encode()).hexdigest()[:12]
    return PolicyActivation(profile="toy", version="1", hash=digest, rules_version=rules_version, text=threshold)


def patient_in(partition: int, partitions: int = 12, nth: int = 0) -> str:
    """The nth patient key that belongs to a partition."""
    found = -1
    number = 0
    while True:
        key = hashlib.sha256(str(number).encode()).hexdigest()[:32]
        if partition_of(key.encode(), partitions) == partition:
            found += 1
            if found == nth:
                return key
        number += 1


def lab_fact(key: str, fact_id: str, value: str | None, at: datetime, text: str | None = None) -> LabResultReported:
    """One result."""
    return LabResultReported(
        fact_id=fact_id,
        origin_key=key,
        when=When.at(at),
        source=Source(feed="lab", message=fact_id),
        analyte="anc",
        value=None if value is None else Decimal(value),
        text=text,
    )


def facts_entry(key: str, *facts: LabResultReported, known_at: datetime) -> Entry:
    """One message about one patient."""
    return Entry(
        event_id="|".join(fact.fact_id for fact in facts),
        patient=PatientRef(key=key, authority="toy", id="x"),
        feed="lab",
        known_at=known_at,
        facts=facts,
    )


def tick_entry(at: datetime) -> Entry:
    """Time itself."""
    return Entry(kind=EntryKind.TICK, event_id="tick", known_at=at)


def policy_entry(activation: PolicyActivation, at: datetime) -> Entry:
    """Another policy from here on."""
    return Entry(kind=EntryKind.POLICY, event_id="policy", known_at=at, policy=activation)
