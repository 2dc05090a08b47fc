"""Dexamethasone above 20 mg once a week over the higher age limit.

Watches for    an age over the limit on day 1 of the cycle, and a day's dose above that of a day, or more in 28 days
               of the cycle than once a week makes.
Stays silent   up to that age, and at or below the dose.
Cannot assess  with a dose above it and no birth date, or where nothing says how much dexamethasone there is.
Numbers        dex_elderly_over_years, dex_elderly_from_birthday, dex_elderly_day_mg, dex_elderly_mg
"""

from __future__ import annotations

from rules.answers import Answer
from rules.dosing.dex_age import Band, assess_age
from rules.view import View

RULE_ID = "dex-age-over-75"


def assess(view: View) -> Answer:
    """Over 75 means 76 completed years, or the day after the 75th birthday where the policy says so."""
    terms = view.policy.terms
    band = Band(True, terms.dex_elderly_over_years, terms.dex_elderly_day_mg, terms.dex_elderly_mg)
    return assess_age(view, band)
