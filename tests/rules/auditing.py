"""Every step of every test is checked: a rule that was not asked would have said what it said before.

`rules.asking` spares rules that a new fact does not concern. That is right only if each rule declares all
it reads, and only if the limits it declares are all that matters. Here the rules that were spared are asked
as well, and nothing they answer may differ from what the register, the gaps and the due checks hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from rules.alerting import Judged
from rules.answers import CannotAssess, Found
from rules.asking import PLACE, entries_of
from rules.catalogue import CATALOGUE
from rules.entry import Form, RuleEntry
from rules.view import View
from rules.watch import _Step

_IN_SEARCHES = 12
"""In long searches over random courses every so manieth assessment is looked at: all rules twice is most of their time."""


@pytest.fixture(autouse=True)
def spared_rules_had_nothing_new_to_say(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Ask the spared rules too, after every assessment of every step; none may have wanted to speak."""
    stride = _IN_SEARCHES if request.node.get_closest_marker("slow") else 1
    evaluate, assess = _Step._evaluate, _Step._assess
    asked_of: dict[int, int] = {}

    def assessing(step: _Step, view: View, asked: int) -> Any:
        judged, asked = assess(step, view, asked)
        asked_of[id(step)] = asked
        return judged, asked

    def evaluating(step: _Step, at: datetime, *others: Any) -> None:
        evaluate(step, at, *others)
        asked = asked_of.pop(id(step))
        if (step.heard.offset + len(step.facts)) % stride:
            return
        spared = [
            entry
            for entry in CATALOGUE
            if not asked >> PLACE[entry.id] & 1 and entry.id != "assessment-gap" and entry.id in step.policy.speaking
        ]
        view = View(step.history.ledger, at, step.policy)
        faults = [f"{entry.id}: {fault}" for entry in spared for fault in _faults(step, entry, view)]
        assert not faults, f"{faults}; asked: {[entry.id for _, entry in entries_of(asked)]}"

    monkeypatch.setattr(_Step, "_assess", assessing)
    monkeypatch.setattr(_Step, "_evaluate", evaluating)


def _faults(step: _Step, entry: RuleEntry, view: View) -> list[str]:
    answer = entry.assess(view)
    faults = []
    due, held = answer.recheck_at, step.asking.rechecks.get(PLACE[entry.id])
    if due is not None and (held is None or held > due):
        faults.append(f"wants to be asked at {due}, is to be asked at {held}")
    missing = [gap.missing for gap in step.gaps if gap.rule == entry.id]
    lacks = [answer.missing] if isinstance(answer, CannotAssess) else []
    if missing != lacks:
        faults.append(f"lacks {lacks}, is remembered to lack {missing}")
    if entry.form is Form.ALERT and (said := _said(step, entry, answer)) != (held_open := _open(step, entry)):
        faults.append(f"says {said}, the register has {held_open}")
    return faults


def _said(step: _Step, entry: RuleEntry, answer: object) -> Counter[Sequence[object]]:
    findings = answer.findings if isinstance(answer, Found) else ()
    rated = [(finding, step.policy.severity(entry.id, finding.reason)) for finding in findings]
    return Counter(
        (finding.subject, finding.since, severity, Judged(entry, finding, severity).basis)
        for finding, severity in rated
        if severity is not None
    )


def _open(step: _Step, entry: RuleEntry) -> Counter[Sequence[object]]:
    return Counter(
        (alert.subject, alert.since, alert.severity, alert.basis)
        for alert in step.register.alerts
        if alert.rule == entry.id and alert.superseded_by is None
    )
