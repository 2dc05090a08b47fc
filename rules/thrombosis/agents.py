"""Which antithrombotic medicines count as taken, and what for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from rules.answers import CannotAssess, Nothing, earliest
from rules.coverage import Span, coverage_spans
from rules.ledger import Ledger
from rules.picture import Diagnosis, Result, Supply
from rules.policy.terms import Number, Policy, Terms
from rules.thrombosis.factors import VTE
from rules.thrombosis.risk import next_recorded_end
from rules.view import View

LMWH = "lmwh"
VKA = "vitamin-k-antagonist"
ANTICOAGULANT = "anticoagulant"
ASPIRIN = "aspirin"
THERAPEUTIC = "therapeutic-anticoagulation"
CONTRAINDICATED = "anticoagulation-contraindicated"
STOPPED = "antithrombotics-stopped"
UNUSABLE = "a usable value of the newest platelet count"
_ANALGESIC_ATC = "N02B"
_PROPHYLACTIC_UP_TO = {
    "enoxaparin": "enoxaparin_mg",
    "apixaban": "apixaban_prophylaxis_mg",
    "rivaroxaban": "rivaroxaban_prophylaxis_mg",
    "fondaparinux": "fondaparinux_prophylaxis_mg",
}
"""The policy key of the highest single dose that is prophylaxis."""
_ONLY_TREATMENT = frozenset((VKA, "doac"))
"""Given at one dose, or with no prophylactic dose in the source."""


def runs(
    ledger: Ledger, policy: Policy, supplies: Iterable[Supply], denied_at: datetime | None = None
) -> tuple[Span, ...]:
    """Runs of coverage; a recorded stop of everything, or a denial, ends what was supplied before it."""
    stopped = ledger.statements.get(STOPPED)
    cuts = sorted(cut for cut in (stopped.at if stopped is not None else None, denied_at) if cut is not None)
    if not cuts:
        return coverage_spans(supplies, policy, ledger.zone)
    parts: list[list[Supply]] = [[] for _ in (*cuts, None)]
    for supply in supplies:
        parts[bisect_left(cuts, supply.at)].append(supply)
    found = [
        replace(run, until=min(run.until, cut), ends=min(run.ends, cut))
        for part, cut in zip(parts, cuts, strict=False)
        for run in coverage_spans(part, policy, ledger.zone)
    ]
    return (*(run for run in found if run.begins < run.ends), *coverage_spans(parts[-1], policy, ledger.zone))


def taken(view: View, *names: str, with_orders: bool = False) -> tuple[Span, ...]:
    """Runs of any of these, oldest first; what was only ordered does not count unless asked for."""
    if STOPPED not in view.ledger.statements:
        return view.spans(*names, with_orders=with_orders)
    chosen = (s for s in view.supplies(*names) if with_orders or s.way != "ordered")
    return runs(view.ledger, view.policy, chosen)


def is_therapeutic(supply: Supply, terms: Terms) -> bool | None:
    """Whether an anticoagulant is given at a dose that treats a clot; None where neither purpose nor dose says."""
    if supply.purpose is not None:
        return supply.purpose == "treatment"
    key = _PROPHYLACTIC_UP_TO.get(supply.medicine)
    if key is None:
        return True if not _ONLY_TREATMENT.isdisjoint(supply.classes) else None
    limit: Number = getattr(terms, key)
    dose = supply.dose_mg or supply.strength_mg or supply.daily_mg
    return dose > limit.value if dose is not None else None


def aspirin_spans(view: View, *, with_orders: bool = False) -> tuple[Span, ...]:
    """Runs of aspirin that may be prophylaxis; what was only ordered does not count unless asked for."""
    return view.derive(_aspirin_taken_or_ordered if with_orders else _aspirin_taken)


def _aspirin_taken_or_ordered(view: View) -> tuple[Span, ...]:
    pills = (s for s in view.supplies(ASPIRIN) if is_prophylactic_aspirin(s, view.policy.terms))
    return runs(view.ledger, view.policy, pills)


def _aspirin_taken(view: View) -> tuple[Span, ...]:
    if all(supply.way != "ordered" for supply in view.supplies(ASPIRIN)):
        return view.derive(_aspirin_taken_or_ordered)
    pills = (s for s in view.supplies(ASPIRIN) if s.way != "ordered")
    return runs(view.ledger, view.policy, (s for s in pills if is_prophylactic_aspirin(s, view.policy.terms)))


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
    span = present(taken(view, ANTICOAGULANT), view.at)
    is_stated = view.says_yes(THERAPEUTIC)
    ends = span.ends if span is not None and not is_stated else None
    return span is not None or is_stated, earliest(ends, next_recorded_end(view))


def anticoagulated_since(view: View, since: datetime) -> bool:
    """Whether any anticoagulant was taken after an instant, at any dose, or is stated to be."""
    stated = view.ledger.statements.get(THERAPEUTIC)
    is_stated = stated is not None and stated.value_code == "yes" and (stated.until is None or stated.until > since)
    return is_stated or any(run.ends > since for run in taken(view, ANTICOAGULANT))


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
