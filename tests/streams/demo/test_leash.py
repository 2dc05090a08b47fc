"""The leash: a role ends with its own code, or when the demo is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEASH = [sys.executable, "-m", "streams.demo.leash"]


def test_a_role_that_ends_by_itself_hands_its_exit_code_on() -> None:
    with subprocess.Popen([*LEASH, "no-such-role"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as leash:
        assert leash.wait(30) == 2


def test_a_role_ends_when_the_other_end_of_its_input_closes(tmp_path: Path) -> None:
    # `simulate` with a large ward stands in for a role: it would run for minutes.
    arguments = ["simulate", "--patients", "100000", "--weeks", "500", "--out", str(tmp_path / "ward")]
    with subprocess.Popen([*LEASH, *arguments], stdin=subprocess.PIPE) as leash:
        assert leash.stdin is not None
        leash.stdin.close()
        assert leash.wait(30) != 0
