"""Which rules a new fact concerns, so that the others need not be asked again.

A rule says what it reads. It is asked when a fact of that name comes, when its own recheck comes, and
whenever the course of treatment changes; a rule with nothing to say is spared a new value of an analyte
that stays on the same side of every limit the rule knows. Asking too many rules costs time; asking too few
would lose an alert, so everything that is not plain asks. Sets of rules are bits of an integer, by place in
the catalogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter, is_

from rules.catalogue import CATALOGUE, RULES_VERSION
from rules.entry import NO_LIMIT, RuleEntry
from rules.history import History
from rules.ledger import Ledger
from rules.picture import AnyKept, Result
from rules.policy.terms import Policy
from rules.telling import matching_names

EVERY = (1 << len(CATALOGUE)) - 1
"""All rules."""
PLACE = {entry.id: place for place, entry in enumerate(CATALOGUE)}
"""Place of each rule in the catalogue."""
CATALOGUE_MARK = hashlib.blake2b(
    "|".join((RULES_VERSION, *(f"{entry.id} {entry.version}" for entry in CATALOGUE))).encode(), digest_size=4
).hexdigest()
"""Tells one catalogue from another."""

_ANC_PARTS = frozenset(("wbc", "neutrophils-pct", "segs-pct", "bands-pct", "segs-abs", "bands-abs"))
"""From these an ANC may be computed, or one that was measured be refused."""
_TREATMENT = (
    "person", "enrolled_at", "number", "started_at", "ended_at", "end_reason", "cycles", "plan", "dose", "baseline",
    "start_dose", "stops", "stops_ended_at", "pregnancy", "pregnancy_ended_at", "doubts",
)  # fmt: skip
"""Fields of the ledger that any rule may look at without naming them."""
_COUNTED = (
    "neutropenia", "thrombocytopenia", "past_episodes", "holds", "released", "late", "held_dispenses", "resumed",
    "fever", "complication_at", "anaemia", "cleared_at", "liver", "lysis",
)  # fmt: skip
"""Fields that results make: any rule may look at them that names one of these."""
_COUNTS = ("anc", "platelets", "haemoglobin", "temperature", "alt", "bilirubin")
_treatment_of = attrgetter(*_TREATMENT)
_counted_of = attrgetter(*_COUNTED)
_bounded_of = attrgetter("diagnoses", "procedures", "stays", "vaccines")
"""Fields that keep the newest few: what falls out may have another name than what came in."""


def _close(places: int) -> int:
    """With the rules that stand back for one of these, and the rules that stand back for those."""
    ids = {CATALOGUE[place].id for place in places_of(places)}
    below = rule_set(entry.id for entry in CATALOGUE if not ids.isdisjoint(entry.superseded_by))
    return places if below | places == places else _close(below | places)


def places_of(rules: int) -> Iterator[int]:
    """Places in the catalogue, in its order."""
    while rules:
        lowest = rules & -rules
        yield lowest.bit_length() - 1
        rules ^= lowest


def rule_set(rules: Iterable[str]) -> int:
    """Rules by id; ids that no catalogue knows are left out."""
    places = 0
    for rule in rules:
        place = PLACE.get(rule)
        if place is not None:
            places |= 1 << place
    return places


def _concerned() -> dict[str, int]:
    concerned: dict[str, int] = {}
    for place, entry in enumerate(CATALOGUE):
        for name in {*entry.reads, *entry.acted_by}:
            concerned[name] = concerned.get(name, 0) | 1 << place
    return {name: _close(places) for name, places in concerned.items()}


def _limits() -> dict[str, tuple[tuple[str, int], ...]]:
    limits: dict[str, dict[str, int]] = {}
    for place, entry in enumerate(CATALOGUE):
        for analyte, keys in entry.limits.items():
            for key in keys:
                if key == NO_LIMIT:
                    continue
                by_key = limits.setdefault(analyte, {})
                by_key[key] = by_key.get(key, 0) | 1 << place
    return {analyte: tuple(by_key.items()) for analyte, by_key in limits.items()}


_CONCERNED = _concerned()
_LIMITS = _limits()
"""Policy keys by analyte, and the rules for which the side of that limit matters."""
_SPARED = {
    analyte: rule_set(entry.id for entry in CATALOGUE if entry.limits.get(analyte))
    for analyte in {name for entry in CATALOGUE for name in entry.limits}
}
"""Silent rules that a plain value of the analyte does not concern unless it crosses one of their limits."""
_BY_COURSE = {
    analyte: rule_set(entry.id for entry in CATALOGUE if entry.limits.get(analyte) == ())
    for analyte in {name for entry in CATALOGUE for name in entry.limits}
}
"""Rules that see the analyte only through what the course makes of it, silent or not."""
_BY_COUNTS = _close(rule_set(entry.id for entry in CATALOGUE if not set(_COUNTS).isdisjoint(entry.reads)))
"""Rules that may look at episodes and holds."""


def entries_of(rules: int) -> list[tuple[int, RuleEntry]]:
    """Place and entry of each rule of a set, in the order of the catalogue."""
    return [(place, CATALOGUE[place]) for place in places_of(rules)]


def names_of(facts: Sequence[AnyKept]) -> set[str]:
    """Every name that a rule may read one of these facts by."""
    names: set[str] = set()
    for fact in facts:
        if isinstance(fact, Result):
            names.add(fact.analyte)
        else:
            names |= matching_names(fact)
    return names


def rules_concerned(before: Ledger, history: History, facts: Sequence[AnyKept], speaking: int, policy: Policy) -> int:
    """The rules to be asked after these facts were placed.

    `before` is the ledger as it stood; `speaking` are the rules with an open alert or a gap.
    """
    after = history.ledger
    if history.was_refolded or _has_treatment_changed(before, after):
        return EVERY
    rules = 0 if all(map(is_, _counted_of(before), _counted_of(after))) else _BY_COUNTS
    analytes: set[str] = set()
    for fact in facts:
        if isinstance(fact, Result):
            analytes.add(fact.analyte)
        else:
            for name in matching_names(fact):
                rules |= _CONCERNED.get(name, 0)
    if not _ANC_PARTS.isdisjoint(analytes):
        analytes.add("anc")
    is_odd = before.preliminary is not after.preliminary or before.unusable is not after.unusable
    for analyte in analytes:
        readers = _CONCERNED.get(analyte, 0)
        if readers & ~rules:
            rules |= readers if is_odd else _concerned_by_value(before, after, analyte, readers, speaking, policy)
    return rules


def _has_treatment_changed(before: Ledger, after: Ledger) -> bool:
    if not all(map(is_, _treatment_of(before), _treatment_of(after))):
        return True
    pairs = zip(_bounded_of(before), _bounded_of(after), strict=True)
    return any(held is not now and len(held) >= len(now) for held, now in pairs)


def _concerned_by_value(
    before: Ledger, after: Ledger, analyte: str, readers: int, speaking: int, policy: Policy
) -> int:
    old, new = before.newest.get(analyte), after.newest.get(analyte)
    if old is new and new is not None:
        # Nothing newer came of it: an older value, or one that counts for nothing.
        return readers
    was, now = _plain_value(old), _plain_value(new)
    if was is None or now is None or analyte in after.preliminary or analyte in after.unusable:
        return readers
    rules = readers & ~_BY_COURSE.get(analyte, 0) & (~_SPARED.get(analyte, 0) | speaking)
    for key, those in _LIMITS.get(analyte, ()):
        limit = getattr(policy.terms, key).value
        if _side(was, limit) != _side(now, limit):
            rules |= those
    return rules


def _plain_value(result: Result | None) -> Decimal | None:
    """The value of a result that is neither a bound nor in doubt."""
    if result is None or result.bound is not None or result.doubt is not None or result.unit_doubted:
        return None
    return result.value


def _side(value: Decimal, limit: Decimal) -> int:
    return (value > limit) - (value < limit)
