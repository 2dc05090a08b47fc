"""A second, naive reading of the reference (parts 0.4, 1.10, 3.1, 3.2, 3.6), compared with `rules.watch`.

It looks at the whole list of counts for every question and shares no code with `rules`: an episode is a run of
low counts, a hold is a low count that opens one with no recovered count since. Random courses of treatment are
judged by both.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from rules.record import Record
from schemas.alerts import Transition
from schemas.events import Fact, FactStatus, MedicineAdministered
from schemas.values import Source, When
from tests.rules.bedside import CLASSES, on
from tests.rules.log import PATIENT, Walk, described, dispense, lab

LADDER = (25, 15, 10, 5)
END_DAY = 120
RULES = (
    "anc-hold", "anc-cycle-delay", "anc-low-watch", "anc-persistent-reduce", "anc-resume-ok", "plt-hold",
    "plt-resume-ok",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One count (`anc`, `platelets`) or one supply (`dispense`, `dose`) by day of treatment and hour."""

    day: int
    hour: float
    what: str
    value: int

    @property
    def time(self) -> tuple[int, float]:
        return (self.day, self.hour)


@dataclass(frozen=True)
class Held:
    """One hold: why, since when, and what it asks for."""

    cause: str
    why: str
    opened: Event
    episode: int
    persistent: bool
    dose: int | None
    released: Event | None

    @property
    def is_reducing(self) -> bool:
        return self.cause == "platelets" or self.episode > 1 or self.persistent


# --- the naive reading


def day_ones(events: Sequence[Event], before: tuple[int, float]) -> list[tuple[int, bool]]:
    """(day 1, whether a dose was recorded) of each cycle, as far as known before a time."""
    found: list[tuple[int, bool]] = []
    for event in events:
        if event.what not in ("dispense", "dose") or event.time >= before:
            continue
        is_dose = event.what == "dose"
        if not found or event.day - found[-1][0] >= 21:
            found.append((event.day, is_dose))
        elif is_dose and not found[-1][1] and abs(event.day - found[-1][0]) <= 10:
            found[-1] = (event.day, True)
    return found


def is_before_cycle(events: Sequence[Event], count: Event) -> bool:
    """From three days before the expected day 1 until its first dose; a dispense alone says of no dose that day."""
    begun = day_ones(events, count.time)
    if count.day >= begun[-1][0] + 28 - 3:
        return True
    return len(begun) > 1 and not begun[-1][1] and begun[-1][0] == count.day


def counts_of(events: Sequence[Event], what: str) -> list[Event]:
    """Counts of an analyte since the first supply."""
    first = next(event.time for event in events if event.what in ("dispense", "dose"))
    return [event for event in events if event.what == what and event.time > first]


def is_low(count: Event) -> bool:
    return count.value < (1000 if count.what == "anc" else 30000)


def episode_of(counts: Sequence[Event], place: int) -> int:
    """How many runs of low counts began up to a place."""
    return sum(1 for i in range(place + 1) if is_low(counts[i]) and (i == 0 or not is_low(counts[i - 1])))


def why_held(events: Sequence[Event], counts: Sequence[Event], place: int) -> str | None:
    """The row of part 1.10 that a count meets first."""
    count = counts[place]
    if not is_low(count):
        return None
    if count.what == "platelets":
        return "plt-hold"
    if count.value <= 500:
        return "severe"
    if is_before_cycle(events, count):
        return "delay"
    return "repeat" if episode_of(counts, place) >= 2 else None


def dose_before(events: Sequence[Event], time: tuple[int, float]) -> int | None:
    doses = [event.value for event in events if event.what in ("dispense", "dose") and event.time < time]
    return doses[-1] if doses else None


def holds_of(events: Sequence[Event], what: str) -> list[Held]:
    """Every hold of one cause, in order; the last one may be open."""
    counts, found = counts_of(events, what), []
    for place, count in enumerate(counts):
        start = max((i + 1 for i in range(place) if not is_low(counts[i])), default=0)
        if not is_low(count) or any(why_held(events, counts, i) for i in range(start, place)):
            continue
        if why_held(events, counts, place) is None:
            continue
        end = next((i for i in range(place, len(counts)) if not is_low(counts[i])), len(counts))
        reasons = [why for i in range(place, end) if (why := why_held(events, counts, i))]
        why = next(row for row in ("severe", "delay", "repeat", "plt-hold") if row in reasons)
        stays_low = any(is_low(counts[i]) and counts[i].day - count.day >= 7 for i in range(place, end))
        found.append(
            Held(
                what, why, count, episode_of(counts, place), what == "anc" and stays_low,
                dose_before(events, count.time), counts[end] if end < len(counts) else None,
            )
        )  # fmt: skip
    return found


