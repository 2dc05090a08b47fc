"""Since when and until when a medicine or class counts as taken: runs of coverage without a gap.

What `view.covered_by` says of one instant, this says of the past as well: where a run began, and when the
last one ended. Rules about a medicine that is missing need the end of the last run; rules about two things
that must not meet need the beginning of the present one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.course import covers_until
from rules.picture import Supply
from rules.policy.terms import Policy
from schemas.events import FactStatus


@dataclass(frozen=True, slots=True)
class Span:
    """One run of coverage: `until` without grace, `ends` with it (the first instant not covered)."""

    begins: datetime
    until: datetime
    ends: datetime
    first: Supply
    newest: Supply

    def holds_at(self, at: datetime) -> bool:
        """Whether the instant is covered, grace included."""
        return self.begins <= at < self.ends


def coverage_spans(supplies: Iterable[Supply], policy: Policy, zone: str) -> tuple[Span, ...]:
    """Runs of coverage by any of these supplies (in clinical order), oldest first; carried stock counts.

    What was only planned covers nothing. A dose given covers a little while, without grace.
    """
    grace = policy.terms.coverage_grace_days.span
    stock: dict[str, datetime] = {}
    runs: list[list[Supply]] = []
    borders: list[tuple[datetime, datetime]] = []
    for supply in supplies:
        if supply.status is FactStatus.PLANNED:
            continue
        until = covers_until(supply, stock.get(supply.medicine), policy, zone)
        if supply.way == "dispensed":
            stock[supply.medicine] = until
        ends = until if supply.way == "given" else until + grace
        if borders and supply.at <= borders[-1][1]:
            borders[-1] = (max(borders[-1][0], until), max(borders[-1][1], ends))
            runs[-1].append(supply)
        else:
            borders.append((until, ends))
            runs.append([supply])
    return tuple(
        Span(run[0].at, until, ends, run[0], run[-1]) for run, (until, ends) in zip(runs, borders, strict=True)
    )
