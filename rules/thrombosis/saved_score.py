"""SAVED: the risk of thrombosis when an immunomodulatory drug is started, as a note.

Watches for    every course: the score as an interval where facts are missing, with its band.
Stays silent   before and after treatment. A note, never an alert.
Cannot assess  never: what is not known widens the interval and is named.
Numbers        saved_surgery, saved_surgery_days, saved_race, saved_vte, saved_age, saved_age_at, saved_dex_standard,
               saved_dex_high, saved_high_at, vte_score_race, vte_score_dex_standard_mg, vte_score_dex_high_mg
"""

from __future__ import annotations

from rules.answers import Answer
from rules.thrombosis.saved import saved
from rules.thrombosis.score_note import note
from rules.view import View

RULE_ID = "saved-score"


def assess(view: View) -> Answer:
    """Low below the limit, high from there on."""
    return note(view, "SAVED", saved, (view.policy.terms.saved_high_at,))
