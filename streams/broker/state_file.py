"""What the laptop broker remembers between commands: its nodes, their ports and processes.

One small JSON file in the broker's folder, replaced whole at each change, read by `status`, by other processes that
want the address, and by the watchdog.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from streams.broker.process_marks import ProcessMark
from streams.broker.refusals import BrokerUnusableError

FORMAT = 1


@dataclass(slots=True)
class NodeState:
    """One Kafka process: its number, its two ports, and its process while it runs."""

    number: int
    port: int
    controller_port: int
    process: ProcessMark | None = None


@dataclass(slots=True)
class BrokerState:
    """The whole laptop broker."""

    kafka_version: str
    cluster_id: str
    nodes: list[NodeState]
    watchdog: ProcessMark | None = None
    #: Changes with every start, so that the watchdog of an earlier run never touches a later one.
    run: int = 0
    format: int = field(default=FORMAT)


def state_path(folder: Path) -> Path:
    """The file itself."""
    return folder / "broker.json"


def read_state(folder: Path) -> BrokerState | None:
    """What is remembered in `folder`, or None if no broker was ever started there."""
    path = state_path(folder)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BrokerUnusableError(
            f"{path} is damaged ({error}): remove the folder {folder} and start again."
        ) from error
    if known.get("format") != FORMAT:
        raise BrokerUnusableError(
            f"{folder} was written by another version of myelowatch: stop that broker with the version that started "
            "it, or remove the folder."
        )
    return BrokerState(
        kafka_version=known["kafka_version"],
        cluster_id=known["cluster_id"],
        nodes=[
            NodeState(node["number"], node["port"], node["controller_port"], _mark(node["process"]))
            for node in known["nodes"]
        ],
        watchdog=_mark(known["watchdog"]),
        run=known["run"],
    )


def write_state(folder: Path, state: BrokerState) -> None:
    """Replace the file whole: a reader sees the old state or the new one, never half of one."""
    aside = folder / f"broker.json.{os.getpid()}"
    aside.write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")
    aside.replace(state_path(folder))


def _mark(known: dict[str, str | int] | None) -> ProcessMark | None:
    return None if known is None else ProcessMark(int(known["pid"]), str(known["born"]))
