"""What is recorded of contraception, as stretches of time in which it suffices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.picture import Statement
from rules.view import View

CODE = "contraception"
FOR_MEN = frozenset(("abstinence", "condom"))


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch without a gap; `newest` is the record it stands on at its end."""

    begins: datetime
    ends: datetime | None
    newest: Statement

    def holds_at(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.begins <= at and (self.ends is None or at < self.ends)


def enough_for_women(view: View) -> frozenset[str]:
    """Which records suffice: abstinence, and one or two methods as the policy asks (ambiguity 18)."""
    return frozenset(("abstinence", "two-methods") if view.policy.terms.ppp_two_methods else
                     ("abstinence", "two-methods", "one-method"))  # fmt: skip


def runs(view: View, enough: Iterable[str]) -> tuple[Run, ...]:
    """Stretches in which the record suffices, oldest first; each statement holds until its end or the next."""
    stated, accepted = records(view), frozenset(enough)
    found: list[Run] = []
    for place, record in enumerate(stated):
        following = stated[place + 1].at if place + 1 < len(stated) else None
        ends = min((i for i in (record.until, following) if i is not None), default=None)
        if record.value_code not in accepted or (ends is not None and ends <= record.at):
            continue
        if found and found[-1].ends == record.at:
            found[-1] = Run(found[-1].begins, ends, record)
        else:
            found.append(Run(record.at, ends, record))
    return tuple(found)


def records(view: View) -> tuple[Statement, ...]:
    """Every record of contraception that is kept, oldest first."""
    return tuple(stated for stated in view.ledger.stated if stated.code == CODE)
