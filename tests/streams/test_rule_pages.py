"""The pages of the rules: complete, as they would be written now, and their examples run by the real step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rules.catalogue import BY_ID, CATALOGUE
from rules.entry import Form
from rules.policy.reading import Policy
from schemas.alerts import TransitionKind
from streams.cli import main
from streams.rule_examples import (
    ExampleUnusable,
    Said,
    is_on,
    parse_page,
    read_page,
    rules_with_a_page,
    run_example,
    switched_on,
)
from streams.rule_pages import citations_of
from streams.rules_commands import settle, shipped, write_pages

ENDED = (TransitionKind.RESOLVED, TransitionKind.WITHDRAWN, TransitionKind.SUPERSEDED)
PAGED = [rule for rule in rules_with_a_page() if rule in BY_ID]


@pytest.fixture(scope="module")
def policies() -> list[Policy]:
    """The profiles that come with the product."""
    return shipped()


def test_every_rule_has_an_example() -> None:
    missing = [entry.id for entry in CATALOGUE if read_page(entry.id) is None]
    assert not missing, f"no rules/pages/<rule>.yaml for: {', '.join(missing)}"


def test_every_example_belongs_to_a_rule() -> None:
    assert set(rules_with_a_page()) <= set(BY_ID)


def run(rule: str, policies: list[Policy]) -> list[Said]:
    """The example by the first profile that has the rule on; by the default one if none has."""
    page = read_page(rule)
    assert page is not None
    chosen = next((policy for policy in policies if is_on(policy, rule)), None)
    return run_example(page, chosen or switched_on(policies[0], rule))


@pytest.mark.parametrize("rule", PAGED)
def test_an_example_shows_the_rule_speak_and_end(rule: str, policies: list[Policy]) -> None:
    own = [said for said in run(rule, policies) if said.rule == rule]
    if BY_ID[rule].closes.startswith("never raised"):
        assert own == []
        return
    if BY_ID[rule].form is Form.CONTEXT:
        assert own[0].words.startswith("note: ")
        return
    kinds = [said.transition.transition for said in own if said.transition]
    assert kinds[:1] == [TransitionKind.RAISED]
    assert kinds[-1] in ENDED


@pytest.mark.parametrize("rule", PAGED)
def test_every_citation_is_said_in_plain_words_and_none_is_left_over(rule: str, policies: list[Policy]) -> None:
    page = read_page(rule)
    assert page is not None
    assert set(page.says) == set(citations_of(rule, policies))
    assert all(sentence.endswith(".") for sentence in page.says.values())


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    """Every page as it would be written now, by its name."""
    return write_pages()


def test_the_generated_pages_are_as_they_would_be_written_now(pages: dict[Path, str]) -> None:
    folder = Path(__file__).parents[2] / "docs" / "rules"
    assert settle(pages, folder, is_check=True) == [], "run `make docs`"


def test_a_page_left_over_or_changed_by_hand_is_found_and_mended(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    index, page, gone = tmp_path / "rules.md", folder / "anc-hold.md", folder / "gone.md"
    made = {index: "index", page: "page"}
    assert settle(made, folder, is_check=True) == [index, page]
    assert not folder.exists(), "a check writes nothing"
    settle(made, folder, is_check=False)
    assert settle(made, folder, is_check=True) == []
    gone.write_text("a rule that is no more")
    page.write_text("changed by hand")
    assert settle(made, folder, is_check=True) == [page, gone]
    settle(made, folder, is_check=False)
    assert (page.read_text(), gone.exists()) == ("page", False)


def test_what_rules_declare_does_not_hang_on_the_order_of_sets() -> None:
    code = "from rules.catalogue import CATALOGUE\nprint([(e.id, e.reads, e.acted_by, e.superseded_by) for e in CATALOGUE])"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1


def test_writing_again_gives_the_same(pages: dict[Path, str]) -> None:
    assert write_pages() == pages


def test_the_page_says_the_trigger_each_profile_the_source_the_closing_and_an_example(pages: dict[Path, str]) -> None:
    text = next(text for path, text in pages.items() if path.name == "anc-hold.md")
    for part in (
        "**Watches for** an ANC at or below the severe limit",
        "| policy key | meaning | kr-panel | eu-smpc | uspi |",
        "**S2 Hematologic toxicities rec 1** (Korean expert-panel",
        "(`anc`)",
        "It closes with: newest valid ANC",
        "raised `anc-hold` (critical, severe; new-evidence): Hold lenalidomide: ANC 500 cells/uL",
        "By uspi instead:",
    ):
        assert part in text, part


def test_rules_show_prints_the_page(pages: dict[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "hb-low"]) == 0
    page = next(text for path, text in pages.items() if path.name == "hb-low.md")
    assert page.partition("\n\n")[2].strip() == capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("{day: 1, dispenced: lenalidomide}", "dispenced"),
        ("{day: 1, dispensed: lenalidomide at 25}", "is not `medicine N mg"),
        ("{day: 1, lab: {anc: low as can be}}", "is not `value unit"),
        ("{day: 1, condition: dvt, procedure: surgery}", "one step says one thing"),
        ("{cbc: {}}", "day"),
    ],
)
def test_a_step_that_cannot_be_read_says_which(step: str, complaint: str) -> None:
    with pytest.raises(ExampleUnusable, match=f"anc-hold.*{complaint}"):
        parse_page("anc-hold", f"says: {{}}\nstory: one\nsteps:\n  - {step}\n")


def test_a_word_that_no_table_knows_is_told_when_it_is_run(policies: list[Policy]) -> None:
    page = parse_page("anc-hold", "says: {}\nstory: one\nsteps:\n  - {day: 1, dispensed: moonshine 5 mg}\n")
    with pytest.raises(ExampleUnusable, match="moonshine"):
        run_example(page, policies[0])


@pytest.mark.parametrize("text", ["story: one\nsteps: []", "says: {}\nstory: one\nsteps: []\nrule: anc-hold"])
def test_a_page_file_has_its_parts_and_no_others(text: str) -> None:
    with pytest.raises(ExampleUnusable):
        parse_page("anc-hold", text)
