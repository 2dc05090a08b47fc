"""The small web server of a process: /metrics for Prometheus, /livez and /readyz for whoever supervises it.

Runs on its own thread and its own port, loopback unless the settings say otherwise, and serves nothing
else. Live means the process answers and its loop still turns; ready means it has caught up and holds
its partitions. Answers are words of a closed list.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

LOOP_STALLED_SECONDS: Final = 60.0
"""Longer than any batch: a loop that has not turned for this long no longer watches anybody."""

_PORTS_TRIED: Final = 32
_SECONDS_A_REQUEST: Final = 10
_PLAIN: Final = ("Content-Type", "text/plain; charset=utf-8")


class PortTaken(OSError):
    """No port for the metrics server was free; the message says which were tried."""


@dataclass(slots=True)
class Health:
    """What a process says about itself; its own code sets it, the server reads it.

    A process that has an event loop calls `turned` from it at least every few seconds.
    """

    waiting_for: set[str] = field(default_factory=lambda: {"start"})
    """What must still happen before the process is ready: words of the code, never data."""
    last_turn: float | None = None
    stopping: bool = False
    monotonic: Callable[[], float] = time.monotonic

    def turned(self) -> None:
        """The loop turned."""
        self.last_turn = self.monotonic()

    def wait_for(self, what: str) -> None:
        """Not ready until `what` is done."""
        self.waiting_for.add(what)

    def done(self, what: str) -> None:
        """`what` is done; the process is ready when nothing is left."""
        self.waiting_for.discard(what)

    @property
    def is_live(self) -> bool:
        """Whether the process should be left running."""
        return self.last_turn is None or self.monotonic() - self.last_turn < LOOP_STALLED_SECONDS

    @property
    def is_ready(self) -> bool:
        """Whether the process does its work now."""
        return self.is_live and not self.stopping and not self.waiting_for


class _Server(ThreadingMixIn, WSGIServer):
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self) -> None:
        # The stock server looks its own name up in the DNS, which can hang for seconds on a hospital network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nobody's fault; the stock server prints a traceback."""


class _Quiet(WSGIRequestHandler):
    timeout = _SECONDS_A_REQUEST

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""

    def address_string(self) -> str:
        return str(self.client_address[0])


class ObservabilityServer:
    """The running server; `port` is the one it got."""

    def __init__(self, server: WSGIServer) -> None:
        """Start to serve on a thread of its own."""
        self._server = server
        self.port = server.server_port
        self.host = str(server.server_address[0])
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def build_app(
    registry: CollectorRegistry, health: Health
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The three pages as a WSGI application."""
    metrics = make_wsgi_app(registry)

    def answer(start: StartResponse, status: str, text: str) -> Iterable[bytes]:
        start(status, [_PLAIN, ("Cache-Control", "no-store")])
        return [text.encode() + b"\n"]

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return answer(start, "405 Method Not Allowed", "only GET")
        match environ.get("PATH_INFO"):
            case "/metrics":
                pages: Iterable[bytes] = metrics(environ, start)
                return pages
            case "/livez":
                if health.is_live:
                    return answer(start, "200 OK", "live")
                return answer(start, "503 Service Unavailable", "the loop has stalled")
            case "/readyz":
                if health.is_ready:
                    return answer(start, "200 OK", "ready")
                if health.stopping:
                    return answer(start, "503 Service Unavailable", "stopping")
                waiting = ", ".join(sorted(health.waiting_for)) or "the loop to turn"
                return answer(start, "503 Service Unavailable", f"waiting for {waiting}")
            case _:
                return answer(start, "404 Not Found", "/metrics, /livez or /readyz")

    return app


def serve_observability(
    registry: CollectorRegistry, health: Health, *, port: int, host: str = "127.0.0.1", search: bool = True
) -> ObservabilityServer:
    """Serve on `port`; with `search`, on the next free one where it is taken (a second worker on one machine).

    Port 0 lets the system choose. Raises `PortTaken` with a sentence where nothing is free.
    """
    app = build_app(registry, health)
    tried = [port + step for step in range(_PORTS_TRIED if search and port else 1)]
    for each in tried:
        try:
            server = _Server((host, each), _Quiet)
        except OSError:
            continue
        server.set_app(app)
        return ObservabilityServer(server)
    raise PortTaken(
        f"No port of {tried[0]} to {tried[-1]} on {host} is free for the metrics; "
        "set MYELOWATCH_METRICS_PORT to a free one."
    )
