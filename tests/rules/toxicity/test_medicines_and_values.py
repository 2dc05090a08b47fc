"""Second cancers, the thyroid, tumour lysis, and medicines that must not meet lenalidomide unwatched."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Diagnosis
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, finding_of, recheck_of
from tests.rules.bedside import PROFILES, diagnosis, lenalidomide, on, policy, result, statement, supply

SPM, THYROID, LYSIS, TRIO = "spm-event", "thy-abnormal", "tls-watch", "pembro-imid"
STATIN, HISTORY, TMPSMX = "statin-rhabdo", "thal-rash-history", "tmpsmx-safety"
STOP = statement("lenalidomide-stopped", 20, "toxicity")
START = lenalidomide(1)


def cancer(day: float, code: str | None = "C50.9", *kinds: str, history: bool = False) -> Diagnosis:
    return diagnosis(("second-malignancy", *(kinds or ("solid-cancer",))), day, code=code, history=history)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("new", [cancer(10)], 10, "high"),
        ("MDS", [cancer(10, "D46.9", "mds")], 10, "high"),
        ("before the first dose", [cancer(-10)], 10, "quiet"),
        ("history code", [cancer(10, history=True)], 10, "quiet"),
        ("a further record of it", [cancer(10), cancer(12, "C50.4")], 12, "high"),
        ("a record of one known from before", [cancer(-10), cancer(12, "C50.4")], 12, "quiet"),
        ("a record of one known as history", [cancer(-10, history=True), cancer(12)], 12, "quiet"),
        ("another one", [cancer(-10), cancer(12, "C61")], 12, "high"),
        ("two new ones", [cancer(10), cancer(12, "C61")], 12, "high, high"),
        ("two without codes are one", [cancer(10, None), cancer(12, None)], 12, "high"),
        ("without codes, of different kinds", [cancer(10, None), cancer(12, None, "aml")], 12, "high, high"),
        ("reviewed", [cancer(10), statement("spm-review", 12)], 12, "quiet"),
        ("reviewed before", [cancer(10), statement("spm-review", 9)], 12, "high"),
        ("27 days later", [cancer(10)], 37, "high"),
        ("28 days later", [cancer(10)], 38, "quiet"),
        ("myeloma itself", [diagnosis(["multiple-myeloma"], 10, code="C90.0")], 10, "quiet"),
        ("after the end of treatment", [STOP, cancer(25)], 26, "high"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_second_cancers(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    using = policy(profile)
    assert answer_of(SPM, START, facts, day=day, using=using) == answer
    assert answer_of("spm-label", START, facts, day=day, using=using) == "quiet"


def test_second_cancer_details() -> None:
    assert answer_of(SPM, cancer(10), day=11) == "quiet"
    found = finding_of(SPM, START, cancer(10), day=11)
    assert found.since == found.effective_at == on(10)
    assert found.subject == found.evidence[0].fact.id
    assert recheck_of(SPM, START, cancer(10), cancer(9, "C61"), day=11) == on(37)
    same_day = replace(cancer(1), at=on(1, 0), latest=on(1, 23.9))
    assert finding_of(SPM, START, same_day, day=2).effective_at == on(1, 10)
    assert policy().rules["spm-event"].citations[0].source == "S2"
    assert len(policy().rules["spm-event"].citations) == 2


# --- thyroid: 0.4 to 4.5 mIU/L are normal


def tsh(value: str, day: float = 5, **more: object) -> AnyKept:
    return result("tsh", value, day, **{"low": "0.4", "high": "4.5", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("at the upper limit", [tsh("4.5")], 5, "quiet"),
        ("above it", [tsh("4.51")], 5, "medium"),
        ("at the lower limit", [tsh("0.4")], 5, "quiet"),
        ("below it", [tsh("0.39")], 5, "medium"),
        ("exactly 10", [tsh("10")], 5, "medium"),
        ("above 10", [tsh("10.1")], 5, "high"),
        ("above 10, no range", [tsh("10.1", low=None, high=None)], 5, "high"),
        ("exactly 10, no range", [tsh("10", low=None, high=None)], 5, "cannot: the normal range of TSH"),
        ("no upper limit", [tsh("6", high=None)], 5, "cannot: the normal range of TSH"),
        ("no lower limit", [tsh("3", low=None)], 5, "cannot: the normal range of TSH"),
        ("no lower limit, but above the upper", [tsh("6", low=None)], 5, "medium"),
        ("no upper limit, but below the lower", [tsh("0.1", high=None)], 5, "medium"),
        ("a bound below the lower limit", [tsh("0.1", bound="<")], 5, "medium"),
        ("a bound that proves nothing", [tsh("4", bound="<")], 5, "cannot: the normal range of TSH"),
        ("in range again", [tsh("6"), tsh("4", 15)], 15, "quiet"),
        ("from before the first dose", [tsh("6", -5)], 1, "medium"),
        ("no TSH", [], 5, "quiet"),
        ("not yet started", [], -1, "quiet"),
        ("treated", [tsh("12"), supply("levothyroxine", 6, days=28)], 7, "quiet"),
        ("treatment ordered", [tsh("12"), supply("levothyroxine", 6, way="ordered")], 7, "quiet"),
        ("treatment over", [tsh("12"), supply("levothyroxine", 6, days=28)], 41, "high"),
        ("a newer one cannot be used", [tsh("2"), result("tsh", None, 6, doubt=ResultDoubt.UNIT_UNKNOWN)], 6, "cannot: a usable value of the newest TSH"),
        ("no range, and a newer one cannot be used", [tsh("2", high=None), result("tsh", None, 6, doubt=ResultDoubt.UNIT_UNKNOWN)], 6, "cannot: a usable value of the newest TSH"),
        ("course ended", [tsh("12"), STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_thyroid(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(THYROID, START, facts, day=day, using=policy(profile)) == answer


def test_thyroid_times() -> None:
    assert answer_of(THYROID, tsh("12"), day=6) == "quiet"
    first, second = tsh("12"), tsh("6", 15)
    found = finding_of(THYROID, START, first, second, day=16)
    assert (found.since, found.effective_at) == (on(5), on(15))
    alone = finding_of(THYROID, START, tsh("2"), second, day=16)
    assert (alone.since, alone.effective_at) == (on(15), on(15))
    early = finding_of(THYROID, START, tsh("12", -5), day=6)
    assert (early.since, early.effective_at) == (on(1, 10), on(1, 10))
    treated = supply("levothyroxine", 6, days=28)
    assert recheck_of(THYROID, START, first, treated, day=7) == on(41, 0)
    assert finding_of(THYROID, START, first, treated, day=42).effective_at == on(41, 0)
    assert finding_of(THYROID, START, first, day=6).title == "TSH 12 mIU/L on lenalidomide"
    assert "above 10" in finding_of(THYROID, START, first, day=6).message
    assert "outside the normal range" in finding_of(THYROID, START, second, day=16).message
    assert answer_of(THYROID, START, tsh("8"), day=6, using=policy(tsh_high_above="7")) == "high"


# --- tumour lysis


def value(analyte: str, number: str, day: float = 3, **more: object) -> AnyKept:
    return result(analyte, number, day, **more)  # type: ignore[arg-type]


LDH_HIGH, LDH_FINE = value("ldh", "300", -1, high="250"), value("ldh", "250", -1, high="250")
K, URATE, PHOSPHATE, CALCIUM = (
    value("potassium", "6.0"),
    value("urate", "8"),
    value("phosphate", "4.5"),
    value("calcium", "7"),
)


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("LDH above normal at the start", [LDH_HIGH], 1, "high"),
        ("LDH at the limit", [LDH_FINE], 1, "quiet"),
        ("urate above normal at the start", [value("urate", "7.1", -1, high="7")], 1, "high"),
        ("LDH above normal in the first days", [LDH_FINE, value("ldh", "251", 3, high="250")], 3, "high"),
        ("LDH fine in the first days", [LDH_HIGH, value("ldh", "250", 3, high="250")], 3, "quiet"),
        ("LDH above normal long before", [value("ldh", "300", -20, high="250")], 1, "cannot: LDH or urate at the start"),
        ("high burden", [statement("high-tumour-burden", -2, "yes")], 1, "high"),
        ("no high burden", [statement("high-tumour-burden", -2, "no")], 1, "quiet"),
        ("nothing known", [], 1, "cannot: LDH or urate at the start"),
        ("no normal limit", [value("ldh", "300", -1)], 1, "cannot: LDH or urate at the start"),
        ("no normal limit of LDH, urate is fine", [value("ldh", "300", -1), value("urate", "5", -1, high="7")], 1, "quiet"),
        ("nothing known, after the window", [], 9, "quiet"),
        ("day 8", [LDH_HIGH], 8, "high"),
        ("day 9", [LDH_HIGH], 9, "quiet"),
        ("one value of the set", [LDH_FINE, K], 3, "quiet"),
        ("two: potassium and urate", [LDH_FINE, K, URATE], 3, "high"),
        ("two: phosphate and calcium", [LDH_FINE, PHOSPHATE, CALCIUM], 3, "high"),
        ("potassium a step below", [LDH_FINE, value("potassium", "5.9"), URATE], 3, "quiet"),
        ("urate a step below", [LDH_FINE, K, value("urate", "7.9")], 3, "quiet"),
        ("phosphate a step below", [LDH_FINE, value("phosphate", "4.4"), CALCIUM], 3, "quiet"),
        ("calcium a step above", [LDH_FINE, PHOSPHATE, value("calcium", "7.1")], 3, "quiet"),
        ("a bound that proves nothing", [LDH_FINE, K, value("urate", "9", bound="<")], 3, "quiet"),
        ("25 % up", [LDH_FINE, value("urate", "4", -2), value("urate", "5"), K], 3, "high"),
        ("less than 25 % up", [LDH_FINE, value("urate", "4", -2), value("urate", "4.99"), K], 3, "quiet"),
        ("calcium 25 % down", [LDH_FINE, value("calcium", "10", -2), value("calcium", "7.5"), K], 3, "high"),
        ("calcium 25 % up", [LDH_FINE, value("calcium", "8", -2), value("calcium", "10"), K], 3, "quiet"),
        ("potassium 25 % down", [LDH_FINE, value("potassium", "5", -2), value("potassium", "3"), URATE], 3, "quiet"),
        ("a baseline that is a bound", [LDH_FINE, value("urate", "4", -2, bound="<"), value("urate", "6"), K], 3, "quiet"),
        ("a value that is a bound", [LDH_FINE, value("urate", "4", -2), value("urate", "6", bound="<"), K], 3, "quiet"),
        ("3 days before day 1", [LDH_FINE, value("potassium", "6.0", -3), value("urate", "8", -3)], 1, "high"),
        ("4 days before day 1", [LDH_FINE, value("potassium", "6.0", -4), value("urate", "8", -4)], 1, "quiet"),
        ("day 8 is in the window", [LDH_FINE, value("potassium", "6.0", 8), value("urate", "8", 8)], 20, "high"),
        ("day 9 is not", [LDH_FINE, value("potassium", "6.0", 9), value("urate", "8", 9)], 20, "quiet"),
        ("one in the window, one after", [LDH_FINE, value("potassium", "6.0", 8), value("urate", "8", 9)], 20, "quiet"),
        ("cleared", [LDH_FINE, K, URATE, value("potassium", "4", 5)], 5, "quiet"),
        ("cleared after the window", [LDH_FINE, K, URATE, value("potassium", "4", 15)], 15, "quiet"),
        ("still there after the window", [LDH_FINE, K, URATE, value("potassium", "6.2", 15)], 15, "high"),
        ("cleared, and back after the window", [LDH_FINE, K, URATE, value("potassium", "4", 7), value("potassium", "6", 15)], 15, "quiet"),
        ("preliminary", [LDH_FINE, K, value("urate", "8", status=FactStatus.PRELIMINARY)], 3, "quiet"),
        ("course ended", [LDH_FINE, K, URATE, STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_lysis(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(LYSIS, START, facts, day=day, using=policy(profile)) == answer


def test_lysis_times_and_words() -> None:
    assert answer_of(LYSIS, LDH_HIGH, K, URATE, day=4) == "quiet"
    risk = finding_of(LYSIS, START, LDH_HIGH, day=2)
    assert (risk.reason, risk.since, risk.effective_at) == ("risk", on(1, 10), on(1, 10))
    assert [shown.what for shown in risk.evidence] == ["LDH at the start"]
    assert recheck_of(LYSIS, START, LDH_HIGH, day=2) == on(9, 0)
    burden = statement("high-tumour-burden", 2, "yes", until=on(4))
    assert recheck_of(LYSIS, START, burden, day=3) == on(4)
    assert finding_of(LYSIS, START, burden, day=3).effective_at == on(2, 8)
    assert recheck_of(LYSIS, START, LDH_FINE, day=2) == on(9, 0)
    assert recheck_of(LYSIS, START, day=2) == on(9, 0)
    lab = finding_of(LYSIS, START, LDH_HIGH, K, value("urate", "8", 4), day=5)
    assert (lab.reason, lab.since, lab.effective_at) == ("lab-set", on(4), on(4))
    assert lab.title == "Laboratory tumour lysis: urate 8, potassium 6"
    worse = finding_of(LYSIS, START, K, value("urate", "8", 4), value("potassium", "6.4", 6), day=7)
    assert (worse.since, worse.effective_at) == (on(4), on(6))
    early = finding_of(LYSIS, START, value("potassium", "6.0", -2), value("urate", "8", -2), day=2)
    assert early.effective_at == on(1, 10)
    number = policy(tls_findings_at="3")
    assert answer_of(LYSIS, START, LDH_FINE, K, URATE, day=3, using=number) == "quiet"
    assert answer_of(LYSIS, START, LDH_FINE, K, URATE, PHOSPHATE, day=3, using=number) == "high"


def test_lysis_belongs_to_its_course() -> None:
    again = lenalidomide(40)
    assert (
        answer_of(LYSIS, START, LDH_FINE, K, URATE, STOP, again, value("ldh", "200", 41, high="250"), day=42) == "quiet"
    )
    late = [
        *(lenalidomide(1 + 28 * number) for number in range(8)),
        value("potassium", "6", 190),
        value("urate", "9", 190),
    ]
    assert answer_of(LYSIS, late, day=201) == "quiet"


# --- a PD-1 antibody with both


DEX = supply("dexamethasone", 1, dose="40", quantity="4", days=28)
PEMBRO = supply("pembrolizumab", 5, way="given", dose="200")


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("all three", [DEX, PEMBRO], 5, "critical"),
        ("no dexamethasone", [PEMBRO], 5, "quiet"),
        ("dexamethasone only ordered", [PEMBRO, supply("dexamethasone", 2, way="ordered")], 5, "quiet"),
        ("no antibody", [DEX], 5, "quiet"),
        ("antibody ordered", [DEX, supply("pembrolizumab", 5, way="ordered")], 5, "critical"),
        ("antibody planned", [DEX, supply("pembrolizumab", 5, way="ordered", status=FactStatus.PLANNED)], 5, "quiet"),
        ("a trial", [DEX, PEMBRO, statement("trial-of-combination", 4, "yes")], 5, "quiet"),
        ("no trial", [DEX, PEMBRO, statement("trial-of-combination", 4, "no")], 5, "critical"),
        ("dexamethasone over", [supply("dexamethasone", 1, way="given", dose="40"), supply("pembrolizumab", 28, way="given")], 28, "critical"),
        ("28 days after dexamethasone", [supply("dexamethasone", 1, way="given", dose="40"), supply("pembrolizumab", 28, way="given")], 29, "quiet"),
        ("42 days after the antibody", [PEMBRO, supply("dexamethasone", 40, way="given", dose="40")], 46, "critical"),
        ("longer", [PEMBRO, supply("dexamethasone", 40, way="given", dose="40")], 47, "quiet"),
        ("an antibody from before", [supply("pembrolizumab", -10, way="given"), DEX], 2, "critical"),
        ("course ended", [DEX, PEMBRO, STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_trio(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(TRIO, START, facts, day=day, using=policy(profile)) == answer


def test_trio_times() -> None:
    assert answer_of(TRIO, DEX, PEMBRO, day=6) == "quiet"
    found = finding_of(TRIO, START, DEX, PEMBRO, day=6)
    assert found.since == found.effective_at == on(5, 10)
    assert "Pembrolizumab" in found.title
    assert recheck_of(TRIO, START, DEX, PEMBRO, day=6) == on(29, 10)
    trial = statement("trial-of-combination", 4, "yes", until=on(7))
    assert recheck_of(TRIO, START, DEX, PEMBRO, trial, day=6) == on(7)
    assert finding_of(TRIO, START, DEX, PEMBRO, trial, day=8).effective_at == on(7)
    series = [supply("pembrolizumab", day, way="given") for day in (-70, 5, 26)]
    assert finding_of(TRIO, START, DEX, series, day=27).since == on(5, 10)
    home = supply("pembrolizumab", 5, way="home", until=on(80))
    dexes = [supply("dexamethasone", day, way="given") for day in (1, 22, 43, 64)]
    assert answer_of(TRIO, START, dexes, home, day=70) == "critical"
    assert recheck_of(TRIO, START, dexes, home, day=70) == on(80)
    days = policy(pd1_covers_days="14")
    assert answer_of(TRIO, START, DEX, PEMBRO, day=19, using=days) == "quiet"


# --- a statin: CK up to 200 is normal


HAS_STATIN = supply("statin", -20, way="home", until=on(90))
PAIN = diagnosis(["muscle-symptom"], 5)


def ck(number: str, day: float = 5, **more: object) -> AnyKept:
    return result("ck", number, day, **{"high": "200", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("a muscle complaint", [HAS_STATIN, PAIN], 5, "medium"),
        ("CK at 5 times", [HAS_STATIN, ck("1000")], 5, "quiet"),
        ("CK above 5 times", [HAS_STATIN, ck("1001")], 5, "medium"),
        ("a bound above", [HAS_STATIN, ck("1000", bound=">")], 5, "medium"),
        ("no statin", [PAIN, ck("1001")], 5, "quiet"),
        ("statin ordered", [supply("statin", 2, way="ordered"), ck("1001")], 5, "medium"),
        ("no normal limit", [HAS_STATIN, ck("5000", high=None)], 5, "cannot: the normal limit of CK"),
        ("no normal limit, but a complaint", [HAS_STATIN, ck("5000", high=None), PAIN], 5, "medium"),
        ("nothing", [HAS_STATIN], 5, "quiet"),
        ("CK down again", [HAS_STATIN, ck("1001"), ck("1000", 8)], 8, "quiet"),
        ("complaint over", [HAS_STATIN, diagnosis(["muscle-symptom"], 5, abated=on(8))], 8, "quiet"),
        ("complaint from before both", [HAS_STATIN, diagnosis(["muscle-symptom"], -5)], 5, "quiet"),
        ("complaint on the first day", [HAS_STATIN, replace(PAIN, at=on(1, 0), latest=on(1, 23.9))], 5, "medium"),
        ("history", [HAS_STATIN, diagnosis(["muscle-symptom"], 5, history=True)], 5, "quiet"),
        ("statin ended", [supply("statin", 1, days=10), PAIN], 18, "quiet"),
        ("statin in its grace", [supply("statin", 1, days=10), PAIN], 17, "medium"),
        ("course ended", [HAS_STATIN, PAIN, STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_statin(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(STATIN, START, facts, day=day, using=policy(profile)) == answer


def test_statin_times_and_words() -> None:
    assert answer_of(STATIN, HAS_STATIN, PAIN, day=6) == "quiet"
    both = finding_of(STATIN, START, HAS_STATIN, PAIN, ck("1001", 7), day=8)
    assert both.title == "Statin with lenalidomide: CK 1001 U/L and a muscle complaint"
    assert (both.since, both.effective_at) == (on(1, 10), on(7))
    late = finding_of(STATIN, START, supply("statin", 6, days=30), ck("1001", 5), day=8)
    assert (late.since, late.effective_at) == (on(6, 10), on(6, 10))
    assert late.title.endswith("CK 1001 U/L")
    ends = [diagnosis(["muscle-symptom"], 5, abated=on(12)), diagnosis(["muscle-symptom"], 6, abated=on(10))]
    assert recheck_of(STATIN, START, HAS_STATIN, ends, day=8) == on(10)
    assert recheck_of(STATIN, START, HAS_STATIN, day=8) == on(97)
    assert recheck_of(STATIN, START, HAS_STATIN, ck("1", high=None), day=8) == on(97)
    assert answer_of(STATIN, START, HAS_STATIN, ck("500"), day=6, using=policy(statin_ck_times_uln="2")) == "medium"


# --- thalidomide in the past


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("stated", [START, statement("thalidomide-severe-rash", -5, "yes")], 1, "high"),
        ("stated not", [START, statement("thalidomide-severe-rash", -5, "no")], 1, "quiet"),
        ("before the first dose", [lenalidomide(1, way="ordered"), statement("thalidomide-severe-rash", -5, "yes")], 2, "high"),
        ("not enrolled", [statement("thalidomide-severe-rash", -5, "yes")], 2, "quiet"),
        ("coded grade 4, thalidomide", [START, diagnosis(["rash"], -100, grade=4, related=("thalidomide",))], 1, "high"),
        ("coded severe form with a grade", [START, diagnosis(["sjs"], -100, grade=4, related=("thalidomide",))], 1, "high"),
        ("coded grade 3", [START, diagnosis(["rash"], -100, grade=3, related=("thalidomide",))], 1, "quiet"),
        ("coded without a grade", [START, diagnosis(["rash"], -100, related=("thalidomide",))], 1, "quiet"),
        ("coded grade 4, another medicine", [START, diagnosis(["rash"], -100, grade=4, related=("bortezomib",))], 1, "quiet"),
        ("coded grade 4, something else", [START, diagnosis(["fatigue"], -100, grade=4, related=("thalidomide",))], 1, "quiet"),
        ("course ended", [START, statement("thalidomide-severe-rash", -5, "yes"), STOP], 21, "quiet"),
        ("a new course", [START, statement("thalidomide-severe-rash", -5, "yes"), STOP, lenalidomide(40)], 41, "high"),
        ("retracted", [START, replace(statement("thalidomide-severe-rash", -5, "yes"), status=FactStatus.WITHDRAWN)], 1, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_thalidomide(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(HISTORY, facts, day=day, using=policy(profile)) == answer


def test_thalidomide_times() -> None:
    word = statement("thalidomide-severe-rash", -5, "yes", until=on(9))
    found = finding_of(HISTORY, START, word, day=2)
    assert (found.since, found.effective_at) == (on(-5, 8), on(1, 10))
    assert recheck_of(HISTORY, START, word, day=2) == on(9)
    assert recheck_of(HISTORY, START, statement("thalidomide-severe-rash", -5, "no", until=on(9)), day=2) == on(9)
    again = finding_of(HISTORY, START, statement("thalidomide-severe-rash", -5, "yes"), STOP, lenalidomide(40), day=41)
    assert again.effective_at == on(40, 10)
    assert finding_of(HISTORY, START, statement("thalidomide-severe-rash", 3, "yes"), day=4).effective_at == on(3, 8)


# --- co-trimoxazole


TAKEN = supply("co-trimoxazole", 1, days=90)


def lab(analyte: str, number: str, day: float, **more: object) -> AnyKept:
    return result(analyte, number, day, **more)  # type: ignore[arg-type]


FINE = lab("potassium", "4.0", 4)
CREATININE_UP = [lab("creatinine", "1.0", -2), lab("creatinine", "1.21", 8)]
CYSTATIN = [lab("cystatin-c", "1.00", -2), lab("cystatin-c", "1.10", 8)]
UREA = [lab("urea-nitrogen", "20", -2), lab("urea-nitrogen", "22", 8)]


@pytest.mark.parametrize(
    ("shows", "facts", "day", "answer"),
    [
        ("potassium 5.5", [TAKEN, lab("potassium", "5.5", 4)], 8, "quiet"),
        ("potassium above 5.5", [TAKEN, lab("potassium", "5.51", 4)], 8, "medium"),
        ("not on it", [lab("potassium", "6", 4)], 8, "quiet"),
        ("no potassium", [TAKEN], 8, "cannot: potassium"),
        ("potassium high before it began", [TAKEN, lab("potassium", "6", -1)], 8, "medium"),
        ("potassium fine before it began", [TAKEN, lab("potassium", "4", -1)], 8, "quiet"),
        ("potassium down again", [TAKEN, lab("potassium", "6", 4), lab("potassium", "5", 7)], 8, "quiet"),
        ("creatinine up, cystatin C stable", [TAKEN, FINE, *CREATININE_UP, *CYSTATIN], 8, "medium"),
        ("creatinine up, urea stable", [TAKEN, FINE, *CREATININE_UP, *UREA], 8, "medium"),
        ("creatinine up by 20 %", [TAKEN, FINE, lab("creatinine", "1.0", -2), lab("creatinine", "1.2", 8), *UREA], 8, "quiet"),
        ("creatinine up, both up", [TAKEN, FINE, *CREATININE_UP, CYSTATIN[0], lab("cystatin-c", "1.11", 8), UREA[0], lab("urea-nitrogen", "23", 8)], 8, "quiet"),
        ("creatinine up, one of them up", [TAKEN, FINE, *CREATININE_UP, *CYSTATIN, UREA[0], lab("urea-nitrogen", "23", 8)], 8, "medium"),
        ("creatinine up, one up and the other unknown", [TAKEN, FINE, *CREATININE_UP, UREA[0], lab("urea-nitrogen", "23", 8)], 8, "quiet"),
        ("creatinine up, neither known", [TAKEN, FINE, *CREATININE_UP], 8, "cannot: cystatin C or urea before and on co-trimoxazole"),
        ("neither known, and no potassium", [TAKEN, *CREATININE_UP], 8, "cannot: potassium, cystatin C or urea before and on co-trimoxazole"),
        ("neither known, but potassium is high", [TAKEN, *CREATININE_UP, lab("potassium", "6", 4)], 8, "medium"),
        ("creatinine not known from before", [TAKEN, FINE, CREATININE_UP[1], *UREA], 8, "quiet"),
        ("creatinine up before it", [TAKEN, FINE, lab("creatinine", "1.0", -9), lab("creatinine", "1.3", -2), *UREA], 8, "quiet"),
        ("measured twice since", [TAKEN, FINE, *CREATININE_UP, lab("creatinine", "1.3", 9), *UREA], 9, "medium"),
        ("a bound", [TAKEN, FINE, lab("creatinine", "1.0", -2, bound="<"), lab("creatinine", "1.3", 8), *UREA], 8, "quiet"),
        ("ended", [supply("co-trimoxazole", 1, days=10), lab("potassium", "6", 4)], 18, "quiet"),
        ("ordered", [supply("co-trimoxazole", 1, way="ordered"), lab("potassium", "6", 4)], 8, "medium"),
        ("course ended", [TAKEN, lab("potassium", "6", 4), STOP], 21, "quiet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_tmpsmx(profile: str, shows: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(TMPSMX, START, facts, day=day, using=policy(profile)) == answer


def test_tmpsmx_times_and_words() -> None:
    assert answer_of(TMPSMX, TAKEN, lab("potassium", "6", 4), day=8) == "quiet"
    facts = [START, TAKEN, lab("potassium", "6", 4), *CREATININE_UP, *UREA]
    found = finding_of(TMPSMX, facts, day=9)
    assert found.title == "Co-trimoxazole: potassium 6 mmol/L and creatinine 1.21 mg/dL with a stable urea nitrogen"
    assert (found.since, found.effective_at) == (on(1, 10), on(8))
    assert [shown.what for shown in found.evidence][1:] == ["newest potassium", "newest creatinine", "stayed as it was"]
    assert recheck_of(TMPSMX, facts, day=9) == on(98, 0)
    assert recheck_of(TMPSMX, START, TAKEN, FINE, day=9) == on(98, 0)
    assert recheck_of(TMPSMX, START, TAKEN, day=9) == on(98, 0)
    before = [START, supply("co-trimoxazole", -5, days=90), lab("potassium", "6", -4)]
    assert finding_of(TMPSMX, before, day=2).effective_at == on(1, 10)
    stricter = policy(tmpsmx_creatinine_rise_percent="30", tmpsmx_potassium_above="6")
    assert answer_of(TMPSMX, facts, day=9, using=stricter) == "quiet"
    assert (
        answer_of(
            TMPSMX,
            facts[:2],
            FINE,
            *CREATININE_UP,
            UREA[0],
            lab("urea-nitrogen", "23", 8),
            day=9,
            using=policy(tmpsmx_stable_percent="15"),
        )
        == "medium"
    )


UNGRADED = diagnosis(["rash"], 5)
MILD = [diagnosis(["fatigue"], 5, grade=2), statement("lenalidomide-changed-for", 6, "fatigue")]
DEX_ONCE = supply("dexamethasone", 4, way="given", dose="40")


@pytest.mark.parametrize(
    ("shows", "rule", "facts", "day", "hour", "answer"),
    [
        ("a second cancer, the instant before", SPM, [cancer(10)], 38, 8.99, "high"),
        ("a second cancer", SPM, [cancer(10)], 38, 9, "quiet"),
        (
            "a rash nobody graded, the instant before",
            "derm-stop",
            [UNGRADED],
            33,
            8.99,
            "cannot: the grade of the rash",
        ),
        ("a rash nobody graded", "derm-stop", [UNGRADED], 33, 9, "quiet"),
        ("a change for a mild complaint, the instant before", "ae-mild-manage", MILD, 34, 7.99, "info"),
        ("a change for a mild complaint", "ae-mild-manage", MILD, 34, 8, "quiet"),
        ("a single dose of dexamethasone, the instant before", TRIO, [PEMBRO, DEX_ONCE], 32, 9.99, "critical"),
        ("a single dose of dexamethasone", TRIO, [PEMBRO, DEX_ONCE], 32, 10, "quiet"),
        ("the window of lysis, the instant before", LYSIS, [LDH_HIGH], 8, 23.99, "high"),
        ("the window of lysis", LYSIS, [LDH_HIGH], 9, 0, "quiet"),
    ],
)
def test_what_ends_by_itself_ends_at_its_instant(
    shows: str, rule: str, facts: list[AnyKept], day: float, hour: float, answer: str
) -> None:
    assert answer_of(rule, START, facts, day=day, hour=hour) == answer
