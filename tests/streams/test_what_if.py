"""What would flip an alert, on the edge: and each answer is checked by telling the example anew with that value."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from rules.policy.reading import Policy
from schemas.alerts import Transition, TransitionKind
from schemas.events import Entry
from streams.cli import main
from streams.explain import explanation
from streams.policy_commands import load
from streams.rule_examples import RulePage, entries_of, parse_page, read_page, run_example
from streams.what_if import Answered, Explored, explore


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The default profile."""
    return load("kr-panel")


def raised(page: RulePage, policy: Policy) -> Transition:
    """The first time the rule of a page speaks."""
    said = (each.transition for each in run_example(page, policy) if each.rule == page.rule)
    return next(each for each in said if each is not None and each.transition is TransitionKind.RAISED)


def heard(page: RulePage) -> list[Entry]:
    """The entries of a page with the instant at which each was known."""
    return [entry.model_copy(update={"known_at": known}) for entry, known in entries_of(page)]


def found(page: RulePage, policy: Policy) -> Explored:
    """What would flip the first alert of a page."""
    explored = explore(heard(page), raised(page, policy), policy)
    assert explored is not None
    return explored


def answer(rule: str, key: str, policy: Policy) -> Answered:
    """What was found for one number."""
    page = read_page(rule)
    assert page is not None
    return next(each for each in found(page, policy).answered if each.threshold.key == key)


ABSENT = "it would not stand"
EDGES = [
    # family, rule, number, fact, the nearest value or date with another answer, the last with the same, what then
    ("haematology", "anc-hold", "anc_severe", "Absolute neutrophil count",
     "600 cells/uL (0.6 10*3/uL)", "500 cells/uL (0.5 10*3/uL)", ABSENT),
    ("haematology", "hb-low", "hb_low_below", "Haemoglobin", "8.0 g/dL", "7.9 g/dL", ABSENT),
    ("haematology", "plt-hold", "plt_hold_below", "Platelets",
     "30,000 cells/uL (30.000 10*3/uL)", "29,999 cells/uL (29.999 10*3/uL)", ABSENT),
    ("haematology", "anc-low-watch", "anc_severe", "Absolute neutrophil count",
     "500 cells/uL (0.5 10*3/uL)", "600 cells/uL (0.6 10*3/uL)", ABSENT),
    ("haematology", "fn-suspected", "fever_single_above", "Body temperature", "38.3 Cel", "38.4 Cel", ABSENT),
    ("haematology", "anc-gcsf-missing", "anc_gcsf_wait_hours", "time of Absolute neutrophil count",
     "2026-06-08 09:01 KST", "2026-06-08 09:00 KST", ABSENT),
    ("haematology", "anc-persistent-reduce", "anc_persistent_after_days", "time of Absolute neutrophil count",
     "2026-06-27", "2026-06-26", ABSENT),
    ("dosing", "resume-dose-high", "dose_ladder consensus", "dose of lenalidomide", "15 mg", "16 mg", ABSENT),
    ("monitoring", "cbc-overdue", "cbc_interval_early_days", "time of Platelets", "2026-06-09", "2026-06-08", ABSENT),
    ("thrombosis", "vte-lmwh-renal", "vte_lmwh_clcr", "Creatinine in serum or plasma", "2.0 mg/dL", "2.1 mg/dL", ABSENT),
    ("thrombosis", "vte-ppx-missing", "vte_lmwh_clcr", "Creatinine in serum or plasma",
     "2.3 mg/dL", "2.2 mg/dL", "it would be high, warfarin"),
    ("thrombosis", "vte-warfarin-inr", "inr_critical_above", "International normalised ratio",
     "4.6", "4.5", "it would be critical"),
    ("infection", "inf-ppx-missing", "inf_ppx_wait_days", "time of lenalidomide dispensed",
     "2026-06-02", "2026-06-01", ABSENT),
    ("dataquality", "dq-conflict", "dq_conflict_percent", "Absolute neutrophil count",
     "1,300 cells/uL (1.3 10*3/uL)", "1,200 cells/uL (1.2 10*3/uL)", ABSENT),
]  # fmt: skip


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge[1]}: {edge[2]}")
def test_the_nearest_value_that_flips(edge: tuple[str, ...], policy: Policy) -> None:
    family, rule, key, what, nearest, last, then = edge
    from rules.catalogue import BY_ID

    assert BY_ID[rule].family == family
    flips = [(f.what, f.nearest, f.last, f.then) for f in answer(rule, key, policy).flips]
    assert (what, nearest, last, then) in flips


def retold(rule: str, day: float, analyte: str, value: str) -> RulePage:
    """The example of a rule with one value of one day written anew."""
    written = yaml.safe_load(files("rules").joinpath("pages", f"{rule}.yaml").read_text(encoding="utf-8"))
    (row,) = (
        row for row in written["steps"] if row["day"] == day and analyte in (row.get("cbc") or row.get("lab") or {})
    )
    (row.get("cbc") or row["lab"])[analyte] = value
    return parse_page(rule, yaml.safe_dump(written))


