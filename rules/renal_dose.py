"""The dose of lenalidomide that kidney function asks for: clearance, dose band, dose intensity.

The bands are policy data (clinical reference, part 3.5). Doses are compared by intensity, the average a day: 15 mg
every other day is 7.5 mg. On dialysis a creatinine says nothing, so the row for dialysis applies whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rules.answers import Shown
from rules.calendar import days_after
from rules.equations import deindex_gfr, estimate_body_surface_mosteller_1987, estimate_gfr_mdrd_2006
from rules.picture import Diagnosis, Procedure, Result, Supply
from rules.policy.terms import DoseBand, Number, Policy
from rules.view import View

DIALYSIS, SESSION = "dialysis", "haemodialysis-session"
READS = ("creatinine", "weight", "height", DIALYSIS, SESSION)
"""What a dose band stands on, whichever equation the policy names."""
COCKCROFT_GAULT, MDRD = "Cockcroft-Gault", "MDRD de-indexed by body surface"
_DAYS_A_DOSE = {None: 1, "daily": 1, "alternate-days": 2}


@dataclass(frozen=True, slots=True)
class Figure:
    """A clearance in mL/min, how it was estimated, and the results it stands on."""

    ml_per_min: Decimal
    how: str
    facts: tuple[Result, ...]

    @property
    def creatinine(self) -> Result:
        """The creatinine it was estimated from."""
        return self.facts[0]


@dataclass(frozen=True, slots=True)
class Kidney:
    """The dose band and why; `band` is None where `missing` says what is not known."""

    band: DoseBand | None
    figure: Figure | None = None
    dialysis: Diagnosis | Procedure | None = None
    until: datetime | None = None
    """When the session of dialysis no longer counts."""
    missing: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[Shown, ...]:
        """The facts it stands on."""
        if self.dialysis is not None:
            return (Shown("on dialysis", self.dialysis),)
        return shown_of(self.figure)

    @property
    def named(self) -> str:
        """For people: the clearance, or dialysis."""
        if self.dialysis is not None:
            return "dialysis"
        return (
            f"a creatinine clearance of {shown(self.figure)} mL/min ({self.figure.how})" if self.figure else "unknown"
        )


def shown_of(figure: Figure | None) -> tuple[Shown, ...]:
    """The results a clearance stands on."""
    facts = figure.facts if figure is not None else ()
    return tuple(Shown(f"{fact.analyte} of the clearance", fact) for fact in facts)


def shown(figure: Figure | None) -> str:
    """The clearance with one decimal, cut and never rounded up: just below a limit must not look like the limit."""
    return f"{int(figure.ml_per_min * 10) / Decimal(10):f}" if figure is not None else "unknown"


def kidney_now(view: View) -> Kidney:
    """The band by the newest creatinine, or by dialysis."""
    return view.derive(_kidney_now)


def _kidney_now(view: View) -> Kidney:
    dialysis, until = _on_dialysis(view)
    if dialysis is not None:
        return Kidney(view.policy.dose_table[-1], dialysis=dialysis, until=until)
    return kidney_by(view, view.newest("creatinine"))


def kidney_by(view: View, creatinine: Result | None) -> Kidney:
    """The band by one creatinine, by the equation that the policy names."""
    is_mdrd = view.policy.terms.renal_equation == "mdrd-deindexed"
    figure, missing = (by_mdrd if is_mdrd else by_cockcroft_gault)(view, creatinine)
    return Kidney(band_of(figure.ml_per_min, view.policy) if figure is not None else None, figure, missing=missing)


def by_cockcroft_gault(view: View, creatinine: Result | None) -> tuple[Figure | None, tuple[str, ...]]:
    """Cockcroft-Gault with actual weight, or what is missing."""
    clearance, missing = view.clearance_by(creatinine)
    if clearance is None:
        return None, missing
    return Figure(clearance.ml_per_min, COCKCROFT_GAULT, (clearance.creatinine, clearance.weight)), ()


def by_mdrd(view: View, creatinine: Result | None) -> tuple[Figure | None, tuple[str, ...]]:
    """MDRD for this patient's body surface, or what is missing (ambiguity 8: never indexed to 1.73 m2)."""
    clearance, missing = view.clearance_by(creatinine)
    height, person, age = view.newest("height"), view.ledger.person, view.age
    if height is None or not height.value or height.bound is not None:
        return None, (*missing, "height")
    if clearance is None or person is None or age is None:
        return None, missing
    indexed = estimate_gfr_mdrd_2006(age, _value(clearance.creatinine), is_female=person.sex == "female")
    surface = estimate_body_surface_mosteller_1987(height.value, _value(clearance.weight))
    return Figure(deindex_gfr(indexed, surface), MDRD, (clearance.creatinine, clearance.weight, height)), ()


