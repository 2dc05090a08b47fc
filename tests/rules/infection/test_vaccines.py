"""Influenza in its season, other vaccines, live vaccines."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.infection.vaccines import LIVE
from rules.picture import AnyKept, Vaccine
from schemas.codes import tables
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, ZONE, lenalidomide, on, policy, statement, supply
from tests.rules.thrombosis.clinic import ask, found, said

FLU, VACCINES = "inf-vaccine-flu", "vaccines"
WANTED = ("pneumococcal", "zoster-recombinant", "covid-19")


def vaccine(name: str, day: float, status: FactStatus = FactStatus.FINAL, fact_id: str | None = None) -> Vaccine:
    """A vaccine given at 09:00 of a day."""
    base = statement("menses", day, "regular")
    at = on(day)
    return Vaccine(
        fact_id or f"{name}:{day}", at, None, at, at, status, at, 0, None, "ward", "m", base.position, (name,)
    )


def day_of(year: int, month: int, day: int) -> float:
    """A calendar day as a day of treatment, day 1 being 1 June 2026."""
    days = (date(year, month, day) - date(2026, 6, 1)).days
    return days + 1 if days >= 0 else days


SEPTEMBER_30, OCTOBER_1 = day_of(2026, 9, 30), day_of(2026, 10, 1)
MARCH_31, APRIL_1 = day_of(2027, 3, 31), day_of(2027, 4, 1)
FIRST = lenalidomide(1)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("the last minute before the season", [FIRST], SEPTEMBER_30, 23.99, "quiet"),
        ("its first", [FIRST], OCTOBER_1, 0, "info"),
        ("its last day", [FIRST], MARCH_31, 23.99, "info"),
        ("the day after", [FIRST], APRIL_1, 0, "quiet"),
        ("in January", [FIRST], day_of(2027, 1, 1), 12, "info"),
        ("vaccinated in the season", [FIRST, vaccine("influenza", day_of(2026, 11, 3))], day_of(2026, 11, 3), 12, "quiet"),
        ("vaccinated on 1 August for it", [FIRST, vaccine("influenza", day_of(2026, 8, 1))], OCTOBER_1, 12, "quiet"),
        ("vaccinated on 31 July, for the season before", [FIRST, vaccine("influenza", day_of(2026, 7, 31))], OCTOBER_1, 12, "info"),
        ("of last season", [FIRST, vaccine("influenza", day_of(2026, 2, 1))], OCTOBER_1, 12, "info"),
        ("next season again", [FIRST, vaccine("influenza", day_of(2026, 11, 3))], day_of(2027, 10, 1), 12, "info"),
        ("the live one counts", [FIRST, vaccine("influenza-live", day_of(2026, 10, 3))], day_of(2026, 10, 3), 12, "quiet"),
        ("another vaccine", [FIRST, vaccine("covid-19", day_of(2026, 10, 3))], day_of(2026, 10, 3), 12, "info"),
        ("planned only", [FIRST, vaccine("influenza", day_of(2026, 10, 3), FactStatus.PLANNED)], day_of(2026, 10, 3), 12, "info"),
        ("not on treatment", [], OCTOBER_1, 12, "quiet"),
        ("treatment ended", [FIRST, statement("lenalidomide-stopped", 30, "other")], OCTOBER_1, 12, "quiet"),
        ("the first dose said for later", [statement("cycle-day-1-taken", OCTOBER_1, when=on(OCTOBER_1 + 9))], OCTOBER_1, 12, "quiet"),
    ],
)  # fmt: skip
def test_influenza(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str, profile: str) -> None:
    assert said(FLU, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_influenza_since_and_recheck() -> None:
    finding = found(FLU, [FIRST], day=OCTOBER_1 + 9)
    assert finding.since == finding.effective_at == on(OCTOBER_1, 0)
    assert ask(FLU, [FIRST], day=5).recheck_at == on(OCTOBER_1, 0)
    assert ask(FLU, [FIRST], day=OCTOBER_1).recheck_at == on(APRIL_1, 0)
    late = lenalidomide(OCTOBER_1 + 20)
    assert found(FLU, [late], day=OCTOBER_1 + 30).since == late.at
    ahead = statement("lenalidomide-stopped", 5, "other", when=on(OCTOBER_1 + 4))
    assert ask(FLU, [FIRST, ahead], day=OCTOBER_1).recheck_at == on(OCTOBER_1 + 4)
    said_later = statement("cycle-day-1-taken", 5, when=on(9))
    assert ask(FLU, [said_later], day=5).recheck_at == on(9)


def test_the_south_has_another_season() -> None:
    south = policy(inf_flu_season_from_month="4", inf_flu_season_to_month="9")
    answers = {month: said(FLU, [FIRST], day=day_of(2027, month, 15), using=south) for month in (3, 4, 9, 10)}
    assert answers == {3: "quiet", 4: "info", 9: "info", 10: "quiet"}
    december = policy(inf_flu_season_from_month="10", inf_flu_season_to_month="12")
    last = [
        said(FLU, [FIRST], day=day_of(2026, 12, 31), using=december),
        said(FLU, [FIRST], day=day_of(2027, 1, 1), using=december),
    ]
    assert last == ["info", "quiet"]
    all_year = policy(inf_flu_season_from_month="1", inf_flu_season_to_month="12")
    assert found(FLU, [FIRST], day=day_of(2027, 6, 1), using=all_year).since == on(day_of(2027, 1, 1), 0)
    earlier = policy(inf_flu_counts_before_days="0")
    assert said(FLU, [FIRST, vaccine("influenza", SEPTEMBER_30)], day=OCTOBER_1, using=earlier) == "info"


def test_which_vaccines_are_live_is_the_table_of_codes() -> None:
    assert tables().live_vaccines == LIVE


GIVEN = [vaccine(name, -300) for name in WANTED]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("none on record", [FIRST], 1, 12, "info"),
        ("all on record", [FIRST, *GIVEN], 1, 12, "quiet"),
        ("one missing", [FIRST, *GIVEN[:2]], 1, 12, "info"),
        ("given since", [FIRST, *GIVEN[:2], vaccine("covid-19", 8)], 8, 12, "quiet"),
        ("planned only", [FIRST, *GIVEN[:2], vaccine("covid-19", 8, FactStatus.PLANNED)], 8, 12, "info"),
        ("influenza is left to its own rule", [FIRST, *GIVEN, vaccine("influenza", 8)], 8, 12, "quiet"),
        ("not on treatment", [supply("lenalidomide", 1, way="ordered")], 1, 12, "quiet"),
        ("treatment ended", [FIRST, statement("lenalidomide-stopped", 5, "other")], 5, 12, "quiet"),
        ("the first dose said for later", [statement("cycle-day-1-taken", 1, when=on(9))], 5, 12, "quiet"),
        # live
        ("a live one given", [FIRST, *GIVEN, vaccine("zoster-live", 8)], 8, 12, "live high"),
        ("planned", [FIRST, *GIVEN, vaccine("yellow-fever", 8, FactStatus.PLANNED)], 8, 12, "live high"),
        ("ordered like a medicine", [FIRST, *GIVEN, supply("live-vaccine", 8, way="ordered")], 8, 12, "live high"),
        ("cancelled", [FIRST, *GIVEN, supply("live-vaccine", 8, way="ordered", status=FactStatus.WITHDRAWN)], 8, 12, "quiet"),
        ("the last minute of 28 days", [FIRST, *GIVEN, vaccine("zoster-live", 8)], 36, 8.99, "live high"),
        ("after 28 days", [FIRST, *GIVEN, vaccine("zoster-live", 8)], 36, 9, "quiet"),
        ("shortly before treatment", [FIRST, *GIVEN, vaccine("varicella", -10)], 1, 12, "live high"),
        ("two, and others missing", [FIRST, vaccine("varicella", 7), vaccine("bcg", 8)], 8, 12, "live high; live high; info"),
    ],
)  # fmt: skip
def test_vaccines(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str, profile: str) -> None:
    assert said(VACCINES, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_vaccines_are_named() -> None:
    finding = found(VACCINES, [FIRST, *GIVEN[:1]], day=5)
    assert finding.title == "Vaccines not on record: zoster-recombinant, covid-19"
    assert (finding.subject, finding.since, finding.effective_at) == ("missing", FIRST.at, FIRST.at)
    assert [shown.what for shown in finding.evidence] == ["lenalidomide", "newest vaccine on record"]
    live, before = vaccine("zoster-live", 8), vaccine("bcg", -10)
    alert = found(VACCINES, [FIRST, *GIVEN, live], day=8)
    assert (alert.subject, alert.since, alert.title) == (
        f"live:{live.id}", live.at, "Live vaccine on lenalidomide and dexamethasone: zoster-live")  # fmt: skip
    assert found(VACCINES, [FIRST, *GIVEN, before], day=1).since == FIRST.at
    order = supply("live-vaccine", 8, way="ordered")
    assert found(VACCINES, [FIRST, *GIVEN, order], day=8).title.endswith(": live-vaccine")


def test_vaccines_recheck() -> None:
    assert ask(VACCINES, [FIRST, *GIVEN, vaccine("bcg", 8)], day=8).recheck_at == on(8) + timedelta(days=28)
    assert ask(VACCINES, [FIRST], day=8).recheck_at is None
    ahead = statement("lenalidomide-stopped", 5, "other", when=on(20))
    assert ask(VACCINES, [FIRST, ahead], day=8).recheck_at == on(20)
    assert ask(VACCINES, [statement("cycle-day-1-taken", 1, when=on(9))], day=5).recheck_at == on(9)
    longer = policy(inf_live_vaccine_shown_days="60")
    assert said(VACCINES, [FIRST, *GIVEN, vaccine("bcg", 8)], day=50, using=longer) == "live high"


def test_days_are_those_of_the_patient() -> None:
    assert on(OCTOBER_1, 0) == datetime(2026, 10, 1, tzinfo=ZoneInfo(ZONE))
