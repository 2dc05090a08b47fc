"""Load: fast, always new, with enough alerts in it, and in the shape our own model would write."""

from __future__ import annotations

import json
import time
from itertools import islice

import pytest

from schemas.inlet import Dispense, LabReport, write_structured
from streams.simulator import load_enrolments, load_reports
from streams.simulator.event_writer import SOURCE

SECRET = b"a secret of this test"


def test_reports_are_what_the_model_would_write() -> None:
    for message in islice(load_reports(50, 500, 1, secret=SECRET), 0, 500, 37):
        event = json.loads(message.value)
        report = LabReport.model_validate(event["data"])
        assert len(report.results) == 8
        written = json.loads(
            write_structured(report, event_id=event["id"], source=SOURCE, known_at=None, time=None, subject=None)
        )
        assert written["type"] == event["type"]
        for key, value in event["data"].items():
            if key != "results":
                assert written["data"][key] == value
        for mine, theirs in zip(event["data"]["results"], written["data"]["results"], strict=True):
            assert {key: value for key, value in theirs.items() if value} == mine


def test_every_report_is_new_and_time_goes_forward() -> None:
    messages = list(load_reports(80, 1_000, 1, secret=SECRET))
    assert len(messages) == 1_000
    specimens = {json.loads(message.value)["data"]["specimen"] for message in messages}
    assert len(specimens) == 1_000
    known = [message.known_at for message in messages]
    assert known == sorted(known)


@pytest.mark.parametrize(("patients", "reports"), [(40, 4_000), (333, 5_000), (1_000, 20_000)])
def test_at_least_two_in_a_hundred_raise_an_alert(patients: int, reports: int) -> None:
    raising = 0
    before: set[str] = set()
    for message in load_reports(patients, reports, 1, secret=SECRET):
        if message.is_low and message.patient not in before:
            raising += 1
        (before.add if message.is_low else before.discard)(message.patient)
    assert raising >= 0.02 * reports


def test_a_load_can_go_on_where_another_ended() -> None:
    whole = list(load_reports(10, 60, 9, secret=SECRET))
    assert whole[30:] == list(load_reports(10, 30, 9, secret=SECRET, first_round=4))


def test_patients_are_enrolled_by_a_dispense_under_the_same_key() -> None:
    enrolments = list(load_enrolments(5, secret=SECRET))
    reports = list(load_reports(5, 5, 1, secret=SECRET))
    assert [message.key for message in enrolments] == [message.key for message in reports]
    assert len({message.key for message in reports}) == 5
    assert enrolments[-1].known_at < reports[0].known_at
    for message in enrolments:
        Dispense.model_validate(json.loads(message.value)["data"])


def test_speed_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The generator should not be what a benchmark measures; printed, because machines differ."""
    begun = time.perf_counter()
    made = sum(1 for _ in load_reports(1_000, 20_000, 1, secret=SECRET))
    seconds = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\nload generator: {made / seconds:,.0f} reports of 8 results a second")
    assert made == 20_000
