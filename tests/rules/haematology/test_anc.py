"""Neutrophils on treatment: every row of the reference's table 3.1, and the rules that follow a hold."""

from __future__ import annotations

import pytest

from rules.picture import AnyKept
from rules.policy.reading import Policy
from schemas.alerts import Action
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import alerts, answer_of, finding_of, recheck_of, start
from tests.rules.bedside import cbc, lenalidomide, on, policy, result, statement, supply

ANC_RULES = {
    "anc-hold", "anc-cycle-delay", "anc-low-watch", "anc-gcsf-missing", "anc-persistent-reduce", "anc-resume-ok",
}  # fmt: skip
STRICT = {"anc_severe_inclusive": "false"}


def anc(day: float, value: str, **more: object) -> AnyKept:
    return result("anc", value, day, **more)  # type: ignore[arg-type]


def said(*facts: object, day: float, using: Policy | None = None) -> set[str]:
    return alerts(start(), *facts, day=day, using=using) & ANC_RULES  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "value", "changes", "rule"),
    [
        ("1,500 is no low count", "1500", {}, None),
        ("1,000 exactly is no low count", "1000", {}, None),
        ("999 is watched", "999", {}, "anc-low-watch"),
        ("999.5 is not rounded up", "999.5", {}, "anc-low-watch"),
        ("501 is watched", "501", {}, "anc-low-watch"),
        ("500.1 is above the severe level", "500.1", {}, "anc-low-watch"),
        ("500 exactly holds", "500", {}, "anc-hold"),
        ("500 exactly is watched where the level is not inclusive", "500", STRICT, "anc-low-watch"),
        ("499 holds", "499", {}, "anc-hold"),
        ("499 holds where the level is not inclusive", "499", STRICT, "anc-hold"),
        ("100 holds", "100", {}, "anc-hold"),
        ("99 holds", "99", {}, "anc-hold"),
        ("zero is a count, not a missing one", "0", {}, "anc-hold"),
    ],
)
def test_first_episode_mid_cycle(shows: str, value: str, changes: dict[str, str], rule: str | None) -> None:
    assert said(anc(8, value), day=8, using=policy(**changes)) == ({rule} if rule else set())


FIRST = [*cbc(8, "900"), *cbc(12, "1200")]


@pytest.mark.parametrize(
    ("shows", "value", "answer"),
    [
        ("1,000 exactly is no second episode", "1000", "quiet"),
        ("999 holds in the second episode", "999", "high"),
        ("501 holds in the second episode", "501", "high"),
        ("500 exactly is severe in any episode", "500", "critical"),
        ("99 is severe in any episode", "99", "critical"),
    ],
)
def test_later_episode(shows: str, value: str, answer: str) -> None:
    assert answer_of("anc-hold", start(), FIRST, anc(15, value), day=15) == answer


@pytest.mark.parametrize(
    ("shows", "count", "using", "answer"),
    [
        ("below 100 proves a severe count", anc(8, "100", bound="<"), {}, "critical"),
        ("below 500 proves a severe count", anc(8, "500", bound="<"), {}, "critical"),
        ("below 500 proves it without the equal sign too", anc(8, "500", bound="<"), STRICT, "critical"),
        ("at most 500 proves it only with the equal sign", anc(8, "500", bound="<="), {}, "critical"),
        ("at most 500 does not prove below 500", anc(8, "500", bound="<="), STRICT, "quiet"),
        ("below 600 does not prove a severe count", anc(8, "600", bound="<"), {}, "quiet"),
        ("below 2,000 proves nothing", anc(8, "2000", bound="<"), {}, "cannot: a usable value of the newest ANC"),
        ("above 100 proves nothing", anc(8, "100", bound=">"), {}, "cannot: a usable value of the newest ANC"),
        ("above 1,000 is recovered", anc(8, "1000", bound=">"), {}, "quiet"),
        (
            "a preliminary severe count is shown",
            anc(8, "400", status=FactStatus.PRELIMINARY),
            {},
            "critical provisional",
        ),
        ("a preliminary low count is not", anc(8, "700", status=FactStatus.PRELIMINARY), {}, "quiet"),
        (
            "a count without unit is no count",
            anc(8, None, doubt=ResultDoubt.UNIT_MISSING),  # type: ignore[arg-type]
            {},
            "cannot: a usable value of the newest ANC",
        ),
        ("a fall of factor 100 is provisional", anc(8, "25"), {}, "critical provisional"),
        ("an ordinary fall in the same unit is no doubt", anc(8, "251"), {}, "critical"),
        ("a fall by 10 with another unit is provisional", anc(8, "250", unit="10*3/uL"), {}, "critical provisional"),
    ],
)
def test_what_a_result_proves(shows: str, count: AnyKept, using: dict[str, str], answer: str) -> None:
    assert answer_of("anc-hold", start(), count, day=8, using=policy(**using)) == answer


