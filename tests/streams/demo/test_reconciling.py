"""The two equations: they balance when all is counted once, and say so when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.demo.reconciling import BrokerCounts, reconcile
from streams.demo.scraping import Readings, read_metrics

METRICS = """\
# TYPE myelowatch_messages_received_total counter
myelowatch_messages_received_total{feed="ward",type="event",ack="none"} 90.0
myelowatch_messages_received_total{feed="ward",type="fhir",ack="none"} 10.0
# TYPE myelowatch_messages_translated_total counter
myelowatch_messages_translated_total{feed="ward",outcome="translated"} 96.0
myelowatch_messages_translated_total{feed="ward",outcome="partly"} 1.0
myelowatch_messages_translated_total{feed="ward",outcome="rejected"} 3.0
# TYPE myelowatch_messages_rejected_total counter
myelowatch_messages_rejected_total{feed="ward",reason="not-json"} 3.0
myelowatch_messages_rejected_total{feed="ward",reason="time-missing"} 1.0
# TYPE myelowatch_facts_total counter
myelowatch_facts_total{kind="lab-result",outcome="applied"} 700.0
myelowatch_facts_total{kind="lab-result",outcome="duplicate"} 8.0
myelowatch_facts_total{kind="encounter",outcome="ignored"} 2.0
# TYPE myelowatch_alert_transitions_total counter
myelowatch_alert_transitions_total{rule="anc-hold",severity="critical",transition="raised"} 5.0
myelowatch_alert_transitions_total{rule="anc-hold",severity="critical",transition="resolved"} 4.0
"""

COUNTS = BrokerCounts(
    sent=100,
    ticks=48,
    held=148,
    waiting=0,
    log_held=112,
    log_committed=112,
    facts=710,
    rejections=4,
    transitions=9,
    distinct=9,
    heard_or_replayed=9,
    heard_and_replayed=9,
)


@pytest.fixture
def readings() -> Readings:
    return Readings(read_metrics(METRICS))


def test_all_counted_once_balances_and_is_said_in_two_lines(readings: Readings) -> None:
    reconciliation = reconcile(readings, COUNTS)
    assert reconciliation.balances
    assert str(reconciliation.messages) == (
        "Messages: 100 received = 96 translated + 1 partly + 0 ignored + 3 rejected (3 not-json, 1 time-missing) "
        "+ 0 waiting"
    )
    assert str(reconciliation.facts) == (
        "Facts:    710 translated = 700 applied + 8 duplicate + 2 ignored (2 encounter) + 0 quarantined + 0 forwarded"
    )


@pytest.mark.parametrize(
    ("shows", "counts"),
    [
        ("a message that nobody counted", replace(COUNTS, sent=101, held=149)),
        ("a message on the topic that nobody sent", replace(COUNTS, held=149)),
        ("a message waiting that was also translated", replace(COUNTS, waiting=1)),
        ("a fact in the log that reached no record", replace(COUNTS, facts=711)),
        ("an entry of the log that was not judged", replace(COUNTS, log_committed=111)),
        ("a rejection that was counted and not written", replace(COUNTS, rejections=3)),
        ("a transition that was counted and not written", replace(COUNTS, transitions=8, distinct=8)),
        ("a transition written twice", replace(COUNTS, distinct=8)),
        ("a transition that a replay does not say", replace(COUNTS, heard_and_replayed=8)),
        ("a transition that only a replay says", replace(COUNTS, heard_or_replayed=10)),
    ],
)
def test_anything_unaccounted_for_does_not_balance(readings: Readings, shows: str, counts: BrokerCounts) -> None:
    assert not reconcile(readings, counts).balances, shows


def test_a_waiting_message_is_accounted_for(readings: Readings) -> None:
    assert reconcile(readings, replace(COUNTS, sent=102, held=150, waiting=2)).balances


def test_the_counts_of_several_roles_add_up() -> None:
    twice = Readings([*read_metrics(METRICS), *read_metrics(METRICS)])
    assert twice.total("myelowatch_messages_received_total") == 200
    assert twice.by("myelowatch_facts_total", "outcome")["applied"] == 1_400
    assert twice.total("myelowatch_facts_total", kind="lab-result", outcome="duplicate") == 16
