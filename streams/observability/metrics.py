"""Metrics for Prometheus: the closed list of the contract, and the meters that fill it.

`METRICS` is the whole list; names, labels and their order are held by a test against the contract.
Label values come from closed words only (`vocabulary.py`), so a process can neither open series
without limit nor show anything about a patient. Instants are kept and turned into ages when
Prometheus asks: an age that is only updated by the thing it watches would stand still with it.
"""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from schemas.alerts import Severity, TransitionKind
from schemas.events.lab_result import ResultDoubt
from schemas.rejection import RejectionReason
from streams.observability.vocabulary import Vocabulary, closed

PREFIX: Final = "myelowatch_"
SHADOW_PREFIX: Final = "myelowatch_shadow_"
"""The same metrics as the shadow monitor writes them."""

FIRST_PORT: Final = 9464
"""Where the first role serves its metrics; the others follow in the order of `Role`."""


class Role(StrEnum):
    """The processes of the house, in the order of their metrics ports."""

    WORKER = "worker"
    TICKER = "ticker"
    GATEWAY = "gateway"
    DESK = "desk"
    CONSOLE = "console"
    SHADOW = "shadow"

    @property
    def port(self) -> int:
        """The role's own metrics port where the settings name none."""
        return FIRST_PORT + list(Role).index(self)

    @property
    def prefix(self) -> str:
        """Of its metrics. What a policy on trial would say has names of its own: no sum over alerts may count it."""
        return SHADOW_PREFIX if self is Role.SHADOW else PREFIX


