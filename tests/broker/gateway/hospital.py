"""Senders that do what a good interface engine does: one message at a time, and again until it is acknowledged."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.gateway.mllp_client import MllpClient, NoAnswer


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(slots=True)
class Sender:
    """One connection of a hospital."""

    port: int
    messages: Sequence[tuple[str, bytes]]
    seconds: float = 5.0
    host: str = "127.0.0.1"
    connect: Callable[[], MllpClient] | None = None
    acknowledged: list[str] = field(default_factory=list)
    negative: list[tuple[str, str]] = field(default_factory=list)
    unanswered: int = 0
    latencies: list[float] = field(default_factory=list)
    give_up: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send each until it is acknowledged."""
        make = self.connect or (lambda: MllpClient(self.host, self.port, seconds=self.seconds))
        client = make()
        for control_id, body in self.messages:
            while not self.give_up.is_set():
                began = time.monotonic()
                try:
                    answer = client.send(body)
                except NoAnswer:
                    self.unanswered += 1
                    time.sleep(0.05)
                    continue
                assert answer.control_id == control_id
                if answer.is_positive:
                    self.acknowledged.append(control_id)
                    self.latencies.append(time.monotonic() - began)
                    break
                self.negative.append((control_id, answer.code))
                time.sleep(0.1)
        client.close()


def start(senders: Sequence[Sender]) -> list[threading.Thread]:
    """Let all of them send at once."""
    threads = [threading.Thread(target=each.run, daemon=True) for each in senders]
    for thread in threads:
        thread.start()
    return threads


def join(threads: Sequence[threading.Thread], seconds: float = 120.0) -> None:
    """Wait until all have finished, with a limit."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), "the senders did not come to an end"
