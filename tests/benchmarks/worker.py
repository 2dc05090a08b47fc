"""The product's worker as a process of its own that says how far it is: `ready`, and `judged {...}` as it goes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from streams.monitor import Monitor, Outcome
from streams.observability.logs import configure_logs
from streams.ports import Arrived
from streams.settings import load_settings
from streams.worker import build_parts, run_worker


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
        if entries // 500 != printed:
            printed = entries // 500
            said = {"entries": entries, "seconds": time.monotonic() - began, "processor": time.process_time()}
            print("judged", json.dumps(said), flush=True)
        return outcome

    Monitor.take = counting_take  # type: ignore[method-assign]
    settings = load_settings()
    return run_worker(settings, build_parts(settings, on_ready=lambda partitions: print("ready", flush=True)))


if __name__ == "__main__":
    sys.exit(main())
