"""Doubts about results: each is said, none is guessed away, and each ends as the reference says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Result
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import alerts, answer_of, finding_of, start
from tests.rules.bedside import cbc, on, result, statement, view

UNIT, IMPLAUSIBLE, NO_ANC = "dq-unit", "dq-implausible", "dq-anc-uncomputable"
CONFLICT, CLUMP, SYSTEM = "dq-conflict", "dq-platelet-clump", "dq-code-system"


def unread(analyte: str, day: float, doubt: ResultDoubt = ResultDoubt.UNIT_MISSING, **more: object) -> Result:
    return replace(result(analyte, None, day, doubt=doubt, **more), received="1.2")  # type: ignore[arg-type]


STOPPED = statement("lenalidomide-stopped", 9, "other")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a missing unit that could hide a hold", [unread("anc", 8, could_breach=True)], 8, "high"),
        ("a missing unit that could not", [unread("anc", 8)], 8, "medium"),
        ("an unknown unit", [unread("creatinine", 8, ResultDoubt.UNIT_UNKNOWN)], 8, "medium"),
        ("a text is no matter of units", [unread("anc", 8, ResultDoubt.NOT_A_NUMBER)], 8, "quiet"),
        ("a newer valid result", [unread("anc", 8), *cbc(9)], 9, "quiet"),
        ("a newer valid result of another analyte", [unread("anc", 8), result("platelets", "90000", 9)], 9, "medium"),
        ("a newer preliminary one", [unread("anc", 8), result("anc", "2000", 9, status=FactStatus.PRELIMINARY)], 9, "medium"),
        ("a newer one that is in doubt itself", [unread("anc", 8), result("anc", "25", 9)], 9, "medium, high"),
        ("an older one that arrives later", [unread("anc", 8), result("anc", "2000", 7)], 9, "medium"),
        ("course ended", [unread("anc", 8), STOPPED], 9, "quiet"),
        ("a fall of factor 100 below the hold limit", [result("anc", "25", 8)], 8, "high"),
        ("a fall of a little less", [result("anc", "25.1", 8)], 8, "quiet"),
        ("a rise of factor 100 that reads high in both scales", [result("wbc", "500000", 8)], 8, "medium"),
        ("a rise of factor 100 from a low count", [result("anc", "400", 7), result("anc", "40000", 8)], 8, "high"),
        ("a fall by 10 in the same unit", [result("anc", "250", 8)], 8, "quiet"),
        ("a fall by 10 with another unit", [result("anc", "250", 8, unit="10*3/uL")], 8, "high"),
        ("a fall by 10 under another code", [result("anc", "250", 8, code="753-4")], 8, "high"),
        ("a fall by 12 with another unit is within a fifth of 10", [result("platelets", "15000", 8, unit="10*3/uL")], 8, "high"),
        ("a fall by 12.1 is not", [result("platelets", "14876", 8, unit="10*3/uL")], 8, "quiet"),
        ("a fall by 8 is within a fifth of 10", [result("platelets", "22500", 8, unit="10*3/uL")], 8, "high"),
        ("a fall by 7.9 is not", [result("platelets", "22785", 8, unit="10*3/uL")], 8, "quiet"),
        ("haemoglobin has no scale to mistake here", [result("haemoglobin", "0.1", 8)], 8, "quiet"),
        ("back on the old scale ends it, and is no second doubt", [result("platelets", "180", 8), result("platelets", "170000", 9)], 9, "quiet"),
        ("again on the new scale ends it too", [result("platelets", "180", 8), result("platelets", "190", 9)], 9, "quiet"),
    ],
)  # fmt: skip
def test_unit(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(UNIT, start(), facts, day=day) == answer


def test_corrected_unit_ends_it() -> None:
    fixed = result("anc", "1200", 8, fact_id="r", status=FactStatus.CORRECTED)
    assert answer_of(UNIT, start(), unread("anc", 8, fact_id="r"), day=9) == "medium"
    assert answer_of(UNIT, start(), fixed, day=9) == "quiet"


def test_a_doubtful_scale_opens_the_hold_and_never_releases() -> None:
    """170,000 then 170: held on the safe side; back at 170,000 the hold ends."""
    facts = [start(), result("platelets", "170", 8)]
    assert answer_of("plt-hold", *facts, day=8) == "critical provisional"
    assert answer_of("plt-hold", *facts, result("platelets", "170000", 9), day=9) == "quiet"
    jump = [start(), *cbc(8, "400"), result("anc", "40000", 9)]
    assert answer_of("anc-hold", *jump, day=9) == "critical"


def test_unit_shows_the_value_as_received() -> None:
    odd = replace(unread("anc", 8), unit="mystery")
    assert finding_of(UNIT, start(), odd, day=8).title == "Unit of ANC missing or unknown: 1.2 mystery"
    finding = finding_of(UNIT, start(), result("anc", "25", 8), day=8)
    assert finding.title == "Unit of ANC in doubt: 25 cells/uL after 2,500 cells/uL"
    assert [shown.what for shown in finding.evidence] == ["ANC", "ANC before"]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("outside the range of its analyte", [unread("creatinine", 8, ResultDoubt.IMPLAUSIBLE)], 8, "medium"),
        ("a newer valid one", [unread("creatinine", 8, ResultDoubt.IMPLAUSIBLE), result("creatinine", "1", 9)], 9, "quiet"),
        ("ANC equal to the WBC", [result("wbc", "3000", 8), result("anc", "3000", 8)], 8, "quiet"),
        ("ANC 2 % above the WBC", [result("wbc", "3000", 8), result("anc", "3060", 8)], 8, "quiet"),
        ("ANC more than 2 % above it", [result("wbc", "3000", 8), result("anc", "3061", 8)], 8, "medium"),
        ("a bound proves no contradiction", [result("wbc", "3000", 8, bound="<"), result("anc", "3100", 8)], 8, "quiet"),
        ("a newer valid ANC", [result("wbc", "3000", 8), result("anc", "3061", 8), *cbc(9)], 9, "quiet"),
        ("course ended", [unread("creatinine", 8, ResultDoubt.IMPLAUSIBLE), STOPPED], 9, "quiet"),
    ],
)  # fmt: skip
def test_implausible(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(IMPLAUSIBLE, start(), facts, day=day) == answer


def test_an_impossible_anc_decides_nothing_and_makes_the_hold_rule_say_so() -> None:
    facts = [start(), result("wbc", "300", 8), result("anc", "400", 8)]
    assert answer_of("anc-hold", *facts, day=8) == "cannot: a usable value of the newest ANC"


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a WBC alone", [result("wbc", "5000", 8), result("platelets", "90000", 8)], 8, "medium"),
        ("with an ANC", [result("wbc", "5000", 8), result("anc", "2000", 8)], 8, "quiet"),
        ("with total neutrophils", [result("wbc", "5000", 8), result("neutrophils-pct", "40", 8)], 8, "quiet"),
        ("with segmented and bands", [result("wbc", "5000", 8), result("segs-pct", "40", 8), result("bands-pct", "2", 8)], 8, "quiet"),
        ("with segmented alone", [result("wbc", "5000", 8), result("segs-pct", "40", 8)], 8, "medium"),
        ("with granulocytes, which are not neutrophils", [result("wbc", "5000", 8), result("granulocytes-pct", "40", 8)], 8, "medium"),
        ("with shares of another specimen", [result("wbc", "5000", 8), result("neutrophils-pct", "40", 8, 9.1)], 8, "medium"),
        ("with a WBC that is a bound", [result("wbc", "500", 8, bound="<"), result("neutrophils-pct", "40", 8)], 8, "medium"),
        ("with an ANC that lacks its unit: that rule speaks", [result("wbc", "5000", 8), unread("anc", 8)], 8, "quiet"),
        ("preliminary", [result("wbc", "5000", 8, status=FactStatus.PRELIMINARY)], 8, "quiet"),
        ("the differential came with the same collection time", [result("wbc", "5000", 8), result("anc", "2000", 8, known=on(9))], 9, "quiet"),
        ("a newer ANC", [result("wbc", "5000", 8), result("anc", "2000", 9)], 9, "quiet"),
        ("an older ANC", [result("wbc", "5000", 8), result("anc", "2000", 7)], 9, "medium"),
        ("platelets without a WBC are no CBC", [result("platelets", "90000", 8)], 8, "quiet"),
        ("course ended", [result("wbc", "5000", 8), STOPPED], 9, "quiet"),
    ],
)  # fmt: skip
def test_anc_uncomputable(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(NO_ANC, start(), facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a fifth apart exactly", [result("anc", "800", 8), result("anc", "1000", 8)], 8, "quiet"),
        ("more than a fifth", [result("anc", "799", 8), result("anc", "1000", 8)], 8, "medium"),
        ("the same value twice", [result("anc", "1000", 8), result("anc", "1000", 8)], 8, "quiet"),
        ("different specimens", [result("anc", "500", 8), result("anc", "1000", 8, 10)], 8, "quiet"),
        ("one of them preliminary", [result("anc", "500", 8, status=FactStatus.PRELIMINARY), result("anc", "1000", 8)], 8, "quiet"),
        ("both preliminary are not valid yet", [result("anc", "500", 8, status=FactStatus.PRELIMINARY), result("anc", "1000", 8, status=FactStatus.PRELIMINARY)], 8, "quiet"),
        ("a bound that agrees", [result("anc", "50", 8), result("anc", "100", 8, bound="<")], 8, "quiet"),
        ("a bound that disagrees", [result("anc", "100", 8, bound="<"), result("anc", "3000", 8)], 8, "medium"),
        ("a newer specimen", [result("anc", "500", 8), result("anc", "1000", 8), *cbc(9)], 9, "quiet"),
        ("of creatinine too", [result("creatinine", "1.0", 8), result("creatinine", "2.0", 8)], 8, "medium"),
        ("course ended", [result("anc", "500", 8), result("anc", "1000", 8), STOPPED], 9, "quiet"),
    ],
)  # fmt: skip
def test_conflict(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(CONFLICT, start(), facts, day=day) == answer


def test_the_safer_of_two_values_is_used() -> None:
    seen = view(
        *(result("anc", "400", 8), result("anc", "4000", 8)),
        *(result("creatinine", "1.0", 8), result("creatinine", "2.0", 8)),
        day=8,
    )
    used = {name: str(seen.newest(name).value) for name in ("anc", "creatinine")}  # type: ignore[union-attr]
    assert used == {"anc": "400", "creatinine": "2.0"}
    facts = [start(), result("anc", "400", 8), result("anc", "4000", 8)]
    assert answer_of("anc-hold", *facts, day=8) == "critical"
    assert "The safer value, 400 cells/uL, is used." in finding_of(CONFLICT, *facts, day=8).message


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a clumped count", [result("platelets", "90000", 8, doubt=ResultDoubt.CLUMPED)], 8, "medium"),
        ("no clumps", [result("platelets", "90000", 8)], 8, "quiet"),
        ("the same draw in citrate", [result("platelets", "90000", 8, doubt=ResultDoubt.CLUMPED), result("platelets", "150000", 8)], 8, "quiet"),
        ("a newer count without clumps", [result("platelets", "90000", 8, doubt=ResultDoubt.CLUMPED), result("platelets", "150000", 9)], 9, "quiet"),
        ("a newer count with clumps", [result("platelets", "90000", 8, doubt=ResultDoubt.CLUMPED), result("platelets", "80000", 9, doubt=ResultDoubt.CLUMPED)], 9, "medium, medium"),
        ("course ended", [result("platelets", "90000", 8, doubt=ResultDoubt.CLUMPED), STOPPED], 9, "quiet"),
    ],
)  # fmt: skip
def test_clump(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(CLUMP, start(), facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("one such result", [unread("anc", 8, ResultDoubt.CODE_SYSTEM)], 8, "info"),
        ("several are one spell", [unread("anc", day, ResultDoubt.CODE_SYSTEM) for day in (8, 9, 10)], 10, "info"),
        ("two analytes are two", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), unread("wbc", 8, ResultDoubt.CODE_SYSTEM)], 8, "info, info"),
        ("the same analyte under an accepted system", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), result("anc", "2000", 9)], 9, "quiet"),
        ("accepted, though its unit is missing", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), unread("anc", 9)], 9, "quiet"),
        ("accepted beside the other at once", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), result("anc", "2000", 8)], 8, "quiet"),
        ("another analyte under an accepted system", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), result("wbc", "5000", 9)], 9, "info"),
        ("course ended", [unread("anc", 8, ResultDoubt.CODE_SYSTEM), STOPPED], 9, "quiet"),
    ],
)  # fmt: skip
def test_code_system(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(SYSTEM, start(), facts, day=day) == answer


def test_a_spell_of_refused_codes_keeps_its_beginning() -> None:
    finding = finding_of(SYSTEM, start(), [unread("anc", day, ResultDoubt.CODE_SYSTEM) for day in (8, 9, 10)], day=10)
    assert (finding.subject, finding.since) == ("anc", on(8))
    assert [shown.fact.at for shown in finding.evidence] == [on(8), on(10)]


def test_doubts_do_not_grow_without_end() -> None:
    """A feed that lost its units for a year: the newest few of each analyte stay, and the hold rule stays blind."""
    facts = [unread("anc", day) for day in range(8, 300)]
    assert answer_of(UNIT, start(), facts, day=300) == "medium, medium, medium, medium"
    assert answer_of("anc-hold", start(), facts, day=300) == "cannot: a usable value of the newest ANC"


def test_subjects_are_the_facts() -> None:
    bad = unread("anc", 8, could_breach=True)
    finding = finding_of(UNIT, start(), bad, day=8)
    assert (finding.subject, finding.since, finding.reason) == (bad.id, on(8), "could-breach")


def test_a_doubt_is_itself_the_answer_so_none_of_these_rules_lacks_one() -> None:
    assert alerts(day=8, family="dataquality") == set()
    assert {answer_of(rule, day=8) for rule in (UNIT, IMPLAUSIBLE, NO_ANC, CONFLICT, CLUMP, SYSTEM)} == {"quiet"}
