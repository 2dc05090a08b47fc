"""What the scores of VTE risk share: items as intervals of points, and the facts they ask for.

An item that is not known is an interval, and so is the score: IMPEDE takes points off as well, so that a fact that
is missing may lower or raise it. A condition that nobody coded is held to be absent; what has to be measured or
stated (body mass, dexamethasone, age) is held to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rules.answers import earliest, latest
from rules.calendar import days_after
from rules.coverage import Span
from rules.picture import AnyKept, Person, Supply
from rules.policy.terms import Number
from rules.thrombosis.agents import ANTICOAGULANT, ASPIRIN, LMWH, VKA, aspirin_spans, taken
from rules.thrombosis.dexamethasone import find_amount
from rules.thrombosis.factors import VTE
from rules.view import View
from schemas.events import FactStatus

_ASIAN, _PACIFIC = "2028-9", "2076-8"
"""Race categories of the CDC code system, as the US core profile sends them."""
CATHETER, CATHETER_STATE, SURGERY, MYELOMA = (
    "central-venous-catheter", "catheter-state", "surgery", "multiple-myeloma")  # fmt: skip
CYTOTOXIC, DOXORUBICIN = "cytotoxic", "doxorubicin"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a score: its points, at least and at most, and why."""

    what: str
    low: int
    high: int
    numbers: tuple[Number, ...] = ()
    facts: tuple[AnyKept, ...] = ()
    missing: str | None = None
    is_race: bool = False

    @property
    def shown(self) -> str:
        """For people: name and points."""
        points = f"{self.low:+d}" if self.low == self.high else f"{self.low:+d} to {self.high:+d}"
        return f"{self.what} {points}"


