"""The state table: Faust recovers it from the changelog, we decide what wins and when a record is kept.

Reads and writes `patient.state-changelog`. Keeps the frames of the partitions this worker holds, in memory
or in one RocksDB a partition. `put` sends to the changelog under an explicit partition, waits for the
broker's acknowledgement with a time limit, and only then shows the frame to readers: what `get` answers is
always kept. On recovery the highest applied offset wins (`streams.state`), and a key behind whose newest
frame an older one was written is written again before the partition is used.

RocksDB is a copy that saves reading the whole changelog at a warm start. Its offset is written in the same
batch as the frames, so it never claims more than it has. On any storage error the process ends; the
folder may be deleted at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import faust
import rocksdict
from faust.stores.base import Store as FaustStore
from faust.types import TP

from streams.ports import NotAcknowledged, Put
from streams.state import is_newer

_WRITE_BUFFER_BYTES: Final = 2 * 1024 * 1024
"""Of each of two buffers a partition: a dozen partitions stay below 50 MB."""
_OFFSET_KEY: Final = b"~~offset"
"""Not a key of ours: it has two tildes."""


class Shelf(Protocol):
    """The frames of one partition, as this process has them."""

    def get(self, key: bytes) -> bytes | None: ...
    def write(self, frames: Sequence[tuple[bytes, bytes | None]], offset: int | None) -> None:
        """Keep frames (None forgets), and up to which changelog offset they reach."""

    def scan(self) -> Iterator[tuple[bytes, bytes]]: ...
    def offset(self) -> int | None: ...
    def close(self) -> None: ...


class MemoryShelf:
    """A dictionary."""

    def __init__(self) -> None:
        """Empty."""
        self._frames: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._frames.get(key)

    def write(self, frames: Sequence[tuple[bytes, bytes | None]], offset: int | None) -> None:
        for key, value in frames:
            if value is None:
                self._frames.pop(key, None)
            else:
                self._frames[key] = value

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        yield from list(self._frames.items())

    def offset(self) -> int | None:
        return None

    def close(self) -> None:
        self._frames.clear()


class RocksShelf:
    """One RocksDB in its own folder."""

    def __init__(self, folder: Path) -> None:
        """Open it, or make it."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_max_open_files(64)
        options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(2)
        options.set_keep_log_file_num(2)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        try:
            self._db = rocksdict.Rdict(str(folder), options)
        except Exception as error:
            if "lock" in str(error).lower():
                raise
            # A copy that cannot be opened (torn by a full disk) is worth nothing: the changelog has everything.
            shutil.rmtree(folder)
            self._db = rocksdict.Rdict(str(folder), options)

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._db.get(key)
        return value

    def write(self, frames: Sequence[tuple[bytes, bytes | None]], offset: int | None) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in frames:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if offset is not None:
            batch.put(_OFFSET_KEY, b"%d" % offset)
        self._db.write(batch)

    def scan(self) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._db.items():
            if key != _OFFSET_KEY:
                yield key, value

    def offset(self) -> int | None:
        raw = self._db.get(_OFFSET_KEY)
        return None if raw is None else int(raw)

    def close(self) -> None:
        self._db.close()


