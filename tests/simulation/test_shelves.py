"""The store of a worker: what it shows and claims after an acknowledgement. Found by the simulation, held here."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.agents.table import MemoryShelf, StateTable, follow
from streams.ports import Put
from streams.state import Frame

pytestmark = pytest.mark.simulation


class Shelf(MemoryShelf):
    """Remembers up to where it was told that it reaches."""

    def __init__(self, reached: int | None) -> None:
        super().__init__()
        self.reached = reached

    def write(self, frames: Any, offset: int | None) -> None:
        super().write(frames, offset)
        if offset is not None:
            self.reached = offset

    def offset(self) -> int | None:
        return self.reached


class Table(StateTable):
    """The store port over a producer that answers with the offsets it is given."""

    def __init__(self, shelf: Shelf, offsets: list[int]) -> None:
        self._changelog = "changelog"
        self._acknowledge_within = 1.0
        self.shelf = shelf
        self.app = SimpleNamespace(producer=SimpleNamespace(send=self._send))
        self._offsets = iter(offsets)

    async def _send(self, *_: Any) -> Any:
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(SimpleNamespace(offset=next(self._offsets)))
        return answer

    @property
    def shelves(self) -> Any:
        return SimpleNamespace(shelves={0: self.shelf})


def frame(applied: int) -> bytes:
    return Frame(applied=applied, payload=b"%d" % applied).to_bytes()


async def test_an_older_frame_that_is_acknowledged_late_replaces_nothing() -> None:
    shelf = Shelf(reached=9)
    shelf.write([(b"p", frame(7))], None)

    await Table(shelf, [10]).put([Put(0, b"p", frame(5))])

    assert shelf.get(b"p") == frame(7)


async def test_a_copy_claims_only_what_it_has_seen() -> None:
    shelf = Shelf(reached=9)

    await Table(shelf, [10, 12]).put([Put(0, b"p", frame(5)), Put(0, b"q", frame(6))])

    assert shelf.reached == 10, "somebody else wrote at 11"
    assert shelf.get(b"q") == frame(6)


@pytest.mark.parametrize(
    ("reached", "offsets", "expected"),
    [(None, [0, 1], 1), (None, [4], None), (3, [4, 5, 6], 6), (3, [6, 5, 4], 6), (3, [5], 3), (3, [], 3)],
)
def test_follow(reached: int | None, offsets: list[int], expected: int | None) -> None:
    assert follow(reached, offsets) == expected
