"""Writes `docs/examples/course.transitions.txt`: what the example course says, one transition a line.

Run `python -m tests.golden.course` after a change that is meant to change it, and read the difference.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from streams.cli import app

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "docs" / "examples" / "course.json"
TOLD = ROOT / "docs" / "examples" / "course.transitions.txt"
SEOUL = ZoneInfo("Asia/Seoul")


def transitions_of_course() -> list[dict[str, object]]:
    """The transitions of `myelowatch replay docs/examples/course.json --timezone Asia/Seoul`."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        out = Path(folder) / "transitions.ndjson"
        command = ["replay", str(COURSE), "--timezone", "Asia/Seoul", "--out", str(out)]
        result = CliRunner().invoke(app, command)
        if result.exit_code != 0:
            raise SystemExit(f"the replay ended with {result.exit_code}: {result.output}")
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def in_words() -> str:
    """One line a transition: local time, what, rule, severity, title."""
    lines = []
    for told in transitions_of_course():
        at = datetime.fromisoformat(str(told["at"])).astimezone(SEOUL)
        lines.append(
            f"{at:%d %b %H:%M}  {told['transition']!s:<10} {told['severity']!s:<8} {told['rule']!s:<16} {told['title']}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TOLD.write_text(in_words(), encoding="utf-8")
    sys.stdout.write(in_words())