def test_no_count_at_all_cannot_be_assessed() -> None:
    assert answer_of("anc-hold", lenalidomide(1), day=1) == "cannot: ANC"


def test_below_600_is_low_and_watched() -> None:
    """It proves an episode and no severe count: the watch speaks, so that it does not look like "fine"."""
    assert said(anc(8, "600", bound="<"), day=8) == {"anc-low-watch"}


@pytest.mark.parametrize(
    ("shows", "facts", "day", "rule"),
    [
        ("four days before the expected day 1 it is mid-cycle", [anc(25, "900")], 25, "anc-low-watch"),
        ("three days before, it delays", [anc(26, "900")], 26, "anc-cycle-delay"),
        ("on the day itself, it delays", [anc(29, "900", hour=8)], 29, "anc-cycle-delay"),
        ("1,000 exactly does not delay", [anc(29, "1000", hour=8)], 29, None),
        ("500 exactly holds instead", [anc(29, "500", hour=8)], 29, "anc-hold"),
        ("501 delays", [anc(29, "501", hour=8)], 29, "anc-cycle-delay"),
        ("a late cycle is still before its day 1", [anc(35, "900")], 35, "anc-cycle-delay"),
        ("a plan moves the window", [statement("planned-cycle-day-1", 20, when=on(36)), anc(32, "900")], 32, "anc-low-watch"),
        ("three days before the plan", [statement("planned-cycle-day-1", 20, when=on(36)), anc(33, "900")], 33, "anc-cycle-delay"),
        ("after the first dose it is mid-cycle", [supply("lenalidomide", 29, 7, way="given"), anc(29, "900", hour=8)], 29, "anc-low-watch"),
        ("a dispense that day says of no dose taken", [lenalidomide(29, hour=8), anc(29, "900", hour=9)], 29, "anc-cycle-delay"),
        ("the day after the dispense is mid-cycle", [lenalidomide(29, hour=8), anc(30, "900", hour=9)], 30, "anc-low-watch"),
        (
            "dispensed early, it still is before the planned day 1",
            [statement("planned-cycle-day-1", 20, when=on(29)), lenalidomide(24), anc(27, "900")],
            27,
            "anc-cycle-delay",
        ),
        ("cycle 1 is never delayed", [anc(1, "900", hour=11)], 1, "anc-low-watch"),
        ("a second episode before the cycle is one delay", [*FIRST, anc(28, "900")], 28, "anc-cycle-delay"),
    ],
)  # fmt: skip
def test_before_a_cycle(shows: str, facts: list[AnyKept], day: float, rule: str | None) -> None:
    assert said(facts, day=day) == ({rule} if rule else set())


def test_delay_then_severe_is_one_hold_that_got_worse() -> None:
    facts = [start(), anc(28, "900"), anc(30, "400")]
    assert answer_of("anc-cycle-delay", *facts, day=30) == "quiet"
    assert answer_of("anc-hold", *facts, day=30) == "critical"
    assert finding_of("anc-hold", *facts, day=30).since == on(28)


def test_episode_survives_the_cycle_border() -> None:
    """Low on day 20, dispensed on day 29 (against advice), still low on day 30: one episode, not two."""
    facts = [start(), anc(20, "900"), lenalidomide(29), anc(30, "800")]
    assert said(*facts[1:], day=30) == {"anc-low-watch"}
    assert finding_of("anc-low-watch", *facts, day=30).since == on(20)


