"""The risk tier of Table 3: 1, 2 or 3, with the factors found.

Tier 1: a VTE within the stated months (exactly that counts), immobilisation, or high-dose dexamethasone.
Tier 2: any other factor. Tier 3: none. They are looked at in this order. A fact that was never recorded lowers
nothing: it is named as unknown, and a rule that would stay silent only because of it cannot be assessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.answers import Shown, earliest
from rules.policy.terms import Number
from rules.thrombosis.factors import ENDS_TIER_1, Factor, find_factors, find_unknown
from rules.view import View

LOWEST = 3
_TIERS = ("tier-1", "tier-2", "tier-3")


@dataclass(frozen=True, slots=True)
class Tier:
    """What Table 3 makes of the facts. `factors` hold now, those of the tier itself first."""

    number: int
    factors: tuple[Factor, ...]
    unknown: tuple[str, ...]
    known_factors: tuple[Factor, ...]
    """All factors of the record, past ones and those still ahead as well."""
    reached_at: datetime | None
    """Since when it has been this tier: a factor of it holds, and none of a more severe one any more."""
    changes_at: datetime | None
    assessed: str | None
    """What a person's recorded assessment came to."""

    @property
    def deciding(self) -> tuple[Factor, ...]:
        """The factors of the tier itself."""
        return tuple(factor for factor in self.factors if factor.tier == self.number)

    @property
    def begins(self) -> datetime | None:
        """Since when there has been a factor that still holds."""
        return min((factor.begins for factor in self.factors), default=None)

    @property
    def is_provisional(self) -> bool:
        """Every fact it stands on is unconfirmed."""
        return bool(self.deciding) and all(factor.is_unconfirmed for factor in self.deciding)

    @property
    def evidence(self) -> tuple[Shown, ...]:
        """The facts of the deciding factors."""
        return tuple(Shown(factor.what, fact) for factor in self.deciding for fact in factor.facts)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The thresholds of the deciding factors, each once."""
        return tuple(dict.fromkeys(number for factor in self.deciding for number in factor.numbers))

    @property
    def named(self) -> str:
        """For people: the tier and why."""
        names = ", ".join(dict.fromkeys(factor.what for factor in self.deciding))
        return f"risk tier {self.number} ({names or 'no factor found'})"

    @property
    def sentence(self) -> str:
        """The same, to begin a sentence with."""
        return f"R{self.named[1:]}"

    @property
    def context(self) -> tuple[str, ...]:
        """What is not known about the tier, and a person's assessment that came to another one."""
        lines = [f"Not recorded, and could raise the tier: {', '.join(self.unknown)}."] if self.unknown else []
        if self.assessed is not None and self.assessed in _TIERS and self.assessed != _TIERS[self.number - 1]:
            lines.append(f"A person assessed the risk as {self.assessed}.")
        return tuple(lines)


def decide_tier(view: View) -> Tier:
    """The tier at the instant; worked out once for all rules."""
    return view.derive(_decide)


def _decide(view: View) -> Tier:
    known = find_factors(view)
    holding = tuple(sorted((f for f in known if f.holds_at(view.at)), key=lambda f: (f.tier, f.begins)))
    number = min((factor.tier for factor in holding), default=LOWEST)
    unknown = find_unknown(view, number) if number > 1 else ()
    borders = (instant for factor in known for instant in (factor.begins, factor.ends))
    ahead = (instant for instant in borders if instant is not None and instant > view.at)
    over = [f.ends for f in known if f.tier < number and f.ends is not None and f.ends <= view.at]
    begun = [min(factor.begins for factor in holding if factor.tier == number)] if holding else []
    reached = max([*over, *begun, *_said_since(view)], default=None)
    assessment = view.statement("vte-risk-assessment")
    return Tier(
        number=number,
        factors=holding,
        unknown=unknown,
        known_factors=known,
        reached_at=reached,
        changes_at=earliest(*ahead, view.next_cycle_at, next_recorded_end(view)),
        assessed=assessment.value_code if assessment is not None else None,
    )


def _said_since(view: View) -> list[datetime]:
    """Since when the facts that can end tier 1 say what they say: a tier is not older than they are."""
    first = [view.stated_since(code) for code in ENDS_TIER_1]
    said = [statement.at for statement in first if statement is not None]
    score, before, limit = view.newest("ecog"), view.previous("ecog"), view.policy.terms.vte_immobile_ecog
    if score is not None and before is not None and score.is_below(limit.value) and not before.is_below(limit.value):
        said.append(score.at)
    return said


def next_recorded_end(view: View) -> datetime | None:
    """The next instant at which a condition or statement ends by its own record, or the course does."""
    return view.derive(_find_next_end)


def _find_next_end(view: View) -> datetime | None:
    ends = [
        *(diagnosis.abated for diagnosis in view.ledger.diagnoses),
        *(statement.until for statement in view.ledger.statements.values()),
        view.ledger.ended_at,
    ]
    return earliest(*(end for end in ends if end is not None and end > view.at))


def is_assessed_by_person(view: View) -> bool:
    """A recorded risk assessment: what the record does not show, a person has asked about."""
    return view.statement("vte-risk-assessment") is not None