def is_clear_at(holds: Sequence[Held], time: tuple[int, float]) -> bool:
    return not any(h.opened.time < time and (h.released is None or h.released.time >= time) for h in holds)


def waiting(events: Sequence[Event], holds: Sequence[Held]) -> list[Held]:
    """Released holds with no lenalidomide handed over or given since, at a time when nothing held it."""
    used = [e.time for e in events if e.what in ("dispense", "dose") and is_clear_at(holds, e.time)]
    return [h for h in holds if h.released is not None and not any(time > h.released.time for time in used)]


def allowed(holds: Sequence[Held]) -> str:
    """One ladder step for each distinct specimen that asks for one."""
    ordered = sorted(holds, key=lambda held: held.opened.time)
    dose = next(held.dose for held in ordered if held.dose is not None)
    for _ in {held.opened.time for held in ordered if held.is_reducing}:
        dose = next((step for step in LADDER if step < dose), 0)
    return str(dose) if dose else "none"


def expected(events: Sequence[Event]) -> dict[str, tuple[str, int, str | None]]:
    """Open alerts: rule to severity, episode and (for a resumption) the dose."""
    holds = [*holds_of(events, "anc"), *holds_of(events, "platelets")]
    here = {held.cause: held for held in holds if held.released is None}
    found: dict[str, tuple[str, int, str | None]] = {}
    anc, platelets = here.get("anc"), here.get("platelets")
    counts = counts_of(events, "anc")
    if anc is not None and anc.why == "delay":
        found["anc-cycle-delay"] = ("high", anc.episode, None)
    elif anc is not None:
        found["anc-hold"] = ("critical" if anc.why == "severe" else "high", anc.episode, None)
    elif counts and is_low(counts[-1]):
        found["anc-low-watch"] = ("medium", episode_of(counts, len(counts) - 1), None)
    if anc is not None and anc.persistent:
        found["anc-persistent-reduce"] = ("high", anc.episode, None)
    if platelets is not None:
        found["plt-hold"] = ("critical", platelets.episode, None)
    released = waiting(events, holds)
    if not here:
        for held in released:
            rule = "anc-resume-ok" if held.cause == "anc" else "plt-resume-ok"
            found[rule] = ("info", held.episode, allowed(released))
    return found


# --- the same course through `rules.watch`


def given(event: Event) -> list[Fact]:
    """A dose that was recorded as given."""
    at = on(event.day, event.hour)
    return [
        MedicineAdministered(
            fact_id=f"mar/{event.day}/{event.hour}", origin_key=PATIENT.key, when=When.at(at), issued_at=at,
            versioned_at=at, status=FactStatus.FINAL, source=Source(feed="ward", message=f"M{event.day}"),
            medicine="lenalidomide", classes=CLASSES["lenalidomide"], dose_mg=Decimal(event.value),
        )
    ]  # fmt: skip


def facts_of(events: Sequence[Event]) -> list[tuple[Event, list[Fact]]]:
    """Each event as the facts of one message; counts of one specimen come together."""
    found: list[tuple[Event, list[Fact]]] = []
    for event in events:
        if event.what == "dispense":
            found.append((event, list(dispense(event.day, hour=event.hour, dose=str(event.value)))))
        elif event.what == "dose":
            found.append((event, given(event)))
        elif event.what == "anc":
            values = {"anc": str(event.value), "haemoglobin": "11.5"}
            twin = next((e for e in events if e.what == "platelets" and e.time == event.time), None)
            if twin is not None:
                values["platelets"] = str(twin.value)
            found.append((event, list(lab(event.day, values, event.hour))))
        elif not any(e.what == "anc" and e.time == event.time for e in events):
            found.append((event, list(lab(event.day, {"platelets": str(event.value)}, event.hour))))
    return found


