"""What is deployed agrees with what runs: rules, runbooks, dashboard, compose; checked without any server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.observability.metrics import METRICS, PREFIX, Role

HOUSE = Path(__file__).parents[2]
DEPLOY = HOUSE / "deploy"
PROMETHEUS = DEPLOY / "prometheus"

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT TESTED: promtool is missing; Debian and Ubuntu have it in the package `prometheus`"
)


def alert_rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((PROMETHEUS / "rules" / "operations.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "operations.json").read_text())
    return read


def queries() -> list[tuple[str, str]]:
    """(panel, expression) of the dashboard."""
    return [
        (panel["title"], target["expr"])
        for panel in dashboard()["panels"]
        if panel["type"] != "row"
        for target in panel["targets"]
    ]


def names_in(expression: str) -> set[str]:
    """Our metrics named in an expression, without the suffixes of histograms."""
    found = set(re.findall(rf"{PREFIX}([a-z_]+)", expression))
    histograms = {each.name for each in METRICS if each.buckets}
    return {
        next((base for base in histograms if name in (base, f"{base}_bucket", f"{base}_sum", f"{base}_count")), name)
        for name in found
    }


KNOWN = {each.name: set(each.labels) for each in METRICS}


def labels_in(expression: str) -> set[str]:
    selected = re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!~|!=|=)", expression)
    grouped = [name for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(",")]
    return {each.strip() for each in (*selected, *grouped)} - {"le", "job", "instance"}


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_every_alarm_has_a_severity_a_summary_and_a_runbook_of_its_name(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    assert rule["annotations"]["summary"].endswith(".")
    page = HOUSE / rule["annotations"]["runbook_url"]
    stem = re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
    assert page.name == f"{stem}.md"
    text = page.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    for part in ("What it means", "What patients lose meanwhile", "What to do", "How you know it is over"):
        assert f"**{part}.**" in text


def test_no_runbook_is_without_an_alarm() -> None:
    pages = {page.name for page in (DEPLOY / "runbooks").glob("*.md")}
    assert pages == {Path(rule["annotations"]["runbook_url"]).name for rule in alert_rules()}


@pytest.mark.parametrize("page", sorted((DEPLOY / "runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_names_only_what_there_is(page: Path) -> None:
    from streams.cli import COMMANDS

    text = page.read_text()
    assert names_in(text) <= set(KNOWN)
    for command in re.findall(r"`myelowatch ([a-z]+)", text):
        assert command in COMMANDS
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / link).is_file()


def test_every_alarm_is_tested_firing_and_quiet() -> None:
    document = yaml.safe_load((PROMETHEUS / "rule-tests" / "operations.yaml").read_text())
    cases = [case for test in document["tests"] for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    names = {rule["alert"] for rule in alert_rules()}
    assert firing == names
    assert quiet == names - {"DeadMansSwitch"}


@pytest.mark.parametrize("expression", [rule["expr"] for rule in alert_rules()] + [expr for _, expr in queries()])
def test_expressions_use_metrics_and_labels_of_the_contract(expression: str) -> None:
    names = names_in(expression)
    assert names <= set(KNOWN)
    allowed = set().union(*(KNOWN[name] for name in names)) if names else set()
    assert labels_in(expression) <= allowed


def test_every_metric_of_a_worker_is_on_the_dashboard() -> None:
    shown = set().union(*(names_in(expression) for _, expression in queries()))
    assert shown == {each.name for each in METRICS if Role.WORKER in each.roles}


def test_the_dashboard_has_a_fixed_uid_and_its_source_by_variable() -> None:
    board = dashboard()
    assert board["uid"] == "myelowatch-operations"
    (variable,) = board["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


# --- promtool ---


def promtool(*arguments: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.prometheus
@needs_promtool
@pytest.mark.parametrize("config", ["prometheus.yml", "laptop.yml"])
def test_promtool_accepts_the_configuration(config: str) -> None:
    assert "SUCCESS" in promtool("check", "config", config)


@pytest.mark.prometheus
@needs_promtool
def test_promtool_accepts_the_rules_and_their_tests_pass() -> None:
    promtool("check", "rules", "rules/operations.yaml")
    assert "SUCCESS" in promtool("test", "rules", "rule-tests/operations.yaml")


# --- compose ---


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def test_images_are_pinned_by_version() -> None:
    images = [service["image"] for service in compose()["services"].values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    for image in images:
        name, _, tag = image.rpartition(":")
        assert name, image
        assert re.search(r"\d+\.\d+", tag), image


def test_no_secret_stands_in_the_file_and_none_is_committed() -> None:
    document = compose()
    for service in document["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if any(word in name for word in ("SECRET", "PASSWORD", "TOKEN")):
                assert name.endswith("_FILE"), name
                assert str(value).startswith("/run/secrets/")
    for secret in document["secrets"].values():
        assert list(secret) == ["file"]
    kept = {path.name for path in (DEPLOY / "secrets").iterdir()} & {"key_secret", "grafana_password"}
    ignored = (DEPLOY / "secrets" / ".gitignore").read_text()
    assert "\n*\n" in ignored
    assert not kept or "*" in ignored


def test_nothing_listens_beyond_this_machine() -> None:
    for service in compose()["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")


def test_containers_give_up_what_they_do_not_need() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["read_only"] is (name != "broker"), name
    assert re.search(r"^USER \d+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_prometheus_finds_the_roles_that_compose_starts_on_their_ports() -> None:
    document = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    found = {
        (config["names"][0], config["port"])
        for job in document["scrape_configs"]
        for config in job.get("dns_sd_configs", ())
    }
    assert found == {("worker", Role.WORKER.port), ("ticker", Role.TICKER.port)}
    assert {"worker", "ticker", "prometheus", "grafana", "broker", "topics"} == set(compose()["services"])


def test_the_settings_of_the_compose_installation_are_settings() -> None:
    from streams.settings import load_settings

    settings = load_settings({"MYELOWATCH_SETTINGS": str(DEPLOY / "myelowatch.yaml")})
    assert settings.feeds
    shared = compose()["x-role"]["environment"]
    load_settings(
        {name: value for name, value in shared.items() if name != "MYELOWATCH_KEY_SECRET_FILE"}
        | {"MYELOWATCH_SETTINGS": str(DEPLOY / "myelowatch.yaml")}
    )


@pytest.mark.parametrize("service", ["topics", "worker", "ticker"])
def test_compose_runs_commands_that_exist(service: str) -> None:
    from streams.cli import COMMANDS

    assert compose()["services"][service]["command"][0] in COMMANDS
