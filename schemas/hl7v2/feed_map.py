"""What one site means by what it sends: a YAML file a feed, checked at start, every error with its line.

Nothing here guesses: a local code without a line in the map stays a local code, and is counted as unknown.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from schemas.codes.tables import CodeTables, tables
from schemas.hl7v2.charset import codec_of, known_charsets
from schemas.reading.stamp import build_coding
from schemas.values import Coding
from schemas.values.frozen import Frozen

VERSIONS: Final = (
    "2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2",
)  # fmt: skip
MERGE_EVENTS: Final = ("A18", "A30", "A34", "A35", "A36", "A39", "A40")
"""ADT events that a site may use to say that two numbers are one patient (HL7 v2.8.2, 3.3; v2.3 for the older)."""
_LONGEST_MAP: Final = 4 * 1024 * 1024

_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _readable(name: str) -> str:
    if codec_of(name) is None:
        raise ValueError(f"no character set we can read; one of {', '.join(known_charsets())}")
    return name


def _known_system(name: str) -> str:
    if tables().system_of(name) is None:
        raise ValueError("no code system we know (schemas/codes/systems.yaml lists them)")
    return name


class Sender(Frozen):
    """MSH-3 and MSH-4 as sent (first components). Only these may speak on the feed; an empty part allows any."""

    application: str = ""
    facility: str = ""


class Meaning(Frozen):
    """A code of a system our tables know, by any of its names (`LN`, `RXNORM`, `99MYW`, a URI)."""

    system: Annotated[_Text, AfterValidator(_known_system)]
    code: _Text


class LocalCode(Frozen):
    """One local code: in OBX-3, OBX-5, RXE-2, DG1-3, wherever it is sent.

    `unit` is for results that are sent without one: the laboratory's word that this test is always in this unit.
    """

    system: Annotated[str, StringConstraints(max_length=200)] = ""
    """As sent (third component); empty for codes that come without a system."""
    code: _Text
    means: Meaning
    unit: _Text | None = None


class PatientChoice(Frozen):
    """Which number of PID a patient is known by, where several are sent."""

    field: Literal[2, 3, 4] = 3
    """PID-3; PID-2 and PID-4 only for senders that leave PID-3 empty (both are withdrawn since v2.7)."""
    authority: str | None = None
    """Assigning authority as sent (CX-4, first component)."""
    type: str = "MR"
    """Identifier type (CX-5) that is taken first where no authority is set or sent."""
    first_of_several: bool = False
    """The site's word that of several numbers of one authority and type the first is the patient's present one."""


class FeedMap(Frozen):
    """One feed. Every default is the standard's own reading, and the strict one where it leaves a choice."""

    senders: tuple[Sender, ...] = ()
    processing_ids: tuple[Literal["P", "T", "D"], ...] = Field(default=("P",), min_length=1)
    """MSH-11 that is taken; a production feed takes `P` only."""
    versions: tuple[Literal[VERSIONS], ...] = Field(default=VERSIONS, min_length=1)  # type: ignore[valid-type]
    charset: Annotated[str, AfterValidator(_readable)] = "UNICODE UTF-8"
    """Where MSH-18 is empty."""
    unread: Literal["reject", "ignore"] = "reject"
    """A message type or event that we do not read: AR/CR, or kept and counted as ignored with AA/CA."""
    blank_status: Literal["preliminary", "final"] = "preliminary"
    """A result with neither OBX-11 nor OBR-25: it may warn but not release, unless the site vouches for it."""
    dispenses: tuple[Literal["ORM^O01", "OMP^O09", "RDE^O11", "RDE^O25"], ...] = ()
    """Messages that this site sends when a medicine is handed over, not when it is ordered."""
    merges: tuple[Literal[MERGE_EVENTS], ...] = ("A40",)  # type: ignore[valid-type]
    patient: PatientChoice = PatientChoice()
    sexes: dict[str, Literal["female", "male", "other"]] = Field(default_factory=dict)
    """PID-8 as sent, where it is no value of table 0001 (`"1": male`)."""
    authorities: dict[str, _Text] = Field(default_factory=dict)
    """Assigning authority as sent, to the name that all feeds of the site share."""
    systems: dict[str, Annotated[_Text, AfterValidator(_known_system)]] = Field(default_factory=dict)
    """Name of a code system as sent, to one that our tables know (`LOINC: LN`)."""
    codes: tuple[LocalCode, ...] = ()
    units: dict[str, _Text] = Field(default_factory=dict)
    """OBX-6 as sent, whole, to a unit that `schemas/codes/analytes.yaml` lists (`10^3/uL: 10*3/uL`)."""

    @cached_property
    def _by_code(self) -> Mapping[tuple[str, str], LocalCode]:
        return {(local.system, local.code): local for local in self.codes}

    def local(self, system: str, code: str) -> LocalCode | None:
        """The line of a local code."""
        return self._by_code.get((system, code))

    def system(self, name: str) -> str:
        """A code system under the name that our tables know, else as sent."""
        return self.systems.get(name, name)

    def meanings(self, system: str, code: str, text: str | None, codes: CodeTables) -> Iterator[Coding]:
        """The code as sent, and behind it what the site says it means."""
        yield build_coding(codes.uri_of(self.system(system)), code, text)
        local = self._by_code.get((system, code))
        if local is not None:
            yield build_coding(codes.uri_of(local.means.system), local.means.code, None)

    def unknown_meanings(self, codes: CodeTables) -> tuple[LocalCode, ...]:
        """Lines whose meaning none of our tables uses: harmless, but perhaps a slip of the pen."""
        return tuple(local for local in self.codes if not _is_used(local.means, codes))


