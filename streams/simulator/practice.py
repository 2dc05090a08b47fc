"""What the synthetic clinicians do, and when: the guideline as people carry it out.

These numbers drive made-up people only; the product's own numbers live in `rules/policy`. They
are written a second time here on purpose, from the same pages, so that a slip in the policy
shows as an alert in a ward that keeps to the book.
"""

from __future__ import annotations

from typing import Final

CYCLE_DAYS: Final = 28
DOSING_DAYS: Final = 21
"""Length of a cycle and of its dosing part, days (clinical reference 1.2: days 1-21 of 28)."""

LADDER_MG: Final = (25, 15, 10, 5)
"""Steps of the daily dose, mg (clinical reference 3.6, `consensus`)."""

ANC_HOLD_AT_MOST: Final = 500
ANC_SAFE_FROM: Final = 1_000
"""Neutrophils/uL: hold at or below the first; start, resume and end an episode from the second (3.1)."""

PLATELETS_HOLD_BELOW: Final = 30_000
PLATELETS_RESUME_FROM: Final = 50_000
PLATELETS_TRANSFUSE_BELOW: Final = 10_000
PLATELETS_WATCH_BELOW: Final = 75_000
PLATELETS_ASPIRIN_FROM: Final = 100_000
PLATELETS_HEPARIN_FROM: Final = 50_000
"""Platelets/uL: hold (3.2), resume with no warning left (1.10), transfuse (1.14), closer counts (a chosen habit),
aspirin and heparin allowed (3.2)."""

INTERVAL_DAYS: Final = 14
INTERVAL_CLOSE_DAYS: Final = 7
"""Days between counts in the first cycles, and while anything is wrong (1.12)."""

FIRST_CYCLES: Final = 3
"""Cycles with frequent counts and with antibacterial prophylaxis (1.8, 1.12)."""

HEPARIN_CYCLES: Final = 4
"""Cycles of low-molecular-weight heparin in tier 1 (1.6)."""

PERSISTENT_AFTER_DAYS: Final = 7
"""A hold whose count is still low after this many days is resumed one step lower (1.10)."""

DEXAMETHASONE_DOSE_MG: Final = 40
DEXAMETHASONE_DOSE_OLD_MG: Final = 20
DEXAMETHASONE_TABLET_MG: Final = 4
DEXAMETHASONE_DOSES: Final = 4
"""Weekly dexamethasone: dose, dose over 75 years, tablet (a chosen product), doses a cycle (1.3)."""

SUPPLY_DAYS: Final = 28
REFILL_DAYS: Final = 7
"""Days of prophylaxis handed over at a time (chosen, a common pack), and of a lenalidomide refill by mistake."""

COTRIMOXAZOLE_TABLET_MG: Final = 480
ASPIRIN_MG: Final = 100
ENOXAPARIN_MG: Final = 40
FILGRASTIM_MG: Final = "0.3"
FILGRASTIM_DAYS: Final = 5
"""Products and doses, mg (1.6, 1.8; filgrastim 300 micrograms a day for five days: a chosen habit)."""

CONTRACEPTION_LEAD_DAYS: Final = 30
PREGNANCY_TESTS_BEFORE_DAYS: Final = (12, 0)
PREGNANCY_TESTS_WEEKLY_DAYS: Final = (7, 14, 21)
"""Days before the first dose: contraception and tests; and days after it: tests of the first weeks (2.3)."""

VACCINES_BEFORE_DAYS: Final = ((290, "pneumococcal"), (200, "zoster"), (110, "covid"))
VACCINATES_FROM: Final = (9, 15)
REVIEW_DAYS: Final = 336
RESPONSE_AFTER_CYCLES: Final = 2
"""Vaccines given before the work-up; month and day of the first influenza vaccines (a chosen habit); days between two
reviews for second cancers (1.11: a year); cycles after which the response is judged (chosen)."""

GROWTH_FACTOR_EFFECT: Final = 0.35
"""Share by which G-CSF raises division in the marrow model. Synthetic: chosen, no patient data."""

TRANSFUSION_GAIN_PER_UL: Final = 25_000.0
"""Platelets/uL one transfusion adds in the marrow model. Synthetic: chosen, no patient data."""


def step_down(dose_mg: int) -> int | None:
    """The next lower dose of the ladder; none below the last."""
    lower = [step for step in LADDER_MG if step < dose_mg]
    return lower[0] if lower else None