@pytest.mark.parametrize(
    ("rule", "key", "day", "analyte"),
    [
        ("anc-hold", "anc_severe", 10, "anc"),
        ("hb-low", "hb_low_below", 15, "haemoglobin"),
        ("plt-hold", "plt_hold_below", 15, "platelets"),
        ("vte-lmwh-renal", "vte_lmwh_clcr", 10, "creatinine"),
        ("vte-aspirin-platelets", "vte_aspirin_platelets", 15, "platelets"),
        ("cytopenia-start-caution", "start_plt_below", -2, "platelets"),
    ],
)
def test_the_example_told_with_that_value_says_the_same(
    rule: str, key: str, day: float, analyte: str, policy: Policy
) -> None:
    """Another way to the same answer: the page is written anew, and read and run from its first line."""
    flip = answer(rule, key, policy).flips[0]
    page = read_page(rule)
    assert page is not None
    at = raised(page, policy).at

    def speaks(text: str) -> bool:
        printed = re.search(r"\((.*)\)", text)
        changed = retold(rule, day, analyte, printed.group(1) if printed else text)
        own = [each.transition for each in run_example(changed, policy) if each.rule == rule]
        return any(each is not None and each.at == at for each in own)

    assert speaks(flip.last)
    assert not speaks(flip.nearest)


def test_a_value_moves_in_the_steps_the_laboratory_prints(policy: Policy) -> None:
    coarse = answer("anc-hold", "anc_severe", policy).flips[0]
    page = retold("anc-hold", 10, "anc", "0.50 10*3/uL")
    fine = next(each for each in found(page, policy).answered if each.threshold.key == "anc_severe").flips[0]
    assert (coarse.nearest, fine.nearest) == ("600 cells/uL (0.6 10*3/uL)", "510 cells/uL (0.51 10*3/uL)")


def test_a_number_that_nothing_flips_says_so(policy: Policy) -> None:
    page = read_page("anc-hold")
    assert page is not None
    explored = found(page, policy)
    resume = next(each for each in explored.answered if each.threshold.key == "anc_resume_at")
    assert resume.flips == ()
    text = " ".join(" ".join(explanation([raised(page, policy)], explored)).split())
    assert "No other Absolute neutrophil count across it flips the alert by itself." in text
    assert "600 cells/uL (0.6 10*3/uL) instead of 500 cells/uL (0.5 10*3/uL), and it would not stand" in text


def test_an_absence_is_told_with_the_instant_before_which_it_did_not_stand(policy: Policy) -> None:
    page = read_page("cbc-overdue")
    assert page is not None
    explored = found(page, policy)
    assert explored.first_at is not None
    assert explored.first_at.isoformat() == "2026-06-25T15:00:00+00:00"  # midnight of day 26 in Seoul
    assert "Before 2026-06-25 15:00" in "\n".join(explanation([raised(page, policy)], explored))


def test_facts_of_which_it_does_not_come_about_again_are_refused(policy: Policy) -> None:
    page = read_page("anc-hold")
    assert page is not None
    assert explore(heard(page)[:2], raised(page, policy), policy) is None
    assert explore([], raised(page, policy), policy) is None


def test_facts_known_later_do_not_count(policy: Policy) -> None:
    """The recovery of day 17 is in the log; the alert of day 10 is explained as of day 10."""
    page = read_page("anc-hold")
    assert page is not None
    early = [each for each in heard(page) if each.known_at is not None and each.known_at <= raised(page, policy).at]
    assert explore(early, raised(page, policy), policy) == found(page, policy)


# --- as a person meets it ---


@pytest.fixture
def course() -> Path:
    """The recorded course of the documentation."""
    return Path(__file__).parents[2] / "docs" / "examples" / "course.json"


def a_hold(course: Path, tmp_path: Path) -> tuple[dict[str, str], Path]:
    out = tmp_path / "alerts.ndjson"
    assert main(["replay", str(course), "--timezone", "Asia/Seoul", "--out", str(out)]) == 0
    return next(each for each in map(json.loads, out.read_text().splitlines()) if each["rule"] == "anc-hold"), out


def test_explain_works_it_out_where_the_input_is_at_hand(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold, out = a_hold(course, tmp_path)
    for source in ([], ["--from", str(out)]):
        assert main(["explain", hold["alert_id"], *source, "--input", str(course), "--timezone", "Asia/Seoul"]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "anc_severe = 500 cells/uL Absolute neutrophil count:" in text
        assert "it would not stand; at" in text
        assert "was run through the rules again" in text


def test_without_the_input_or_by_another_policy_it_says_why_not(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold, out = a_hold(course, tmp_path)
    capsys.readouterr()
    assert main(["explain", hold["alert_id"], "--from", str(out)]) == 0
    assert "the facts are not at hand" in " ".join(capsys.readouterr().out.split())
    arguments = ["--input", str(course), "--timezone", "Asia/Seoul", "--set", "anc_severe=400"]
    assert main(["explain", hold["alert_id"], "--from", str(out), *arguments]) == 0
    assert "it was judged by the policy kr-panel" in " ".join(capsys.readouterr().out.split())
