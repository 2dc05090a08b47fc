"""No line of a log can hold patient data: planted leaks, one a way out, are each found and held back."""

# ruff: noqa: G001, G003, G004 - the leaks are planted

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
import structlog

from schemas.rejection import RejectionReason
from streams.observability import logs
from streams.observability.logs import WITHHELD, Fence, configure_logs
from streams.observability.vocabulary import Vocabulary
from tests.streams.observability.canary import Canary

WORDS = Vocabulary(
    feeds=frozenset({"lab"}),
    topics=frozenset({"onc.patient.log.v1"}),
    rules=frozenset({"anc-hold"}),
    addresses=frozenset({"127.0.0.1:9092"}),
)


@pytest.fixture
def canary() -> Canary:
    return Canary()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Logs configured into memory; everything that was global before is put back."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    shown = warnings.showwarning
    handlers = {
        name: (list(logging.getLogger(name).handlers), logging.getLogger(name).propagate)
        for name in list(logging.root.manager.loggerDict)
    }
    out = io.StringIO()
    configure_logs(WORDS, level="debug", stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2], before[3], before[4]
    warnings.showwarning = shown
    for name, (kept, propagate) in handlers.items():
        logging.getLogger(name).handlers[:] = kept
        logging.getLogger(name).propagate = propagate


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_event_and_listed_fields(written: io.StringIO) -> None:
    structlog.get_logger().info("partition taken", partition=3, topic="onc.patient.log.v1", count=12)
    (line,) = lines(written)
    assert line.pop("time")
    assert line == {
        "level": "info",
        "event": "partition taken",
        "partition": 3,
        "topic": "onc.patient.log.v1",
        "count": 12,
    }


def test_enums_instants_and_classes_are_written_in_their_own_form(written: io.StringIO) -> None:
    seoul = timezone(timedelta(hours=9))
    structlog.get_logger().warning(
        "held", reason=RejectionReason.NOT_JSON, at=datetime(2026, 3, 1, 9, tzinfo=seoul), error=ValueError
    )
    (line,) = lines(written)
    assert (line["reason"], line["at"], line["error"]) == ("not-json", "2026-03-01T00:00:00.000Z", "ValueError")


def test_a_field_that_is_not_listed_is_dropped_and_counted(written: io.StringIO, canary: Canary) -> None:
    structlog.get_logger().info("entry applied", patient=canary.name, mrn=canary.number, partition=1)
    (line,) = lines(written)
    assert line["dropped"] == 2
    assert "patient" not in line
    assert str(line["line"]).startswith("tests/streams/observability/test_logs.py:")


@pytest.mark.parametrize("name", sorted(logs.build_fields(WORDS)))
def test_no_allowed_field_takes_free_text(written: io.StringIO, canary: Canary, name: str) -> None:
    for text in (*canary.tokens, "", " ", "hong", "kim-gil-dong", "20260301", "a" * 5000):
        structlog.get_logger().info("entry applied", **{name: text})
    for line in lines(written):
        assert line["refused"] == [name]
        assert name not in line


def test_a_naive_instant_is_refused(written: io.StringIO) -> None:
    structlog.get_logger().info("entry applied", at=datetime(2026, 3, 1))  # noqa: DTZ001 - the point of the test
    assert lines(written)[0]["refused"] == ["at"]


def test_the_tally_tells_what_was_held_back_and_where(written: io.StringIO, canary: Canary) -> None:
    fence = configure_logs(WORDS, level="debug", stream=written)
    log = structlog.get_logger()
    log.info("entry applied", name=canary.name)
    log.info("entry applied", reason=canary.note)
    log.info(f"applied for {canary.name}")
    assert (fence.tally.dropped_fields, fence.tally.refused_values, fence.tally.withheld_events) == (1, 1, 1)
    assert len(fence.tally.by_place) == 3


