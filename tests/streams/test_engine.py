"""What we change in the stream engine is really in force; a new version of it must be looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from streams.agents.engine import App, Consumer, ConsumerThread, Producer, Recovery
from streams.app import Parts, build_app
from streams.settings import load_settings
from streams.topics import SOURCES, Subject
from tests.streams.test_translate import FEEDS, read_toy
from tests.streams.toy import ToyMedicine, toy_activation


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., App]:
    def build_one(**worker: Any) -> App:
        settings = load_settings({}, prefix="t", state=tmp_path, worker={"store": "memory", **worker})
        parts = Parts(
            medicine=ToyMedicine(), default_policy=toy_activation(), readers={"toy": read_toy}, contexts=FEEDS
        )
        app = build_app(settings, parts)
        app.finalize()
        return app

    return build_one


def test_the_versions_are_those_that_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka"), version("mode-streaming")) == ("0.15.3", "0.14.0", "0.7.1")


async def test_our_parts_are_in_the_engine(build: Callable[..., App]) -> None:
    app = build(fetch_wait_milliseconds=70)
    assert isinstance(app.consumer, Consumer)
    assert isinstance(app.producer, Producer)
    assert isinstance(app.tables.recovery, Recovery)
    thread = app.consumer._thread
    assert isinstance(thread, ConsumerThread)
    consumer = thread._create_worker_consumer(app.transport)
    assert consumer._fetch_max_wait_ms == 70
    assert app.producer._settings_extra() == {"acks": "all", "enable_idempotence": True}


async def test_the_engine_serves_nothing_and_declares_nothing(build: Callable[..., App]) -> None:
    conf = build().conf
    assert not conf.web_enabled
    assert not conf.topic_allow_declare
    assert conf.topic_disable_leader


async def test_only_we_acknowledge(build: Callable[..., App]) -> None:
    app = build()
    for agent in app.agents.values():
        assert agent.channel.acks is False
    consumer = app.consumer
    tp = TP("t.patient.log.v1", 3)
    consumer._committed_offset[tp] = 10
    consumer.acknowledge(tp, [9, 10, 11, 13])
    assert consumer._new_offset(tp) == 12
    consumer._committed_offset[tp] = 12
    assert consumer._new_offset(tp) is None, "13 waits for 12"
    consumer.acknowledge(tp, [12])
    assert consumer._new_offset(tp) == 14


async def test_the_changelog_has_the_name_of_the_table_of_topics(build: Callable[..., App]) -> None:
    app = build()
    assert app.state_table.changelog_topic.get_topic_name() == f"t.{Subject.STATE}"
    subscribed = {topic for agent in app.agents.values() for topic in agent.channel.topics}
    assert subscribed == {f"t.{subject}" for subject in (*SOURCES, Subject.LOG)}


def test_apps_do_not_meet(build: Callable[..., App]) -> None:
    """Several in one process: nothing is made at import or shared."""

    async def two() -> None:
        first, second = build(), build()
        assert first.state_table is not second.state_table
        assert first.agents["monitor"] is not second.agents["monitor"]

    run: Coroutine[Any, Any, None] = two()
    asyncio.run(run)


async def test_records_that_never_arrive_end_the_worker(
    build: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr("streams.agents.shell.end_process", lambda where, error: ended.append(where))
    app = build()
    tp = TP("t.patient.log.v1", 3)
    app.consumer.sought = {tp: 10}
    monkeypatch.setattr(app.consumer, "read_up_to", lambda place: 15)
    app.check_progress(0.0)
    app.check_progress(100.0)
    assert not ended, "nothing is expected before partitions are ready"
    app.open_shells()
    app.check_progress(200.0)
    app.check_progress(210.0)
    assert not ended
    app.check_progress(221.0)
    assert ended == ["progress"]
