"""A small process that ends the laptop broker when the process it was started for is gone.

Tests and the demo start brokers that nobody wants afterwards. Whoever starts one may be killed at any moment and then
cannot tidy up; the kernel's own "signal on death of the parent" follows the *thread* that started a child and would
fire when a worker thread ends. So this process waits for the other to end, then kills the nodes that the state file
names and nothing else.
"""

import os
import select
import signal
import sys
import time
from pathlib import Path

from streams.broker.process_marks import LINUX, ProcessMark, is_alive, send_signal
from streams.broker.state_file import read_state

#: How often it looks whether the broker was stopped or started anew meanwhile, and it is not needed any more.
LOOK_SECONDS = 2.0


def watch(folder: Path, run: int, watched: ProcessMark) -> None:
    """Wait for `watched` to end, then kill the nodes of this run; return early when the run itself is over."""
    while _wait_a_little(watched):
        if not _is_still_this_run(folder, run):
            return
    # A broker that is being started at this moment writes its process down within this time.
    for _ in range(2):
        state = read_state(folder) if folder.exists() else None
        if state is None or state.run != run:
            return
        for node in state.nodes:
            if node.process is not None:
                send_signal(node.process, signal.SIGKILL)
        time.sleep(0.5)


def _is_still_this_run(folder: Path, run: int) -> bool:
    state = read_state(folder) if folder.exists() else None
    return state is not None and state.run == run


def _wait_a_little(watched: ProcessMark) -> bool:
    """Wait until the process ends or the time for another look has come; True while it lives."""
    if LINUX:
        try:
            holder = os.pidfd_open(watched.pid)
        except ProcessLookupError:
            return False
        try:
            select.select([holder], [], [], LOOK_SECONDS if is_alive(watched) else 0)
        finally:
            os.close(holder)
    else:
        time.sleep(LOOK_SECONDS)
    return is_alive(watched)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), int(sys.argv[2]), ProcessMark(int(sys.argv[3]), sys.argv[4]))
