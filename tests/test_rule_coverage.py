"""The coverage figures: by family, rounded down, with the places that no test runs."""

from __future__ import annotations

from tests.rule_coverage import by_family, missing


def row(lines: int, run: int, branches: int = 0, taken: int = 0) -> dict[str, object]:
    return {
        "summary": {
            "num_statements": lines, "covered_lines": run, "num_branches": branches, "covered_branches": taken,
        },
        "missing_lines": [7] if run < lines else [],
        "missing_branches": [[3, 9]] if taken < branches else [],
    }  # fmt: skip


REPORT = {
    "files": {
        "rules/watch.py": row(10, 10, 4, 4),
        "rules/renal/bands.py": row(10_000, 9_999),
        "rules/renal/entries.py": row(10_000, 10_000, 2, 1),
    }
}


def test_by_family_and_never_rounded_up() -> None:
    figures = by_family(REPORT)
    assert list(figures) == ["core", "renal"]
    assert figures["core"].percent == 100.0
    assert figures["renal"].percent == 99.99


def test_what_is_not_run_is_listed() -> None:
    assert missing(REPORT) == ["rules/renal/bands.py:7", "rules/renal/entries.py:3->9"]
