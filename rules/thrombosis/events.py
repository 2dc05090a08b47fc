"""A thrombosis of the present course: which diagnoses are one event, what kind it is, whether it is treated.

Diagnoses that come close together (a code from the ward, one of the report, one at discharge) are one event,
named by the first of them. What lies before the first dose is history: the tier of Table 3 counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.answers import Shown, earliest
from rules.calendar import days_after
from rules.coverage import Span
from rules.ledger import Ledger
from rules.picture import Diagnosis, Statement, Supply
from rules.policy.terms import Policy
from rules.thrombosis.agents import ANTICOAGULANT, THERAPEUTIC, is_therapeutic, runs
from rules.thrombosis.factors import VTE, months_later
from rules.view import View
from schemas.events import FactStatus

CALF = "calf-vein-thrombosis"
AT_CATHETER = "catheter-related-thrombosis"
SUPERFICIAL = "superficial-thrombophlebitis"
CATHETER_RELATED = "thrombosis-catheter-related"
SYMPTOMS = "thrombosis-symptoms"
_MORE_THAN_CALF = frozenset(("pe", "iliofemoral-thrombosis", "upper-limb-vein-thrombosis", AT_CATHETER))
_MORE_THAN_CATHETER = frozenset(("pe", "iliofemoral-thrombosis"))
_NAMES = (
    ("pe", "pulmonary embolism"),
    ("iliofemoral-thrombosis", "iliofemoral thrombosis"),
    (AT_CATHETER, "thrombosis at a catheter"),
    (CALF, "calf vein thrombosis"),
    ("portal-vein-thrombosis", "portal vein thrombosis"),
    ("dvt", "deep vein thrombosis"),
    ("myocardial-infarction", "myocardial infarction"),
    ("stroke", "stroke"),
    (SUPERFICIAL, "superficial vein thrombosis"),
    ("vte", "venous thromboembolism"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `diagnoses` in clinical order, the first names it."""

    diagnoses: tuple[Diagnosis, ...]

    @property
    def id(self) -> str:
        """The fact that alerts about it are named by."""
        return self.diagnoses[0].id

    @property
    def at(self) -> datetime:
        """When it was diagnosed first."""
        return self.diagnoses[0].at

    @property
    def concepts(self) -> frozenset[str]:
        """Everything it was coded as."""
        return frozenset[str]().union(*(diagnosis.concepts for diagnosis in self.diagnoses))

    @property
    def name(self) -> str:
        """For people: the most telling of its codes."""
        return next((name for concept, name in _NAMES if concept in self.concepts), "arterial thromboembolism")

    @property
    def is_unconfirmed(self) -> bool:
        """Nobody has confirmed it yet."""
        return all(diagnosis.status is FactStatus.PRELIMINARY for diagnosis in self.diagnoses)

    @property
    def evidence(self) -> tuple[Shown, ...]:
        """Its diagnoses."""
        return tuple(Shown(self.name, diagnosis) for diagnosis in self.diagnoses)

    def is_over(self, at: datetime) -> bool:
        """Ended by then, as far as recorded."""
        return all(diagnosis.is_over(at) for diagnosis in self.diagnoses)


@dataclass(frozen=True, slots=True)
class Treatment:
    """Anticoagulation of an event at a dose that treats it."""

    began: datetime | None = None
    """The first of it since the event; None where there was none."""
    ends: datetime | None = None
    """Of the one that goes on: when it ends by itself."""
    is_on: bool = False
    stopped: datetime | None = None
    """When the last one that is over ended."""
    newest: Supply | Statement | None = None


def find_events(ledger: Ledger, policy: Policy, *concepts: str) -> tuple[Event, ...]:
    """The events of the course under these concepts, oldest first; a mere history is none."""
    started, apart, wanted = ledger.started_at, policy.terms.vte_same_event_days.span, frozenset(concepts)
    events: list[list[Diagnosis]] = []
    for diagnosis in ledger.diagnoses:
        if started is None or diagnosis.at <= started or diagnosis.is_history or wanted.isdisjoint(diagnosis.concepts):
            continue
        if events and diagnosis.at < events[-1][0].at + apart:
            events[-1].append(diagnosis)
        else:
            events.append([diagnosis])
    return tuple(Event(tuple(event)) for event in events)


def clots(view: View) -> tuple[Event, ...]:
    """The venous thromboembolisms of the course; worked out once for all rules."""
    return view.derive(_find_clots)


def _find_clots(view: View) -> tuple[Event, ...]:
    return find_events(view.ledger, view.policy, *VTE)


