"""Dexamethasone above 40 mg once a week at an age between the two limits.

Watches for    an age from the lower limit up to and with the higher one on day 1 of the cycle, and a day's dose above
               that of a day, or more in 28 days of the cycle than once a week makes.
Stays silent   below that age and above it (`dex-age-over-75`), and at or below the dose.
Cannot assess  with a dose above it and no birth date, or where nothing says how much dexamethasone there is.
Numbers        dex_middle_age_at, dex_elderly_over_years, dex_elderly_from_birthday, dex_day_mg, dex_low_mg
"""

from __future__ import annotations

from rules.answers import Answer
from rules.dosing.dex_age import Band, assess_age
from rules.view import View

RULE_ID = "dex-age-65-75"


def assess(view: View) -> Answer:
    """Age in completed years on day 1 of the cycle."""
    terms = view.policy.terms
    band = Band(False, terms.dex_middle_age_at, terms.dex_day_mg, terms.dex_low_mg)
    return assess_age(view, band)
