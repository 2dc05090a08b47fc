"""What would have changed an alert: the nearest value or date on which the same step says something else.

Nothing is reckoned by formula. A fact that the alert stands on is changed, by the smallest step the laboratory
prints (or by minutes, or by days), the patient's entries are put through `rules.watch.step` again, and the
answer is compared. A flip that is shown was seen, and so was the last value before it on which nothing changed.
One fact is changed at a time; what only two changes together would flip is not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from rules.catalogue import BY_ID
from rules.entry import Subject
from rules.record import Record
from rules.watch import Heard, step
from schemas.alerts import Threshold, Transition
from schemas.codes import tables
from schemas.codes.normalising import normalise_result
from schemas.events import (
    Entry,
    EntryKind,
    Fact,
    LabResultReported,
    PatientDescribed,
    StatementRecorded,
)
from schemas.events.medicine import MedicineFact
from schemas.values import When

if TYPE_CHECKING:
    from rules.policy.reading import Policy

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_IN_MINUTES: Final = frozenset(("minutes", "hours"))
_IN_DAYS: Final = frozenset(("days", "weeks", "months", "cycles", "years"))
_LONGEST: Final = {_MINUTE: 60 * 24 * 60, _DAY: 800}
"""How far a time is moved: sixty days in minutes, or more than two years in days."""
_FARTHEST: Final = 1 << 22
"""Smallest printed steps that a value is moved by: beyond it lies no laboratory value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an alert stands: its reason and severity."""

    reason: str | None
    severity: str
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of one fact that changes the answer; both sides of the border were run."""

    what: str
    was: str
    nearest: str
    """The nearest value or time on which the answer is another."""
    last: str
    """The last one before it on which the answer is still the same."""
    then: str
    """What the answer would be."""
    is_time: bool
    canonical: tuple[Decimal, Decimal] | None = None
    """The nearest and the last value in the canonical unit, where it is a measured one."""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One number of the policy, and what would flip the finding across it; nothing where nothing does."""

    threshold: Threshold
    flips: tuple[Flip, ...]
    tried: tuple[str, ...]
    """What was changed in vain, where there is no flip."""


class _Probe:
    """The entries of one patient up to a transition, ready to be run with one of them changed."""

    def __init__(self, entries: Sequence[Entry], alert: Transition, policy: Policy) -> None:
        self.policy = policy
        self.alert = alert
        self.entries = [each for each in _up_to(entries, alert) if each.kind is EntryKind.FACTS]
        self.at = alert.at
        self.subject: str | None = None
        self._after: list[tuple[Record, Mapping[str, bytes]]] = []
        """The record after each entry as it was, and the history set aside by then."""
        self.baseline = self.ask(self.entries, self.at)

    def ask(self, entries: Sequence[Entry], at: datetime) -> Outcome | None:
        """How the alert stands at an instant after these entries; None where it does not.

        What comes before the first entry that differs was run once and is not run again: a long history
        costs as much as what lies behind the change.
        """
        heard = [each for each in entries if each.known_at is not None and each.known_at <= at]
        heard.sort(key=lambda each: each.known_at or at)
        same = 0
        while same < min(len(heard), len(self._after)) and heard[same] is self.entries[same]:
            same += 1
        record, shelf = self._after[same - 1] if same else (None, {})
        is_first = not self._after
        for offset, entry in enumerate(heard[same:], start=same):
            record, shelf = self._step(record, shelf, entry, entry.known_at or at, offset)
            if is_first:
                self._after.append((record, shelf))
        if record is not None:
            tick = Entry(kind=EntryKind.TICK, event_id="tick", known_at=at)
            record, _ = self._step(record, shelf, tick, at, len(heard))
        return self._standing(record)

    def _step(
        self, record: Record | None, shelf: Mapping[str, bytes], entry: Entry, at: datetime, offset: int
    ) -> tuple[Record, Mapping[str, bytes]]:
        heard = Heard(at, 0, offset)
        stepped = step(record, entry, heard, self.policy)
        if stepped.needs:
            stepped = step(record, entry, heard, self.policy, {name: shelf[name] for name in stepped.needs})
        return stepped.record, {**shelf, **stepped.segments} if stepped.segments else shelf

    def _standing(self, record: Record | None) -> Outcome | None:
        alerts = [each for each in record.register if each.rule == self.alert.rule] if record else []
        alerts = [each for each in alerts if each.superseded_by is None]
        if self.subject is None:
            # The first run is of what was: it says which subject is meant, whatever id another run gives it.
            alerts = [each for each in alerts if each.alert_id == self.alert.alert_id]
            self.subject = alerts[0].subject if alerts else ""
        elif BY_ID[self.alert.rule].subject is Subject.FACT or len(alerts) > 1:
            alerts = [each for each in alerts if each.subject == self.subject]
        if not alerts:
            return None
        return Outcome(alerts[0].reason, alerts[0].severity.value, alerts[0].is_provisional)

    def first_at(self) -> datetime | None:
        """The due instant, where the alert stands on nothing but time: a minute before it there was none."""
        due = self.alert.effective_at
        if not self.alert.caused_by.startswith("due:") or self.ask(self.entries, due - _MINUTE) is not None:
            return None
        return due if self.ask(self.entries, due) is not None else None

    def with_entry(self, place: int, entry: Entry) -> Outcome | None:
        """The answer with one entry replaced."""
        return self.ask([*self.entries[:place], entry, *self.entries[place + 1 :]], self.at)


@dataclass(frozen=True, slots=True)
class Explored:
    """What was found: number by number, and the instant before which the alert did not stand."""

    answered: tuple[Answered, ...]
    first_at: datetime | None


def explore(entries: Iterable[Entry], alert: Transition, policy: Policy) -> Explored | None:
    """For each number of the policy that an alert names, what would flip it; None where it cannot be run again.

    `entries` are those of the alert's patient, each with the instant at which it was known.
    """
    probe = _Probe(list(entries), alert, policy)
    if probe.baseline is None:
        return None
    changes = list(_changes(probe))
    found = {id(change): list(_search(probe, change)) for change in changes}
    answered = []
    for threshold in alert.thresholds:
        here = _changes_for(threshold, changes, alert)
        flips = [flip for change in here for flip in found[id(change)] if _is_across(flip, threshold, alert)]
        tried = tuple(dict.fromkeys(change.what for change in here))
        answered.append(Answered(threshold, tuple(flips), tried))
    return Explored(tuple(answered), probe.first_at())


def _up_to(entries: Sequence[Entry], alert: Transition) -> list[Entry]:
    """The entries that had been heard when the alert was said."""
    known = [each for each in entries if each.known_at is not None and each.known_at <= alert.at]
    known.sort(key=lambda each: each.known_at or alert.at)
    last = next((place for place, each in enumerate(known) if each.event_id == alert.caused_by), None)
    return known if last is None else known[: last + 1]


def _is_across(flip: Flip, threshold: Threshold, alert: Transition) -> bool:
    """Whether a flip is about this number: it lies between the two values, where they are of one unit."""
    if flip.canonical is None or _unit(flip.unit) != _unit(threshold.unit):
        return True
    low, high = sorted(flip.canonical)
    return low <= Decimal(threshold.value) <= high


# --- what can be changed ---


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """One fact and how far it may be moved: `make(k)` is the entry with the fact moved by k steps, or None."""

    place: int
    what: str
    unit: str | None
    step: timedelta | None
    reach: int
    make: Callable[[int], Entry | None]
    show: Callable[[int], str]
    value: Callable[[int], Decimal] | None = None


def _unit(name: str | None) -> str | None:
    """The INR is a bare number, whatever its unit is called."""
    return "1" if name == "INR" else name


def _changes_for(threshold: Threshold, changes: Sequence[_Change], alert: Transition) -> list[_Change]:
    """Times answer to hours and days; values to numbers of their own unit, else to one that no value shares."""
    if threshold.unit in _IN_MINUTES:
        return [change for change in changes if change.step == _MINUTE]
    if threshold.unit in _IN_DAYS:
        return [change for change in changes if change.step == _DAY]
    values = [change for change in changes if change.step is None]
    alike = [change for change in values if _unit(change.unit) == _unit(threshold.unit)]
    others = {_unit(each.unit) for each in alert.thresholds}
    return alike or [change for change in values if _unit(change.unit) not in others]


def _changes(probe: _Probe) -> Iterator[_Change]:
    wanted = {each.unit for each in probe.alert.thresholds}
    steps = [size for size, units in ((_MINUTE, _IN_MINUTES), (_DAY, _IN_DAYS)) if wanted & units]
    seen: set[str] = set()
    moved: set[int] = set()
    for evidence in probe.alert.evidence:
        place, fact = _find(probe.entries, evidence.source)
        if fact is None or fact.fact_id in seen:
            continue
        seen.add(fact.fact_id)
        yield from _values(probe, place, fact)
        if place not in moved:
            moved.add(place)
            yield from (_times(probe, place, fact, size) for size in steps)
    if "years" in wanted:
        yield from _births(probe)


def _find(entries: Sequence[Entry], source: object) -> tuple[int, Fact | None]:
    """The newest fact of a source that the evidence names."""
    for place in range(len(entries) - 1, -1, -1):
        for fact in entries[place].facts:
            if fact.source == source:
                return place, fact
    return -1, None


def _replaced(entry: Entry, fact: Fact, new: Fact) -> Entry:
    return entry.model_copy(update={"facts": tuple(new if each is fact else each for each in entry.facts)})


def _values(probe: _Probe, place: int, fact: Fact) -> Iterator[_Change]:
    entry = probe.entries[place]
    if isinstance(fact, LabResultReported) and fact.value is not None and fact.normalised is not None:
        yield _result(place, entry, fact, fact.value)
    elif isinstance(fact, MedicineFact):
        dose = fact.dose_mg if fact.dose_mg is not None else fact.strength_mg
        if dose is not None:
            yield _dose(place, entry, fact, dose)
    elif isinstance(fact, StatementRecorded) and fact.value_number is not None:
        yield _number(place, entry, fact, fact.value_number)


def _smallest(value: Decimal) -> Decimal:
    """The step in which a value was printed: 0.45 moves by 0.01, 1200 by 1."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), 0))