@pytest.mark.parametrize(
    ("shows", "count", "changes", "is_released"),
    [
        ("999 does not release", anc(14, "999"), {}, False),
        ("1,000 exactly releases a first episode", anc(14, "1000"), {}, True),
        ("1,000 exactly releases it with the strict option too", anc(14, "1000"), {"anc_resume_strict_later": "true"}, True),
        ("a preliminary count releases nothing", anc(14, "3000", status=FactStatus.PRELIMINARY), {}, False),
        ("a count in doubt of its unit releases nothing", anc(14, "40000"), {}, False),
        ("below 2,000 releases nothing", anc(14, "2000", bound="<"), {}, False),
        ("at least 1,000 releases", anc(14, "1000", bound=">="), {}, True),
        ("a count without unit releases nothing", anc(14, None, doubt=ResultDoubt.UNIT_UNKNOWN), {}, False),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_release_of_a_first_episode(shows: str, count: AnyKept, changes: dict[str, str], is_released: bool) -> None:
    after = said(anc(8, "400"), supply("filgrastim", 8), count, day=14, using=policy(**changes))
    assert after == ({"anc-resume-ok"} if is_released else {"anc-hold"})


@pytest.mark.parametrize(
    ("shows", "value", "strict", "rules"),
    [
        ("1,000 exactly releases a later episode", "1000", "false", {"anc-resume-ok"}),
        ("1,000 exactly does not with the strict option", "1000", "true", {"anc-hold"}),
        ("1,001 does with the strict option", "1001", "true", {"anc-resume-ok"}),
    ],
)
def test_release_of_a_later_episode(shows: str, value: str, strict: str, rules: set[str]) -> None:
    using = policy(anc_resume_strict_later=strict)
    assert said(FIRST, anc(15, "800"), anc(18, value), day=18, using=using) == rules


def test_correction_takes_the_hold_away() -> None:
    first = anc(8, "400", fact_id="count")
    assert said(first, day=9) == {"anc-hold"}
    assert said(anc(8, "4000", fact_id="count", status=FactStatus.CORRECTED), day=9) == set()


# --- anc-low-watch


def test_watch_names_the_label_difference_and_the_next_check() -> None:
    finding = finding_of("anc-low-watch", start(), anc(8, "700"), day=8)
    assert finding.context == ("The US label would interrupt lenalidomide at this count.",)
    assert finding.advice is not None
    assert finding.advice.action is Action.REPEAT_TEST
    assert finding.advice.next_check == on(15, 0)
    assert [shown.fact.id for shown in finding.evidence] == [finding.evidence[0].fact.id]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("low in the first episode", [anc(8, "999")], 8, "medium"),
        ("at the limit", [anc(8, "1000")], 8, "quiet"),
        ("recovered", [anc(8, "999"), anc(10, "1000")], 10, "quiet"),
        ("a preliminary recovery closes nothing", [anc(8, "999"), anc(10, "1500", status=FactStatus.PRELIMINARY)], 10, "medium"),
        ("a hold covers it", [anc(8, "999"), anc(10, "500")], 10, "quiet"),
        ("a scale in doubt", [anc(8, "250", unit="10*3/uL"), anc(9, "600", unit="10*3/uL")], 9, "quiet"),
        ("low before the planned day 1: the start rules speak", [statement("planned-cycle-day-1", -1, when=on(5)), anc(3, "900")], 3, "quiet"),
        ("course ended", [anc(8, "999"), statement("lenalidomide-stopped", 9, "toxicity")], 9, "quiet"),
    ],
)  # fmt: skip
def test_low_watch(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of("anc-low-watch", start(), facts, day=day) == answer


# --- anc-gcsf-missing

SEVERE = [*cbc(8, "400")]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("48 hours after the severe count", [], 10, 9.0, "high"),
        ("a second before", [], 10, 8.99, "quiet"),
        ("G-CSF ordered since", [supply("filgrastim", 9, way="ordered")], 11, 12, "quiet"),
        ("G-CSF dispensed since", [supply("filgrastim", 9, days=3)], 20, 12, "quiet"),
        ("G-CSF given since", [supply("filgrastim", 9, way="given")], 20, 12, "quiet"),
        ("G-CSF active from before", [supply("filgrastim", 7, days=5)], 12, 12, "quiet"),
        ("G-CSF from before has run out", [supply("filgrastim", 1, days=1)], 12, 12, "high"),
        ("another medicine is no G-CSF", [supply("aspirin", 9, days=30)], 12, 12, "high"),
        ("501 is above the severe level", [anc(9, "501")], 12, 12, "quiet"),
        ("500 exactly still is severe", [anc(9, "500")], 12, 12, "high"),
        ("below 600 does not show that it is above", [anc(9, "600", bound="<")], 12, 12, "high"),
        ("released", [anc(9, "1000")], 12, 12, "quiet"),
        ("a preliminary recovery closes nothing", [anc(9, "2000", status=FactStatus.PRELIMINARY)], 12, 12, "high"),
    ],
)
def test_gcsf_missing(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str) -> None:
    assert answer_of("anc-gcsf-missing", start(), SEVERE, facts, day=day, hour=hour) == answer


def test_gcsf_is_not_asked_for_in_a_repeat_hold() -> None:
    assert answer_of("anc-gcsf-missing", start(), FIRST, anc(15, "800"), day=20) == "quiet"


def test_gcsf_speaks_for_no_missing_count() -> None:
    """The hold rule says what it cannot see; the rule that follows a hold stays out of it."""
    assert answer_of("anc-gcsf-missing", lenalidomide(1), day=8) == "quiet"
    assert answer_of("anc-hold", lenalidomide(1), day=8) == "cannot: ANC"


