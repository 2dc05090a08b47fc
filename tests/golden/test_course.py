"""The example course says what its golden file says, and the README prints just that."""

from __future__ import annotations

from tests.golden.course import ROOT, TOLD, in_words


def test_the_example_course_says_what_the_golden_file_says() -> None:
    assert in_words() == TOLD.read_text(encoding="utf-8")


def test_the_readme_prints_the_golden_file() -> None:
    assert TOLD.read_text(encoding="utf-8") in (ROOT / "README.md").read_text(encoding="utf-8")