def _moved(value: Decimal, k: int) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return value + k * _smallest(value)


def _result(place: int, entry: Entry, fact: LabResultReported, printed: Decimal) -> _Change:
    analyte = tables().analytes[fact.analyte or ""]

    def canonical(k: int) -> Decimal | None:
        value = _moved(printed, k)
        return normalise_result(analyte, value, fact.unit).value if value >= 0 else None

    def make(k: int) -> Entry | None:
        normalised = canonical(k)
        if normalised is None:
            return None
        changed = {"value": _moved(printed, k), "normalised": normalised, "text": None}
        return _replaced(entry, fact, fact.model_copy(update=changed))

    def show(k: int) -> str:
        value = canonical(k)
        text = f"{_moved(printed, k):,f} {fact.unit or ''}".strip()
        is_same = fact.unit in (fact.normalised_unit, None)
        return text if is_same else f"{value:,f} {fact.normalised_unit} ({text})"

    return _Change(
        place, analyte.title, fact.normalised_unit, None, _FARTHEST, make, show, lambda k: canonical(k) or Decimal(0)
    )


def _dose(place: int, entry: Entry, fact: MedicineFact, dose: Decimal) -> _Change:
    def make(k: int) -> Entry | None:
        value = _moved(dose, k)
        if value <= 0:
            return None
        changed = {
            name: value if getattr(fact, name) == dose else getattr(fact, name) * value / dose
            for name in ("dose_mg", "strength_mg", "daily_dose_mg")
            if getattr(fact, name) is not None
        }
        new = fact.model_copy(update=changed)
        return entry.model_copy(update={"facts": tuple(new if each is fact else each for each in entry.facts)})

    what = f"dose of {fact.medicine}"
    return _Change(
        place, what, "mg", None, 10_000, make, lambda k: f"{_moved(dose, k):f} mg", lambda k: _moved(dose, k)
    )


