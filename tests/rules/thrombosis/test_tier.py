"""The risk tier of Table 3: every factor at its edges, and what is unknown."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.events import FactStatus
from tests.rules.bedside import diagnosis, lenalidomide, on, policy, result, statement, supply
from tests.rules.thrombosis.clinic import cycles, known, tier_of

DEC_1, DEC_2, FEB_28 = -182, -181, -93
"""Days of treatment; day 1 is 1 June 2026."""


@pytest.mark.parametrize(
    ("shows", "facts", "day", "tier"),
    [
        ("nothing at all", [], 5, 3),
        # recent VTE, calendar months in the patient's own zone
        ("VTE exactly 6 months ago is recent", [diagnosis(["dvt"], DEC_1)], 1, 1),
        ("VTE 6 months and a day ago is an earlier one", [diagnosis(["dvt"], DEC_1)], 2, 2),
        ("VTE a day less than 6 months ago", [diagnosis(["pe"], DEC_2)], 1, 1),
        ("28 February is recent until 31 August", [diagnosis(["dvt"], FEB_28)], 92, 1),
        ("and not on 1 September", [diagnosis(["dvt"], FEB_28)], 93, 2),
        ("a calf vein", [diagnosis(["dvt", "calf-vein-thrombosis"], -20)], 5, 1),
        ("a portal vein", [diagnosis(["portal-vein-thrombosis"], -20)], 5, 1),
        ("VTE of unsaid site", [diagnosis(["vte-unspecified"], -20)], 5, 1),
        ("a recent VTE that is over still counts", [diagnosis(["pe"], -20, active=False)], 5, 1),
        ("superficial thrombophlebitis is no VTE", [diagnosis(["superficial-thrombophlebitis"], -20)], 5, 3),
        ("a history code says nothing of when", [diagnosis(["history-of-vte"], -3, history=True)], 5, 2),
        ("VTE ten years ago", [diagnosis(["dvt"], -3650)], 5, 2),
        # immobilisation
        ("bedbound", [statement("immobilisation", 3, "bedbound")], 5, 1),
        ("bed rest coded as long", [statement("immobilisation", 3, "bed-rest-3-days")], 5, 1),
        ("said not to be immobilised", [statement("immobilisation", 3, "none")], 5, 3),
        ("immobilised, then not", [statement("immobilisation", 3, "bedbound"), statement("immobilisation", 6, "none")], 7, 3),
        ("the newest statement decides, whatever its code", [statement("immobilisation", 3, "bedbound"), statement("mobility", 6, "normal")], 7, 3),
        ("immobilised until yesterday", [statement("immobilisation", 3, "bedbound", until=on(6))], 7, 3),
        ("bed rest of 3 days", [statement("bed-rest", 3, number="3")], 5, 1),
        ("bed rest of 2 days", [statement("bed-rest", 3, number="2")], 5, 3),
        ("paraplegic", [statement("mobility", 3, "paraplegic")], 5, 1),
        ("not weight-bearing", [statement("mobility", 3, "non-weight-bearing")], 5, 1),
        ("a wheelchair alone is not immobilisation", [statement("mobility", 3, "wheelchair")], 5, 3),
        ("immobility coded", [diagnosis(["immobility"], 3)], 5, 1),
        ("immobility coded and over", [diagnosis(["immobility"], 3, abated=on(4))], 5, 3),
        ("ECOG 4", [result("ecog", "4", 3)], 5, 1),
        ("ECOG 3", [result("ecog", "3", 3)], 5, 2),
        # tier 2
        ("ECOG 2", [result("ecog", "2", 3)], 5, 2),
        ("ECOG 1", [result("ecog", "1", 3)], 5, 3),
        ("ECOG 2 as a statement", [statement("ecog", 3, number="2")], 5, 2),
        ("ECOG 4 as a statement", [statement("ecog", 3, number="4")], 5, 1),
        ("ECOG 2, better since", [result("ecog", "2", 3), statement("ecog", 4, number="1")], 5, 3),
        ("heart failure", [diagnosis(["heart-failure"], -300)], 5, 2),
        ("heart failure that is over", [diagnosis(["heart-failure"], -300, active=False)], 5, 3),
        ("pulmonary disease", [diagnosis(["pulmonary-disease"], -300)], 5, 2),
        ("chronic kidney disease", [diagnosis(["ckd", "renal-disease"], -300)], 5, 2),
        ("dialysis", [diagnosis(["dialysis"], -300)], 5, 2),
        ("infection 14 days ago", [diagnosis(["infection"], 5)], 19, 2),
        ("infection 15 days ago", [diagnosis(["infection"], 5)], 20, 3),
        ("infection that ended the day before", [diagnosis(["pneumonia", "infection"], 5, abated=on(8))], 9, 3),
        ("infection said to be inactive", [diagnosis(["sepsis"], 5, active=False)], 6, 3),
        ("myocardial infarction years ago", [diagnosis(["myocardial-infarction"], -2000, active=False)], 5, 2),
        ("stroke", [diagnosis(["stroke"], -200)], 5, 2),
        ("thrombophilia coded", [diagnosis(["thrombophilia"], -200)], 5, 2),
        ("thrombophilia stated", [statement("thrombophilia", -3, "yes")], 5, 2),
        ("no thrombophilia stated", [statement("thrombophilia", -3, "no")], 5, 3),
        ("an erythropoiesis-stimulating agent dispensed", [supply("epoetin-alfa", 3, days=7)], 5, 2),
        ("and used up, with grace", [supply("epoetin-alfa", 3, days=7)], 17, 3),
        ("a dose of it given counts for 4 weeks", [supply("epoetin-alfa", 3, hour=13, way="given")], 31, 2),
        ("and then no more", [supply("epoetin-alfa", 3, hour=11, way="given")], 31, 3),
        ("BMI 30 measured", [result("bmi", "30", 3)], 5, 2),
        ("BMI 29.9 measured", [result("bmi", "29.9", 3)], 5, 3),
        ("BMI exactly 30 by weight and height", [result("weight", "86.7", 3)], 5, 2),
        ("BMI just below 30 by weight and height", [result("weight", "86.69", 3)], 5, 3),
        ("obesity coded, but measured otherwise", [diagnosis(["obesity"], -200)], 5, 3),
        ("one creatinine with a clearance below 60", [result("creatinine", "1.01", 3)], 5, 3),
        ("two in a row", [result("creatinine", "1.01", 3), result("creatinine", "1.01", 4)], 5, 2),
        ("two, the second exactly at 60", [result("creatinine", "1.01", 3), result("creatinine", "1.0", 4)], 5, 3),
        # order of evaluation
        ("tier 1 goes before tier 2", [diagnosis(["heart-failure"], -300), diagnosis(["dvt"], -10)], 5, 1),
    ],
)  # fmt: skip
def test_factor(shows: str, facts: list[AnyKept], day: float, tier: int) -> None:
    assert tier_of([*known(), *facts], day=day).number == tier


@pytest.mark.parametrize(
    ("shows", "birth", "day", "tier"),
    [
        ("75 on day 1", "1951-06-01", 1, 2),
        ("75 the day after day 1, in cycle 1", "1951-06-02", 20, 3),
        ("75 the day after day 1, from cycle 2 on", "1951-06-02", 29, 2),
        ("74", "1952-01-01", 29, 3),
    ],
)
def test_age_is_of_day_1_of_the_cycle(shows: str, birth: str, day: float, tier: int) -> None:
    assert tier_of([*known(birth=birth), lenalidomide(29)], day=day).number == tier


def test_months_are_those_of_the_patients_zone() -> None:
    """23:30 on 30 November in London is 1 December in Seoul: the clot is of 1 December."""
    clot = diagnosis(["dvt"], DEC_1)
    assert on(DEC_1, hour=8.5).day == 30
    assert tier_of([*known(), clot], day=1, hour=23.9).number == 1
    assert tier_of([*known(), clot], day=2, hour=0.0).number == 2


def test_a_factor_begins_and_ends_at_the_stroke_it_says() -> None:
    facts = [*known(), diagnosis(["infection"], 5)]
    first = tier_of(facts, day=5, hour=10)
    assert first.number == 2
    assert first.changes_at == on(20, hour=0)


def test_every_factor_comes_with_its_fact() -> None:
    clot, infection = diagnosis(["pe"], -10, fact_id="clot"), diagnosis(["pneumonia"], 3, fact_id="lung")
    tier = tier_of([*known(), clot, infection], day=5)
    assert [(f.tier, f.what, f.facts[-1].id) for f in tier.factors] == [
        (1, "recent VTE", "clot"),
        (2, "earlier VTE", "clot"),
        (2, "infection", "lung"),
    ]
    assert tier.named == "risk tier 1 (recent VTE)"


def test_an_unconfirmed_condition_raises_the_tier_provisionally() -> None:
    clot = diagnosis(["dvt"], 3)
    doubtful = type(clot)(**{**{n: getattr(clot, n) for n in clot.__struct_fields__}, "status": FactStatus.PRELIMINARY})
    tier = tier_of([*known(), doubtful], day=5)
    assert (tier.number, tier.is_provisional) == (1, True)
    assert not tier_of([*known(), doubtful, diagnosis(["pe"], 4)], day=5).is_provisional


@pytest.mark.parametrize(
    ("shows", "facts", "tier", "unknown"),
    [
        ("everything known", known(), 3, ()),
        ("no birth date", known(birth=None), 3, ("birth date",)),
        ("no ECOG and nothing on mobility", known(ecog=None), 3, ("mobility or ECOG",)),
        ("no ECOG, but mobility", [*known(ecog=None), statement("mobility", 1, "normal")], 3, ("ECOG",)),
        ("no height", known(height=None), 3, ("weight and height",)),
        ("no dexamethasone at all", known(plan=None), 3, ("dexamethasone dose",)),
        ("in tier 2 only what could make it tier 1", [*known(birth=None, height=None, ecog=None), diagnosis(["ckd"], -9)], 2, ("mobility or ECOG",)),
        ("in tier 1 nothing is unknown", [diagnosis(["dvt"], -9), lenalidomide(1)], 1, ()),
        ("obesity coded where nothing was measured", [*known(height=None), diagnosis(["obesity"], -9)], 2, ()),
    ],
)  # fmt: skip
def test_what_is_unknown_is_named_and_lowers_nothing(
    shows: str, facts: list[AnyKept], tier: int, unknown: tuple[str, ...]
) -> None:
    answer = tier_of(facts, day=5)
    assert (answer.number, answer.unknown) == (tier, unknown)


@pytest.mark.parametrize(
    ("key", "value", "facts", "tiers"),
    [
        ("vte_recent_months", "3", [diagnosis(["dvt"], -120)], (1, 2)),
        ("vte_age_at", "68", [], (3, 2)),
        ("vte_ecog_at", "1", [], (3, 2)),
        ("vte_immobile_ecog", "3", [result("ecog", "3", 2)], (2, 1)),
        ("vte_bmi_at", "25", [result("bmi", "27", 2)], (3, 2)),
        ("vte_infection_active_days", "28", [diagnosis(["infection"], -15)], (3, 2)),
        ("vte_renal_clcr_below", "90", [result("creatinine", "1.0", 2)], (3, 2)),
        ("vte_bed_rest_days", "2", [statement("bed-rest", 3, number="2")], (3, 1)),
        ("vte_esa_covers_days", "7", [supply("epoetin-alfa", -7, way="given")], (2, 3)),
        ("dex_high_mg", "160", [], (3, 1)),
    ],
)
def test_each_number_is_policy(key: str, value: str, facts: list[AnyKept], tiers: tuple[int, int]) -> None:
    patient = [*known(), *facts]
    assert (tier_of(patient, day=5).number, tier_of(patient, day=5, using=policy(**{key: value})).number) == tiers


def test_later_cycles_do_not_forget_who_is_old() -> None:
    assert tier_of([*known(birth="1940-01-01"), *cycles(9)], day=240).number == 2
