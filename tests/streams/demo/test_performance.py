"""The demo's own small parts."""

from __future__ import annotations

import pytest
import typer

from streams.demo.performance import read_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60.0), ("2m", 120.0), ("90", 90.0), ("0.5 min", 30.0), (60.0, 60.0), ("1H", 3600.0)]
)
def test_a_duration_is_read(text: str | float, seconds: float) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "0", "5 days", "1e3"])
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="60s or 2m"):
        read_duration(text)
