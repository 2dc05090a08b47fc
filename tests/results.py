"""Evidence of the long runs: one JSON file a kind under `results/`, with the commit it belongs to."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "results"


def write_results(kind: str, **figures: Any) -> Path:
    """Write `results/<kind>.json`; the path is answered."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{kind}.json"
    head = {
        "kind": kind,
        "commit": commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
    }
    path.write_text(json.dumps({**head, **figures}, indent=2) + "\n", encoding="utf-8")
    return path


def commit() -> str:
    """The commit of the code that ran (`COMMIT` where it runs outside a checkout); `+`: something was changed since."""
    named = os.environ.get("COMMIT")
    if named:
        return named
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=FOLDER.parent, capture_output=True, text=True)
    if asked.returncode != 0:
        return "none"
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "streams", "rules", "schemas", "tests"],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
    )
    return asked.stdout.strip() + ("+" if changed.stdout.strip() else "")
