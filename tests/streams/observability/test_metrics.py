"""The metrics are the contract's closed list, and no word of a message can become a label."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from streams.observability.metrics import METRICS, Kind, PrometheusMeters, Role, build_meters
from streams.observability.vocabulary import Vocabulary
from tests.streams.observability.canary import Canary

CONTRACT = """
messages_received_total{feed,type,ack}
messages_translated_total{feed,outcome}
messages_rejected_total{feed,reason}
facts_total{kind,outcome}
results_unassessable_total{analyte,reason}
event_lag_seconds
decision_seconds
alert_transitions_total{rule,severity,transition}
alerts_open{rule,severity}
checks_pending
checks_overdue_seconds
patients_watched
patients_unwatched
feed_silence_seconds{feed}
heartbeat_age_seconds{partition}
pages_total{channel,outcome}
page_ack_seconds
alert_feedback_total{rule,verdict}
escalations_total{step}
policy_info{profile,version,hash}
build_info{version}
"""
"""Written out by hand on purpose: part 4 of the contract, and `version` on build_info, which says nothing without it."""

PROCESS = {
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
}

WORDS = Vocabulary(
    feeds=frozenset({"lab", "pharmacy"}),
    profiles=frozenset({"kr-panel"}),
    rules=frozenset({"anc-hold", "plt-hold"}),
    analytes=frozenset({"anc"}),
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def scrape(registry: CollectorRegistry) -> list[Sample]:
    """Every sample a scrape in the newest format gives."""
    text = openmetrics(registry).decode()
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read

    return [sample for family in read(text) for sample in family.samples]


def listed() -> dict[str, tuple[str, ...]]:
    rows = {}
    for line in CONTRACT.split():
        name, _, labels = line.partition("{")
        rows[name] = tuple(each for each in labels.rstrip("}").split(",") if each)
    return rows


def fill(meters: PrometheusMeters) -> None:
    """One of everything."""
    meters.message_received("lab", "fhir")
    meters.message_translated("lab", "translated")
    meters.message_rejected("lab", "not-json")
    meters.fact("lab-result", "applied")
    meters.result_unassessable("anc", "unit-unknown")
    meters.event_lag(30)
    meters.decision(0.02)
    meters.transition("anc-hold", "critical", "raised")
    meters.alerts_open(0, {("anc-hold", "critical"): 2})
    meters.checks(0, 4, NOW + timedelta(hours=1))
    meters.patients(0, 10, 1)
    meters.tick(0, NOW)
    meters.policy("kr-panel", "1.0.0", "0123456789ab")


def test_the_table_is_the_contracts_closed_list() -> None:
    assert {metric.name: metric.labels for metric in METRICS} == listed()
    for metric in METRICS:
        assert metric.help.endswith(".")
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)


def test_a_scrape_shows_the_names_and_labels_of_the_contract_and_no_others() -> None:
    registry = CollectorRegistry()
    fill(build_meters(registry, WORDS, (Role.WORKER,)))
    wanted = {each.name: frozenset(each.labels) for each in METRICS if Role.WORKER in each.roles}
    seen: dict[str, frozenset[str]] = {}
    for sample in scrape(registry):
        if sample.name in PROCESS:
            continue
        assert sample.name.startswith("myelowatch_")
        name = sample.name.removeprefix("myelowatch_")
        for suffix in ("_bucket", "_count", "_sum"):
            if name.removesuffix(suffix) in wanted:
                name = name.removesuffix(suffix)
        seen[name] = frozenset(sample.labels) - {"le"}
    assert seen == wanted


def test_a_role_shows_only_what_it_writes() -> None:
    registry = CollectorRegistry()
    build_meters(registry, WORDS, (Role.TICKER,))
    names = {sample.name for sample in scrape(registry)}
    assert names - PROCESS == {"myelowatch_build_info"}
    assert names & PROCESS


def test_what_a_trial_would_say_has_names_of_its_own() -> None:
    """No dashboard and no alert rule over the policy in force may count it."""
    registry = CollectorRegistry()
    fill(build_meters(registry, WORDS, (Role.SHADOW,)))
    names = {sample.name for sample in scrape(registry)} - PROCESS
    assert {name for name in names if not name.startswith("myelowatch_shadow_")} == {"myelowatch_build_info"}
    wanted = {each.name for each in METRICS if Role.SHADOW in each.roles} - {"build_info"}
    plain = {name.removeprefix("myelowatch_shadow_") for name in names}
    assert {"alerts_open", "alert_transitions_total", "policy_info", "heartbeat_age_seconds"} <= wanted
    assert wanted - {"decision_seconds"} <= plain
    assert not {"messages_received_total", "pages_total", "feed_silence_seconds"} & wanted


def test_all_roles_together_show_the_whole_list() -> None:
    registry = CollectorRegistry()
    build_meters(registry, WORDS)
    families = {family.name for family in registry.collect()}
    assert {each for each in families if each.startswith("myelowatch_")} == {
        "myelowatch_" + name.removesuffix("_total") for name in listed()
    }


def test_words_that_are_in_no_list_become_other(canary: Canary) -> None:
    registry = CollectorRegistry()
    meters = build_meters(registry, WORDS)
    for token in canary.tokens:
        meters.message_received(token, token, token)
        meters.message_translated(token, token)
        meters.message_rejected(token, token)
        meters.fact(token, token)
        meters.result_unassessable(token, token)
        meters.transition(token, token, token)
        meters.alerts_open(1, {(token, token): 1})
        meters.policy(token, "1.0.0", "0123456789ab")
    text = openmetrics(registry).decode()
    assert canary.found_in(text) == []
    values = {
        value
        for sample in scrape(registry)
        if sample.name.startswith("myelowatch_") and sample.name != "myelowatch_build_info" and sample.value
        for label, value in sample.labels.items()
        if label not in ("le", "partition", "hash", "version")
    }
    assert values <= {"other", "lab", "pharmacy"}


def test_ages_are_worked_out_when_asked() -> None:
    clock, registry = Clock(), CollectorRegistry()
    meters = build_meters(registry, WORDS, clock=clock)
    meters.message_received("lab", "fhir")
    meters.tick(3, NOW)
    meters.checks(3, 2, NOW + timedelta(seconds=30))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value("myelowatch_" + name, labels)

    assert value("checks_overdue_seconds") == 0
    clock.now = NOW + timedelta(seconds=90)
    assert value("feed_silence_seconds", feed="lab") == 90
    assert value("feed_silence_seconds", feed="pharmacy") == 90, "a feed that never spoke is silent since the start"
    assert value("heartbeat_age_seconds", partition="3") == 90
    assert value("checks_overdue_seconds") == 60
    assert value("checks_pending") == 2


def test_a_clock_that_runs_ahead_in_the_demo_makes_nothing_old() -> None:
    clock, registry = Clock(), CollectorRegistry()
    meters = build_meters(registry, WORDS, clock=clock, explicit_time=True)
    simulated = NOW + timedelta(days=200)
    meters.tick(0, simulated)
    meters.checks(0, 1, simulated + timedelta(hours=1))
    clock.now = NOW + timedelta(seconds=4)
    assert registry.get_sample_value("myelowatch_heartbeat_age_seconds", {"partition": "0"}) == 4
    assert registry.get_sample_value("myelowatch_checks_overdue_seconds") == 0
    meters.tick(0, simulated + timedelta(hours=3))
    assert registry.get_sample_value("myelowatch_checks_overdue_seconds") == 7200


def test_what_alarms_watch_exists_before_the_first_fault() -> None:
    registry = CollectorRegistry()
    build_meters(registry, WORDS)
    for name, labels in {
        "facts_total": {"kind": "lab-result", "outcome": "quarantined"},
        "messages_translated_total": {"feed": "lab", "outcome": "rejected"},
        "messages_rejected_total": {"feed": "pharmacy", "reason": "zone-missing"},
    }.items():
        assert registry.get_sample_value("myelowatch_" + name, labels) == 0


def test_an_older_tick_does_not_make_a_partition_look_younger_or_older() -> None:
    clock, registry = Clock(), CollectorRegistry()
    meters = build_meters(registry, WORDS, clock=clock)
    meters.tick(0, NOW)
    meters.tick(0, NOW - timedelta(minutes=5))
    assert registry.get_sample_value("myelowatch_heartbeat_age_seconds", {"partition": "0"}) == 0


def test_a_partition_that_moves_takes_its_gauges_along() -> None:
    registry = CollectorRegistry()
    meters = build_meters(registry, WORDS)
    fill(meters)
    meters.alerts_open(1, {("anc-hold", "critical"): 3, ("plt-hold", "critical"): 1})
    labels = {"rule": "anc-hold", "severity": "critical"}
    assert registry.get_sample_value("myelowatch_alerts_open", labels) == 5
    meters.partition_given_up(0)
    assert registry.get_sample_value("myelowatch_alerts_open", labels) == 3
    assert registry.get_sample_value("myelowatch_heartbeat_age_seconds", {"partition": "0"}) is None


@pytest.fixture
def canary() -> Canary:
    return Canary()


def test_the_plain_text_format_is_readable_too() -> None:
    from prometheus_client import generate_latest

    registry = CollectorRegistry()
    fill(build_meters(registry, WORDS))
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    assert families
    assert not [each for each in families if each.name.endswith("_created")]
