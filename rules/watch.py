"""The one door into the medicine: an entry of the log goes in, transitions come out.

`step` is a pure function: what is to be sent to another number of the same patient it says and does not
send. Time is an argument: the entry's `known_at` is the broker's stamp (or the header that stands for it),
and a tick is an entry like any other. The record's clock is the greatest instant heard of; checks that fell
due before it run first, each at its own due instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import msgspec

from rules.alerting import Change, Judged, Occasion, Register, carries_on, reconcile
from rules.answers import CannotAssess, Found, earliest
from rules.asking import CATALOGUE_MARK, EVERY, PLACE, entries_of, names_of, rule_set, rules_concerned
from rules.calendar import in_utc, local_day, start_of_day
from rules.catalogue import BY_ID, CATALOGUE, HOLD_RULES
from rules.dataquality import assessment_gap
from rules.entry import Form, RuleEntry, Subject
from rules.history import (
    History,
    all_facts,
    as_it_was,
    cut,
    empty,
    fold_due,
    keep_unenrolled,
    keep_waiting,
    open_history,
    place,
    reaches_behind_cut,
    refold,
    take_out,
)
from rules.ledger import Ledger
from rules.moving import BETWEEN_NUMBERS, Moves
from rules.picture import AnyKept, Person, Result, Statement, Supply, keep
from rules.policy.reading import Policy
from rules.record import Alert, Asking, Closed, Gap, Header, Record
from rules.telling import matching_names, tell
from rules.view import View
from schemas.alerts import Cause, Severity, Transition, TransitionKind
from schemas.events import Entry, EntryKind, FactStatus, LabResultReported
from schemas.events.moving import CarriedOn

_ENROLS = frozenset(("planned-cycle-day-1", "lenalidomide-planned", "enrolled-by-hand", "cycle-day-1-taken"))
_LEDGER_READS = _ENROLS | {"lenalidomide", "lenalidomide-stopped"}
_MAX_CHECKS = 2000
"""Due checks of one patient in one step: far more than a year of silence can bring."""

READS: frozenset[str] = _LEDGER_READS.union(*(entry.reads for entry in CATALOGUE))
"""Names of facts that some rule reads; other facts are counted and not kept."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """When and where in the log an entry was heard."""

    known_at: datetime
    partition: int
    offset: int


class FactOutcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one fact: applied, duplicate, ignored (with reason), quarantined, forwarded."""

    kind: str
    outcome: str
    reason: str | None = None


class Stepped(msgspec.Struct, frozen=True, gc=False):
    """What one step says.

    `needs` names history segments that must be read before this entry can be judged; when it is
    not empty nothing was done and `step` is to be called again with them. `segments` are to be
    written (and acknowledged) before the record, and so are `sends`, entries for other numbers of the
    patient. `refused` says why the entry was not carried out: a person has to know.
    """

    record: Record
    transitions: tuple[Transition, ...]
    outcomes: tuple[FactOutcome, ...] = ()
    segments: Mapping[str, bytes] | None = None
    needs: tuple[str, ...] = ()
    sends: tuple[Entry, ...] = ()
    refused: str | None = None


class TooManyChecks(RuntimeError):
    """A rule asks to be looked at again and again without getting anywhere: a fault of the rule."""


def step(
    record: Record | None,
    entry: Entry,
    heard: Heard,
    policy: Policy,
    history: Mapping[str, bytes] | None = None,
) -> Stepped:
    """Place the entry's facts, re-derive, run every check that fell due, reconcile with the register."""
    if record is None:
        if entry.patient is None:
            raise ValueError("the first entry of a patient must name the patient")
        record = _new_record(entry, heard)
    work = _Step(record, entry, heard, policy, history)
    needs = work.needs()
    if needs:
        return Stepped(record=record, transitions=(), needs=needs)
    return work.run()


def _new_record(entry: Entry, heard: Heard) -> Record:
    patient = entry.patient
    assert patient is not None
    header = Header(
        key=patient.key,
        authority=patient.authority,
        patient_id=patient.id,
        partition=heard.partition,
        offset=-1,
        clock=heard.known_at,
        zone=entry.zone,
    )
    return Record(header=header, ledger=Ledger(zone=entry.zone))


