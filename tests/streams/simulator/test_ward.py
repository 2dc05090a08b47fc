"""A ward: the same for the same seed, with every mishap in it, and plausible in its numbers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from streams.simulator import Happening, Mishap, by_the_book, codebook, event_lines, simulate
from streams.simulator.fhir_writer import fhir_line
from streams.simulator.happenings import Dispensed, Reported, ResultStatus, Stated
from streams.simulator.ward import DEFAULT_PATIENTS, DEFAULT_SEED, DEFAULT_WEEKS


@pytest.fixture(scope="module")
def ward() -> list[Happening]:
    """The default ward."""
    return list(simulate())


def values(happenings: list[Happening], test: object) -> list[float]:
    return [
        float(result.value)
        for happening in happenings
        if isinstance(happening.what, Reported)
        for result in happening.what.results
        if result.test == test
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = (list(simulate(12, 8, seed)) for seed in (3, 3, 4))
    assert b"".join(event_lines(first)) == b"".join(event_lines(again))
    assert [fhir_line(happening) for happening in first] == [fhir_line(happening) for happening in again]
    assert b"".join(event_lines(first)) != b"".join(event_lines(other))


def test_the_default_ward_is_large_and_long_enough() -> None:
    assert DEFAULT_PATIENTS >= 40
    assert DEFAULT_WEEKS >= 12


@pytest.mark.parametrize("seed", [DEFAULT_SEED, 1, 2, 3])
def test_every_mishap_happens_to_somebody(seed: int) -> None:
    met = Counter(happening.mishap for happening in simulate(seed=seed))
    assert [mishap for mishap in Mishap if not met[mishap]] == []


def test_messages_come_in_order_of_the_time_they_were_known(ward: list[Happening]) -> None:
    assert all(earlier.known_at <= later.known_at for earlier, later in pairwise(ward))


def test_nothing_is_known_before_it_is_issued_and_nothing_is_issued_before_it_is_drawn(ward: list[Happening]) -> None:
    for happening in ward:
        if isinstance(happening.what, Reported):
            assert happening.what.collected_at <= happening.what.issued_at <= happening.known_at


def test_only_a_duplicated_message_comes_twice(ward: list[Happening]) -> None:
    sent = Counter(happening.message for happening in ward)
    twice = {message for message, count in sent.items() if count > 1}
    assert twice == {happening.message for happening in ward if happening.mishap is Mishap.DUPLICATED_MESSAGE}
    assert twice


def test_no_one_has_a_name(ward: list[Happening]) -> None:
    assert {happening.patient[:4] for happening in ward} == {"SIM-"}
    assert b'"name"' not in b"".join(fhir_line(happening) for happening in ward)


def test_a_correction_repeats_the_result_and_comes_later(ward: list[Happening]) -> None:
    seen: dict[str, Happening] = {}
    corrected = 0
    for happening in ward:
        if not isinstance(happening.what, Reported):
            continue
        if happening.what.status is ResultStatus.CORRECTED:
            corrected += 1
            first = seen[happening.what.report]
            assert isinstance(first.what, Reported)
            assert [result.id for result in first.what.results] == [result.id for result in happening.what.results]
            assert first.known_at < happening.known_at
        seen.setdefault(happening.what.report, happening)
    assert corrected >= 3


def test_counts_are_those_of_living_people(ward: list[Happening]) -> None:
    neutrophils, platelets = values(ward, codebook.NEUTROPHILS), values(ward, codebook.PLATELETS)
    assert 0.05 < min(neutrophils) < 0.5
    assert max(neutrophils) < 15
    assert 5 < min(platelets) < 30
    assert max(platelets) < 900
    assert 2.0 < sum(neutrophils) / len(neutrophils) < 4.5


def test_most_patients_never_come_near_a_limit(ward: list[Happening]) -> None:
    lowest: dict[str, float] = {}
    for happening in ward:
        if isinstance(happening.what, Reported):
            for result in happening.what.results:
                if result.test == codebook.NEUTROPHILS:
                    lowest[happening.patient] = min(lowest.get(happening.patient, 99.0), float(result.value))
    assert sum(value >= 1.0 for value in lowest.values()) >= 20
    assert sum(value <= 0.5 for value in lowest.values()) >= 3


def test_a_severe_fall_is_followed_by_growth_factor_and_recovery() -> None:
    """Nobody in the ward stays below the limit for ever: holds are obeyed and work."""
    for seed in range(4):
        for happening_list in _by_patient(list(simulate(40, 20, seed))).values():
            last_low = None
            for happening in happening_list:
                if not isinstance(happening.what, Reported) or happening.mishap is Mishap.LATE_RESULT:
                    continue
                for result in happening.what.results:
                    if result.test == codebook.NEUTROPHILS and result.unit == "10*3/uL":
                        if float(result.value) > 0.5:
                            last_low = None
                        elif last_low is None:
                            last_low = happening.what.collected_at
                        else:
                            assert happening.what.collected_at - last_low < timedelta(days=29)


def test_the_dose_goes_down_the_ladder_only() -> None:
    for happenings in _by_patient(list(simulate(40, 20, 5))).values():
        doses = [
            float(happening.what.dose_mg)
            for happening in happenings
            if isinstance(happening.what, Dispensed) and happening.what.medicine in codebook.LENALIDOMIDE.values()
        ]
        assert doses == sorted(doses, reverse=True)
        assert doses


@pytest.mark.parametrize("sex", ["female", "male"])
def test_by_the_book_nothing_is_late_low_or_missing(sex: str) -> None:
    happenings = by_the_book(sex, 52)  # type: ignore[arg-type]
    assert all(happening.mishap is None for happening in happenings)
    assert min(values(happenings, codebook.NEUTROPHILS)) > 2.0
    assert min(values(happenings, codebook.PLATELETS)) > 150
    drawn = [
        happening.what.collected_at
        for happening in happenings
        if isinstance(happening.what, Reported) and any(r.test == codebook.PLATELETS for r in happening.what.results)
    ]
    assert all(later - earlier <= timedelta(days=15) for earlier, later in pairwise(drawn))
    plans = [happening.what for happening in happenings if isinstance(happening.what, Stated)]
    cycles = [plan for plan in plans if plan.code == "planned-cycle-day-1"]
    assert len(cycles) >= 13
    assert all(
        later.value_date is not None
        and earlier.value_date is not None
        and (later.value_date - earlier.value_date).days == 28
        for earlier, later in pairwise(cycles)
    )


def _by_patient(happenings: list[Happening]) -> dict[str, list[Happening]]:
    by_patient: dict[str, list[Happening]] = {}
    for happening in happenings:
        by_patient.setdefault(happening.patient, []).append(happening)
    return by_patient
