"""Putting a change into words: the transition with evidence, thresholds, citations and what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from rules.alerting import Change, Occasion
from rules.answers import Finding
from rules.grading import grade_result
from rules.picture import AnyKept, Diagnosis, Result, Statement, Supply
from rules.policy.terms import Policy
from rules.record import Header
from rules.view import View
from schemas.alerts import (
    Cause,
    Evidence,
    Grade,
    Missing,
    Normalised,
    PolicyStamp,
    Received,
    Transition,
    TransitionKind,
)
from schemas.values import Source

_CLOSED = {
    TransitionKind.RESOLVED: "Resolved",
    TransitionKind.WITHDRAWN: "Withdrawn",
    TransitionKind.SUPERSEDED: "Superseded",
}
_WHY = {
    Cause.NEW_EVIDENCE: "New evidence ended what raised this alert.",
    Cause.TIME_PASSED: "The time this alert stands for has passed.",
    Cause.EVIDENCE_ARRIVED_LATE: "A fact that already existed arrived late: on what is now known this was not so.",
    Cause.CORRECTED: "A corrected result shows that this was not so.",
    Cause.RETRACTED: "The result this stood on was retracted by its sender.",
    Cause.MORE_SEVERE_RULE: "A more severe alert covers the same matter.",
    Cause.ACTED_ON: "It was acted on.",
    Cause.POLICY_CHANGE: "The policy in force was changed.",
    Cause.COURSE_ENDED: "The course of treatment ended.",
    Cause.WORSE: "It became worse.",
    Cause.BETTER: "It became better.",
    Cause.REINSTATED: "The alert that stood above this one was withdrawn.",
    Cause.PATIENTS_MERGED: "Two patient numbers turned out to be one patient: all that is known is judged together.",
    Cause.PATIENTS_UNMERGED: "Patient numbers that were taken for one are two patients again, each with its own facts.",
}


def tell(
    change: Change,
    view: View,
    header: Header,
    occasion: Occasion,
    policy: Policy,
    new_facts: Sequence[AnyKept],
    context: tuple[str, ...],
) -> Transition:
    """The transition of the contract for one change."""
    alert, judged, entry = change.alert, change.judged, change.entry
    finding = judged.finding if judged is not None else None
    terms = policy.rules.get(alert.rule)
    cycle = view.cycle
    if finding is not None:
        title, message = finding.title, finding.message
        evidence = tuple(_evidence(shown.what, shown.fact) for shown in finding.evidence)
    else:
        title = f"{_CLOSED[change.kind]}: {alert.title}"
        message = _WHY.get(change.cause, "What raised this alert no longer holds.")
        evidence = tuple(_evidence("new fact", fact) for fact in _that_matter(entry.reads, new_facts))
    return Transition(
        transition_id=hashlib.sha256(f"{alert.alert_id}|{alert.sequence}".encode()).hexdigest()[:24],
        alert_id=alert.alert_id,
        sequence=alert.sequence,
        transition=change.kind,
        rule=alert.rule,
        rule_version=entry.version,
        reason=alert.reason,
        severity=alert.severity,
        provisional=alert.is_provisional,
        patient=header.patient,
        at=occasion.at,
        effective_at=_effective(change, occasion, evidence),
        caused_by=occasion.caused_by,
        course=view.ledger.number or None,
        cycle=cycle.number if cycle else None,
        cycle_day=view.cycle_day,
        episode=alert.episode,
        cycle_inferred=cycle.is_inferred if cycle else False,
        historical=alert.is_historical,
        continues=alert.continues,
        not_monitored=header.not_monitored_since is not None,
        cause=change.cause,
        superseded_by=change.superseded_by,
        title=title,
        message=message,
        advice=finding.advice if finding is not None else None,
        evidence=evidence,
        thresholds=tuple(number.threshold for number in finding.thresholds) if finding is not None else (),
        grades=_grades(finding, view),
        citations=terms.citations if terms is not None else (),
        policy=PolicyStamp(profile=policy.profile, version=policy.version, hash=policy.hash),
        missing=tuple(Missing(rule=rule, what=what, since=since) for rule, what, since in judged.gaps)
        if judged
        else (),
        context=(*finding.context, *context) if finding is not None else (),
    )


def _effective(change: Change, occasion: Occasion, evidence: tuple[Evidence, ...]) -> datetime:
    """Clinical time of what decided: the finding's own, or of the fact that ended the alert."""
    if change.judged is not None:
        return change.judged.finding.effective_at
    if change.kind is TransitionKind.RESOLVED:
        return (evidence[0].collected_at if evidence else None) or occasion.at
    return change.alert.effective_at


def _grades(finding: Finding | None, view: View) -> tuple[Grade, ...]:
    """CTCAE grades of the values shown: annotation only, no rule decides on them."""
    grading = view.policy.grading
    if finding is None or grading is None:
        return ()
    version = view.policy.terms.ctcae_version
    is_on_anticoagulant = view.covered_by("anticoagulant") is not None
    graded = [
        grade_result(
            grading, version, shown.fact, baseline=view.baseline(shown.fact.analyte), albumin=view.newest("albumin"),
            is_on_anticoagulant=is_on_anticoagulant,
        )
        for shown in finding.evidence
        if isinstance(shown.fact, Result)
    ]  # fmt: skip
    return tuple(dict.fromkeys(grade for grade in graded if grade is not None))


def matching_names(fact: AnyKept) -> frozenset[str]:
    """The names a rule may read a fact by: analyte, medicine, class, concept, statement code, kind."""
    match fact:
        case Result():
            return frozenset((fact.analyte,))
        case Supply():
            return frozenset((fact.medicine, *fact.classes))
        case Diagnosis():
            # A graded event counts even where no rule knows its code.
            return frozenset((*fact.concepts, "adverse-event") if fact.grade is not None else fact.concepts)
        case Statement():
            return frozenset((fact.code,))
        case _:
            names = (getattr(fact, name, ()) for name in ("concepts", "substances", "vaccines"))
            return frozenset((type(fact).__name__.lower(), *(name for group in names for name in group)))


def _that_matter(reads: tuple[str, ...], facts: Sequence[AnyKept]) -> list[AnyKept]:
    wanted = set(reads)
    return [fact for fact in facts if not wanted.isdisjoint(matching_names(fact))][:3]


def _evidence(what: str, fact: AnyKept) -> Evidence:
    received = normalised = None
    if isinstance(fact, Result):
        value = f"{fact.bound or ''}{fact.received}" if fact.received is not None else None
        received = Received(value=value, unit=fact.unit, code=fact.code, system=fact.system, status=fact.status)
        if fact.value is not None and fact.canonical is not None:
            normalised = Normalised(value=f"{fact.bound or ''}{fact.value:f}", unit=fact.canonical)
    elif isinstance(fact, Supply):
        dose = f"{fact.dose:f}" if fact.dose is not None else None
        received = Received(
            value=dose, unit="mg" if dose else None, code=fact.code, system=fact.system, status=fact.status
        )
        what = f"{what}: {fact.medicine} {fact.way}"
    elif isinstance(fact, Diagnosis):
        received = Received(value=", ".join(fact.concepts), status=fact.status)
    elif isinstance(fact, Statement):
        number = f"{fact.number:f}" if fact.number is not None else None
        received = Received(value=fact.value_code or number, code=fact.code, status=fact.status)
    return Evidence(
        what=what,
        received=received,
        normalised=normalised,
        collected_at=fact.at,
        issued_at=fact.issued,
        source=Source(feed=fact.feed, message=fact.message, position=fact.position),
    )