STANDARD: Final = FeedMap()
"""The feed that needs no map."""


class FeedMapUnusable(ValueError):
    """The map cannot be used; `errors` are sentences with their lines, all of them."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def read_feed_map(text: str) -> FeedMap:
    """Read a map; raises `FeedMapUnusable` with every error and its line."""
    if len(text) > _LONGEST_MAP:
        raise FeedMapUnusable((f"longer than {_LONGEST_MAP} characters",))
    lines: dict[tuple[Hashable, ...], int] = {}
    errors: list[tuple[int, str]] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = {} if node is None else _value(node, (), lines, errors, frozenset())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise FeedMapUnusable((f"line {line}: not YAML",)) from None
    except RecursionError:
        raise FeedMapUnusable(("line 1: nested too deep",)) from None
    if not isinstance(value, dict):
        raise FeedMapUnusable(("line 1: the map must be names with values, such as `charset: KS X 1001`",))
    errors.extend(_contradictions(value, lines))
    try:
        found = FeedMap.model_validate(value)
    except ValidationError as error:
        errors.extend(_sentences(error, lines))
    else:
        if not errors:
            return found
    raise FeedMapUnusable(tuple(f"line {line}: {sentence}" for line, sentence in sorted(errors)))


def _value(
    node: yaml.Node,
    path: tuple[Hashable, ...],
    lines: dict[tuple[Hashable, ...], int],
    errors: list[tuple[int, str]],
    above: frozenset[int],
) -> Any:
    """Plain values with the line of each: scalars stay texts, so that a code `0012` keeps its zeros."""
    line = node.start_mark.line + 1
    lines[path] = line
    if id(node) in above:
        errors.append((line, "an alias inside what it names"))
        return None
    if isinstance(node, yaml.ScalarNode):
        if node.tag == "tag:yaml.org,2002:null":
            return None
        if path[-1:] == ("field",) and node.value.isdecimal():
            return int(node.value)
        return (
            node.value == "true"
            if path[-1:] == ("first_of_several",) and node.value in ("true", "false")
            else node.value
        )
    inside = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*path, index), lines, errors, inside) for index, each in enumerate(node.value)]
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.start_mark.line)
        if key in built:
            errors.append((key_node.start_mark.line + 1, f"{_place((*path, key))} stands here twice"))
        built[key] = _value(value_node, (*path, key), lines, errors, inside)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return built


def _sentences(error: ValidationError, lines: Mapping[tuple[Hashable, ...], int]) -> Iterator[tuple[int, str]]:
    for fault in error.errors(include_url=False, include_input=False):
        path = tuple(fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "no such name in a feed map"
        elif fault["type"] == "missing":
            message = "must be given"
        yield _line(path, lines), f"{_place(path)}: {message}"


def _contradictions(value: dict[str, Any], lines: Mapping[tuple[Hashable, ...], int]) -> Iterator[tuple[int, str]]:
    """What no single line is wrong about; the map may have errors of other kinds, so nothing is taken for granted."""
    analytes = tables().analytes.values()
    known = {unit for analyte in analytes if analyte.units is not None for unit in analyte.units.exact}
    units = value.get("units")
    for sent, unit in units.items() if isinstance(units, dict) else ():
        if isinstance(unit, str) and unit not in known:
            yield _line(("units", sent), lines), f"units.{sent}: no analyte of ours comes in this unit"
    first: dict[tuple[str, str], int] = {}
    codes = value.get("codes")
    for index, local in enumerate(codes if isinstance(codes, list) else ()):
        if not isinstance(local, dict):
            continue
        line = _line(("codes", index), lines)
        named = (str(local.get("system") or ""), str(local.get("code")))
        before = first.setdefault(named, line)
        if before != line:
            yield line, f"codes[{index}]: the same system and code stand in line {before}"
        unit, means = local.get("unit"), local.get("means")
        if isinstance(unit, str) and isinstance(means, dict) and not _comes_in(unit, means):
            yield _line(("codes", index, "unit"), lines), f"codes[{index}].unit: not a unit of what the code means"


def _comes_in(unit: str, means: dict[str, Any]) -> bool:
    match = tables().analyte_of(str(means.get("system")), str(means.get("code")))
    return match is not None and match.analyte.units is not None and match.analyte.units.find(unit) is not None


def _line(path: tuple[Hashable, ...], lines: Mapping[tuple[Hashable, ...], int]) -> int:
    for length in range(len(path), -1, -1):
        found = lines.get(path[:length])
        if found is not None:
            return found
    return 1


def _place(path: Iterable[Hashable]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the map"


def _is_used(means: Meaning, codes: CodeTables) -> bool:
    coding = (Coding(system=codes.uri_of(means.system), code=means.code),)
    return bool(
        codes.analyte_of(means.system, means.code)
        or codes.is_panel(means.system, means.code)
        or codes.medicine_of(coding)
        or codes.concepts_of(coding)
        or codes.procedures_of(coding)
        or codes.vaccines_of(coding)
        or codes.substances_of(coding)
        or codes.statement_of(means.system, means.code)
        or any(codes.answer_of(analyte, means.system, means.code) for analyte in codes.analytes.values())
    )


__all__ = ["MERGE_EVENTS", "STANDARD", "FeedMap", "FeedMapUnusable", "LocalCode", "read_feed_map"]
