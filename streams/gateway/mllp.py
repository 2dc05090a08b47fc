"""The MLLP server: sockets, limits and the order of answers. What is answered is the business of `Answering`.

Each connection has a reader and a writer. The reader takes frames and starts their work; the writer sends the answers
in the order in which the messages came. In original mode the reader takes nothing more before the answer has been
sent; in enhanced mode a bounded number of messages is under way. Whoever is slow, silent, endless or too many is
sent away, with an answer where its MSH could be read; nobody else notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from streams.gateway.framing import Broken, Frame, Framer, wrap
from streams.gateway.tls import certificate_names
from streams.gateway_settings import GatewaySettings

_READ_BYTES: Final = 65_536
_RATE_AFTER_SECONDS: Final = 5.0
"""How long a frame may take before its speed is looked at: one lost packet is no attack."""
_LOOK_SECONDS: Final = 1.0
_HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 2.0
_PENALTY_SECONDS: Final = 0.25
"""Without it, one sender of large rubbish takes the time of all others: each piece costs milliseconds to look at."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: an address, and the names of its certificate where it showed one."""

    address: str
    names: frozenset[str] = frozenset()
    is_tls: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What a sender is told, in order; with `closes` the connection ends after it."""

    messages: tuple[bytes, ...] = ()
    closes: bool = False
    is_hostile: bool = False
    """Not one message of a fault but bytes that no honest sender sends: this sender waits a little before its next."""


@dataclass(frozen=True, slots=True)
class Work:
    """The answer to come, and whether the next message may be taken before it is sent."""

    answers: Coroutine[Any, Any, Answers]
    is_enhanced: bool


class Answering(Protocol):
    """What one message is answered."""

    def take(self, payload: bytes, peer: Peer) -> Work:
        """One whole frame. Never raises on what a sender sends."""
        ...

    def refuse(self, broken: Broken, peer: Peer) -> Answers:
        """What was no whole frame; an answer where its MSH can be read, else the end of the connection."""
        ...


class MllpServer:
    """The listening socket and its connections."""

    def __init__(self, limits: GatewaySettings, answering: Answering, context: ssl.SSLContext | None) -> None:
        """Nothing listens before `start`."""
        self._limits = limits
        self._answering = answering
        self._context = context
        self._server: asyncio.Server | None = None
        self._peers: Counter[str] = Counter()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("streams.gateway")
        self.turned_away = 0

    async def start(self, host: str, port: int) -> int:
        """Listen; the port it got."""
        self._server = await asyncio.start_server(
            self._connected,
            host,
            port,
            ssl=self._context,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._context else None,
            backlog=512,
        )
        self._looking = asyncio.ensure_future(self._look())
        return int(self._server.sockets[0].getsockname()[1])

    async def _look(self) -> None:
        """One look over all connections a second: a timer for each would cost more than the messages."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            for connection in list(self._connections):
                connection.look(now)

    async def stop(self, seconds: float = 10.0) -> None:
        """Take no connection and no message more; finish and answer what has been taken; then close."""
        if self._server is not None:
            self._server.close()
        if self._looking is not None:
            self._looking.cancel()
        for connection in list(self._connections):
            connection.end()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        name = writer.get_extra_info("peername")
        tls = writer.get_extra_info("ssl_object")
        peer = Peer(str(name[0]) if name else "", certificate_names(tls), tls is not None)
        limits = self._limits
        if len(self._connections) >= limits.connections or self._peers[peer.address] >= limits.connections_a_peer:
            self.turned_away += 1
            self._log.warning("a connection too many was turned away", count=self.turned_away)
            writer.close()
            return
        connection = _Connection(reader, writer, peer, limits, self._answering)
        self._peers[peer.address] += 1
        self._connections.add(connection)
        self._tasks.add(task)
        try:
            await connection.run()
        finally:
            self._tasks.discard(task)
            self._connections.discard(connection)
            self._peers[peer.address] -= 1
            if not self._peers[peer.address]:
                del self._peers[peer.address]