def _number(place: int, entry: Entry, fact: StatementRecorded, number: Decimal) -> _Change:
    known = tables().statements[fact.code]

    def make(k: int) -> Entry | None:
        value = _moved(number, k)
        return _replaced(entry, fact, fact.model_copy(update={"value_number": value})) if value >= 0 else None

    def show(k: int) -> str:
        return f"{_moved(number, k):f} {known.unit or ''}".strip()

    return _Change(place, known.title, known.unit, None, 100_000, make, show, lambda k: _moved(number, k))


def _times(probe: _Probe, place: int, fact: Fact, size: timedelta) -> _Change:
    """The whole report is moved: its results, when it was issued, and when it could be known."""
    entry = probe.entries[place]
    from_day = fact.when.earliest

    def make(k: int) -> Entry | None:
        by = size * k
        known = (entry.known_at or probe.at) + by
        if known > probe.at:
            return None  # it would not have been there yet
        facts = tuple(
            each.model_copy(
                update={
                    "when": _shifted(each.when, by),
                    "issued_at": each.issued_at + by if each.issued_at else None,
                    "versioned_at": each.versioned_at + by if each.versioned_at else None,
                }
            )
            for each in entry.facts
        )
        return entry.model_copy(update={"facts": facts, "known_at": known})

    pattern = "%Y-%m-%d" if size == _DAY else "%Y-%m-%d %H:%M %Z"

    def show(k: int) -> str:
        return f"{(from_day + size * k).astimezone(ZoneInfo(entry.zone)):{pattern}}"

    return _Change(place, f"time of {_name(fact)}", None, size, _LONGEST[size], make, show)


