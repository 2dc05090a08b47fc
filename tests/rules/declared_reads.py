"""Every answer of every test is checked: a rule looks at nothing that its catalogue entry does not declare.

A rule that reads more than it says would not be asked when that fact comes (`rules.asking`), and the docs
would be wrong about what it needs to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import msgspec
import pytest

from rules.answers import Answer
from rules.catalogue import CATALOGUE
from rules.entry import RuleEntry
from rules.view import View

_BY_NAME = ("newest", "previous", "baseline", "preliminary", "unusable")
_HELD_BY_NAME = (*_BY_NAME, "statements", "first_stated")


class UndeclaredRead(AssertionError):
    """A rule looked at a fact that its entry does not name."""


class _Watched(dict[str, Any]):
    """What is kept by name, with an eye on who asks for which name."""

    def __init__(self, held: dict[str, Any], look: Callable[[str], None]) -> None:
        super().__init__(held)
        self._look = look

    def get(self, name: str, default: Any = None) -> Any:
        self._look(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._look(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._look(str(name))
        return super().__contains__(name)


class _WatchedView(View):
    """A view that knows what its rule may look at; nothing another rule derived is shared."""

    def __init__(self, view: View, entry: RuleEntry) -> None:
        ledger = msgspec.structs.replace(view.ledger)
        super().__init__(ledger, view.at, view.policy)
        self._entry = entry
        self._declared = {*entry.reads, *entry.acted_by}
        for name in _HELD_BY_NAME:
            setattr(ledger, name, _Watched(getattr(ledger, name), self._look))

    def _look(self, name: str) -> None:
        if name not in self._declared:
            raise UndeclaredRead(f"{self._entry.id} looks at {name!r} and does not declare it in `reads`")

    def supplies(self, *names: str) -> Any:
        for name in names:
            self._look(name)
        return super().supplies(*names)

    def diagnoses(self, *concepts: str) -> Any:
        for concept in concepts:
            self._look(concept)
        return super().diagnoses(*concepts)

    def procedure_since(self, since: Any, *concepts: str) -> Any:
        for concept in concepts:
            self._look(concept)
        return super().procedure_since(since, *concepts)

    def allergies(self, substances: Any) -> Any:
        substances = tuple(substances)
        for substance in substances:
            self._look(substance)
        return super().allergies(substances)


_IN_SEARCHES = 13
"""In long searches over random courses every so manieth answer is watched."""


class _Watch:
    """How often a rule is watched in the test that runs."""

    stride = 1


def _watching(entry: RuleEntry) -> Callable[[View], Answer]:
    assess = entry.assess

    @wraps(assess)
    def watched(view: View) -> Answer:
        is_watched = type(view) is View and int(view.at.timestamp()) // 60 % _Watch.stride == 0
        return assess(_WatchedView(view, entry) if is_watched else view)

    return watched


@pytest.fixture(scope="session", autouse=True)
def rules_read_what_they_declare() -> Iterator[None]:
    """Every rule of the catalogue is given a watched view for the whole session."""
    before = [(entry, entry.assess) for entry in CATALOGUE]
    for entry, _ in before:
        object.__setattr__(entry, "assess", _watching(entry))
    yield
    for entry, assess in before:
        object.__setattr__(entry, "assess", assess)


@pytest.fixture(autouse=True)
def rules_are_watched_less_in_searches(request: pytest.FixtureRequest) -> None:
    """Every answer in a test of a few facts, one in some in a search over many."""
    _Watch.stride = _IN_SEARCHES if request.node.get_closest_marker("slow") else 1
