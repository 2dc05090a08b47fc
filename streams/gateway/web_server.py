"""The sockets of the web intake: uvicorn in our loop, with the limits it lacks and the client's certificate in the scope."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.gateway.tls import certificate_names
from streams.gateway.web_access import CERTIFICATE, App, Receive, Scope, Send
from streams.gateway_settings import GatewaySettings

_LARGEST_HEADERS: Final = 16_384
_STOP_SECONDS: Final = 10


class _Server(uvicorn.Server):
    """Leaves signals to the process it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class WebServer:
    """Serves one application until it is stopped."""

    def __init__(self, app: App, limits: GatewaySettings, context: ssl.SSLContext | None) -> None:
        """Nothing listens before `start`."""
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._app = app
        self._limits = limits
        self._context = context
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port it got. Raises OSError where the port is taken."""
        config = uvicorn.Config(
            self._app,
            host=host,
            port=port,
            http=_limited(self._limits),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=_LARGEST_HEADERS,
            limit_concurrency=self._limits.connections,
            timeout_keep_alive=int(min(self._limits.idle_seconds, 75)),
            timeout_graceful_shutdown=_STOP_SECONDS,
            ssl_context_factory=None if self._context is None else (lambda config, default: self._taken_context()),
        )
        # Bound here: uvicorn ends the process where a port is taken.
        socket = _bind(host, port)
        self._server = _Server(config)
        self._task = asyncio.ensure_future(self._server.serve(sockets=[socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)
        return int(socket.getsockname()[1])

    def _taken_context(self) -> ssl.SSLContext:
        assert self._context is not None
        return self._context

    async def stop(self) -> None:
        """Finish what is being answered, then close."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait({self._task}, timeout=_STOP_SECONDS + 2)


def _bind(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def _limited(limits: GatewaySettings) -> type[H11Protocol]:
    """A protocol that sends away clients that are too many or that do not come to the end of a request."""
    peers: Counter[str] = Counter()

    class Limited(H11Protocol):
        """One connection."""

        _address = ""
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            names = certificate_names(transport.get_extra_info("ssl_object"))
            inner = self.app

            async def with_certificate(scope: Scope, receive: Receive, send: Send) -> None:
                scope[CERTIFICATE] = names
                self._stop_timer()
                try:
                    await inner(scope, receive, send)
                finally:
                    self._start_timer(limits.idle_seconds + limits.frame_seconds)

            self.app = with_certificate
            self._address = self.client[0] if self.client else ""
            peers[self._address] += 1
            if peers[self._address] > limits.connections_a_peer:
                transport.abort()
                return
            self._start_timer(limits.frame_seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            peers[self._address] -= 1
            if peers[self._address] <= 0:
                del peers[self._address]
            super().connection_lost(exc)

        def _start_timer(self, seconds: float) -> None:
            self._stop_timer()
            # Without this, a client that sends a header a minute holds a connection for ever.
            self._timer = self.loop.call_later(seconds, self.transport.abort)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Limited
