"""Pneumonia, hepatitis B, zoster, Pneumocystis, and levofloxacin in the newly diagnosed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.catalogue import BY_ID
from rules.entry import Form
from rules.picture import AnyKept, Result, Supply
from schemas.events import FactStatus
from tests.rules.bedside import PROFILES, cbc, diagnosis, lenalidomide, on, policy, result, statement, supply
from tests.rules.thrombosis.clinic import ask, found, said

PNEUMONIA, HBV, ZOSTER, PJP, LEVO = "inf-pneumonia", "hbv-status", "aci-zoster", "pjp", "levo-12w"
FIRST = lenalidomide(1)
ENDED = statement("lenalidomide-stopped", 9, "other")
LATER = statement("cycle-day-1-taken", 1, when=on(9))
"""A first dose that is said for a day that has not come."""


def dx(day: float, **more: object) -> AnyKept:
    return diagnosis(["infection", "pneumonia"], day, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("coded on treatment", [FIRST, dx(8)], 8, 12, "high"),
        ("on the first day, before the dispense", [dx(1), FIRST], 8, 12, "quiet"),
        ("before treatment", [FIRST, dx(-3)], 8, 12, "quiet"),
        ("after the end", [FIRST, ENDED, dx(12)], 12, 12, "quiet"),
        ("before the end, shown on", [FIRST, dx(8), ENDED], 12, 12, "high"),
        ("a history code", [FIRST, dx(8, history=True)], 8, 12, "quiet"),
        ("another infection", [FIRST, diagnosis(["infection"], 8)], 8, 12, "quiet"),
        ("unconfirmed", [FIRST, replace(dx(8), status=FactStatus.PRELIMINARY)], 8, 12, "high provisional"),
        ("confirmed since", [FIRST, replace(dx(8), status=FactStatus.PRELIMINARY), dx(9)], 9, 12, "high"),
        ("planned is no diagnosis", [FIRST, replace(dx(8), status=FactStatus.PLANNED)], 8, 12, "quiet"),
        ("the last minute of 14 days", [FIRST, dx(8)], 22, 8.99, "high"),
        ("after 14 days", [FIRST, dx(8)], 22, 9, "quiet"),
        ("coded again within them", [FIRST, dx(8), dx(20)], 30, 12, "high"),
        ("14 days after the last code", [FIRST, dx(8), dx(20)], 34, 9, "quiet"),
        ("coded again after them: another one", [FIRST, dx(8), dx(22)], 22, 12, "high"),
        ("ended", [FIRST, dx(8, abated=on(12))], 12, 12, "quiet"),
        ("to end tomorrow", [FIRST, dx(8, abated=on(13))], 12, 12, "high"),
        ("over without a date", [FIRST, dx(8, active=False)], 8, 12, "quiet"),
        ("not treated", [dx(8)], 8, 12, "quiet"),
    ],
)  # fmt: skip
def test_pneumonia(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str, profile: str) -> None:
    assert said(PNEUMONIA, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_codes_that_follow_each_other_are_one_pneumonia() -> None:
    first, second = dx(8, grade=2), dx(20, grade=3)
    finding = found(PNEUMONIA, [FIRST, first, second, *cbc(19, "800")], day=21)
    assert (finding.subject, finding.since, finding.effective_at) == (first.id, first.at, first.at)
    assert [shown.fact.id for shown in finding.evidence] == [first.id, second.id]
    assert finding.context == ("Graded 3.", "Newest ANC 800 cells/uL of 2026-06-19.")
    assert ask(PNEUMONIA, [FIRST, first, second], day=21).recheck_at == on(34)
    alone = found(PNEUMONIA, [FIRST, dx(8)], day=8)
    assert alone.context == ("No grade is recorded.", "No ANC is known.")
    assert len(alone.evidence) == 1


def test_after_its_end_a_new_code_is_another_pneumonia() -> None:
    old, new = dx(8, abated=on(12)), dx(15)
    assert found(PNEUMONIA, [FIRST, old, new], day=15).subject == new.id
    assert said(PNEUMONIA, [FIRST, dx(8), dx(9)], day=30, using=policy(inf_pneumonia_shown_days="28")) == "high"
    assert ask(PNEUMONIA, [FIRST, dx(8, abated=on(13))], day=12).recheck_at == on(13)
    assert ask(PNEUMONIA, [FIRST, dx(8, abated=on(40))], day=12).recheck_at == on(22)


def serology(name: str, answer: str, day: float, **more: object) -> Result:
    return replace(result(name, None, day, **more), answer=answer)  # type: ignore[arg-type]


NEGATIVE = [serology("hbsag", "negative", -5), serology("anti-hbc", "negative", -5)]
CORE = [serology("hbsag", "negative", -5), serology("anti-hbc", "positive", -5)]
MONITORED = statement("hbv-monitoring", -4, "yes")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("neither known at the start", [FIRST], 1, 12, "unknown medium"),
        ("both negative", [FIRST, *NEGATIVE], 1, 12, "quiet"),
        ("only HBsAg", [FIRST, NEGATIVE[0]], 1, 12, "unknown medium"),
        ("only anti-HBc", [FIRST, NEGATIVE[1]], 1, 12, "unknown medium"),
        ("known since", [FIRST, serology("hbsag", "negative", 5), serology("anti-hbc", "negative", 5)], 5, 12, "quiet"),
        ("preliminary", [FIRST, NEGATIVE[0], serology("anti-hbc", "negative", -5, status=FactStatus.PRELIMINARY)], 1, 12, "unknown medium"),
        ("indeterminate", [FIRST, NEGATIVE[0], serology("anti-hbc", "indeterminate", -5)], 1, 12, "unknown medium"),
        ("positive: the last minute of a week", [FIRST, *CORE], 8, 23.99, "quiet"),
        ("positive, no monitoring", [FIRST, *CORE], 9, 0, "positive medium"),
        ("HBsAg positive, anti-HBc unknown", [FIRST, serology("hbsag", "positive", -5)], 9, 0, "positive medium"),
        ("positive, monitored", [FIRST, *CORE, MONITORED], 20, 12, "quiet"),
        ("positive, said not to be monitored", [FIRST, *CORE, statement("hbv-monitoring", -4, "no")], 20, 12, "positive medium"),
        ("monitoring ended", [FIRST, *CORE, statement("hbv-monitoring", -4, "yes", until=on(15))], 20, 12, "positive medium"),
        ("found positive on treatment", [FIRST, *NEGATIVE, serology("hbsag", "positive", 20)], 27, 12, "quiet"),
        ("a week later", [FIRST, *NEGATIVE, serology("hbsag", "positive", 20)], 28, 0, "positive medium"),
        ("the newest counts", [FIRST, serology("hbsag", "positive", -9), *NEGATIVE], 20, 12, "quiet"),
        ("not treated", [supply("lenalidomide", 1, way="ordered")], 1, 12, "quiet"),
        ("ended", [FIRST, ENDED], 9, 12, "quiet"),
        ("the first dose said for later", [LATER], 5, 12, "quiet"),
    ],
)  # fmt: skip
def test_hepatitis_b(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str, profile: str) -> None:
    assert said(HBV, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_hepatitis_b_says_which_and_since_when() -> None:
    unknown = found(HBV, [FIRST, NEGATIVE[0]], day=5)
    assert (unknown.since, unknown.effective_at) == (FIRST.at, FIRST.at)
    assert "No valid result of anti-HBc is" in unknown.message
    assert "HBsAg and anti-HBc" in found(HBV, [FIRST], day=5).message
    positive = found(HBV, [FIRST, *CORE], day=20)
    assert (positive.since, positive.effective_at) == (FIRST.at, on(9, 0))
    assert [shown.what for shown in positive.evidence] == ["anti-HBc"]
    ended = [FIRST, *CORE, statement("hbv-monitoring", -4, "yes", until=on(15))]
    assert found(HBV, ended, day=20).effective_at == on(15)
    assert ask(HBV, ended, day=12).recheck_at == on(15)
    assert ask(HBV, [FIRST, *CORE], day=2).recheck_at == on(9, 0)
    assert ask(HBV, [LATER], day=5).recheck_at == on(9)
    both = [FIRST, serology("anti-hbc", "positive", 12), serology("hbsag", "positive", 10)]
    assert found(HBV, both, day=40).since == on(10)
    assert said(HBV, [FIRST, *CORE], day=5, using=policy(hbv_wait_days="0")) == "positive medium"


def given(medicine: str, day: float, way: str = "given", **more: object) -> Supply:
    """A proteasome inhibitor or CD38 antibody."""
    group = "anti-cd38" if medicine == "daratumumab" else "proteasome-inhibitor"
    return replace(supply(medicine, day, way=way, **more), classes=(group,))  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "answer"),
    [
        ("bortezomib: the last minute of 3 days", [FIRST, given("bortezomib", 8)], 11, 23.99, "quiet"),
        ("bortezomib, then", [FIRST, given("bortezomib", 8)], 12, 0, "medium"),
        ("daratumumab", [FIRST, given("daratumumab", 8)], 12, 0, "medium"),
        ("dispensed for home", [FIRST, given("ixazomib", 8, way="dispensed", days=28)], 12, 0, "medium"),
        ("only ordered", [FIRST, given("bortezomib", 8, way="ordered")], 12, 0, "quiet"),
        ("only planned", [FIRST, given("bortezomib", 8, status=FactStatus.PLANNED)], 12, 0, "quiet"),
        ("aciclovir", [FIRST, given("bortezomib", 8), supply("aciclovir", 9, days=28)], 12, 0, "quiet"),
        ("valaciclovir", [FIRST, given("bortezomib", 8), supply("valaciclovir", -9, way="home", until=on(90))], 12, 0, "quiet"),
        ("famciclovir does not count", [FIRST, given("bortezomib", 8), supply("famciclovir", 9, days=28)], 12, 0, "medium"),
        ("aciclovir only ordered", [FIRST, given("bortezomib", 8), supply("aciclovir", 9, way="ordered")], 12, 0, "medium"),
        ("aciclovir used up", [FIRST, given("bortezomib", 8), supply("aciclovir", 9, days=7)], 23, 0, "medium"),
        ("aciclovir in its grace", [FIRST, given("bortezomib", 8), supply("aciclovir", 9, days=7)], 22, 23.99, "quiet"),
        ("the last day of 35", [FIRST, given("bortezomib", 8)], 43, 23.99, "medium"),
        ("not given for longer", [FIRST, given("bortezomib", 8)], 44, 0, "quiet"),
        ("given again after a pause", [FIRST, given("bortezomib", 8), given("bortezomib", 50)], 53, 12, "quiet"),
        ("and days later", [FIRST, given("bortezomib", 8), given("bortezomib", 50)], 54, 0, "medium"),
        ("given on and on", [FIRST, given("bortezomib", 8), given("bortezomib", 43)], 44, 0, "medium"),
        ("from before treatment", [FIRST, given("bortezomib", -9)], 4, 23.99, "quiet"),
        ("from before treatment, days later", [FIRST, given("bortezomib", -9)], 5, 0, "medium"),
        ("none added", [FIRST], 12, 0, "quiet"),
        ("ended", [FIRST, given("bortezomib", 2), ENDED], 12, 0, "quiet"),
        ("not treated", [given("bortezomib", 2)], 12, 0, "quiet"),
    ],
)  # fmt: skip
def test_zoster(shows: str, facts: list[AnyKept], day: float, hour: float, answer: str, profile: str) -> None:
    assert said(ZOSTER, facts, day=day, hour=hour, using=policy(profile)) == answer


def test_zoster_since_and_recheck() -> None:
    one = given("bortezomib", 8)
    finding = found(ZOSTER, [FIRST, one, given("bortezomib", 11)], day=13)
    assert (finding.since, finding.effective_at) == (on(12, 0), on(12, 0))
    assert [shown.fact.id for shown in finding.evidence] == [one.id]
    assert finding.title == "No antiviral prophylaxis with bortezomib"
    lapsed = found(ZOSTER, [FIRST, one, supply("aciclovir", 9, days=7)], day=30)
    assert lapsed.since == on(23, 0)
    assert [shown.what for shown in lapsed.evidence] == ["added", "last antiviral"]
    assert ask(ZOSTER, [FIRST, one], day=9).recheck_at == on(12, 0)
    assert ask(ZOSTER, [FIRST, one], day=13).recheck_at == on(44, 0)
    assert ask(ZOSTER, [FIRST, one, supply("aciclovir", 9, days=7)], day=13).recheck_at == on(23, 0)
    ahead = statement("lenalidomide-stopped", 5, "other", when=on(20))
    assert ask(ZOSTER, [FIRST, one, ahead], day=13).recheck_at == on(20)
    assert ask(ZOSTER, [LATER], day=5).recheck_at == on(9)
    assert said(ZOSTER, [FIRST, one], day=9, using=policy(aci_wait_days="0")) == "medium"
    assert said(ZOSTER, [FIRST, one], day=50, using=policy(aci_drug_days="60")) == "medium"


def dexamethasone(day: float, mg: str = "40", way: str = "given", days: int | None = None) -> Supply:
    return supply("dexamethasone", day, way=way, dose=mg, days=days)


def boxes(day: float, mg: str, quantity: str, days: int) -> Supply:
    return supply("dexamethasone", day, strength=mg, quantity=quantity, days=days)


def planned(mg: str, until: float | None = None) -> AnyKept:
    return statement("dexamethasone-plan-mg-per-cycle", -2, number=mg, until=on(until) if until else None)


def cover(medicine: str, day: float) -> Supply:
    return replace(supply(medicine, day, days=28), classes=("pjp-cover",))


WEEKLY = [dexamethasone(day) for day in (1, 8, 15, 22)]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("planned 160 mg", [FIRST, planned("160")], 2, "info"),
        ("planned 159 mg", [FIRST, planned("159")], 2, "quiet"),
        ("that plan ended", [FIRST, planned("160", until=2)], 2, "quiet"),
        ("a plan without its number", [FIRST, statement("dexamethasone-plan-mg-per-cycle", -2)], 2, "quiet"),
        ("given 4 times 40 mg", [FIRST, *WEEKLY], 22, "info"),
        ("given 3 times", [FIRST, *WEEKLY[:3]], 22, "quiet"),
        ("the first falls out of the window", [FIRST, *WEEKLY], 29, "quiet"),
        ("given of unknown dose", [FIRST, supply("dexamethasone", 2, way="given")], 2, "quiet"),
        ("dispensed 160 mg for 28 days", [FIRST, boxes(1, "4", "40", 28)], 2, "info"),
        ("dispensed a little less", [FIRST, boxes(1, "4", "39", 28)], 2, "quiet"),
        ("dispensed for 3 cycles", [FIRST, boxes(1, "4", "120", 84)], 2, "info"),
        ("the same for longer", [FIRST, boxes(1, "4", "120", 85)], 2, "quiet"),
        ("a short pulse counts as it is", [FIRST, boxes(1, "40", "4", 4)], 2, "info"),
        ("dispensed, used up", [FIRST, boxes(1, "40", "4", 4)], 5, "quiet"),
        ("only ordered", [FIRST, dexamethasone(1, "400", way="ordered", days=28)], 2, "quiet"),
        ("of unknown size", [FIRST, supply("dexamethasone", 1, days=28)], 2, "quiet"),
        ("co-trimoxazole", [FIRST, planned("160"), cover("co-trimoxazole", 1)], 2, "quiet"),
        ("atovaquone", [FIRST, planned("160"), cover("atovaquone", 1)], 2, "quiet"),
        ("its cover ended", [FIRST, planned("160"), cover("atovaquone", 1)], 36, "info"),
        ("another antibacterial", [FIRST, planned("160"), supply("levofloxacin", 1, days=28)], 2, "info"),
        ("unknown dose", [FIRST], 2, "quiet"),
        ("ended", [FIRST, planned("160"), ENDED], 9, "quiet"),
        ("not treated", [planned("160")], 2, "quiet"),
        ("the first dose said for later", [LATER, planned("160")], 5, "quiet"),
    ],
)  # fmt: skip
def test_pneumocystis(shows: str, facts: list[AnyKept], day: float, answer: str, profile: str) -> None:
    assert said(PJP, facts, day=day, using=policy(profile)) == answer


def test_pneumocystis_is_a_note_with_the_highest_reading() -> None:
    assert BY_ID[PJP].form is Form.CONTEXT
    finding = found(PJP, [FIRST, planned("160"), *[dexamethasone(day) for day in (1, 2, 3, 4, 8)]], day=8)
    assert finding.title == "Dexamethasone 200 mg in 28 days without Pneumocystis cover"
    assert finding.since == finding.effective_at == on(8, 10)
    assert ask(PJP, [FIRST, *WEEKLY], day=22).recheck_at == on(29, 10)
    assert ask(PJP, [FIRST, planned("160", until=20)], day=8).recheck_at == on(20)
    assert ask(PJP, [FIRST, boxes(1, "4", "40", 28)], day=8).recheck_at == on(29, 0)
    assert ask(PJP, [FIRST, planned("160"), cover("dapsone", 1)], day=8).recheck_at == on(36, 0)
    assert said(PJP, [FIRST, planned("160")], day=8, using=policy(pjp_dex_mg="320")) == "quiet"
    assert said(PJP, [FIRST, *WEEKLY], day=29, using=policy(dex_window_days="35")) == "info"


FRESH = statement("therapy-line", -5, number="0")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("shows", "facts", "day", "hour", "is_found"),
    [
        ("newly diagnosed", [FIRST, FRESH], 2, 12, True),
        ("one line before", [FIRST, statement("therapy-line", -5, number="1")], 2, 12, False),
        ("lines not recorded", [FIRST], 2, 12, False),
        ("that word ended", [FIRST, statement("therapy-line", -5, number="0", until=on(2))], 2, 12, False),
        ("levofloxacin", [FIRST, FRESH, supply("levofloxacin", 1, days=84)], 2, 12, False),
        ("used up", [FIRST, FRESH, supply("levofloxacin", 1, days=14)], 22, 0, True),
        ("the last day of week 12", [FIRST, FRESH], 84, 23.99, True),
        ("after it", [FIRST, FRESH], 85, 0, False),
        ("ended", [FIRST, FRESH, ENDED], 9, 12, False),
        ("not treated", [FRESH], 9, 12, False),
        ("the first dose said for later", [LATER, FRESH], 5, 12, False),
    ],
)  # fmt: skip
def test_levofloxacin_is_found_and_switched_off(
    shows: str, facts: list[AnyKept], day: float, hour: float, is_found: bool, profile: str
) -> None:
    """It is for newly diagnosed patients: no profile raises it, and a site that treats them may."""
    using = policy(profile)
    assert (said(LEVO, facts, day=day, hour=hour, using=using) == "None") is is_found
    assert using.severity(LEVO) is None


def test_levofloxacin_since_and_recheck() -> None:
    finding = found(LEVO, [FIRST, statement("therapy-line", 8, number="0")], day=9)
    assert (finding.since, finding.effective_at) == (FIRST.at, on(8, 8))
    used_up = [FIRST, FRESH, supply("levofloxacin", 1, days=14)]
    assert (found(LEVO, used_up, day=30).since, ask(LEVO, used_up, day=8).recheck_at) == (on(22, 0), on(22, 0))
    assert ask(LEVO, [FIRST, FRESH], day=30).recheck_at == on(85, 0)
    assert ask(LEVO, [LATER, FRESH], day=5).recheck_at == on(9)
    assert isinstance(ask(LEVO, [FIRST, FRESH], day=40, using=policy(levo_days="28")), type(ask(LEVO, [], day=40)))


@pytest.mark.parametrize("rule", [HBV, "vaccines"])
def test_a_refill_is_no_news(rule: str) -> None:
    """What is missing since the first dose stays the same finding through more refills than are kept."""
    first, refills = lenalidomide(1, fact_id="first"), [lenalidomide(1 + 28 * number) for number in range(1, 13)]
    assert [shown.fact.id for shown in found(rule, [first, *refills], day=350).evidence] == ["first"]
    word = statement("cycle-day-1-taken", 1, when=on(1))
    ordered = supply("lenalidomide", -1, way="ordered", dose="25", fact_id="ordered")
    assert [shown.fact for shown in found(rule, [ordered, word], day=5).evidence] == [word]


def test_what_a_later_result_took_back_was_another_question() -> None:
    """A positive test that is repeated as negative: the other test is asked for from then on."""
    facts = [lenalidomide(1), serology("anti-hbc", "positive", -1), serology("anti-hbc", "negative", 3)]
    assert found(HBV, facts, day=5).effective_at == facts[-1].at
