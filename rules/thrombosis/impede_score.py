"""IMPEDE VTE: the risk of thrombosis on an immunomodulatory drug, as a note.

Watches for    every course: the score as an interval where facts are missing, with its band.
Stays silent   before and after treatment. A note, never an alert.
Cannot assess  never: what is not known widens the interval and is named. Built in newly diagnosed myeloma.
Numbers        impede_imid, impede_bmi, impede_bmi_at, impede_fracture, impede_esa, impede_dex_high, impede_dex_low,
               impede_chemotherapy, impede_race, impede_vte, impede_catheter, impede_therapeutic,
               impede_prophylactic, impede_intermediate_at, impede_high_at, vte_score_race, vte_score_dex_high_mg,
               vte_score_chemo_days
"""

from __future__ import annotations

from rules.answers import Answer
from rules.thrombosis.impede import impede
from rules.thrombosis.score_note import note
from rules.view import View

RULE_ID = "impede-score"


def assess(view: View) -> Answer:
    """Low below the first limit, high from the second on."""
    terms = view.policy.terms
    return note(view, "IMPEDE VTE", impede, (terms.impede_intermediate_at, terms.impede_high_at))
