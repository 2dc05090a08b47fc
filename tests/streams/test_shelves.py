"""The local copies of the state: what recovery keeps, what `put` shows, what survives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streams.agents.table import MemoryShelf, RocksShelf, Shelf, StateStore, settle
from streams.ports import NotAcknowledged
from streams.state import Frame, applied_in


def frame(applied: int) -> bytes:
    return Frame(applied=applied, payload=b"p").to_bytes()


@pytest.fixture(params=["memory", "rocksdb"])
def open_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Shelf]:
    if request.param == "memory":
        return MemoryShelf
    return lambda: RocksShelf(tmp_path / "partition-3")


@pytest.fixture
def shelf(open_shelf: Callable[[], Shelf]) -> Iterator[Shelf]:
    shelf = open_shelf()
    yield shelf
    shelf.close()


def test_what_is_written_is_read(shelf: Shelf) -> None:
    shelf.write([(b"a", b"1"), (b"b", b"2")], 7)
    shelf.write([(b"a", None)], 8)
    assert shelf.get(b"a") is None
    assert shelf.get(b"b") == b"2"
    assert list(shelf.scan()) == [(b"b", b"2")]


def test_a_disk_copy_knows_how_far_it_reaches(tmp_path: Path) -> None:
    shelf = RocksShelf(tmp_path / "partition-3")
    assert shelf.offset() is None
    shelf.write([(b"a", b"1")], 41)
    shelf.close()
    again = RocksShelf(tmp_path / "partition-3")
    assert (again.offset(), again.get(b"a")) == (41, b"1")
    again.close()


def test_a_disk_copy_that_cannot_be_opened_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "partition-3"
    RocksShelf(folder).close()
    (folder / "CURRENT").write_bytes(b"torn")
    shelf = RocksShelf(folder)
    assert list(shelf.scan()) == []
    shelf.close()


class Changelog:
    """Events as the engine gives them to a table."""

    def __init__(self) -> None:
        self._next = 0

    def event(self, key: bytes, value: bytes | None, partition: int = 3) -> Any:
        self._next += 1
        message = SimpleNamespace(partition=partition, key=key, value=value, offset=self._next - 1)
        return SimpleNamespace(message=message)


@pytest.fixture(params=[None, "disk"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    folder = None if request.param is None else tmp_path
    app = SimpleNamespace(conf=SimpleNamespace())
    store = StateStore("memory://", app, SimpleNamespace(name="t"), table_name="t", folder=folder)  # type: ignore[arg-type]
    yield store
    store.keep_only(())


async def test_recovery_keeps_the_highest_applied_offset_across_batches(store: StateStore) -> None:
    log = Changelog()
    store.apply_changelog_batch(
        [log.event(b"k", frame(5)), log.event(b"k", frame(9)), log.event(b"k", frame(7))], None, None
    )
    store.apply_changelog_batch([log.event(b"k", frame(8)), log.event(b"o", frame(1))], None, None)
    assert applied_in(store.shelf(3).get(b"k") or b"") == 9
    assert store.shadowed[3] == {b"k"}, "the last record on the changelog is older: it is to be written again"
    store.apply_changelog_batch([log.event(b"k", frame(10))], None, None)
    assert store.shadowed[3] == set()


async def test_a_tombstone_forgets(store: StateStore) -> None:
    log = Changelog()
    store.apply_changelog_batch([log.event(b"k", frame(5)), log.event(b"k", None)], None, None)
    assert store.shelf(3).get(b"k") is None


async def test_partitions_that_went_elsewhere_are_closed(store: StateStore) -> None:
    log = Changelog()
    store.apply_changelog_batch([log.event(b"k", frame(5)), log.event(b"k", frame(5), partition=4)], None, None)
    store.keep_only([4])
    assert set(store.shelves) == {4}


async def test_settling_waits_for_every_answer() -> None:
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(2)]
    loop.call_later(0.01, futures[1].set_result, "b")
    futures[0].set_result("a")
    assert await settle(futures, 1) == ["a", "b"]


async def test_settling_says_no_in_time() -> None:
    future = asyncio.get_running_loop().create_future()
    with pytest.raises(NotAcknowledged, match="1 of 1"):
        await settle([future], 0.01)


async def test_a_refused_record_is_not_acknowledged() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_exception(RuntimeError("too large"))
    with pytest.raises(NotAcknowledged, match="RuntimeError"):
        await settle([future], 1)
