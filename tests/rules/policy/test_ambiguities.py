"""Part 1.13 of the clinical reference: each number has its policy keys, its default, and another way to read it."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from rules.picture import AnyKept
from rules.policy.reading import PolicyKey, read_keys
from rules.thrombosis.risk import decide_tier
from rules.view import View
from streams.ambiguities import NEEDS, read_ambiguities, write_ambiguities
from streams.cli import main
from streams.policy_commands import load
from streams.rule_pages import GENERATED
from streams.rules_commands import shipped
from tests.rules.asking import answer_of, finding_of, start
from tests.rules.bedside import PROFILES, cbc, diagnosis, ledger, lenalidomide, on, policy, result, statement

HOUSE = Path(__file__).resolve().parents[3]
KEYS = read_keys((HOUSE / "rules" / "policy" / "keys.yaml").read_text())

DEFAULTS: dict[int, dict[str, str]] = {
    1: {"ind_min_prior_lines": "1", "kr_reimb_bortezomib_first": "true"},
    2: {"start_anc_below": "1000", "start_plt_below": "50000", "start_low_anc_delays": "false"},
    3: {
        "anc_severe_inclusive": "true",
        "anc_resume_strict_later": "false",
        "anc_first_episode_holds": "false",
        "anc_persistent_after_days": "7",
        "anc_persistent_reading": "reduce-when-recovered",
    },
    4: {"dex_high_phase_mg": "320", "dex_high_phase_cycles": "4"},
    5: {"dex_high_mg": "480", "vte_score_dex_high_mg": "160"},
    6: {
        "vte_age_at": "75",
        "dex_middle_age_at": "65",
        "dex_elderly_over_years": "75",
        "dex_elderly_from_birthday": "false",
    },
    7: {"renal_dose_table": "eu", "renal_border_is_reduced": "false"},
    8: {"renal_equation": "cockcroft-gault"},
    9: {"dose_step_second_hold_raises": "true"},
    10: {
        "cbc_early_cycles": "3",
        "cbc_interval_early_days": "14",
        "cbc_interval_intensive_days": "7",
        "cbc_weekly_cycles": "0",
        "complication_grade_at": "3",
        "cbc_closer_at_risk": "true",
    },
    11: {"start_plt_below_infiltrated": "30000", "marrow_heavy_percent": "50"},
    12: {"table3_literal": "false"},
    13: {"vte_tier2_aspirin": "true"},
    14: {"vte_tier3_aspirin": "false"},
    15: {"vte_tier1_cycles": "4", "vte_tier1_from_factor": "false"},
    16: {"vte_lmwh_preferred": "true"},
    17: {"inf_ppx_cycles": "3", "inf_ppx_for_all": "true"},
    18: {
        "ppp_two_methods": "true",
        "ppp_lead_days": "28",
        "ppp_tail_days": "28",
        "ppp_start_two_tests": "true",
        "ppp_first_test_earliest_days": "14",
        "ppp_first_test_latest_days": "10",
        "ppp_second_test_hours": "24",
        "ppp_single_test_days": "3",
        "ppp_test_weekly_until_days": "28",
        "ppp_test_weekly_days": "7",
        "ppp_test_regular_days": "28",
        "ppp_test_irregular_days": "14",
        "ppp_end_test_from_days": "28",
        "ppp_male_contraception_tail_days": "7",
        "ppp_male_tail_days": "28",
    },
    19: {
        "lft_interval_days": "35",
        "lft_interval_early_days": "35",
        "lft_early_cycles": "3",
        "tsh_interval_days": "91",
    },
    20: {"vte_recent_months": "6", "vte_recent_inclusive": "true"},
    21: {"vte_infection_active_days": "14", "vte_renal_clcr_below": "60"},
    22: {"vte_immobile_ecog": "4", "vte_bed_rest_days": "3"},
    23: {},
}
"""Number to keys and the default of each. The last is about benchmarks of cohorts: no policy of a patient decides it."""

ROWS = [(number, key, value) for number, keys in DEFAULTS.items() for key, value in keys.items()]


def show(*options: str) -> dict[str, Any]:
    """What `policy show --json` prints."""
    with redirect_stdout(StringIO()) as out:
        assert main(["policy", "show", "--json", *options]) == 0
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


SHOWN = {row["key"]: row for row in show()["keys"]}


def other(spec: PolicyKey, value: str) -> str:
    """Another value that the bounds allow."""
    if spec.kind == "flag":
        return "false" if value == "true" else "true"
    if spec.kind == "choice":
        return next(choice for choice in spec.choices if choice != value)
    return str(spec.low if str(spec.low) != value else spec.high)


def test_every_number_of_the_reference_has_its_keys_and_no_others() -> None:
    tagged = {number: set() for number in range(1, 24)}  # type: ignore[var-annotated]
    for key, spec in KEYS.items():
        for number in spec.ambiguities:
            tagged[number].add(key)
    assert tagged == {number: set(keys) for number, keys in DEFAULTS.items()}


@pytest.mark.parametrize(("number", "key", "default"), ROWS)
def test_a_key_is_shown_with_its_default_and_all_that_is_to_know(number: int, key: str, default: str) -> None:
    row = SHOWN[key]
    assert (row["value"], row["ambiguities"]) == (default, [number])
    assert row["meaning"] == KEYS[key].meaning
    assert row["bounds"] == KEYS[key].bounds
    assert row["unit"] == KEYS[key].unit
    assert row["source"]


@pytest.mark.parametrize(("number", "key", "default"), ROWS)
def test_a_key_is_changed_by_hand(number: int, key: str, default: str) -> None:
    changed = other(KEYS[key], default)
    kept, told = policy(), policy(**{key: changed})
    value = getattr(told.terms, key)
    shown = str(value).lower() if isinstance(value, bool) else str(getattr(value, "value", value))
    assert shown == changed
    assert told.hash != kept.hash
    assert told.sources[key] == "set by hand"


def test_set_changes_what_is_shown() -> None:
    row = next(row for row in show("--set", "table3_literal=true")["keys"] if row["key"] == "table3_literal")
    assert (row["value"], row["source"]) == ("true", "set by hand")


def test_a_source_that_names_an_ambiguity_names_one_of_its_key() -> None:
    odd = [
        f"{profile}: {key} ({source})"
        for profile in PROFILES
        for key, source in policy(profile).sources.items()
        if not set(map(int, re.findall(r"ambiguity (\d+)", source))) <= set(KEYS[key].ambiguities)
    ]
    assert odd == []


# --- both ways ---


@pytest.mark.parametrize(
    ("delays", "title", "action"),
    [("false", "Start with caution", "review-medicine"), ("true", "Delay the start", "delay-cycle")],
)
def test_2_a_low_anc_at_the_start_asks_for_caution_or_delays(delays: str, title: str, action: str) -> None:
    using = policy(start_low_anc_delays=delays)
    finding = finding_of("cytopenia-start-caution", start("900"), day=1, using=using)
    assert finding.advice is not None
    assert (finding.title.split(":")[0], finding.advice.action) == (title, action)
    platelets = finding_of("cytopenia-start-caution", start(platelets="40000"), day=1, using=using)
    assert platelets.title.startswith("Start with caution")


@pytest.mark.parametrize(
    ("holds", "value", "watch", "hold"),
    [
        ("false", "999", "medium", "quiet"), ("false", "501", "medium", "quiet"), ("false", "1000", "quiet", "quiet"),
        ("true", "999", "quiet", "high"), ("true", "501", "quiet", "high"), ("true", "1000", "quiet", "quiet"),
        ("true", "500", "quiet", "critical"),
    ],
)  # fmt: skip
def test_3_a_first_low_count_mid_cycle_is_watched_or_holds(holds: str, value: str, watch: str, hold: str) -> None:
    using, facts = policy(anc_first_episode_holds=holds), (start(), result("anc", value, 8))
    assert answer_of("anc-low-watch", *facts, day=8, using=using) == watch
    assert answer_of("anc-hold", *facts, day=8, using=using) == hold


def test_3_before_a_cycle_and_in_a_later_episode_the_panel_s_own_rules_come_first() -> None:
    using = policy(anc_first_episode_holds="true")
    assert ledger(start(), result("anc", "900", 28), using=using).holds[0].rule == "anc-cycle-delay"
    later = [*cbc(4, "450"), *cbc(8, "1500"), lenalidomide(9), *cbc(15, "900")]
    assert ledger(start(), later, using=using).holds[0].reason == "repeat"


PERSISTENT = [*cbc(8, "450"), *cbc(15, "800")]


@pytest.mark.parametrize(
    ("reading", "persistent", "resume", "held"),
    [
        ("reduce-when-recovered", "high", "quiet", True),
        ("resume-lower", "quiet", "info", False),
        ("none", "quiet", "quiet", True),
    ],
)
def test_3_a_count_that_stays_low(reading: str, persistent: str, resume: str, held: bool) -> None:
    using = policy(anc_persistent_reading=reading)
    assert answer_of("anc-persistent-reduce", start(), PERSISTENT, day=15, using=using) == persistent
    assert answer_of("anc-resume-ok", start(), PERSISTENT, day=15, using=using) == resume
    assert bool(ledger(start(), PERSISTENT, using=using).holds) is held


def test_3_resuming_lower_although_low_says_so() -> None:
    using = policy(anc_persistent_reading="resume-lower")
    finding = finding_of("anc-resume-ok", start(), PERSISTENT, day=15, using=using)
    assert "has stayed low, now 800" in finding.message
    assert finding.advice is not None
    assert finding.advice.dose_mg == "15"


@pytest.mark.parametrize(
    ("day", "value", "held"),
    [(14, "800", True), (15, "800", False), (15, "501", False), (15, "500", True), (15, "999", False)],
)
def test_3_resuming_lower_needs_a_whole_week_and_a_count_that_is_not_severe(day: int, value: str, held: bool) -> None:
    using = policy(anc_persistent_reading="resume-lower")
    assert bool(ledger(start(), cbc(8, "450"), cbc(day, value), using=using).holds) is held


def test_3_resuming_lower_waits_for_a_count_free_of_doubt() -> None:
    using = policy(anc_persistent_reading="resume-lower")
    low = [*cbc(8, "450"), result("anc", "800", 15, unit="10*9/L", code="other")]
    sound = ledger(start(), low, using=using)
    assert sound.holds == ()
    doubted = [*cbc(8, "90"), result("anc", "900", 15, unit="10*9/L", code="other")]
    assert ledger(start(), doubted, using=using).holds != ()


@pytest.mark.parametrize(("weekly", "day"), [("0", 19), ("1", 10), ("6", 10)])
def test_10_weekly_counts_for_everybody_or_for_those_at_risk(weekly: str, day: int) -> None:
    using = policy(cbc_weekly_cycles=weekly)
    facts = [start(), *cbc(1)]
    assert answer_of("cbc-overdue", *facts, day=day - 1, hour=23.9, using=using) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=day, hour=0.0, using=using) == "medium"


@pytest.mark.parametrize(("closer", "day"), [("true", 11), ("false", 20)])
def test_10_closer_counts_at_risk_or_not(closer: str, day: int) -> None:
    using = policy(cbc_closer_at_risk=closer)
    facts = [start("900"), *cbc(2)]
    assert answer_of("cbc-overdue", *facts, day=day - 1, hour=23.9, using=using) == "quiet"
    assert answer_of("cbc-overdue", *facts, day=day, hour=0.0, using=using) == "medium"


@pytest.mark.parametrize(("aspirin", "missing", "monitor"), [("true", "medium", "quiet"), ("false", "quiet", "info")])
def test_13_tier_2_gets_aspirin_or_nothing(aspirin: str, missing: str, monitor: str) -> None:
    using = policy(vte_tier2_aspirin=aspirin)
    facts = [start(), statement("vte-risk-assessment", -1, "tier-2"), diagnosis(["history-of-vte"], -400, history=True)]
    assert answer_of("vte-ppx-missing", *facts, day=5, using=using) == missing
    assert answer_of("vte-monitor-only", *facts, day=5, using=using) == monitor


def test_13_without_aspirin_no_count_is_asked_for() -> None:
    facts = [start()[0], lenalidomide(1), statement("vte-risk-assessment", -1, "tier-2"),
             diagnosis(["history-of-vte"], -400, history=True)]  # fmt: skip
    assert answer_of("vte-ppx-missing", *facts, day=5).startswith("cannot")
    assert answer_of("vte-ppx-missing", *facts, day=5, using=policy(vte_tier2_aspirin="false")) == "quiet"


@pytest.mark.parametrize(
    ("inclusive", "day", "tier"), [("true", 15, 1), ("true", 16, 2), ("false", 14, 1), ("false", 15, 2)]
)
def test_20_exactly_six_months_is_recent_or_not(inclusive: str, day: int, tier: int) -> None:
    """Day 15 is 15 June; a clot on 15 December lies six calendar months back."""
    using = policy(vte_recent_inclusive=inclusive)
    clot = diagnosis(["dvt"], -(on(1) - on(1).replace(year=2025, month=12, day=15)).days)
    facts: list[AnyKept] = [*start(), clot]
    assert clot.at.date().isoformat() == "2025-12-15"
    seen = View(ledger(facts, using=using), on(day), using)
    assert decide_tier(seen).number == tier


@pytest.mark.parametrize(
    ("for_all", "at_risk", "answer"),
    [("true", False, "medium"), ("true", True, "high"), ("false", False, "quiet"), ("false", True, "high")],
)
def test_17_prophylaxis_for_everybody_or_for_the_risk_groups(for_all: str, at_risk: bool, answer: str) -> None:
    using = policy(inf_ppx_for_all=for_all)
    risk = [statement("aggressive-disease", -1, "yes")] if at_risk else []
    assert answer_of("inf-ppx-missing", start(), risk, day=5, using=using) == answer


# --- the page ---


def test_the_page_has_every_number_with_its_keys_and_marks_what_needs_a_clinician() -> None:
    page = write_ambiguities([load("kr-panel")])
    found = read_ambiguities()
    assert [each.number for each in found] == list(range(1, 24))
    for each in found:
        part = page.split(f'<a id="{each.number}"></a>')[1].split("<a id=")[0]
        for text in (each.title, each.unclear, each.resolved, each.needs):
            assert text in part
        assert (NEEDS.lower() in part.lower()) is bool(each.needs)
        assert [key.key for key in each.keys] == [key for key in KEYS if key in DEFAULTS[each.number]]
        for key in each.keys:
            assert f"| `{key.key}` | {key.meaning} | {DEFAULTS[each.number][key.key]}" in part


def test_what_a_site_has_to_settle_is_marked() -> None:
    """Those of which the reference says that no source gives a number, that a site must set it, or that it is dangerous."""
    assert {each.number for each in read_ambiguities() if each.needs} == {2, 7, 10, 11, 12, 19, 21, 22}


def test_the_page_is_as_it_would_be_written_now() -> None:
    page = HOUSE / "docs" / "ambiguities.md"
    assert page.read_text(encoding="utf-8") == f"{GENERATED}\n\n{write_ambiguities(shipped())}", "run `make docs`"
