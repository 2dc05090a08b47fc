"""How often each rule speaks in the synthetic ward: alerts raised per 100 patient-months on lenalidomide.

    python -m tests.alert_rates [--patients 40] [--weeks 14] [--seed 7] [--profile kr-panel]

The ward is made up so that something happens to every second patient and each kind of mishap to somebody: the
figures tell a rule that speaks too often, not how often anything happens in a hospital.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from rules.policy.reading import Policy
from schemas.alerts import TransitionKind
from streams.simulator import simulate
from streams.simulator.ward import DEFAULT_PATIENTS, DEFAULT_SEED, DEFAULT_WEEKS
from tests.rules.bedside import PROFILES, policy
from tests.rules.ward import walked

MONTH = timedelta(days=365.25 / 12)


@dataclass(frozen=True)
class Rates:
    """What was raised, by rule and severity, of how many patients, in how many patient-months."""

    months: float
    raised: Counter[tuple[str, str]]
    patients: Counter[tuple[str, str]]

    def per_100(self, key: tuple[str, str]) -> float:
        """Alerts of a rule and severity in 100 patient-months."""
        return 100 * self.raised[key] / self.months


def measure(patients: int, weeks: int, seed: int, using: Policy) -> Rates:
    """Walk the ward and count."""
    happenings = list(simulate(patients, weeks, seed))
    records, told = walked(happenings, using)
    end = happenings[-1].known_at
    spans = [
        (record.ledger.ended_at or end) - record.ledger.started_at
        for record in records.values()
        if record.ledger.started_at is not None
    ]
    raised = [(who, (t.rule, t.severity.value)) for who, t in told if t.transition is TransitionKind.RAISED]
    return Rates(
        sum(spans, timedelta()) / MONTH, Counter(key for _, key in raised), Counter(key for _, key in set(raised))
    )


def lines(rates: Rates) -> Iterable[str]:
    """A table, the most frequent first."""
    yield f"{rates.months:.0f} patient-months"
    yield f"{'rule':<24} {'severity':<9} {'raised':>6} {'patients':>8} {'per 100 patient-months':>23}"
    for key, count in sorted(rates.raised.items(), key=lambda item: (-item[1], item[0])):
        yield f"{key[0]:<24} {key[1]:<9} {count:>6} {rates.patients[key]:>8} {rates.per_100(key):>23.1f}"
    for severity in ("critical", "high", "medium", "info"):
        total = sum(count for key, count in rates.raised.items() if key[1] == severity)
        yield f"{'all of ' + severity:<34} {total:>6} {'':>8} {100 * total / rates.months:>23.1f}"


def main() -> None:
    """Print the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--patients", type=int, default=DEFAULT_PATIENTS)
    ask.add_argument("--weeks", type=int, default=DEFAULT_WEEKS)
    ask.add_argument("--seed", type=int, default=DEFAULT_SEED)
    ask.add_argument("--profile", choices=PROFILES, default=PROFILES[0])
    asked = ask.parse_args()
    for line in lines(measure(asked.patients, asked.weeks, asked.seed, policy(asked.profile))):
        print(line)


if __name__ == "__main__":
    main()
