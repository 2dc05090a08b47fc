"""Platelets on treatment: every row of the reference's table 3.2 that the guideline has a rule for."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from schemas.alerts import Action
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, diagnosis, lenalidomide, on, policy, procedure, result, statement


def platelets(day: float, value: str, **more: object) -> AnyKept:
    return result("platelets", value, day, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("100,000 is no matter", [platelets(8, "100000")], "quiet"),
        ("50,000 is no matter on treatment", [platelets(8, "50000")], "quiet"),
        ("30,001", [platelets(8, "30001")], "quiet"),
        ("30,000 exactly is not held", [platelets(8, "30000")], "quiet"),
        ("29,999 is held", [platelets(8, "29999")], "critical"),
        ("29,999.9 is not rounded up", [platelets(8, "29999.9")], "critical"),
        ("25,000 is held", [platelets(8, "25000")], "critical"),
        ("10,000 is held", [platelets(8, "10000")], "critical"),
        ("9,999 is held", [platelets(8, "9999")], "critical"),
        ("below 20,000 proves it", [platelets(8, "20000", bound="<")], "critical"),
        ("below 50,000 proves nothing", [platelets(8, "50000", bound="<")], "cannot: a usable value of the newest platelet count"),
        ("a preliminary count is provisional", [platelets(8, "29999", status=FactStatus.PRELIMINARY)], "critical provisional"),
        ("a clumped count is provisional", [platelets(8, "29999", doubt=ResultDoubt.CLUMPED)], "critical provisional"),
        ("an estimate decides nothing", [platelets(8, "20000", doubt=ResultDoubt.ESTIMATE)], "cannot: a usable value of the newest platelet count"),
        ("a fall of factor 100 is provisional", [platelets(8, "1800")], "critical provisional"),
        ("a fall of less is not", [platelets(8, "1801")], "critical"),
        ("recovered to the limit", [platelets(8, "20000"), platelets(10, "30000")], "quiet"),
        ("not recovered", [platelets(8, "20000"), platelets(10, "29999")], "critical"),
        ("a clumped recovery releases nothing", [platelets(8, "20000"), platelets(10, "90000", doubt=ResultDoubt.CLUMPED)], "critical"),
        ("a preliminary recovery releases nothing", [platelets(8, "20000"), platelets(10, "90000", status=FactStatus.PRELIMINARY)], "critical"),
        ("the same tube without clumps is right", [platelets(8, "20000", doubt=ResultDoubt.CLUMPED), platelets(8, "150000")], "quiet"),
        ("an unclumped low count confirms", [platelets(8, "20000", doubt=ResultDoubt.CLUMPED), platelets(9, "25000")], "critical"),
        ("a stop is no recovery", [platelets(8, "20000"), statement("lenalidomide-stopped", 9, "toxicity")], "critical"),
    ],
)  # fmt: skip
def test_hold(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of("plt-hold", start(), facts, day=10) == answer


def test_hold_cannot_be_assessed_without_a_count() -> None:
    assert answer_of("plt-hold", lenalidomide(1), day=1) == "cannot: platelets"


def test_platelets_and_neutrophils_are_independent() -> None:
    facts = [start(), *cbc(8, "400", "20000")]
    assert [answer_of(rule, *facts, day=8) for rule in ("anc-hold", "plt-hold")] == ["critical", "critical"]
    released = [*facts, result("anc", "1500", 10)]
    assert [answer_of(rule, *released, day=10) for rule in ("anc-hold", "plt-hold")] == ["quiet", "critical"]


# --- plt-resume-ok

HELD = [*cbc(8, "2500", "20000")]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("recovered to the limit", [platelets(12, "30000")], 12, "info"),
        ("one below", [platelets(12, "29999")], 12, "quiet"),
        ("dispensed again", [platelets(12, "30000"), lenalidomide(13, "15")], 13, "quiet"),
        ("neutrophils hold now", [platelets(12, "30000"), result("anc", "400", 13)], 13, "quiet"),
        ("held again", [platelets(12, "30000"), platelets(13, "29999")], 13, "quiet"),
        ("course ended", [platelets(12, "30000"), statement("lenalidomide-stopped", 13, "other")], 13, "quiet"),
    ],
)
def test_resume(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of("plt-resume-ok", start(), HELD, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "newest", "warns"),
    [
        ("released at 30,000", platelets(12, "30000"), True),
        ("49,999 since", platelets(14, "49999"), True),
        ("50,000 since", platelets(14, "50000"), False),
        ("a clumped count does not show it", platelets(14, "90000", doubt=ResultDoubt.CLUMPED), True),
        ("a bound that does not show it", platelets(14, "40000", bound=">"), True),
    ],
)
def test_resume_warns_until_50_000(shows: str, newest: AnyKept, warns: bool) -> None:
    finding = finding_of("plt-resume-ok", start(), HELD, platelets(12, "30000"), newest, day=15)
    assert ("watch for bleeding" in finding.message) is warns


@pytest.mark.parametrize(
    ("shows", "dose", "schedule", "ladder", "advised", "sentence"),
    [
        ("one step of the ladder", "25", None, "consensus", (Action.RESUME, "15"), "Resume at 15 mg, one dose step below 25 mg."),
        ("one step of the other ladder", "25", None, "capsule", (Action.RESUME, "20"), "Resume at 20 mg, one dose step below 25 mg."),
        ("a dose off the ladder", "20", None, "consensus", (Action.RESUME, "15"), "Resume at 15 mg, one dose step below 20 mg."),
        ("the lowest dose of the ladder", "5", None, "consensus", (Action.REFER, None), "The ladder has no dose one dose step below 5 mg: consider stopping, ask a specialist."),
        ("not the lowest of the other one", "5", None, "capsule", (Action.RESUME, "2.5"), "Resume at 2.5 mg, one dose step below 5 mg."),
        ("alternate days", "15", "alternate-days", "consensus", (Action.REDUCE_STEP, None), "Reduce by one dose step when resuming: ladder not defined."),
    ],
)  # fmt: skip
def test_dose_to_resume_at(
    shows: str, dose: str, schedule: str | None, ladder: str, advised: tuple[Action, str | None], sentence: str
) -> None:
    begun = [*cbc(-1), lenalidomide(1, dose, schedule=schedule)]
    using = policy(dose_ladder=ladder)
    finding = finding_of("plt-resume-ok", begun, HELD, platelets(12, "30000"), day=12, using=using)
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.dose_mg) == advised
    assert sentence in finding.message


def test_resume_cannot_name_a_dose_it_does_not_know() -> None:
    from tests.rules.bedside import supply

    begun = [*cbc(-1), supply("lenalidomide", 1, days=21)]
    finding = finding_of("plt-resume-ok", begun, HELD, platelets(12, "30000"), day=12)
    assert "the dose before the hold is not known" in finding.message


# --- plt-support-missing

DEEP = [*cbc(8, "2500", "9999")]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("24 hours below 10,000", [*DEEP], 9, 9.0, "high"),
        ("a minute before", [*DEEP], 9, 8.98, "quiet"),
        ("10,000 exactly without bleeding", [*cbc(8, "2500", "10000")], 12, 12, "quiet"),
        ("10,000 with bleeding", [*cbc(8, "2500", "10000"), diagnosis(["bleeding"], 8)], 12, 12, "high"),
        ("29,999 with bleeding", [*HELD, platelets(9, "29999"), diagnosis(["bleeding"], 7)], 12, 12, "high"),
        ("30,000 with bleeding is released", [*HELD, platelets(9, "30000"), diagnosis(["bleeding"], 8)], 12, 12, "quiet"),
        ("bleeding that ended", [*HELD, diagnosis(["bleeding"], 8, abated=on(10))], 12, 12, "quiet"),
        ("bleeding that ends later", [*HELD, diagnosis(["bleeding"], 8, abated=on(13))], 12, 12, "high"),
        ("a history of bleeding", [*HELD, diagnosis(["bleeding"], 8, history=True)], 12, 12, "quiet"),
        ("transfused since", [*DEEP, procedure("platelet-transfusion", 8.5)], 12, 12, "quiet"),
        ("red cells are no platelets", [*DEEP, procedure("red-cell-transfusion", 8.5)], 12, 12, "high"),
        ("transfused before the hold", [*DEEP, procedure("platelet-transfusion", 5)], 12, 12, "high"),
        ("low again a day after the transfusion", [*DEEP, procedure("platelet-transfusion", 9), platelets(10, "8000")], 10, 12, "high"),
        ("low again within the day", [*DEEP, procedure("platelet-transfusion", 9), platelets(9.5, "8000")], 9, 23, "quiet"),
        ("above the trigger", [*DEEP, platelets(10, "12000")], 12, 12, "quiet"),
        ("a clumped count above the trigger closes nothing", [*DEEP, platelets(10, "90000", doubt=ResultDoubt.CLUMPED)], 12, 12, "high"),
        ("released", [*DEEP, platelets(10, "31000")], 12, 12, "quiet"),
        ("course ended", [*DEEP, statement("lenalidomide-stopped", 9, "toxicity")], 12, 12, "quiet"),
        ("a clumped count stays provisional", [platelets(8, "9000", doubt=ResultDoubt.CLUMPED)], 12, 12, "high provisional"),
    ],
)  # fmt: skip
def test_support_missing(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of("plt-support-missing", start(), facts, day=day, hour=hour) == answer


def test_a_planned_transfusion_is_not_done() -> None:
    from msgspec.structs import replace

    planned = replace(procedure("platelet-transfusion", 8.5), status=FactStatus.PLANNED)
    assert answer_of("plt-support-missing", start(), DEEP, planned, day=12) == "high"


def test_support_due_instants() -> None:
    assert recheck_of("plt-support-missing", start(), DEEP, day=8) == on(9)
    bleeding = diagnosis(["bleeding"], 8, abated=on(13))
    assert recheck_of("plt-support-missing", start(), HELD, bleeding, day=12) == on(13)
    assert finding_of("plt-support-missing", start(), DEEP, day=20).effective_at == on(9)


def test_support_speaks_for_no_missing_count() -> None:
    assert answer_of("plt-support-missing", lenalidomide(1), day=8) == "quiet"
    assert answer_of("plt-hold", lenalidomide(1), day=8) == "cannot: platelets"
