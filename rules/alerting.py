"""From findings to changes in the register of alerts, each with its cause.

One alert per patient, rule and subject. Findings are matched to open alerts by rule and overlapping
subject, never by an episode's number, which may change when an old result arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from rules.answers import Finding
from rules.calendar import days_between
from rules.entry import RuleEntry, Subject
from rules.ledger import Ledger
from rules.picture import Result
from rules.policy.terms import Policy
from rules.record import Alert, Closed
from schemas.alerts import Cause, Severity, TransitionKind


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A finding of a rule with the severity the policy gives it."""

    entry: RuleEntry
    finding: Finding
    severity: Severity
    gaps: tuple[tuple[str, str, datetime], ...] = ()
    """Only for `assessment-gap`: (rule, missing, since)."""

    @property
    def basis(self) -> str:
        """Digest of what it stands on; a change of it is news."""
        finding = self.finding
        parts: list[str] = [finding.reason or "", str(finding.is_provisional)]
        for shown in finding.evidence:
            value = shown.fact.value if isinstance(shown.fact, Result) else ""
            parts.append(f"{shown.fact.id}={value}@{shown.fact.at.isoformat()}")
        parts.extend(f"{number.key}={number.value}" for number in finding.thresholds)
        parts.extend(f"{rule}:{what}" for rule, what, _ in self.gaps)
        if finding.advice is not None:
            parts.append(f"{finding.advice.action}:{finding.advice.dose_mg}:{finding.advice.agent}")
        return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """Why the register is being looked at."""

    at: datetime
    caused_by: str
    cause: Cause
    """The cause of a closing or update that has no nearer one."""
    acted: frozenset[str] = frozenset()
    """Medicines, classes, concepts and codes of the facts that just came in."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """One transition to be written, before it is put into words."""

    kind: TransitionKind
    entry: RuleEntry
    alert: Alert
    judged: Judged | None
    cause: Cause
    superseded_by: str | None = None


@dataclass(slots=True)
class Register:
    """Open and closed alerts of one patient; private to one step."""

    alerts: list[Alert]
    closed: dict[str, Closed]
    predecessors: list[Alert] = field(default_factory=list)
    """Alerts of another number of this patient, each to be carried on by at most one that is raised now."""


Verdict = Callable[[RuleEntry, Alert], bool]
"""Whether an alert was true when it was raised, on what is known now."""


def is_same_subject(entry: RuleEntry, alert: Alert, finding: Finding, ledger: Ledger, policy: Policy) -> bool:
    """Whether a finding is about what an open alert is about."""
    if alert.subject != finding.subject:
        return False
    if entry.subject is Subject.COURSE:
        # What was raised at the order, before the first dose, is about the course that dose begins.
        return alert.course == ledger.number or (alert.course == 0 and ledger.number == 1)
    return _is_one_stretch(entry, alert, finding.since, ledger, policy)


def carries_on(entry: RuleEntry, old: Alert, subject: str, since: datetime, ledger: Ledger, policy: Policy) -> bool:
    """Whether a subject of this patient is what an alert of another number of theirs was about.

    Courses are numbered anew when two histories become one: of a course the rule alone decides.
    """
    if old.rule != entry.id or old.subject != subject:
        return False
    return _is_one_stretch(entry, old, since, ledger, policy)


def _is_one_stretch(entry: RuleEntry, alert: Alert, since: datetime, ledger: Ledger, policy: Policy) -> bool:
    """Whether what an alert is about goes on: no episode closed in between, the same cycle."""
    if entry.subject is Subject.EPISODE:
        return not any(
            past.opened.at <= alert.since < past.closed_at <= since
            for past in ledger.past_episodes
            if past.analyte in entry.reads
        )
    if entry.subject is Subject.CYCLE:
        return abs(days_between(alert.since, since, ledger.zone)) <= policy.terms.pre_cycle_window_days.whole * 2
    return True


def reconcile(
    register: Register,
    judged: Sequence[Judged],
    by_id: dict[str, RuleEntry],
    asked: AbstractSet[str],
    ledger: Ledger,
    policy: Policy,
    patient_key: str,
    occasion: Occasion,
    verdict: Verdict,
    live_from: datetime | None,
) -> list[Change]:
    """Bring the register in line with the findings; the changes are in the order of the catalogue.

    `judged` are all findings of the rules that were `asked`; alerts of the others stay as they are.
    """
    if not judged and all(alert.rule in by_id and alert.rule not in asked for alert in register.alerts):
        return []
    changes: list[Change] = []
    unmatched = list(judged)
    kept: list[Alert] = []
    gone: list[Alert] = []
    for alert in register.alerts:
        entry = by_id.get(alert.rule)
        if entry is not None and alert.rule not in asked:
            kept.append(alert)
            continue
        match = (
            next(
                (j for j in unmatched if j.entry is entry and is_same_subject(entry, alert, j.finding, ledger, policy)),
                None,
            )
            if entry is not None
            else None
        )
        if match is None:
            gone.append(alert)
            continue
        unmatched.remove(match)
        updated, change = _go_on(alert, match, occasion)
        kept.append(updated)
        if change is not None:
            changes.append(change)
    open_rules = {alert.rule for alert in kept if alert.superseded_by is None} | {new.entry.id for new in unmatched}
    # What ends is closed before anything is minted: the same subject raised again goes on counting.
    for alert in gone:
        _let_go(register, alert, by_id, kept, open_rules, occasion, verdict, ledger, changes)
    for new in unmatched:
        alert = _mint(register, new, ledger, policy, patient_key, occasion, live_from, {held.alert_id for held in kept})
        kept.append(alert)
        changes.append(Change(TransitionKind.RAISED, new.entry, alert, new, occasion.cause))
    order = {rule: place for place, rule in enumerate(by_id)} if len(kept) > 1 or len(changes) > 1 else {}
    kept.sort(key=lambda alert: (order.get(alert.rule, len(order)), alert.subject, alert.since))
    register.alerts = kept
    changes.sort(
        key=lambda change: (order.get(change.alert.rule, len(order)), change.alert.subject, change.alert.sequence)
    )
    return changes


def _go_on(alert: Alert, match: Judged, occasion: Occasion) -> tuple[Alert, Change | None]:
    finding = match.finding
    current = msgspec.structs.replace(
        alert,
        since=finding.since,
        effective_at=alert.effective_at if finding.since == alert.since else finding.effective_at,
        severity=match.severity,
        reason=finding.reason,
        basis=match.basis,
        title=finding.title,
        is_provisional=finding.is_provisional,
        episode=finding.episode,
        superseded_by=None,
    )
    if alert.superseded_by is not None:
        back = msgspec.structs.replace(current, sequence=alert.sequence + 1)
        return back, Change(TransitionKind.RAISED, match.entry, back, match, Cause.REINSTATED)
    if match.severity.rank != alert.severity.rank:
        cause = Cause.WORSE if match.severity.rank > alert.severity.rank else Cause.BETTER
        if occasion.cause is Cause.POLICY_CHANGE:
            cause = Cause.POLICY_CHANGE
    elif current.basis != alert.basis:
        cause = occasion.cause
    elif occasion.acted and not occasion.acted.isdisjoint(match.entry.acted_by):
        cause = Cause.ACTED_ON
    else:
        return current if current != alert else alert, None
    moved = msgspec.structs.replace(current, sequence=alert.sequence + 1)
    return moved, Change(TransitionKind.UPDATED, match.entry, moved, match, cause)


def _mint(
    register: Register,
    new: Judged,
    ledger: Ledger,
    policy: Policy,
    patient_key: str,
    occasion: Occasion,
    live_from: datetime | None,
    taken: set[str],
) -> Alert:
    finding = new.finding
    # The id is minted from the subject as first seen, and kept however the subject is seen later.
    seed = f"{patient_key}|{new.entry.id}|{finding.subject}|{finding.since.isoformat()}"
    alert_id = hashlib.sha256(seed.encode()).hexdigest()[:24]
    while alert_id in taken:
        # Another alert of the rule that is still open was first seen just so: this is a second one.
        seed += "+"
        alert_id = hashlib.sha256(seed.encode()).hexdigest()[:24]
    before = register.closed.pop(alert_id, None)
    old = next(
        (
            each
            for each in register.predecessors
            if carries_on(new.entry, each, finding.subject, finding.since, ledger, policy)
        ),
        None,
    )
    if old is not None:
        register.predecessors.remove(old)
    return Alert(
        alert_id=alert_id,
        rule=new.entry.id,
        subject=finding.subject,
        since=finding.since,
        course=ledger.number,
        raised_at=occasion.at if old is None else min(old.raised_at, occasion.at),
        effective_at=finding.effective_at,
        sequence=(before.sequence if before else 0) + 1,
        severity=new.severity,
        reason=finding.reason,
        basis=new.basis,
        title=finding.title,
        is_provisional=finding.is_provisional,
        is_historical=live_from is not None and finding.effective_at < live_from,
        episode=finding.episode,
        continues=None if old is None else old.alert_id,
    )


def _let_go(
    register: Register,
    alert: Alert,
    by_id: dict[str, RuleEntry],
    kept: list[Alert],
    open_rules: set[str],
    occasion: Occasion,
    verdict: Verdict,
    ledger: Ledger,
    changes: list[Change],
) -> None:
    """An alert whose finding is gone: set aside for a more severe rule, resolved, or withdrawn."""
    entry = by_id.get(alert.rule)
    if alert.superseded_by is not None:
        # Set aside before: it stays so while the more severe alert is open, and ends with it.
        if alert.superseded_by in open_rules:
            kept.append(alert)
        else:
            register.closed[alert.alert_id] = Closed(alert.alert_id, alert.sequence, occasion.at)
        return
    if entry is None:
        register.closed[alert.alert_id] = Closed(alert.alert_id, alert.sequence + 1, occasion.at)
        return
    above = next((rule for rule in entry.superseded_by if rule in open_rules), None)
    moved = msgspec.structs.replace(alert, sequence=alert.sequence + 1, superseded_by=above)
    if above is not None:
        kept.append(moved)
        changes.append(Change(TransitionKind.SUPERSEDED, entry, moved, None, Cause.MORE_SEVERE_RULE, above))
        return
    register.closed[alert.alert_id] = Closed(alert.alert_id, moved.sequence, occasion.at)
    was_true = verdict(entry, alert)
    cause = occasion.cause
    if was_true and ledger.ended_at is not None and occasion.cause in (Cause.NEW_EVIDENCE, Cause.TIME_PASSED):
        cause = Cause.COURSE_ENDED
    elif was_true and occasion.acted and not occasion.acted.isdisjoint(entry.acted_by):
        cause = Cause.ACTED_ON
    elif not was_true and cause is Cause.NEW_EVIDENCE:
        cause = Cause.EVIDENCE_ARRIVED_LATE
    kind = TransitionKind.RESOLVED if was_true else TransitionKind.WITHDRAWN
    changes.append(Change(kind, entry, moved, None, cause))
