"""Two ways to state kidney function that give different doses."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from tests.rules.asking import answer_of, finding_of
from tests.rules.bedside import diagnosis, lenalidomide, on, person, policy, result, statement

RULE = "renal-method-discordant"
MAN: list[AnyKept] = [person(), result("weight", "60", -2), result("creatinine", "1.5", -2), lenalidomide(1, "10")]
"""68 years, clearance exactly 40."""
WOMAN: list[AnyKept] = [
    person("1946-03-01", "female"),
    result("weight", "45", -2),
    result("creatinine", "0.9", -2),
    lenalidomide(1, "10"),
]
"""80 years; Cockcroft-Gault 35.4, MDRD 60.2 as printed and 47.6 de-indexed at 150 cm."""


def egfr(value: str, day: float = -2, bound: str | None = None) -> AnyKept:
    return result("egfr", value, day, bound=bound)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "changes", "answer"),
    [
        ("printed eGFR in another band", [*MAN, egfr("50")], 1, {}, "info"),
        ("printed eGFR in the same band", [*MAN, egfr("49.9")], 1, {}, "quiet"),
        ("printed below 30", [*MAN, egfr("29.9")], 1, {}, "info"),
        ("printed at 30", [*MAN, egfr("30")], 1, {}, "quiet"),
        ("the US table", [*MAN, egfr("59.9")], 1, {"renal_dose_table": "us"}, "quiet"),
        ("the US table, 60", [*MAN, egfr("60")], 1, {"renal_dose_table": "us"}, "info"),
        ("a bound that proves the full dose", [*MAN, egfr("60", bound=">")], 1, {}, "info"),
        ("a bound at the border", [*MAN, egfr("50", bound=">=")], 1, {}, "info"),
        ("a bound that proves nothing", [*MAN, egfr("49", bound=">")], 1, {}, "quiet"),
        ("a bound that proves severe impairment", [*MAN, egfr("30", bound="<")], 1, {}, "info"),
        ("an upper bound that proves nothing", [*MAN, egfr("31", bound="<=")], 1, {}, "quiet"),
        ("printed on another day", [*MAN, egfr("60", -3)], 1, {}, "cannot: height, or an eGFR of the day of the creatinine"),
        ("printed without a value", [*MAN, result("egfr", None, -2)], 1, {}, "cannot: height, or an eGFR of the day of the creatinine"),
        ("neither height nor eGFR", MAN, 1, {}, "cannot: height, or an eGFR of the day of the creatinine"),
        ("the worked woman with her height", [*WOMAN, result("height", "150", -2)], 1, {}, "quiet"),
        ("a tall woman of the same weight", [*WOMAN, result("height", "170", -2)], 1, {}, "info"),
        ("the worked woman, eGFR as printed", [*WOMAN, egfr("60.2")], 1, {}, "info"),
        ("on dialysis", [*MAN, egfr("60"), diagnosis(["dialysis"], -9)], 1, {}, "quiet"),
        ("course ended", [*MAN, egfr("60"), statement("lenalidomide-stopped", 2, "other")], 3, {}, "quiet"),
        ("not begun", [*MAN[:3], egfr("60")], 1, {}, "quiet"),
        ("no creatinine", [person(), result("weight", "60", -2), lenalidomide(1), egfr("60")], 1, {}, "cannot: creatinine"),
    ],
)  # fmt: skip
def test_discordant(shows: str, facts: list[AnyKept], day: float, changes: dict[str, str], answer: str) -> None:
    assert answer_of(RULE, facts, day=day, using=policy(**changes)) == answer


def test_both_are_shown_and_the_one_used_is_named() -> None:
    facts: list[AnyKept] = [*WOMAN, result("height", "170", -2), egfr("60.2")]
    finding = finding_of(RULE, facts, day=1)
    assert "Cockcroft-Gault 35.4 gives 10 mg daily" in finding.message
    assert "as printed, per 1.73 m2 60.2 gives 25 mg daily" in finding.message
    assert "Used here: Cockcroft-Gault" in finding.message
    other = finding_of(RULE, facts, day=1, using=policy(renal_equation="mdrd-deindexed"))
    assert "Used here: MDRD" in other.message
    none = finding_of(RULE, [*MAN, egfr("60")], day=1, using=policy(renal_equation="mdrd-deindexed"))
    assert "Used here: none" in none.message
    bounded: list[AnyKept] = [*WOMAN, result("height", "170", -2), egfr("49", bound=">")]
    open_bound = finding_of(RULE, bounded, day=1)
    assert "gives no band" in open_bound.message


def test_it_begins_with_the_first_value_in_a_row() -> None:
    tall: list[AnyKept] = [*WOMAN, result("height", "170", -2)]
    run: list[AnyKept] = [
        result("creatinine", "0.5", 10),
        result("creatinine", "0.9", 20),
        result("creatinine", "0.91", 30),
    ]
    assert finding_of(RULE, [*tall, *run], day=31).since == on(20)
    assert finding_of(RULE, [*tall, *run[1:]], day=31).since == on(1, 10)
    assert finding_of(RULE, [*MAN, egfr("60", 9), result("creatinine", "1.5", 9)], day=9).since == on(9)


def test_a_figure_printed_every_week_is_no_news() -> None:
    weekly: list[AnyKept] = []
    for day in (16, 23, 30):
        weekly += [result("creatinine", "1.5", day), egfr("60", day)]
    begun = [*MAN, egfr("60")]
    before, after = (finding_of(RULE, begun, more, day=31) for more in ([], weekly))
    assert [shown.fact for shown in before.evidence] == [shown.fact for shown in after.evidence]
    assert after.since == on(1, 10)
    fell = [*MAN, egfr("40"), *weekly]
    assert finding_of(RULE, fell, day=31).since == on(16)
    one: list[AnyKept] = [result("creatinine", "1.0", 8), egfr("60", 8)]
    assert finding_of(RULE, begun, one, weekly, day=31).since == on(16)
