"""Where the three published rule sets differ: the same counts, days and doses, told by each profile."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rules.picture import AnyKept
from rules.policy.reading import Policy, read_keys, read_policy
from schemas.alerts import Severity
from schemas.events import FactStatus
from tests.rules.asking import alerts, answer_of, finding_of, start
from tests.rules.bedside import PROFILES, cbc, diagnosis, ledger, lenalidomide, policy, result, statement, view

FOLDER = Path(__file__).resolve().parents[3] / "rules" / "policy"
KR, US, EU = (policy(name) for name in PROFILES)
ANC_RULES = {"anc-hold", "anc-cycle-delay", "anc-low-watch", "anc-gcsf-missing", "anc-persistent-reduce",
             "anc-resume-ok"}  # fmt: skip


def anc(day: float, value: str, **more: object) -> AnyKept:
    return result("anc", value, day, **more)  # type: ignore[arg-type]


def said(*facts: object, day: float, using: Policy) -> str:
    """Rules and severities, as `anc-hold critical`."""
    found = alerts(start(), *facts, day=day, using=using) & ANC_RULES  # type: ignore[arg-type]
    told = [(rule, answer_of(rule, start(), *facts, day=day, using=using)) for rule in sorted(found)]  # type: ignore[arg-type]
    return ", ".join(f"{rule} {severity}" for rule, severity in told if severity != "None") or "quiet"


# --- neutrophils: table 3.1, each row and one step beside it ---


@pytest.mark.parametrize(
    ("value", "kr", "us", "eu"),
    [
        ("1000", "quiet", "quiet", "quiet"),
        ("999.9", "anc-low-watch medium", "anc-hold high", "quiet"),
        ("501", "anc-low-watch medium", "anc-hold high", "quiet"),
        ("500", "anc-hold critical", "anc-hold high", "quiet"),
        ("499.9", "anc-hold critical", "anc-hold critical", "anc-hold critical"),
        ("99", "anc-hold critical", "anc-hold critical", "anc-hold critical"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_first_low_count_mid_cycle(profile: str, value: str, kr: str, us: str, eu: str) -> None:
    expected = dict(zip(PROFILES, (kr, us, eu), strict=True))[profile]
    assert said(anc(8, value), day=8, using=policy(profile)) == expected


@pytest.mark.parametrize(
    ("value", "kr", "us", "eu"),
    [
        ("1000", "quiet", "quiet", "quiet"),
        ("999", "anc-hold high", "anc-hold high", "quiet"),
        ("500", "anc-hold critical", "anc-hold high", "quiet"),
        ("499", "anc-hold critical", "anc-hold critical", "anc-hold critical"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_later_low_count(profile: str, value: str, kr: str, us: str, eu: str) -> None:
    expected = dict(zip(PROFILES, (kr, us, eu), strict=True))[profile]
    before = [anc(4, "450"), anc(8, "1500"), lenalidomide(9)]
    assert said(*before, anc(15, value), day=15, using=policy(profile)) == expected


@pytest.mark.parametrize(
    ("value", "kr", "us", "eu"),
    [
        ("1000", "quiet", "quiet", "quiet"),
        ("999", "anc-cycle-delay high", "anc-hold high", "quiet"),
        ("501", "anc-cycle-delay high", "anc-hold high", "quiet"),
        ("499", "anc-hold critical", "anc-hold critical", "anc-hold critical"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_count_before_the_next_cycle(profile: str, value: str, kr: str, us: str, eu: str) -> None:
    expected = dict(zip(PROFILES, (kr, us, eu), strict=True))[profile]
    assert said(anc(28, value), day=28, using=policy(profile)) == expected


def test_a_rule_that_a_profile_switches_off_holds_nothing() -> None:
    """No alert would speak of such a hold: dispensing would be called wrong for no reason anybody sees."""
    assert [hold.rule for hold in ledger(start(), anc(28, "800"), using=KR).holds] == ["anc-cycle-delay"]
    assert ledger(start(), anc(28, "800"), using=EU).holds == ()


SITE = """\
profile: site
based_on: kr-panel
version: "1"
status: active
effective_from: "2027-01-01"
approved_by: "not for use on patients"
rules:
"""


def site(rules: str) -> Policy:
    """The panel, with rules of a site's own."""
    return read_policy(
        f"{SITE}  {rules}\n",
        (FOLDER / "keys.yaml").read_text(),
        bases={"kr-panel": (FOLDER / "kr-panel.yaml").read_text()},
    )


