"""A ward of synthetic patients: who is in it, what goes wrong for whom, and everything in order of time.

Same seed, same ward, on any machine: every patient has a stream of chance of their own, named by seed
and number, so that the order in which patients are walked changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final, Literal

from streams.simulator.happenings import Happening, Mishap
from streams.simulator.pathway import WORK_UP_DAYS, Pathway
from streams.simulator.people import draw_person, steady_person

DEFAULT_PATIENTS: Final = 40
DEFAULT_WEEKS: Final = 14
DEFAULT_SEED: Final = 7
"""A ward in which every mishap has room to happen."""

OPENS_ON: Final = date(2026, 1, 5)
"""First day of every synthetic ward; a Monday. No wall clock is read."""

ENTRY_SPREAD_DAYS: Final = 13
"""Patients enter over about two weeks."""

TROUBLED_SHARE: Final = 0.5
"""Share of patients beyond the first deal to whom something happens too. Synthetic: chosen."""

COMMON: Final = (
    Mishap.FALLING_COUNTS,
    Mishap.FALLING_COUNTS,
    Mishap.RELAPSING_NEUTROPENIA,
    Mishap.CORRECTED_RESULT,
    Mishap.WRONG_UNIT,
    Mishap.MISSED_CBC,
    Mishap.FORGOTTEN_VTE_PROPHYLAXIS,
    Mishap.FORGOTTEN_INFECTION_PROPHYLAXIS,
)
"""What happens to them; the rarer kinds come from the first deal alone. Synthetic: chosen."""


@dataclass(frozen=True, slots=True)
class Place:
    """One patient's place in the ward: number, mishaps, first dose."""

    id: str
    mishaps: frozenset[Mishap]
    first_dose_on: date


def deal_places(patients: int, seed: int) -> tuple[Place, ...]:
    """Deal mishaps so that each kind meets somebody in a ward large enough, and most patients meet none or one."""
    chance = Random(f"{seed}/ward")
    kinds = list(Mishap)
    numbers = list(range(patients))
    chance.shuffle(numbers)
    dealt: dict[int, frozenset[Mishap]] = {}
    for place, number in enumerate(numbers):
        if place < len(kinds):
            dealt[number] = frozenset({kinds[place]})
        elif chance.random() < TROUBLED_SHARE:
            dealt[number] = frozenset({chance.choice(COMMON)})
    return tuple(
        Place(
            id=f"SIM-{number + 1:05d}",
            mishaps=dealt.get(number, frozenset()),
            first_dose_on=OPENS_ON
            + timedelta(days=WORK_UP_DAYS + Random(f"{seed}/{number}/entry").randint(0, ENTRY_SPREAD_DAYS)),
        )
        for number in range(patients)
    )


def walk_place(place: Place, weeks: int, seed: int) -> list[Happening]:
    """One patient's happenings, in order of `known_at`."""
    chance = Random(f"{seed}/{place.id}")
    person = draw_person(place.id, chance, place.first_dose_on, place.mishaps)
    last_day = OPENS_ON + timedelta(weeks=weeks) - timedelta(days=1)
    return Pathway(person, place.mishaps, place.first_dose_on, last_day, chance).walk()


def simulate(
    patients: int = DEFAULT_PATIENTS,
    weeks: int = DEFAULT_WEEKS,
    seed: int = DEFAULT_SEED,
    *,
    walked: Callable[[], None] | None = None,
) -> Iterator[Happening]:
    """Everything that happens in a ward, in order of `known_at`; `walked` is called after each patient is done."""
    everything: list[Happening] = []
    for place in deal_places(patients, seed):
        everything.extend(walk_place(place, weeks, seed))
        if walked is not None:
            walked()
    everything.sort(key=lambda happening: (happening.known_at, happening.patient, happening.message))
    yield from everything


def by_the_book(
    sex: Literal["female", "male"] = "female",
    weeks: int = 52,
    *,
    seed: int = 0,
    can_become_pregnant: bool = False,
    is_by_label: bool = False,
) -> list[Happening]:
    """One patient to whom nothing happens and whose clinicians forget nothing: no rule has a reason to warn.

    `is_by_label`: the clinicians keep to a label and not to the panel (see `steady_person`).
    """
    first_dose_on = OPENS_ON + timedelta(days=WORK_UP_DAYS)
    person = steady_person(
        f"SIM-BOOK-{sex.upper()}",
        sex,
        first_dose_on,
        can_become_pregnant=can_become_pregnant,
        is_by_label=is_by_label,
    )
    last_day = OPENS_ON + timedelta(weeks=weeks) - timedelta(days=1)
    return Pathway(person, frozenset(), first_dose_on, last_day, Random(f"{seed}/by-the-book/{sex}")).walk()
