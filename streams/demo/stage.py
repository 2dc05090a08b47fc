"""What the demo stands on: a folder of its own, a real Kafka, the topics, and the roles as processes.

Everything is started by this process and ended by it, one by one, by what it was started as; nothing is
looked up by name. If the demo is killed, the broker's watchdog and the roles' leashes end the rest.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml

from streams.broker import LaptopKafka
from streams.broker.download_progress import DownloadProgress
from streams.broker.places import state_folder
from streams.demo.leash import STOP_SECONDS
from streams.demo.scraping import is_ready
from streams.refusals import CheckFailed
from streams.settings import ENVIRONMENT_PREFIX, NOT_SETTINGS, Settings, load_settings
from streams.simulator.event_writer import FEED
from streams.simulator.pathway import ZONE

LOOPBACK: Final = "127.0.0.1"

PARTITIONS: Final = 6
"""Fewer than a hospital's twelve: enough to share among workers, easy on a laptop."""

SECRET: Final = "synthetic patients need none"  # noqa: S105 - keys of people who do not exist
"""What the keys of the demo's patients are hashed with."""

READY_SECONDS: Final = 90.0
"""How long a role may take until it does its work; a cold laptop needs about ten."""

_LOG_LINES_SHOWN: Final = 12


@dataclass(slots=True)
class RunningRole:
    """One role as a process; `process` is the leash that holds it."""

    name: str
    process: subprocess.Popen[bytes]
    address: str
    log: Path


class Stage:
    """Use as a context: everything is up inside, and gone after."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        state = state_folder()
        state.mkdir(parents=True, exist_ok=True)
        # A folder a run, so that two demos at once never meet.
        self.folder = Path(tempfile.mkdtemp(prefix="demo-", dir=state))
        self._kafka: LaptopKafka | None = None
        self._roles: list[RunningRole] = []
        self._settings_file = self.folder / "settings.yaml"
        self.keep_folder = False
        """Set where something went wrong and the logs are worth reading."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop_roles()
        if self._kafka is not None and self._kafka.report() is not None:
            self._kafka.stop()
        if self.keep_folder or (error is not None and not isinstance(error, KeyboardInterrupt)):
            self._say(f"Logs are kept in {self.folder}.")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def settings(self) -> Settings:
        """What every role of this run goes by; there once the broker is started."""
        return load_settings(environment={}, file=self._settings_file)

    @property
    def addresses(self) -> list[str]:
        """Where the roles serve their metrics."""
        return [role.address for role in self._roles]

    def start_broker(self) -> None:
        """A real Kafka of one node; fetched once, with a progress bar."""
        with DownloadProgress() as progress:
            self._kafka = LaptopKafka(
                self.folder / "broker", 1, log=self._say, progress=progress.show, die_with_parent=True
            )
            self._kafka.start()
        values = {
            "kafka": {"brokers": self._kafka.bootstrap},
            "partitions": PARTITIONS,
            "feeds": {FEED: {"timezone": ZONE.key}},
            "key_secret": SECRET,
            "explicit_known_at": True,
            "state": str(self.folder / "state"),
        }
        self._settings_file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def create_topics(self) -> None:
        """From the one table, as a hospital would."""
        done = subprocess.run(
            [sys.executable, "-m", "streams", "topics", "apply"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise CheckFailed(f"The topics could not be created:\n{done.stderr.decode(errors='replace').strip()}")

    def start_role(self, name: str) -> None:
        """Start a role as a process of its own, with its own metrics port."""
        number = sum(role.name.startswith(name) for role in self._roles) + 1
        port = _free_port()
        environment = self._environment() | {
            f"{ENVIRONMENT_PREFIX}METRICS_PORT": str(port),
            f"{ENVIRONMENT_PREFIX}STATE": str(self.folder / f"{name}-{number}"),
        }
        log = self.folder / f"{name}-{number}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams.demo.leash", name],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._roles.append(RunningRole(f"{name} {number}", process, f"http://{LOOPBACK}:{port}", log))

    def wait_until_ready(self) -> None:
        """Wait until every role does its work; raises with the end of its log where one does not."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self._roles)
        while waiting:
            self.check_roles()
            waiting = [role for role in waiting if not is_ready(role.address)]
            if waiting and time.monotonic() > deadline:
                raise CheckFailed(
                    f"The {waiting[0].name} was not ready within {READY_SECONDS:.0f} s. {_end_of(waiting[0].log)}"
                )
            time.sleep(0.1)

    def check_roles(self) -> None:
        """Raise where a role has ended by itself."""
        for role in self._roles:
            if role.process.poll() is not None:
                raise CheckFailed(
                    f"The {role.name} ended with exit code {role.process.returncode}. {_end_of(role.log)}"
                )

    def stop_roles(self) -> None:
        """Ask every role to stop, in the reverse order of starting, and wait for it."""
        for role in reversed(self._roles):
            if role.process.stdin is not None:
                role.process.stdin.close()
        for role in reversed(self._roles):
            try:
                role.process.wait(STOP_SECONDS + 5)
            except subprocess.TimeoutExpired:
                role.process.kill()
                role.process.wait()
        self._roles.clear()

    def _environment(self) -> dict[str, str]:
        """This process's environment without any setting of an installation that may lie around."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(ENVIRONMENT_PREFIX) or name in NOT_SETTINGS
        }
        root = str(Path(__file__).resolve().parents[2])
        # Without this, roles started from another folder would not find a package that is only a checkout.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
        environment["MYELOWATCH_SETTINGS"] = str(self._settings_file)
        return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LOG_LINES_SHOWN:]
    return "The end of its log:\n" + "\n".join(lines) if lines else "Its log is empty."
