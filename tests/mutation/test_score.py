"""The mutation score: what counts, what was noticed, and that a figure is never rounded up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mutation.plan import CORE, families, hash_of, sources
from tests.mutation.score import Mutant, Score, narrowed, read_mutants, reason_key, tally

FILE = "rules/sample.py"
ORIGINAL = """
def x_assess__mutmut_orig(view):
    if view.count < 5:
        return found(title="low count", agent="drug", reason="low")
    return None
"""


def planted(tmp_path: Path, *changes: tuple[str, str, int | None]) -> list[Mutant]:
    """The mutants of one file, as the tool leaves them: (what it was, what it became, exit code of the tests)."""
    folder = tmp_path / "mutants" / "rules"
    folder.mkdir(parents=True)
    functions, codes = [ORIGINAL], {}
    for number, (was, became, code) in enumerate(changes, start=1):
        assert was in ORIGINAL
        functions.append(ORIGINAL.replace("__mutmut_orig", f"__mutmut_{number}").replace(was, became))
        codes[f"rules.sample.x_assess__mutmut_{number}"] = code
    (folder / "sample.py").write_text("\n".join(functions))
    (folder / "sample.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    return read_mutants(tmp_path, [FILE, "rules/nothing_to_mutate.py"])


def test_what_was_changed_and_how_the_tests_ended(tmp_path: Path) -> None:
    (mutant,) = planted(tmp_path, ("< 5", "<= 5", 0))
    assert (mutant.file, mutant.function, mutant.outcome) == (FILE, "assess", "survived")
    assert (mutant.was, mutant.became) == ("if view.count < 5:", "if view.count <= 5:")


@pytest.mark.parametrize(
    ("code", "is_noticed"), [(1, True), (36, True), (-11, True), (0, False), (33, False), (5, False), (35, False), (None, False)]
)  # fmt: skip
def test_noticed_is_a_failing_test_or_one_that_never_ends(tmp_path: Path, code: int | None, is_noticed: bool) -> None:
    (mutant,) = planted(tmp_path, ("< 5", "<= 5", code))
    assert mutant.is_noticed is is_noticed


@pytest.mark.parametrize(
    ("was", "became", "is_wording"),
    [
        ('"low count"', '"XXlow countXX"', True),
        ('"drug"', '"DRUG"', True),
        ('"low")', '"LOW")', False),
        ('"low count"', "None", False),
        ("< 5", "< 6", False),
    ],
)
def test_only_words_for_people_are_left_out(tmp_path: Path, was: str, became: str, is_wording: bool) -> None:
    (mutant,) = planted(tmp_path, (was, became, 0))
    assert mutant.is_wording is is_wording


def test_the_score_leaves_wording_out_of_both_sides_and_gives_the_reason(tmp_path: Path) -> None:
    mutants = planted(tmp_path, ("< 5", "<= 5", 1), ("< 5", "< 6", 0), ('"low count"', '"LOW COUNT"', 0))
    bare = tally(mutants, {})
    assert (bare.mutants, bare.wording, bare.counted, bare.noticed, bare.percent) == (3, 1, 2, 1, 50.0)
    (survivor,) = bare.survivors
    assert survivor["reason"] == "nobody has looked at it yet"
    key = reason_key(survivor["file"], survivor["function"], survivor["was"], survivor["became"])
    assert tally(mutants, {key: "equivalent"}).survivors[0]["reason"] == "equivalent"


def test_a_score_is_never_rounded_up() -> None:
    assert Score(mutants=10_000, wording=0, noticed=8_999, survivors=()).percent == 89.9
    assert Score(mutants=1, wording=1, noticed=0, survivors=()).percent == 100.0


def test_a_long_statement_is_narrowed_to_what_differs() -> None:
    long = "x" * 200
    was, became = narrowed(f"{long} < 5 {long}", f"{long} <= 5 {long}")
    assert was == f"... {'x' * 59} < 5 {'x' * 27} ..." or "< 5" in was
    assert "<= 5" in became
    assert len(became) < 120


def test_families_are_those_of_the_rules_and_each_file_is_in_one() -> None:
    assert {"haematology", "thrombosis", CORE} <= set(families())
    every = [path for family in families() for path in sources(family)]
    assert len(every) == len(set(every))


def test_the_hash_is_that_of_the_family_and_of_the_tool() -> None:
    assert hash_of("monitoring", "one") == hash_of("monitoring", "one")
    assert hash_of("monitoring", "one") != hash_of("monitoring", "two")
    assert hash_of("monitoring", "one") != hash_of("infection", "one")
