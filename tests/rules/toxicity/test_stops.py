"""Skin, hypersensitivity and liver: what holds lenalidomide without a count, and what releases it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Diagnosis
from rules.stops import last_ended_at
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of, start
from tests.rules.bedside import (
    PROFILES,
    cbc,
    diagnosis,
    lenalidomide,
    on,
    policy,
    result,
    statement,
    supply,
    view,
)

SKIN, HYPER, LIVER = "derm-stop", "hyper-stop", "hep-enzyme-stop"
STOP = statement("lenalidomide-stopped", 20, "toxicity")


def rash(grade: int | None, day: float = 5, *concepts: str, until: float | None = None, **more: object) -> Diagnosis:
    return diagnosis(concepts or ["rash"], day, grade=grade, abated=on(until) if until else None, **more)  # type: ignore[arg-type]


def of_day(fact: Diagnosis) -> Diagnosis:
    begin = fact.at - timedelta(hours=9)
    return replace(fact, at=begin, latest=begin + timedelta(hours=23, minutes=59))


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("grade 1", [rash(1)], 5, "quiet"),
        ("grade 2", [rash(2)], 5, "high"),
        ("grade 3", [rash(3)], 5, "high"),
        ("grade 4", [rash(4)], 5, "critical"),
        ("Stevens-Johnson without a grade", [rash(None, 5, "sjs")], 5, "critical"),
        ("epidermal necrolysis", [rash(None, 5, "ten")], 5, "critical"),
        ("DRESS", [rash(None, 5, "dress")], 5, "critical"),
        ("bullous, grade 1", [rash(1, 5, "bullous-or-exfoliative-rash", "rash")], 5, "critical"),
        ("grade 2, over", [rash(2, until=9)], 9, "quiet"),
        ("grade 2, just before its end", [rash(2, until=9)], 8, "high"),
        ("grade 2, then grade 1", [rash(2), rash(1, 8)], 8, "quiet"),
        ("grade 4, then grade 1: for good", [rash(4), rash(1, 8)], 8, "critical"),
        ("grade 4, over: for good", [rash(4, until=9)], 12, "critical"),
        ("from before the first dose", [rash(3, -2)], 5, "quiet"),
        ("on the day of the first dose", [of_day(rash(3, 1))], 5, "high"),
        ("blamed on another medicine", [rash(4, related=("co-trimoxazole",))], 5, "quiet"),
        ("blamed on both", [rash(4, related=("co-trimoxazole", "lenalidomide"))], 5, "critical"),
        ("no grade", [rash(None)], 5, "cannot: the grade of the rash"),
        ("no grade, over", [rash(None, until=6)], 6, "quiet"),
        ("no grade, long ago", [rash(None)], 33, "quiet"),
        ("no grade, the day before", [rash(None)], 32, "cannot: the grade of the rash"),
        ("no grade, from before the first dose", [rash(None, -2)], 5, "quiet"),
        ("no grade, blamed elsewhere", [rash(None, related=("allopurinol",))], 5, "quiet"),
        ("history of a severe form", [diagnosis(["sjs"], 3, history=True)], 5, "quiet"),
        ("something else", [rash(4, 5, "fatigue")], 5, "quiet"),
        ("course ended", [rash(4), STOP], 21, "quiet"),
        ("course ended, no grade", [rash(None, 18), STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_skin(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(SKIN, lenalidomide(1), facts, day=day, using=policy(profile)) == answer


def test_skin_before_treatment_is_silent() -> None:
    assert answer_of(SKIN, rash(4), day=6) == "quiet"
    assert answer_of(SKIN, rash(None), day=6) == "quiet"


def test_grades_that_hold_and_end_are_policy() -> None:
    assert answer_of(SKIN, lenalidomide(1), rash(2), day=6, using=policy(rash_hold_grade_at="3")) == "quiet"
    assert answer_of(SKIN, lenalidomide(1), rash(3), day=6, using=policy(rash_stop_grade_at="3")) == "critical"


def test_two_reactions_are_two_alerts() -> None:
    facts: list[AnyKept] = [lenalidomide(1), rash(4), rash(2, 6, "rash", "other"), rash(None, 7, "dress")]
    assert sorted(answer_of(SKIN, facts, day=8).split(", ")) == ["critical", "critical", "high"]


def test_skin_is_looked_at_again() -> None:
    assert recheck_of(SKIN, lenalidomide(1), rash(2, 5, "rash", "other", until=9), rash(4), day=6) == on(9)
    assert recheck_of(SKIN, lenalidomide(1), rash(4), day=6) is None
    assert recheck_of(SKIN, lenalidomide(1), rash(None), day=6) == on(33)
    assert recheck_of(SKIN, lenalidomide(1), rash(None, until=9), day=6) == on(9)


def test_words_of_skin() -> None:
    good, now = finding_of(SKIN, lenalidomide(1), rash(4), day=6), finding_of(SKIN, lenalidomide(1), rash(2), day=6)
    assert good.title == "Stop lenalidomide: rash, grade 4"
    assert now.title == "Hold lenalidomide: rash, grade 2"
    assert "for good" in good.message
    assert "for good" not in now.message
    assert good.since == good.effective_at == on(5)
    assert finding_of(SKIN, lenalidomide(1), rash(None, 5, "sjs"), day=6).title == "Stop lenalidomide: sjs"
    assert finding_of(SKIN, lenalidomide(1), of_day(rash(2, 1)), day=6).effective_at == on(1, 10)


def test_a_dispense_against_skin() -> None:
    assert answer_of("hold-dispense", lenalidomide(1), rash(2, until=20), lenalidomide(8), day=8) == "critical"
    assert answer_of("hold-dispense", lenalidomide(1), rash(2, until=20), lenalidomide(8), day=20) == "quiet"
    assert recheck_of("hold-dispense", lenalidomide(1), rash(2, until=20), lenalidomide(8), day=8) == on(20)
    unknown = replace(rash(2, 5), known=on(9))
    facts: list[AnyKept] = [lenalidomide(1), unknown, lenalidomide(8)]
    assert answer_of("hold-dispense", facts, day=9) == "quiet"
    assert answer_of("dispense-before-result", facts, day=9) == "high"
    found = finding_of("dispense-before-result", facts, day=9)
    assert "derm-stop" in found.message
    assert found.thresholds == ()


def test_a_dispense_of_that_day_at_an_hour_nobody_knows() -> None:
    handed = replace(lenalidomide(8), at=on(8, 0), latest=on(8, 23.9))
    assert answer_of("hold-dispense", lenalidomide(1), handed, rash(4, 8), day=9) == "critical"
    earlier = replace(lenalidomide(7), at=on(7, 0), latest=on(7, 23.9))
    assert answer_of("hold-dispense", lenalidomide(1), earlier, rash(4, 8), day=9) == "quiet"
    assert answer_of("hold-dispense", lenalidomide(1), lenalidomide(8, hour=8), rash(4, 8), day=9) == "quiet"
    known_later = replace(rash(4, 8), known=on(10))
    assert answer_of("dispense-before-result", lenalidomide(1), handed, known_later, day=11) == "high"
    twice: list[AnyKept] = [lenalidomide(1), rash(4, 7), handed, rash(None, 8, "sjs")]
    assert answer_of("hold-dispense", twice, day=9) == "critical"


def test_what_came_before_resumption_waits_for_the_skin() -> None:
    """The drug is clear only when every cause is."""
    facts: list[AnyKept] = [*start(), *cbc(8, "400"), rash(2, 9, until=18), *cbc(15, "2000")]
    assert answer_of("anc-resume-ok", facts, day=15) == "quiet"
    assert recheck_of("anc-resume-ok", facts, day=15) == on(18)
    assert answer_of("anc-resume-ok", facts, day=18) == "info"
    assert finding_of("anc-resume-ok", facts, day=18).effective_at == on(18)
    milder: list[AnyKept] = [*start(), *cbc(8, "400"), rash(2, 9), *cbc(15, "2000"), rash(1, 17)]
    assert answer_of("anc-resume-ok", milder, day=16) == "quiet"
    assert finding_of("anc-resume-ok", milder, day=17).effective_at == on(17)
    low: list[AnyKept] = [*start(), *cbc(8, "2000", "20000"), rash(2, 9, until=18), *cbc(15, "2000", "90000")]
    assert answer_of("plt-resume-ok", low, day=15) == "quiet"
    assert finding_of("plt-resume-ok", low, day=18).effective_at == on(18)


def test_a_dispense_on_skin_is_no_resumption() -> None:
    facts: list[AnyKept] = [
        *start(),
        *cbc(8, "400"),
        rash(2, 9, until=18),
        *cbc(15, "2000"),
        lenalidomide(16),
        *cbc(16.5, "2000"),
    ]
    assert answer_of("hold-dispense", facts, day=17) == "critical"
    assert answer_of("anc-resume-ok", facts, day=18) == "info"
    given: list[AnyKept] = [*facts[:-5], lenalidomide(16, way="given")]
    assert answer_of("anc-resume-ok", given, day=18) == "info"


def test_a_recovered_count_forgets_only_its_own_dispenses() -> None:
    facts: list[AnyKept] = [
        *start(),
        rash(2, 5, until=30),
        lenalidomide(6),
        *cbc(8, "400"),
        lenalidomide(9),
        *cbc(15, "2000"),
    ]
    assert answer_of("hold-dispense", facts, day=10) == "critical, critical"
    assert answer_of("hold-dispense", facts, day=15) == "critical"


AGAIN = lenalidomide(40)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("concept", ["anaphylaxis", "angioedema"])
def test_hypersensitivity_is_for_ever(concept: str, profile: str) -> None:
    using = policy(profile)
    bad = rash(None, 5, concept, until=6)
    assert answer_of(HYPER, lenalidomide(1), bad, day=15, using=using) == "critical"
    assert answer_of(HYPER, lenalidomide(1), bad, STOP, day=21, using=using) == "quiet"
    assert answer_of(HYPER, lenalidomide(1), bad, STOP, AGAIN, day=41, using=using) == "critical"
    assert answer_of("hold-dispense", lenalidomide(1), bad, STOP, AGAIN, day=41, using=using) == "critical"
    assert finding_of(HYPER, lenalidomide(1), bad, STOP, AGAIN, day=41, using=using).effective_at == on(40, 10)


@pytest.mark.parametrize(
    ("shows", "facts", "answer"),
    [
        ("before the first dose", [rash(None, -2, "anaphylaxis")], "quiet"),
        ("history", [diagnosis(["anaphylaxis"], 5, history=True)], "quiet"),
        ("blamed on another medicine", [rash(4, 5, "anaphylaxis", related=("amoxicillin",))], "quiet"),
        ("another event", [rash(4, 5, "fatigue")], "quiet"),
        ("two of them", [rash(None, 5, "anaphylaxis"), rash(None, 7, "angioedema")], "critical, critical"),
        ("retracted", [replace(rash(None, 5, "anaphylaxis"), status=FactStatus.WITHDRAWN)], "quiet"),
    ],
)  # fmt: skip
def test_hypersensitivity(shows: str, facts: list[AnyKept], answer: str) -> None:
    assert answer_of(HYPER, lenalidomide(1), facts, day=8) == answer


def test_hypersensitivity_names_the_event() -> None:
    found = finding_of(HYPER, lenalidomide(1), rash(None, 5, "angioedema"), day=8)
    assert found.title == "Stop lenalidomide for good: angioedema"
    assert found.since == found.effective_at == on(5)
    assert recheck_of(HYPER, lenalidomide(1), rash(None, 5, "angioedema"), day=8) is None
    assert answer_of(HYPER, rash(None, 5, "angioedema"), day=8) == "quiet"
    assert finding_of(HYPER, lenalidomide(1), of_day(rash(None, 1, "angioedema")), day=8).effective_at == on(1, 10)


def test_a_severe_skin_reaction_still_holds_in_a_new_course() -> None:
    facts: list[AnyKept] = [lenalidomide(1), rash(4), rash(2, 6, "rash", "other"), STOP, AGAIN]
    assert answer_of(SKIN, facts, day=41) == "critical"
    assert answer_of("hold-dispense", facts, day=41) == "critical"


# --- liver: ALT and AST 40, bilirubin 1.0 are normal


def alt(value: str, day: float = 8, **more: object) -> AnyKept:
    return result("alt", value, day, **{"high": "40", **more})  # type: ignore[arg-type]


def ast(value: str, day: float = 8, **more: object) -> AnyKept:
    return result("ast", value, day, **{"high": "40", **more})  # type: ignore[arg-type]


def bili(value: str, day: float = 8, **more: object) -> AnyKept:
    return result("bilirubin", value, day, **{"high": "1.0", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("ALT at 3 times", [alt("120")], 8, "quiet"),
        ("ALT above 3 times", [alt("120.1")], 8, "high"),
        ("AST at 3 times", [ast("120")], 8, "quiet"),
        ("AST above 3 times", [ast("121")], 8, "high"),
        ("bilirubin at 1.5 times", [bili("1.5")], 8, "quiet"),
        ("bilirubin above 1.5 times", [bili("1.51")], 8, "high"),
        ("ALT and bilirubin above 2 times", [alt("121"), bili("2.01")], 8, "critical"),
        ("ALT and bilirubin at 2 times", [alt("121"), bili("2.0")], 8, "high"),
        ("ALT at its limit and bilirubin above 2 times", [alt("120"), bili("2.5")], 8, "high"),
        ("AST and bilirubin above 2 times", [ast("121"), bili("2.5")], 8, "high"),
        ("bilirubin comes later", [alt("121"), bili("2.5", 9)], 9, "critical"),
        ("bilirubin is better later", [alt("121"), bili("2.5"), bili("1.9", 9)], 9, "high"),
        ("so at the baseline already", [alt("130", -2), alt("131")], 8, "quiet"),
        ("more than 3 times a baseline that was above 3 times", [alt("130", -2), alt("391")], 8, "high"),
        ("3 times a baseline that was above 3 times", [alt("130", -2), alt("390")], 8, "quiet"),
        ("a baseline at the limit", [alt("120", -2), alt("121")], 8, "high"),
        ("only before the first dose", [alt("500", -2)], 5, "quiet"),
        ("back to normal", [alt("121"), alt("40", 12)], 12, "quiet"),
        ("not quite", [alt("121"), alt("41", 12)], 12, "high"),
        ("back to a raised baseline", [alt("60", -2), alt("121"), alt("60", 12)], 12, "quiet"),
        ("not quite back to it", [alt("60", -2), alt("121"), alt("61", 12)], 12, "high"),
        ("ALT back, AST not", [alt("121"), ast("90"), alt("30", 12)], 12, "high"),
        ("ALT back, AST not asked again but was normal", [alt("121"), ast("30"), alt("30", 12)], 12, "quiet"),
        ("a second time", [alt("121"), alt("30", 12), alt("150", 15)], 15, "high"),
        ("preliminary", [alt("500", status=FactStatus.PRELIMINARY)], 8, "quiet"),
        ("a bound that proves it", [alt("120", bound=">")], 8, "high"),
        ("a bound that proves nothing", [alt("500", bound="<")], 8, "quiet"),
        ("no normal limit sent: 3 times the assumed 40", [alt("120", high=None)], 8, "quiet"),
        ("above it", [alt("121", high=None)], 8, "high"),
        ("AST: 3 times the assumed 40", [ast("120", high=None)], 8, "quiet"),
        ("AST above it", [ast("121", high=None)], 8, "high"),
        ("bilirubin: 1.5 times the assumed 1.2", [bili("1.8", high=None)], 8, "quiet"),
        ("bilirubin above it", [bili("1.9", high=None)], 8, "high"),
        ("a laboratory's own lower limit goes first", [alt("100", high="30")], 8, "high"),
        ("back to the assumed limit", [alt("121", high=None), alt("40", 12, high=None)], 12, "quiet"),
        ("not quite back to it", [alt("121", high=None), alt("41", 12, high=None)], 12, "high"),
        ("cannot be used", [alt("30"), result("alt", None, 9, doubt=ResultDoubt.UNIT_UNKNOWN)], 9, "cannot: a usable value of the newest ALT"),
        ("no value at all", [], 8, "quiet"),
        ("course ended", [alt("121"), STOP], 21, "quiet"),
        ("raised only after the course", [STOP, alt("121", 21)], 22, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_liver(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(LIVER, lenalidomide(1), facts, day=day, using=policy(profile)) == answer


def test_liver_before_treatment_is_silent() -> None:
    assert answer_of(LIVER, alt("500"), day=9) == "quiet"


def test_limits_of_the_liver_are_policy() -> None:
    using = policy(hep_enzyme_times_uln="5", hep_bilirubin_times_uln="3", hep_hys_bilirubin_times_uln="4")
    assert answer_of(LIVER, lenalidomide(1), alt("200"), bili("3"), day=8, using=using) == "quiet"
    assert answer_of(LIVER, lenalidomide(1), alt("201"), bili("4"), day=8, using=using) == "high"
    assert answer_of(LIVER, lenalidomide(1), alt("201"), bili("4.1"), day=8, using=using) == "critical"


def test_an_assumed_normal_limit_is_said_and_is_policy() -> None:
    finding = finding_of(LIVER, lenalidomide(1), alt("121", high=None), ast("30"), bili("1", high=None), day=8)
    assert finding.context == (
        "The laboratory sent no normal limit of ALT: 40 U/L is taken.",
        "The laboratory sent no normal limit of bilirubin: 1.2 mg/dL is taken.",
    )
    assert {"hep_alt_uln_assumed", "hep_bilirubin_uln_assumed"} == {
        number.key for number in finding.thresholds if number.key.endswith("assumed")
    }
    assert finding_of(LIVER, lenalidomide(1), alt("121"), day=8).context == ()
    higher = policy(hep_alt_uln_assumed="50", hep_ast_uln_assumed="50", hep_bilirubin_uln_assumed="1.5")
    for value in (alt("150", high=None), ast("150", high=None), bili("2.2", high=None)):
        assert answer_of(LIVER, lenalidomide(1), value, day=8, using=higher) == "quiet"
    for value in (alt("151", high=None), ast("151", high=None), bili("2.3", high=None)):
        assert answer_of(LIVER, lenalidomide(1), value, day=8, using=higher) == "high"


def test_a_liver_that_suffers_holds() -> None:
    facts: list[AnyKept] = [*start(), alt("30", -1), alt("121")]
    seen = view(facts, day=9)
    assert [(stop.rule, stop.since) for stop in seen.stops] == [(LIVER, on(8))]
    assert answer_of("hold-dispense", facts, lenalidomide(10), day=10) == "critical"
    recovered: list[AnyKept] = [*facts, lenalidomide(10), alt("40", 12)]
    assert view(recovered, day=12).stops == ()
    assert answer_of("hold-dispense", recovered, day=12) == "quiet"
    assert view(recovered, day=12).ledger.stops_ended_at == on(12)


def test_a_liver_that_suffers_is_a_complication() -> None:
    assert view(lenalidomide(1), alt("121"), day=9).ledger.complication_at == on(8)


def test_liver_runs_are_told_apart() -> None:
    seen = view(lenalidomide(1), alt("121"), alt("30", 12), ast("150", 15), day=16)
    assert [(past.analyte, past.opened.at, past.closed_at) for past in seen.ledger.past_episodes] == [
        ("alt", on(8), on(12))
    ]
    assert seen.ledger.liver is not None
    assert seen.ledger.liver.opened.at == on(15)


def test_a_run_left_open_by_a_stop_still_ends_by_its_values() -> None:
    seen = view(lenalidomide(1), alt("121"), STOP, alt("30", 25), day=26)
    assert seen.ledger.liver is None


def test_liver_after_a_restart() -> None:
    found = finding_of(LIVER, lenalidomide(1), alt("121"), STOP, AGAIN, day=41)
    assert (found.since, found.effective_at) == (on(8), on(40, 10))


def test_words_of_the_liver() -> None:
    found = finding_of(LIVER, lenalidomide(1), alt("121"), ast("60"), bili("2.5", 9), day=9)
    assert found.title == "Stop lenalidomide: ALT 121, AST 60, bilirubin 2.5"
    assert "Hy's-law" in found.message
    assert found.effective_at == on(9)
    assert [shown.fact.at for shown in found.evidence] == [on(8), on(8), on(9)]
    assert "Hy's" not in finding_of(LIVER, lenalidomide(1), alt("121"), day=9).message
    later = finding_of(LIVER, lenalidomide(1), alt("121"), alt("100", 9), day=9)
    assert [shown.what for shown in later.evidence] == ["value that opened it", "newest"]


def test_what_rises_after_the_course_opens_nothing() -> None:
    seen = view(lenalidomide(1), STOP, alt("121", 21), day=22)
    assert seen.ledger.liver is None
    assert seen.stops == ()


def test_each_hold_waits_for_its_own_end() -> None:
    facts: list[AnyKept] = [
        lenalidomide(1),
        rash(2, 5, until=20),
        diagnosis(["fatigue"], 5, grade=3, abated=on(9), related=("lenalidomide",)),
    ]
    assert recheck_of(SKIN, facts, day=6, using=policy("uspi")) == on(20)
    assert recheck_of("nonheme-g34", facts, day=6, using=policy("uspi")) == on(9)
    assert recheck_of("hold-dispense", facts, lenalidomide(6), day=7, using=policy("uspi")) == on(9)


def test_another_fact_ends_no_hold_it_does_not_concern() -> None:
    seen = view(lenalidomide(1), alt("121"), diagnosis(["sjs"], 9), day=10)
    assert seen.ledger.stops_ended_at is None
    assert last_ended_at(seen.ledger, on(10)) is None


def test_the_instant_of_an_end_belongs_to_it() -> None:
    seen = view(lenalidomide(1), rash(2, 5, until=9), rash(4, 6, "sjs"), day=10)
    assert last_ended_at(seen.ledger, on(9)) == on(9)
    assert last_ended_at(seen.ledger, on(8)) is None


def test_of_that_day_only_lenalidomide_and_only_that_day_counts() -> None:
    """At an hour nobody knows: another medicine, and a package of the day before, met no hold."""
    other = replace(supply("co-trimoxazole", 8, days=28), at=on(8, 0), latest=on(8, 23.9))
    earlier = replace(lenalidomide(7), at=on(7, 0), latest=on(7, 23.9))
    seen = view(lenalidomide(1), other, earlier, rash(4, 8), day=9)
    assert seen.ledger.held_dispenses == ()
