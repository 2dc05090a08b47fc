"""Tests and reviews at an interval: liver, thyroid, digoxin, second cancers."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of
from tests.rules.bedside import PROFILES, ZONE, lenalidomide, on, policy, result, statement, supply

LFT, TSH, SPM, DIGOXIN = "lft-overdue", "tsh-overdue", "spm-followup-due", "digoxin-level"
START = lenalidomide(1)
STOP = statement("lenalidomide-stopped", 20, "other")


def liver(day: float, hour: float = 9.0, **more: object) -> list[AnyKept]:
    return [result("alt", "20", day, hour, **more), result("bilirubin", "0.6", day, hour, **more)]  # type: ignore[arg-type]


def tsh(day: float, hour: float = 9.0, **more: object) -> AnyKept:
    return result("tsh", "2", day, hour, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("none before", [], 1, 12, "medium"),
        ("the day before", [*liver(-1)], 1, 12, "quiet"),
        ("14 calendar days before", [*liver(-14, 1)], 1, 12, "quiet"),
        ("15 calendar days before", [*liver(-15, 23)], 1, 12, "medium"),
        ("ALT alone", [liver(-1)[0]], 1, 12, "medium"),
        ("bilirubin alone", [liver(-1)[1]], 1, 12, "medium"),
        ("ALT too old", [result("alt", "20", -15), result("bilirubin", "1", -1)], 1, 12, "medium"),
        ("bilirubin too old", [result("alt", "20", -1), result("bilirubin", "1", -15)], 1, 12, "medium"),
        ("preliminary", [*liver(-1, status=FactStatus.PRELIMINARY)], 1, 12, "medium"),
        ("cannot be read", [result("alt", None, -1, doubt=ResultDoubt.UNIT_UNKNOWN), liver(-1)[1]], 1, 12, "medium"),
        ("made up for", [*liver(3)], 3, 12, "quiet"),
        ("35 days after the last, end of day", [*liver(1, 8)], 36, 23.99, "quiet"),
        ("36 days after, begin of day", [*liver(1, 8)], 37, 0, "medium"),
        ("the older of the two counts", [*liver(1, 8), result("alt", "20", 30)], 37, 0, "medium"),
        ("both again", [*liver(1, 8), *liver(30)], 37, 0, "quiet"),
        ("course ended", [STOP], 21, 12, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_liver(profile: str, shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of(LFT, START, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_liver_before_treatment_is_silent() -> None:
    assert answer_of(LFT, lenalidomide(1, way="ordered"), day=9) == "quiet"


CYCLES = [lenalidomide(29), lenalidomide(57), lenalidomide(85)]
FORTNIGHT = policy(lft_interval_early_days="14")


@pytest.mark.parametrize(
    ("shows", "last", "day", "answer"),
    [
        ("cycle 1, day 14", 1, 15, "quiet"),
        ("cycle 1, day 15", 1, 16, "medium"),
        ("runs out on the last day of cycle 3", 69, 84, "medium"),
        ("runs out on the first day of cycle 4", 70, 85, "quiet"),
        ("35 days from then", 70, 105, "quiet"),
        ("36 days from then", 70, 106, "medium"),
        ("overdue in cycle 3 stays so in cycle 4", 69, 90, "medium"),
    ],
)
def test_liver_tests_may_be_closer_in_early_cycles(shows: str, last: float, day: float, answer: str) -> None:
    """Ambiguity 19: 35 days throughout is the default, 14 in cycles 1 to 3 the option."""
    facts = [START, *CYCLES, *liver(last, 8)] if last > 1 else [START, *liver(1, 8)]
    assert answer_of(LFT, facts, day=day, hour=10.5, using=FORTNIGHT) == answer


def test_default_of_liver_is_the_same_in_every_cycle() -> None:
    assert answer_of(LFT, START, *liver(1, 8), day=36) == "quiet"
    two = policy(lft_interval_early_days="14", lft_early_cycles="1")
    assert answer_of(LFT, START, lenalidomide(29), *liver(20), day=36, using=two) == "quiet"


def test_liver_details() -> None:
    missing = finding_of(LFT, START, day=5)
    assert (missing.reason, missing.since, missing.effective_at) == ("baseline", on(1, 10), on(1, 10))
    assert [shown.what for shown in missing.evidence] == ["first"]
    old = finding_of(LFT, START, *liver(-20), day=5)
    assert [shown.what for shown in old.evidence] == ["first", "last liver test (ALT and bilirubin)"]
    assert [number.key for number in old.thresholds] == ["baseline_window_days"]
    said = finding_of(LFT, statement("cycle-day-1-taken", 1, when=on(1)), day=5)
    assert said.evidence == ()
    late = finding_of(LFT, START, *liver(1, 8), day=50)
    assert (late.reason, late.since, late.effective_at) == ("overdue", on(1, 8), on(37, 0))
    assert late.title == "Liver test (ALT and bilirubin) overdue: none for 35 days"
    assert [number.key for number in late.thresholds] == ["lft_interval_early_days"]
    assert recheck_of(LFT, START, *liver(1, 8), day=5) == on(37, 0)
    ahead = statement("cycle-day-1-taken", 5, when=on(29))
    assert recheck_of(LFT, START, *liver(1, 8), ahead, day=6) == on(29, 0)
    assert recheck_of(LFT, START, day=6) is None
    ordered_first = [lenalidomide(1, way="ordered", hour=10), START]
    assert finding_of(LFT, ordered_first, day=5).evidence[0].fact is START
    week = policy(lft_interval_days="7", lft_interval_early_days="7")
    assert finding_of(LFT, START, *liver(-10), day=5, using=week).effective_at == on(1, 10)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("none before", [], 1, 12, "medium"),
        ("14 calendar days before", [tsh(-14, 1)], 1, 12, "quiet"),
        ("15 calendar days before", [tsh(-15, 23)], 1, 12, "medium"),
        ("made up for", [tsh(3)], 3, 12, "quiet"),
        ("91 days after, end of day", [tsh(1, 8)], 92, 23.99, "quiet"),
        ("92 days after, begin of day", [tsh(1, 8)], 93, 0, "medium"),
        ("again", [tsh(1, 8), tsh(80)], 93, 0, "quiet"),
        ("preliminary", [tsh(-1, status=FactStatus.PRELIMINARY)], 1, 12, "medium"),
        ("course ended", [STOP], 21, 12, "quiet"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_thyroid(profile: str, shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    """The baseline arm is the alert the labels ask for under another name; there is one."""
    assert answer_of(TSH, START, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_thyroid_details() -> None:
    assert answer_of(TSH, tsh(1), day=9) == "quiet"
    assert finding_of(TSH, START, day=5).title == "No TSH before lenalidomide"
    late = finding_of(TSH, START, tsh(1, 8), day=100)
    assert (late.title, late.effective_at) == ("TSH overdue: none for 91 days", on(93, 0))
    assert recheck_of(TSH, START, tsh(1, 8), day=5) == on(93, 0)
    assert answer_of(TSH, START, tsh(1, 8), day=31, using=policy(tsh_interval_days="28")) == "medium"


def calendar(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=ZoneInfo(ZONE))


LONG = [lenalidomide(1 + 28 * number) for number in range(16)]
"""A year and more of treatment from 1 June 2026."""


@pytest.mark.parametrize(
    ("shows", "facts", "at", "answer"),
    [
        ("the same day a year later", [], (2027, 6, 1), "quiet"),
        ("the day after", [], (2027, 6, 2), "info"),
        ("reviewed", [statement("spm-review", 300)], (2027, 6, 2), "quiet"),
        ("a year after the review", [statement("spm-review", 32)], (2027, 7, 2), "quiet"),
        ("more than a year after it", [statement("spm-review", 32)], (2027, 7, 3), "info"),
        ("a review before treatment", [statement("spm-review", -31)], (2027, 5, 2), "info"),
        ("a review that no longer counts", [statement("spm-review", 300, until=on(310))], (2027, 6, 2), "info"),
        ("course ended", [statement("lenalidomide-stopped", 200, "other")], (2027, 6, 2), "quiet"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_reviews(profile: str, shows: str, facts: list[AnyKept], at: tuple[int, int, int], answer: str) -> None:
    day = (calendar(*at) - calendar(2026, 6, 1)).days + 1
    assert answer_of(SPM, LONG, facts, day=day, hour=0, using=policy(profile)) == answer


def test_review_details() -> None:
    assert answer_of(SPM, statement("spm-review", -500), day=9) == "quiet"
    assert recheck_of(SPM, LONG, day=100) == calendar(2027, 6, 2)
    ends = statement("spm-review", 300, until=on(310))
    assert recheck_of(SPM, LONG, ends, day=305) == on(310)
    far = statement("spm-review", 300, until=on(900))
    assert recheck_of(SPM, LONG, far, day=305) == calendar(2028, 3, 28)
    found = finding_of(SPM, LONG, statement("spm-review", 32, until=on(500)), day=400)
    assert (found.since, found.effective_at) == (on(32, 8), calendar(2027, 7, 3))
    assert [shown.what for shown in found.evidence] == ["last review"]
    assert recheck_of(SPM, LONG, statement("spm-review", 32, until=on(500)), day=400) == on(500)
    early = finding_of(SPM, LONG, statement("spm-review", -400), day=2)
    assert early.effective_at == on(1, 10)
    none = finding_of(SPM, START, day=400)
    assert [shown.what for shown in none.evidence] == ["first"]
    assert finding_of(SPM, LONG, day=400).evidence == ()
    assert answer_of(SPM, LONG, day=190, using=policy(spm_review_months="6")) == "info"


def test_a_month_that_has_no_such_day() -> None:
    """Twelve months after 29 February is 28 February."""
    leap = [lenalidomide(639)]
    assert on(639).astimezone(ZoneInfo(ZONE)).date().isoformat() == "2028-02-29"
    assert recheck_of(SPM, leap, day=650) == calendar(2029, 3, 1)


HEART = supply("digoxin", -60, way="home", until=on(200))


def level(day: float, hour: float = 9.0) -> AnyKept:
    return result("digoxin-level", "0.8", day, hour)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("no level", [HEART], 1, 12, "info"),
        ("30 days after the last, end of day", [HEART, level(5)], 35, 23.99, "quiet"),
        ("31 days after, begin of day", [HEART, level(5)], 36, 0, "info"),
        ("a level from before", [HEART, level(-5)], 25, 12, "quiet"),
        ("too long before", [HEART, level(-40)], 1, 12, "info"),
        ("without digoxin", [], 5, 12, "quiet"),
        ("digoxin ordered", [supply("digoxin", 2, way="ordered")], 5, 12, "info"),
        ("digoxin ended", [supply("digoxin", 1, days=10)], 18, 12, "quiet"),
        ("digoxin in its grace", [supply("digoxin", 1, days=10)], 17, 12, "info"),
        ("course ended", [HEART, STOP], 21, 12, "quiet"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_digoxin(profile: str, shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of(DIGOXIN, START, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_digoxin_details() -> None:
    assert answer_of(DIGOXIN, HEART, day=5) == "quiet"
    found = finding_of(DIGOXIN, START, HEART, day=5)
    assert found.since == found.effective_at == on(1, 10)
    assert [shown.what for shown in found.evidence] == ["digoxin"]
    late = finding_of(DIGOXIN, START, HEART, level(5), day=50)
    assert late.since == late.effective_at == on(36, 0)
    assert [shown.what for shown in late.evidence] == ["digoxin", "last digoxin level"]
    begun = finding_of(DIGOXIN, START, supply("digoxin", 8, days=60), day=9)
    assert begun.effective_at == on(8, 10)
    assert recheck_of(DIGOXIN, START, HEART, level(5), day=9) == on(36, 0)
    assert recheck_of(DIGOXIN, START, supply("digoxin", 1, days=10), level(5), day=9) == on(18, 0)
    assert recheck_of(DIGOXIN, START, supply("digoxin", 1, days=10), day=9) == on(18, 0)
    assert answer_of(DIGOXIN, START, HEART, level(1, 8), day=9, using=policy(digoxin_interval_days="7")) == "info"
