"""The supervisor: starts again what ends, later each time, and never waits for a process that will not stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from streams.processes import Child, Supervisor, child_environment
from streams.settings import load_settings


def child(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-S", "-c", code])


def wait_for(condition: object, seconds: float = 20.0) -> None:
    """Until true; a test that hangs says so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.02)
    pytest.fail("the condition did not come true in time")


class Stage:
    """A supervisor on a thread, and what it said."""

    def __init__(self, *children: Child, stop_seconds: float = 5.0) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor(list(children), stop_seconds=stop_seconds, say=self.said.append)
        self.code: int | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        # Signal handlers belong to the main thread; everything below them is the same.
        try:
            self.code = self.supervisor._watch()
        finally:
            self.supervisor.stop()

    def stop(self) -> int | None:
        self.supervisor.stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.code


SLEEP = "import time; time.sleep(600)"


def test_what_ends_is_started_again_after_a_pause_that_grows(tmp_path: Path) -> None:
    dies = child("worker 1", "raise SystemExit(70)")
    lives = child("ticker 1", SLEEP)
    stage = Stage(dies, lives)
    wait_for(lambda: dies.starts >= 2)
    assert stage.said[0] == "The worker 1 ended with exit code 70; starting it again in 1 s."
    assert dies.pause == 2.0 or dies.starts > 2
    assert lives.starts == 1
    assert stage.stop() == 0
    assert lives.process is not None
    assert lives.process.returncode == -signal.SIGTERM


def test_a_trial_that_cannot_run_leaves_the_others_running() -> None:
    lives = child("worker 1", SLEEP)
    refuses = child("shadow 1", "raise SystemExit(2)")
    refuses.is_vital = False
    dies = child("ticker 1", "raise SystemExit(70)")
    stage = Stage(lives, refuses, dies)
    wait_for(lambda: dies.starts >= 2)
    assert "The shadow 1 cannot run as things are (see above). The others go on without it." in stage.said
    assert (refuses.starts, lives.starts) == (1, 1)
    assert stage.stop() == 0


def test_a_process_that_a_person_must_mend_ends_everything() -> None:
    lives = child("ticker 1", SLEEP)
    refuses = child("worker 1", "raise SystemExit(2)")
    stage = Stage(lives, refuses)
    stage._thread.join(20)
    assert stage.code == 2
    assert lives.process is not None
    assert lives.process.poll() is not None
    assert "cannot run as things are" in stage.said[-1]


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    deaf = child(
        "worker 1",
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)",
    )
    stage = Stage(deaf, stop_seconds=0.5)
    wait_for(ready.exists)
    assert stage.stop() == 0
    assert deaf.process is not None
    assert deaf.process.returncode == -signal.SIGKILL
    assert "is killed; nothing is lost by it" in stage.said[-1]


def test_a_kill_is_an_end_like_any_other() -> None:
    lives = child("worker 1", SLEEP)
    stage = Stage(lives)
    wait_for(lambda: lives.process is not None)
    assert lives.process is not None
    os.kill(lives.process.pid, signal.SIGKILL)
    wait_for(lambda: lives.starts == 2)
    assert "ended with exit code -9" in stage.said[0]
    assert stage.stop() == 0


def test_a_role_that_ran_long_is_started_again_at_once() -> None:
    clock = [0.0]
    long_lived = child("worker 1", "raise SystemExit(70)")
    long_lived.pause = 16.0
    supervisor = Supervisor([long_lived], stop_seconds=1, say=lambda _: None, monotonic=lambda: clock[0])
    assert supervisor._look_after(long_lived)
    assert long_lived.process is not None
    long_lived.process.wait()
    clock[0] = 3600.0
    assert supervisor._look_after(long_lived)
    assert long_lived.start_again_at == 3601.0


def test_processes_of_one_machine_share_neither_state_nor_port() -> None:
    settings = load_settings({}, ports={"metrics": 9500}, state="/var/lib/watch")
    wanted = [("worker", 1), ("worker", 2), ("ticker", 1)]
    given = [child_environment(role, number, place, settings) for place, (role, number) in enumerate(wanted)]
    assert [each["MYELOWATCH_METRICS_PORT"] for each in given] == ["9500", "9501", "9502"]
    assert given[1]["MYELOWATCH_STATE"] == "/var/lib/watch/worker-2"
    assert "MYELOWATCH_METRICS_PORT" not in child_environment("worker", 1, 0, load_settings({}))