@dataclass(frozen=True, slots=True)
class Score:
    """A score as an interval."""

    items: tuple[Item, ...]

    @property
    def low(self) -> int:
        """The least it can be."""
        return sum(item.low for item in self.items)

    @property
    def high(self) -> int:
        """The most it can be."""
        return sum(item.high for item in self.items)

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.low}" if self.low == self.high else f"{self.low} to {self.high}"

    @property
    def missing(self) -> tuple[str, ...]:
        """What would have to be known for one number."""
        return tuple(item.missing for item in self.items if item.missing is not None and item.low != item.high)

    @property
    def facts(self) -> tuple[AnyKept, ...]:
        """What it stands on, each once."""
        return tuple(dict.fromkeys(fact for item in self.items for fact in item.facts))

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The points and limits of its items, each once."""
        return tuple(dict.fromkeys(number for item in self.items for number in item.numbers))

    @property
    def without_race(self) -> str:
        """For people: what it is without its term for race, where it has one."""
        rest = Score(tuple(item for item in self.items if not item.is_race))
        return f" ({rest.shown} without the term for race)" if rest.items != self.items else ""

    def decided_at(self, started: datetime) -> datetime:
        """The clinical time of the newest fact it stands on, and not before treatment."""
        return latest(started, *(fact.at for fact in self.facts))


def item(
    what: str, points: Number, is_so: bool | None, facts: Iterable[AnyKept] = (), *, missing: str | None = None,
    limits: tuple[Number, ...] = (), is_race: bool = False,
) -> tuple[Item, ...]:  # fmt: skip
    """Its points where it is so, none where it is not, and everything between where nobody knows."""
    if is_so is False:
        return ()
    ends = (points.whole, points.whole if is_so else 0)
    return (Item(what, min(ends), max(ends), (points, *limits), tuple(facts), missing, is_race),)


def dexamethasone(view: View, points_at: Callable[[Decimal | None], tuple[int, tuple[Number, ...]]]) -> Item:
    """Points by the sum of a cycle; `points_at(None)` is what the most there can be would give."""
    least, most, facts = find_amount(view)
    low, numbers = points_at(least)
    high, more = points_at(most)
    shown = f"dexamethasone {least:f} mg a cycle" if least == most else "dexamethasone, dose not known"
    missing = None if least == most else "dexamethasone dose"
    return Item(shown, min(low, high), max(low, high), tuple(dict.fromkeys((*numbers, *more))), facts, missing)


# --- the facts ---


def is_of_race(view: View, *, with_pacific: bool) -> tuple[bool, tuple[Person, ...]]:
    """Whether the term for race applies; a race that is not known, or a policy without it, counts nothing."""
    person = view.ledger.person
    codes = set((person.race or "").split()) if person is not None else set[str]()
    is_so = view.policy.terms.vte_score_race and (_ASIAN in codes or (with_pacific and _PACIFIC in codes))
    return is_so, (person,) if person is not None and is_so else ()


def earlier_vte(view: View) -> tuple[AnyKept, ...]:
    """Every VTE on record, a code of history included."""
    return view.diagnoses(*VTE, "history-of-vte")


def vte_before_myeloma(view: View) -> tuple[bool | None, tuple[AnyKept, ...]]:
    """Whether a VTE came before the myeloma; None where one cannot tell which was first."""
    started, clots = view.ledger.started_at, view.diagnoses(*VTE, "history-of-vte")
    myeloma = min((d.at for d in view.diagnoses(MYELOMA)), default=None)
    if myeloma is not None:
        before = tuple(d for d in clots if d.at < myeloma)
        if before:
            return True, before
        # A code of history written down later leaves open when it was.
        history = tuple(d for d in clots if d.is_history)
        return (None, history) if history else (False, ())
    before = tuple(d for d in clots if started is not None and (d.is_history or d.at <= started))
    return (None, before) if before else (False, ())


def catheters(view: View) -> tuple[AnyKept, ...]:
    """A central venous catheter that was placed, or is spoken of, and is not said to have been removed since."""
    state = view.ledger.statements.get(CATHETER_STATE)
    is_removed = state is not None and state.value_code == "removed"
    placed = [p for p in view.ledger.procedures if CATHETER in p.concepts and p.status is not FactStatus.PLANNED]
    here = [p for p in placed if state is None or not is_removed or p.at > state.at]
    return (*here, state) if state is not None and not is_removed else tuple(here)


def surgery_within(view: View, days: Number) -> tuple[tuple[AnyKept, ...], datetime | None]:
    """Surgery within so many days, and when the last of it is longer ago."""
    done = [p for p in view.ledger.procedures if SURGERY in p.concepts and p.status is not FactStatus.PLANNED]
    ends = {p.id: days_after(p.last, days.whole + 1, view.zone) for p in done}
    recent = tuple(p for p in done if view.at < ends[p.id])
    return recent, earliest(*(ends[p.id] for p in recent))


def chemotherapy(view: View) -> tuple[tuple[Supply, ...], datetime | None]:
    """Doxorubicin, or two cytotoxic medicines, in recent time; and when the next of them is no longer recent."""
    recent_for = view.policy.terms.vte_score_chemo_days.span
    recent = [s for s in view.supplies(CYTOTOXIC) if s.way != "ordered" and view.at < s.at + recent_for]
    names = {supply.medicine for supply in recent}
    is_so = DOXORUBICIN in names or len(names) > 1
    return tuple(recent) if is_so else (), earliest(*(s.at + recent_for for s in recent))


def existing_run(view: View, *names: str, with_orders: bool = False) -> Supply | None:
    """What was taken long before treatment and still is: not what was begun because of it."""
    started, window = view.ledger.started_at, view.policy.terms.baseline_window_days.span
    runs = taken(view, *names, with_orders=with_orders)
    run = runs[-1] if runs and runs[-1].holds_at(view.at) else None
    return run.newest if run is not None and started is not None and run.begins < started - window else None


def counted_runs(view: View) -> tuple[Span, ...]:
    """The runs of every group that an item looks at: each ends on its own."""
    groups = ((LMWH, VKA), (ASPIRIN,), (ANTICOAGULANT,), ("antithrombotic",))
    found = [run for names in groups for run in taken(view, *names)]
    return (*found, *taken(view, "antithrombotic", with_orders=True), *aspirin_spans(view))


def next_end(view: View) -> datetime | None:
    """When the next of those runs ends by itself."""
    return earliest(*(run.ends for run in counted_runs(view) if run.ends > view.at))
