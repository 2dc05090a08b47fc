"""Dexamethasone: by cycle, by age, high dose and its reason, harm, and during an ANC hold."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Supply
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import (
    PROFILES,
    allergy,
    cbc,
    diagnosis,
    lenalidomide,
    on,
    person,
    policy,
    statement,
    supply,
)

AFTER, MIDDLE, OLD = "dex-after-c4", "dex-age-65-75", "dex-age-over-75"
JUSTIFY, PREFERRED, HARM, KEPT = (
    "dex-high-dose-justify", "dex-low-dose-preferred", "dex-tox-step", "dex-kept-during-anc-hold")  # fmt: skip
WEEKLY = (1, 8, 15, 22)


def plan(mg: str, day: float = -2, **more: object) -> AnyKept:
    return statement("dexamethasone-plan-mg-per-cycle", day, number=mg, **more)  # type: ignore[arg-type]


def given(*days: float, mg: str = "40", hour: float = 9.0) -> list[AnyKept]:
    return [supply("dexamethasone", day, hour, way="given", dose=mg) for day in days]


def box(day: float, mg: str, days: int | None = 28, dose: str | None = None, **more: object) -> Supply:
    """Tablets of 4 mg, `mg` in all."""
    return supply("dexamethasone", day, days=days, strength="4", quantity=str(int(mg) / 4), dose=dose, **more)  # type: ignore[arg-type]


def home(day: float, dose: str, schedule: str | None = "weekly", way: str = "home", **more: object) -> Supply:
    return supply("dexamethasone", day, way=way, dose=dose, schedule=schedule, **more)  # type: ignore[arg-type]


def cycles(last: int, birth: str = "1970-06-01") -> list[AnyKept]:
    return [person(birth), *(lenalidomide(1 + 28 * number) for number in range(last))]


FIVE = cycles(5)
"""Cycle 5 begins on day 113."""


# --- dex-after-c4


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("320 mg planned in cycle 4", [*FIVE, plan("320")], 112, "quiet"),
        ("320 mg planned in cycle 5", [*FIVE, plan("320")], 113, "medium"),
        ("exactly 160 mg", [*FIVE, plan("160")], 113, "quiet"),
        ("161 mg", [*FIVE, plan("161")], 113, "medium"),
        ("plan corrected", [*FIVE, plan("320"), plan("160", 115)], 115, "quiet"),
        ("plan ended, nothing else known", [*FIVE, plan("320", until=on(110))], 113, "quiet"),
        ("plan without a number", [*FIVE, statement("dexamethasone-plan-mg-per-cycle", -2), box(100, "40")], 113, "quiet"),
        ("given once a week", [*FIVE, *given(113, 120, 127, 134)], 134, "quiet"),
        ("the doses of cycle 4 do not count", [*FIVE, *given(*range(100, 112)), *given(113)], 113, "quiet"),
        ("the same day's dose before lenalidomide does", [*FIVE, *given(113, hour=8, mg="161")], 113, "medium"),
        ("five doses in 28 days", [*FIVE, *given(113, 120, 127, 134, 140)], 140, "medium"),
        ("a fifth weekly dose in a cycle that is delayed", [*FIVE, *given(113, 120, 127, 134, 141)], 141, "quiet"),
        ("dispensed for the cycle", [*FIVE, box(113, "160")], 113, "quiet"),
        ("dispensed more", [*FIVE, box(113, "164")], 113, "medium"),
        ("two boxes in one cycle", [*FIVE, box(113, "84", 14), box(127, "80", 14)], 127, "medium"),
        ("a box in the last week is for the next cycle", [*FIVE, box(113, "160"), box(134, "160")], 134, "quiet"),
        ("a box on the last day that counts for this one", [*FIVE, box(113, "160"), box(133, "160")], 133, "medium"),
        ("a box a week before day 1 is for it", [*FIVE, box(106, "200")], 113, "medium"),
        ("a box for three cycles", [*FIVE, box(113, "480", 84)], 113, "quiet"),
        ("a box for three cycles, more", [*FIVE, box(113, "484", 84)], 113, "medium"),
        ("in the third of them", [*FIVE, box(57, "484", 84)], 113, "medium"),
        ("after the third of them", [*FIVE, box(29, "484", 84)], 113, "quiet"),
        ("days not said: one cycle", [*FIVE, box(113, "164", None)], 113, "medium"),
        ("a box for no days", [*FIVE, box(113, "164", 0)], 113, "medium"),
        ("a plan stands above the box", [*FIVE, plan("160"), box(113, "320")], 113, "quiet"),
        ("what is given is not added to the plan", [*FIVE, plan("160"), *given(113, 120)], 120, "quiet"),
        ("but counts beside it", [*FIVE, plan("160"), *given(113, 114, 115, 116, 117)], 117, "medium"),
        ("given without a dose", [*FIVE, box(100, "40"), supply("dexamethasone", 113, way="given")], 113, "quiet"),
        ("only planned doses", [*FIVE, plan("160"), supply("dexamethasone", 113, way="given", dose="480", status=FactStatus.PLANNED)], 113, "quiet"),
        ("at home 40 mg once a week", [*FIVE, home(100, "40", until=on(184))], 113, "quiet"),
        ("at home 80 mg once a week", [*FIVE, home(100, "80", until=on(184))], 113, "medium"),
        ("at home, over", [*FIVE, home(80, "80", until=on(112))], 113, "quiet"),
        ("at home, rhythm not said", [*FIVE, home(100, "80", None, until=on(184))], 113, "quiet"),
        ("at home, dose not said", [*FIVE, box(100, "40"), home(100, "80", until=on(184))], 113, "quiet"),
        ("ordered once a week, 28 days without an end", [*FIVE, home(100, "80", way="ordered")], 113, "medium"),
        ("the order ran out", [*FIVE, home(84, "80", way="ordered")], 113, "quiet"),
        ("course ended", [*FIVE, plan("320"), statement("lenalidomide-stopped", 114, "other")], 115, "quiet"),
        ("nothing known of dexamethasone", FIVE, 113, "cannot: dexamethasone dose"),
        ("nothing known of it in cycle 4", FIVE, 100, "quiet"),
    ],
)  # fmt: skip
def test_after_the_phase_of_high_dose(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(AFTER, facts, day=day, using=policy(profile)) == answer


def test_one_alert_a_cycle() -> None:
    finding = finding_of(AFTER, FIVE, plan("320"), day=120)
    assert (finding.since, finding.effective_at) == (on(113, 0), on(113, 10))
    assert "320 mg planned for the cycle (cycle 5)" in finding.message
    run = given(113, 114, 115, 116, 117, 118)
    later = finding_of(AFTER, FIVE, run, day=118)
    assert [shown.fact for shown in later.evidence] == run
    assert later.effective_at == on(118)
    assert finding_of(AFTER, FIVE, box(113, "164"), day=120).message.startswith("Dexamethasone 164 mg dispensed")
    assert "taken at home" in finding_of(AFTER, FIVE, home(100, "80", until=on(184)), day=113).message
    ordered = home(100, "80", way="ordered")
    assert "ordered" in finding_of(AFTER, FIVE, ordered, day=113).message
    assert recheck_of(AFTER, FIVE, ordered, day=113) == on(128, 10)
    assert answer_of(AFTER, FIVE, plan("320"), day=113, using=policy(dex_high_phase_cycles="5")) == "quiet"
    assert answer_of(AFTER, FIVE, plan("240"), day=113, using=policy(dex_low_mg="240")) == "quiet"


def test_what_was_handed_over_long_before_cycle_1_is_not_for_it() -> None:
    one = policy(dex_high_phase_cycles="1", dex_low_mg="80")
    for day, answer in ((-10, "medium"), (-11, "quiet")):
        assert answer_of(AFTER, cycles(2), box(day, "240", 56), day=30, using=one) == answer, day


# --- by age

A65, A64, A75, A76 = "1961-06-01", "1961-06-02", "1950-06-02", "1950-06-01"
"""Birthdays by the age on 1 June 2026, day 1 of cycle 1; 75 years: the 76th birthday is the day after."""


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "middle", "old"),
    [
        ("64 years, 320 mg", [*cycles(1, A64), plan("320")], "quiet", "quiet"),
        ("65 years, 320 mg", [*cycles(1, A65), plan("320")], "medium", "quiet"),
        ("65 years, exactly 160 mg", [*cycles(1, A65), plan("160")], "quiet", "quiet"),
        ("65 years, 161 mg", [*cycles(1, A65), plan("161")], "medium", "quiet"),
        ("75 years, 160 mg", [*cycles(1, A75), plan("160")], "quiet", "quiet"),
        ("75 years, 161 mg", [*cycles(1, A75), plan("161")], "medium", "quiet"),
        ("76 years, 81 mg", [*cycles(1, A76), plan("81")], "quiet", "high"),
        ("76 years, exactly 80 mg", [*cycles(1, A76), plan("80")], "quiet", "quiet"),
        ("76 years, 160 mg", [*cycles(1, A76), plan("160")], "quiet", "high"),
        ("65 years, a day of 44 mg", [*cycles(1, A65), *given(1, mg="44")], "medium", "quiet"),
        ("65 years, a day of 40 mg", [*cycles(1, A65), *given(1)], "quiet", "quiet"),
        ("65 years, 40 mg in two doses of a day", [*cycles(1, A65), *given(1, 1, mg="20")], "quiet", "quiet"),
        ("65 years, 48 mg in two doses of a day", [*cycles(1, A65), *given(1, 1, mg="24")], "medium", "quiet"),
        ("76 years, a day of 24 mg", [*cycles(1, A76), *given(1, mg="24")], "quiet", "high"),
        ("76 years, a day of 20 mg", [*cycles(1, A76), *given(1, mg="20")], "quiet", "quiet"),
        ("65 years, dispensed 80 mg for a day", [*cycles(1, A65), box(1, "160", dose="80")], "medium", "quiet"),
        ("65 years, dispensed 40 mg for a day", [*cycles(1, A65), box(1, "160", dose="40")], "quiet", "quiet"),
        ("76 years, at home 20 mg once a week", [*cycles(1, A76), home(1, "20")], "quiet", "quiet"),
        ("76 years, at home 40 mg once a week", [*cycles(1, A76), home(1, "40")], "quiet", "high"),
        ("the plan corrected", [*cycles(1, A76), plan("160"), plan("80", 2)], "quiet", "quiet"),
        ("no birth date, 160 mg", [lenalidomide(1), plan("160")], "quiet", "cannot: birth date"),
        ("no birth date, 320 mg", [lenalidomide(1), plan("320")], "cannot: birth date", "cannot: birth date"),
        ("no birth date, 80 mg", [lenalidomide(1), plan("80")], "quiet", "quiet"),
        ("65 years, nothing known of dexamethasone", cycles(1, A65), "cannot: dexamethasone dose", "quiet"),
        ("76 years, nothing known of dexamethasone", cycles(1, A76), "quiet", "cannot: dexamethasone dose"),
        ("64 years, nothing known of dexamethasone", cycles(1, A64), "quiet", "quiet"),
        ("course ended", [*cycles(1, A76), plan("320"), statement("lenalidomide-stopped", 2, "other")], "quiet", "quiet"),
    ],
)  # fmt: skip
def test_by_age(profile: str, shows: str, facts: list[AnyKept], middle: str, old: str) -> None:
    using = policy(profile)
    assert (answer_of(MIDDLE, facts, day=3, using=using), answer_of(OLD, facts, day=3, using=using)) == (middle, old)


@pytest.mark.parametrize(
    ("birth", "by_years", "by_birthday"),
    [
        ("1951-06-01", "quiet", "quiet"),
        ("1951-05-31", "quiet", "high"),
        ("1950-06-02", "quiet", "high"),
        ("1950-06-01", "high", "high"),
    ],
)
def test_over_75_has_two_readings(birth: str, by_years: str, by_birthday: str) -> None:
    """The 75th birthday itself is not over 75 in either reading (ambiguity 6)."""
    facts = [*cycles(1, birth), plan("160")]
    assert answer_of(OLD, facts, day=3) == by_years
    assert answer_of(OLD, facts, day=3, using=policy(dex_elderly_from_birthday="true")) == by_birthday


def test_age_is_that_of_day_1_of_the_cycle() -> None:
    facts: list[AnyKept] = [person("1950-06-15"), lenalidomide(1), lenalidomide(29), plan("160")]
    assert answer_of(OLD, facts, day=28) == "quiet"
    assert answer_of(OLD, facts, day=29) == "high"
    finding = finding_of(OLD, facts, day=30)
    assert (finding.since, finding.effective_at) == (on(29, 0), on(29, 10))
    assert "76 years" in finding.title


def test_of_a_birth_year_the_earlier_end_counts() -> None:
    someone = person("1950-01-01")
    assert someone.birth is not None
    who = replace(someone, birth_latest=someone.birth.replace(month=12, day=31))
    assert answer_of(OLD, who, lenalidomide(1), plan("160"), day=3) == "high"


def test_by_age_says_the_day_where_it_is_known() -> None:
    assert ", 24 mg on one day." in finding_of(OLD, cycles(1, A76), given(1, mg="24"), day=3).message
    assert "on one day" not in finding_of(OLD, cycles(1, A76), plan("160"), day=3).message


@pytest.mark.parametrize(
    ("rule", "key", "value", "facts"),
    [
        (MIDDLE, "dex_middle_age_at", "66", [*cycles(1, A65), plan("320")]),
        (MIDDLE, "dex_low_mg", "240", [*cycles(1, A65), plan("240")]),
        (MIDDLE, "dex_day_mg", "38", [*cycles(1, A65), *given(1, mg="38")]),
        (OLD, "dex_elderly_over_years", "76", [*cycles(1, A76), plan("160")]),
        (OLD, "dex_elderly_mg", "160", [*cycles(1, A76), plan("160")]),
        (OLD, "dex_elderly_day_mg", "40", [*cycles(1, A76), *given(1)]),
    ],
)
def test_each_number_is_policy(rule: str, key: str, value: str, facts: list[AnyKept]) -> None:
    assert answer_of(rule, facts, day=3, using=policy(**{key: value})) == "quiet"


def test_before_day_1_nothing_is_said() -> None:
    facts = [person(A76), plan("320"), statement("planned-cycle-day-1", -5, when=on(5)), lenalidomide(1)]
    assert {answer_of(rule, facts, day=2) for rule in (AFTER, MIDDLE, OLD, PREFERRED)} == {"quiet"}
    assert recheck_of(OLD, facts, day=2) == on(5, 0)
    assert answer_of(OLD, facts, day=5, hour=0.0) == "high"


# --- dex-low-dose-preferred


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("160 mg", [*cycles(1), plan("160")], "quiet"),
        ("161 mg", [*cycles(1), plan("161")], "info"),
        ("dispensed more", [*cycles(1), box(1, "320")], "info"),
        ("a reason recorded", [*cycles(1), plan("320"), statement("high-dose-dexamethasone-reason", -2, "other")], "quiet"),
        ("nothing known", cycles(1), "cannot: dexamethasone dose"),
        ("not begun", [person(), plan("320")], "quiet"),
        ("ended", [*cycles(1), plan("320"), statement("lenalidomide-stopped", 2, "other")], "quiet"),
    ],
)  # fmt: skip
def test_low_dose_preferred(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(PREFERRED, facts, day=3) == answer


@pytest.mark.parametrize(("mg", "is_above"), [("320", False), ("321", True)])
def test_days_15_to_20_are_read_as_15_to_18(mg: str, is_above: bool) -> None:
    """Ambiguity 4: 320 mg is the phase of high dose, 400 mg is more than it."""
    finding = finding_of(PREFERRED, cycles(1), plan(mg), day=3)
    assert ("above the 320 mg" in finding.message) is is_above
    changed = finding_of(PREFERRED, cycles(1), plan("321"), day=3, using=policy(dex_high_phase_mg="400"))
    assert "above the 400 mg" not in changed.message


# --- dex-high-dose-justify

HIGH = [*start(), plan("480")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("exactly 480 mg", HIGH, "medium"),
        ("479 mg", [*start(), plan("479")], "quiet"),
        ("twelve doses given", [*start(), *given(*range(-12, 0))], "medium"),
        ("eleven doses given", [*start(), *given(*range(-12, -1))], "quiet"),
        *((reason, [*HIGH, statement("high-dose-dexamethasone-reason", -2, reason)], "quiet") for reason in
          ("cord-compression", "hypercalcaemia", "pain", "renal-failure", "aggressive-disease")),
        ("another reason is none of the list", [*HIGH, statement("high-dose-dexamethasone-reason", -2, "other")], "medium"),
        ("aggressive disease", [*HIGH, statement("aggressive-disease", -2, "yes")], "quiet"),
        ("not aggressive", [*HIGH, statement("aggressive-disease", -2, "no")], "medium"),
        *((concept, [*HIGH, diagnosis([concept], -2)], "quiet") for concept in
          ("spinal-cord-compression", "hypercalcaemia", "pain", "renal-failure", "dialysis", "ckd")),
        ("pain that is over", [*HIGH, diagnosis(["pain"], -9, abated=on(2))], "medium"),
        ("nothing known", start(), "cannot: dexamethasone dose"),
        ("not begun", [plan("480")], "quiet"),
        ("ended", [*HIGH, statement("lenalidomide-stopped", 2, "other")], "quiet"),
    ],
)  # fmt: skip
def test_high_dose_asks_for_its_reason(profile: str, shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(JUSTIFY, facts, day=3, using=policy(profile)) == answer


def test_high_dose_ends_with_its_window() -> None:
    facts = [*start(), *given(*range(1, 13))]
    assert finding_of(JUSTIFY, facts, day=13).since == on(12)
    due = recheck_of(JUSTIFY, facts, day=13)
    assert due == on(30, 0)
    assert answer_of(JUSTIFY, facts, day=30, hour=0.0) == "quiet"
    assert answer_of(JUSTIFY, facts, day=29, hour=23.9) == "medium"
    assert answer_of(JUSTIFY, start(), plan("480", until=on(9)), day=9, hour=9.0) == "quiet"
    assert answer_of(JUSTIFY, HIGH, day=3, using=policy(dex_high_mg="500")) == "quiet"


def test_high_dose_is_said_when_its_reason_ends() -> None:
    over = diagnosis(["pain"], -9, abated=on(2))
    assert finding_of(JUSTIFY, HIGH, over, day=3).effective_at == on(2)
    said = statement("high-dose-dexamethasone-reason", 3, "other")
    finding = finding_of(JUSTIFY, HIGH, said, day=4)
    assert (finding.since, finding.effective_at) == (on(1, 10), on(3, 8))
    assert finding.context
    assert not finding_of(JUSTIFY, HIGH, day=4).context
    both = [*start(), plan("480", 5), *given(*range(-12, 0))]
    assert finding_of(JUSTIFY, both, day=6).since == on(1, 10)


# --- dex-tox-step

MYOPATHY = diagnosis(["myopathy"], 10)
BEFORE = [*start(), *given(1, 8)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("the same dose next", [*BEFORE, MYOPATHY, *given(15)], 15, "medium"),
        ("a higher dose next", [*BEFORE, MYOPATHY, *given(15, mg="44")], 15, "medium"),
        ("a lower dose next", [*BEFORE, MYOPATHY, *given(15, mg="20")], 15, "quiet"),
        ("the same, then lower", [*BEFORE, MYOPATHY, *given(15), *given(22, mg="36")], 22, "quiet"),
        ("lower, then as before", [*BEFORE, MYOPATHY, *given(15, mg="20"), *given(22)], 22, "medium"),
        ("no dose since", [*BEFORE, MYOPATHY], 15, "quiet"),
        ("no dose before", [*start(), MYOPATHY, *given(15)], 15, "quiet"),
        *((concept, [*BEFORE, diagnosis([concept], 10), *given(15)], 15, "medium") for concept in
          ("hyperglycaemia", "psychiatric-disturbance")),
        ("another event", [*BEFORE, diagnosis(["rash"], 10), *given(15)], 15, "quiet"),
        ("before treatment", [*BEFORE, diagnosis(["myopathy"], -10), *given(15)], 15, "quiet"),
        ("history", [*BEFORE, diagnosis(["myopathy"], 10, history=True), *given(15)], 15, "quiet"),
        ("over", [*BEFORE, diagnosis(["myopathy"], 10, abated=on(14)), *given(15)], 15, "quiet"),
        ("the last day it counts", [*BEFORE, MYOPATHY, *given(15)], 38, "medium"),
        ("a day later", [*BEFORE, MYOPATHY, *given(15)], 39, "quiet"),
        ("a recorded end later than that", [*BEFORE, diagnosis(["myopathy"], 10, abated=on(50)), *given(15)], 45, "medium"),
        ("two are two alerts", [*BEFORE, MYOPATHY, diagnosis(["hyperglycaemia"], 11), *given(15)], 15, "medium, medium"),
        ("infection without neutropenia", [*BEFORE, diagnosis(["pneumonia", "infection"], 10), *given(15)], 15, "medium"),
        ("infection in an open episode", [*BEFORE, *cbc(9, "400"), diagnosis(["infection"], 10), *given(15)], 15, "quiet"),
        ("infection in an episode that is over", [*BEFORE, *cbc(9, "400"), diagnosis(["infection"], 10), *cbc(12), *given(15)], 15, "quiet"),
        ("infection after an episode", [*BEFORE, *cbc(5, "400"), *cbc(9), diagnosis(["infection"], 10), *given(15)], 15, "medium"),
        ("infection before an episode", [*BEFORE, diagnosis(["infection"], 10), *cbc(12, "900"), *given(15)], 15, "medium"),
        ("low platelets are no neutropenia", [*BEFORE, *cbc(9, "2500", "20000"), diagnosis(["infection"], 10), *given(15)], 15, "medium"),
        ("coded as neutropenic", [*BEFORE, diagnosis(["infection", "febrile-neutropenia"], 10), *given(15)], 15, "quiet"),
        ("infection, ANC never known", [person(), lenalidomide(1), *given(1, 8), diagnosis(["infection"], 10), *given(15)], 15, "cannot: ANC"),
        ("and a myopathy", [person(), lenalidomide(1), *given(1, 8), diagnosis(["infection"], 10), MYOPATHY, *given(15)], 15, "medium"),
        ("the same box next", [*start(), box(1, "160"), MYOPATHY, box(29, "160")], 29, "medium"),
        ("a smaller box next", [*start(), box(1, "160"), MYOPATHY, box(29, "80")], 29, "quiet"),
        ("a smaller dose in a box of the same size", [*start(), box(1, "160", dose="40"), MYOPATHY, box(29, "160", dose="20")], 29, "quiet"),
        ("a box for no days", [*start(), box(1, "160", 0), MYOPATHY, box(29, "160", 0)], 29, "medium"),
        ("a box of unknown size", [*start(), box(1, "160"), MYOPATHY, supply("dexamethasone", 29, days=28)], 29, "medium"),
        ("another way than before", [*start(), box(1, "160"), MYOPATHY, *given(15)], 15, "quiet"),
        ("an order is not taken yet", [*BEFORE, MYOPATHY, home(12, "40", way="ordered")], 15, "quiet"),
        ("the plan unchanged, no new cycle", [*start(), plan("160"), MYOPATHY], 28, "quiet"),
        ("the plan unchanged, a new cycle", [*start(), plan("160"), MYOPATHY, lenalidomide(29)], 29, "medium"),
        ("the plan said again", [*start(), plan("160"), MYOPATHY, plan("160", 20), lenalidomide(29)], 29, "medium"),
        ("another plan", [*start(), plan("160"), MYOPATHY, plan("80", 20), lenalidomide(29)], 29, "quiet"),
        ("another plan, whatever is given", [*BEFORE, plan("160"), MYOPATHY, plan("80", 12), *given(15)], 15, "quiet"),
        ("a plan of nothing", [*start(), plan("0"), MYOPATHY, lenalidomide(29)], 29, "quiet"),
        ("a cycle that begins ahead", [*start(), plan("160"), MYOPATHY, statement("planned-cycle-day-1", 20, when=on(31)), lenalidomide(28)], 28, "quiet"),
        ("neither plan nor dose", [*start(), MYOPATHY, lenalidomide(29)], 29, "quiet"),
        ("course ended", [*BEFORE, MYOPATHY, *given(15), statement("lenalidomide-stopped", 16, "other")], 17, "quiet"),
        ("not begun", [MYOPATHY, *given(15)], 15, "quiet"),
    ],
)  # fmt: skip
def test_harm_by_dexamethasone(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(HARM, facts, day=day, using=policy(profile)) == answer


def test_harm_names_the_ladder_and_the_doses() -> None:
    dose = given(15)
    finding = finding_of(HARM, BEFORE, MYOPATHY, dose, day=20)
    assert (finding.subject, finding.since, finding.effective_at) == (MYOPATHY.id, on(10), on(15))
    assert finding.evidence[-1].fact is dose[0]
    assert "40 mg on 4 days every 2 weeks; the same every 4 weeks; 20 mg so." in finding.message
    by_plan = finding_of(HARM, start(), plan("160"), MYOPATHY, lenalidomide(29), day=30)
    assert by_plan.effective_at == on(29, 10)
    assert recheck_of(HARM, BEFORE, MYOPATHY, dose, day=20) == on(39, 0)
    assert "infection" in finding_of(HARM, BEFORE, diagnosis(["pneumonia", "infection"], 10), dose, day=15).title


# --- dex-kept-during-anc-hold

HELD = [*start(), *cbc(9, "400")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("the plan set to nothing", [*HELD, plan("160"), plan("0", 10)], 10, "info"),
        ("the plan goes on", [*HELD, plan("160")], 10, "quiet"),
        ("the plan lowered", [*HELD, plan("160"), plan("80", 10)], 10, "quiet"),
        ("set to nothing before the hold", [*HELD, plan("160"), plan("0", 8)], 10, "quiet"),
        ("the plan ran out in the hold", [*HELD, plan("160", until=on(12))], 12, "info"),
        ("it has not run out yet", [*HELD, plan("160", until=on(12))], 11, "quiet"),
        ("given again", [*HELD, plan("160"), plan("0", 10), *given(12)], 13, "quiet"),
        ("never taken", HELD, 20, "quiet"),
        ("supply with its grace ran out", [*HELD, box(1, "80", 7)], 15, "info"),
        ("on the last day of the grace", [*HELD, box(1, "80", 7)], 14, "quiet"),
        ("supply ran out before the hold", [*start(), *cbc(16, "400"), box(1, "80", 7)], 17, "quiet"),
        ("none given for two weeks", [*HELD, *given(1, 8)], 22, "info"),
        ("none given for less", [*HELD, *given(1, 8)], 21, "quiet"),
        ("the plan stands, last given long ago", [*HELD, plan("160"), *given(1, 8)], 25, "quiet"),
        ("a plan that had ended, and doses since", [*HELD, plan("160", until=on(2)), *given(8)], 22, "info"),
        ("contraindicated", [*HELD, plan("160"), plan("0", 10), statement("dexamethasone-contraindicated", 10, "yes")], 10, "quiet"),
        ("not contraindicated", [*HELD, plan("160"), plan("0", 10), statement("dexamethasone-contraindicated", 10, "no")], 10, "info"),
        ("a toxicity of it", [*HELD, plan("160"), plan("0", 10), diagnosis(["myopathy"], 9)], 10, "quiet"),
        ("an infection", [*HELD, plan("160"), plan("0", 10), diagnosis(["infection"], 9)], 10, "quiet"),
        ("an infection of which only is known that it is over", [*HELD, plan("160"), plan("0", 10), diagnosis(["infection"], 9, active=False)], 10, "info"),
        ("an allergy to it", [*HELD, plan("160"), plan("0", 10), allergy("dexamethasone")], 10, "quiet"),
        ("an allergy to something else", [*HELD, plan("160"), plan("0", 10), allergy("penicillin")], 10, "info"),
        ("hold released", [*HELD, plan("160"), plan("0", 10), *cbc(12)], 12, "quiet"),
        ("a platelet hold", [*start(), *cbc(9, "2500", "20000"), plan("160"), plan("0", 10)], 10, "quiet"),
        ("course ended", [*HELD, plan("160"), plan("0", 10), statement("lenalidomide-stopped", 10, "other")], 11, "quiet"),
    ],
)  # fmt: skip
def test_dexamethasone_stopped_with_lenalidomide(
    profile: str, shows: str, facts: list[AnyKept], day: float, answer: str
) -> None:
    assert answer_of(KEPT, facts, day=day, using=policy(profile)) == answer


def test_stopped_belongs_to_the_hold() -> None:
    stop = plan("0", 10)
    finding = finding_of(KEPT, HELD, plan("160"), stop, day=11)
    assert (finding.since, finding.effective_at, finding.episode) == (on(9), on(10, 8), 1)
    assert finding.evidence[-1].fact is stop
    healed = diagnosis(["infection"], 9, abated=on(14))
    assert finding_of(KEPT, HELD, plan("160"), stop, healed, day=15).effective_at == on(14)
    said = statement("dexamethasone-contraindicated", 12, "no")
    assert finding_of(KEPT, HELD, plan("160"), stop, said, day=15).effective_at == on(12, 8)
    assert recheck_of(KEPT, HELD, box(1, "80", 7), day=12) == on(15, 0)
    assert answer_of(KEPT, HELD, given(1, 8), day=16, using=policy(dex_stopped_after_days="8")) == "info"
