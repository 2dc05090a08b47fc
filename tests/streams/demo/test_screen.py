"""What the demo shows of an alert, and that it is plain text where nobody watches."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.alerts import (
    Cause,
    Citation,
    Evidence,
    Normalised,
    PolicyStamp,
    Received,
    Severity,
    Threshold,
    Transition,
    TransitionKind,
)
from schemas.values import PatientRef
from streams.demo.screen import Screen, Ward

AT = datetime(2026, 2, 5, 11, 24, tzinfo=ZoneInfo("Asia/Seoul"))

RAISED = Transition(
    transition_id="t1",
    alert_id="a1",
    sequence=1,
    transition=TransitionKind.RAISED,
    rule="anc-hold",
    rule_version="1",
    reason="severe",
    severity=Severity.CRITICAL,
    patient=PatientRef(key="3f9c1a2b77", authority="urn:ward", id="SIM-00003"),
    at=AT,
    effective_at=AT - timedelta(hours=3),
    caused_by="e1",
    cycle=1,
    cycle_day=22,
    cause=Cause.NEW_EVIDENCE,
    title="Hold lenalidomide: ANC 410 cells/uL",
    message="...",
    evidence=(
        Evidence(
            what="ANC",
            received=Received(value="0.41", unit="10*3/uL"),
            normalised=Normalised(value="410", unit="cells/uL"),
            collected_at=AT - timedelta(hours=3),
        ),
    ),
    thresholds=(Threshold(key="anc_severe", value="500", unit="cells/uL"),),
    citations=(Citation(source="S2", section="Hematologic toxicities"),),
    policy=PolicyStamp(profile="kr-panel", version="1", hash="0"),
)


def shown(*transitions: Transition) -> str:
    output = io.StringIO()
    with Screen(output) as screen:
        for transition in transitions:
            screen.transition(transition)
    return output.getvalue()


def test_a_raised_alert_shows_what_whom_on_which_evidence_by_which_number_and_source() -> None:
    text = shown(RAISED)
    for part in (
        "2026-02-05 11:24  CRITICAL raised  Hold lenalidomide: ANC 410 cells/uL",
        "patient 3f9c1a2b  rule anc-hold/severe  cycle 1 day 22",
        "ANC 0.41 10*3/uL = 410 cells/uL at 2026-02-05 08:24",
        "anc_severe 500 cells/uL",
        "S2: Hematologic toxicities",
    ):
        assert part in text
    assert "SIM-00003" not in text, "the pseudonym is shown, never the number"
    assert "\x1b" not in text, "no colours where nobody watches"


def test_a_closed_alert_says_why_it_closed_and_no_more() -> None:
    closed = RAISED.model_copy(
        update={"transition": TransitionKind.WITHDRAWN, "cause": Cause.EVIDENCE_ARRIVED_LATE, "sequence": 2}
    )
    text = shown(closed)
    assert "withdrawn (evidence-arrived-late)" in text
    assert "evidence   " not in text


def test_a_value_without_unit_says_so() -> None:
    unclear = RAISED.model_copy(
        update={"evidence": (Evidence(what="platelets", received=Received(value="28")),), "title": "Unit missing"}
    )
    assert "platelets 28 without unit" in shown(unclear)


def test_progress_is_a_plain_line_now_and_then() -> None:
    output = io.StringIO()
    ward = Ward(AT, AT + timedelta(days=10), AT + timedelta(days=5), patients=40, messages_in_all=1_000, messages=400)
    with Screen(output) as screen:
        screen.progress(ward)
        screen.progress(ward)
    assert output.getvalue().count("\n") == 1
    assert "400 of 1,000 messages" in output.getvalue()
    assert ward.share == 0.5