class Kind(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name without the prefix, its labels in order, who writes it and what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    roles: tuple[Role, ...]
    help: str
    buckets: tuple[float, ...] = ()


_PIPELINE = (Role.WORKER,)
_JUDGES = (Role.WORKER, Role.SHADOW)
_DOORS = (Role.WORKER, Role.GATEWAY)
_DESK = (Role.DESK,)
_ALL = tuple(Role)

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_LAG_BUCKETS = (
    *(1.0, 5.0, 15.0),
    *(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 4 * _HOUR, 12 * _HOUR),
    *(_DAY, 7 * _DAY, 30 * _DAY),
)
_DECISION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_ACK_BUCKETS = (30.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 4 * _HOUR)

METRICS: Final = (
    Metric("messages_received_total", Kind.COUNTER, ("feed", "type", "ack"), _DOORS,
           "Messages taken in, by feed, type, and the acknowledgement given (none where the sender wrote to Kafka)."),
    Metric("messages_translated_total", Kind.COUNTER, ("feed", "outcome"), _DOORS,
           "Messages read, by what became of them: translated, partly, ignored, rejected."),
    Metric("messages_rejected_total", Kind.COUNTER, ("feed", "reason"), _DOORS,
           "Messages and parts of messages that are held and cannot be used, by reason."),
    Metric("facts_total", Kind.COUNTER, ("kind", "outcome"), _JUDGES,
           "Facts that reached a patient's record: applied, duplicate, ignored, quarantined, forwarded."),
    Metric("results_unassessable_total", Kind.COUNTER, ("analyte", "reason"), _PIPELINE,
           "Results with no value that a rule may decide on, by analyte and reason."),
    Metric("event_lag_seconds", Kind.HISTOGRAM, (), _PIPELINE,
           "From the clinical time of a fact (its collection) to the time it could be known here.", _LAG_BUCKETS),
    Metric("decision_seconds", Kind.HISTOGRAM, (), _JUDGES,
           "From an entry's stamp in the log to the acknowledgement of what was decided on it.", _DECISION_BUCKETS),
    Metric("alert_transitions_total", Kind.COUNTER, ("rule", "severity", "transition"), _JUDGES,
           "Transitions written to the notification topic, repeats after a restart included."),
    Metric("alerts_open", Kind.GAUGE, ("rule", "severity"), _JUDGES,
           "Alerts open now in the partitions of this worker."),
    Metric("checks_pending", Kind.GAUGE, (), _JUDGES,
           "Patients with a check due at some later time, in the partitions of this worker."),
    Metric("checks_overdue_seconds", Kind.GAUGE, (), _JUDGES,
           "Age of the oldest check that is due and has not run; 0 where none is."),
    Metric("patients_watched", Kind.GAUGE, (), _JUDGES,
           "Patients on whom the rules run, in the partitions of this worker."),
    Metric("patients_unwatched", Kind.GAUGE, (), _JUDGES,
           "Patients who take the drug and on whom no rule can run: an unusable record, or quarantine."),
    Metric("feed_silence_seconds", Kind.GAUGE, ("feed",), _DOORS,
           "Time since the newest message of a feed."),
    Metric("heartbeat_age_seconds", Kind.GAUGE, ("partition",), _JUDGES,
           "Time since the newest tick that passed the whole pipeline of a partition."),
    Metric("pages_total", Kind.COUNTER, ("channel", "outcome"), _DESK,
           "Pages by channel and outcome."),
    Metric("page_ack_seconds", Kind.HISTOGRAM, (), _DESK,
           "From the first page of an alert to its acknowledgement by a person.", _ACK_BUCKETS),
    Metric("alert_feedback_total", Kind.COUNTER, ("rule", "verdict"), _DESK,
           "What pharmacists said about alerts, by rule and verdict."),
    Metric("escalations_total", Kind.COUNTER, ("step",), _DESK,
           "Pages that nobody acknowledged in time, by the step that followed."),
    Metric("policy_info", Kind.GAUGE, ("profile", "version", "hash"), _JUDGES,
           "1 for the policy in force."),
    Metric("build_info", Kind.GAUGE, ("version",), _ALL,
           "1 for the version that runs."),
)  # fmt: skip


class Acknowledgement(StrEnum):
    """How a message was answered: HL7 codes, HTTP accepted, or nothing where it came through Kafka."""

    AA = "AA"
    AE = "AE"
    AR = "AR"
    CA = "CA"
    CE = "CE"
    CR = "CR"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NONE = "none"


MESSAGE_TYPES: Final = frozenset(
    {
        *("fhir", "event", "hl7v2", "tick", "lab-result", "dispense", "patient-fact"),
        *("ORU", "ADT", "RDE", "RDS", "RAS", "OMP", "ORM", "VXU", "PPR"),
    }
)
TRANSLATED: Final = frozenset({"translated", "partly", "ignored", "rejected"})
FACT_OUTCOMES: Final = frozenset({"applied", "duplicate", "ignored", "quarantined", "forwarded"})
FACT_KINDS: Final = frozenset(
    {
        *("lab-result", "dispense", "order", "administration", "home-medicine", "patient", "condition"),
        *("adverse-event", "allergy", "procedure", "vaccine", "encounter", "statement"),
    }
)


def build_version() -> str:
    """The installed version; `0` where the package runs from a bare source tree."""
    try:
        return version("myelowatch")
    except PackageNotFoundError:
        return "0"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Watched:
    """What one partition of this worker holds."""

    open_alerts: Tally[tuple[str, str]] = field(default_factory=Tally)
    checks_pending: int = 0
    earliest_due: datetime | None = None
    patients_watched: int = 0
    patients_unwatched: int = 0
    last_tick: datetime | None = None
    ticked_at: datetime | None = None
    """When, by our clock, the last tick came."""


class PrometheusMeters:
    """Counts and gauges of one process; every method is cheap and never raises on a strange word."""

    def __init__(
        self,
        registry: CollectorRegistry,
        vocabulary: Vocabulary,
        roles: Iterable[Role] = tuple(Role),
        clock: Callable[[], datetime] = _utc_now,
        explicit_time: bool = False,
    ) -> None:
        """Register the metrics that these roles write.

        With `explicit_time` the log's instants are not of this world (demo at speed): ages of ticks and
        checks are then told by our own clock and by the last tick.
        """
        self._explicit_time = explicit_time
        self._vocabulary = vocabulary
        self._clock = clock
        self._lock = threading.Lock()
        self._partitions: dict[int, _Watched] = {}
        self._feeds: dict[str, datetime] = {}
        self._policy: tuple[str, str, str] | None = None
        self._started_at = clock()
        # Without this, every counter and histogram brings a `_created` series that the contract does not list.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        wanted = frozenset(roles)
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        gauges: dict[str, Metric] = {}
        prefix = next(iter(wanted)).prefix if len(wanted) == 1 else PREFIX
        for metric in METRICS:
            if not wanted & frozenset(metric.roles):
                continue
            name = (PREFIX if metric.name == "build_info" else prefix) + metric.name
            match metric.kind:
                case Kind.COUNTER:
                    self._counters[metric.name] = Counter(name, metric.help, metric.labels, registry=registry)
                case Kind.HISTOGRAM:
                    self._histograms[metric.name] = Histogram(
                        name, metric.help, metric.labels, registry=registry, buckets=metric.buckets
                    )
                case Kind.GAUGE:
                    gauges[metric.name] = metric
        registry.register(_Gauges(gauges, self._gauge_values, prefix))
        ProcessCollector(registry=registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Without this, the first rejection would open a series at 1, and `increase()` would not see it."""
        zeros: dict[str, list[tuple[str, str]]] = {
            "messages_translated_total": [(feed, word) for feed in self._vocabulary.feeds for word in TRANSLATED],
            "messages_rejected_total": [(feed, word) for feed in self._vocabulary.feeds for word in RejectionReason],
            "facts_total": [(kind, word) for kind in FACT_KINDS for word in ("applied", "quarantined")],
        }
        for name, rows in zeros.items():
            counter = self._counters.get(name)
            if counter is not None:
                for labels in rows:
                    counter.labels(*labels)

    # --- counters and histograms ---

    def _count(self, name: str, *labels: str, amount: int = 1) -> None:
        counter = self._counters.get(name)
        if counter is not None:
            counter.labels(*labels).inc(amount)

    def _observe(self, name: str, seconds: float) -> None:
        histogram = self._histograms.get(name)
        if histogram is not None:
            histogram.observe(max(0.0, seconds))

    def message_received(self, feed: str, message_type: str, ack: str = Acknowledgement.NONE) -> None:
        """One message was taken in."""
        feed = closed(feed, self._vocabulary.feeds)
        acknowledgement = closed(ack, frozenset(Acknowledgement))
        self._count("messages_received_total", feed, closed(message_type, MESSAGE_TYPES), acknowledgement)
        with self._lock:
            self._feeds[feed] = self._clock()

    def message_translated(self, feed: str, outcome: str) -> None:
        """One message was read."""
        feed = closed(feed, self._vocabulary.feeds)
        self._count("messages_translated_total", feed, closed(outcome, TRANSLATED))
        with self._lock:
            # What came by the front door was counted there; that it came is heard here too.
            self._feeds[feed] = self._clock()

    def feed_heard(self, feed: str, at: datetime) -> None:
        """The newest message of a feed before this process started came then."""
        feed = closed(feed, self._vocabulary.feeds)
        with self._lock:
            self._feeds[feed] = max(at, self._feeds.get(feed, at))

    def message_rejected(self, feed: str, reason: str) -> None:
        """A message, or a part of one, cannot be used."""
        feed = closed(feed, self._vocabulary.feeds)
        self._count("messages_rejected_total", feed, closed(reason, frozenset(RejectionReason)))

    def fact(self, kind: str, outcome: str, count: int = 1) -> None:
        """So many facts of one kind had this outcome."""
        self._count("facts_total", closed(kind, FACT_KINDS), closed(outcome, FACT_OUTCOMES), amount=count)

    def result_unassessable(self, analyte: str, reason: str) -> None:
        """One result has no value that a rule may decide on."""
        analyte = closed(analyte, self._vocabulary.analytes)
        self._count("results_unassessable_total", analyte, closed(reason, frozenset(ResultDoubt)))

    def event_lag(self, seconds: float) -> None:
        """From clinical time to the time it could be known."""
        self._observe("event_lag_seconds", seconds)

    def decision(self, seconds: float) -> None:
        """From the log's stamp to the acknowledged decision."""
        self._observe("decision_seconds", seconds)

    def transition(self, rule: str, severity: str, transition: str) -> None:
        """One transition was written."""
        self._count(
            "alert_transitions_total",
            closed(rule, self._vocabulary.rules),
            closed(severity, frozenset(Severity)),
            closed(transition, frozenset(TransitionKind)),
        )

    # --- gauges ---

    def alerts_open(self, partition: int, counts: Mapping[tuple[str, str], int]) -> None:
        """All open alerts of a partition by (rule, severity)."""
        tally: Tally[tuple[str, str]] = Tally()
        for (rule, severity), count in counts.items():
            key = (closed(rule, self._vocabulary.rules), closed(severity, frozenset(Severity)))
            tally[key] += count
        with self._lock:
            self._of(partition).open_alerts = tally

    def checks(self, partition: int, pending: int, earliest_due: datetime | None) -> None:
        """How many checks wait in a partition, and when the first is due."""
        with self._lock:
            watched = self._of(partition)
            watched.checks_pending = pending
            watched.earliest_due = earliest_due

    def patients(self, partition: int, watched: int, unwatched: int) -> None:
        """How many patients of a partition the rules run on, and how many they should and cannot."""
        with self._lock:
            held = self._of(partition)
            held.patients_watched = watched
            held.patients_unwatched = unwatched

    def tick(self, partition: int, at: datetime) -> None:
        """A tick passed the whole pipeline of a partition."""
        with self._lock:
            held = self._of(partition)
            held.ticked_at = self._clock()
            if held.last_tick is None or at > held.last_tick:
                held.last_tick = at

    def partition_taken(self, partition: int) -> None:
        """This worker now holds a partition."""
        with self._lock:
            self._of(partition)

    def partition_given_up(self, partition: int) -> None:
        """Another worker holds it now: its gauges leave with it, so that a sum over workers stays right."""
        with self._lock:
            self._partitions.pop(partition, None)

    def policy(self, profile: str, policy_version: str, policy_hash: str) -> None:
        """The policy in force."""
        with self._lock:
            self._policy = (closed(profile, self._vocabulary.profiles), policy_version, policy_hash)

    def _of(self, partition: int) -> _Watched:
        return self._partitions.setdefault(partition, _Watched())

    def _gauge_values(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        """All gauges as they stand at this moment, by metric and label values."""
        now = self._clock()
        with self._lock:
            held = list(self._partitions.items())
            open_alerts: Tally[tuple[str, str]] = Tally()
            for _, watched in held:
                open_alerts.update(watched.open_alerts)
            overdue = [self._overdue(watched, now) for _, watched in held]
            silence: dict[tuple[str, ...], float] = {
                (feed,): _age(now, self._feeds.get(feed, self._started_at)) for feed in self._known_feeds()
            }
            return {
                "alerts_open": {key: float(count) for key, count in sorted(open_alerts.items())},
                "checks_pending": {(): float(sum(watched.checks_pending for _, watched in held))},
                "checks_overdue_seconds": {(): max(overdue, default=0.0)},
                "patients_watched": {(): float(sum(watched.patients_watched for _, watched in held))},
                "patients_unwatched": {(): float(sum(watched.patients_unwatched for _, watched in held))},
                "feed_silence_seconds": silence,
                "heartbeat_age_seconds": {
                    (str(partition),): self._heartbeat(watched, now) for partition, watched in held
                },
                "policy_info": {} if self._policy is None else {self._policy: 1.0},
                "build_info": {(build_version(),): 1.0},
            }

    def _overdue(self, watched: _Watched, now: datetime) -> float:
        """How long ago the first check of a partition fell due."""
        if watched.earliest_due is None:
            return 0.0
        present = watched.last_tick if self._explicit_time else now
        return 0.0 if present is None else _age(present, watched.earliest_due)

    def _heartbeat(self, watched: _Watched, now: datetime) -> float:
        """Age of the last tick: of its own instant, so that a backlog shows; else of when it came."""
        last = watched.ticked_at if self._explicit_time else watched.last_tick
        return _age(now, last or self._started_at)

    def _known_feeds(self) -> list[str]:
        """Every configured feed, heard or not: a feed that never spoke is silent since the start."""
        return sorted({*self._vocabulary.feeds, *self._feeds})


def _age(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())


class _Gauges(Collector):
    """Gauges worked out when Prometheus asks."""

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        values: Callable[[], Mapping[str, Mapping[tuple[str, ...], float]]],
        prefix: str,
    ) -> None:
        self._metrics = {(PREFIX if name == "build_info" else prefix) + name: each for name, each in metrics.items()}
        self._values = values

    def describe(self) -> Iterator[GaugeMetricFamily]:
        for name, metric in self._metrics.items():
            yield GaugeMetricFamily(name, metric.help, labels=metric.labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        values = self._values()
        for name, metric in self._metrics.items():
            family = GaugeMetricFamily(name, metric.help, labels=metric.labels)
            for labels, value in values.get(metric.name, {}).items():
                family.add_metric(labels, value)
            yield family


def build_meters(
    registry: CollectorRegistry,
    vocabulary: Vocabulary | None = None,
    roles: Iterable[Role] = tuple(Role),
    clock: Callable[[], datetime] = _utc_now,
    *,
    explicit_time: bool = False,
) -> PrometheusMeters:
    """The meters of one process, on its own registry."""
    return PrometheusMeters(registry, vocabulary or Vocabulary(), roles, clock, explicit_time)
