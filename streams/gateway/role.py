"""The gateway as one process: remembers what was kept, opens its doors, and closes them without losing an answer.

Ends cleanly on SIGTERM or Ctrl-C (exit 0): no connection and no message more, what was taken is kept and answered. With a
sentence (exit 2) where the settings, topics or ports do not allow it to open. It opens only when the brokers have answered
once and the memory is rebuilt; later it stays open whatever the brokers do, and says AE while they are away.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from streams.connections import connect_admin
from streams.feed_maps import load_feed_maps
from streams.gateway.committing import Committer
from streams.gateway.hl7_door import Hl7Door
from streams.gateway.keeping import Keeper
from streams.gateway.memory import Memory
from streams.gateway.mllp import MllpServer
from streams.gateway.senders import Senders
from streams.gateway.silence import Listener
from streams.gateway.subscriptions import Gap, Subscriptions
from streams.gateway.tls import server_context
from streams.gateway_settings import open_ports
from streams.ports import Arrived, Meters, NoMeters, SystemClock
from streams.refusals import Refusal
from streams.settings import Settings, SettingsUnusable
from streams.topic_admin import check_topics
from streams.topic_reading import read_topic
from streams.topics import Subject
from streams.translate import HEADER_FEED
from streams.worker import TopicsUnusable

if TYPE_CHECKING:
    from streams.observability.health import Health

_STOP_SECONDS: Final = 10.0
_LISTEN_SECONDS: Final = 5.0


@dataclass(slots=True)
class Doors:
    """Where the gateway listens; None where that door is closed."""

    mllp: int | None = None
    http: int | None = None


@dataclass(slots=True)
class Watching:
    """What the process around the gateway hears of it."""

    meters: Meters = field(default_factory=NoMeters)
    health: Health | None = None
    on_open: Callable[[Doors], None] = lambda doors: None
    say: Callable[[str], None] = lambda sentence: None


def check_gateway(settings: Settings) -> None:
    """Everything that must be right before a door opens; raises `SettingsUnusable` with all sentences."""
    errors = open_ports(settings.gateway, settings.ports)
    if not settings.feeds:
        errors.append("No feed is configured: set one, for example MYELOWATCH_FEEDS__LAB__TIMEZONE=Asia/Seoul.")
    tokens: dict[str, str] = {}
    for name, feed in settings.feeds.items():
        for token in feed.door.token_sha256:
            other = tokens.setdefault(token, name)
            if other != name:
                errors.append(f"feeds.{name}.door.token_sha256: the same token is set for {other}.")
    for folder in settings.gateway.folders:
        if folder.feed not in settings.feeds:
            errors.append(f"gateway.folders: {folder.path} is for a feed {folder.feed!r} that is not configured.")
    if errors:
        raise SettingsUnusable(tuple(errors))


def run_gateway(settings: Settings, watching: Watching | None = None) -> int:
    """Run until told to stop; the exit code. Refusals are raised, with sentences."""
    watching = watching or Watching()
    check_gateway(settings)
    maps = load_feed_maps(settings)
    settings.secret()
    _check_ground(settings, watching.say)
    return asyncio.run(_Gateway(settings, maps, watching).run())


def _check_ground(settings: Settings, say: Callable[[str], None]) -> None:
    admin = connect_admin(settings.kafka, say=say)
    try:
        wrong = check_topics(admin, settings, (Subject.INTAKE,))
    finally:
        admin.close()
    if wrong:
        raise TopicsUnusable("\n".join(wrong))


class _Gateway:
    def __init__(self, settings: Settings, maps: Any, watching: Watching) -> None:
        self._settings = settings
        self._maps = maps
        self._watching = watching
        self._log = structlog.get_logger("streams.gateway")
        self._memory = Memory(settings.gateway.duplicate_hours, settings.gateway.remembered)
        self._subscriptions = Subscriptions()
        self._clock = SystemClock()
        self._listener = Listener(settings.feeds, self._clock.now())
        self._meters = _Listening(watching.meters, self._listener, self._clock)

    async def run(self) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._log.info("gateway starts", state="starting")
        await asyncio.to_thread(self._remember)
        committer = Committer(self._settings)
        try:
            async with contextlib.AsyncExitStack() as open_doors:
                doors = await self._open(committer, open_doors)
                self._ready(doors)
                listening = asyncio.ensure_future(self._listen())
                await stop.wait()
                listening.cancel()
                self._log.info("gateway stops", state="stopping")
                if self._watching.health is not None:
                    self._watching.health.stopping = True
        finally:
            await committer.close(_STOP_SECONDS)
        self._log.info("gateway stopped", state="stopped")
        return 0

    def _remember(self) -> None:
        """What was kept in the last 72 hours, from the headers on intake."""
        since = self._clock.now() - timedelta(hours=self._settings.gateway.duplicate_hours)
        kept: list[Arrived] = []
        newest: dict[str, datetime] = {}

        def noted(records: Iterable[Arrived]) -> Iterator[Arrived]:
            for record in records:
                if any(name == "subscription" for name, _ in record.headers):
                    kept.append(_without_body(record))
                feed = (record.header(HEADER_FEED) or b"").decode("utf-8", "replace")
                newest[feed] = max(record.stamp, newest.get(feed, record.stamp))
                yield record

        count = self._memory.rebuild(noted(read_topic(self._settings, Subject.INTAKE, since=since)))
        self._subscriptions.rebuild(sorted(kept, key=lambda record: (record.stamp_ms, record.partition, record.offset)))
        for feed, at in newest.items():
            self._listener.begins_at(feed, at)
            self._watching.meters.feed_heard(feed, at)
        self._log.info("messages of the duplicate window are known", count=count)

    async def _listen(self) -> None:
        """A feed that stops looks like a ward without results: it is said."""
        while True:
            for found in self._listener.look(self._clock.now()):
                if found.is_over:
                    self._log.info("a feed is heard again", feed=found.feed)
                else:
                    self._log.error(
                        "a feed is silent for longer than it should be", feed=found.feed, seconds=found.seconds
                    )
            await asyncio.sleep(_LISTEN_SECONDS)

    async def _open(self, committer: Committer, stack: contextlib.AsyncExitStack) -> Doors:
        settings, gateway = self._settings, self._settings.gateway
        keeper = Keeper(committer, self._memory, self._meters, answer_within=gateway.answer_within_seconds)
        doors = Doors()
        if "mllp" in gateway.roles:
            context = _context(settings, needs_client=True)
            senders = Senders(settings, self._maps)
            door = Hl7Door(keeper, senders, self._meters, secret=settings.secret(), delimiters=gateway.delimiters)
            mllp = MllpServer(gateway, door, context)
            doors.mllp = await _listen(mllp.start, settings.ports.host, settings.ports.mllp, "mllp")
            stack.push_async_callback(mllp.stop, _STOP_SECONDS)
        if "http" in gateway.roles:
            web = self._web(keeper)
            doors.http = await _listen(web.start, settings.ports.host, settings.ports.http, "http")
            stack.push_async_callback(web.stop)
        if "folders" in gateway.roles and gateway.folders:
            from streams.gateway.folders import Folders

            folders = Folders(settings, self._maps)
            stack.push_async_callback(folders.stop)
            folders.start()
        return doors

    def _web(self, keeper: Keeper) -> Any:
        from streams.gateway.web import Intake, build_web
        from streams.gateway.web_access import Access
        from streams.gateway.web_server import WebServer
        from streams.readers import build_contexts, build_readers

        settings, meters = self._settings, self._meters
        intake = Intake(
            settings,
            keeper,
            build_readers(),
            build_contexts(settings),
            meters,
            self._subscriptions,
            on_gap=self._gap,
        )
        app = Access(build_web(intake), settings, on_refused=lambda status: meters.message_received("", "", "refused"))
        return WebServer(app, settings.gateway, _context(settings, needs_client=False))

    def _gap(self, feed: str, gap: Gap) -> None:
        """Nobody saw these results: a person has them sent again (`$events`, or a backfill)."""
        self._log.error("events of a subscription never came", feed=feed, count=gap.last - gap.first + 1)

    def _ready(self, doors: Doors) -> None:
        health = self._watching.health
        self._log.info("gateway is open", state="ready", port=doors.mllp or doors.http)
        if health is not None:
            from streams.processes import beat

            health.done("start")
            beat(health)
        self._watching.on_open(doors)


async def _listen(start: Callable[[str, int], Any], host: str, port: int, name: str) -> int:
    try:
        return int(await start(host, port))
    except OSError as error:
        raise Refusal(
            f"Port {port} on {host} cannot be opened ({error.strerror}): another program may have it. "
            f"Set MYELOWATCH_PORTS__{name.upper()} to a free one."
        ) from None


def _context(settings: Settings, *, needs_client: bool) -> ssl.SSLContext | None:
    tls = settings.gateway.tls
    return None if tls is None else server_context(tls, needs_client=needs_client)


class _Listening:
    """The meters of the door, with an ear for each feed."""

    def __init__(self, meters: Meters, listener: Listener, clock: SystemClock) -> None:
        self._meters = meters
        self._listener = listener
        self._clock = clock

    def message_received(self, feed: str, message_type: str, ack: str = "none") -> None:
        self._listener.heard(feed, self._clock.now())
        self._meters.message_received(feed, message_type, ack)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._meters, name)


def _without_body(record: Arrived) -> Arrived:
    return Arrived(record.topic, record.partition, record.offset, record.stamp_ms, record.key, None, record.headers)
