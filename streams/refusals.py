"""How a command says no: one sentence for a person, and the exit code that goes with it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell is told; the same for every command."""

    DONE = 0
    CHECK_FAILED = 1
    UNUSABLE = 2


class Refusal(Exception):
    """The command cannot be carried out; the message says what to do about it."""

    exit_code = ExitCode.UNUSABLE


class CheckFailed(Refusal):
    """All could be looked at, and something is wrong."""

    exit_code = ExitCode.CHECK_FAILED
