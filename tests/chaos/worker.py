"""The product's worker as a process of its own, with places at which it kills itself when it is told to.

Started by the rig with the settings of the product in its environment. `CHAOS_FOLDER` is where the rig leaves
an aim (`aim.json`: a point and how often to let it pass) and where the worker writes down at which point it
died. Nothing of this is in the product: the points are wrapped around the bodies and the ports here.

It counts the entries it has applied since its last recovery and dies at no aim before the hundredth: a kill of
a worker that has done nothing proves nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streams.agents.log
import streams.agents.table
import streams.app
from streams.agents.engine import Consumer
from streams.agents.log import FaustLog
from streams.agents.table import StateTable
from streams.monitor import Batch, Monitor, Outcome
from streams.observability.logs import configure_logs
from streams.ports import Arrived, Outgoing, Put
from streams.refusals import Refusal
from streams.settings import load_settings
from streams.topics import Subject
from streams.worker import build_parts, run_worker

POINTS: Final = (
    "alerts-sent",
    "alerts-acknowledged",
    "current-shown",
    "state-sent",
    "state-kept",
    "before-commit",
)
"""All lie between the first unacknowledged alert of a batch and the commit of its offsets."""

APPLIED_AT_LEAST: Final = 100


class Aim:
    """Knows where the process is to die."""

    def __init__(self, folder: Path) -> None:
        """`folder` is this worker's own."""
        self._file = folder / "aim.json"
        self._died = folder / "died.ndjson"
        self._chance = random.Random(os.getpid())
        self.applied = 0
        self.has_alerts = False
        """Whether the batch under way says anything."""

    def passes(self, point: str) -> None:
        """The process stands at a point: the last thing it does, if it was told so."""
        if not self.has_alerts or self.applied < APPLIED_AT_LEAST or not self._file.exists():
            return
        aim = json.loads(self._file.read_text(encoding="utf-8"))
        if aim["point"] != point:
            return
        if aim["skip"] > 0:
            aim["skip"] -= 1
            self._file.write_text(json.dumps(aim), encoding="utf-8")
            return
        self._file.unlink()
        with self._died.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"point": point, "applied": self.applied, "pid": os.getpid()}) + "\n")
        os.kill(os.getpid(), signal.SIGKILL)

    async def passes_soon(self, point: str) -> None:
        """The same, a moment later: what was sent may be on its way, or there, or neither."""
        if self.has_alerts and self._file.exists():
            await asyncio.sleep(self._chance.uniform(0, 0.004))
        self.passes(point)


def arm(aim: Aim) -> None:
    """Wrap the points around the bodies and the ports of this process."""
    take, say, show, keep = Monitor.take, Monitor.say, Monitor.show, Monitor.keep_records

    async def counting_take(self: Monitor, arrived: Sequence[Arrived]) -> Outcome:
        outcome = await take(self, arrived)
        before = aim.applied
        aim.applied += outcome.entries
        if aim.applied // 50 != before // 50:
            print(f"applied {aim.applied}", flush=True)
        return outcome

    async def dying_say(self: Monitor, batch: Batch) -> None:
        aim.has_alerts = bool(batch.transitions)
        await say(self, batch)
        aim.passes("alerts-acknowledged")

    async def dying_show(self: Monitor, batch: Batch) -> None:
        await show(self, batch)
        aim.passes("current-shown")

    async def dying_keep(self: Monitor, batch: Batch, *, with_markers: bool) -> None:
        await keep(self, batch, with_markers=with_markers)
        aim.passes("state-kept")

    Monitor.take = counting_take  # type: ignore[method-assign]
    Monitor.say = dying_say  # type: ignore[method-assign]
    Monitor.show = dying_show  # type: ignore[method-assign]
    Monitor.keep_records = dying_keep  # type: ignore[method-assign]
    _arm_ports(aim)


def _arm_ports(aim: Aim) -> None:
    send, put, settle = FaustLog.send, StateTable.put, streams.agents.table.settle
    acknowledge = Consumer.acknowledge
    sending: list[str] = []

    async def dying_send(self: FaustLog, records: Sequence[Outgoing]) -> None:
        says = records[0].topic.endswith(Subject.LIFECYCLE)
        sending.append("alerts-sent" if says else "")
        try:
            await send(self, records)
        finally:
            sending.pop()

    async def dying_put(self: StateTable, records: Sequence[Put]) -> None:
        sending.append("state-sent")
        try:
            await put(self, records)
        finally:
            sending.pop()

    async def dying_settle(futures: Sequence[Any], within: float) -> list[Any]:
        if sending and sending[-1]:
            await aim.passes_soon(sending[-1])
        return await settle(futures, within)

    def dying_acknowledge(self: Consumer, tp: Any, offsets: Any) -> None:
        acknowledge(self, tp, offsets)
        if tp.topic.endswith(Subject.LOG):
            aim.passes("before-commit")

    FaustLog.send = dying_send  # type: ignore[method-assign]
    StateTable.put = dying_put  # type: ignore[method-assign]
    streams.agents.table.settle = dying_settle
    streams.agents.log.settle = dying_settle
    Consumer.acknowledge = dying_acknowledge  # type: ignore[method-assign]


def plant(name: str) -> None:
    """Plant one of the bugs of the simulation, as far as it lies in a body or in recovery."""
    from tests.simulation.mutants import MUTANTS, LastWriteWins

    mutant = MUTANTS[name]
    streams.app.Monitor = mutant.monitor  # type: ignore[misc]
    streams.app.Translate = mutant.translate  # type: ignore[misc]
    if isinstance(mutant, LastWriteWins):
        streams.agents.table.is_newer = lambda candidate, held: True


def main() -> int:
    """Run until told to stop, or until the end that was planned."""
    configure_logs()
    aim = Aim(Path(os.environ["CHAOS_FOLDER"]))
    if os.environ.get("CHAOS_MUTANT"):
        plant(os.environ["CHAOS_MUTANT"])
    arm(aim)

    def on_ready(partitions: Sequence[int]) -> None:
        aim.applied = 0
        print("ready", *partitions, flush=True)

    settings = load_settings()
    try:
        return run_worker(settings, build_parts(settings, on_ready=on_ready))
    except Refusal as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return refusal.exit_code


if __name__ == "__main__":
    sys.exit(main())
