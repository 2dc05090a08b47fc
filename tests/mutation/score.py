"""From the mutants' files to a score: what each mutant changed, whether it counts, whether it was noticed.

A mutant that changes only words that people read (a title, a message, the name of an agent) is not counted:
no test should repeat a sentence. Everything else is, also what is merely shown as evidence or threshold.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_MUTANT: Final = re.compile(r"(?P<name>.*)__mutmut_(?P<number>[0-9]+|orig)")
_TEXT: Final = re.compile(r"""f?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_OUTCOMES: Final = {
    0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", 34: "skipped", 35: "suspicious",
    36: "timeout", 24: "timeout", -24: "timeout", 152: "timeout", 255: "timeout", -11: "crashed", -9: "crashed",
}  # fmt: skip
_LEFT: Final = 60
_RIGHT: Final = 30
"""Letters shown on either side of what was changed."""
_NOTICED: Final = frozenset(("killed", "timeout", "crashed"))


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted mistake: where, what was changed into what, and how the tests ended."""

    file: str
    function: str
    was: str
    became: str
    outcome: str

    @property
    def is_wording(self) -> bool:
        """Whether only words for people were changed."""
        return _is_wording(self.was, self.became)

    @property
    def is_noticed(self) -> bool:
        """Whether a test failed, or never came to an end."""
        return self.outcome in _NOTICED


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one family."""

    mutants: int
    wording: int
    noticed: int
    survivors: tuple[dict[str, str], ...]

    @property
    def counted(self) -> int:
        """All but those that change words for people."""
        return self.mutants - self.wording

    @property
    def percent(self) -> float:
        """Noticed of those that count; rounded down, so that 89.96 is not shown as 90."""
        return int(1000 * self.noticed / self.counted) / 10 if self.counted else 100.0

    def as_json(self) -> dict[str, Any]:
        """The row of `results/mutation.json`."""
        return {
            "score_percent": self.percent,
            "counted": self.counted,
            "noticed": self.noticed,
            "survived": self.counted - self.noticed,
            "not_counted_wording": self.wording,
            "survivors": list(self.survivors),
        }


def read_mutants(work: Path, files: Iterable[str]) -> list[Mutant]:
    """Every mutant of these files, from what the tool left in its working folder."""
    found = []
    for file in files:
        meta = work / "mutants" / f"{file}.meta"
        if not meta.is_file():
            continue  # nothing in it could be mutated
        codes: Mapping[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        functions = _functions((work / "mutants" / file).read_text(encoding="utf-8"))
        for key, code in codes.items():
            found.append(_mutant(file, key, code, functions))
    return found


def _functions(text: str) -> dict[str, ast.AST]:
    """Mangled name to function; a name with a dot is never needed: methods are mangled with their class."""
    return {
        node.name: node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _MUTANT.fullmatch(node.name)
    }


def _mutant(file: str, key: str, code: int | None, functions: Mapping[str, ast.AST]) -> Mutant:
    name = key.rpartition(".")[2]
    read = _MUTANT.fullmatch(name)
    assert read is not None, key
    before, after = (_lines(functions[each], read["name"]) for each in (f"{read['name']}__mutmut_orig", name))
    was, became = [], []
    for line in difflib.ndiff(before, after):
        if line.startswith("- "):
            was.append(line[2:].strip())
        elif line.startswith("+ "):
            became.append(line[2:].strip())
    function = read["name"].removeprefix("x_").replace("xǁ", "").replace("ǁ", ".")
    outcome = "not checked" if code is None else _OUTCOMES.get(code, "suspicious")
    return Mutant(file, function, " ".join(was), " ".join(became), outcome)


def _lines(node: ast.AST, name: str) -> list[str]:
    return re.sub(rf"{re.escape(name)}__mutmut_\w+", name, ast.unparse(node)).splitlines()


def _is_wording(was: str, became: str) -> bool:
    """The same but for a text that has a blank in it, or one that is only shown."""
    if _TEXT.sub("''", was) != _TEXT.sub("''", became):
        return False
    for before, after in zip(_TEXT.finditer(was), _TEXT.finditer(became), strict=True):
        if before.group() == after.group():
            continue
        led_by = was[: before.start()]
        is_shown = led_by.endswith(("Shown(", "agent=", "title=", "message=", "context=("))
        if not (is_shown or " " in before.group() or before.group().startswith("f")):
            return False
    return True


def tally(mutants: Iterable[Mutant], reasons: Mapping[str, str]) -> Score:
    """The score; each survivor with the reason that a person gave for it."""
    every = list(mutants)
    counted = [each for each in every if not each.is_wording]
    lost = [each for each in counted if not each.is_noticed]
    rows = Counter((each.file, each.function, *narrowed(each.was, each.became), each.outcome) for each in lost)
    survivors = tuple(
        {
            "file": file, "function": function, "was": was, "became": became, "outcome": outcome,
            "reason": reasons.get(reason_key(file, function, was, became), "nobody has looked at it yet"),
            **({"times": str(times)} if times > 1 else {}),
        }
        for (file, function, was, became, outcome), times in sorted(rows.items())
    )  # fmt: skip
    return Score(len(every), len(every) - len(counted), len(counted) - len(lost), survivors)


def narrowed(was: str, became: str) -> tuple[str, str]:
    """The part that differs, with what stands beside it: a whole statement would hide it."""
    start = next((n for n, (one, other) in enumerate(zip(was, became, strict=False)) if one != other), 0)
    end = 0
    while end < min(len(was), len(became)) - start and was[-1 - end] == became[-1 - end]:
        end += 1
    left, right = max(0, start - _LEFT), max(0, end - _RIGHT)
    return tuple(
        ("... " if left else "") + text[left : len(text) - right] + (" ..." if right else "") for text in (was, became)
    )  # type: ignore[return-value]


def reason_key(file: str, function: str, was: str, became: str) -> str:
    """How `reasons.yaml` names a mutant: no numbers, which change with every edit."""
    return f"{file}:{function}: {was} -> {became}"
