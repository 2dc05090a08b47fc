"""Laboratory tumour lysis (Cairo-Bishop): which values count, and the run of them that began in the window."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rules.calendar import days_between
from rules.ledger import Ledger
from rules.picture import Result
from rules.policy.terms import Policy, Terms

LYSIS = ("urate", "potassium", "phosphate", "calcium")
_HUNDRED = Decimal(100)


def is_in_window(at: datetime, ledger: Ledger, terms: Terms) -> bool:
    """From some days before day 1 of cycle 1 to some days after it."""
    first = ledger.cycles[0] if ledger.cycles else None
    if first is None or first.number != 1:
        return False
    day = days_between(first.day_1, at, ledger.zone)
    return -terms.tls_days_before.whole <= day <= terms.tls_days_after.whole


def counts_towards(result: Result, baseline: Result | None, terms: Terms) -> bool:
    """At its limit, or changed by the stated share since the baseline; calcium falls, the others rise."""
    limits = {"urate": terms.tls_urate_at, "potassium": terms.tls_potassium_at, "phosphate": terms.tls_phosphate_at}
    is_calcium = result.analyte == "calcium"
    if is_calcium:
        if result.is_at_most(terms.tls_calcium_at.value):
            return True
    elif result.is_below(limits[result.analyte].value) is False:
        return True
    if baseline is None or not baseline.value or baseline.bound or result.value is None or result.bound:
        return False
    change = (result.value - baseline.value) * _HUNDRED / baseline.value
    return (-change if is_calcium else change) >= terms.tls_change_percent.value


def that_count(ledger: Ledger, terms: Terms) -> tuple[Result, ...]:
    """The newest values that count towards tumour lysis."""
    newest = (ledger.newest.get(name) for name in LYSIS)
    return tuple(r for r in newest if r is not None and counts_towards(r, ledger.baseline.get(r.analyte), terms))


def advance_lysis(ledger: Ledger, policy: Policy) -> None:
    """Begin the run where enough values of the window count, go on with it while enough do, else end it."""
    if ledger.started_at is None:
        return
    terms = policy.terms
    counting = that_count(ledger, terms)
    inside = [result for result in counting if is_in_window(result.at, ledger, terms)]
    if ledger.lysis is None and len(inside) >= terms.tls_findings_at.whole:
        ledger.lysis = max(result.at for result in inside)
    elif ledger.lysis is not None and len(counting) < terms.tls_findings_at.whole:
        ledger.lysis = None
