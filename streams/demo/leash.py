"""Runs one role and ends it when the demo is gone, in whatever way the demo ended.

Started as `python -m streams.demo.leash ARGUMENTS...`. The demo holds the other end of standard input
and never writes to it: when that end closes, by intent or because the demo was killed, the role is asked
to stop, and killed if it does not. Works the same on every system; a signal on the death of a parent does not.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from typing import Final

STOP_SECONDS: Final = 10.0
"""How long a role may take to stop in order: it ends its batch and gives its partitions back."""

LOOK_SECONDS: Final = 0.5
"""How often the leash looks whether the role ended by itself."""


def run_on_leash(arguments: list[str]) -> int:
    """Run `myelowatch ARGUMENTS...` until it ends or standard input closes; its exit code."""
    role = subprocess.Popen([sys.executable, "-m", "streams", *arguments], stdin=subprocess.DEVNULL)
    while role.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1):
            return _stop(role)
    return role.returncode


def _stop(role: subprocess.Popen[bytes]) -> int:
    with contextlib.suppress(ProcessLookupError):
        role.terminate()
    try:
        return role.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        role.kill()
        return role.wait()


if __name__ == "__main__":
    # Ctrl-C is for the demo, which then closes its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(run_on_leash(sys.argv[1:]))
