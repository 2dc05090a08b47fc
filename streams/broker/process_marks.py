"""Which process is ours: a process id alone may by now belong to somebody else.

A mark is the id together with the moment the process was born, as the operating system counts it. Signals go only to
a process that still bears its mark.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process that we started, recognisable later and by others."""

    pid: int
    born: str


@dataclass(frozen=True, slots=True)
class _Seen:
    born: str
    state: str
    ended: bool


def mark_of(pid: int) -> ProcessMark | None:
    """The mark of a process that lives now."""
    seen = _look_at(pid)
    return None if seen is None else ProcessMark(pid, seen.born)


def is_alive(mark: ProcessMark) -> bool:
    """True while that very process runs or is paused; a zombie that nobody has collected yet is dead."""
    seen = _look_at(mark.pid)
    return seen is not None and seen.born == mark.born and not seen.ended


def is_paused(mark: ProcessMark) -> bool:
    """True if it was stopped by a signal and waits for SIGCONT."""
    seen = _look_at(mark.pid)
    return seen is not None and seen.born == mark.born and seen.state == "T"


def send_signal(mark: ProcessMark, number: signal.Signals) -> bool:
    """Signal that very process; False if it is gone."""
    if not LINUX:
        if not is_alive(mark):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(mark.pid, number)
        return True
    try:
        # The descriptor holds on to the process: once the mark is seen to fit, no other can take its id before the signal.
        holder = os.pidfd_open(mark.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(mark):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(holder, number)
        return True
    finally:
        os.close(holder)


def wait_until_gone(mark: ProcessMark, seconds: float) -> bool:
    """Wait for that process to end; False if it still lives after `seconds`."""
    deadline = time.monotonic() + seconds
    while is_alive(mark):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _look_at(pid: int) -> _Seen | None:
    if LINUX:
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # proc(5): the name in parentheses may itself hold spaces and parentheses; fields count from behind the last one.
        fields = text.rpartition(")")[2].split()
        # A killed Java shows as a zombie while its other threads are still going: until the last has gone, its ports and
        # files stay open, and a successor on the same port would fail.
        return _Seen(born=fields[19], state=fields[0], ended=fields[0] in {"Z", "X"} and int(fields[17]) <= 1)
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    if answer.returncode != 0 or not answer.stdout.strip():
        return None
    state, _, born = answer.stdout.strip().partition(" ")
    return _Seen(born=" ".join(born.split()), state=state[0], ended=state[0] == "Z")
