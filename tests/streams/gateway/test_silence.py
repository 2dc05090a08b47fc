"""A feed is silent when it says nothing for longer than its hour of the week allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from streams.gateway.silence import Listener
from streams.gateway_settings import SilenceSettings
from streams.settings import FeedSettings

MONDAY_NINE = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
"""09:00 in Seoul."""


def listener(**silence: object) -> Listener:
    feed = FeedSettings(timezone="Asia/Seoul", silence=SilenceSettings.model_validate(silence))
    return Listener({"lab": feed}, MONDAY_NINE)


def test_said_once_a_spell_and_once_when_it_is_over() -> None:
    heard = listener(hours={"mon-fri 8-18": 30})
    assert list(heard.look(MONDAY_NINE + timedelta(minutes=30))) == []
    (silent,) = heard.look(MONDAY_NINE + timedelta(minutes=31))
    assert (silent.feed, silent.is_over) == ("lab", False)
    assert list(heard.look(MONDAY_NINE + timedelta(minutes=32))) == []
    assert heard.silent() == {"lab"}
    heard.heard("lab", MONDAY_NINE + timedelta(minutes=33))
    (over,) = heard.look(MONDAY_NINE + timedelta(minutes=33))
    assert over.is_over


@pytest.mark.parametrize(
    ("shows", "hours_later", "is_silent"),
    [
        ("within the working day", 8, True),
        ("at night nobody expects results", 12, False),
        ("on the weekend neither", 24 * 5, False),
        ("next Monday morning at eight it is overdue at once", 24 * 7 - 1, True),
    ],
)
def test_hours_of_the_week_in_the_feed_s_own_zone(shows: str, hours_later: int, is_silent: bool) -> None:
    found = list(listener(hours={"mon-fri 8-18": 30}).look(MONDAY_NINE + timedelta(hours=hours_later)))
    assert bool(found) == is_silent, shows


def test_without_a_setting_no_silence_is_an_alarm() -> None:
    assert list(listener().look(MONDAY_NINE + timedelta(days=30))) == []


@pytest.mark.parametrize("span", ["monday 8-18", "mon-fri 18-8", "mon 8-25", "", "mon-xyz 1-2"])
def test_a_span_that_cannot_be_read_is_refused_at_start(span: str) -> None:
    with pytest.raises(ValidationError):
        SilenceSettings(hours={span: 30})


def test_a_span_over_the_weekend() -> None:
    settings = SilenceSettings(usual_minutes=60, hours={"sat-mon 0-24": 5})
    assert [settings.expected_minutes(day, 3) for day in range(7)] == [5, 60, 60, 60, 60, 5, 5]