class _Connection:
    """One sender."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: Peer,
        limits: GatewaySettings,
        answering: Answering,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._peer = peer
        self._limits = limits
        self._answering = answering
        self._framer = Framer(limits.message_bytes)
        self._queue: asyncio.Queue[asyncio.Task[Answers] | None] = asyncio.Queue(limits.in_flight_a_connection)
        self._writing: asyncio.Task[None] | None = None
        self._since = time.monotonic()
        self._patience = limits.first_byte_seconds
        self._is_waiting = False
        self._is_ending = False

    def end(self) -> None:
        """Take nothing more; what was taken is still answered."""
        if self._is_ending:
            return
        self._is_ending = True
        # Paused first: bytes that come after the end would be a fault of the stream reader's.
        with contextlib.suppress(RuntimeError):
            self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        self._reader.feed_eof()

    def look(self, now: float) -> None:
        """Send away a sender that is silent, endless or slow; called about every second."""
        if not self._is_waiting:
            return
        waited = now - self._since
        framer, rate = self._framer, self._limits.bytes_a_second
        is_slow = framer.is_inside and waited > _RATE_AFTER_SECONDS and framer.size < waited * rate
        if waited > self._patience or is_slow:
            self.end()

    async def run(self) -> None:
        """Until the sender leaves, is sent away, or the door closes."""
        try:
            await self._read()
            await self._settle()
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass  # what was taken is being kept all the same, and is known when its sender asks again
        finally:
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
            await self._close()

    async def _read(self) -> None:
        while not self._is_ending:
            self._is_waiting = True
            data = await self._reader.read(_READ_BYTES)
            self._is_waiting = False
            if not data:
                break
            was_inside = self._framer.is_inside
            events = self._framer.feed(data)
            for event in events:
                # The door closes: what has not been taken gets no answer, and its sender sends it again elsewhere.
                if not await self._take(event):
                    return
            if events or not was_inside:
                self._since = time.monotonic()
            self._patience = self._limits.frame_seconds if self._framer.is_inside else self._limits.idle_seconds
        abandoned = self._framer.abandon()
        if abandoned is not None:
            await self._settle()
            await self._send(self._answering.refuse(abandoned, self._peer))

    async def _take(self, event: Frame | Broken) -> bool:
        """One frame; False where nothing more may be taken."""
        if self._is_ending:
            return False
        if isinstance(event, Broken):
            await self._settle()
            return await self._send(self._answering.refuse(event, self._peer))
        work = self._answering.take(event.payload, self._peer)
        if not work.is_enhanced:
            await self._settle()
            return await self._send(await work.answers)
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        task = asyncio.ensure_future(work.answers)
        task.add_done_callback(_look)
        await self._queue.put(task)
        return not self._is_ending

    async def _settle(self) -> None:
        """Wait until everything taken so far is answered."""
        if self._writing is None:
            return
        await self._queue.put(None)
        writing, self._writing = self._writing, None
        await writing

    async def _write(self) -> None:
        is_open = True
        while (task := await self._queue.get()) is not None:
            # A sender that has gone is answered no more, but the queue must not fill up behind it.
            if is_open:
                is_open = await self._send_or_end(await task)

    async def _send_or_end(self, answers: Answers) -> bool:
        try:
            if await self._send(answers):
                return True
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass
        self.end()
        return False

    async def _send(self, answers: Answers) -> bool:
        """Answer; False where the connection ends with it."""
        for message in answers.messages:
            self._writer.write(wrap(message))
        # A sender that reads no answers must not be waited for for ever.
        async with asyncio.timeout(self._limits.frame_seconds):
            await self._writer.drain()
        if answers.is_hostile and not answers.closes:
            await asyncio.sleep(_PENALTY_SECONDS)
        return not answers.closes

    async def _close(self) -> None:
        """Say goodbye: what was answered must arrive.

        A socket closed with bytes unread in it is reset, and a reset throws away answers that are still on their way: the
        sender would send again what is kept. So our side is closed first, and what still comes is read and left.
        """
        transport: Any = self._writer.transport
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError, OSError, RuntimeError):
            if not self._reader.at_eof() or self._is_ending:
                rest = _Rest()
                transport.set_protocol(rest)
                if transport.can_write_eof():
                    transport.write_eof()
                transport.resume_reading()
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await rest.gone.wait()
        transport.close()


class _Rest(asyncio.Protocol):
    """Reads what nobody wants any more."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def eof_received(self) -> bool:
        self.gone.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


def _look(task: asyncio.Future[Answers]) -> None:
    if not task.cancelled():
        task.exception()
