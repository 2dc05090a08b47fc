"""The three answers of a rule: a finding, nothing, or "cannot assess" with what is missing.

Every answer carries `recheck_at`: the earliest instant at which it would change with no new fact.
"Nothing found" and "could not assess" never look the same.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from rules.picture import AnyKept
from rules.policy.terms import Number
from schemas.alerts import Advice


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A fact the finding stands on, with the phrase a pharmacist reads."""

    what: str
    fact: AnyKept


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a rule found. Severity comes from the policy by (rule, reason).

    `subject` tells one alert of a rule from another where a rule can have several at once (a fact
    id, an analyte); empty where there is one. `since` is when the subject began, `effective_at`
    the clinical time of the deciding fact (or the due instant).
    """

    subject: str = ""
    since: datetime
    effective_at: datetime
    reason: str | None = None
    title: str
    message: str
    advice: Advice | None = None
    evidence: tuple[Shown, ...] = ()
    thresholds: tuple[Number, ...] = ()
    episode: int | None = None
    is_provisional: bool = False
    context: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True, gc=False):
    """One finding or several (of different subjects)."""

    findings: tuple[Finding, ...]
    recheck_at: datetime | None = None


class Nothing(msgspec.Struct, frozen=True, gc=False):
    """Assessed, and there is nothing to say."""

    recheck_at: datetime | None = None


class CannotAssess(msgspec.Struct, frozen=True, gc=False):
    """The rule applies, and these facts are missing; never the same as nothing."""

    missing: tuple[str, ...]
    recheck_at: datetime | None = None


Answer = Found | Nothing | CannotAssess

NOTHING = Nothing()


def found(finding: Finding, recheck_at: datetime | None = None) -> Found:
    """A single finding."""
    return Found((finding,), recheck_at)


def latest(first: datetime, *others: datetime | None) -> datetime:
    """The last of the instants that are set."""
    return max((first, *(instant for instant in others if instant is not None)))


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of the instants that are set."""
    return min((instant for instant in instants if instant is not None), default=None)