@pytest.mark.parametrize(
    ("rule", "fact"),
    [
        ("anc-hold", anc(8, "400")),
        ("plt-hold", result("platelets", "20000", 8)),
        ("fn-suspected", result("temperature", "39", 8)),
        ("vte-event-hold", diagnosis(["dvt"], 8)),
        ("hyper-stop", diagnosis(["angioedema"], 8)),
    ],
)
@pytest.mark.parametrize(("status", "holds"), [("active", True), ("shadow", False), ("off", False)])
def test_no_rule_that_says_nothing_holds_treatment(rule: str, fact: AnyKept, status: str, holds: bool) -> None:
    using = site(f"{rule}: {{severity: off}}" if status == "off" else f"{rule}: {{status: {status}}}")
    after = ledger(start(), fact, using=using)
    assert ({hold.rule for hold in after.holds} | {stop.rule for stop in after.stops} == {rule}) is holds
    assert bool(after.holds or after.stops) is holds


@pytest.mark.parametrize(
    ("profile", "value", "released"),
    [
        ("kr-panel", "1000", True), ("kr-panel", "999", False),
        ("uspi", "1000", True), ("uspi", "999", False),
        ("eu-smpc", "500", True), ("eu-smpc", "499", False),
    ],
)  # fmt: skip
def test_the_count_at_which_treatment_resumes(profile: str, value: str, released: bool) -> None:
    using = policy(profile)
    assert ("anc-resume-ok" in said(anc(8, "400"), anc(12, value), day=12, using=using)) is released
    assert (not ledger(start(), anc(8, "400"), anc(12, value), using=using).holds) is released


@pytest.mark.parametrize(
    ("profile", "answer"), [("kr-panel", "critical provisional"), ("uspi", "high provisional"), ("eu-smpc", "quiet")]
)
def test_a_preliminary_count_is_shown_where_a_final_one_would_hold(profile: str, answer: str) -> None:
    low = "500" if profile == "kr-panel" else "700"
    early = anc(8, low, status=FactStatus.PRELIMINARY)
    assert answer_of("anc-hold", start(), early, day=8, using=policy(profile)) == answer
    assert ledger(start(), early, using=policy(profile)).holds == ()


def test_the_thresholds_shown_are_those_that_decided() -> None:
    finding = finding_of("anc-hold", start(), anc(8, "800"), day=8, using=US)
    assert finding.reason == "label"
    assert [(each.key, str(each)) for each in finding.thresholds] == [
        ("anc_episode_below", "1,000"), ("anc_resume_at", "1,000")]  # fmt: skip


# --- growth factor, persistence ---


@pytest.mark.parametrize(
    ("profile", "severity", "words"),
    [("kr-panel", "high", True), ("uspi", "None", False), ("eu-smpc", "medium", True)],
)
def test_a_growth_factor_is_asked_for_where_the_source_names_one(profile: str, severity: str, words: bool) -> None:
    using = policy(profile)
    assert answer_of("anc-gcsf-missing", start(), anc(8, "400"), day=10.5, using=using) == severity
    hold = finding_of("anc-hold", start(), anc(8, "400"), day=8, using=using)
    assert ("G-CSF" in hold.message) is words


@pytest.mark.parametrize(("profile", "lower"), [("kr-panel", True), ("uspi", False), ("eu-smpc", False)])
def test_a_count_that_stays_low_asks_for_a_lower_dose_in_the_panel_only(profile: str, lower: bool) -> None:
    using = policy(profile)
    course = [anc(8, "400"), anc(15, "450"), anc(20, "1600")]
    assert ("one dose step" in finding_of("anc-resume-ok", start(), *course, day=20, using=using).message) is lower
    held = view(start(), *course[:2], day=15, using=using).hold_of("anc")
    assert held is not None
    assert (held.persistent is not None) is lower


