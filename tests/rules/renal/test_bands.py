"""The dose bands of part 3.5 in every profile, against a second, small implementation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.picture import AnyKept
from rules.policy.reading import Policy, PolicyUnusable, read_policy
from rules.renal_dose import band_of, by_cockcroft_gault, by_mdrd, kidney_now, shown
from tests.rules.bedside import _POLICY, PROFILES, diagnosis, on, person, policy, procedure, result, view

WHO: list[AnyKept] = [person(), result("weight", "60", -1)]
"""A man of 68 years and 60 kg: his clearance is 60 divided by the creatinine."""


def second_opinion(clearance: Decimal, *, is_us: bool, border_is_reduced: bool = False) -> str:
    """Part 3.5 in three lines, from its text alone."""
    full = 60 if is_us else 50
    if clearance > full or (clearance == full and not border_is_reduced):
        return "25 mg daily"
    return "10 mg daily" if clearance >= 30 else "15 mg alternate days"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize(
    "clearance",
    ["0.1", "10.9", "11", "29", "29.9", "29.999999", "30", "30.000001", "49.9", "49.999999", "50", "50.000001", "55",
     "59.9", "59.999999", "60", "60.000001", "61", "90", "150"],
)  # fmt: skip
def test_every_border_in_every_profile(profile: str, reduced: bool, clearance: str) -> None:
    using = policy(profile, renal_border_is_reduced=str(reduced).lower())
    band = band_of(Decimal(clearance), using)
    wanted = second_opinion(Decimal(clearance), is_us=profile == "uspi", border_is_reduced=reduced)
    assert band.shown == wanted


@pytest.mark.parametrize("reduced", [False, True])
def test_every_tenth_of_a_clearance(reduced: bool) -> None:
    for is_us, table in ((True, "us"), (False, "eu")):
        using = policy(renal_dose_table=table, renal_border_is_reduced=str(reduced).lower())
        for tenths in range(1, 1200):
            clearance = Decimal(tenths) / 10
            wanted = second_opinion(clearance, is_us=is_us, border_is_reduced=reduced)
            assert band_of(clearance, using).shown == wanted, clearance


@pytest.mark.parametrize(
    ("shows", "creatinine", "eu", "us"),
    [
        ("worked in part 5: exactly 60", "1.0", "25 mg daily", "25 mg daily"),
        ("exactly 50, where a float gives 49.99", "1.2", "25 mg daily", "10 mg daily"),
        ("exactly 30", "2.0", "10 mg daily", "10 mg daily"),
        ("25", "2.4", "15 mg alternate days", "15 mg alternate days"),
        ("just below 50", "1.201", "10 mg daily", "10 mg daily"),
        ("just below 30", "2.001", "15 mg alternate days", "15 mg alternate days"),
    ],
)
def test_worked_values(shows: str, creatinine: str, eu: str, us: str) -> None:
    facts: list[AnyKept] = [*WHO, result("creatinine", creatinine, -1)]
    for profile, wanted in (("kr-panel", eu), ("eu-smpc", eu), ("uspi", us)):
        band = kidney_now(view(facts, day=1, using=policy(profile))).band
        assert band is not None
        assert band.shown == wanted, profile


def old_woman(height: str | None = "150") -> list[AnyKept]:
    """The worked example of part 5: 80 years, 45 kg, 150 cm, creatinine 0.9."""
    who: list[AnyKept] = [person("1946-03-01", "female"), result("weight", "45", -1), result("creatinine", "0.9", -1)]
    return [*who, result("height", height, -1)] if height is not None else who


def test_the_two_equations_differ_as_worked() -> None:
    seen = view(old_woman(), day=1)
    one, other = (by(seen, seen.newest("creatinine"))[0] for by in (by_cockcroft_gault, by_mdrd))
    assert one is not None
    assert other is not None
    assert (shown(one), shown(other)) == ("35.4", "47.6")
    assert round(other.ml_per_min, 1) == Decimal("47.7")
    assert [fact.analyte for fact in other.facts] == ["creatinine", "weight", "height"]


def test_the_policy_names_the_equation() -> None:
    used = {
        equation: kidney_now(view(old_woman(), day=1, using=policy(renal_equation=equation))).figure
        for equation in ("cockcroft-gault", "mdrd-deindexed")
    }
    assert [figure and shown(figure) for figure in used.values()] == ["35.4", "47.6"]


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (old_woman(None), ("height",)),
        ([person(), result("height", "170", -1)], ("creatinine", "weight")),
        ([*old_woman(None), result("height", "150", -1, bound="<")], ("height",)),
    ],
)
def test_mdrd_needs_the_body_surface(facts: list[AnyKept], missing: tuple[str, ...]) -> None:
    kidney = kidney_now(view(facts, day=1, using=policy(renal_equation="mdrd-deindexed")))
    assert (kidney.band, kidney.missing, kidney.evidence) == (None, missing, ())


@pytest.mark.parametrize(
    ("shows", "facts", "day", "dose"),
    [
        ("coded, whatever the creatinine", [diagnosis(["dialysis", "renal-disease"], -9)], 1, "5 mg daily"),
        ("over since", [diagnosis(["dialysis"], -9, abated=on(-2))], 1, "25 mg daily"),
        ("over today", [diagnosis(["dialysis"], -9, abated=on(1, 12))], 1, "25 mg daily"),
        ("over in a moment", [diagnosis(["dialysis"], -9, abated=on(1, 12.01))], 1, "5 mg daily"),
        ("a session on the last day that counts", [procedure("haemodialysis-session", 1)], 15, "5 mg daily"),
        ("a day later", [procedure("haemodialysis-session", 1)], 16, "25 mg daily"),
        ("another procedure", [procedure("surgery", 1)], 2, "25 mg daily"),
    ],
)
def test_dialysis_has_its_own_row(shows: str, facts: list[AnyKept], day: float, dose: str) -> None:
    band = kidney_now(view(WHO, result("creatinine", "1.0", -1), facts, day=day)).band
    assert band is not None
    assert band.shown == dose


# --- the tables are data of the policy


def changed(old: str, new: str) -> Policy:
    text = (_POLICY / "kr-panel.yaml").read_text()
    assert old in text
    return read_policy(text.replace(old, new, 1), (_POLICY / "keys.yaml").read_text())


MODERATE = '{name: moderate, from: "30", dose_mg: "10", schedule: daily, raised_mg: "15", raised_schedule: daily}'


@pytest.mark.parametrize(
    ("shows", "old", "new", "said"),
    [
        ("no tables", "dose_bands:", "dose_tables:", "`dose_bands` is missing"),
        ("no unit", "    unit: mL/min\n", "", "needs rows, unit mL/min and source"),
        ("no source", '    source: "D-US"\n', "", "needs rows, unit mL/min and source"),
        ("the table that is used", "  eu:\n    unit", "  elsewhere:\n    unit", "has no table `eu`"),
        ("a dose that is none", MODERATE, MODERATE.replace('"10"', '"ten"'), "needs in each row"),
        ("a dose of nothing", MODERATE, MODERATE.replace('"10"', '"0"'), "needs in each row"),
        ("a raised dose of nothing", MODERATE, MODERATE.replace('"15"', '"0"'), "needs in each row"),
        ("a row without a dose", MODERATE, "{name: moderate, from: '30', schedule: daily}", "needs in each row"),
        ("a rhythm nobody knows", MODERATE, MODERATE.replace("schedule: daily,", "schedule: hourly,"), "needs in each row"),
        ("rows out of order", MODERATE, MODERATE.replace('"30"', '"55"'), "falling clearance"),
        ("a gap at the bottom", 'name: severe, from: "0"', 'name: severe, from: "5"', "falling clearance"),
        ("no row for dialysis", '      - {name: dialysis, dose_mg: "5", schedule: daily}\n', "", "falling clearance"),
        ("dialysis not last", 'name: severe, from: "0", ', "name: severe, ", "falling clearance"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused(shows: str, old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyUnusable, match=said):
        changed(old, new)


def test_a_site_may_change_a_row() -> None:
    using = changed(MODERATE, MODERATE.replace('"10"', '"7.5"'))
    assert band_of(Decimal(40), using).shown == "7.5 mg daily"
    assert using.hash != policy().hash


def test_a_policy_with_a_changed_key_carries_its_tables_along() -> None:
    using = policy(renal_dose_table="us")
    again = read_policy(using.text, (_POLICY / "keys.yaml").read_text())
    assert (again.dose_table, again.hash) == (using.dose_table, using.hash)
