"""A worker of the product as a process of its own; prints a line when it is ready."""

from __future__ import annotations

import sys
from dataclasses import replace

from streams.observability.logs import configure_logs
from streams.settings import load_settings
from streams.worker import build_parts, run_worker


def main() -> int:
    """Run until told to stop."""
    configure_logs()
    settings = load_settings()
    parts = replace(build_parts(settings), on_ready=lambda partitions: print("ready", *partitions, flush=True))
    return run_worker(settings, parts)


if __name__ == "__main__":
    sys.exit(main())
