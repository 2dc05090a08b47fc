"""The product's worker as a process of its own that says how far it is: `ready`, and `judged {...}` as it goes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry

from streams.monitor import Monitor, Outcome
from streams.observability.logs import configure_logs
from streams.observability.metrics import Role, build_meters
from streams.observability.vocabulary import build_vocabulary
from streams.ports import Arrived
from streams.settings import load_settings
from streams.worker import build_parts, run_worker
from tests.benchmarks.where import sampling, shares

STEP: Final = 100
"""It says how far it is every so many entries."""


def main() -> int:
    """Run until told to stop."""
    configure_logs()
    take = Monitor.take
    entries, began, printed = 0, 0.0, 0

    async def counting_take(self: Monitor, arrived: Sequence[Arrived]) -> Outcome:
        nonlocal entries, began, printed
        began = began or time.monotonic()
        outcome = await take(self, arrived)
        entries += outcome.entries
        if entries // STEP != printed:
            printed = entries // STEP
            said = {"entries": entries, "seconds": time.monotonic() - began, "processor": time.process_time()}
            print("judged", json.dumps(said), flush=True)
        return outcome

    Monitor.take = counting_take  # type: ignore[method-assign]
    settings = load_settings()
    parts = build_parts(
        settings,
        meters=build_meters(CollectorRegistry(), build_vocabulary(settings), (Role.WORKER,), explicit_time=True),
        on_ready=lambda partitions: print("ready", json.dumps({"processor": time.process_time()}), flush=True),
    )
    if "BENCH_WHERE" not in os.environ:
        return run_worker(settings, parts)
    with sampling() as found:
        code = run_worker(settings, parts)
    print("where", json.dumps(shares(found)), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
