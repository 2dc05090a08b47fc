"""The marker of this room: the bodies on a simulated log, store and clock."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "simulation: the bodies on a simulated log, store and clock")