def said_of(view: View, event: Event, code: str) -> Statement | None:
    """What a statement about the newest thrombosis says, if it was made no earlier than this one."""
    said = view.statement(code)
    return said if said is not None and said.last >= event.at else None


def is_at_catheter(view: View, event: Event) -> bool:
    """Coded or stated to lie at a catheter, and nothing worse with it."""
    if not event.concepts.isdisjoint(_MORE_THAN_CATHETER):
        return False
    said = said_of(view, event, CATHETER_RELATED)
    return said.value_code == "yes" if said is not None else AT_CATHETER in event.concepts


def is_isolated_calf(event: Event) -> bool:
    """Every diagnosis names a calf vein, and none anything else."""
    is_calf = all(CALF in diagnosis.concepts for diagnosis in event.diagnoses)
    return is_calf and event.concepts.isdisjoint(_MORE_THAN_CALF)


def severe_since(view: View, event: Event) -> datetime | None:
    """Since when its symptoms are severe: stated, or the grade of the event."""
    limit, said = view.policy.terms.vte_severe_grade_at.value, said_of(view, event, SYMPTOMS)
    graded = (d.at for d in event.diagnoses if d.grade is not None and d.grade >= limit)
    first = view.stated_since(SYMPTOMS)
    stated = max(event.at, first.at) if said is not None and said.value_code == "severe" and first else None
    return earliest(stated, *graded)


def treatment_asked_since(view: View, event: Event) -> datetime | None:
    """Since when it is an event that is anticoagulated; None for those with a plan of their own.

    An isolated calf thrombosis without severe symptoms is looked at again (`vte-calf-recheck`), one at a
    catheter has `vte-cvc-plan`.
    """
    if is_isolated_calf(event):
        return severe_since(view, event)
    if is_at_catheter(view, event):
        return None
    deep = [d.at for d in event.diagnoses if not (CALF in d.concepts and _MORE_THAN_CALF.isdisjoint(d.concepts))]
    said, first = said_of(view, event, CATHETER_RELATED), view.stated_since(CATHETER_RELATED)
    # Said not to lie at a catheter after all: until then nobody knew.
    return max(min(deep), first.at) if said is not None and first is not None else min(deep)


def treatment_of(view: View, event: Event) -> Treatment:
    """What was done against it.

    A purpose or a dose that treats counts whenever it was supplied; where neither is known, what was supplied
    since the day of the event counts: somebody answered to it. A stated "no" ends what came before.
    """
    stated, first = view.ledger.statements.get(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    stretches: list[tuple[datetime, datetime | None, Supply | Statement]] = [
        (max(run.begins, event.at), run.ends, run.newest) for run in _treating(view, event) if run.ends > event.at
    ]
    is_stated = stated is not None and stated.value_code == "yes" and (stated.until is None or stated.until > event.at)
    if is_stated and stated is not None and first is not None:
        stretches.append((max(first.at, event.at), stated.until, stated))
    now = [stretch for stretch in stretches if stretch[1] is None or view.at < stretch[1]]
    over = [end for _, end, _ in stretches if end is not None and end <= view.at]
    if stated is not None and first is not None and stated.value_code == "no":
        over.append(max(first.at, event.at))
    ends = [end for _, end, _ in now]
    newest = max(stretches, key=lambda stretch: (stretch[2].at, stretch[2].id), default=None)
    return Treatment(
        began=min((begins for begins, _, _ in stretches), default=None),
        ends=None if None in ends else max((end for end in ends if end is not None), default=None),
        is_on=bool(now),
        stopped=max(over, default=None),
        newest=newest[2] if newest is not None else None,
    )


def _treating(view: View, event: Event) -> tuple[Span, ...]:
    terms, day = view.policy.terms, days_after(event.at, 0, view.zone)
    stated, first = view.ledger.statements.get(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    denied = first.at if stated is not None and first is not None and stated.value_code == "no" else None

    def treats(supply: Supply) -> bool:
        dose = is_therapeutic(supply, terms)
        return supply.way != "ordered" and (dose if dose is not None else supply.at >= day)

    return runs(view.ledger, view.policy, (s for s in view.supplies(ANTICOAGULANT) if treats(s)), denied)


def treated_until(view: View, treatment: Treatment) -> datetime | None:
    """The first instant at which its treatment has lasted as long as it lasts at least; None where none began."""
    if treatment.began is None:
        return None
    return months_later(treatment.began, view.policy.terms.vte_treatment_months.whole, view.zone)
