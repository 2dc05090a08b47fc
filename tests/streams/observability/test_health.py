"""Live, ready and metrics are served on a port of their own, and nothing else is."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from streams.observability.health import (
    LOOP_STALLED_SECONDS,
    Health,
    ObservabilityServer,
    PortTaken,
    serve_observability,
)
from streams.observability.metrics import Role, build_meters


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[ObservabilityServer]:
    registry = CollectorRegistry()
    build_meters(registry, roles=(Role.WORKER,))
    running = serve_observability(registry, health, port=0)
    yield running
    running.stop()


def ask(server: ObservabilityServer, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def test_a_process_is_not_ready_until_all_it_waits_for_is_done(server: ObservabilityServer, health: Health) -> None:
    health.wait_for("partitions")
    health.done("start")
    assert ask(server, "/readyz") == (503, "waiting for partitions")
    assert ask(server, "/livez") == (200, "live")
    health.done("partitions")
    assert ask(server, "/readyz") == (200, "ready")
    health.stopping = True
    assert ask(server, "/readyz") == (503, "stopping")


def test_a_loop_that_stands_still_is_neither_live_nor_ready(server: ObservabilityServer, health: Health) -> None:
    health.done("start")
    health.turned()
    assert ask(server, "/livez")[0] == 200
    now = health.monotonic()
    health.monotonic = lambda: now + LOOP_STALLED_SECONDS + 1
    assert ask(server, "/livez") == (503, "the loop has stalled")
    assert ask(server, "/readyz")[0] == 503


def test_metrics_are_served(server: ObservabilityServer) -> None:
    status, text = ask(server, "/metrics")
    assert status == 200
    assert "myelowatch_build_info" in text


@pytest.mark.parametrize("path", ["/", "/table", "/router", "/metrics/../etc/passwd", "/readyz/x"])
def test_nothing_else_is_served(server: ObservabilityServer, path: str) -> None:
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_to_it(server: ObservabilityServer, method: str) -> None:
    assert ask(server, "/metrics", method)[0] == 405


def test_a_slow_client_holds_nobody_up(server: ObservabilityServer) -> None:
    with socket.create_connection((server.host, server.port)) as idle:
        idle.sendall(b"GET /metr")
        assert ask(server, "/livez")[0] == 200


def test_it_listens_on_loopback_only(server: ObservabilityServer) -> None:
    assert server.host == "127.0.0.1"


def test_a_second_worker_takes_the_next_port(server: ObservabilityServer) -> None:
    second = serve_observability(CollectorRegistry(), Health(), port=server.port)
    try:
        assert second.port > server.port
    finally:
        second.stop()


def test_a_taken_port_is_a_sentence(server: ObservabilityServer) -> None:
    with pytest.raises(PortTaken, match=r"MYELOWATCH_METRICS_PORT"):
        serve_observability(CollectorRegistry(), Health(), port=server.port, search=False)
