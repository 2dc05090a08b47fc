"""Which antithrombotic medicines count as taken, and what for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.answers import CannotAssess, Nothing, earliest
from rules.coverage import Span, coverage_spans
from rules.picture import Diagnosis, Result, Supply
from rules.policy.terms import Number, Terms
from rules.thrombosis.factors import VTE
from rules.thrombosis.risk import next_recorded_end
from rules.view import View

LMWH = "lmwh"
VKA = "vitamin-k-antagonist"
ANTICOAGULANT = "anticoagulant"
ASPIRIN = "aspirin"
THERAPEUTIC = "therapeutic-anticoagulation"
CONTRAINDICATED = "anticoagulation-contraindicated"
UNUSABLE = "a usable value of the newest platelet count"
_ANALGESIC_ATC = "N02B"


def aspirin_spans(view: View, *, with_orders: bool = False) -> tuple[Span, ...]:
    """Runs of aspirin that may be prophylaxis; what was only ordered does not count unless asked for."""
    return view.derive(_aspirin_taken_or_ordered if with_orders else _aspirin_taken)


def _aspirin_taken_or_ordered(view: View) -> tuple[Span, ...]:
    pills = (s for s in view.supplies(ASPIRIN) if is_prophylactic_aspirin(s, view.policy.terms))
    return coverage_spans(pills, view.policy, view.zone)


def _aspirin_taken(view: View) -> tuple[Span, ...]:
    if all(supply.way != "ordered" for supply in view.supplies(ASPIRIN)):
        return view.derive(_aspirin_taken_or_ordered)
    taken = (s for s in view.supplies(ASPIRIN) if s.way != "ordered")
    pills = (s for s in taken if is_prophylactic_aspirin(s, view.policy.terms))
    return coverage_spans(pills, view.policy, view.zone)


def is_prophylactic_aspirin(supply: Supply, terms: Terms) -> bool:
    """The stated purpose decides, else the dose, else the code; aspirin of unknown use counts as prophylaxis."""
    if supply.purpose is not None:
        return supply.purpose == "prophylaxis"
    if supply.dose is not None:
        return supply.dose <= terms.aspirin_prophylaxis_max_mg.value
    return not (supply.code or "").startswith(_ANALGESIC_ATC)


def present(spans: Sequence[Span], at: datetime) -> Span | None:
    """The run the instant lies in."""
    return spans[-1] if spans and spans[-1].holds_at(at) else None


def unprotected_since(view: View, *groups: Sequence[Span]) -> datetime | None:
    """When the last run of any of these ended, or the statement that the patient is anticoagulated, if it did."""
    ends = [span.ends for spans in groups for span in spans]
    stated, first = view.ledger.statements.get(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    if stated is not None and stated.value_code == "yes" and stated.until is not None:
        ends.append(stated.until)
    elif stated is not None and stated.value_code != "yes" and first is not None:
        ends.append(first.at)
    return max((end for end in ends if end <= view.at), default=None)


def anticoagulated_until(view: View) -> tuple[bool, datetime | None]:
    """Whether any anticoagulant is taken, at any dose, or therapeutic anticoagulation is stated; and until when."""
    span = view.span_now(ANTICOAGULANT)
    is_stated = view.says_yes(THERAPEUTIC)
    ends = span.ends if span is not None and not is_stated else None
    return span is not None or is_stated, earliest(ends, next_recorded_end(view))


def vte_on_treatment(view: View) -> Diagnosis | None:
    """The newest VTE of the present course."""
    start = view.ledger.started_at
    events = (d for d in reversed(view.ledger.diagnoses) if not d.is_history and not VTE.isdisjoint(d.concepts))
    return next((d for d in events if start is not None and d.at > start), None)


def is_treatment(view: View, supply: Supply) -> bool:
    """Whether an anticoagulant is for a clot there is, not one to come, as far as recorded."""
    terms, event = view.policy.terms, vte_on_treatment(view)
    if supply.purpose is not None:
        return supply.purpose == "treatment"
    if view.says_yes(THERAPEUTIC) or (event is not None and not event.is_over(view.at)):
        return True
    return supply.medicine == "enoxaparin" and supply.dose is not None and supply.dose > terms.enoxaparin_mg.value


def on_treatment_since(view: View, *instants: datetime) -> datetime:
    """The latest of the instants, and not before the course began: before it no rule watches."""
    started = view.ledger.started_at
    return max(instants if started is None else (started, *instants))


def since_below(view: View, analyte: str, limit: Number) -> datetime:
    """Since when the newest results lie below a limit, as far back as results are remembered."""
    newest, before = view.newest(analyte), view.previous(analyte)
    if newest is None or not newest.is_below(limit.value):
        newest = view.preliminary(analyte) or newest
        return newest.at if newest is not None else view.at
    return before.at if before is not None and before.is_below(limit.value) else newest.at


def count_below(view: View, limit: Number, recheck: datetime | None) -> Result | Nothing | CannotAssess:
    """The platelet count that is below a limit, a newer preliminary one included; else the answer that there is none.

    A newer count that cannot be used never clears what the newest valid one shows.
    """
    count, preliminary = view.newest("platelets"), view.preliminary("platelets")
    if count is not None and count.is_below(limit.value):
        return count
    if preliminary is not None and preliminary.is_below(limit.value):
        return preliminary
    if view.unusable("platelets") is not None or (count is not None and count.is_below(limit.value) is None):
        return CannotAssess((UNUSABLE,), recheck)
    return CannotAssess(("platelets",), recheck) if count is None else Nothing(recheck)
