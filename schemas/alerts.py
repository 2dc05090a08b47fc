"""What we say: an alert's transitions, with evidence, thresholds and citation (contract part 2)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from schemas.values import PatientRef, Source
from schemas.values.frozen import Frozen


class Severity(StrEnum):
    """critical: page now; high: same day; medium: within 72 h; info: worklist only."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Higher is more severe."""
        return _RANK[self]


_RANK = {Severity.CRITICAL: 4, Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.INFO: 1}


class TransitionKind(StrEnum):
    """What changed in an alert's life (design part 6)."""

    RAISED = "raised"
    UPDATED = "updated"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class Cause(StrEnum):
    """Why this transition happened now; closed list."""

    NEW_EVIDENCE = "new-evidence"
    WORSE = "worse"
    BETTER = "better"
    TIME_PASSED = "time-passed"
    EVIDENCE_ARRIVED_LATE = "evidence-arrived-late"
    CORRECTED = "corrected"
    RETRACTED = "retracted"
    REINSTATED = "reinstated"
    MORE_SEVERE_RULE = "more-severe-rule"
    ACTED_ON = "acted-on"
    POLICY_CHANGE = "policy-change"
    COURSE_ENDED = "course-ended"
    PATIENTS_MERGED = "patients-merged"
    PATIENTS_UNMERGED = "patients-unmerged"


class Action(StrEnum):
    """What the reader is asked to do; closed list of the contract."""

    HOLD = "hold"
    DELAY_CYCLE = "delay-cycle"
    RESUME = "resume"
    REDUCE_STEP = "reduce-step"
    STOP = "stop"
    START = "start"
    SWITCH = "switch"
    REPEAT_TEST = "repeat-test"
    REVIEW_MEDICINE = "review-medicine"
    REFER = "refer"
    VERIFY_DATA = "verify-data"
    INFORM = "inform"


class Advice(Frozen):
    """The action asked for, and what it needs to be carried out."""

    action: Action
    dose_mg: str | None = None
    schedule: str | None = None
    agent: str | None = None
    next_check: AwareDatetime | None = None


class Received(Frozen):
    """A value exactly as the sender wrote it."""

    value: str | None = None
    unit: str | None = None
    code: str | None = None
    system: str | None = None
    status: str | None = None


class Normalised(Frozen):
    """The same value in the canonical unit."""

    value: str
    unit: str


class Evidence(Frozen):
    """One fact the decision stands on; were it different, the answer could be."""

    what: str
    received: Received | None = None
    normalised: Normalised | None = None
    collected_at: AwareDatetime | None = None
    issued_at: AwareDatetime | None = None
    source: Source | None = None


class Threshold(Frozen):
    """A number of the policy in force, by its key."""

    key: str
    value: str
    unit: str


class Grade(Frozen):
    """Annotation only: no rule decides on a grade."""

    term: str
    version: str
    grade: str


class Citation(Frozen):
    """Where the rule or number comes from."""

    source: str
    section: str


class PolicyStamp(Frozen):
    """Which policy judged."""

    profile: str
    version: str
    hash: str


class Missing(Frozen):
    """What could not be assessed, for which rule, since when."""

    rule: str
    what: str
    since: AwareDatetime | None = None


class Transition(Frozen):
    """One change in the life of one alert; the value on the notification topic."""

    v: int = 1
    transition_id: str
    alert_id: str
    sequence: int
    transition: TransitionKind
    rule: str
    rule_version: str
    reason: str | None = None
    severity: Severity
    provisional: bool = False
    patient: PatientRef
    at: AwareDatetime
    effective_at: AwareDatetime
    caused_by: str
    course: int | None = None
    cycle: int | None = None
    cycle_day: int | None = None
    episode: int | None = None
    cycle_inferred: bool = False
    historical: bool = False
    continues: str | None = None
    not_monitored: bool = False
    cause: Cause
    superseded_by: str | None = None
    title: str
    message: str
    advice: Advice | None = None
    evidence: tuple[Evidence, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    grades: tuple[Grade, ...] = ()
    citations: tuple[Citation, ...] = ()
    policy: PolicyStamp
    missing: tuple[Missing, ...] = ()
    context: tuple[str, ...] = ()
