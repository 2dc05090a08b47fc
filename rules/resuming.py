"""At which dose lenalidomide may be resumed once every hold is released.

One ladder step for each distinct hold that asks for one; two causes on the same specimen are one
step (clinical reference, ambiguity 9). The lowest dose asked for by any cause is the one named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from rules.holds import Hold
from rules.ledger import Ledger
from rules.picture import Supply
from rules.policy.terms import Number, Policy
from schemas.alerts import Action, Advice

_ALTERNATE = "alternate-days"


@dataclass(frozen=True, slots=True)
class AllowedDose:
    """`dose_mg` None with `is_defined` means stop: the ladder has no lower dose."""

    dose_mg: Decimal | None
    is_defined: bool
    steps: int
    from_mg: Decimal | None
    schedule: str | None = None
    """As before the hold, where the same dose is allowed."""

    @property
    def daily_mg(self) -> Decimal | None:
        """Dose intensity allowed, in mg a day."""
        return _intensity(self.dose_mg, self.schedule)

    @property
    def is_at_floor(self) -> bool:
        """A step lower is asked for, and there is none."""
        return self.is_defined and self.steps > 0 and self.dose_mg is None

    @property
    def sentence(self) -> str:
        """For people: at which dose to resume."""
        if self.steps == 0:
            same = f", {self.dose_mg:f} mg" if self.dose_mg is not None else " as before the hold"
            rhythm = " on alternate days" if self.schedule == _ALTERNATE else ""
            return f"Resume at the same dose{same}{rhythm}."
        lower = "one dose step" if self.steps == 1 else f"{self.steps} dose steps"
        if self.dose_mg is not None:
            return f"Resume at {self.dose_mg:f} mg, {lower} below {self.from_mg:f} mg."
        if self.is_defined:
            return f"The ladder has no dose {lower} below {self.from_mg:f} mg: consider stopping, ask a specialist."
        why = "the dose before the hold is not known" if self.from_mg is None else "ladder not defined"
        return f"Reduce by {lower} when resuming: {why}."

    @property
    def advice(self) -> Advice:
        """The same as an action."""
        if self.is_at_floor:
            return Advice(action=Action.REFER, agent="lenalidomide")
        if not self.is_defined and self.steps > 0:
            return Advice(action=Action.REDUCE_STEP, agent="lenalidomide")
        return Advice(action=Action.RESUME, agent="lenalidomide", dose_mg=self._dose, schedule=self.schedule)

    @property
    def advice_while_held(self) -> Advice:
        """What to do now, with the dose to come: nothing is resumed yet."""
        return Advice(action=Action.REDUCE_STEP, agent="lenalidomide", dose_mg=self._dose)

    @property
    def _dose(self) -> str | None:
        return f"{self.dose_mg:f}" if self.dose_mg is not None else None


def asks_for_reduction(hold: Hold) -> bool:
    """Whether resuming after this hold is one step lower.

    Platelets: always (labels). Neutrophils: from the second episode on, or after a persistent one.
    """
    if hold.is_provisional:
        # Only counts in doubt (clumps, unit) ever opened it, and a sound one released it: it never was low.
        return False
    if hold.cause == "platelets":
        return True
    return hold.cause == "anc" and (hold.episode > 1 or hold.persistent is not None)


def allowed_dose(holds: Iterable[Hold], policy: Policy) -> AllowedDose:
    """The dose allowed after these holds, from the dose before the first of them."""
    ordered = sorted(holds, key=lambda hold: hold.opened.at)
    before = next((hold.dose for hold in ordered if hold.dose is not None), None)
    steps = len({hold.opened.at for hold in ordered if asks_for_reduction(hold)})
    dose = before.dose if before is not None else None
    if steps == 0:
        return AllowedDose(dose, dose is not None, 0, dose, before.schedule if before is not None else None)
    if dose is None or (before is not None and before.schedule == _ALTERNATE):
        # No published ladder exists for alternate-day starts (clinical reference, part 3.6).
        return AllowedDose(None, False, steps, dose)
    lowered: Decimal | None = dose
    for _ in range(steps):
        lowered = next((step for step in policy.ladder if lowered is not None and step < lowered), None)
    return AllowedDose(lowered, True, steps, dose)


def _intensity(dose_mg: Decimal | None, schedule: str | None) -> Decimal | None:
    """Average mg a day: half of the dose where it is taken every other day (clinical reference, part 3.5)."""
    return dose_mg / 2 if dose_mg is not None and schedule == _ALTERNATE else dose_mg


def is_within(supply: Supply, allowed_mg: Decimal | None, policy: Policy) -> bool | None:
    """Whether a dose is at or below the one allowed after a hold; None where it is not stated.

    Where the ladder has no lower dose, its lowest is the limit: `dose-floor` asks whether to stop.
    """
    dose = _intensity(supply.dose, supply.schedule)
    if dose is None:
        return None
    return dose <= (allowed_mg if allowed_mg is not None else policy.ladder[-1])


def cleared_after(ledger: Ledger, cause: str) -> Hold | None:
    """The newest released hold of a cause that still waits for the first dose; None while any hold is open."""
    if ledger.holds:
        return None
    return next((hold for hold in reversed(ledger.released) if hold.cause == cause), None)


def as_limit(dose_mg: Decimal | None, policy: Policy) -> Number:
    """A dose of the ladder as a threshold; its lowest where no lower dose exists."""
    name = policy.terms.dose_ladder
    return Number(f"dose_ladder {name}", dose_mg if dose_mg is not None else policy.ladder[-1], "mg", f"ladder {name}")
