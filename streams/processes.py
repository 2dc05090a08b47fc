"""The commands that run roles: `worker`, `tick`, `gateway`, and `up`, which runs them all and starts again what ends.

A role alone gets what every process of the house has: logs behind the fence, a metrics port, health. It
reads its settings once; a mistake in them is a sentence and exit 2 before anything is started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.refusals import ExitCode, Refusal

if TYPE_CHECKING:
    from streams.observability.health import Health, ObservabilityServer
    from streams.observability.metrics import PrometheusMeters, Role
    from streams.settings import Settings

_BEAT_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_STEADY_AFTER_SECONDS: Final = 60.0
"""A role that ran this long before it ended is started again at once: it was no start-up fault."""
_EXTRA_STOP_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.2


@dataclass(slots=True)
class Observed:
    """What a role shows of itself."""

    settings: Settings
    meters: PrometheusMeters
    health: Health
    server: ObservabilityServer


def observe(role: Role, settings: Settings, profile: str | None = None) -> Observed:
    """Logs, metrics and health of one role; serves from here on. `profile` is that of the policy it judges by."""
    import structlog
    from prometheus_client import CollectorRegistry

    from streams.observability.health import Health, PortTaken, serve_observability
    from streams.observability.logs import configure_logs
    from streams.observability.metrics import build_meters
    from streams.observability.vocabulary import build_vocabulary

    vocabulary = build_vocabulary(settings, profile=profile)
    configure_logs(vocabulary, level=settings.log_level)
    registry = CollectorRegistry()
    meters = build_meters(registry, vocabulary, (role,), explicit_time=settings.explicit_known_at)
    health = Health()
    wanted = settings.ports.metrics
    try:
        server = serve_observability(
            registry,
            health,
            host=settings.ports.host,
            port=role.port if wanted is None else wanted,
            search=wanted is None,
        )
    except PortTaken as error:
        raise Refusal(str(error)) from None
    structlog.get_logger("streams.processes").info("metrics are served", role=role, port=server.port)
    return Observed(settings, meters, health, server)


def beat(health: Health) -> None:
    """From inside an event loop: tell health that the loop turns, again and again."""
    health.turned()
    asyncio.get_running_loop().call_later(_BEAT_SECONDS, beat, health)


def worker(
    shadow: Annotated[
        bool,
        typer.Option(
            "--shadow",
            help="Be the shadow monitor instead: judge the same log by the policy on trial (setting shadow.policy_file "
            "or shadow.profile), and write to the shadow topic what it would say. Reaches nobody.",
        ),
    ] = False,
) -> None:
    """Run one worker: translate what comes in, judge it, write alerts. Ends on SIGTERM or Ctrl-C."""
    from streams.observability.metrics import Role
    from streams.settings import load_settings
    from streams.worker import build_parts, run_worker

    settings = load_settings()
    parts = build_parts(settings, is_trial=shadow)
    shown = observe(Role.SHADOW if shadow else Role.WORKER, settings, parts.default_policy.profile)
    health = shown.health
    beats = False

    def on_ready(partitions: Sequence[int]) -> None:
        nonlocal beats
        health.done("partitions")
        health.done("start")
        if not beats:
            beats = True
            beat(health)

    parts = replace(parts, meters=shown.meters, on_ready=on_ready, on_waiting=lambda: health.wait_for("partitions"))
    try:
        code = run_worker(settings, parts, is_trial=shadow)
    finally:
        health.stopping = True
        shown.server.stop()
    raise typer.Exit(code)


def gateway() -> None:
    """Open the front door: HL7 v2 over MLLP, FHIR and events over HTTP, watched folders. Ends on SIGTERM or Ctrl-C."""
    from streams.gateway.role import Doors, Watching, run_gateway
    from streams.observability.metrics import Role
    from streams.settings import load_settings

    settings = load_settings()
    shown = observe(Role.GATEWAY, settings)

    def on_open(doors: Doors) -> None:
        places = {"MLLP": doors.mllp, "HTTP": doors.http}
        for name, port in places.items():
            if port is not None:
                _say(f"{name} is open at {settings.ports.host}:{port}.")

    try:
        code = run_gateway(settings, Watching(shown.meters, shown.health, on_open, _say))
    finally:
        shown.health.stopping = True
        shown.server.stop()
    raise typer.Exit(code)


def tick() -> None:
    """Write a tick to every partition, again and again: by them time passes for the patients. Ends on SIGTERM."""
    from streams.observability.metrics import Role
    from streams.settings import load_settings
    from streams.ticker import run_ticker

    settings = load_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    shown = observe(Role.TICKER, settings)

    def on_tick() -> None:
        shown.health.done("start")
        shown.health.turned()

    try:
        run_ticker(settings, stop, say=_say, on_tick=on_tick)
    finally:
        shown.health.stopping = True
        shown.server.stop()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


# --- all of them ---


def up(
    roles: Annotated[
        list[str] | None,
        typer.Option("--role", help="Only this role: worker, ticker, gateway or shadow; may be repeated."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many workers share the patients.")] = 1,
) -> None:
    """Run every role as a process of its own, and start again what ends. Ends on SIGTERM or Ctrl-C."""
    from streams.settings import load_settings

    settings = load_settings()
    commands = {"worker": ["worker"], "ticker": ["tick"], "gateway": ["gateway"], "shadow": ["worker", "--shadow"]}
    # Without a feed nobody may speak: the door is opened by configuring one, a policy is tried by naming one.
    is_wanted = {"gateway": bool(settings.feeds), "shadow": settings.shadow.policy is not None}
    chosen = roles or [role for role in commands if is_wanted.get(role, True)]
    unknown = sorted(set(chosen) - set(commands))
    if unknown:
        raise Refusal(f"No role is called {', '.join(unknown)}. There is: {', '.join(commands)}.")
    wanted = [
        (role, number)
        for role in dict.fromkeys(chosen)
        for number in range(1, (workers if role == "worker" else 1) + 1)
    ]
    children = [
        Child(
            f"{role} {number}",
            [sys.executable, "-m", "streams", *commands[role]],
            child_environment(role, number, place, settings),
            is_vital=role != "shadow",
        )
        for place, (role, number) in enumerate(wanted)
    ]
    raise typer.Exit(Supervisor(children, stop_seconds=settings.worker.stop_within_seconds + _EXTRA_STOP_SECONDS).run())


def child_environment(role: str, number: int, place: int, settings: Settings) -> dict[str, str]:
    """What must differ between processes of one machine: a store has one owner, and so has a port."""
    environment = dict(os.environ)
    if role == "worker" and number > 1:
        environment["MYELOWATCH_STATE"] = str(settings.state / f"worker-{number}")
    if settings.ports.metrics:
        environment["MYELOWATCH_METRICS_PORT"] = str(settings.ports.metrics + place)
    return environment


@dataclass(slots=True)
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    environment: dict[str, str] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    start_again_at: float = 0.0
    starts: int = 0
    is_vital: bool = True
    """Without it the others must not go on. A policy on trial that cannot be used stops nobody's care."""


