"""Who is at high risk of infection: aggressive disease, past neutropenia, past infections."""

from __future__ import annotations

from rules.picture import AnyKept
from rules.view import View

INFECTIONS = ("infection", "pneumonia", "sepsis", "herpes-zoster")
NEUTROPENIAS = ("neutropenia", "febrile-neutropenia")
STATED = ("aggressive-disease", "past-neutropenia", "past-infections")
REASON = "high-dose-dexamethasone-reason"
READS = (*INFECTIONS, *NEUTROPENIAS, *STATED, REASON, "anc")


def find_risks(view: View) -> list[tuple[str, AnyKept]]:
    """Why the risk is high, each with its fact."""
    risks: list[tuple[str, AnyKept]] = []
    for code in STATED:
        stated = view.ledger.statements.get(code)
        if stated is not None and stated.value_code == "yes":
            risks.append((code.replace("-", " "), stated))
    reason = view.ledger.statements.get(REASON)
    if reason is not None and reason.value_code == "aggressive-disease":
        risks.append(("aggressive disease", reason))
    coded = view.diagnoses(*NEUTROPENIAS)
    episodes = [
        e for e in (*view.ledger.past_episodes, view.ledger.neutropenia) if e is not None and e.analyte == "anc"
    ]
    if coded or episodes:
        risks.append(("past neutropenia", coded[0] if coded else episodes[0].opened))
    begin = (view.ledger.started_at or view.at) - view.policy.terms.inf_recent_days.span
    infections = [d for d in view.diagnoses(*INFECTIONS) if d.last >= begin]
    return [*risks, ("past infections", infections[0])] if infections else risks
