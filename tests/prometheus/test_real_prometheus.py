"""A real Prometheus scrapes a real run: names and labels are the contract's, and every panel has data."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from streams.observability.health import Health, serve_observability
from streams.observability.metrics import METRICS, PREFIX, Role, build_meters
from streams.observability.vocabulary import build_vocabulary
from streams.settings import load_settings
from streams.simulator.event_writer import FEED
from tests.prometheus.test_deployment import PROMETHEUS, alert_rules, queries
from tests.streams.observability.test_metrics import PROCESS, listed
from tests.streams.observability.ward_run import WardRun, run_ward, ward_messages

SERVER: Final = shutil.which("prometheus")
SCRAPE: Final = "200ms"
WINDOW: Final = "4s"
"""Stands for the dashboard's `$__rate_interval`."""

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.xdist_group("prometheus"),
    pytest.mark.skipif(
        SERVER is None, reason="NOT TESTED: no prometheus here; Debian and Ubuntu have it in the package `prometheus`"
    ),
]


class Asked:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.base}{path}?{query}", timeout=10) as answer:
            read = json.loads(answer.read())
        assert read["status"] == "success", read
        return read["data"]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition did not come true in time")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Prometheus over a worker's and a ticker's endpoints, while a ward is being judged."""
    settings = load_settings({}, feeds={FEED: {"timezone": "Asia/Seoul"}}, key_secret="0123456789abcdef")
    vocabulary = build_vocabulary(settings)
    servers, registries = {}, {}
    for role in (Role.WORKER, Role.TICKER):
        registries[role] = CollectorRegistry()
        health = Health()
        health.done("start")
        meters = build_meters(registries[role], vocabulary, (role,), explicit_time=True)
        servers[role] = (serve_observability(registries[role], health, port=0), meters)
    run = WardRun(servers[Role.WORKER][1])
    messages = list(ward_messages(patients=8, weeks=14))
    # Most of the ward before the first scrape, the rest while Prometheus looks: rates need change.
    early, late = messages[: len(messages) // 2], messages[len(messages) // 2 :]
    asyncio.run(run_ward(run, early))

    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((PROMETHEUS / "laptop.yml").read_text())
    config["global"] = {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE}
    config["rule_files"] = [str(PROMETHEUS / "rules" / "*.yaml")]
    for job in config["scrape_configs"]:
        role = Role(job["job_name"].removeprefix("myelowatch-"))
        job["static_configs"][0]["targets"] = [f"127.0.0.1:{servers[role][0].port}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    assert SERVER is not None
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [
            SERVER,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    asked = Asked(port)
    stop = threading.Event()

    def go_on() -> None:
        async def feed() -> None:
            for place in range(0, len(late), 5):
                if stop.is_set():
                    return
                await run_ward(run, late[place : place + 5])
                await asyncio.sleep(0.05)

        asyncio.run(feed())

    feeding = threading.Thread(target=go_on)
    try:
        wait_for(asked.is_ready)
        wait_for(lambda: len(asked.get("/api/v1/query", query="up == 1")["result"]) == 2)
        feeding.start()
        wait_for(lambda: asked.get("/api/v1/query", query=f"sum(rate(myelowatch_facts_total[{WINDOW}])) > 0")["result"])
        yield asked
    finally:
        stop.set()
        if feeding.ident is not None:
            feeding.join()
        process.terminate()
        process.wait(10)
        log.close()
        for server, _ in servers.values():
            server.stop()


def base_name(name: str) -> str:
    for metric in METRICS:
        if metric.buckets and name in (metric.name, *(f"{metric.name}_{end}" for end in ("bucket", "count", "sum"))):
            return metric.name
    return name


def test_names_and_labels_are_the_closed_list(prometheus: Asked) -> None:
    """What Prometheus has stored, against part 4 of the contract; what the back door writes comes with it."""
    series = prometheus.get("/api/v1/series", **{"match[]": '{job=~"myelowatch-.*"}'})
    stored: dict[str, set[str]] = {}
    scraped = {"up", "scrape_duration_seconds", "scrape_samples_post_metric_relabeling", "scrape_samples_scraped"}
    scraped |= {"scrape_series_added", "ALERTS", "ALERTS_FOR_STATE"}
    others = set()
    for labels in series:
        name = labels.pop("__name__")
        if not name.startswith(PREFIX):
            others.add(name)
            continue
        stored.setdefault(base_name(name.removeprefix(PREFIX)), set()).update(set(labels) - {"instance", "job", "le"})
    contract = {name: set(labels) for name, labels in listed().items()}
    back_door = {"pages_total", "page_ack_seconds", "alert_feedback_total", "escalations_total"}
    assert stored == {name: labels for name, labels in contract.items() if name not in back_door}
    assert others - scraped == PROCESS


def test_the_types_are_told(prometheus: Asked) -> None:
    told = prometheus.get("/api/v1/metadata")
    for metric in METRICS:
        if Role.WORKER in metric.roles:
            # OpenMetrics names a counter's family without `_total`; Prometheus 2.42 keeps what it was told.
            known = told.get(PREFIX + metric.name) or told.get((PREFIX + metric.name).removesuffix("_total"))
            assert known, metric.name
            assert known[0]["type"] == metric.kind.value, metric.name
            assert known[0]["help"] == metric.help


def test_a_whole_ward_is_few_series(prometheus: Asked) -> None:
    (count,) = prometheus.get("/api/v1/query", query='count({job=~"myelowatch-.*"})')["result"]
    assert int(count["value"][1]) <= 2000


@pytest.mark.parametrize(("panel", "expression"), queries())
def test_every_panel_has_data(prometheus: Asked, panel: str, expression: str) -> None:
    result = prometheus.get("/api/v1/query", query=expression.replace("$__rate_interval", WINDOW))["result"]
    assert result, f"{panel}: no data for {expression}"


def test_the_rules_are_evaluated_without_an_error_and_the_dead_mans_switch_fires(prometheus: Asked) -> None:
    wait_for(lambda: prometheus.get("/api/v1/query", query='ALERTS{alertname="DeadMansSwitch"}')["result"])
    groups = prometheus.get("/api/v1/rules")["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert set(rules) == {rule["alert"] for rule in alert_rules()}
    for name, rule in rules.items():
        assert rule["health"] == "ok", f"{name}: {rule.get('lastError')}"
    assert rules["DeadMansSwitch"]["state"] == "firing"
    assert rules["WorkerDown"]["state"] == "inactive"


def test_what_was_counted_is_what_was_stored(prometheus: Asked, tmp_path: Path) -> None:
    """The first equation, asked of Prometheus: received = translated + partly + ignored + rejected."""
    wait_for(lambda: abs(_balance(prometheus)) < 1)


def _balance(prometheus: Asked) -> float:
    (row,) = prometheus.get(
        "/api/v1/query",
        query="sum(myelowatch_messages_received_total) - sum(myelowatch_messages_translated_total)",
    )["result"]
    return float(row["value"][1])