class _Step:
    """The working state of one step; nothing of it outlives the call."""

    def __init__(
        self, record: Record, entry: Entry, heard: Heard, policy: Policy, behind: Mapping[str, bytes] | None
    ) -> None:
        self.record = record
        self.entry = entry
        self.heard = heard
        self.policy = policy
        self.behind = behind
        self.header = record.header
        self.clock = max(record.header.clock, in_utc(heard.known_at))
        self.history = open_history(record)
        self.register = Register(list(record.register), {item.alert_id: item for item in record.closed})
        self.gaps = record.gaps
        self.is_enrolled = record.header.is_enrolled
        self.next_check = record.header.next_check
        self.asking = record.asking
        self.judged_on = record.ledger
        """The ledger as it stood when rules were last asked."""
        self.transitions: list[Transition] = []
        self.outcomes: list[FactOutcome] = []
        kin = record.kin
        is_plain = entry.kind not in BETWEEN_NUMBERS and kin.moved_to is None and not kin.waiting
        self.moves = (
            None if is_plain else Moves(kin, record.header.patient, entry, heard.offset, self.clock, self.header.zone)
        )
        self.facts: Sequence[AnyKept] = () if kin.moved_to is not None else self._keep_facts()
        live_from = entry.live_from or record.header.live_from
        if self.moves is not None:
            self.moves.live_from = record.header.live_from
            self.moves.not_monitored_since = record.header.not_monitored_since
            if not entry.facts:
                live_from = record.header.live_from or entry.live_from
        self.header = msgspec.structs.replace(record.header, live_from=live_from)

    def _keep_facts(self) -> list[AnyKept]:
        kept: list[AnyKept] = []
        known = self.clock
        if self.entry.carried is not None and self.entry.known_at is not None:
            known = in_utc(self.entry.known_at)  # the number it came for could know it then
        for fact in self.entry.facts:
            if isinstance(fact, LabResultReported) and fact.analyte not in READS:
                self._count(fact.kind, "ignored", "no-rule-reads-it")
                continue
            item = keep(fact, known, self.heard.offset, self.record.header.key)
            if item is None or not (isinstance(item, (Person, Result)) or _is_read(item)):
                self._count(fact.kind, "ignored", "no-rule-reads-it")
            else:
                kept.append(item)
        return kept

    def _count(self, kind: str, outcome: str, reason: str | None = None) -> None:
        """A fact is counted once, where its message came: what is sent on counts there, as forwarded."""
        if self.entry.kind is EntryKind.FACTS:
            self.outcomes.append(FactOutcome(kind, outcome, reason))

    # --- which segments are needed ---

    def needs(self) -> tuple[str, ...]:
        """Names of the segments this step cannot do without and was not given."""
        history = self.history
        if self.behind is not None:
            return ()
        if self.moves is not None and (wanted := self.moves.needs(history.segments)):
            return wanted
        if not history.segments:
            return ()
        is_other_policy = self.is_enrolled and self.header.policy not in ("", self.policy.hash)
        if is_other_policy or reaches_behind_cut(history, self.facts):
            return tuple(segment.name for segment in history.segments)
        return ()

    # --- the step itself ---

    def run(self) -> Stepped:
        """Due checks first, in order; then the facts of the entry; then the header."""
        if self.is_enrolled and self.header.policy not in ("", self.policy.hash):
            self._judge_by_new_policy()
        self._run_due_checks()
        if self.moves is not None:
            self.moves.hear(self, self.behind or {})
        elif self.entry.kind is EntryKind.FACTS:
            self.hear()
        if self.is_enrolled:
            cut(self.history, self.clock, self.policy, HOLD_RULES)
        return self._finish()

    def _judge_by_new_policy(self) -> None:
        facts = all_facts(self.history, self.behind)
        refold(self.history, facts, self.clock, self.policy, HOLD_RULES, is_whole=self.behind is not None)
        self._evaluate(self.clock, Cause.POLICY_CHANGE, self.entry.event_id or "policy-activated", (), EVERY)
        self.judged_on = msgspec.structs.replace(self.history.ledger)

    def _run_due_checks(self) -> None:
        due = self.next_check
        for _ in range(_MAX_CHECKS):
            if due is None or due > self.clock:
                return
            at = max(due, self.record.header.clock)
            come = fold_due(self.history, at, self.policy, HOLD_RULES)
            self._evaluate(at, Cause.TIME_PASSED, "due:{rule}", (), self._rules_to_ask(at, come))
            self.judged_on = msgspec.structs.replace(self.history.ledger)
            due = self.next_check
        raise TooManyChecks("checks fall due without end")

    def hear(self) -> None:
        """Take the facts of a message."""
        if not self.facts:
            return
        if self.moves is not None and self.moves.waiting:
            self._count_all(keep_waiting(self.history, self.facts, self.clock))
            return
        if any(_enrols(fact) for fact in self.facts):
            self._enrol()
        if not self.is_enrolled:
            self._keep_for_later()
            return
        self.history.was_refolded = False
        answers = place(self.history, self.facts, self.clock, self.policy, HOLD_RULES, self.behind)
        self._count_all(answers)
        if "applied" in answers:
            asked = self._rules_to_ask(self.clock, self.facts)
            self._evaluate(self.clock, self._cause(), self.entry.event_id, self.facts, asked)

    def _enrol(self) -> None:
        if not self.is_enrolled:
            self.is_enrolled = True
            known = all_facts(self.history)
            refold(self.history, known, self.clock, self.policy, HOLD_RULES, is_whole=False)
            self.history.was_refolded = False

    def _count_all(self, answers: Sequence[str]) -> None:
        kinds = {fact.fact_id: fact.kind for fact in self.entry.facts}
        for fact, answer in zip(self.facts, answers, strict=True):
            self._count(kinds[fact.id], answer)

    def _keep_for_later(self) -> None:
        """Nobody is unknown: facts wait in case the person is put on lenalidomide."""
        self._count_all(keep_unenrolled(self.history, self.facts, self.clock, self.policy))

    def _cause(self) -> Cause:
        statuses = {fact.status for fact in self.facts}
        if FactStatus.WITHDRAWN in statuses:
            return Cause.RETRACTED
        if FactStatus.CORRECTED in statuses or self.history.has_replaced:
            return Cause.CORRECTED
        return Cause.NEW_EVIDENCE

    # --- facts on their way between two numbers of one patient (`rules.moving.Bedside`) ---

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The register."""
        return tuple(self.register.alerts)

    def send_on(self) -> None:
        """Count the facts of a message that is sent on to another number."""
        for fact in self.entry.facts:
            self._count(fact.kind, "forwarded")

    def put(self, facts: Sequence[AnyKept], *, is_paused: bool) -> None:
        """Place facts; rules are asked by `settle`, and never while it is paused."""
        self.facts = facts
        if is_paused:
            keep_waiting(self.history, facts, self.clock)
            return
        if not self.is_enrolled and any(_enrols(fact) for fact in (*all_facts(self.history), *facts)):
            self._enrol()
        if self.is_enrolled:
            place(self.history, facts, self.clock, self.policy, HOLD_RULES, self.behind)
        else:
            keep_unenrolled(self.history, facts, self.clock, self.policy)

    def give(self, origins: AbstractSet[str]) -> tuple[AnyKept, ...]:
        """Take the facts that came under these numbers out of the history."""
        return take_out(
            self.history, origins, self.clock, self.policy, HOLD_RULES, self.behind, is_folded=self.is_enrolled
        )

    def clear(self) -> tuple[AnyKept, ...]:
        """Take everything out of the history and end the watch; the register stays as it is."""
        self.is_enrolled, self.next_check, self.gaps, self.asking = False, None, (), Asking()
        return empty(self.history, self.behind)

    def settle(self, cause: Cause, predecessors: Sequence[Alert]) -> tuple[tuple[Alert, ...], tuple[CarriedOn, ...]]:
        """Ask every rule. The alerts that closed, and what became of each predecessor."""
        before = self.open_alerts
        if not self.is_enrolled:
            self.close(cause, [CarriedOn(alert_id=alert.alert_id, was_true=False) for alert in before])
            return before, tuple(CarriedOn(alert_id=old.alert_id, was_true=False) for old in predecessors)
        self.register.predecessors = list(predecessors)
        newest_first = tuple(sorted(self.facts, key=lambda fact: fact.order, reverse=True))
        self._evaluate(self.clock, cause, self.entry.event_id, newest_first, EVERY)
        self.judged_on = msgspec.structs.replace(self.history.ledger)
        still = {alert.alert_id for alert in self.register.alerts}
        closed = tuple(alert for alert in before if alert.alert_id not in still)
        return closed, tuple(self._became(old) for old in predecessors)

    def _became(self, old: Alert) -> CarriedOn:
        entry = BY_ID.get(old.rule)
        if entry is None:
            return CarriedOn(alert_id=old.alert_id)
        ledger = self.history.ledger
        successor = next((each for each in self.register.alerts if each.continues == old.alert_id), None) or next(
            (
                each
                for each in self.register.alerts
                if each.rule == old.rule and carries_on(entry, old, each.subject, each.since, ledger, self.policy)
            ),
            None,
        )
        if successor is not None:
            return CarriedOn(alert_id=old.alert_id, continued_by=successor.alert_id)
        return CarriedOn(alert_id=old.alert_id, was_true=self._was_true(entry, old))

    def close(self, cause: Cause, alerts: Sequence[CarriedOn]) -> None:
        """Close these alerts of the register: carried on elsewhere, or judged there on all that is known."""
        became = {each.alert_id: each for each in alerts}
        view = View(self.history.ledger, self.clock, self.policy)
        occasion = Occasion(self.clock, self.entry.event_id, cause)
        kept: list[Alert] = []
        for alert in self.register.alerts:
            told, entry = became.get(alert.alert_id), BY_ID.get(alert.rule)
            if told is None:
                kept.append(alert)
                continue
            is_silent = entry is None or alert.superseded_by is not None
            sequence = alert.sequence if is_silent else alert.sequence + 1
            self.register.closed[alert.alert_id] = Closed(alert.alert_id, sequence, self.clock)
            if entry is None or is_silent:
                continue
            kind = TransitionKind.RESOLVED if told.was_true else TransitionKind.WITHDRAWN
            above = None
            if told.continued_by is not None:
                kind, above = TransitionKind.SUPERSEDED, alert.rule
            moved = msgspec.structs.replace(alert, sequence=sequence, superseded_by=above)
            change = Change(kind, entry, moved, None, cause, above)
            self.transitions.append(tell(change, view, self.header, occasion, self.policy, (), ()))
        self.register.alerts = kept

    def note(self, not_monitored_since: datetime | None) -> None:
        """An entry of a number whose facts come here is in quarantine: its hole is this patient's now."""
        if not_monitored_since is not None and self.header.not_monitored_since is None:
            self.header = msgspec.structs.replace(self.header, not_monitored_since=not_monitored_since)

    # --- assessment ---

    def _rules_to_ask(self, at: datetime, facts: Sequence[AnyKept]) -> int:
        """The rules whose time has come, and those that these facts concern."""
        asking = self.asking
        if asking.catalogue != CATALOGUE_MARK or (asking.everyone_at is not None and asking.everyone_at <= at):
            return EVERY
        rules = 0
        for number, due in asking.rechecks.items():
            if due <= at:
                rules |= 1 << number
        if not facts:
            return rules
        speaking = rule_set([*[alert.rule for alert in self.register.alerts], *[gap.rule for gap in self.gaps]])
        return rules | rules_concerned(self.judged_on, self.history, facts, speaking, self.policy)

    def _evaluate(self, at: datetime, cause: Cause, caused_by: str, new_facts: Sequence[AnyKept], asked: int) -> None:
        ledger = self.history.ledger
        view = View(ledger, at, self.policy)
        judged, asked = self._assess(view, asked)
        has_moved = cause in (Cause.PATIENTS_MERGED, Cause.PATIENTS_UNMERGED)
        acted = frozenset() if has_moved else frozenset(names_of(new_facts))
        occasion = Occasion(at, caused_by, cause, acted)
        changes = reconcile(
            self.register,
            judged,
            BY_ID,
            {alert.rule for alert in self.register.alerts if asked >> PLACE.get(alert.rule, 0) & 1},
            ledger,
            self.policy,
            self.header.key,
            occasion,
            self._was_true,
            self.header.live_from,
        )
        notes: dict[str, tuple[str, ...]] = {}
        for change in changes:
            told = occasion
            if caused_by == "due:{rule}":
                told = Occasion(at, f"due:{change.alert.rule}", cause, acted)
            family = change.entry.family
            if family not in notes:
                notes[family] = self._notes(view, family)
            self.transitions.append(tell(change, view, self.header, told, self.policy, new_facts, notes[family]))
        waits = earliest(
            self.asking.everyone_at, *self.asking.rechecks.values(), *[fact.at for fact in self.history.future]
        )
        # A check that is due now would be due for ever: the next look is a moment later at the least.
        self.next_check = max(waits, at + timedelta(seconds=1)) if waits is not None else None

    def _assess(self, view: View, asked: int) -> tuple[list[Judged], int]:
        """The findings of the rules that are asked, and of which rules they are the whole findings."""
        if view.ledger.enrolled_at is None:
            # What enrolled the patient was retracted: nothing applies any more.
            self.gaps = ()
            self.asking = Asking(CATALOGUE_MARK)
            return [], EVERY
        judged: list[Judged] = []
        missing: dict[str, tuple[str, ...]] = {}
        rechecks = {number: due for number, due in self.asking.rechecks.items() if not asked >> number & 1}
        for number, entry in entries_of(asked):
            if entry.id not in self.policy.speaking:
                continue
            answer = entry.assess(view)
            if answer.recheck_at is not None:
                rechecks[number] = answer.recheck_at
            if isinstance(answer, Found):
                if entry.form is Form.CONTEXT:
                    continue
                for finding in answer.findings:
                    severity = self.policy.severity(entry.id, finding.reason)
                    if severity is not None:
                        judged.append(Judged(entry, finding, severity))
            elif isinstance(answer, CannotAssess):
                missing[entry.id] = answer.missing
        if asked >> _GAP & 1:
            asks, due = assessment_gap.course_end_unknown(view)
            if asks:
                missing[assessment_gap.COURSE_END] = ("whether treatment ended: no supply of lenalidomide",)
            if due is not None:
                rechecks[_GAP] = due
        self.asking = Asking(CATALOGUE_MARK, earliest(*_instants_ahead(view)), rechecks)
        if self._note_gaps(missing, asked, view.at) or asked == EVERY:
            asked |= 1 << _GAP
            gap = self._judge_gaps()
            if gap is not None:
                judged.append(gap)
        else:
            asked &= ~(1 << _GAP)
        return judged, asked

    def _notes(self, view: View, family: str) -> tuple[str, ...]:
        """What the context rules of a family say: notes on the patient that its alerts carry."""
        notes: list[str] = []
        for entry in CATALOGUE:
            if entry.form is Form.CONTEXT and entry.family == family:
                answer = entry.assess(view)
                if isinstance(answer, Found):
                    said = (f for f in answer.findings if self.policy.severity(entry.id, f.reason) is not None)
                    notes.extend(finding.title for finding in said)
        return tuple(notes)

    def _note_gaps(self, missing: Mapping[str, tuple[str, ...]], asked: int, at: datetime) -> bool:
        """Remember what the rules asked cannot assess, since when; whether that is another list than before."""
        before = self.gaps
        if not before and not missing:
            return False
        since = {(gap.rule, gap.missing): gap.since for gap in before}
        stays = [gap for gap in before if not asked >> _place_of_gap(gap.rule) & 1]
        came = [Gap(rule, what, since.get((rule, what), at)) for rule, what in missing.items()]
        self.gaps = tuple(sorted((*stays, *came), key=lambda gap: _place_of_gap(gap.rule, len(CATALOGUE))))
        return self.gaps != before

    def _judge_gaps(self) -> Judged | None:
        if not self.gaps:
            return None
        listed = tuple((gap.rule, what, gap.since) for gap in self.gaps for what in gap.missing)
        is_blind = any(gap.rule in BY_ID and BY_ID[gap.rule].is_hold for gap in self.gaps)
        finding = assessment_gap.describe(listed, is_blind=is_blind)
        severity = self.policy.severity(assessment_gap.RULE_ID, finding.reason)
        return Judged(BY_ID[assessment_gap.RULE_ID], finding, severity, listed) if severity else None

    def _was_true(self, entry: RuleEntry, alert: Alert) -> bool:
        """Look again at the instant the alert was about, with what is known now.

        Facts that came in order cannot change the past, so only a history that was folded anew is
        looked at. An absence was true unless a fact that disproves it had been issued by then.
        """
        is_late = entry.is_absence and any(fact.at <= alert.effective_at for fact in self.facts)
        if entry.id == assessment_gap.RULE_ID or not (self.history.was_refolded or is_late):
            return True
        issued_by = alert.raised_at if entry.is_absence else None
        ledger = as_it_was(self.history, alert.effective_at, self.policy, HOLD_RULES, issued_by=issued_by)
        answer = entry.assess(View(ledger, alert.effective_at, self.policy))
        if not isinstance(answer, Found):
            return False
        return any(
            finding.subject == alert.subject if entry.subject is Subject.FACT else True for finding in answer.findings
        )

    # --- what is remembered ---

    def _finish(self) -> Stepped:
        history = self.history
        oldest = self.clock - self.policy.terms.keep_history_days.span
        header = msgspec.structs.replace(
            self.header,
            partition=self.heard.partition,
            offset=max(self.header.offset, self.heard.offset),
            clock=self.clock,
            next_check=self.next_check,
            policy=self.policy.hash if self.is_enrolled else "",
            is_enrolled=self.is_enrolled,
        )
        record = Record(
            header=header,
            register=tuple(self.register.alerts),
            closed=tuple(item for item in self.register.closed.values() if item.at >= oldest),
            gaps=self.gaps,
            ledger=history.ledger,
            opening=history.opening,
            chunks=history.chunks,
            recent=history.recent,
            recent_digests=history.recent_digests,
            future=history.future,
            segments=history.segments,
            asking=self.asking if self.is_enrolled else Asking(),
            kin=self.record.kin if self.moves is None else self.moves.kin(),
        )
        moves = self.moves
        if moves is None:
            return Stepped(record, tuple(self.transitions), tuple(self.outcomes), history.written or None)
        return Stepped(
            record,
            tuple(self.transitions),
            tuple(self.outcomes),
            {**history.written, **moves.laid_by} or None,
            sends=tuple(moves.sends),
            refused=moves.refused,
        )


