"""Site maps: a hospital's own codes (Korean EDI codes, the numbers of a laboratory) in the project's words.

A map is YAML, read when a role starts; everything wrong with it is told at once, with lines. It can add
meanings for systems of the site, and can never change what a code of a published system means.

    site_map: Example hospital
    feeds: [pharmacy]            # left out: every feed
    systems:
      - {id: edi, uri: "urn:oid:1.2.3", hl7v2: [EDI], title: Codes of the health insurance}
    codes:
      - {system: edi, code: "000000ACH", medicine: lenalidomide, strength_mg: "25", display: "as printed"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from schemas.codes.tables import CodeTables

MEANINGS: Final = (
    "analyte", "panel", "medicine", "condition", "procedure", "vaccine", "substance", "statement", "answer", "ignore",
)  # fmt: skip
"""What a local code can stand for; `ignore` says why it is left unmapped on purpose."""

ANSWERS: Final = frozenset(("positive", "negative", "indeterminate"))
_HEAD: Final = frozenset(("site_map", "version", "feeds", "systems", "codes"))
_OF_SYSTEM: Final = frozenset(("id", "uri", "also", "hl7v2", "title"))
_OF_CODE: Final = frozenset(("system", "code", "display", "strength_mg", *MEANINGS))


@dataclass(frozen=True, slots=True)
class LocalCode:
    """What one local code means."""

    meaning: str
    name: str
    strength_mg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The local systems by every name they go by, and the codes by system id and code."""

    title: str
    feeds: frozenset[str]
    """The feeds it is for; empty: all of them."""
    systems: Mapping[str, str]
    uris: Mapping[str, str]
    codes: Mapping[tuple[str, str], LocalCode]

    def is_for(self, feed: str) -> bool:
        """Whether a feed reads by this map."""
        return not self.feeds or feed in self.feeds


@dataclass(frozen=True, slots=True)
class SiteMapError:
    """One thing wrong, with its line (1-based; 0: the whole file)."""

    line: int
    message: str


class SiteMapUnusable(ValueError):
    """A site map cannot be used; `errors` holds everything wrong with it."""

    def __init__(self, errors: tuple[SiteMapError, ...]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"line {each.line}: {each.message}" for each in errors))


def read_site_map(text: str, codes: CodeTables) -> SiteMap:
    """Read one map against the project's tables; raises `SiteMapUnusable` with every error."""
    reader = _Reader(codes)
    document = reader.parse(text)
    title = document.get("site_map")
    if not isinstance(title, str) or not title:
        reader.say(document, "`site_map` names the hospital or system the map is of")
    for name in sorted(set(document) - _HEAD - {_LINE}):
        reader.say(document, f"unknown section `{name}`")
    feeds = document.get("feeds", ())
    if not isinstance(feeds, (list, tuple)) or not all(isinstance(feed, str) for feed in feeds):
        reader.say(document, "`feeds` is a list of feed names; leave it out for all of them")
        feeds = ()
    for row in reader.rows(document, "systems"):
        reader.read_system(row)
    for row in reader.rows(document, "codes"):
        reader.read_code(row)
    if reader.errors:
        raise SiteMapUnusable(tuple(sorted(reader.errors, key=lambda error: error.line)))
    return SiteMap(
        title=str(title),
        feeds=frozenset(feeds),
        systems=MappingProxyType(reader.systems),
        uris=MappingProxyType(reader.uris),
        codes=MappingProxyType(reader.found),
    )


_LINE: Final = "\0line"


class _Lines(yaml.SafeLoader):
    """Safe loader that keeps the line of every mapping, and every scalar as its text."""


def _mapping(loader: _Lines, node: yaml.MappingNode) -> dict[str, Any]:
    made: dict[str, Any] = {str(loader.construct_object(key)): loader.construct_object(value, deep=True)
                            for key, value in node.value}  # fmt: skip
    return {**made, _LINE: node.start_mark.line + 1}


