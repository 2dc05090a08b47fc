"""A pregnancy, an indeterminate test, a missed period: what raises them, what ends them, what they hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.catalogue import BY_ID
from rules.picture import AnyKept
from rules.pregnancy_evidence import outcome_of
from rules.view import View
from schemas.events import FactStatus, ResultDoubt
from tests.rules.bedside import PROFILES, cbc, diagnosis, ledger, lenalidomide, on, policy, statement
from tests.rules.pregnancy.clinic import checked, hcg, man, ordered, said_at, stopped, woman
from tests.rules.thrombosis.clinic import ask, found, said

POSITIVE, INDETERMINATE, MENSES = "ppp-pregnancy-positive", "ppp-test-indeterminate", "ppp-missed-menses"
FIRST = [woman(), lenalidomide(1)]
STERILE = [woman(), said_at("childbearing-potential", -20, "hysterectomy"), lenalidomide(1)]
PRELIMINARY = FactStatus.PRELIMINARY


def released(day: float, value: str = "excluded") -> AnyKept:
    return said_at("pregnancy-outcome", day, value)


@pytest.mark.parametrize(
    ("value", "bound", "outcome"),
    [
        ("4.9", None, "negative"),
        ("5", None, "indeterminate"),
        ("25", None, "indeterminate"),
        ("25.1", None, "positive"),
        ("5", "<", "negative"),
        ("6", "<", "indeterminate"),
        ("20", ">", "indeterminate"),
        ("25", ">", "positive"),
        ("25", ">=", "indeterminate"),
        ("4", "<=", "negative"),
    ],
)
def test_how_a_quantity_reads(value: str, bound: str | None, outcome: str) -> None:
    assert outcome_of(hcg(8, value, bound=bound), policy()) == outcome


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a positive test", [*FIRST, checked(8, "positive")], 8, "critical"),
        ("a quantity above the limit", [*FIRST, hcg(8, "25.1")], 8, "critical"),
        ("at the limit", [*FIRST, hcg(8, "25")], 8, "quiet"),
        ("a negative test", [*FIRST, checked(8)], 8, "quiet"),
        ("a status of pregnant", [*FIRST, checked(8, "positive", analyte="pregnancy-status")], 8, "critical"),
        ("a status of not pregnant", [*FIRST, checked(8, "negative", analyte="pregnancy-status")], 8, "quiet"),
        ("a code", [*FIRST, diagnosis(["pregnant"], 8)], 8, "critical"),
        ("a code of the past", [*FIRST, diagnosis(["pregnant"], 8, history=True)], 8, "quiet"),
        ("a code that is over", [*FIRST, diagnosis(["pregnant"], 8, active=False)], 8, "quiet"),
        ("another code", [*FIRST, diagnosis(["pneumonia"], 8)], 8, "quiet"),
        ("another test", [*FIRST, checked(8, "positive", analyte="hbsag")], 8, "quiet"),
        ("a code that ended since: a specialist's word is missing", [*FIRST, diagnosis(["pregnant"], 8, abated=on(10))], 12, "critical"),
        ("not of childbearing potential", [*STERILE, checked(8, "positive")], 8, "critical"),
        ("a man: verify", [man(), lenalidomide(1), checked(8, "positive")], 8, "critical provisional"),
        ("nobody knows who", [lenalidomide(1), checked(8, "positive")], 8, "critical"),
        ("ordered, not yet dispensed", [woman(), checked(-3, "positive"), ordered(-2)], -2, "critical"),
        ("preliminary", [*FIRST, checked(8, "positive", status=PRELIMINARY)], 8, "critical provisional"),
        ("preliminary, then negative", [*FIRST, checked(8, "positive", status=PRELIMINARY), checked(9)], 9, "quiet"),
        ("preliminary, another test of the specimen negative", [*FIRST, checked(8, "positive", status=PRELIMINARY), hcg(8, "1")], 8, "quiet"),
        ("an unconfirmed code", [*FIRST, replace(diagnosis(["pregnant"], 8), status=PRELIMINARY)], 8, "critical provisional"),
        ("an unconfirmed code of the past", [*FIRST, replace(diagnosis(["pregnant"], 8, history=True), status=PRELIMINARY)], 8, "quiet"),
        ("an unconfirmed code that is over", [*FIRST, replace(diagnosis(["pregnant"], 8, active=False), status=PRELIMINARY)], 8, "quiet"),
        ("an unconfirmed code with its end", [*FIRST, replace(diagnosis(["pregnant"], 8, abated=on(9)), status=PRELIMINARY)], 8, "quiet"),
        ("a preliminary sign of long ago", [woman(), checked(-295, "positive", status=PRELIMINARY), lenalidomide(1)], 2, "quiet"),
        ("withdrawn", [*FIRST, checked(8, "positive", status=FactStatus.WITHDRAWN)], 8, "quiet"),
        # what ends it
        ("a negative test does not", [*FIRST, checked(8, "positive"), checked(10)], 10, "critical"),
        ("excluded", [*FIRST, checked(8, "positive"), released(12)], 12, "quiet"),
        ("ended", [*FIRST, checked(8, "positive"), released(12, "ended")], 12, "quiet"),
        ("a stop does not", [*FIRST, checked(8, "positive"), stopped(9, "pregnancy")], 100, "critical"),
        ("positive again after it", [*FIRST, checked(8, "positive"), released(12), checked(20, "positive")], 20, "critical"),
        # before treatment
        ("before, unanswered", [woman(), checked(-5, "positive"), lenalidomide(1)], 1, "critical"),
        ("before, then negative", [woman(), checked(-5, "positive"), checked(-3), lenalidomide(1)], 1, "quiet"),
        ("before, negative only on treatment", [woman(), checked(-5, "positive"), lenalidomide(1), checked(3)], 3, "critical"),
        ("a code 42 weeks before", [woman(), diagnosis(["pregnant"], -294), lenalidomide(1)], 1, "critical"),
        ("a code longer ago", [woman(), diagnosis(["pregnant"], -295), lenalidomide(1)], 1, "quiet"),
        ("a code that ended before", [woman(), diagnosis(["pregnant"], -60, abated=on(-10)), lenalidomide(1)], 1, "quiet"),
        ("and a positive test since", [woman(), diagnosis(["pregnant"], -295), lenalidomide(1), checked(8, "positive")], 8, "critical"),
        # after treatment
        ("28 days after the end", [*FIRST, stopped(30), checked(58, "positive")], 58, "critical"),
        ("29 days after", [*FIRST, stopped(30), checked(59, "positive")], 59, "quiet"),
        ("a preliminary one after that", [*FIRST, stopped(30), checked(59, "positive", status=PRELIMINARY)], 59, "quiet"),
    ],
)  # fmt: skip
def test_positive(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(POSITIVE, facts, day=day, using=policy(profile)) == answer


def test_it_stands_on_the_first_sign_and_the_newest() -> None:
    first, second = checked(8, "positive"), hcg(10, "9000")
    finding = found(POSITIVE, [*FIRST, first, second], day=11)
    assert (finding.since, finding.effective_at, finding.subject) == (first.at, first.at, "")
    assert [shown.fact.id for shown in finding.evidence] == [first.id, second.id]
    assert finding.title == "Pregnancy: 9000 m[IU]/mL"
    assert found(POSITIVE, [*FIRST, diagnosis(["pregnant"], 8)], day=8).title == "Pregnancy: recorded"
    assert finding.advice is not None
    assert finding.advice.action == "stop"


def test_an_old_code_does_not_date_a_new_pregnancy() -> None:
    new = checked(8, "positive")
    assert found(POSITIVE, [woman(), diagnosis(["pregnant"], -295), lenalidomide(1), new], day=8).since == new.at
    old = diagnosis(["pregnant"], -100)
    assert found(POSITIVE, [woman(), old, lenalidomide(1), new], day=8).since == old.at


def test_a_mans_record_is_to_be_verified() -> None:
    finding = found(POSITIVE, [man(), lenalidomide(1), checked(8, "positive")], day=8)
    assert finding.context == ("Recorded as male: verify the sex, and whose test or diagnosis it is.",)


def test_many_tests_do_not_make_it_forgotten() -> None:
    later = [checked(10 + number, "negative") for number in range(20)]
    assert said(POSITIVE, [*FIRST, checked(8, "positive"), *later], day=40) == "critical"


def test_a_dozen_of_each_test_is_kept() -> None:
    kept = ledger([*FIRST, checked(2, analyte="hbsag"), *(checked(3 + number) for number in range(15))]).answers
    assert [test.analyte for test in kept].count("hcg-qualitative") == 12
    assert (kept[0].analyte, kept[1].at, kept[-1].at) == ("hbsag", on(6, 8), on(17, 8))


def test_before_treatment_it_may_end_by_time() -> None:
    code = diagnosis(["pregnant"], -20, abated=on(-2))
    facts = [woman(), code, ordered(-10)]
    assert said(POSITIVE, facts, day=-5) == "critical"
    assert ask(POSITIVE, facts, day=-5).recheck_at == on(-2)
    assert said(POSITIVE, facts, day=-2) == "quiet"
    lasting = [woman(), diagnosis(["pregnant"], -293), ordered(-10)]
    assert ask(POSITIVE, lasting, day=-5).recheck_at == on(3, 0)
    assert (said(POSITIVE, lasting, day=2), said(POSITIVE, lasting, day=3)) == ("critical", "quiet")
    assert ask(POSITIVE, [*FIRST, checked(8, "positive")], day=8).recheck_at is None


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("below the limits", [*FIRST, hcg(8, "4.9")], 8, "quiet"),
        ("the lower limit", [*FIRST, hcg(8, "5")], 8, "high"),
        ("the upper limit", [*FIRST, hcg(8, "25")], 8, "high"),
        ("above", [*FIRST, hcg(8, "25.1")], 8, "quiet"),
        ("answered so", [*FIRST, checked(8, "indeterminate")], 8, "high"),
        ("a bound that proves nothing", [*FIRST, hcg(8, "20", bound="<")], 8, "high"),
        ("repeated and negative", [*FIRST, hcg(8, "10"), hcg(10, "4")], 10, "quiet"),
        ("repeated and indeterminate: one alert", [*FIRST, hcg(8, "10"), hcg(10, "11")], 10, "high"),
        ("repeated, still preliminary", [*FIRST, hcg(8, "10"), hcg(10, "4", status=PRELIMINARY)], 10, "high"),
        ("repeated and positive", [*FIRST, hcg(8, "10"), hcg(10, "100")], 10, "quiet"),
        ("a positive released", [*FIRST, hcg(8, "10"), hcg(10, "100"), released(12)], 12, "quiet"),
        ("released by a word", [*FIRST, hcg(8, "10"), released(12)], 12, "quiet"),
        ("again after the word", [*FIRST, hcg(8, "10"), released(12), hcg(14, "10")], 14, "high"),
        ("preliminary", [*FIRST, hcg(8, "10", status=PRELIMINARY)], 8, "high provisional"),
        ("preliminary, and a preliminary negative", [*FIRST, hcg(8, "10", status=PRELIMINARY), checked(9, status=PRELIMINARY)], 9, "high provisional"),
        ("of one specimen negative and indeterminate", [*FIRST, checked(8), hcg(8, "10")], 8, "high"),
        ("not of childbearing potential", [*STERILE, hcg(8, "10")], 8, "quiet"),
        ("a man", [man(), lenalidomide(1), hcg(8, "10")], 8, "quiet"),
        ("sex unknown", [lenalidomide(1), hcg(8, "10")], 8, "high"),
        ("before the first dispense", [woman(), ordered(-2), hcg(-1, "10")], -1, "high"),
        ("28 days after the end", [*FIRST, stopped(30), hcg(58, "10")], 58, "high"),
        ("29 days after the end", [*FIRST, stopped(30), hcg(58, "10")], 59, "quiet"),
        ("unreadable", [*FIRST, hcg(8, "10", doubt=ResultDoubt.UNIT_UNKNOWN)], 8, "cannot: a readable pregnancy test"),
        ("unreadable, and no test before", [woman(), hcg(-8, "10", doubt=ResultDoubt.UNIT_UNKNOWN), lenalidomide(1)], 8, "cannot: a readable pregnancy test"),
        ("readable before", [*FIRST, checked(7), hcg(8, "10", doubt=ResultDoubt.UNIT_UNKNOWN)], 8, "cannot: a readable pregnancy test"),
        ("an answer nobody knows", [*FIRST, replace(checked(8), answer=None, doubt=ResultDoubt.ANSWER_UNKNOWN)], 8, "cannot: a readable pregnancy test"),
        ("readable since", [*FIRST, hcg(8, "10", doubt=ResultDoubt.UNIT_UNKNOWN), checked(9)], 9, "quiet"),
    ],
)  # fmt: skip
def test_indeterminate(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(INDETERMINATE, facts, day=day, using=policy(profile)) == answer


def test_one_alert_from_the_first_to_the_newest() -> None:
    first, second = hcg(8, "10"), hcg(10, "12")
    finding = found(INDETERMINATE, [*FIRST, first, second], day=10)
    assert (finding.subject, finding.since, finding.effective_at) == (first.id, first.at, first.at)
    assert [shown.fact.id for shown in finding.evidence] == [first.id, second.id]
    assert finding.advice is not None
    assert finding.advice.next_check == second.at + timedelta(hours=72)
    assert [shown.fact.id for shown in found(INDETERMINATE, [*FIRST, first], day=8).evidence] == [first.id]


def test_a_word_on_potential_makes_it_matter() -> None:
    facts = [woman(), said_at("childbearing-potential", -20, "no"), lenalidomide(1), hcg(8, "10"),
             said_at("childbearing-potential", 12, "yes")]  # fmt: skip
    assert found(INDETERMINATE, facts, day=12).effective_at == on(12, 8)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("missed", [*FIRST, said_at("menses", 8, "missed")], 8, "high"),
        ("abnormal bleeding", [*FIRST, said_at("menses", 8, "abnormal-bleeding")], 8, "high"),
        ("regular", [*FIRST, said_at("menses", 8, "regular")], 8, "quiet"),
        ("irregular", [*FIRST, said_at("menses", 8, "irregular")], 8, "quiet"),
        ("regular again, no test", [*FIRST, said_at("menses", 8, "missed"), said_at("menses", 12, "regular")], 12, "high"),
        ("a negative test after it", [*FIRST, said_at("menses", 8, "missed"), checked(9)], 9, "quiet"),
        ("a negative test before it and one after", [*FIRST, checked(7), said_at("menses", 8, "missed"), checked(9)], 9, "quiet"),
        ("a negative test before it", [*FIRST, checked(7), said_at("menses", 8, "missed")], 9, "high"),
        ("an indeterminate test after it", [*FIRST, said_at("menses", 8, "missed"), checked(9, "indeterminate")], 9, "high"),
        ("a positive test after it", [*FIRST, said_at("menses", 8, "missed"), checked(9, "positive")], 9, "quiet"),
        ("a specialist's word", [*FIRST, said_at("menses", 8, "missed"), released(9)], 9, "quiet"),
        ("missed again after the test", [*FIRST, said_at("menses", 8, "missed"), checked(9), said_at("menses", 36, "missed")], 36, "high"),
        ("missed twice: one alert", [*FIRST, said_at("menses", 8, "missed"), said_at("menses", 15, "missed")], 15, "high"),
        ("not of childbearing potential", [*STERILE, said_at("menses", 8, "abnormal-bleeding")], 8, "quiet"),
        ("sex unknown", [lenalidomide(1), said_at("menses", 8, "missed")], 8, "high"),
        ("28 days after the end", [*FIRST, stopped(30), said_at("menses", 57, "missed")], 58, "high"),
        ("29 days after the end", [*FIRST, stopped(30), said_at("menses", 57, "missed")], 59, "quiet"),
        ("another statement", [*FIRST, said_at("contraception", 8, "none")], 8, "quiet"),
        ("nothing said: nothing to assess", FIRST, 8, "quiet"),
    ],
)  # fmt: skip
def test_missed_menses(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(MENSES, facts, day=day, using=policy(profile)) == answer


def test_missed_twice_is_one_alert_from_the_first() -> None:
    first, second = said_at("menses", 8, "missed"), said_at("menses", 15, "abnormal-bleeding")
    finding = found(MENSES, [*FIRST, first, second], day=15)
    assert (finding.subject, finding.since, finding.effective_at) == (first.id, first.at, first.at)
    assert [shown.fact.id for shown in finding.evidence] == [first.id, second.id]
    assert [shown.fact.id for shown in found(MENSES, [*FIRST, first], day=8).evidence] == [first.id]
    assert ask(MENSES, [*FIRST, first, stopped(30)], day=31).recheck_at == on(59, 0)


# --- what they hold ---


@pytest.mark.parametrize(
    ("shows", "facts", "causes"),
    [
        ("pregnancy", [*FIRST, checked(8, "positive")], {POSITIVE}),
        ("a code of pregnancy", [*FIRST, diagnosis(["pregnant"], 8)], {POSITIVE}),
        ("released", [*FIRST, checked(8, "positive"), released(9)], set()),
        ("preliminary", [*FIRST, checked(8, "positive", status=PRELIMINARY)], set()),
        ("a man's is verified first", [man(), lenalidomide(1), checked(8, "positive")], set()),
        ("found to be a man", [lenalidomide(1), checked(8, "positive"), replace(man(), at=on(9))], set()),
        ("indeterminate", [*FIRST, hcg(8, "10")], {INDETERMINATE}),
        ("indeterminate, preliminary", [*FIRST, hcg(8, "10", status=PRELIMINARY)], set()),
        ("not of potential", [*STERILE, hcg(8, "10")], set()),
        ("of none since", [*FIRST, hcg(8, "10"), said_at("childbearing-potential", 9, "no")], set()),
        ("missed menses", [*FIRST, said_at("menses", 8, "missed")], {MENSES}),
        ("answered", [*FIRST, said_at("menses", 8, "missed"), checked(9)], set()),
        ("nothing", [*FIRST, checked(8)], set()),
        ("a stale code", [woman(), diagnosis(["pregnant"], -295), lenalidomide(1)], set()),
    ],
)  # fmt: skip
def test_holds(shows: str, facts: list[AnyKept], causes: set[str]) -> None:
    at = on(10)
    assert {stop.rule for stop in View(ledger(facts), at, policy()).stops} == causes


def test_a_dispense_meanwhile_raises_hold_dispense_alone() -> None:
    for question in (checked(26, "positive"), hcg(26, "10"), said_at("menses", 26, "missed")):
        facts = [*FIRST, checked(1), question, lenalidomide(29)]
        assert said("hold-dispense", facts, day=29) == "critical"
        assert said("ppp-dispense-window", facts, day=29) == "quiet"
    assert said("hold-dispense", [*FIRST, hcg(26, "10"), checked(28), lenalidomide(29)], day=29) == "quiet"


def test_the_first_dispense_after_an_unanswered_test_is_against_a_hold() -> None:
    assert said("hold-dispense", [woman(), hcg(-2, "10"), lenalidomide(1)], day=1) == "critical"


def test_the_hold_of_a_question_ends_with_the_obligation() -> None:
    stop = View(ledger([*FIRST, hcg(8, "10"), stopped(30)]), on(31), policy()).stops[0]
    assert (stop.subject, stop.until) == (stop.opened.id, on(59, 0))


def test_nothing_is_resumed_while_it_stands() -> None:
    facts = [*FIRST, *cbc(8, "400"), *cbc(15, "1500"), checked(16, "positive")]
    assert said("anc-resume-ok", facts, day=16) == "quiet"
    assert said("anc-resume-ok", [*facts, released(18)], day=18) == "info"


def test_the_more_severe_rule_takes_over() -> None:
    for rule in (INDETERMINATE, MENSES):
        assert BY_ID[rule].superseded_by == (POSITIVE,)


def test_each_limit_is_policy() -> None:
    assert said(POSITIVE, [*FIRST, hcg(8, "20")], day=8, using=policy(ppp_hcg_positive_above="15")) == "critical"
    assert said(INDETERMINATE, [*FIRST, hcg(8, "8")], day=8, using=policy(ppp_hcg_negative_below="10")) == "quiet"
    longer = policy(ppp_tail_days="60")
    assert said(POSITIVE, [*FIRST, stopped(30), checked(70, "positive")], day=70, using=longer) == "critical"
    young = policy(ppp_pregnancy_code_days="200")
    assert said(POSITIVE, [woman(), diagnosis(["pregnant"], -250), lenalidomide(1)], day=1, using=young) == "quiet"


def test_the_dead_are_left_alone() -> None:
    died = [
        woman(),
        replace(woman(), died=on(20), at=on(20), id="dead"),
        lenalidomide(1),
        said_at("menses", 8, "missed"),
    ]
    assert said(MENSES, died, day=21) == "quiet"
    assert statement("menses", 1, "missed").code == "menses"