def test_templates_of_libraries_are_kept_and_their_arguments_are_not(
    written: io.StringIO, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = logging.getLogger("kafka.consumer")
    # The laptop broker quietens the client while it asks whether a node answers: here it must be heard.
    monkeypatch.setattr(library, "level", logging.WARNING)
    library.manager._clear_cache()  # type: ignore[attr-defined]
    library.warning("Offset %s of %s is out of range", canary.number, canary.name)
    (line,) = lines(written)
    assert line["event"] == "Offset %s of %s is out of range"
    assert line["logger"] == "kafka.consumer" if "kafka" in sys.modules else line["logger"] == "other"
    assert canary.found_in(written.getvalue()) == []


def test_a_label_that_the_engine_puts_in_front_of_a_template_is_taken_off(written: io.StringIO) -> None:
    def service_log(template: str) -> None:
        logging.getLogger("asyncio").info(f"[^---Agent: streams.agents.monitor]: {template}", 3)

    service_log("Restarted %r times")
    assert lines(written)[0]["event"] == "Restarted %r times"


def _planted(canary: Canary) -> dict[str, Callable[[], object]]:
    """Every way we know for patient data to reach a log line."""
    log = structlog.get_logger()
    library = logging.getLogger("asyncio")

    def fail() -> None:
        raise ValueError(f"cannot place {canary.name} ({canary.number})")

    def chained() -> None:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError(canary.note) from error

    def logged(how: Callable[..., object], raiser: Callable[[], None], **options: object) -> None:
        try:
            raiser()
        except (ValueError, RuntimeError):
            how("the step failed", **options)

    def in_a_thread() -> None:
        thread = threading.Thread(target=fail, name=canary.name)
        thread.start()
        thread.join()

    def in_a_task() -> None:
        async def body() -> None:
            task = asyncio.get_running_loop().create_task(asyncio.sleep(0, canary.note), name=canary.name)
            await task
            asyncio.get_running_loop().call_exception_handler(
                {"message": canary.note, "exception": ValueError(canary.name)}
            )

        asyncio.run(body())

    def uncaught() -> None:
        try:
            chained()
        except RuntimeError as error:
            sys.excepthook(type(error), error, error.__traceback__)

    def finaliser() -> None:
        class Dies:
            def __del__(self) -> None:
                fail()

        Dies()

    def warned() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = logs.warnings.showwarning
            warnings.warn(canary.note, UserWarning, stacklevel=1)

    return {
        "event composed with an f-string": lambda: log.info(f"no place for {canary.name}"),
        "event composed with format": lambda: log.info("no place for {}".format(canary.number)),  # noqa: UP032 - composed on purpose
        "event joined": lambda: log.info("no place for " + canary.born),
        "event is the datum itself": lambda: log.info(canary.note),
        "event is not a text": lambda: log.info(canary.tokens),
        "event with positional arguments": lambda: log.info("no place for %s", canary.name),
        "unlisted field": lambda: log.info("applied", patient_name=canary.name),
        "unlisted nested field": lambda: log.info("applied", fact={"note": [canary.note]}),
        "name of a field": lambda: log.info("applied", **{canary.number: 1}),
        "free text in a listed field": lambda: log.info("applied", reason=canary.note),
        "number in a listed text field": lambda: log.info("applied", feed=canary.number),
        "list in a listed count": lambda: log.info("applied", partitions=[canary.number]),
        "bound context": lambda: log.bind(patient=canary.name).info("applied"),
        "bound context in a listed field": lambda: log.bind(topic=canary.name).info("applied"),
        "exception with its message": lambda: logged(log.exception, fail),
        "exception with a cause": lambda: logged(log.error, chained, exc_info=True),
        "stack information": lambda: log.info("applied", stack_info=True, stack=canary.note),
        "library, arguments": lambda: library.warning("lost %s", canary.name),
        "library, named arguments": lambda: library.warning("lost %(who)s", {"who": canary.name}),
        "library, f-string": lambda: library.warning(f"lost {canary.name}"),
        "library, exception": lambda: logged(library.exception, fail),
        "library, extra": lambda: library.warning("lost", extra={"who": canary.name}),
        "library, message object": lambda: library.warning(ValueError(canary.note)),
        "logger named after a person": lambda: logging.getLogger(canary.name).warning("lost"),
        "uncaught exception": uncaught,
        "exception in a thread": in_a_thread,
        "exception in a loop": in_a_task,
        "exception in a finaliser": finaliser,
        "warning": warned,
        "through mode's label": lambda: library.info(f"[^--{canary.name}]: {canary.note}"),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", sorted(_planted(Canary())))
def test_a_planted_leak_is_held_back(
    written: io.StringIO, canary: Canary, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _planted(canary)[way]()
    printed = capsys.readouterr()
    everything = written.getvalue() + printed.out + printed.err
    assert written.getvalue().strip(), "nothing was logged at all, so nothing was proved"
    assert canary.found_in(everything) == []


def test_the_scanner_itself_finds_every_form_of_a_leak(canary: Canary) -> None:
    for token in canary.tokens:
        forms = (token, token.upper(), token[::-1], json.dumps({"x": token}), token.encode().hex(), quote(token))
        for form in forms:
            assert token in canary.found_in(f"before {form} after")
    assert canary.found_in('{"event":"partition taken","partition":3}') == []


def test_a_fence_without_vocabulary_lets_no_name_of_a_site_through() -> None:
    line = Fence().line(level="info", event="heard", place="x:1", is_constant=True, fields={"feed": "lab"})
    assert line["refused"] == ["feed"]


def test_a_composed_event_names_the_line_to_mend(written: io.StringIO, canary: Canary) -> None:
    structlog.get_logger().error(f"no place for {canary.name}")
    (line,) = lines(written)
    assert line["event"] == WITHHELD
    assert str(line["line"]).startswith("tests/streams/observability/test_logs.py:")


def test_times_are_utc(written: io.StringIO) -> None:
    structlog.get_logger().info("ready")
    stamp = datetime.fromisoformat(str(lines(written)[0]["time"]))
    assert abs(datetime.now(UTC) - stamp) < timedelta(seconds=5)
