"""What the catalogue says of a rule: subject, form, what it reads, how its alert behaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.answers import Answer
from rules.view import View


class Subject(StrEnum):
    """What "one alert" means for a rule."""

    COURSE = "course"
    CYCLE = "cycle"
    EPISODE = "episode"
    FACT = "fact"
    SPELL = "spell"


class Form(StrEnum):
    """`context` is a note on the patient and inside other alerts, never an alert."""

    ALERT = "alert"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """One rule: id, the clinical reference's section, family, and how its alert behaves.

    `is_absence`: it speaks of something that did not come, so a fact that arrives late can show
    that it never was true. `superseded_by`: more severe rules that cover the same subject.
    `hangs_on_arrival`: its subject is the order in which facts became known, which is the one
    thing an order of arrival may change. `acted_by`: kinds of fact that carry out its advice.

    `reads` names every fact the rule looks at: it is asked again only when one of them comes, when
    its own `recheck_at` comes, or when the course of treatment changes. `limits` says more of an
    analyte: while the rule has nothing to say, a plain new value concerns it only if it lies on
    another side of one of these policy limits than the value before (see `only_quietened_by`, `through_course`).
    """

    id: str
    section: str
    family: str
    subject: Subject
    form: Form = Form.ALERT
    version: str = "1"
    assess: Callable[[View], Answer]
    reads: tuple[str, ...]
    closes: str
    is_absence: bool = False
    is_hold: bool = False
    hangs_on_arrival: bool = False
    superseded_by: tuple[str, ...] = ()
    acted_by: tuple[str, ...] = ()
    limits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NO_LIMIT = ""
"""Stands in `limits` for a value that cannot make the rule speak, whatever it is."""


def only_quietened_by(*analytes: str) -> dict[str, tuple[str, ...]]:
    """`limits` of a rule that a newer value of these analytes can end, and never begin."""
    return dict.fromkeys(analytes, (NO_LIMIT,))


def through_course(*analytes: str) -> dict[str, tuple[str, ...]]:
    """`limits` of a rule that sees these analytes only through what the course makes of them (episodes, holds)."""
    return dict.fromkeys(analytes, ())
