"""Lenalidomide: ceiling, schedule, age, alternate days, steps, frailty, missed doses, going up again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.answers import Found
from rules.catalogue import BY_ID
from rules.picture import AnyKept, Supply
from schemas.events import FactStatus
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import (
    PROFILES,
    cbc,
    diagnosis,
    lenalidomide,
    on,
    person,
    policy,
    procedure,
    result,
    statement,
    stay,
    supply,
    view,
)

CEILING, SCHEDULE, AGE, ALTERNATE = "len-dose-ceiling", "len-schedule", "len-age-reduced", "len-alt-day"
STEPS, FRAIL, MISSED, AGAIN = "len-dose-step-limit", "len-frailty", "missed-dose", "dose-reescalate-ok"


def capsules(
    day: float, strength: str | None, quantity: str | None, days: int | None, dose: str | None = None, **more: object
) -> Supply:
    return supply("lenalidomide", day, days=days, strength=strength, quantity=quantity, dose=dose, **more)  # type: ignore[arg-type]


# --- len-dose-ceiling


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("exactly 25 mg", [lenalidomide(1, "25")], "quiet"),
        ("above 25 mg", [lenalidomide(1, "25.1")], "critical"),
        ("an order counts as well", [lenalidomide(1, "50", way="ordered")], "critical"),
        ("a planned order", [lenalidomide(1, "50", way="ordered", status=FactStatus.PLANNED)], "critical"),
        ("a dose given", [lenalidomide(1, "50", way="given")], "critical"),
        ("taken at home", [lenalidomide(1, "50", way="home")], "critical"),
        ("two capsules a day by quantity and days", [capsules(1, "25", "42", 21)], "critical"),
        ("two cycles by quantity and days", [capsules(1, "25", "42", 42)], "quiet"),
        ("three capsules of 5 mg a day", [capsules(1, "5", "63", 21)], "quiet"),
        ("six of 5 mg a day", [capsules(1, "5", "126", 21)], "critical"),
        ("no days", [capsules(1, "25", "42", None)], "quiet"),
        ("the stated daily dose", [replace(lenalidomide(1, "15"), daily_mg=lenalidomide(1, "30").dose_mg)], "critical"),
        ("another medicine", [supply("aspirin", 1, dose="100")], "quiet"),
        ("the next dispense at 25 mg", [lenalidomide(1, "50"), lenalidomide(3, "25")], "quiet"),
        ("the next order at 25 mg takes no capsules back", [lenalidomide(1, "50"), lenalidomide(3, "25", way="ordered")], "critical"),
        ("the next order at 25 mg answers an order", [lenalidomide(1, "50", way="ordered"), lenalidomide(3, "25", way="ordered")], "quiet"),
        ("a dispense at 25 mg answers an order", [lenalidomide(1, "50", way="ordered"), lenalidomide(3, "25")], "quiet"),
        ("two are two alerts", [lenalidomide(1, "50"), lenalidomide(3, "50")], "critical, critical"),
        ("a later one of unknown dose", [lenalidomide(1, "50"), supply("lenalidomide", 3, days=28)], "critical"),
        ("returned", [lenalidomide(1, "50", status=FactStatus.WITHDRAWN)], "quiet"),
        ("course ended", [lenalidomide(1, "50"), statement("lenalidomide-stopped", 4, "other")], "quiet"),
        ("nothing to compute from", [supply("lenalidomide", 1, days=28)], "cannot: daily dose of lenalidomide"),
    ],
)  # fmt: skip
def test_ceiling(profile: str, shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(CEILING, facts, day=5, using=policy(profile)) == answer


def test_ceiling_names_the_dose() -> None:
    given = capsules(1, "25", "42", 21)
    finding = finding_of(CEILING, given, day=1)
    assert finding.title == "Lenalidomide 50 mg a day dispensed, above 25 mg"
    assert (finding.subject, finding.since, finding.effective_at) == (given.id, given.at, given.at)
    assert answer_of(CEILING, lenalidomide(1, "20"), day=1, using=policy(len_max_daily_mg="15")) == "critical"


# --- len-schedule


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("21 capsules for 28 days", [lenalidomide(1)], 1, "quiet"),
        ("22 capsules", [capsules(1, "25", "22", 28, "25")], 1, "high"),
        ("28 capsules for 28 days", [capsules(1, "25", "28", 28, "25")], 1, "high"),
        ("28 capsules for 28 days, dose not said", [capsules(1, "25", "28", 28)], 1, "high"),
        ("42 capsules for two cycles", [capsules(1, "25", "42", 56, "25")], 1, "quiet"),
        ("43 capsules for two cycles", [capsules(1, "25", "43", 56, "25")], 1, "high"),
        ("42 capsules for one cycle", [capsules(1, "25", "42", 28, "25")], 1, "high"),
        ("42 capsules of 5 mg at 10 mg a day", [capsules(1, "5", "42", 28, "10")], 1, "quiet"),
        ("44 of them", [capsules(1, "5", "44", 28, "10")], 1, "high"),
        ("42 capsules, dose not said, for 21 days", [capsules(1, "5", "42", 21)], 1, "quiet"),
        ("42 capsules, dose not said, for 28 days", [capsules(1, "5", "42", 28)], 1, "cannot: quantity and dose of the lenalidomide dispensed"),
        ("21 capsules, nothing else said", [capsules(1, "25", "21", None)], 1, "quiet"),
        ("22 capsules, nothing else said", [capsules(1, "25", "22", None)], 1, "high"),
        ("21 days, no quantity", [capsules(1, "25", None, 21)], 1, "quiet"),
        ("28 days, no quantity", [capsules(1, "25", None, 28)], 1, "cannot: quantity and dose of the lenalidomide dispensed"),
        ("a quantity of nothing", [capsules(1, "25", "0", 28, "25")], 1, "cannot: quantity and dose of the lenalidomide dispensed"),
        ("a negative quantity", [capsules(1, "25", "-21", 28, "25")], 1, "cannot: quantity and dose of the lenalidomide dispensed"),
        ("a supply for no days", [capsules(1, "25", "28", 0, "25")], 1, "high"),
        ("neither quantity nor days", [capsules(1, "25", None, None)], 1, "cannot: quantity and dose of the lenalidomide dispensed"),
        ("11 capsules every other day", [capsules(1, "15", "11", 28, "15", schedule="alternate-days")], 1, "quiet"),
        ("12 capsules every other day", [capsules(1, "15", "12", 28, "15", schedule="alternate-days")], 1, "high"),
        ("returned", [capsules(1, "25", "28", 28, "25", status=FactStatus.WITHDRAWN)], 1, "quiet"),
        ("the last day of its supply", [capsules(1, "25", "28", 28, "25")], 28, "high"),
        ("used up", [capsules(1, "25", "28", 28, "25")], 29, "quiet"),
        ("42 capsules last longer than the days stated", [capsules(1, "25", "42", 28, "25")], 42, "high"),
        ("and are used up", [capsules(1, "25", "42", 28, "25")], 43, "quiet"),
        ("an early refill is another rule's matter", [lenalidomide(1), lenalidomide(10)], 10, "quiet"),
        ("an order is not handed over", [capsules(1, "25", "28", 28, "25", way="ordered")], 1, "quiet"),
        ("course ended", [capsules(1, "25", "28", 28, "25"), statement("lenalidomide-stopped", 4, "other")], 5, "quiet"),
    ],
)  # fmt: skip
def test_schedule(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(SCHEDULE, facts, day=day, using=policy(profile)) == answer


def test_schedule_ends_with_the_supply() -> None:
    given = capsules(1, "25", "28", 28, "25")
    assert recheck_of(SCHEDULE, given, day=1) == on(29, 0)
    finding = finding_of(SCHEDULE, given, day=1)
    assert finding.title == "Lenalidomide dispensed for 28 days of taking"
    assert "in 1 cycle;" in finding.message
    assert "in 2 cycles;" in finding_of(SCHEDULE, capsules(1, "25", "43", 56, "25"), day=1).message
    assert answer_of(SCHEDULE, given, day=1, using=policy(len_dosing_days="28")) == "quiet"


# --- len-age-reduced


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("25 mg at 68", start(), 1, {}, "quiet"),
        ("15 mg at 68, no reason", start(dose="15"), 1, {}, "info"),
        ("15 mg at 64, no reason", [person("1961-06-02"), *start(dose="15")[1:]], 1, {}, "quiet"),
        ("15 mg at exactly 65", [person("1961-06-01"), *start(dose="15")[1:]], 1, {}, "info"),
        ("15 mg at 64, where that is old", [person("1961-06-02"), *start(dose="15")[1:]], 1, {"len_elderly_age_at": "60"}, "info"),
        ("age as the reason, at 50", [person("1976-06-01"), *start(dose="15")[1:], statement("reduced-dose-reason", -3, "age")], 1, {}, "info"),
        ("stage as the only reason", [*start(dose="15"), statement("reduced-dose-reason", -3, "stage")], 1, {}, "info"),
        ("another reason", [*start(dose="15"), statement("reduced-dose-reason", -3, "interaction")], 1, {}, "quiet"),
        ("a reason recorded since", [*start(dose="15"), statement("reduced-dose-reason", 3, "toxicity")], 4, {}, "quiet"),
        ("the dose raised to the full one", [*start(dose="15"), lenalidomide(3, "25")], 4, {}, "quiet"),
        ("begun at 25 mg and lowered", [*start(), lenalidomide(12, "15")], 12, {}, "quiet"),
        ("a clearance below the band", [*start(dose="10"), result("creatinine", "1.3", 2)], 3, {}, "quiet"),
        ("exactly on the US border", start(dose="10"), 1, {"renal_dose_table": "us"}, "info"),
        ("the same read the other way", start(dose="10"), 1, {"renal_dose_table": "us", "renal_border_is_reduced": "true"}, "quiet"),
        ("low ANC at the start", start(anc="999", dose="15"), 1, {}, "quiet"),
        ("low platelets at the start", start(platelets="49999", dose="15"), 1, {}, "quiet"),
        ("on dialysis", [*start(dose="5"), diagnosis(["dialysis"], -9)], 1, {}, "quiet"),
        ("the last day of cycle 1", [*start(dose="15"), lenalidomide(29, "15")], 28, {}, "info"),
        ("cycle 2", [*start(dose="15"), lenalidomide(29, "15")], 29, {}, "quiet"),
        ("course ended", [*start(dose="15"), statement("lenalidomide-stopped", 4, "other")], 5, {}, "quiet"),
        ("no dose", [*start()[:-1], supply("lenalidomide", 1, days=28)], 1, {}, "cannot: dose of lenalidomide"),
        ("no baseline counts", [*start()[:3], lenalidomide(1, "15")], 1, {}, "cannot: baseline ANC, baseline platelets"),
        ("no creatinine", [*start()[:2], *cbc(-1), lenalidomide(1, "15")], 1, {}, "cannot: creatinine"),
        ("no birth date", [*start(dose="15")[1:]], 1, {}, "cannot: birth date, sex"),
        ("stage as the reason, no birth date", [*start(dose="15")[1:], statement("reduced-dose-reason", -3, "stage")], 1, {}, "cannot: birth date, sex"),
        ("full dose, nothing known", [lenalidomide(1)], 1, {}, "quiet"),
    ],
)  # fmt: skip
def test_reduced_for_age(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(AGE, facts, day=day, using=policy(**changes)) == answer


def test_reduced_for_age_says_what_is_recorded() -> None:
    assert "no reason is recorded at 68 years" in finding_of(AGE, start(dose="15"), day=1).message
    stage = statement("reduced-dose-reason", 3, "stage")
    finding = finding_of(AGE, start(dose="15"), stage, day=4)
    assert "stage is the only reason recorded" in finding.message
    assert (finding.since, finding.effective_at) == (on(1, 10), on(3, 8))


# --- len-alt-day


def rhythm(day: float, schedule: str | None = "alternate-days", **more: object) -> Supply:
    return supply("lenalidomide", day, days=21, dose="15", schedule=schedule, **more)  # type: ignore[arg-type]


BASE = start()[:-1]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("every other day at 60", [*BASE, rhythm(1)], 1, "info"),
        ("exactly 30", [*BASE, rhythm(1), result("creatinine", "2.0", 2)], 3, "info"),
        ("just below", [*BASE, rhythm(1), result("creatinine", "2.001", 2)], 3, "quiet"),
        ("daily", [*BASE, rhythm(1, "daily")], 1, "quiet"),
        ("rhythm not said", [*BASE, rhythm(1, None)], 1, "quiet"),
        ("daily since", [*BASE, rhythm(1), rhythm(9, "daily")], 9, "quiet"),
        ("only ordered", [*BASE, lenalidomide(1), rhythm(5, way="ordered")], 6, "quiet"),
        ("on dialysis", [*BASE, rhythm(1), diagnosis(["dialysis"], -9)], 1, "quiet"),
        ("no creatinine", [person(), result("weight", "60", -1), rhythm(1)], 1, "cannot: creatinine"),
        ("course ended", [*BASE, rhythm(1), statement("lenalidomide-stopped", 4, "other")], 5, "quiet"),
    ],
)
def test_alternate_days(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(ALTERNATE, facts, day=day) == answer


def test_alternate_days_are_one_spell_over_refills() -> None:
    facts = [*BASE, rhythm(1), rhythm(10, "daily"), rhythm(29), rhythm(57)]
    assert finding_of(ALTERNATE, facts, day=60).since == on(29, 10)
    again = [*facts, *(result("creatinine", "1.0", day) for day in (40, 50))]
    assert [s.fact for s in finding_of(ALTERNATE, again, day=60).evidence] == [
        s.fact for s in finding_of(ALTERNATE, facts, day=60).evidence]  # fmt: skip
    session = [*BASE, rhythm(2), procedure("haemodialysis-session", 1)]
    assert finding_of(ALTERNATE, session, day=20).effective_at == on(16, 0)
    assert answer_of(ALTERNATE, *BASE, rhythm(1), day=1, using=policy(renal_severe_below="40")) == "info"
    assert answer_of(ALTERNATE, *BASE, rhythm(1), result("creatinine", "1.6", 2), day=3, using=policy(renal_severe_below="40")) == "quiet"  # fmt: skip


# --- len-dose-step-limit


def doses(*pairs: tuple[float, str]) -> list[AnyKept]:
    return [lenalidomide(day, dose) for day, dose in pairs]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("one step", doses((1, "25"), (12, "15")), 12, {}, "quiet"),
        ("two steps at once", doses((1, "25"), (12, "10")), 12, {}, "info"),
        ("two steps one after the other", doses((1, "25"), (8, "15"), (15, "10")), 15, {}, "info"),
        ("up again to one step", doses((1, "25"), (8, "10"), (15, "15")), 15, {}, "quiet"),
        ("25 to 15 on the long ladder", doses((1, "25"), (12, "15")), 12, {"dose_ladder": "capsule"}, "info"),
        ("20 to 10, 20 is on no consensus ladder", doses((1, "20"), (12, "10")), 12, {}, "info"),
        ("20 to 15", doses((1, "20"), (12, "15")), 12, {}, "quiet"),
        ("raised", doses((1, "10"), (12, "25")), 12, {}, "quiet"),
        ("the same", doses((1, "25"), (12, "25")), 12, {}, "quiet"),
        ("between two cycles", doses((1, "25"), (29, "10")), 29, {}, "quiet"),
        ("the next cycle begins", doses((1, "25"), (12, "10"), (29, "10")), 29, {}, "quiet"),
        ("a second package of day 1", [lenalidomide(1, "25", 10), lenalidomide(1, "5", 11)], 2, {}, "quiet"),
        ("only ordered", [*doses((1, "25")), lenalidomide(12, "10", way="ordered")], 12, {}, "quiet"),
        ("two holds, said all the same", [*doses((1, "25")), *cbc(5, "400"), *cbc(8), *doses((9, "15")), *cbc(12, "400"), *cbc(15), *doses((16, "10"))], 16, {}, "info"),
        ("two holds, read as explained", [*doses((1, "25")), *cbc(5, "400"), *cbc(8), *doses((9, "15")), *cbc(12, "400"), *cbc(15), *doses((16, "10"))], 16, {"dose_step_second_hold_raises": "false"}, "quiet"),
        ("one hold explains one step", [*doses((1, "25")), *cbc(5, "400"), *cbc(8), *doses((9, "10"))], 16, {"dose_step_second_hold_raises": "false"}, "info"),
        ("two causes on one specimen are one", [*doses((1, "25")), *cbc(5, "400", "20000"), *cbc(8), *doses((9, "10"))], 16, {"dose_step_second_hold_raises": "false"}, "info"),
        ("a hold of the cycle before", [*doses((1, "25")), *cbc(5, "400"), *cbc(8), *doses((29, "25")), *cbc(35, "400"), *cbc(40), *doses((41, "10"))], 41, {"dose_step_second_hold_raises": "false"}, "info"),
        ("given on the ward", [supply("lenalidomide", 1, way="given", dose="25"), supply("lenalidomide", 2, way="given", dose="10")], 2, {}, "info"),
        ("course ended", [*doses((1, "25"), (12, "10")), statement("lenalidomide-stopped", 13, "other")], 14, {}, "quiet"),
        ("dose not said", [*doses((1, "25")), supply("lenalidomide", 12, days=21)], 12, {}, "cannot: doses of lenalidomide on the ladder"),
        ("every other day", [*doses((1, "25")), rhythm(12)], 12, {}, "cannot: doses of lenalidomide on the ladder"),
        ("day 1 is planned and has not come", [statement("planned-cycle-day-1", -5, when=on(4)), *doses((1, "25"), (2, "10"))], 2, {}, "quiet"),
    ],
)  # fmt: skip
def test_steps(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(STEPS, facts, day=day, using=policy(**changes)) == answer


def test_steps_belong_to_the_cycle() -> None:
    facts = doses((1, "25"), (8, "10"), (12, "10"))
    finding = finding_of(STEPS, facts, day=20)
    assert finding.title == "Lenalidomide lowered by 2 steps in cycle 1"
    assert (finding.since, finding.effective_at) == (on(1, 0), on(8, 10))
    broken = [*doses((1, "25"), (8, "10")), supply("lenalidomide", 10, days=5), *doses((12, "10"))]
    assert finding_of(STEPS, broken, day=20).effective_at == on(12, 10)


# --- len-frailty


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("68 years", [person(), lenalidomide(1)], "quiet"),
        ("75 years", [person("1950-06-02"), lenalidomide(1)], "quiet"),
        ("76 years on day 1", [person("1950-06-01"), lenalidomide(1)], "info"),
        ("frail", [person(), lenalidomide(1), statement("frailty", -3, "frail")], "info"),
        ("fit", [person(), lenalidomide(1), statement("frailty", -3, "fit")], "quiet"),
        ("coded", [person(), lenalidomide(1), diagnosis(["frailty"], -30)], "info"),
        ("frail, no birth date", [lenalidomide(1), statement("frailty", -3, "frail")], "info"),
        ("no birth date", [lenalidomide(1)], "cannot: birth date"),
        ("not begun", [person("1940-06-01")], "quiet"),
        ("ended", [person("1940-06-01"), lenalidomide(1), statement("lenalidomide-stopped", 2, "other")], "quiet"),
    ],
)
def test_frailty(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(FRAIL, facts, day=3) == answer


def test_frailty_is_known_before_a_day_1_that_lies_ahead() -> None:
    facts: list[AnyKept] = [person("1940-06-01"), statement("planned-cycle-day-1", -5, when=on(5)), lenalidomide(1)]
    assert finding_of(FRAIL, facts, day=3).effective_at == on(1, 10)
    assert finding_of(FRAIL, facts, day=6).effective_at == on(5, 0)


def test_frailty_names_the_levels() -> None:
    finding = finding_of(FRAIL, person("1950-06-01"), lenalidomide(1), day=3)
    assert finding.title.startswith("76 years")
    assert "15 mg with dexamethasone 20 mg a week, then to 10 mg with 10 mg" in finding.message
    assert finding_of(FRAIL, lenalidomide(1), diagnosis(["frailty"], 2), day=3).title.startswith("Frailty recorded")
    assert answer_of(FRAIL, person(), lenalidomide(1), day=3, using=policy(frail_over_years="65")) == "info"


# --- missed-dose


def ward(*days: float, schedule: str | None = None, hour: float = 8.0) -> list[Supply]:
    return [supply("lenalidomide", day, hour, way="given", dose="25", schedule=schedule) for day in days]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("given on time", ward(1, 2, 3), 3, 20, "quiet"),
        ("exactly 12 hours late", ward(1, 2), 3, 20, "quiet"),
        ("a minute later", ward(1, 2), 3, 20.02, "info"),
        ("24 hours after it was due", ward(1, 2), 4, 8, "quiet"),
        ("a minute before that", ward(1, 2), 4, 7.98, "info"),
        ("the next dose given", [*ward(1, 2), *ward(3, hour=21)], 3, 22, "quiet"),
        ("a first dose alone is no run", ward(1), 2, 21, "quiet"),
        ("day 1 of every cycle recorded, no more", ward(1, 29), 30, 21, "quiet"),
        ("capsules handed over before the last dose", [*ward(1), lenalidomide(1, hour=9), *ward(2)], 3, 21, "quiet"),
        ("capsules handed over since", [*ward(1, 2), lenalidomide(2, hour=12)], 3, 21, "quiet"),
        ("every other day, a day later", ward(1, 3, schedule="alternate-days"), 4, 21, "quiet"),
        ("every other day, missed", ward(1, 3, schedule="alternate-days"), 5, 20.02, "info"),
        ("the last day of taking", [lenalidomide(1), *ward(19, 20)], 21, 21, "info"),
        ("after it", [lenalidomide(1), *ward(20, 21)], 22, 21, "quiet"),
        ("held", [*ward(1, 2), *cbc(2, "400", hour=12)], 3, 21, "quiet"),
        ("discharged", [*ward(1, 2), stay(1, ended=on(2, 15))], 3, 21, "quiet"),
        ("discharged before the last dose", [*ward(1, 2), stay(-5, ended=on(1, 15))], 3, 21, "info"),
        ("still in", [*ward(1, 2), stay(1)], 3, 21, "info"),
        ("only ordered", [*ward(1, 2), lenalidomide(2, way="ordered", hour=12)], 3, 21, "info"),
        ("not given on the day before", ward(1, 3), 4, 21, "quiet"),
        ("course ended", [*ward(1, 2), statement("lenalidomide-stopped", 3, "other")], 3, 21, "quiet"),
    ],
)  # fmt: skip
def test_missed(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of(MISSED, facts, day=day, hour=hour) == answer


def test_missed_is_about_the_dose_that_was_due() -> None:
    given = ward(1, 2)
    finding = finding_of(MISSED, given, day=3, hour=21)
    assert (finding.subject, finding.since) == (given[-1].id, on(3, 8))
    assert finding.effective_at == on(3, 20) + timedelta(seconds=1)
    assert recheck_of(MISSED, given, day=3, hour=12) == on(3, 20) + timedelta(seconds=1)
    assert recheck_of(MISSED, given, day=3, hour=21) == on(4, 8)
    assert answer_of(MISSED, given, day=3, hour=16, using=policy(missed_dose_late_hours="6")) == "info"


def test_a_cycle_that_the_patient_began_at_home_ends_what_was_due_on_the_ward() -> None:
    facts = [lenalidomide(1), *ward(20, 21)]
    taken = statement("cycle-day-1-taken", 22, when=on(22, 6))
    assert answer_of(MISSED, facts, day=22, hour=21, using=policy(len_dosing_days="22")) == "info"
    assert answer_of(MISSED, facts, taken, day=22, hour=21, using=policy(len_dosing_days="22")) == "quiet"


# --- dose-reescalate-ok


def goes_up(*facts: object, day: float, **changes: str) -> str:
    """`off` is the severity in every profile: here only whether there is a finding."""
    answer = BY_ID[AGAIN].assess(view(*facts, day=day, using=policy(**changes)))  # type: ignore[arg-type]
    if isinstance(answer, Found):
        return "found"
    return ", ".join(getattr(answer, "missing", ())) or "quiet"


LOWERED = [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55)]
"""Cycle 3 begins on day 57 at 15 mg, started at 25 mg."""


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("two cycles without toxicity", LOWERED, 57, {}, "found"),
        ("cycle 2", LOWERED[:-6], 29, {}, "quiet"),
        ("ANC exactly 1,500", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55, "1500")], 57, {}, "found"),
        ("ANC 1,499", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55, "1499")], 57, {}, "quiet"),
        ("platelets exactly 100,000", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55, platelets="100000")], 57, {}, "found"),
        ("platelets 99,999", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55, platelets="99999")], 57, {}, "quiet"),
        ("counts on the oldest day of the window", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(54)], 57, {}, "found"),
        ("counts too old", [*start(), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(53)], 57, {}, "anc at the start of the cycle, platelets at the start of the cycle"),
        ("no count ever", doses((1, "25"), (29, "15"), (57, "15")), 57, {}, "anc at the start of the cycle, platelets at the start of the cycle"),
        ("an episode since", [*LOWERED, *cbc(10, "900"), *cbc(14)], 57, {}, "quiet"),
        ("a severe event since", [*LOWERED, diagnosis(["infection"], 10, grade=3)], 57, {}, "quiet"),
        ("an episode in the cycle before those", [*start(), *cbc(5, "900"), *cbc(9), lenalidomide(29, "15"), lenalidomide(57, "15"), lenalidomide(85, "15"), *cbc(83)], 85, {}, "found"),
        ("one cycle where that is enough", [*start(), lenalidomide(29, "15"), *cbc(27)], 29, {"reescalate_cycles": "1"}, "found"),
        ("held", [*LOWERED, *cbc(60, "400")], 60, {}, "quiet"),
        ("an old fever hold that nothing released", [*start(), *cbc(5, "900"), result("temperature", "39", 5), *(lenalidomide(1 + 28 * n, "15") for n in (1, 2, 3)), *cbc(83)], 85, {}, "quiet"),
        ("at the dose of the start", [*start(dose="15"), lenalidomide(29, "15"), lenalidomide(57, "15"), *cbc(55)], 57, {}, "quiet"),
        ("raised", [*LOWERED, lenalidomide(58, "25")], 58, {}, "quiet"),
        ("dose not known", [*start(), *cbc(55), lenalidomide(29, "15"), rhythm(57)], 57, {}, "a dose ladder for alternate days"),
        ("course ended", [*LOWERED, statement("lenalidomide-stopped", 58, "other")], 59, {}, "quiet"),
        ("day 1 is planned and has not come", [statement("planned-cycle-day-1", -5, when=on(4)), *start()], 2, {}, "quiet"),
    ],
)  # fmt: skip
def test_going_up_again(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert goes_up(facts, day=day, **changes) == answer


@pytest.mark.parametrize(
    ("dose", "ladder", "first", "higher"),
    [
        ("15", "consensus", "25", "25"),
        ("15", "capsule", "25", "20"),
        ("5", "consensus", "25", "10"),
        ("15", "consensus", "20", "20"),
    ],
)
def test_going_up_is_one_level_and_not_above_the_start(dose: str, ladder: str, first: str, higher: str) -> None:
    facts = [*start(dose=first), lenalidomide(29, dose), lenalidomide(57, dose), *cbc(55)]
    finding = finding_of(AGAIN, facts, day=57, using=policy(dose_ladder=ladder))
    assert finding.advice is not None
    assert finding.advice.dose_mg == higher
    assert (finding.since, finding.effective_at) == (on(57, 0), on(57, 10))


@pytest.mark.parametrize("profile", PROFILES)
def test_going_up_again_is_off_in_every_profile(profile: str) -> None:
    assert policy(profile).severity(AGAIN) is None