class StateStore(FaustStore[bytes, bytes]):
    """What Faust sees of our shelves: recovery writes into them, and asks how far they reach."""

    def __init__(self, *args: Any, folder: Path | None, **kwargs: Any) -> None:
        """`folder` None keeps everything in memory."""
        super().__init__(*args, **kwargs)
        self._folder = folder
        self.shelves: dict[int, Shelf] = {}
        self.shadowed: dict[int, set[bytes]] = {}

    def shelf(self, partition: int) -> Shelf:
        """The shelf of a partition, opened on first use."""
        held = self.shelves.get(partition)
        if held is None:
            held = MemoryShelf() if self._folder is None else RocksShelf(self._folder / f"partition-{partition}")
            self.shelves[partition] = held
        return held

    def keep_only(self, partitions: Iterable[int]) -> None:
        """Close what is not ours any more."""
        kept = set(partitions)
        for partition in [each for each in self.shelves if each not in kept]:
            self.shelves.pop(partition).close()
            self.shadowed.pop(partition, None)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Recovery: the frame with the highest applied offset wins, whatever the order they were written in."""
        frames: dict[int, dict[bytes, bytes | None]] = {}
        reached: dict[int, int] = {}
        for event in batch:
            message = event.message
            partition, key, value = message.partition, message.key, message.value
            pending = frames.setdefault(partition, {})
            shadowed = self.shadowed.setdefault(partition, set())
            held = pending[key] if key in pending else self.shelf(partition).get(key)
            if value is None or is_newer(value, held):
                pending[key] = value
                shadowed.discard(key)
            else:
                shadowed.add(key)
            reached[partition] = max(reached.get(partition, -1), message.offset)
        for partition, pending in frames.items():
            self.shelf(partition).write(list(pending.items()), reached[partition])

    def persisted_offset(self, tp: TP) -> int | None:
        """Up to where the changelog need not be read again."""
        return self.shelf(tp.partition).offset()

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Ours is written with the frames."""

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Close the shelves of partitions that went elsewhere, before anybody else opens them."""
        topic = self.table.changelog_topic.get_topic_name()
        self.keep_only(tp.partition for tp in assigned if tp.topic == topic)

    async def on_stop(self) -> None:
        """Close everything."""
        self.keep_only(())

    def reset_state(self) -> None:
        """Forget the local copies."""
        self.keep_only(())
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __getitem__(self, key: bytes) -> bytes:
        raise NotImplementedError("state is read by partition and key: use StateTable.get")

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise NotImplementedError("state is written by partition, acknowledged: use StateTable.put")

    def __delitem__(self, key: bytes) -> None:
        raise NotImplementedError("state is written by partition, acknowledged: use StateTable.put")

    def __iter__(self) -> Iterator[bytes]:
        for shelf in self.shelves.values():
            for key, _ in shelf.scan():
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        """The changelog is the backup."""
        raise NotImplementedError

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        """The changelog is the backup."""
        raise NotImplementedError


class StateTable(faust.Table[bytes, bytes]):
    """The `Store` port over Faust's table: explicit partitions, awaited changelog."""

    def __init__(
        self,
        app: Any,
        *,
        changelog: str,
        folder: Path | None,
        acknowledge_within: float,
        on_recovered: Any,
        **kwargs: Any,
    ) -> None:
        """`on_recovered(partitions)` is awaited when all our partitions are rebuilt and repaired."""
        self._changelog = changelog
        self._folder = folder
        self._acknowledge_within = acknowledge_within
        self._on_recovered = on_recovered
        super().__init__(app, key_type=bytes, value_type=bytes, **kwargs)

    def _changelog_topic_name(self) -> str:
        return self._changelog

    def _new_store(self) -> StateStore:
        return StateStore(
            "memory://" if self._folder is None else "rocksdb://",
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            folder=self._folder,
            loop=self.loop,
        )

    @property
    def shelves(self) -> StateStore:
        """The store, with its own type."""
        store: StateStore = self.data
        return store

    def get(self, partition: int, key: bytes) -> bytes | None:
        """The kept frame, or None."""
        return self.shelves.shelf(partition).get(key)

    def scan(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every key of a partition with its frame."""
        return self.shelves.shelf(partition).scan()

    async def put(self, records: Sequence[Put]) -> None:
        """Send, await every acknowledgement, then keep. See `streams.ports.Store`."""
        producer = self.app.producer
        futures = [
            await producer.send(self._changelog, put.key, put.value, put.partition, None, None) for put in records
        ]
        places = await settle(futures, self._acknowledge_within)
        landed: dict[int, list[tuple[Put, int]]] = {}
        for put, place in zip(records, places, strict=True):
            landed.setdefault(put.partition, []).append((put, place.offset))
        for partition, written in landed.items():
            # A partition that went elsewhere while we waited has no shelf here any more. One that came back has
            # been rebuilt meanwhile, and may hold newer frames than ours.
            shelf = self.shelves.shelves.get(partition)
            if shelf is not None:
                frames = [
                    (put.key, put.value)
                    for put, _ in written
                    if put.value is None or is_newer(put.value, shelf.get(put.key))
                ]
                shelf.write(frames, follow(shelf.offset(), (offset for _, offset in written)))

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Repair what an older frame hides, then say that the partitions are ready."""
        partitions = sorted(tp.partition for tp in active_tps)
        repairs = [
            Put(partition, key, self.get(partition, key))
            for partition in partitions
            for key in sorted(self.shelves.shadowed.get(partition, ()))
        ]
        await super().on_recovery_completed(active_tps, standby_tps)
        if repairs:
            await self.put(repairs)
            for partition in partitions:
                self.shelves.shadowed.pop(partition, None)
        await self._on_recovered(partitions, len(repairs))


def follow(reached: int | None, offsets: Iterable[int]) -> int | None:
    """Up to where a copy follows the changelog once its own records at these offsets are in it.

    Only without a gap: what stands between was written by somebody else (a worker that took the partition
    over while we were paused), and a copy that claims to have it would miss it for ever.
    """
    last = -1 if reached is None else reached
    for offset in sorted(offsets):
        if offset == last + 1:
            last = offset
    return None if last < 0 else last


async def settle(futures: Sequence[Any], within: float) -> list[Any]:
    """The broker's answers to all of them; `NotAcknowledged` where one is missing or says no in time."""
    if not futures:
        return []
    done, pending = await asyncio.wait(futures, timeout=within)
    for future in pending:
        with contextlib.suppress(Exception):
            future.cancel()
    if pending:
        raise NotAcknowledged(f"{len(pending)} of {len(futures)} records were not acknowledged in {within:.0f} s")
    for future in done:
        error = future.exception()
        if error is not None:
            raise NotAcknowledged(f"a record was refused: {type(error).__name__}") from error
    return [future.result() for future in futures]
