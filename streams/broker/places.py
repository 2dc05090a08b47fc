"""Where the laptop broker keeps things: its data by working folder, its jars by user."""

import os
from pathlib import Path

from streams.broker.refusals import BrokerUnusableError


def state_folder() -> Path:
    """The folder of everything a local run leaves behind: `MYELOWATCH_STATE`, else `.myelowatch` where one stands."""
    return Path(os.environ.get("MYELOWATCH_STATE") or ".myelowatch").expanduser().absolute()


def broker_folder() -> Path:
    """The part of the state folder that belongs to the broker of the `myelowatch broker` command."""
    return state_folder() / "broker"


def cache_folder() -> Path:
    """The folder of what any checkout may use again: `MYELOWATCH_CACHE`, else the user's cache folder."""
    named = os.environ.get("MYELOWATCH_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    # The XDG base directory specification says: a relative path there is invalid and is to be ignored.
    parent = Path(shared) if shared and Path(shared).is_absolute() else Path.home() / ".cache"
    return parent / "myelowatch"


def kafka_file(name: str) -> Path:
    """A file of `deploy/kafka`: in a wheel it lies beside this module, in a checkout under `deploy/`."""
    here = Path(__file__).resolve().parent
    for folder in (here / "kafka", here.parents[1] / "deploy" / "kafka"):
        if (folder / name).is_file():
            return folder / name
    raise BrokerUnusableError(
        f"The file {name} of the laptop broker is missing from this installation: install myelowatch again, "
        "or run it from a whole checkout."
    )