# --- platelets: table 3.2 ---


@pytest.mark.parametrize(
    ("value", "answer"), [("30000", "quiet"), ("29999", "critical"), ("25000", "critical"), ("9999", "critical")]
)
@pytest.mark.parametrize("profile", PROFILES)
def test_platelets_hold_alike_in_every_profile(profile: str, value: str, answer: str) -> None:
    platelets = result("platelets", value, 8)
    assert answer_of("plt-hold", start(), platelets, anc(8, "2000"), day=8, using=policy(profile)) == answer


@pytest.mark.parametrize("profile", PROFILES)
def test_platelets_release_alike_in_every_profile(profile: str) -> None:
    low = cbc(8, platelets="20000")
    assert ledger(start(), low, *cbc(12, platelets="29999"), using=policy(profile)).holds != ()
    assert ledger(start(), low, *cbc(12, platelets="30000"), using=policy(profile)).holds == ()


# --- ladders: part 3.6 ---


@pytest.mark.parametrize(
    ("profile", "dose", "next_lower"),
    [
        ("kr-panel", "25", "15"), ("uspi", "25", "20"), ("eu-smpc", "25", "15"),
        ("kr-panel", "20", "15"), ("uspi", "20", "15"), ("eu-smpc", "20", "15"),
        ("kr-panel", "5", None), ("uspi", "5", "2.5"), ("eu-smpc", "5", None),
        ("uspi", "2.5", None),
    ],
)  # fmt: skip
def test_the_next_lower_dose(profile: str, dose: str, next_lower: str | None) -> None:
    course = [start(dose=dose), *cbc(8, platelets="20000"), *cbc(15, platelets="60000")]
    using = policy(profile)
    advice = finding_of("plt-resume-ok", *course, day=15, using=using).advice
    assert advice is not None
    assert advice.dose_mg == next_lower
    assert answer_of("dose-floor", *course, day=15, using=using) == ("high" if next_lower is None else "quiet")


# --- when a blood count is due: part 2.2 ---


@pytest.mark.parametrize(
    ("shows", "last", "dispensed", "kr", "us", "eu"),
    [
        ("in cycle 1", 1, (1,), 19, 10, 10),
        ("in cycle 2", 30, (1, 29), 48, 39, 39),
        ("in cycle 3", 60, (1, 29, 57), 78, 78, 92),
        ("in cycle 4", 90, (1, 29, 57, 85), 122, 122, 122),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_first_day_a_blood_count_is_overdue(
    profile: str, shows: str, last: int, dispensed: tuple[int, ...], kr: int, us: int, eu: int
) -> None:
    day = dict(zip(PROFILES, (kr, us, eu), strict=True))[profile]
    facts = [start(), *(lenalidomide(each) for each in dispensed[1:]), *cbc(last)]
    using = policy(profile)
    assert answer_of("cbc-overdue", *facts, day=day - 1, hour=23.9, using=using) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=day, hour=0.0, using=using) == "medium"


@pytest.mark.parametrize(("profile", "day"), [("kr-panel", 69), ("uspi", 78), ("eu-smpc", 92)])
def test_low_counts_at_the_start_bring_closer_blood_counts_in_the_panel_only(profile: str, day: int) -> None:
    facts = [start("900"), lenalidomide(29), lenalidomide(57), *cbc(60)]
    using = policy(profile)
    assert answer_of("cbc-overdue", *facts, day=day - 1, hour=23.9, using=using) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=day, hour=0.0, using=using) == "medium"


@pytest.mark.parametrize("profile", ["uspi", "eu-smpc"])
def test_a_label_cadence_does_not_wait_for_the_clearance(profile: str) -> None:
    facts = [*cbc(-1), lenalidomide(1), lenalidomide(29), lenalidomide(57), *cbc(60)]
    assert answer_of("cbc-overdue", *facts, day=61, using=policy(profile)) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=61, using=KR).startswith("cannot")


