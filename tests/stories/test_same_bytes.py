"""The same log gives the same bytes in every process, whatever order Python's sets have there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def said_with(seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "tests.stories.said_by_all"], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    return run.stdout


def test_every_story_says_the_same_bytes_in_processes_with_other_set_orders() -> None:
    first = said_with("1")
    assert first.count(b"\n") > 50
    assert said_with("2") == first
