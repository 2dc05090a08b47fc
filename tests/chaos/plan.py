"""How much of what: the full run of a release, and the short one of every submission."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    seed: int
    reports: int
    """At least so many; the feed goes on until the last fault has healed."""
    patients: int
    rate: float
    """Messages a second while things break."""
    aimed_kills: int
    kills: int
    broker_kills: int
    broker_restarts: int
    pauses: int
    long_pauses: int
    short_pause: tuple[float, float]
    long_pause: tuple[float, float]
    session_seconds: float
    partitions: int = 4
    mutant: str = ""

    def faults(self) -> list[str]:
        """Every fault by kind, not yet in order."""
        return [
            *["aimed-kill"] * self.aimed_kills,
            *["kill"] * self.kills,
            *["broker-kill"] * self.broker_kills,
            *["broker-restart"] * self.broker_restarts,
            *["pause"] * self.pauses,
            *["long-pause"] * self.long_pauses,
        ]


def full(seed: int, mutant: str = "") -> Plan:
    """Forty faults over at least 20,000 reports."""
    return Plan(
        seed=seed,
        reports=20_000,
        patients=400,
        rate=50.0,
        aimed_kills=12,
        kills=8,
        broker_kills=3,
        broker_restarts=2,
        pauses=10,
        long_pauses=5,
        short_pause=(2.0, 15.0),
        long_pause=(20.0, 30.0),
        session_seconds=10.0,
        mutant=mutant,
    )


def short(seed: int, mutant: str = "") -> Plan:
    """Seven faults; a pause longer than the session needs a short session."""
    return Plan(
        seed=seed,
        reports=3_000,
        patients=150,
        rate=60.0,
        aimed_kills=3,
        kills=1,
        broker_kills=1,
        broker_restarts=0,
        pauses=1,
        long_pauses=1,
        short_pause=(2.0, 3.0),
        long_pause=(9.0, 10.0),
        session_seconds=4.0,
        mutant=mutant,
    )