def test_gcsf_due_instant() -> None:
    assert recheck_of("anc-gcsf-missing", start(), SEVERE, day=9) == on(10, 9)
    active = supply("filgrastim", 7, days=1)
    assert recheck_of("anc-gcsf-missing", start(), SEVERE, active, day=11) == on(15, 0)
    assert finding_of("anc-gcsf-missing", start(), SEVERE, day=15).effective_at == on(10, 9)
    assert finding_of("anc-gcsf-missing", start(), SEVERE, anc(12, "450"), day=15).effective_at == on(12)


# --- anc-persistent-reduce


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("still low after seven calendar days, at an earlier hour", [anc(15, "999", hour=1)], 15, "high"),
        ("still low after six days", [anc(14, "999", hour=23)], 15, "quiet"),
        ("recovered to the limit after seven days", [anc(15, "1000")], 15, "quiet"),
        ("no count at all after seven days", [], 20, "quiet"),
        ("released afterwards", [anc(15, "999"), anc(17, "1000")], 17, "quiet"),
        ("course ended", [anc(15, "999"), statement("lenalidomide-stopped", 16, "toxicity")], 16, "quiet"),
        ("a preliminary count shows no persistence", [anc(15, "999", status=FactStatus.PRELIMINARY)], 15, "quiet"),
    ],
)
def test_persistent(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of("anc-persistent-reduce", start(), SEVERE, facts, day=day) == answer


def test_persistent_delay_names_the_dose_to_come() -> None:
    finding = finding_of("anc-persistent-reduce", start(), anc(28, "900"), anc(35, "900"), day=35)
    assert finding.advice is not None
    assert (finding.advice.action, finding.advice.dose_mg) == (Action.REDUCE_STEP, "15")
    assert finding.effective_at == on(35)


def test_persistence_needs_a_count_and_the_recheck_rule_asks_for_it() -> None:
    assert answer_of("anc-persistent-reduce", start(), SEVERE, day=20) == "quiet"
    assert answer_of("heme-recheck-overdue", start(), SEVERE, day=20) == "high"


# --- anc-resume-ok


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("recovered", [anc(12, "1000")], 12, "info"),
        ("not recovered", [anc(12, "999")], 12, "quiet"),
        ("dispensed again", [anc(12, "1000"), lenalidomide(13)], 13, "quiet"),
        ("given again", [anc(12, "1000"), supply("lenalidomide", 13, way="given", dose="25")], 13, "quiet"),
        ("only ordered again", [anc(12, "1000"), lenalidomide(13, way="ordered")], 13, "info"),
        ("a new hold", [anc(12, "1000"), anc(13, "999")], 13, "quiet"),
        ("course ended", [anc(12, "1000"), statement("lenalidomide-stopped", 13, "progression")], 13, "quiet"),
        ("platelets still hold", [result("platelets", "20000", 9), anc(12, "1000")], 12, "quiet"),
        ("both released", [result("platelets", "20000", 9), anc(12, "1000"), result("platelets", "30000", 14)], 14, "info"),
        ("a preliminary recovery", [anc(12, "3000", status=FactStatus.PRELIMINARY)], 12, "quiet"),
    ],
)  # fmt: skip
def test_resume(shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of("anc-resume-ok", start(), SEVERE, facts, day=day) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "dose", "action"),
    [
        ("first and not persistent: same dose", [*SEVERE, anc(12, "1000")], "25", Action.RESUME),
        ("persistent: one step lower", [*SEVERE, anc(15, "900"), anc(16, "1000")], "15", Action.RESUME),
        ("second episode: one step lower", [*FIRST, anc(15, "800"), anc(16, "1000")], "15", Action.RESUME),
        ("with platelets on the same CBC: one step", [*cbc(8, "400", "20000"), *cbc(16, "1000", "30000")], "15", Action.RESUME),
        (
            "with platelets held on another day: their step counts",
            [*FIRST, anc(15, "800"), result("platelets", "20000", 16), *cbc(20, "1000", "30000")],
            "10",
            Action.RESUME,
        ),
        ("second delay in episode two", [*FIRST, anc(28, "900"), anc(30, "1000")], "15", Action.RESUME),
    ],
)  # fmt: skip
def test_dose_to_resume_at(shows: str, facts: list[AnyKept], dose: str, action: Action) -> None:
    finding = finding_of("anc-resume-ok", start(), facts, day=31)
    assert finding.advice is not None
    assert (finding.advice.dose_mg, finding.advice.action) == (dose, action)


def test_resume_is_dated_when_the_last_cause_was_released() -> None:
    facts = [start(), *cbc(8, "400", "20000"), anc(12, "1000"), result("platelets", "30000", 14)]
    finding = finding_of("anc-resume-ok", *facts, day=20)
    assert (finding.since, finding.effective_at) == (on(8), on(14))
