"""Why high-dose dexamethasone may be given: what the source lists, coded or stated."""

from __future__ import annotations

from datetime import datetime

from rules.view import View

REASON, AGGRESSIVE = "high-dose-dexamethasone-reason", "aggressive-disease"
CONCEPTS = ("spinal-cord-compression", "hypercalcaemia", "pain", "renal-failure", "dialysis", "ckd")
READS = (REASON, AGGRESSIVE, *CONCEPTS)
_LISTED = frozenset(("cord-compression", "hypercalcaemia", "pain", "renal-failure", "aggressive-disease"))


def has_listed_reason(view: View) -> bool:
    """Whether one of the listed reasons stands."""
    stated = view.statement(REASON)
    is_stated = stated is not None and stated.value_code in _LISTED
    return is_stated or view.says_yes(AGGRESSIVE) or view.active(*CONCEPTS) is not None


def reasons_since(view: View) -> list[datetime]:
    """When a reason that no longer stands ended, or was said otherwise."""
    ends = [d.abated for d in view.diagnoses(*CONCEPTS) if d.abated is not None and d.abated <= view.at]
    said = [view.answer_since(REASON), view.answer_since(AGGRESSIVE)]
    return [*ends, *(instant for instant in said if instant is not None)]
