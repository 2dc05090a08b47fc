"""The items of SAVED: surgery, race, history of VTE, age, dexamethasone."""

from __future__ import annotations

from decimal import Decimal

from rules.policy.terms import Number
from rules.thrombosis.scores import Score, dexamethasone, earlier_vte, is_of_race, item, surgery_within
from rules.view import View


def saved(view: View) -> Score:
    """SAVED as an interval."""
    terms = view.policy.terms
    operations, _ = surgery_within(view, terms.saved_surgery_days)
    is_asian, who = is_of_race(view, with_pacific=False)
    history = earlier_vte(view)
    is_old = view.age >= terms.saved_age_at.whole if view.age is not None else None
    person = (view.ledger.person,) if view.ledger.person is not None else ()

    def by_dose(mg: Decimal | None) -> tuple[int, tuple[Number, ...]]:
        if mg is None or mg > terms.vte_score_dex_high_mg.value:
            return terms.saved_dex_high.whole, (terms.saved_dex_high, terms.vte_score_dex_high_mg)
        is_standard = mg >= terms.vte_score_dex_standard_mg.value
        standard = terms.saved_dex_standard
        return standard.whole if is_standard else 0, (standard, terms.vte_score_dex_standard_mg)

    return Score(
        (
            *item("surgery", terms.saved_surgery, bool(operations), operations, limits=(terms.saved_surgery_days,)),
            *item("Asian", terms.saved_race, is_asian, who, is_race=True),
            *item("history of VTE", terms.saved_vte, bool(history), history),
            *item("age", terms.saved_age, is_old, person, missing="birth date", limits=(terms.saved_age_at,)),
            dexamethasone(view, by_dose),
        )
    )
