"""The progress bar of the first download; where nobody watches (no terminal), two plain lines instead."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class DownloadProgress:
    """Shows bytes done of bytes in all, from the first call of `show` on; silent if it is never called."""

    def __init__(self, what: str = "Apache Kafka") -> None:
        self._what = what
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._close()

    def show(self, done: int, total: int) -> None:
        """Show how far it is; bytes."""
        if self._began is None:
            self._began = time.monotonic()
            if not self._console.is_terminal:
                print(f"Fetching {self._what}, once: {total / 1e6:.0f} MB ...", file=sys.stderr, flush=True)
        if self._console.is_terminal:
            if self._bar is None:
                self._bar = Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    DownloadColumn(),
                    TransferSpeedColumn(),
                    TimeRemainingColumn(),
                    console=self._console,
                )
                self._bar.start()
                self._task = self._bar.add_task(f"Fetching {self._what}, once", total=total)
            if self._task is not None:
                self._bar.update(self._task, completed=done)
        if done >= total:
            self._close()
            print(f"Fetched and checked in {time.monotonic() - self._began:.0f} s.", file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
