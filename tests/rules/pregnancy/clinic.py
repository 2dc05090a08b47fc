"""A woman of whom everything the programme needs is known, a man, and what happens to them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from rules.picture import AnyKept, Result, Supply
from tests.rules.bedside import lenalidomide, on, person, result, statement, supply

FERTILE = "1990-03-01"
"""36 years on day 1 of cycle 1."""


def checked(
    day: float, answer: str = "negative", hour: float = 8.0, *, analyte: str = "hcg-qualitative", **more: object
) -> Result:
    """A pregnancy test read as an answer."""
    return replace(result(analyte, None, day, hour, **more), answer=answer, received=answer)  # type: ignore[arg-type]


def hcg(day: float, value: str, hour: float = 8.0, **more: object) -> Result:
    """A quantitative hCG in mIU/mL."""
    return replace(result("hcg", value, day, hour, **more), unit="mIU/mL", canonical="m[IU]/mL")  # type: ignore[arg-type]


def woman(sex: str = "female", birth: str = FERTILE) -> AnyKept:
    """36 years old unless said."""
    return person(birth, sex)


def man() -> AnyKept:
    """68 years old."""
    return person()


def ordered(day: float, **more: object) -> Supply:
    """Lenalidomide prescribed."""
    return lenalidomide(day, way="ordered", **more)  # type: ignore[arg-type]


def by_the_book(last_test: int = 29) -> list[AnyKept]:
    """A woman of childbearing potential who does all the programme asks up to a day."""
    weekly = [day for day in (8, 15, 22, 29) if day <= last_test]
    return [
        woman(),
        statement("childbearing-potential", -40, "yes"),
        statement("contraception", -40, "two-methods"),
        statement("menses", -40, "regular"),
        checked(-12),
        checked(1),
        ordered(1, hour=9.0),
        lenalidomide(1),
        *(checked(day) for day in weekly),
    ]


def stopped(day: float, why: str = "completed") -> AnyKept:
    """Treatment ended for good."""
    return statement("lenalidomide-stopped", day, why, when=on(day))


def said_at(code: str, day: float, value: str, until: float | None = None) -> AnyKept:
    """A statement, with its end by day where it has one."""
    ends: datetime | None = on(until) if until is not None else None
    return statement(code, day, value, until=ends)


def pill(day: float, medicine: str = "combined-contraceptive", **more: object) -> Supply:
    """A contraceptive handed over for 28 days."""
    return supply(medicine, day, days=28, **more)  # type: ignore[arg-type]
