"""Adverse events as the toxicity rules read them: which count, which is the newest word on one, what ends it."""

from __future__ import annotations

from datetime import datetime

from rules.answers import earliest
from rules.ledger import LENALIDOMIDE, Ledger
from rules.picture import Diagnosis
from rules.view import View

GRADED = "adverse-event"
"""The name every graded event is read by, whatever its code."""
RASH = "rash"
SEVERE_SKIN = ("sjs", "ten", "dress", "bullous-or-exfoliative-rash")
SKIN = (RASH, *SEVERE_SKIN)
HYPERSENSITIVITY = ("anaphylaxis", "angioedema")
CANCER = "second-malignancy"
HAEMATOLOGIC = frozenset(
    ("neutropenia", "febrile-neutropenia", "thrombocytopenia", "pancytopenia", "anaemia", "leukopenia")
)
WITH_OWN_RULE = frozenset((*SKIN, *HYPERSENSITIVITY, CANCER, "vte", "arterial-thromboembolism"))
"""A rule of their own speaks for these, with advice of its own."""


def is_graded(event: Diagnosis) -> bool:
    """A clinician gave it a grade."""
    return event.grade is not None


def is_any_of(event: Diagnosis, *concepts: str) -> bool:
    """Whether it falls under one of these concepts."""
    return not set(concepts).isdisjoint(event.concepts)


def began_on_treatment(event: Diagnosis, ledger: Ledger) -> bool:
    """Whether it may have begun after the first dose of the course."""
    return not event.is_history and ledger.started_at is not None and event.last >= ledger.started_at


def is_blamed_elsewhere(event: Diagnosis) -> bool:
    """A person judged that other medicines caused it, and not lenalidomide."""
    return bool(event.related) and LENALIDOMIDE not in event.related


def is_related(event: Diagnosis) -> bool:
    """A person judged that lenalidomide caused it."""
    return LENALIDOMIDE in event.related


def current_events(ledger: Ledger, at: datetime) -> tuple[Diagnosis, ...]:
    """Graded events of the course that are not over; of several words on one event only the newest."""
    newest: dict[object, Diagnosis] = {}
    for event in ledger.diagnoses:
        if is_graded(event) and began_on_treatment(event, ledger) and event.at <= at:
            newest[event.concepts or event.code or event.id] = event
    return tuple(event for event in newest.values() if not event.is_over(at))


def next_end(view: View, events: tuple[Diagnosis, ...]) -> datetime | None:
    """When the first of these ends, where an end that lies ahead is recorded."""
    return earliest(*(event.abated for event in events if event.abated is not None and event.abated > view.at))


def name_of(event: Diagnosis) -> str:
    """For people: what happened."""
    return event.concepts[0].replace("-", " ") if event.concepts else "adverse event of an unknown code"
