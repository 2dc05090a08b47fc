"""What makes a clot massive, and whether lysis was done: an iliofemoral thrombosis, an embolism with a low pressure."""

from __future__ import annotations

from typing import Literal

from rules.calendar import days_after
from rules.picture import Diagnosis, Result
from rules.thrombosis.events import Event
from rules.view import View

LYSIS = "thrombolysis"
THROMBOLYTIC = "thrombolytic"
PRESSURE = "systolic-bp"
ILIOFEMORAL = "iliofemoral-thrombosis"


def is_lysed(view: View, event: Event) -> bool:
    """Lysis was recorded since the day of the event."""
    day = days_after(event.at, 0, view.zone)
    is_given = any(s.way != "ordered" and s.at >= day for s in view.supplies(THROMBOLYTIC))
    return is_given or view.procedure_since(day, LYSIS) is not None


def massive_because(view: View, event: Event) -> Diagnosis | Result | Literal[False] | None:
    """The fact that makes it massive; False where none does, None where the pressure that decides is not known."""
    wide = next((diagnosis for diagnosis in event.diagnoses if ILIOFEMORAL in diagnosis.concepts), None)
    if wide is not None or "pe" not in event.concepts:
        return wide or False
    pressure = view.newest(PRESSURE)
    if pressure is None or pressure.at < days_after(event.at, 0, view.zone):
        return None
    is_low = pressure.is_below(view.policy.terms.vte_lysis_systolic_below.value)
    if is_low is None:
        return None
    return pressure if is_low else False
