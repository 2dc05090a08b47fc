"""The whole demo as a user runs it: a real broker, a real worker, to the end, by Ctrl-C, and killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.broker, pytest.mark.slow]

SECONDS = 150.0
"""How long anything here may take on a busy machine."""


def start_demo(state: Path, *arguments: str) -> subprocess.Popen[str]:
    state.mkdir(exist_ok=True)
    with (state / "demo.out").open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "streams", "demo", "--no-browser", *arguments],
            env=os.environ | {"MYELOWATCH_STATE": str(state)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def wait_for(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {SECONDS:.0f} s"
        time.sleep(0.1)


def said(state: Path) -> str:
    return (state / "demo.out").read_text(encoding="utf-8")


def started_by(demo: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(demo.pid).children(recursive=True)


def check_reconciled(text: str) -> None:
    messages = re.search(r"Messages: ([\d,]+) received = ([\d,]+) translated .* 0 waiting {2}balances", text)
    facts = re.search(r"Facts: +([\d,]+) translated = ([\d,]+) applied .* balances", text)
    assert messages is not None, text[-3_000:]
    assert facts is not None, text[-3_000:]
    assert messages.group(1) == messages.group(2) != "0"
    assert "is not" not in text[messages.start() :]


def test_two_demos_at_once_one_to_its_end_and_one_by_ctrl_c(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    demos = {
        whole: start_demo(whole, "--for", "8s"),
        stopped: start_demo(stopped, "--for", "10m", "--patients", "20", "--speed", "400000"),
    }
    children = []
    try:
        wait_for(lambda: " raised  " in said(stopped), "an alert in the second demo")
        children = started_by(demos[stopped])
        demos[stopped].send_signal(signal.SIGINT)
        assert demos[stopped].wait(SECONDS) == 0, said(stopped)[-3_000:]
        assert demos[whole].wait(SECONDS) == 0, said(whole)[-3_000:]
    finally:
        for demo in demos.values():
            if demo.poll() is None:
                demo.kill()
                demo.wait()
    for state in demos:
        check_reconciled(said(state))
        assert [path.name for path in state.iterdir()] == ["demo.out"], "nothing is left behind"
    assert len(children) >= 3, "a leash, a worker, a broker"
    _, alive = psutil.wait_procs(children, 10)
    assert not alive
    text = said(whole)
    for shown in (
        "CRITICAL raised  Hold lenalidomide",
        "withdrawn (corrected)",
        "withdrawn (evidence-arrived-late)",
        "Unit of ANC missing or unknown",
        "CBC overdue",
        "No antibacterial prophylaxis",
        "evidence   ",
        "threshold  ",
        "source     S2: ",
    ):
        assert shown in text
    assert "20 of 20" in text
    assert not re.search(r"SIM-\d", text), "patients are shown by their pseudonym"


def test_a_killed_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    state = tmp_path / "killed"
    demo = start_demo(state, "--for", "10m", "--patients", "3")
    children = []
    try:
        wait_for(lambda: "the worker is ready" in said(state), "the worker's readiness")
        children = started_by(demo)
        assert len(children) >= 3
    finally:
        demo.kill()
        demo.wait()
    _, alive = psutil.wait_procs(children, 30)
    assert not alive