def _as_written(loader: _Lines, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Lines.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# Codes are text: 0123 must not become 83, nor 1E5 a hundred thousand.
for _tag in ("int", "float", "bool", "null", "timestamp"):
    _Lines.add_constructor(f"tag:yaml.org,2002:{_tag}", _as_written)


class _Reader:
    """Collects what a map says, and what is wrong with it."""

    def __init__(self, codes: CodeTables) -> None:
        self.codes = codes
        self.errors: list[SiteMapError] = []
        self.systems: dict[str, str] = {}
        self.uris: dict[str, str] = {}
        self.found: dict[tuple[str, str], LocalCode] = {}
        self._known = {
            "analyte": frozenset(codes.analytes),
            "medicine": frozenset(codes.medicine_titles),
            "condition": frozenset(codes.concept_titles),
            "procedure": frozenset(codes.procedure_titles),
            "vaccine": codes.vaccines,
            "substance": codes.substances,
            "statement": frozenset(codes.statements),
            "answer": ANSWERS,
        }

    def say(self, row: Mapping[str, Any], message: str) -> None:
        self.errors.append(SiteMapError(row.get(_LINE, 0), message))

    def parse(self, text: str) -> dict[str, Any]:
        try:
            document = yaml.load(text, Loader=_Lines)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 0
            raise SiteMapUnusable((SiteMapError(line, f"not YAML: {getattr(error, 'problem', error)}"),)) from None
        if not isinstance(document, dict):
            raise SiteMapUnusable((SiteMapError(0, "a site map is a mapping with site_map, systems and codes"),))
        return document

    def rows(self, document: Mapping[str, Any], section: str) -> list[dict[str, Any]]:
        held = document.get(section)
        if not isinstance(held, list) or not held:
            self.say(document, f"`{section}` is a list with at least one row")
            return []
        rows = [row for row in held if isinstance(row, dict)]
        if len(rows) < len(held):
            self.say(document, f"every row of `{section}` is a mapping")
        return rows

    def read_system(self, row: Mapping[str, Any]) -> None:
        name, uri = row.get("id"), row.get("uri")
        if odd := set(row) - _OF_SYSTEM - {_LINE}:
            self.say(row, f"unknown field {', '.join(sorted(odd))}")
        if not isinstance(name, str) or not isinstance(uri, str) or not name or not uri:
            self.say(row, "a system needs `id` and `uri`")
            return
        key = f"site:{name}"
        if key in self.uris:
            self.say(row, f"the system `{name}` stands twice")
        for each in (uri, *_listed(row, "also"), *_listed(row, "hl7v2")):
            if self.codes.system_of(each) is not None:
                self.say(row, f"{each!r} is a published system: what its codes mean is not the site's to change")
            elif self.systems.setdefault(each, key) != key:
                self.say(row, f"{each!r} names two systems")
        self.uris[key] = uri

    def read_code(self, row: Mapping[str, Any]) -> None:
        if odd := set(row) - _OF_CODE - {_LINE}:
            self.say(row, f"unknown field {', '.join(sorted(odd))}")
        system, code = row.get("system"), row.get("code")
        if not isinstance(system, str) or not isinstance(code, str) or not code:
            self.say(row, "a code needs `system` and `code`")
            return
        key = (f"site:{system}", code)
        if key[0] not in self.uris:
            self.say(row, f"the system `{system}` is none of this map's `systems`")
        if key in self.found:
            self.say(row, f"the code {code} of {system} stands twice")
        given = [meaning for meaning in MEANINGS if meaning in row]
        if len(given) != 1:
            self.say(row, f"a code means one thing: exactly one of {', '.join(MEANINGS)}")
            return
        meaning = given[0]
        name = str(row[meaning])
        known = self._known.get(meaning)
        if known is not None and name not in known:
            self.say(row, f"no {meaning} is called {name!r} (see `myelowatch codes list {meaning}`)")
        self.found[key] = LocalCode(meaning, name, self._strength(row, meaning))

    def _strength(self, row: Mapping[str, Any], meaning: str) -> Decimal | None:
        if "strength_mg" not in row:
            return None
        if meaning != "medicine":
            self.say(row, "only a medicine has a strength")
        try:
            strength = Decimal(str(row["strength_mg"]))
        except InvalidOperation:
            strength = Decimal("NaN")
        if not strength.is_finite() or strength <= 0:
            self.say(row, f"strength_mg is the strength of one unit in mg, not {row['strength_mg']!r}")
            return None
        return strength


def _listed(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    held = row.get(name, ())
    return tuple(str(each) for each in held) if isinstance(held, list) else ()
