"""The present run of an erythropoiesis-stimulating agent: doses given act for weeks, so their stretches join."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rules.picture import Supply
from rules.thrombosis.factors import esa_stretches
from rules.view import View

ESA = "esa"


@dataclass(frozen=True, slots=True)
class EsaRun:
    """The first and the newest supply of one run."""

    begins: datetime
    ends: datetime
    first: Supply
    newest: Supply


def esa_run(view: View) -> EsaRun | None:
    """The run the instant lies in; worked out once for all rules."""
    return view.derive(_find_run)


def _find_run(view: View) -> EsaRun | None:
    run: EsaRun | None = None
    for begins, ends, supply, _ in sorted(esa_stretches(view), key=lambda stretch: (stretch[0], stretch[2].id)):
        if run is not None and begins <= run.ends:
            run = EsaRun(run.begins, max(run.ends, ends), run.first, supply)
        else:
            run = EsaRun(begins, ends, supply, supply)
    return run if run is not None and view.at < run.ends else None
