"""Watched folders: files that no longer grow are taken in and moved away, never deleted.

`taken/` holds what is kept, `refused/` what cannot be read, each with a `.why.txt` beside it. A file is moved only after
the brokers confirmed all of it; a process that dies before leaves it where it is, and the journal knows how far it got.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from streams.gateway.files import Backfill
from streams.ports import NotAcknowledged
from streams.refusals import Refusal

if TYPE_CHECKING:
    from schemas.hl7v2 import FeedMap
    from streams.gateway_settings import FolderSettings
    from streams.settings import Settings

_LOOK_SECONDS: Final = 1.0
TAKEN: Final = "taken"
REFUSED: Final = "refused"


class Folders:
    """Looks at all folders again and again, on a thread of its own."""

    def __init__(self, settings: Settings, maps: Mapping[str, FeedMap]) -> None:
        """Nothing happens before `start`."""
        self._settings = settings
        self._maps = maps
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folders", daemon=True)
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self._log = structlog.get_logger("streams.gateway")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    async def stop(self) -> None:
        """End after the bunch of messages that is being sent."""
        import asyncio

        self._stopping.set()
        await asyncio.to_thread(self._thread.join, 30.0)

    def _run(self) -> None:
        backfill: Backfill | None = None
        while not self._stopping.wait(_LOOK_SECONDS):
            for folder in self._settings.gateway.folders:
                for path in self._settled(folder):
                    try:
                        backfill = backfill or Backfill(self._settings, self._maps)
                        self._take(backfill, folder, path)
                    except (NotAcknowledged, OSError) as error:
                        # The brokers or the disk are away: the file stays, and is looked at again.
                        self._log.warning("a watched file could not be taken yet", feed=folder.feed, error=error)
                    except Exception as error:  # noqa: BLE001 - one bad file must not end the watching of the others
                        self._log.error("a watched file failed", feed=folder.feed, error=error)
                        self._refuse(folder, path, f"a fault of myelowatch: {type(error).__name__}")
                    if self._stopping.is_set():
                        break
        if backfill is not None:
            backfill.close()

    def _settled(self, folder: FolderSettings) -> list[Path]:
        """Files that have not changed for a while, oldest name first."""
        try:
            inside = sorted(path for path in folder.path.iterdir() if path.is_file() and not path.name.startswith("."))
        except OSError as error:
            self._log.warning("a watched folder cannot be read", feed=folder.feed, error=error)
            return []
        ready: list[Path] = []
        for path in inside:
            try:
                status = path.stat()
            except OSError:
                continue
            size, changed, since = self._seen.get(path, (-1, -1, 0.0))
            if (size, changed) != (status.st_size, status.st_mtime_ns):
                self._seen[path] = (status.st_size, status.st_mtime_ns, time.monotonic())
            elif time.monotonic() - since >= folder.settled_seconds:
                ready.append(path)
        return ready

    def _take(self, backfill: Backfill, folder: FolderSettings, path: Path) -> None:
        try:
            taken: Any = backfill.take(path, feed=folder.feed, live=folder.live, is_stopping=self._stopping.is_set)
        except Refusal as refusal:
            self._refuse(folder, path, str(refusal))
            return
        if taken.sent + taken.before == taken.messages:
            self._move(path, folder.path / TAKEN)
            self._log.info("a watched file is kept", feed=folder.feed, count=taken.messages)

    def _refuse(self, folder: FolderSettings, path: Path, why: str) -> None:
        place = self._move(path, folder.path / REFUSED)
        if place is not None:
            place.with_name(place.name + ".why.txt").write_text(why + "\n", encoding="utf-8")
        self._log.warning("a watched file cannot be read", feed=folder.feed)

    def _move(self, path: Path, folder: Path) -> Path | None:
        self._seen.pop(path, None)
        try:
            folder.mkdir(exist_ok=True)
            place = folder / path.name
            number = 1
            while place.exists():
                place = folder / f"{path.name}.{number}"
                number += 1
            path.rename(place)
        except OSError as error:
            self._log.error("a watched file could not be moved", error=error)
            return None
        return place
