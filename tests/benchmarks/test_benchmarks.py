"""That the benchmarks measure what they say. No time is asserted here: machines are noisy."""

from __future__ import annotations

from itertools import islice

import orjson

from schemas.events import LabResultReported, entry_from_json
from schemas.inlet import read_event
from streams.topics import Subject, TopicNames
from tests.benchmarks.baseline import low_count
from tests.benchmarks.core import measure_core, measure_history
from tests.benchmarks.load import CONTEXT, load_ward, to_entries
from tests.benchmarks.replaying import measure_files, measure_log
from tests.benchmarks.where import measure_where


def test_every_report_has_eight_results_and_is_a_new_fact() -> None:
    entries = [entry_from_json(each.value) for each in to_entries(load_ward(5, 15, every=2)) if each.is_report]

    assert len(entries) == 5 * 7
    ids = [fact.fact_id for entry in entries for fact in entry.facts]
    assert len(ids) == 8 * len(entries) == len(set(ids))
    assert all(isinstance(fact, LabResultReported) for entry in entries for fact in entry.facts)


def test_a_ward_goes_on_where_it_was_left() -> None:
    whole = list(load_ward(3, 40, every=3))
    parts = [*load_ward(3, 20, every=3), *load_ward(3, 40, every=3, first_day=20)]

    assert [message.known_at for message in whole] == sorted(message.known_at for message in whole)
    assert parts == whole


def test_the_core_judges_reports_of_which_enough_raise_alerts() -> None:
    without, with_entry, ward = measure_core(12, 61)

    assert (without.reports, with_entry.reports) == (12 * 20, 12 * 21)
    for spent in (without, with_entry):
        assert spent.raising / spent.reports >= 0.02
    assert len(ward.records) == 12


def test_five_years_are_longer_than_three_months() -> None:
    short, long, ward_3, ward_5 = measure_history(2, rounds=2, years_5=400)

    assert short.reports == long.reports == 4
    assert len(ward_5.segments) > len(ward_3.segments)


def test_replay_of_the_log_and_of_files_judges_everything() -> None:
    assert measure_log(3, 8).reports == measure_files(3, 8).reports == 21


def test_the_shares_of_the_time_add_up() -> None:
    areas, microseconds = measure_where(4, 12)

    assert abs(sum(share for _, share in areas) - 1) < 1e-6
    assert microseconds > 0


def test_the_neighbours_find_the_same_low_counts() -> None:
    messages = list(islice(load_ward(40, 12, every=1), 400))

    for message in messages:
        found = low_count(message.value)
        assert (found is not None) == message.is_report
        if found is not None:
            assert found[1] == message.is_low
    assert sum(message.is_low for message in messages) >= 5
    assert TopicNames()[Subject.SHADOW].endswith(".alert.shadow.v1")
    assert orjson.loads(messages[-1].value)["id"] in str(read_event(messages[-1].value, None, CONTEXT).entries)
