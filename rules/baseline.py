"""Counts before the first dose: whether they were low enough to ask for caution and closer CBCs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.picture import Result, Statement
from rules.policy.terms import Number
from rules.view import View

MARROW_STATEMENT = "marrow-heavily-infiltrated"
MARROW_ANALYTE = "marrow-plasma-cells-pct"


@dataclass(frozen=True, slots=True)
class StartCount:
    """One count of the baseline, the limit to start, and the newest count since the first dose or dispense."""

    analyte: str
    name: str
    limit: Number
    count: Result | None
    newest: Result | None

    @property
    def was_low(self) -> bool | None:
        """Below the limit before the first dose; None where that is not known."""
        return self.count.is_below(self.limit.value) if self.count is not None else None

    @property
    def is_low(self) -> bool:
        """Was low, and no count since then that is free of doubt shows that it recovered."""
        newest = self.newest
        has_recovered = newest is not None and not newest.is_doubtful and newest.is_below(self.limit.value) is False
        return self.was_low is True and not has_recovered

    @property
    def is_unknown(self) -> bool:
        """Not known before the first dose, and no count since."""
        return self.was_low is None and self.newest is None


def start_counts(view: View) -> tuple[StartCount, StartCount]:
    """ANC and platelets as they were before the first dose (clinical reference, part 1.5)."""
    terms = view.policy.terms
    platelets = terms.start_plt_below if heavy_infiltration(view) is None else terms.start_plt_below_infiltrated
    return _counts_against(view, terms.start_anc_below, platelets)


def gate_counts(view: View) -> tuple[StartCount, StartCount]:
    """The same against the gate of a label that forbids the start (clinical reference, part 2.1)."""
    terms = view.policy.terms
    platelets = terms.gate_plt_below if heavy_infiltration(view) is None else terms.gate_plt_below_infiltrated
    return _counts_against(view, terms.gate_anc_below, platelets)


def _counts_against(view: View, anc: Number, platelets: Number) -> tuple[StartCount, StartCount]:
    return (
        StartCount("anc", "ANC", anc, view.baseline("anc"), _since_start(view, "anc")),
        StartCount("platelets", "platelets", platelets, view.baseline("platelets"), _since_start(view, "platelets")),
    )


def _since_start(view: View, analyte: str) -> Result | None:
    newest, started = view.newest(analyte), view.ledger.started_at
    return newest if newest is not None and started is not None and newest.at >= started else None


def heavy_infiltration(view: View) -> Result | Statement | None:
    """The statement or marrow result that says so; unknown means not heavy, the stricter limit (ambiguity 11)."""
    stated = view.statement(MARROW_STATEMENT)
    if stated is not None:
        return stated if stated.value_code == "yes" else None
    share = view.newest(MARROW_ANALYTE)
    if share is not None and share.is_below(view.policy.terms.marrow_heavy_percent.value) is False:
        return share
    return None


def baseline_since(view: View) -> datetime | None:
    """Since when the baseline reads as it does: a first dose that was recorded, or a word on the marrow."""
    first = view.ledger.cycles[0] if view.ledger.cycles else None
    is_taken = first is not None and first.number == 1 and not first.is_inferred and first.day_1 <= view.at
    days = (first.day_1 if first is not None and is_taken else None, view.answer_since(MARROW_STATEMENT))
    return max((instant for instant in days if instant is not None), default=None)


def infiltration_ends_at(view: View) -> datetime | None:
    """When the statement that decides on the platelet limit ends, if it does."""
    stated = view.statement(MARROW_STATEMENT)
    return stated.until if stated is not None else None
