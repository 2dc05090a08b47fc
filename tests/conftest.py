"""What all tests share: the laptop Kafka of the session, and how properties are searched."""

import pytest
from hypothesis import settings

from tests.broker_fixture import kafka, topic_prefix
from tests.rules.auditing import spared_rules_had_nothing_new_to_say
from tests.rules.declared_reads import rules_are_watched_less_in_searches, rules_read_what_they_declare

__all__ = [
    "kafka",
    "rules_are_watched_less_in_searches",
    "rules_read_what_they_declare",
    "spared_rules_had_nothing_new_to_say",
    "topic_prefix",
]

# A machine with two busy cores is slow for reasons that say nothing about the code.
settings.register_profile("myelowatch", deadline=None, print_blob=True)
settings.load_profile("myelowatch")


LONG_SEARCHES = (
    "tests/properties/",
    "tests/rules/test_due_instants.py",
    "tests/rules/thrombosis/test_recheck.py",
    "tests/rules/dosing/test_recheck.py",
    "tests/rules/pregnancy/test_lives.py::test_a_year_by_the_book",
    "tests/rules/pregnancy/test_recheck.py",
    "tests/rules/review/test_lives_of_alerts.py::test_a_late_count_before_or_behind_the_cut",
    "tests/rules/review/test_reference_implementation.py",
    "tests/rules/test_catalogue.py::test_a_rule_reads_only_what_it_says",
    "tests/rules/test_quiet_year.py",
    "tests/rules/toxicity/test_recheck.py",
    "tests/streams/observability/test_canaries.py::test_a_ward_leaves",
    "tests/streams/test_replay_command.py::test_a_dump_of_the_log",
    "tests/streams/test_rule_pages.py",
    "tests/streams/test_what_if.py",
    "tests/benchmarks/",
    "tests/rules/review/test_lives_of_alerts.py::test_the_cut_changes",
    "tests/benchmarks/test_benchmarks.py::test_the_core_judges",
    "tests/simulation/test_every_crash.py",
    "tests/simulation/test_mutants.py",
    "tests/simulation/test_merges.py::test_a_crash",
    "tests/stories/test_same_bytes.py",
    "tests/streams/simulator/test_ward_replayed.py",
    "tests/streams/simulator/test_both_dialects.py",
    "tests/streams/simulator/test_hl7_twin.py",
    "tests/schemas/hl7v2/test_independent.py",
    "tests/schemas/hl7v2/test_hostile.py",
)
"""Searches over many random courses, whole wards, and every page of the rules: part of `make test`, too long for `make fast`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make fast` must not run: whatever uses the broker, marked or not, and the long searches."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()) or item.nodeid.startswith("tests/broker/"):
            item.add_marker(pytest.mark.broker)
        if item.nodeid.startswith(LONG_SEARCHES):
            item.add_marker(pytest.mark.slow)