@dataclass(slots=True)
class Supervisor:
    """Keeps processes running until it is told to stop.

    A process that ends with 2 says that a person must do something first: then everything ends with 2 (unless the
    others can do without it).
    Any other end is followed by a start, later each time it happens soon. To stop, each gets SIGTERM,
    and SIGKILL after `stop_seconds`: a worker that waits for an acknowledgement ignores SIGTERM, and
    nothing is lost by killing it.
    """

    children: list[Child]
    stop_seconds: float
    say: Callable[[str], None] = _say
    monotonic: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Until told to stop; the exit code."""
        before = {number: signal.signal(number, self._told) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return self._watch()
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _told(self, *_: Any) -> None:
        self.stopping.set()

    def _watch(self) -> int:
        while not self.stopping.is_set():
            for child in self.children:
                if not self._look_after(child):
                    self.say(f"The {child.name} cannot run as things are (see above). Stopping everything.")
                    return ExitCode.UNUSABLE
            self.stopping.wait(_LOOK_SECONDS)
        return ExitCode.DONE

    def _look_after(self, child: Child) -> bool:
        """Start what is due; False where a process says that a person must do something."""
        now = self.monotonic()
        if child.process is None:
            if now >= child.start_again_at:
                child.process = subprocess.Popen(child.command, env=child.environment, stdin=subprocess.DEVNULL)
                child.started_at = now
                child.starts += 1
            return True
        code = child.process.poll()
        if code is None:
            return True
        child.process = None
        if code == ExitCode.UNUSABLE and child.is_vital:
            return False
        if code == ExitCode.UNUSABLE:
            self.say(f"The {child.name} cannot run as things are (see above). The others go on without it.")
            child.start_again_at = float("inf")
            return True
        if now - child.started_at >= _STEADY_AFTER_SECONDS:
            child.pause = _FIRST_PAUSE_SECONDS
        child.start_again_at = now + child.pause
        self.say(f"The {child.name} ended with exit code {code}; starting it again in {child.pause:.0f} s.")
        child.pause = min(2 * child.pause, _LONGEST_PAUSE_SECONDS)
        return True

    def stop(self) -> None:
        """SIGTERM to all at once, then SIGKILL to whatever is left."""
        running = [child for child in self.children if child.process is not None and child.process.poll() is None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        deadline = self.monotonic() + self.stop_seconds
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.0, deadline - self.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(
                    f"The {child.name} did not stop in {self.stop_seconds:.0f} s and is killed; nothing is lost by it."
                )
                child.process.kill()
                child.process.wait()