def _births(probe: _Probe) -> Iterator[_Change]:
    for place in range(len(probe.entries) - 1, -1, -1):
        entry = probe.entries[place]
        for fact in entry.facts:
            if isinstance(fact, PatientDescribed) and fact.birth is not None:
                yield _birth(place, entry, fact, fact.birth)
                return


def _birth(place: int, entry: Entry, fact: PatientDescribed, birth: When) -> _Change:
    def make(k: int) -> Entry | None:
        return _replaced(entry, fact, fact.model_copy(update={"birth": _shifted(birth, _DAY * k)}))

    def show(k: int) -> str:
        middle = birth.earliest + (birth.latest - birth.earliest) / 2 + _DAY * k
        return f"{middle:%Y-%m-%d}"

    return _Change(place, "birth date", None, _DAY, 36_500, make, show)


def _shifted(when: When, by: timedelta) -> When:
    return when.model_copy(update={"earliest": when.earliest + by, "latest": when.latest + by})


def _name(fact: Fact) -> str:
    if isinstance(fact, LabResultReported):
        known = tables().analytes.get(fact.analyte or "")
        return known.title if known is not None else "the result"
    if isinstance(fact, MedicineFact):
        return f"{fact.medicine} {fact.kind.rpartition('-')[2]}"
    if isinstance(fact, StatementRecorded):
        return tables().statements[fact.code].title
    concepts = getattr(fact, "concepts", None) or getattr(fact, "vaccines", None)
    return " and ".join(concepts) if concepts else fact.kind.replace("-", " ")


# --- looking for the border ---


def _search(probe: _Probe, change: _Change) -> Iterator[Flip]:
    """The nearest flip on each side: doubling steps until the answer is another, then halving to the border."""
    for sign in (1, -1):
        same, k = 0, 1
        while k <= change.reach:
            entry = change.make(sign * k)
            if entry is None:
                k = _last_possible(change, sign, same, k)
                if k == same:
                    break
                entry = change.make(sign * k)
                assert entry is not None
            if probe.with_entry(change.place, entry) != probe.baseline:
                yield _border(probe, change, sign, same, k)
                break
            if k < same + 1 or change.make(sign * (k + 1)) is None:
                break
            same, k = k, min(k * 2, change.reach) if k < change.reach else change.reach + 1


def _last_possible(change: _Change, sign: int, possible: int, impossible: int) -> int:
    while impossible - possible > 1:
        middle = (possible + impossible) // 2
        if change.make(sign * middle) is None:
            impossible = middle
        else:
            possible = middle
    return possible


def _border(probe: _Probe, change: _Change, sign: int, same: int, other: int) -> Flip:
    """Halve the distance until the two sides are neighbours; both were run."""
    while other - same > 1:
        middle = (same + other) // 2
        entry = change.make(sign * middle)
        if entry is not None and probe.with_entry(change.place, entry) == probe.baseline:
            same = middle
        else:
            other = middle
    found = change.make(sign * other)
    outcome = probe.with_entry(change.place, found) if found is not None else None
    value = change.value
    return Flip(
        what=change.what,
        was=change.show(0),
        nearest=change.show(sign * other),
        last=change.show(sign * same),
        then=_then(outcome, probe.baseline),
        is_time=change.step is not None,
        canonical=(value(sign * other), value(sign * same)) if value is not None else None,
        unit=change.unit,
    )


def _then(outcome: Outcome | None, before: Outcome | None) -> str:
    if outcome is None:
        return "it would not stand"
    parts = [outcome.severity]
    parts += [outcome.reason] if outcome.reason not in (None, outcome.severity) else []
    parts += ["provisional"] if outcome.is_provisional else []
    return f"it would be {', '.join(parts)}"
