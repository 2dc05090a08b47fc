"""Table 3: which prophylaxis, by tier, platelets, clearance and cycle.

| tier | platelets              | clearance at or above the LMWH limit | below it          |
| 1    | below the LMWH limit   | specialist (printed: warfarin)       | the same          |
| 1    | from there on          | LMWH                                 | warfarin          |
| 1, after its cycles         | aspirin from the aspirin limit on, else review           |
| 2    | below the aspirin limit| none                                 | none              |
| 2    | from there on          | aspirin (a policy may say: none)     | the same          |
| 3    | any                    | none (a policy may say: as tier 2)   | the same          |

The printed table contradicts itself for tier 1 with platelets below the aspirin limit (row 1 against row 3):
tier 1 wins down to the LMWH limit, with a note; below it no agent is ever proposed, unless the policy asks for
the table to the letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from rules.answers import Shown
from rules.course_moment import begin_of, cycle_at
from rules.picture import Result
from rules.policy.terms import Number, Terms
from rules.thrombosis.agents import UNUSABLE
from rules.thrombosis.risk import Tier, decide_tier, is_assessed_by_person
from rules.view import Clearance, View


class Outcome(StrEnum):
    """What the table asks for; the three agents are the reasons of `vte-ppx-missing`."""

    LMWH = "lmwh"
    WARFARIN = "warfarin"
    ASPIRIN = "aspirin"
    SPECIALIST = "specialist"
    REVIEW = "review"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """The cell of the table the patient is in, or what is missing to find it."""

    tier: Tier
    outcome: Outcome | None
    missing: tuple[str, ...] = ()
    """Without these there is no cell."""
    gaps: tuple[str, ...] = ()
    """With these the cell could be a worse one: silence because of it would not mean that all is well."""
    platelets: Result | None = None
    clearance: Clearance | None = None
    is_conflict: bool = False
    later_since: datetime | None = None
    """Tier 1 after its cycles: when they were over."""

    @property
    def evidence(self) -> tuple[Shown, ...]:
        """What the cell was found by."""
        shown = list(self.tier.evidence)
        if self.platelets is not None:
            shown.append(Shown("newest platelets", self.platelets))
        if self.clearance is not None:
            shown.append(Shown("creatinine of the clearance", self.clearance.creatinine))
            shown.append(Shown("weight of the clearance", self.clearance.weight))
        return tuple(shown)

    def numbers(self, terms: Terms) -> tuple[Number, ...]:
        """The thresholds the cell was found by."""
        counts = [terms.vte_aspirin_platelets] if self.platelets is not None else []
        if self.tier.number == 1:
            counts = [terms.vte_lmwh_platelets, terms.vte_aspirin_platelets, terms.vte_tier1_cycles]
        if self.clearance is not None:
            counts.append(terms.vte_lmwh_clcr)
        return (*self.tier.numbers, *counts)

    @property
    def is_provisional(self) -> bool:
        """Stands on an unconfirmed condition or a doubtful or outdated count."""
        is_doubtful = self.platelets is not None and (self.platelets.is_doubtful or UNUSABLE in self.gaps)
        return is_doubtful or self.tier.is_provisional

    @property
    def context(self) -> tuple[str, ...]:
        """What is not known, and where the table contradicts itself."""
        lines = list(self.tier.context)
        if UNUSABLE in self.gaps:
            lines.append("A newer platelet count could not be used; the newest valid one decides.")
        if self.is_conflict:
            lines.append(
                "Row 3 of the table asks for nothing at this platelet count (row 3 conflict): watch for bleeding."
            )
        return tuple(lines)

    def decided_at(self, since: datetime) -> datetime:
        """The clinical time of the newest fact the cell was found by, and not before `since`."""
        results = [self.platelets]
        if self.clearance is not None:
            results += [self.clearance.creatinine, self.clearance.weight]
        times = [result.at for result in results if result is not None]
        return max(since, self.tier.reached_at or since, self.later_since or since, *times)


def decide_outcome(
    tier: int, platelets: Decimal, clearance: Decimal | None, terms: Terms, *, is_within_cycles: bool
) -> Outcome | None:
    """One cell; None where the clearance is needed and missing."""
    has_aspirin_count = platelets >= terms.vte_aspirin_platelets.value
    if tier > 1:
        return Outcome.ASPIRIN if _gets_aspirin(tier, terms) and has_aspirin_count else Outcome.NONE
    if platelets < terms.vte_lmwh_platelets.value:
        if not terms.table3_literal:
            return Outcome.SPECIALIST
        return Outcome.WARFARIN if is_within_cycles else Outcome.REVIEW
    if not is_within_cycles:
        return Outcome.ASPIRIN if has_aspirin_count else Outcome.REVIEW
    if clearance is None:
        return None
    return Outcome.LMWH if clearance >= terms.vte_lmwh_clcr.value else Outcome.WARFARIN


def _gets_aspirin(tier: int, terms: Terms) -> bool:
    """Row 2 of the table; the first bullets would leave tier 2 without, the labels give it to tier 3 too."""
    return terms.vte_tier2_aspirin if tier == 2 else terms.vte_tier3_aspirin


def decide_prophylaxis(view: View) -> Decision:
    """The cell the patient is in at the instant; worked out once for all rules."""
    return view.derive(_decide)


def _decide(view: View) -> Decision:
    tier, terms, count = decide_tier(view), view.policy.terms, view.newest("platelets")
    gaps = () if is_assessed_by_person(view) else tier.unknown
    if tier.number > 1 and not _gets_aspirin(tier.number, terms):
        return Decision(tier, Outcome.NONE, gaps=gaps)
    if view.unusable("platelets") is not None:
        gaps = (*gaps, UNUSABLE)
    if count is None or count.value is None:
        return Decision(tier, None, (UNUSABLE if UNUSABLE in gaps else "platelets",))
    limits = [terms.vte_aspirin_platelets.value] + ([terms.vte_lmwh_platelets.value] if tier.number == 1 else [])
    if any(count.is_below(limit) is None for limit in limits):
        return Decision(tier, None, ("a platelet count that is not a mere bound",))
    within = is_within_tier1_cycles(view)
    is_needed = tier.number == 1 and within and not count.is_below(terms.vte_lmwh_platelets.value)
    clearance = view.clearance if is_needed else None
    clcr = clearance.ml_per_min if clearance is not None else None
    outcome = decide_outcome(tier.number, count.value, clcr, terms, is_within_cycles=within)
    if outcome is None:
        return Decision(tier, None, view.clearance_missing)
    is_low = bool(count.is_below(terms.vte_aspirin_platelets.value))
    is_conflict = is_low and outcome in (Outcome.LMWH, Outcome.WARFARIN)
    later_since = None if within or tier.number > 1 else tier1_cycles_over_at(view)
    return Decision(tier, outcome, (), gaps, count, clearance, is_conflict, later_since)


def last_tier1_cycle(view: View) -> int:
    """The last cycle with LMWH or warfarin; a policy may count from the cycle in which the factor arose."""
    terms = view.policy.terms
    first = 1
    if terms.vte_tier1_from_factor:
        begun = [f.begins for f in decide_tier(view).known_factors if f.tier == 1 and f.begins <= view.at]
        cycle = cycle_at(view.ledger, max(begun)) if begun else None
        first = cycle.number if cycle is not None else 1
    return first + terms.vte_tier1_cycles.whole - 1


def is_within_tier1_cycles(view: View) -> bool:
    """Whether the cycle that runs is one with LMWH or warfarin for tier 1."""
    cycle = view.cycle
    return cycle is None or cycle.number <= last_tier1_cycle(view)


def tier1_cycles_over_at(view: View) -> datetime:
    """When the first cycle after those of tier 1 began, as far back as cycles are remembered."""
    last = last_tier1_cycle(view)
    later = next((cycle for cycle in view.ledger.cycles if cycle.number > last), None)
    return begin_of(later, view.zone) if later is not None else view.at
