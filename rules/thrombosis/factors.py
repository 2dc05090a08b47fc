"""What raises the risk of venous thromboembolism: each factor of Table 3 with its fact and the time it holds.

Everything that is kept is turned into stretches of time, so that one list answers which factors hold now, when
that changes with no new fact, and which of them arrived in the course of treatment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from rules.calendar import completed_years, days_after, local_day, months_before, start_of_day
from rules.course import DEXAMETHASONE
from rules.course_moment import begin_of
from rules.equations import estimate_body_mass_index
from rules.picture import AnyKept, Diagnosis, Result, Statement, Supply
from rules.policy.terms import Number
from rules.thrombosis.dexamethasone import PLAN, find_high_doses, is_dose_known
from rules.view import View
from schemas.events import FactStatus

VTE = frozenset(
    (
        "vte",
        "dvt",
        "calf-vein-thrombosis",
        "upper-limb-vein-thrombosis",
        "iliofemoral-thrombosis",
        "catheter-related-thrombosis",
        "pe",
        "vte-unspecified",
        "portal-vein-thrombosis",
    )
)
ARTERIAL = frozenset(("arterial-thromboembolism", "myocardial-infarction", "stroke", "stroke-unexplained"))
INFECTION = frozenset(("infection", "pneumonia", "sepsis", "herpes-zoster"))
_WHILE_ACTIVE = (
    ("renal disease", frozenset(("renal-disease", "ckd", "dialysis"))),
    ("pulmonary disease", frozenset(("pulmonary-disease",))),
    ("heart failure", frozenset(("heart-failure",))),
)
MOBILITY = ("immobilisation", "mobility", "bed-rest")
_IMMOBILE = frozenset(("bedbound", "bed-rest-3-days", "non-weight-bearing", "paraplegic"))
CONCEPTS = (*sorted(VTE | ARTERIAL | INFECTION), "history-of-vte", "thrombophilia", "immobility", "obesity",
            *sorted(frozenset[str]().union(*(concepts for _, concepts in _WHILE_ACTIVE))))  # fmt: skip
ENDS_TIER_1 = (*MOBILITY, "ecog", PLAN)
"""Statements that, said otherwise, end a factor of tier 1."""
STATEMENTS = (*ENDS_TIER_1, "thrombophilia", "vte-risk-assessment")
RESULTS = ("ecog", "bmi", "weight", "height", "creatinine")
MEDICINES = (DEXAMETHASONE, "esa")


@dataclass(frozen=True, slots=True)
class Factor:
    """One risk factor from its beginning to its end; `facts[-1]` is the fact that brought it about.

    `is_event` is false for what no single fact brings about (age, body mass, a falling clearance).
    """

    tier: int
    what: str
    facts: tuple[AnyKept, ...]
    begins: datetime
    ends: datetime | None = None
    numbers: tuple[Number, ...] = ()
    is_event: bool = True
    is_unconfirmed: bool = False

    def holds_at(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.begins <= at and (self.ends is None or at < self.ends)


def find_factors(view: View) -> tuple[Factor, ...]:
    """Every factor the record shows, past and present, by beginning; overlapping stretches of one are joined."""
    found = [
        *_from_diagnoses(view),
        *_from_mobility(view),
        *_from_performance(view),
        *_from_dexamethasone(view),
        *_from_esa(view),
        *_from_body_mass(view),
        *_from_clearance(view),
        *_from_age(view),
    ]
    thrombophilia = view.ledger.statements.get("thrombophilia")
    if thrombophilia is not None and thrombophilia.value_code == "yes":
        first = view.stated_since("thrombophilia") or thrombophilia
        found.append(Factor(2, "thrombophilia", (first,), first.at, thrombophilia.until))
    return _join(factor for factor in found if factor.ends is None or factor.ends > factor.begins)


def find_unknown(view: View, tier: int) -> tuple[str, ...]:
    """Facts that were never recorded and could raise a tier that is 2 or 3."""
    has_ecog = _newest_ecog(view) is not None
    unknown: list[str] = []
    if not has_ecog and not any(code in view.ledger.statements for code in MOBILITY):
        unknown.append("mobility or ECOG")
    if not is_dose_known(view):
        unknown.append("dexamethasone dose")
    if tier > 2:
        person = view.ledger.person
        if person is None or person.birth is None:
            unknown.append("birth date")
        if not has_ecog and "mobility or ECOG" not in unknown:
            unknown.append("ECOG")
        if body_mass(view) is None:
            unknown.append("weight and height")
    return tuple(unknown)


def _from_diagnoses(view: View) -> Iterator[Factor]:
    for diagnosis in view.ledger.diagnoses:
        is_unconfirmed = diagnosis.status is FactStatus.PRELIMINARY
        for factor in _from_diagnosis(view, diagnosis):
            yield replace(factor, is_unconfirmed=True) if is_unconfirmed else factor


def _from_diagnosis(view: View, diagnosis: Diagnosis) -> Iterator[Factor]:
    terms, zone = view.policy.terms, view.zone
    concepts, facts = frozenset(diagnosis.concepts), (diagnosis,)
    if not concepts.isdisjoint(VTE) and not diagnosis.is_history:
        recent = months_later(diagnosis.last, terms.vte_recent_months.whole, zone)
        recent = recent if terms.vte_recent_inclusive else days_after(recent, -1, zone)
        yield Factor(1, "recent VTE", facts, diagnosis.at, recent, (terms.vte_recent_months,))
    if not concepts.isdisjoint(VTE) or "history-of-vte" in concepts:
        yield Factor(2, "earlier VTE", facts, diagnosis.at)
    if not concepts.isdisjoint(ARTERIAL):
        yield Factor(2, "arterial thromboembolism", facts, diagnosis.at)
    if "thrombophilia" in concepts:
        yield Factor(2, "thrombophilia", facts, diagnosis.at)
    if diagnosis.is_history or (not diagnosis.is_active and diagnosis.abated is None):
        return
    if not concepts.isdisjoint(INFECTION):
        days = terms.vte_infection_active_days
        ends = days_after(diagnosis.last, days.whole + 1, zone)
        yield Factor(2, "infection", facts, diagnosis.at, min(ends, diagnosis.abated or ends), (days,))
    if "immobility" in concepts:
        yield Factor(1, "immobilisation", facts, diagnosis.at, diagnosis.abated)
    for what, names in _WHILE_ACTIVE:
        if not concepts.isdisjoint(names):
            yield Factor(2, what, facts, diagnosis.at, diagnosis.abated)
    if "obesity" in concepts and body_mass(view) is None:
        yield Factor(2, "obesity", facts, diagnosis.at, diagnosis.abated, is_event=False)


def _from_mobility(view: View) -> Iterator[Factor]:
    """The newest of the statements about mobility decides; older ones only say since when."""
    stated = [view.ledger.statements[code] for code in MOBILITY if code in view.ledger.statements]
    if not stated:
        return
    limit = view.policy.terms.vte_bed_rest_days

    def is_immobile(statement: Statement) -> bool:
        long_rest = statement.code == "bed-rest" and statement.number is not None and statement.number >= limit.value
        return long_rest or statement.value_code in _IMMOBILE

    newest = max(stated, key=lambda statement: (statement.at, is_immobile(statement)))
    if is_immobile(newest):
        firsts = [view.stated_since(statement.code) or statement for statement in stated if is_immobile(statement)]
        first = min(firsts, key=lambda statement: statement.at)
        numbers = (limit,) if newest.code == "bed-rest" else ()
        yield Factor(1, "immobilisation", (newest, first), first.at, newest.until, numbers)


def _from_performance(view: View) -> Iterator[Factor]:
    """ECOG, as a score or as a statement, whichever is newer."""
    terms, newest = view.policy.terms, _newest_ecog(view)
    if newest is None:
        return
    score = newest.value if isinstance(newest, Result) else newest.number
    before = view.previous("ecog") if isinstance(newest, Result) else None
    stated = view.ledger.statements.get("ecog")
    if before is not None and stated is not None and stated.at > before.at:
        # A statement lies between the two scores: it is what the newest one changes.
        before = None
    for tier, what, limit in (
        (1, "immobilisation", terms.vte_immobile_ecog),
        (2, "ECOG performance status", terms.vte_ecog_at),
    ):
        if score is None or score < limit.value:
            continue
        is_new = before is None or before.value is None or before.value < limit.value
        begins = newest.at if is_new or before is None else before.at
        ends = None
        if isinstance(newest, Statement):
            begins, ends = (view.stated_since("ecog") or newest).at, newest.until
        yield Factor(tier, what, (newest,), begins, ends, (limit,), is_new)


def _newest_ecog(view: View) -> Result | Statement | None:
    result, stated = view.newest("ecog"), view.ledger.statements.get("ecog")
    if result is None or stated is None:
        return result or stated
    return result if result.at >= stated.at else stated


def _from_dexamethasone(view: View) -> Iterator[Factor]:
    terms = view.policy.terms
    for high in find_high_doses(view):
        what = f"high-dose dexamethasone ({high.how})"
        yield Factor(1, what, high.facts, high.begins, high.ends, (terms.dex_high_mg, terms.dex_window_days))


def _from_esa(view: View) -> Iterator[Factor]:
    """A dose given acts for weeks, other than the coverage of one administration says."""
    lasts = view.policy.terms.vte_esa_covers_days
    for begins, ends, first, is_given in esa_stretches(view):
        numbers = (lasts,) if is_given else ()
        yield Factor(2, "erythropoiesis-stimulating agent", (first,), begins, ends, numbers)


def esa_stretches(view: View) -> Iterator[tuple[datetime, datetime, Supply, bool]]:
    """Each stretch of an erythropoiesis-stimulating agent: begin, end, the supply, whether it is one dose given."""
    for span in view.spans("esa", with_orders=True):
        yield span.begins, span.ends, span.first, False
    for supply in view.supplies("esa"):
        if supply.way == "given":
            yield supply.at, supply.at + view.policy.terms.vte_esa_covers_days.span, supply, True


def _from_body_mass(view: View) -> Iterator[Factor]:
    limit, body = view.policy.terms.vte_bmi_at, body_mass(view)
    if body is not None and body[0] >= limit.value:
        yield Factor(2, "body mass index", body[1], body[1][-1].at, numbers=(limit,), is_event=False)


def body_mass(view: View) -> tuple[Decimal, tuple[Result, ...]] | None:
    """Body mass index as measured, unless the weight is newer, then from weight and height; with its facts."""
    bmi, weight, height = view.newest("bmi"), view.newest("weight"), view.newest("height")
    is_newer = weight is not None and (bmi is None or weight.at > bmi.at)
    if is_newer and weight is not None and height is not None and weight.value and height.value:
        facts = tuple(sorted((height, weight), key=lambda result: result.at))
        return estimate_body_mass_index(height.value, weight.value), facts
    return (bmi.value, (bmi,)) if bmi is not None and bmi.value is not None else None


def _from_clearance(view: View) -> Iterator[Factor]:
    """Two creatinine values in a row that give a clearance below the limit."""
    limit = view.policy.terms.vte_renal_clcr_below
    before = view.previous("creatinine")
    now, earlier = view.clearance, view.clearance_by(before)[0] if before is not None else None
    if now is not None and earlier is not None and max(now.ml_per_min, earlier.ml_per_min) < limit.value:
        facts = (now.weight, earlier.creatinine, now.creatinine)
        yield Factor(2, "renal disease", facts, max(fact.at for fact in facts), numbers=(limit,), is_event=False)


def _from_age(view: View) -> Iterator[Factor]:
    """Completed years on day 1 of the cycle; of a birth date known only in part the earlier end counts."""
    limit, person = view.policy.terms.vte_age_at, view.ledger.person
    if person is None or person.birth is None:
        return
    for place, cycle in enumerate(view.ledger.cycles):
        if completed_years(person.birth, local_day(cycle.day_1, view.zone)) >= limit.whole:
            day = begin_of(cycle, view.zone)
            begins = day if place else min(day, view.ledger.started_at or day)
            yield Factor(2, "age", (person,), begins, numbers=(limit,), is_event=False)
            return


def months_later(at: datetime, months: int, zone: str) -> datetime:
    """The first instant that is more than so many calendar months after the day of `at`."""
    event = local_day(at, zone)
    day = event + timedelta(days=28 * months)
    while months_before(day, months) <= event:
        day += timedelta(days=1)
    return start_of_day(day, zone)


def _join(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    """Stretches of one factor that touch are one, begun by the first of them."""
    joined: dict[tuple[int, str], list[Factor]] = {}
    for factor in sorted(factors, key=lambda factor: (factor.begins, factor.facts[-1].id)):
        runs = joined.setdefault((factor.tier, factor.what), [])
        last = runs[-1] if runs else None
        if last is None or (last.ends is not None and factor.begins > last.ends):
            runs.append(factor)
        elif last.ends is not None:
            ends = None if factor.ends is None else max(last.ends, factor.ends)
            runs[-1] = _one(last, factor, ends)
        else:
            runs[-1] = _one(last, factor, None)
    return tuple(sorted((run for runs in joined.values() for run in runs), key=lambda run: run.begins))


def _one(first: Factor, newer: Factor, ends: datetime | None) -> Factor:
    """Two stretches as one: the fact that began it stays the last, the newest one is shown with it."""
    facts = tuple(dict.fromkeys((*newer.facts, first.facts[-1])))
    is_unconfirmed = first.is_unconfirmed and newer.is_unconfirmed
    return replace(first, facts=facts, ends=ends, is_unconfirmed=is_unconfirmed)