def _value(result: Result) -> Decimal:
    return result.value if result.value is not None else Decimal(0)


def first_so(view: View, holds: Callable[[Figure], bool]) -> Figure | None:
    """By the first of the last creatinine values in a row of which something holds: what a finding began with.

    It stands as evidence where a newer value that says the same is no news.
    """
    first: Figure | None = None
    for creatinine in reversed(view.series("creatinine")):
        figure = kidney_by(view, creatinine).figure
        if figure is None or not holds(figure):
            break
        first = figure
    return first


def band_of(ml_per_min: Decimal, policy: Policy) -> DoseBand:
    """The band of a clearance; exactly on the border of the full dose the policy says which."""
    full, *reduced = [band for band in policy.dose_table if band.at_least is not None]
    is_exact = full.at_least is not None and ml_per_min == full.at_least.value
    if policy.terms.renal_border_is_reduced and is_exact:
        return reduced[0]
    return next(b for b in (full, *reduced) if b.at_least is not None and ml_per_min >= b.at_least.value)


def rank_of(band: DoseBand, policy: Policy) -> int:
    """Place of a band, the full dose first: a greater number is a lower clearance."""
    return policy.dose_table.index(band)


def limits(policy: Policy) -> tuple[Number, ...]:
    """The borders of the bands, as thresholds."""
    return tuple(band.at_least for band in policy.dose_table if band.at_least is not None and band.at_least.value > 0)


def intensity(dose_mg: Decimal | None, schedule: str | None) -> Decimal | None:
    """Average mg a day of taking time; None where dose or rhythm are not known."""
    days = _DAYS_A_DOSE.get(schedule)
    return dose_mg / days if dose_mg is not None and days is not None else None


def intensity_of(supply: Supply) -> Decimal | None:
    """The same of a supply."""
    return intensity(supply.dose, supply.schedule)


def start_intensity(band: DoseBand) -> Decimal:
    """The intensity of a band's starting dose."""
    return intensity(band.dose_mg, band.schedule) or band.dose_mg


def raised_intensity(band: DoseBand) -> Decimal | None:
    """The intensity it may be raised to, where the table says so."""
    return intensity(band.raised_mg, band.raised_schedule)


def _on_dialysis(view: View) -> tuple[Diagnosis | Procedure | None, datetime | None]:
    coded = view.active(DIALYSIS)
    if coded is not None:
        return coded, coded.abated
    days = view.policy.terms.renal_dialysis_session_days.whole
    session = view.procedure_since(days_after(view.at, -days, view.zone), SESSION)
    return (session, days_after(session.at, days + 1, view.zone)) if session is not None else (None, None)


def dialysis_ended(view: View) -> datetime | None:
    """When dialysis last ceased to count: a recorded end, or the last session too long ago; None while on it."""
    if kidney_now(view).dialysis is not None:
        return None
    days = view.policy.terms.renal_dialysis_session_days.whole
    ends = [d.abated for d in view.diagnoses(DIALYSIS)]
    ends += [days_after(p.at, days + 1, view.zone) for p in view.ledger.procedures if SESSION in p.concepts]
    return max((end for end in ends if end is not None and end <= view.at), default=None)
