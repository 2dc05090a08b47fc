"""A worker with the toy medicine as a process of its own, to be killed, paused and looked at.

Settings come from the environment, like the product's. `TOY_DIE` names a step of monitor's write
(`said`, `shown`, `kept`) after which the process kills itself, `TOY_DIE_AFTER` the how-manieth
write that has transitions; `TOY_RAISE` makes the body fail there instead.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from streams.app import Parts
from streams.monitor import Batch, Monitor
from streams.observability.logs import configure_logs
from streams.refusals import Refusal
from streams.settings import load_settings
from streams.worker import run_worker
from tests.streams.test_translate import FEEDS, read_toy
from tests.streams.toy import ToyMedicine, toy_activation

_STEPS = {"said": "say", "shown": "show", "kept": "keep_records"}


def main() -> int:
    """Run until told to stop, or until the planned end."""
    configure_logs()
    _plan_the_end()
    parts = Parts(
        medicine=ToyMedicine(),
        default_policy=toy_activation(),
        readers={"toy": read_toy, "event": read_toy},
        contexts=FEEDS,
        on_ready=lambda partitions: print("ready", *partitions, flush=True),
    )
    try:
        return run_worker(load_settings(), parts)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_code


def _plan_the_end() -> None:
    step = os.environ.get("TOY_DIE") or os.environ.get("TOY_RAISE")
    if step is None:
        return
    name = _STEPS[step]
    real = getattr(Monitor, name)
    left = int(os.environ.get("TOY_DIE_AFTER", "1"))

    async def dying(self: Monitor, batch: Batch, **options: Any) -> None:
        nonlocal left
        had_transitions = bool(batch.transitions)
        await real(self, batch, **options)
        left -= had_transitions
        if had_transitions and left <= 0:
            if os.environ.get("TOY_RAISE"):
                raise RuntimeError("planned")
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(Monitor, name, dying)


if __name__ == "__main__":
    sys.exit(main())
