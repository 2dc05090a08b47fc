"""The dose and the kidney: missing baseline, mismatch at the start, decline, improvement, escalation."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.catalogue import BY_ID
from rules.picture import AnyKept, Supply
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of
from tests.rules.bedside import (
    cbc,
    diagnosis,
    ledger,
    lenalidomide,
    on,
    person,
    policy,
    procedure,
    result,
    statement,
    supply,
)

MISSING, MISMATCH, DECLINE = "renal-baseline-missing", "renal-dose-mismatch", "renal-decline-review"
IMPROVE, RAISE, WATCH = "renal-improve-review", "renal-escalate-2c", "renal-ae-watch"
US, REDUCED = {"renal_dose_table": "us"}, {"renal_dose_table": "us", "renal_border_is_reduced": "true"}
WHO: list[AnyKept] = [person(), result("weight", "60", -2)]
"""A man of 68 years and 60 kg: his clearance is 60 divided by the creatinine."""


def creatinine(value: str, day: float = -2, **more: object) -> AnyKept:
    return result("creatinine", value, day, **more)  # type: ignore[arg-type]


def every_other_day(day: float, dose: str = "15") -> Supply:
    return supply("lenalidomide", day, days=21, strength=dose, quantity="11", dose=dose, schedule="alternate-days")


def kidney(value: str, *later: AnyKept, dose: Supply | None = None) -> list[AnyKept]:
    """Begun on day 1 with this creatinine before."""
    return [*WHO, creatinine(value), dose or lenalidomide(1), *later]


def cycles(dose: str, last: int) -> list[AnyKept]:
    return [lenalidomide(1 + 28 * number, dose) for number in range(1, last)]


# --- renal-baseline-missing

ORDER = lenalidomide(-5, way="ordered")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("all there", kidney("1.0"), 1, {}, "quiet"),
        ("nothing there", [lenalidomide(1)], 1, {}, "high"),
        ("no creatinine", [*WHO, lenalidomide(1)], 1, {}, "high"),
        ("no weight", [person(), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("nobody described", [result("weight", "60", -2), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("sex not known", [replace(person(), sex="unknown"), result("weight", "60", -2), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("no birth date", [replace(person(), birth=None, birth_latest=None), result("weight", "60", -2), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("age outside the equation", [person("1915-03-01"), result("weight", "60", -2), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("creatinine on the oldest day that counts", [*WHO, creatinine("1.0", -14), lenalidomide(1)], 1, {}, "quiet"),
        ("a day older", [*WHO, creatinine("1.0", -15), lenalidomide(1)], 1, {}, "high"),
        ("within a longer window", [*WHO, creatinine("1.0", -15), lenalidomide(1)], 1, {"baseline_window_days": "28"}, "quiet"),
        ("weight a day too old", [person(), result("weight", "60", -15), creatinine("1.0"), lenalidomide(1)], 1, {}, "high"),
        ("a bound is no value", [*WHO, creatinine("1.0", bound="<"), lenalidomide(1)], 1, {}, "high"),
        ("an unusable value is none", [*WHO, result("creatinine", None, -2, doubt=ResultDoubt.UNIT_UNKNOWN), lenalidomide(1)], 1, {}, "high"),
        ("a bound later does not undo the baseline", [*kidney("1.0"), creatinine("1.0", 9, bound="<")], 9, {}, "quiet"),
        ("measured since", [*WHO, lenalidomide(1), creatinine("1.0", 20)], 20, {}, "quiet"),
        ("measured since, weight still missing", [person(), lenalidomide(1), creatinine("1.0", 20)], 20, {}, "high"),
        ("height is not needed", kidney("1.0"), 1, {}, "quiet"),
        ("height where the equation needs it", kidney("1.0"), 1, {"renal_equation": "mdrd-deindexed"}, "high"),
        ("with height", kidney("1.0", result("height", "170", -2)), 1, {"renal_equation": "mdrd-deindexed"}, "quiet"),
        ("on dialysis", [person(), diagnosis(["dialysis"], -9), lenalidomide(1)], 1, {}, "quiet"),
        ("ordered only", [ORDER], -3, {}, "high"),
        ("ordered, all there", [*WHO, creatinine("1.0"), ORDER], 1, {}, "quiet"),
        ("ordered, then begun: the window moves", [*WHO, creatinine("1.0", -16), ORDER, lenalidomide(1)], 1, {}, "high"),
        ("course ended", [lenalidomide(1), statement("lenalidomide-stopped", 9, "other")], 9, {}, "quiet"),
        ("never on lenalidomide", WHO, 1, {}, "quiet"),
        ("begun by the patient's own word", [statement("cycle-day-1-taken", 1, when=on(1))], 2, {}, "high"),
    ],
)  # fmt: skip
def test_baseline(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(MISSING, facts, day=day, using=policy(**changes)) == answer


def test_an_order_ends_by_the_hour() -> None:
    assert answer_of(MISSING, [ORDER], day=24, hour=9.99) == "high"
    assert answer_of(MISSING, [ORDER], day=24, hour=10.0) == "quiet"
    assert recheck_of(MISSING, [ORDER], day=1) == on(24, 10)


def test_baseline_names_what_is_missing() -> None:
    finding = finding_of(MISSING, [person(), lenalidomide(1)], day=1)
    assert finding.title.endswith("creatinine, weight missing")
    assert (finding.since, finding.effective_at) == (on(1, 10), on(1, 10))
    assert "is ordered" in finding_of(MISSING, [ORDER], day=-3).message
    assert "is dispensed" in finding.message


def test_baseline_stays_the_matter_of_day_1() -> None:
    facts = [person(), *cycles("10", 11)]
    assert finding_of(MISSING, facts, lenalidomide(1), day=290).since == on(1, 10)
    assert "is taken" in finding_of(MISSING, statement("cycle-day-1-taken", 1, when=on(1)), day=2).message


def test_a_day_1_that_lies_ahead_makes_nothing_later() -> None:
    ahead = statement("planned-cycle-day-1", -5, when=on(4))
    assert finding_of(MISMATCH, kidney("1.5"), ahead, day=2).effective_at == on(1, 10)
    assert finding_of(MISMATCH, kidney("1.5"), ahead, day=4).effective_at == on(4, 0)


def test_baseline_counts_from_the_end_of_dialysis() -> None:
    facts: list[AnyKept] = [person(), diagnosis(["dialysis"], -9, abated=on(5)), lenalidomide(1)]
    assert finding_of(MISSING, facts, day=6).effective_at == on(5)
    session: list[AnyKept] = [person(), procedure("haemodialysis-session", -1), lenalidomide(1)]
    assert answer_of(MISSING, session, day=14) == "quiet"
    assert finding_of(MISSING, session, day=15).effective_at == on(15, 0)


# --- renal-dose-mismatch


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("25 mg at 60", kidney("1.0"), 1, {}, "quiet"),
        ("25 mg at exactly 50, EU", kidney("1.2"), 1, {}, "quiet"),
        ("25 mg at exactly 50, US", kidney("1.2"), 1, US, "high"),
        ("25 mg just below 50", kidney("1.201"), 1, {}, "high"),
        ("25 mg at exactly 60, US", kidney("1.0"), 1, US, "quiet"),
        ("25 mg at exactly 60, US, read the other way", kidney("1.0"), 1, REDUCED, "high"),
        ("15 mg at 40", kidney("1.5", dose=lenalidomide(1, "15")), 1, {}, "high"),
        ("10 mg at 40", kidney("1.5", dose=lenalidomide(1, "10")), 1, {}, "quiet"),
        ("10 mg at exactly 30", kidney("2.0", dose=lenalidomide(1, "10")), 1, {}, "quiet"),
        ("10 mg below 30", kidney("2.001", dose=lenalidomide(1, "10")), 1, {}, "high"),
        ("15 mg every other day below 30", kidney("2.4", dose=every_other_day(1)), 1, {}, "quiet"),
        ("20 mg every other day below 30", kidney("2.4", dose=every_other_day(1, "20")), 1, {}, "high"),
        ("7.5 mg a day is as much", kidney("2.4", dose=lenalidomide(1, "7.5")), 1, {}, "quiet"),
        ("5 mg on dialysis", kidney("1.0", diagnosis(["dialysis"], -9), dose=lenalidomide(1, "5")), 1, {}, "quiet"),
        ("10 mg on dialysis", kidney("1.0", diagnosis(["dialysis"], -9), dose=lenalidomide(1, "10")), 1, {}, "high"),
        ("dialysis since the start is a decline", kidney("1.0", diagnosis(["dialysis"], 2)), 3, {}, "quiet"),
        ("a newer clearance fits", kidney("1.5", creatinine("1.2", 8)), 8, {}, "quiet"),
        ("a newer clearance does not", kidney("1.5", creatinine("1.3", 8)), 8, {}, "high"),
        ("the next dispense fits", kidney("1.5", lenalidomide(3, "10")), 3, {}, "quiet"),
        ("it fitted at the start: a decline", kidney("1.0", creatinine("1.5", 8)), 8, {}, "quiet"),
        ("no clearance before, measured since", [*WHO, lenalidomide(1), creatinine("1.5", 8)], 8, {}, "high"),
        ("the last day of cycle 1", [*kidney("1.5"), *cycles("25", 2)], 28, {}, "high"),
        ("cycle 2", [*kidney("1.5"), *cycles("25", 2)], 29, {}, "quiet"),
        ("course ended", kidney("1.5", statement("lenalidomide-stopped", 9, "other")), 9, {}, "quiet"),
        ("ordered only", [*WHO, creatinine("1.5"), ORDER], 1, {}, "quiet"),
        ("no creatinine", [*WHO, lenalidomide(1)], 1, {}, "cannot: creatinine"),
        ("no dose", kidney("1.5", dose=supply("lenalidomide", 1, days=28)), 1, {}, "cannot: dose of lenalidomide"),
        ("a rhythm without an average", kidney("1.5", dose=supply("lenalidomide", 1, dose="25", schedule="other")), 1, {}, "cannot: dose of lenalidomide"),
    ],
)  # fmt: skip
def test_mismatch(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(MISMATCH, facts, day=day, using=policy(**changes)) == answer


def test_mismatch_proposes_the_dose_of_the_band() -> None:
    finding = finding_of(MISMATCH, kidney("2.4"), day=1)
    assert finding.advice is not None
    assert (finding.advice.dose_mg, finding.advice.schedule) == ("15", "alternate-days")
    assert "25 mg daily" in finding.title
    assert "25 mL/min" in finding.message
    assert "every other day" in finding_of(MISMATCH, kidney("2.4", dose=every_other_day(1, "25")), day=1).title
    assert [shown.what for shown in finding.evidence] == [
        "dose of cycle 1", "creatinine of the clearance", "weight of the clearance"]  # fmt: skip
    assert "dialysis" in finding_of(MISMATCH, kidney("1.0", diagnosis(["dialysis"], -9)), day=1).message


def test_a_clearance_just_below_a_border_is_not_shown_as_the_border() -> None:
    assert "49.9 mL/min" in finding_of(MISMATCH, kidney("1.2005"), day=1).title


# --- renal-decline-review


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("still in the band", kidney("1.0", creatinine("1.2", 8)), 8, {}, "quiet"),
        ("just below it", kidney("1.0", creatinine("1.201", 8)), 8, {}, "high"),
        ("back in it", kidney("1.0", creatinine("1.3", 8), creatinine("1.2", 9)), 9, {}, "quiet"),
        ("the dose follows", kidney("1.0", creatinine("1.5", 8), lenalidomide(9, "10")), 9, {}, "quiet"),
        ("the dose follows half way", kidney("1.0", creatinine("1.5", 8), lenalidomide(9, "15")), 9, {}, "high"),
        ("below 60 by the US label", kidney("1.0", creatinine("1.01", 8)), 8, US, "high"),
        ("dialysis begun", kidney("1.0", diagnosis(["dialysis"], 8)), 8, {}, "high"),
        ("at the start already: a mismatch", kidney("1.5", creatinine("1.5", 8)), 8, {}, "quiet"),
        ("a mismatch that was left, in cycle 2", [*kidney("1.5"), *cycles("25", 2)], 29, {}, "high"),
        ("15 mg after two cycles at 10 mg", [*kidney("1.5", dose=lenalidomide(1, "10")), *cycles("10", 2), lenalidomide(57, "15")], 57, {}, "quiet"),
        ("15 mg in cycle 2", [*kidney("1.5", dose=lenalidomide(1, "10")), lenalidomide(29, "15")], 29, {}, "high"),
        ("25 mg after two cycles at 10 mg", [*kidney("1.5", dose=lenalidomide(1, "10")), *cycles("10", 2), lenalidomide(57, "25")], 57, {}, "high"),
        ("15 mg where the clearance fell into the band", [*kidney("1.0", dose=lenalidomide(1, "15")), *cycles("15", 3), creatinine("1.5", 60)], 60, {}, "high"),
        ("15 mg where the start is not known", [*WHO, lenalidomide(1, "10"), *cycles("10", 2), lenalidomide(57, "15"), creatinine("1.5", 60)], 60, {}, "high"),
        ("10 mg a day after two cycles every other day, EU", [*kidney("2.4", dose=every_other_day(1)), every_other_day(29), lenalidomide(57, "10")], 57, {}, "quiet"),
        ("the same, US", [*kidney("2.4", dose=every_other_day(1)), every_other_day(29), lenalidomide(57, "10")], 57, US, "high"),
        ("course ended", kidney("1.0", creatinine("1.5", 8), statement("lenalidomide-stopped", 9, "other")), 9, {}, "quiet"),
        ("not begun", [*WHO, creatinine("1.5"), ORDER], 1, {}, "quiet"),
        ("no creatinine", [*WHO, lenalidomide(1)], 1, {}, "cannot: creatinine"),
    ],
)  # fmt: skip
def test_decline(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(DECLINE, facts, day=day, using=policy(**changes)) == answer


@pytest.mark.parametrize(("second", "reason"), [(15, "confirmed"), (16, None)])
def test_a_second_value_soon_confirms_a_decline(second: float, reason: str | None) -> None:
    finding = finding_of(DECLINE, kidney("1.0", creatinine("1.3", 8), creatinine("1.3", second)), day=second)
    assert finding.reason == reason
    assert (finding.since, finding.effective_at) == (on(8), on(second))
    assert ("A second value confirms it." in finding.message) is (reason is not None)


def test_a_decline_begins_with_the_first_value_out_of_the_band() -> None:
    run = [
        creatinine("1.3", 8),
        creatinine("1.1", 20),
        creatinine("1.3", 40),
        creatinine("1.4", 50),
        creatinine("1.3", 60),
    ]
    assert finding_of(DECLINE, kidney("1.0", *run), day=60).since == on(40)


def test_a_decline_is_no_older_than_the_dose() -> None:
    facts = [*kidney("1.5", dose=lenalidomide(1, "10")), lenalidomide(20, "25"), creatinine("1.5", 21)]
    assert finding_of(DECLINE, [*facts, lenalidomide(30, "25")], day=31).since == on(20, 10)


def test_daily_values_do_not_make_a_decline_younger_than_it_is() -> None:
    days = [creatinine("1.3", day) for day in range(8, 28)]
    finding = finding_of(DECLINE, kidney("1.0", *days), day=27)
    assert (finding.since, finding.reason) == (on(8), "confirmed")


# --- renal-improve-review


def better(first: float, second: float, dose: Supply | None = None) -> list[AnyKept]:
    return kidney("1.5", creatinine("1.1", first), creatinine("1.0", second), dose=dose or lenalidomide(1, "10"))


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("two values 14 days apart", better(8, 22), 22, {}, "info"),
        ("13 days apart", better(8, 21), 21, {}, "quiet"),
        ("13 days, where that is enough", better(8, 21), 21, {"renal_improve_days": "13"}, "info"),
        ("a value between them in the old band", [*better(8, 22), creatinine("1.3", 15)], 22, {}, "quiet"),
        ("a value between them in the new one", [*better(8, 22), creatinine("1.2", 15)], 22, {}, "info"),
        ("the newest is back", [*better(8, 22), creatinine("1.5", 23)], 23, {}, "quiet"),
        ("exactly 50 by the US label is no better", [*kidney("1.5", creatinine("1.2", 8), creatinine("1.2", 22), dose=lenalidomide(1, "10"))], 22, US, "quiet"),
        ("from severe to moderate", kidney("2.4", creatinine("1.9", 8), creatinine("1.9", 22), dose=every_other_day(1)), 22, {}, "info"),
        ("the dose was raised", [*better(8, 22), lenalidomide(23, "25")], 23, {}, "quiet"),
        ("raised half way", [*better(8, 22), lenalidomide(23, "15")], 23, {}, "info"),
        ("lowered since the start", [*better(8, 22), lenalidomide(5, "5")], 22, {}, "quiet"),
        ("lowered since the start for the kidney, as stated", [*better(8, 22), lenalidomide(5, "5"), statement("reduced-dose-reason", 5, "renal")], 22, {}, "info"),
        ("another reason stated", [*better(8, 22), statement("reduced-dose-reason", 1, "cytopenia")], 22, {}, "quiet"),
        ("begun above the band: not for the kidney", better(8, 22, lenalidomide(1, "15")), 22, {}, "quiet"),
        ("the same band as at the start", kidney("1.0", creatinine("0.9", 8), creatinine("0.9", 22), dose=lenalidomide(1, "10")), 22, {}, "quiet"),
        ("on dialysis", [*better(8, 22), diagnosis(["dialysis"], 20)], 22, {}, "quiet"),
        ("course ended", [*better(8, 22), statement("lenalidomide-stopped", 22, "other")], 22, {}, "quiet"),
        ("no baseline", [*WHO, lenalidomide(1, "10"), creatinine("1.1", 8), creatinine("1.0", 22)], 22, {}, "quiet"),
        ("no baseline, and the kidney is the reason", [*WHO, lenalidomide(1, "10"), statement("reduced-dose-reason", 1, "renal")], 22, {}, "cannot: creatinine clearance at the start"),
        ("no baseline, and another reason", [*WHO, lenalidomide(1, "10"), statement("reduced-dose-reason", 1, "age")], 22, {}, "quiet"),
        ("a dose without a number", better(8, 22, supply("lenalidomide", 1, days=21)), 22, {}, "quiet"),
        ("a rhythm without an average", better(8, 22, supply("lenalidomide", 1, dose="10", schedule="other")), 22, {}, "quiet"),
    ],
)  # fmt: skip
def test_improvement(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(IMPROVE, facts, day=day, using=policy(**changes)) == answer


def test_weekly_values_show_an_improvement_too() -> None:
    weekly = [creatinine("1.1", day) for day in (8, 15, 22, 29, 36)]
    finding = finding_of(IMPROVE, kidney("1.5", *weekly, dose=lenalidomide(1, "10")), day=36)
    assert (finding.since, finding.effective_at) == (on(22), on(36))
    assert [shown.fact.at for shown in finding.evidence[1:]] == [on(8), on(22)]
    assert "was 40 mL/min at the start and is 54.5 mL/min now" in finding.message


# --- renal-escalate-2c

TWO = [*kidney("1.5", dose=lenalidomide(1, "10")), *cycles("10", 3)]
"""The moderate band at 10 mg; cycle 3 begins on day 57."""
SD = statement("response", 50, "sd")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("two cycles completed, not responding", [*TWO, SD], 57, {}, "info"),
        ("the day before", [*TWO, SD], 56, {}, "quiet"),
        ("one cycle, where that is enough", [*TWO, SD], 29 + 22, {"renal_raise_after_cycles": "1"}, "info"),
        ("progression", [*TWO, statement("response", 50, "pd")], 57, {}, "info"),
        ("minimal response", [*TWO, statement("response", 50, "mr")], 57, {}, "info"),
        ("partial response, EU", [*TWO, statement("response", 50, "pr")], 57, {}, "quiet"),
        ("partial response, US", [*TWO, statement("response", 50, "pr")], 57, {"renal_raise_needs_nonresponse": "false"}, "info"),
        ("no response recorded, EU", TWO, 57, {}, "cannot: response of the myeloma in this course"),
        ("only one from before the course", [*TWO, statement("response", -5, "sd")], 57, {}, "cannot: response of the myeloma in this course"),
        ("no response recorded, US", TWO, 57, {"renal_raise_needs_nonresponse": "false"}, "info"),
        ("the dose is raised", [*TWO, SD, lenalidomide(58, "15")], 58, {}, "quiet"),
        ("begun in the middle of cycle 1", [*kidney("1.5", dose=lenalidomide(1, "5")), lenalidomide(10, "10"), *cycles("10", 3), SD], 57, {}, "quiet"),
        ("another dose before", [*kidney("1.5", dose=lenalidomide(1, "25")), *cycles("10", 4), SD], 57, {}, "quiet"),
        ("and two cycles after it", [*kidney("1.5", dose=lenalidomide(1, "25")), *cycles("10", 4), SD], 85, {}, "info"),
        ("a hold in between", [*TWO, SD, *cbc(40, "400"), *cbc(47)], 57, {}, "quiet"),
        ("a hold still open", [*TWO, SD, *cbc(40, "400")], 57, {}, "quiet"),
        ("a severe event", [*TWO, SD, diagnosis(["infection"], 40, grade=3)], 57, {}, "quiet"),
        ("a severe event at the first dose", [*kidney("1.5", dose=lenalidomide(1, "10", hour=9)), *cycles("10", 3), SD, diagnosis(["infection"], 1, grade=3)], 57, {}, "quiet"),
        ("a hold from before that dose, still open", [*kidney("1.5", *cbc(5, "400")), *cycles("10", 4), SD], 85, {}, "quiet"),
        ("a milder one", [*TWO, SD, diagnosis(["infection"], 40, grade=2)], 57, {}, "info"),
        ("full dose band", [*kidney("1.0", dose=lenalidomide(1, "10")), *cycles("10", 3), SD], 57, {}, "quiet"),
        ("severe band, EU", [*kidney("2.4", dose=every_other_day(1)), every_other_day(29), every_other_day(57), SD], 57, {}, "info"),
        ("severe band, US", [*kidney("2.4", dose=every_other_day(1)), every_other_day(29), every_other_day(57), SD], 57, US, "quiet"),
        ("the clearance left the band", [*TWO, SD, creatinine("1.0", 56)], 57, {}, "quiet"),
        ("course ended", [*TWO, SD, statement("lenalidomide-stopped", 57, "other")], 57, {}, "quiet"),
        ("no clearance", [lenalidomide(1, "10"), *cycles("10", 3)], 57, {}, "cannot: creatinine, weight, birth date, sex"),
        ("only given on the ward", [*kidney("1.5", dose=replace(lenalidomide(1, "10"), way="ordered")), supply("lenalidomide", 2, way="ordered", dose="10")], 57, {}, "quiet"),
    ],
)  # fmt: skip
def test_escalation(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(RAISE, facts, day=day, using=policy(**changes)) == answer


def test_nothing_is_known_of_the_dose_that_was_only_ordered_in_a_new_course() -> None:
    taken = statement("cycle-day-1-taken", 1, when=on(1))
    assert answer_of(RAISE, [*WHO, creatinine("1.5"), taken], day=57) == "quiet"


def test_escalation_stands_on_the_dose_it_counts_from() -> None:
    later = [*kidney("1.5", dose=lenalidomide(1, "25")), *cycles("10", 4), SD]
    assert (finding_of(RAISE, later, day=85).evidence[0].what, finding_of(RAISE, later, day=85).evidence[0].fact.at) == (
        "at this dose since", on(29, 10))  # fmt: skip


def test_escalation_names_the_dose_of_the_table() -> None:
    finding = finding_of(RAISE, [*TWO, SD], day=60)
    assert finding.advice is not None
    assert (finding.advice.dose_mg, finding.advice.schedule) == ("15", "daily")
    assert (finding.since, finding.effective_at) == (on(57, 10), on(57, 10))
    assert finding.evidence[-1].fact is SD
    without = finding_of(RAISE, [*TWO, SD], day=60, using=policy(renal_raise_needs_nonresponse="false"))
    assert [shown.what for shown in without.evidence] == [
        "starting dose", "creatinine of the clearance", "weight of the clearance"]  # fmt: skip


# --- renal-ae-watch


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("exactly 60", kidney("1.0"), 1, "quiet"),
        ("just below", kidney("1.001"), 1, "info"),
        ("improved since", kidney("1.5", creatinine("0.9", 9)), 9, "info"),
        ("on dialysis since before", [person(), diagnosis(["dialysis"], -9), lenalidomide(1)], 1, "info"),
        ("dialysis since the start", kidney("1.0", diagnosis(["dialysis"], 2)), 3, "quiet"),
        ("course ended", kidney("1.5", statement("lenalidomide-stopped", 9, "other")), 9, "quiet"),
        ("not begun", [*WHO, creatinine("1.5")], 1, "quiet"),
        ("not known", [*WHO, lenalidomide(1)], 1, "cannot: creatinine at the start"),
        ("no weight", [person(), creatinine("1.5"), lenalidomide(1)], 1, "cannot: weight"),
    ],
)
def test_impaired_at_the_start(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(WATCH, facts, day=day) == answer


@pytest.mark.parametrize(("value", "word", "percent"), [("2.0", "moderate", "40"), ("2.001", "severe", "38")])
def test_the_note_says_how_often(value: str, word: str, percent: str) -> None:
    finding = finding_of(WATCH, kidney(value), day=1)
    assert f"({word})" in finding.title
    assert f"{percent} %" in finding.title
    assert "against 22 %" in finding.message


def test_the_note_is_severe_on_dialysis() -> None:
    facts = kidney("1.0", diagnosis(["dialysis"], -9), dose=lenalidomide(1, "5"))
    assert "(severe)" in finding_of(WATCH, facts, day=1).title


def test_a_withdrawn_creatinine_counts_no_more() -> None:
    facts = kidney("1.0", creatinine("2.0", 8, status=FactStatus.WITHDRAWN))
    assert answer_of(DECLINE, facts, day=9) == "quiet"
    assert BY_ID[DECLINE].superseded_by == ()


def test_an_improvement_outlasts_what_is_kept_of_it() -> None:
    weekly = [creatinine("1.1", 8 + 7 * week) for week in range(15)]
    assert answer_of(IMPROVE, kidney("1.5", *weekly, dose=lenalidomide(1, "10")), day=110) == "info"


def test_a_value_that_says_the_same_is_no_news() -> None:
    """What an alert for information stands on stays as it began, or each creatinine would be an update of it."""
    same = [creatinine("1.5", day) for day in (58, 65, 72)]
    before, after = (finding_of(RAISE, TWO, SD, more, day=75) for more in ([], same))
    assert [shown.fact for shown in before.evidence] == [shown.fact for shown in after.evidence]
    left = [creatinine("1.0", 20), creatinine("1.5", 30)]
    assert finding_of(RAISE, TWO, SD, left, same, day=75).evidence[1].fact.at == on(30)
    better_still = [creatinine("1.0", day) for day in (29, 36)]
    begun = better(8, 22)
    one, other = (finding_of(IMPROVE, begun, more, day=40) for more in ([], better_still))
    assert [shown.fact for shown in one.evidence] == [shown.fact for shown in other.evidence]


def test_what_is_followed_over_years_stays_small_and_keeps_its_beginning() -> None:
    weekly = [creatinine("1.0", 8 + 7 * week) for week in range(120)]
    peak = creatinine("2.0", 400)
    kept = ledger(kidney("1.0"), weekly, peak).series["creatinine"]
    assert len(kept) == 10
    assert (kept[0].at, kept[-1].at) == (on(-2), on(8 + 7 * 119))
    assert peak in kept
    assert list(kept) == sorted(kept, key=lambda value: value.at)


def test_of_two_values_of_one_week_the_higher_is_kept() -> None:
    days = [
        creatinine("1.0", 1),
        creatinine("1.4", 7),
        creatinine("1.0", 8),
        creatinine("1.0", 15),
        creatinine("1.1", 20),
    ]
    assert [value.at for value in ledger(WHO, days).series["creatinine"]] == [on(7), on(15), on(20)]
    apart = [creatinine("1.0", 1), creatinine("1.4", 8), creatinine("1.0", 16), creatinine("1.1", 20)]
    assert len(ledger(WHO, apart).series["creatinine"]) == 4
