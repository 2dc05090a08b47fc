"""Structured logs that cannot hold patient data: JSON lines, an allow-list of fields, closed values.

Three fences, each tested with planted leaks:

1. The event is a text written in the code. One that was composed at run time is withheld.
2. Only listed fields pass, and each only with a value of its own closed kind: a number, an instant, a
   word of a published list, a name from the settings. Everything else is dropped and counted.
3. Exceptions are reduced to their class and the lines they passed through: messages of exceptions
   quote their input.

Messages of libraries are reduced to logger, level and the template they were written with; their
arguments never appear.
"""

from __future__ import annotations

import logging
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Final

import orjson
import structlog

from schemas.alerts import Cause, Severity, TransitionKind
from schemas.events.entry import EntryKind
from schemas.rejection import IgnoreReason, RejectionReason
from streams.observability.vocabulary import Vocabulary

WITHHELD: Final = "message withheld"
"""Stands for an event or a template that was composed at run time: the line number says where to mend it."""

ROLES: Final = frozenset({"worker", "ticker", "gateway", "desk", "console", "replay", "demo", "up"})
STATES: Final = frozenset(
    {"starting", "recovering", "ready", "waiting", "stopping", "stopped", "killed", "restarting", "failed", "refused"}
)
OUTCOMES: Final = frozenset(
    {"translated", "partly", "ignored", "rejected", "applied", "duplicate", "quarantined", "forwarded"}
)

_FRAMES_KEPT = 20
_FRAMES_SEARCHED = 16
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}([a-z]{1,4}\d{0,4})?")
_HASH = re.compile(r"[0-9a-f]{12,64}")
_MODE_PREFIX = re.compile(r"^\[\^-*[^\]]*\]: ")
"""Faust's services put their own label, which may name a topic or a key, in front of each template."""

Check = Callable[[object], object]


class _Refused(ValueError):
    """The value of an allowed field is not of its closed kind."""


@dataclass(slots=True)
class Tally:
    """How often a fence held since the process started, by what it held back."""

    dropped_fields: int = 0
    refused_values: int = 0
    withheld_events: int = 0
    by_place: dict[str, int] = field(default_factory=dict)
    """The line of code that tried, so that it can be mended."""


def _a_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Refused
    # Nine digits hold every count and offset a log line needs, and no telephone or record number is a count here:
    # offsets are the one longer kind and have their own check.
    if abs(value) > 999_999_999:
        raise _Refused
    return value