def said_by(record: Record | None, transitions: Sequence[Transition]) -> dict[str, tuple[str, int | None, str | None]]:
    """Open alerts in the same form."""
    assert record is not None
    found: dict[str, tuple[str, int | None, str | None]] = {}
    for alert in record.register:
        if alert.rule not in RULES or alert.superseded_by is not None:
            continue
        assert alert.rule not in found, f"{alert.rule} is open twice"
        dose = None
        if alert.rule.endswith("resume-ok"):
            advice = [t.advice for t in transitions if t.alert_id == alert.alert_id][-1]
            assert advice is not None
            dose = advice.dose_mg or "none"
        found[alert.rule] = (alert.severity.value, alert.episode, dose)
    return found


ANC = (0, 300, 499, 500, 501, 700, 900, 999, 1000, 1001, 1500, 2500, 2500, 4000)
PLATELETS = (9000, 20000, 29999, 30000, 30001, 45000, 120000, 180000, 180000, 180000)


def course(seed: int) -> list[Event]:
    """A random course: a baseline, supplies about every 28 days, counts every few days."""
    chance = random.Random(seed)
    events = [Event(-1, 9.0, "anc", 2500), Event(-1, 9.0, "platelets", 180000)]
    dose, day = chance.choice((25, 25, 15, 10, 5)), 1
    while day < END_DAY - 5:
        events.append(Event(day, chance.choice((8.5, 12.0)), "dispense", dose))
        if chance.random() < 0.4:
            events.append(Event(day + chance.choice((0, 0, 1, 3)), 20.0, "dose", dose))
        day += chance.choice((7, 20, 21, 22, 28, 28, 28, 29, 32, 36, 43))
        dose = chance.choice((dose, dose, dose, *(step for step in (25, 20, 15, 10, 5) if step <= dose)))
    day = chance.randint(2, 10)
    while day < END_DAY - 2:
        hour = chance.choice((7.0, 9.0, 15.0))
        if chance.random() < 0.9:
            events.append(Event(day, hour, "anc", chance.choice(ANC)))
        if chance.random() < 0.7:
            events.append(Event(day, hour, "platelets", chance.choice(PLATELETS)))
        day += chance.choice((1, 2, 3, 4, 6, 7, 7, 8, 14))
    until = chance.randint(3, END_DAY)
    return sorted((e for e in events if e.day <= until), key=lambda e: (e.time, e.what))


@pytest.mark.parametrize("batch", range(12))
def test_all_at_once_it_says_what_the_reference_says(batch: int) -> None:
    """Everything becomes known at one instant: the register must be that of the naive reading."""
    for seed in range(batch * 200, batch * 200 + 200):
        events, one = course(seed), Walk()
        facts = [fact for _, part in facts_of(events) for fact in part]
        one.hear([*described(), *facts], on(END_DAY))
        assert said_by(one.record, one.transitions) == expected(events), seed


@pytest.mark.parametrize("batch", range(6))
def test_step_by_step_it_says_what_the_reference_says(batch: int) -> None:
    """Every fact is known when it happened: the register must agree after each of them."""
    for seed in range(10_000 + batch * 20, 10_000 + batch * 20 + 20):
        events, one = course(seed), Walk()
        one.hear(described(), on(-20))
        for event, facts in facts_of(events):
            one.hear(facts, on(event.day, event.hour))
            past = [e for e in events if e.time <= event.time and (e.time < event.time or e.what in RANKED[event.what])]
            if any(e.what in ("dispense", "dose") for e in past):
                assert said_by(one.record, one.transitions) == expected(past), (seed, event)


RANKED = {
    "anc": ("anc", "platelets"),
    "platelets": ("anc", "platelets"),
    "dispense": ("anc", "platelets", "dispense"),
    "dose": ("anc", "platelets", "dispense", "dose"),
}
"""What of one instant has been told when an event has."""


def test_the_naive_reading_meets_every_row() -> None:
    """The random courses are worth something: every rule is open at the end of some, at more than one dose."""
    found = [item for seed in range(600) for item in expected(course(seed)).items()]
    assert {rule for rule, _ in found} == set(RULES)
    assert {severity for rule, (severity, _, _) in found if rule == "anc-hold"} == {"critical", "high"}
    assert len({dose for rule, (_, _, dose) in found if rule == "anc-resume-ok"}) > 3
    assert max(episode for _, (_, episode, _) in found) > 3
