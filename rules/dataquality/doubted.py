"""Doubts about results that wait for a person, and the words they are told in."""

from __future__ import annotations

from datetime import datetime

from rules.answers import latest
from rules.ledger import Doubt
from rules.picture import Result
from rules.view import View

_ABBREVIATIONS = {"anc": "ANC", "wbc": "WBC", "inr": "INR", "egfr": "eGFR", "alt": "ALT", "ast": "AST", "tsh": "TSH"}


def doubts_of(view: View, kind: str) -> tuple[Doubt, ...]:
    """Open doubts of a kind, oldest first; none once the course has ended."""
    if not view.ledger.doubts or view.has_ended:
        return ()
    return tuple(doubt for doubt in view.ledger.doubts if doubt.kind == kind)


def effective_at(result: Result, view: View) -> datetime:
    """Clinical time of the result; the new course where treatment began again after it."""
    return latest(result.at, view.restarted_at)


def name_of(result: Result) -> str:
    """The analyte as people write it."""
    return _ABBREVIATIONS.get(result.analyte, result.analyte.replace("-", " "))


def as_received(result: Result) -> str:
    """The value and unit exactly as the sender wrote them."""
    return f"{result.bound or ''}{result.received or 'no value'} {result.unit or 'without a unit'}"


def with_unit(result: Result) -> str:
    """The value in the canonical unit."""
    return f"{result.shown} {result.canonical or ''}".rstrip() if result.value is not None else as_received(result)