def _an_offset(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -2 <= value < 2**63:
        raise _Refused
    return value


def _a_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Refused
    return round(float(value), 6)


def _a_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Refused
    return value


def _an_instant(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _Refused
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _counts(value: object) -> list[int]:
    if not isinstance(value, list | tuple | set | frozenset) or len(value) > 1000:
        raise _Refused
    return sorted(_a_count(each) for each in value)


def _a_class(value: object) -> str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, BaseException):
        return type(value).__name__
    raise _Refused


def _like(pattern: re.Pattern[str]) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise _Refused
        return value

    return check


def _one_of(words: Iterable[str]) -> Check:
    allowed = frozenset(words)

    def check(value: object) -> str:
        word = value.value if isinstance(value, Enum) else value
        if not isinstance(word, str) or word not in allowed:
            raise _Refused
        return word

    return check


def build_fields(vocabulary: Vocabulary) -> Mapping[str, Check]:
    """The allow-list: every field a log line may have, with the check its value must pass."""
    reasons = {*RejectionReason, *IgnoreReason, *Cause}
    return {
        # where
        "topic": _one_of(vocabulary.topics),
        "partition": _a_count,
        "partitions": _counts,
        "offset": _an_offset,
        "feed": _one_of(vocabulary.feeds),
        "address": _one_of(vocabulary.addresses),
        "port": _a_count,
        # what
        "role": _one_of(ROLES),
        "state": _one_of(STATES),
        "outcome": _one_of(OUTCOMES),
        "kind": _one_of(EntryKind),
        "reason": _one_of(reasons),
        "rule": _one_of(vocabulary.rules),
        "severity": _one_of(Severity),
        "transition": _one_of(TransitionKind),
        "profile": _one_of(vocabulary.profiles),
        "policy_hash": _like(_HASH),
        "version": _like(_VERSION),
        "signal": _one_of(each.name for each in signal.Signals),
        "ok": _a_flag,
        # how much
        "count": _a_count,
        "entries": _a_count,
        "facts": _a_count,
        "transitions": _a_count,
        "patients": _a_count,
        "records": _a_count,
        "bytes": _a_count,
        "attempt": _a_count,
        "pid": _a_count,
        "exit_code": _a_count,
        "lag": _an_offset,
        # when
        "seconds": _a_number,
        "at": _an_instant,
        "until": _an_instant,
        # faults
        "error": _a_class,
    }


_OWN: Final = frozenset({"event", "level", "time", "logger", "line", "dropped", "refused", "cause", "trace"})
"""Fields the fences themselves write."""


class Fence:
    """Turns what the code wanted to log into what may be logged."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        """Build the allow-list for this installation."""
        self.fields = build_fields(vocabulary or Vocabulary())
        self.tally = Tally()

    def line(
        self,
        *,
        level: str,
        event: object,
        place: str,
        is_constant: bool,
        logger: str | None = None,
        fields: Mapping[str, object] | None = None,
        exception: BaseException | None = None,
    ) -> dict[str, object]:
        """One log line: nothing reaches it that has not passed its check."""
        line: dict[str, object] = {"time": _now(), "level": level}
        if logger is not None:
            line["logger"] = logger
        held_back = False
        if isinstance(event, str) and is_constant:
            line["event"] = event
        else:
            line["event"] = WITHHELD
            self.tally.withheld_events += 1
            held_back = True
        dropped, refused = 0, []
        for name, value in (fields or {}).items():
            check = self.fields.get(name)
            if check is None:
                dropped += 1
                continue
            if value is None:
                continue
            try:
                line[name] = check(value)
            except _Refused:
                refused.append(name)
        if dropped:
            line["dropped"] = dropped
        if refused:
            line["refused"] = refused
        if exception is not None:
            line.update(_describe(exception))
        if dropped or refused or held_back or exception is not None or logger is not None:
            line["line"] = place
        self.tally.dropped_fields += dropped
        self.tally.refused_values += len(refused)
        if dropped or refused or held_back:
            self.tally.by_place[place] = self.tally.by_place.get(place, 0) + 1
        return line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _describe(exception: BaseException) -> dict[str, object]:
    """Class and lines, from the innermost outwards; never the message, which may quote its input."""
    described: dict[str, object] = {"error": type(exception).__name__}
    if exception.__cause__ is not None:
        described["cause"] = type(exception.__cause__).__name__
    frames = traceback.extract_tb(exception.__traceback__)
    described["trace"] = [f"{_short(each.filename)}:{each.lineno} {each.name}" for each in frames[-_FRAMES_KEPT:]]
    return described


_HOUSE: Final = Path(__file__).resolve().parents[2]


def _short(filename: str) -> str:
    """The path within the house or the installed package: enough to find the line, nothing about the machine."""
    path = Path(filename)
    if path.is_relative_to(_HOUSE):
        return path.relative_to(_HOUSE).as_posix()
    parts = path.parts
    if "site-packages" in parts:
        return "/".join(parts[len(parts) - parts[::-1].index("site-packages") :])
    return path.name


def _constants(frame: FrameType) -> Iterable[object]:
    yield from frame.f_code.co_consts
    for name, value in frame.f_globals.items():
        if name.isupper():
            yield value


def _is_written_in_the_code(text: str, frame: FrameType | None) -> bool:
    """Whether some frame on the stack holds this very text as a constant: then no data can be in it."""
    for _ in range(_FRAMES_SEARCHED):
        if frame is None:
            return False
        if any(isinstance(each, str) and each == text for each in _constants(frame)):
            return True
        frame = frame.f_back
    return False


_PLUMBING = ("structlog", "logging", "mode.utils.logging", __name__)


def _caller(frame: FrameType | None) -> FrameType | None:
    """The first frame outside the logging machinery."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not any(module == each or module.startswith(each + ".") for each in _PLUMBING):
            return frame
        frame = frame.f_back
    return None


def _place(frame: FrameType | None) -> str:
    return "unknown" if frame is None else f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"


def _current_exception(wanted: object) -> BaseException | None:
    if isinstance(wanted, BaseException):
        return wanted
    if isinstance(wanted, tuple):
        return next((each for each in wanted if isinstance(each, BaseException)), None)
    return sys.exception() if wanted else None


class FenceProcessor:
    """The one processor of structlog here: our own loggers' lines pass the fence."""

    def __init__(self, fence: Fence) -> None:
        """Keep the fence all lines pass."""
        self.fence = fence

    def __call__(self, _: Any, method: str, said: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Answer the line that may be written."""
        frame = _caller(sys._getframe(1))
        event = said.pop("event", "")
        exception = _current_exception(said.pop("exc_info", None))
        if exception is None and method == "exception":
            exception = sys.exception()
        return self.fence.line(
            level="error" if method == "exception" else method,
            event=event,
            place=_place(frame),
            is_constant=isinstance(event, str) and _is_written_in_the_code(event, frame),
            fields=said,
            exception=exception,
        )


class FenceHandler(logging.Handler):
    """Lines of libraries that log with the standard library: logger, level, template; never arguments."""

    def __init__(self, fence: Fence, stream: IO[str]) -> None:
        """Write to `stream`, one JSON object a line."""
        super().__init__()
        self.fence = fence
        self.stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write what may be written of a record."""
        try:
            message = record.msg if isinstance(record.msg, str) else ""
            frame = _caller(sys._getframe(1))
            template = _MODE_PREFIX.sub("", message, count=1)
            constant = bool(template) and any(
                _is_written_in_the_code(each, frame) for each in dict.fromkeys((template, message))
            )
            line = self.fence.line(
                level=record.levelname.lower(),
                event=template,
                place=f"{_short(record.pathname)}:{record.lineno}",
                is_constant=constant,
                logger=_known_logger(record.name),
                exception=_current_exception(record.exc_info),
            )
            self.stream.write(orjson.dumps(line).decode() + "\n")
            self.stream.flush()
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - a line that cannot be written must neither stop the process nor quote itself
            self.stream.write('{"level":"error","event":"a log line could not be written"}\n')


def _known_logger(name: str) -> str:
    """A logger named after an imported package; any other name is not repeated."""
    return name if name == "root" or name.partition(".")[0] in sys.modules else "other"


class _JsonLogger:
    """Writes the finished line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg = _write


def _render(_: Any, __: str, line: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(line)).decode()


def configure_logs(
    vocabulary: Vocabulary | None = None, *, level: str = "info", stream: IO[str] | None = None
) -> Fence:
    """Route every line of this process, ours and the libraries', through one fence; answers it for its tally.

    Also closes the ways around it: uncaught exceptions (main, threads, finalisers) and warnings,
    whose default printers quote values.
    """
    out = stream if stream is not None else sys.stderr
    fence = Fence(vocabulary)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[FenceProcessor(fence), _render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _JsonLogger(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(FenceHandler(fence, out))
    root.setLevel(max(threshold, logging.INFO))
    for name in list(logging.root.manager.loggerDict):
        library = logging.getLogger(name)
        # Without this, a library that brought its own handler would write whole messages beside ours.
        library.handlers.clear()
        library.propagate = True
    _close_side_doors(_JsonLogger(out), fence)
    return fence


def _close_side_doors(out: _JsonLogger, fence: Fence) -> None:
    def say(event: str, exception: BaseException | None, place: str) -> None:
        line = fence.line(level="critical", event=event, place=place, is_constant=True, exception=exception)
        out.msg(orjson.dumps(line).decode())

    def uncaught(kind: type[BaseException], value: BaseException, _: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        say("uncaught exception", value, "process")

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            say("uncaught exception in a thread", args.exc_value, "thread")

    def in_finaliser(args: Any) -> None:
        say("exception in a finaliser", args.exc_value, "finaliser")

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        text = fence.line(
            level="warning",
            event="warning of a library",
            place=f"{_short(filename)}:{lineno}",
            is_constant=True,
            logger="warnings",
            fields={"error": category},
        )
        out.msg(orjson.dumps(text).decode())

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = in_finaliser
    warnings.showwarning = warned