@pytest.mark.parametrize(("profile", "day"), [("kr-panel", 108), ("uspi", 122), ("eu-smpc", 122)])
def test_a_complication_keeps_the_interval_close_in_the_panel_only(profile: str, day: int) -> None:
    facts = [start(), *(lenalidomide(each) for each in (29, 57, 85)), *cbc(70, "450"), *cbc(80), *cbc(90)]
    using = policy(profile)
    assert answer_of("cbc-overdue", *facts, day=day - 1, hour=23.9, using=using) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=day, hour=0.0, using=using) == "medium"


@pytest.mark.parametrize("profile", PROFILES)
def test_while_held_a_blood_count_is_due_weekly_everywhere(profile: str) -> None:
    facts = [start(), *cbc(8, "400")]
    using = policy(profile)
    assert answer_of("heme-recheck-overdue", *facts, day=16, hour=23.9, using=using) == "quiet"
    assert answer_of("heme-recheck-overdue", *facts, day=17, hour=0.0, using=using) == "high"


# --- fever: the same everywhere, whatever limit holds treatment ---


@pytest.mark.parametrize(("value", "answer"), [("999", "critical"), ("1000", "quiet")])
@pytest.mark.parametrize("profile", PROFILES)
def test_febrile_neutropenia_has_one_definition(profile: str, value: str, answer: str) -> None:
    facts = [start(), anc(8, value), result("temperature", "38.5", 8, 10)]
    assert answer_of("fn-suspected", *facts, day=8, using=policy(profile)) == answer


# --- the start ---


@pytest.mark.parametrize(("profile", "severity"), [("kr-panel", Severity.HIGH), ("uspi", None), ("eu-smpc", None)])
def test_starting_with_low_counts_is_a_matter_of_caution_in_the_panel_only(
    profile: str, severity: Severity | None
) -> None:
    assert policy(profile).severity("cytopenia-start-caution") is severity


# --- prophylaxis ---


@pytest.mark.parametrize(
    ("profile", "missing", "monitor"),
    [("kr-panel", "quiet", "info"), ("uspi", "high", "None"), ("eu-smpc", "high", "None")],
)
def test_nobody_goes_without_prophylaxis_by_the_labels(profile: str, missing: str, monitor: str) -> None:
    facts = [start(), statement("vte-risk-assessment", -1, "tier-3")]
    using = policy(profile)
    assert answer_of("vte-ppx-missing", *facts, day=5, using=using) == missing
    assert answer_of("vte-monitor-only", *facts, day=5, using=using) in (monitor, "quiet")


# --- the files themselves ---


@pytest.mark.parametrize("profile", ["uspi", "eu-smpc"])
def test_a_profile_lists_only_what_differs(profile: str) -> None:
    own = yaml.safe_load((FOLDER / f"{profile}.yaml").read_text())
    base = yaml.safe_load((FOLDER / "kr-panel.yaml").read_text())
    same = [
        f"{section}.{name}"
        for section in set(own) & set(base) - {"version", "status", "effective_from", "approved_by"}
        if isinstance(own[section], dict)
        for name, row in own[section].items()
        if {**(base[section].get(name) or {}), **row} == base[section].get(name)
    ]
    assert same == []


@pytest.mark.parametrize("profile", PROFILES)
def test_values_stand_in_the_order_and_under_the_section_of_the_table_of_keys(profile: str) -> None:
    own = yaml.safe_load((FOLDER / f"{profile}.yaml").read_text())
    order = list(read_keys((FOLDER / "keys.yaml").read_text()))
    places = [order.index(key) for key in own["values"]]
    assert places == sorted(places)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_source_tag_is_in_the_bibliography(profile: str) -> None:
    known = set(yaml.safe_load((FOLDER / "sources.yaml").read_text()))
    using = policy(profile)
    tags = {source.split()[0].rstrip(",;:") for source in using.sources.values()}
    tags |= {citation.source for terms in using.rules.values() for citation in terms.citations}
    assert tags - known == set()


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_is_signed_off(profile: str) -> None:
    assert "not for use on patients" in policy(profile).approved_by