_GAP = PLACE[assessment_gap.RULE_ID]


def _place_of_gap(rule: str, place_of_course_end: int = _GAP) -> int:
    """The place of the rule a gap is of; the end of the course is asked about by the rule of the gaps itself."""
    return PLACE.get(rule, place_of_course_end)


def _instants_ahead(view: View) -> list[datetime]:
    """Instants that the ledger itself holds in the future: a planned day 1, the end of a course or of a stop."""
    ledger = view.ledger
    ahead = [cycle.day_1 for cycle in ledger.cycles[-2:] if cycle.day_1 > view.at]
    days = [start_of_day(local_day(day_1, view.zone), view.zone) for day_1 in ahead]
    if ledger.ended_at is not None:
        days.append(ledger.ended_at)
    days.extend(stop.until for stop in ledger.stops if stop.until is not None)
    return [instant for instant in days if instant > view.at]


def _is_read(fact: AnyKept) -> bool:
    return not READS.isdisjoint(matching_names(fact))


def _enrols(fact: AnyKept) -> bool:
    if fact.is_withdrawn:
        return False
    if isinstance(fact, Supply):
        return fact.medicine == "lenalidomide"
    return isinstance(fact, Statement) and fact.code in _ENROLS


def severity_now(record: Record) -> Severity | None:
    """The most severe open alert; None where there is none."""
    ranked = [alert.severity for alert in record.register if alert.superseded_by is None]
    return max(ranked, key=lambda severity: severity.rank, default=None)


def mark_not_monitored(record: Record, since: datetime) -> Record:
    """The same record, marked: a rule failed for this patient and a person must look."""
    if record.header.not_monitored_since is not None:
        return record
    return msgspec.structs.replace(record, header=msgspec.structs.replace(record.header, not_monitored_since=since))


__all__ = [
    "Closed",
    "FactOutcome",
    "Heard",
    "History",
    "Stepped",
    "TooManyChecks",
    "mark_not_monitored",
    "severity_now",
    "step",
]
