"""Text to one frozen policy, or every error with its line. No file access here.

A profile is YAML. Every number has a value, the unit that `keys.yaml` asks for, and a source; an
unknown key, a missing unit, a number outside its clinical bounds or a rule nobody knows is an
error, and all errors are reported together.

A profile that stands on another names it (`based_on: kr-panel`) and lists only what differs. What comes
out is always whole: `Policy.text` is one self-contained text, its hash is the hash of that text, and
reading that text again gives the same policy and the same hash. So an activation in the log needs no
other file, ever. A profile that stands alone, with nothing set by hand, is its own text as written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, NamedTuple

import yaml

from rules.grading import read_grading
from rules.policy.terms import DoseBand, Number, Policy, RuleTerms, Terms
from schemas.alerts import Citation, Severity

__all__ = [
    "STATUSES",
    "Number",
    "Policy",
    "PolicyError",
    "PolicyKey",
    "PolicyUnusable",
    "RuleTerms",
    "Terms",
    "read_keys",
    "read_policy",
]

_HEAD: Final = ("profile", "version", "status", "effective_from", "approved_by")
_OPTIONAL_HEAD: Final = ("based_on", "resolved_from")
_SECTIONS: Final = ("ladders", "dose_bands", "values", "rules")
_LINES: Final = "\0lines"
STATUSES: Final = ("draft", "shadow", "active", "retired")
"""Of a policy version: `draft` is written on, `shadow` may be tried, `active` may judge, `retired` may no longer."""

SET_BY_HAND: Final = "set by hand"
"""Source of a value that `--set` changed: its printed source speaks of another number."""


class Place(NamedTuple):
    """Where something stands: the file (empty for the text that is read) and its line (1-based; 0: all of it)."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class PolicyError:
    """One thing wrong, with the line it stands on (1-based; 0 for the whole file)."""

    line: int
    message: str
    file: str = ""
    """The profile it stands in, where that is not the text itself but one it is based on."""

    def __str__(self) -> str:
        place = " ".join(part for part in (self.file, f"line {self.line}" if self.line else "") if part)
        return f"{place}: {self.message}" if place else self.message


class PolicyUnusable(ValueError):
    """The policy cannot be used; `errors` holds everything wrong with it."""

    def __init__(self, errors: tuple[PolicyError, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """A line of `keys.yaml`: what a key means, its unit and the bounds no site may leave."""

    key: str
    kind: str
    meaning: str
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[str, ...] = ()
    ambiguities: tuple[int, ...] = ()
    """Numbers of part 1.13 of the clinical reference that this key resolves."""

    @property
    def bounds(self) -> str:
        """For people: what the value may be. Empty where the profile itself names the choices (the ladders)."""
        if self.kind == "flag":
            return "true or false"
        if self.kind == "choice":
            return " or ".join(self.choices)
        return f"{self.low} to {self.high}"


@lru_cache(maxsize=4)
def read_keys(text: str) -> Mapping[str, PolicyKey]:
    """The key table; raises on a table that does not match `Terms` (a programming error)."""
    keys: dict[str, PolicyKey] = {}
    for key, row in yaml.safe_load(text).items():
        keys[key] = PolicyKey(
            key=key,
            kind=row["kind"],
            meaning=row["meaning"],
            unit=row.get("unit", ""),
            low=Decimal(str(row["low"])) if "low" in row else None,
            high=Decimal(str(row["high"])) if "high" in row else None,
            choices=tuple(row.get("choices", ())),
            ambiguities=tuple(row.get("ambiguity", ())),
        )
    names = [field.name for field in dataclasses.fields(Terms)]
    if names != list(keys):
        odd = sorted(set(names) ^ set(keys)) or "the order differs"
        raise RuntimeError(f"keys.yaml and rules.policy.terms.Terms disagree: {odd}")
    return keys


# The one written in C where the library has it: five times as quick, the same answers.
_SafeLoader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Lines(_SafeLoader):  # type: ignore[misc, valid-type]
    """Safe loader that keeps the place of every mapping key, and every scalar as its text."""

    file = ""


def _mapping(loader: _Lines, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
    out: dict[str, Any] = {}
    lines: dict[str, Place] = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        place = Place(loader.file, key_node.start_mark.line + 1)
        if key in out:
            lines.setdefault("\0twice", place)
            lines["\0" + key] = place
        out[key] = loader.construct_object(value_node, deep=True)
        lines[key] = place
    out[_LINES] = lines
    return out


_Lines.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


# Numbers stay text: 0.1 must reach Decimal as written, never through a float.
def _as_written(loader: _Lines, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


for _tag in ("float", "int", "timestamp"):
    _Lines.add_constructor(f"tag:yaml.org,2002:{_tag}", _as_written)


class _Findings:
    """Collects what is wrong while reading goes on."""

    def __init__(self) -> None:
        self.errors: list[PolicyError] = []

    def say(self, place: Place, message: str) -> None:
        self.errors.append(PolicyError(place.line, message, place.file))

    def stop_if_any(self) -> None:
        """Raise with everything said, that of the text itself first, each once."""
        if self.errors:
            every = dict.fromkeys(sorted(self.errors, key=lambda error: (error.file, error.line)))
            raise PolicyUnusable(tuple(every))


_WHOLE: Final = Place("", 0)


def read_policy(
    text: str,
    keys_text: str,
    *,
    known_rules: frozenset[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    grading_text: str | None = None,
    bases: Mapping[str, str] | None = None,
) -> Policy:
    """Read a whole profile; `overrides` are `key=value` changes of single keys (value only).

    `bases` are the texts of the profiles it may name in `based_on`. Raises `PolicyUnusable` with every
    error. The hash is that of the whole resolved text, so that two policies that could judge differently
    never share one.
    """
    keys = read_keys(keys_text)
    wrong = _Findings()
    changes = overrides or {}
    document, is_resolved = _resolve(text, bases or {}, wrong)
    lines = document[_LINES]
    ladders = _read_ladders(document.get("ladders"), wrong)
    values = _read_values(document.get("values"), keys, changes, ladders, wrong)
    dose_bands = _read_dose_bands(document.get("dose_bands"), wrong)
    if dose_bands and values.get("renal_dose_table", "") not in ("", *dose_bands):
        wrong.say(_WHOLE, f"`dose_bands` has no table `{values['renal_dose_table']}`, which `renal_dose_table` names")
    rules = _read_rules(document.get("rules"), known_rules, wrong)
    for name in _HEAD:
        if not isinstance(document.get(name), str) or not document[name]:
            wrong.say(lines.get(name, _WHOLE), f"`{name}` is missing: state it as text")
    if document.get("status") not in STATUSES:
        wrong.say(lines.get("status", _WHOLE), f"`status` is one of {', '.join(STATUSES)}")
    wrong.stop_if_any()
    if is_resolved or changes:
        text = _write_whole(document, keys, changes)
    return Policy(
        profile=document["profile"],
        version=document["version"],
        status=document["status"],
        effective_from=document["effective_from"],
        approved_by=document["approved_by"],
        hash=hashlib.sha256(text.encode()).hexdigest()[:16],
        text=text,
        terms=Terms(**values),
        rules=rules,
        ladders=ladders,
        dose_bands=dose_bands,
        grading=read_grading(grading_text) if grading_text is not None else None,
        resolved_from=document.get("resolved_from", ""),
        sources={key: SET_BY_HAND if key in changes else document["values"][key]["source"] for key in keys},
    )


# --- profiles that stand on others ---


def _resolve(text: str, bases: Mapping[str, str], wrong: _Findings) -> tuple[dict[str, Any], bool]:
    """The document with everything it is based on under it; whether it is based on anything."""
    document = _parse(text, "", wrong)
    chain = [document]
    names: list[str] = []
    while "based_on" in chain[-1]:
        place = chain[-1][_LINES]["based_on"]
        name = str(chain[-1]["based_on"])
        if name in names:
            wrong.say(place, f"`based_on` goes round in a circle: {' -> '.join([*names, name])}")
            break
        if name not in bases:
            known = ", ".join(sorted(bases)) or "none"
            wrong.say(place, f"`based_on` names no profile that is known: {name!r} (known: {known})")
            break
        names.append(name)
        chain.append(_parse(bases[name], name, wrong))
    if "based_on" in chain[-1]:
        # Without what it is based on everything would be missing: a hundred errors that say nothing.
        wrong.stop_if_any()
    whole = chain[-1]
    for differing in reversed(chain[:-1]):
        whole = _merge(whole, differing, wrong)
    if names:
        whole["resolved_from"] = f"{chain[1].get('profile')} {chain[1].get('version')}"
    return whole, bool(names)


def _parse(text: str, file: str, wrong: _Findings) -> dict[str, Any]:
    """One text as a mapping with the place of each key; raises where it is none."""
    loader = _Lines(text)
    loader.file = file
    document: Any = None
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        wrong.say(Place(file, line), f"not YAML: {getattr(error, 'problem', error)}")
        wrong.stop_if_any()
    if not isinstance(document, dict):
        wrong.say(Place(file, 0), "a policy is a mapping with profile, version, values and rules")
        wrong.stop_if_any()
    lines = document[_LINES]
    for name in document:
        if name not in (*_HEAD, *_OPTIONAL_HEAD, *_SECTIONS, _LINES):
            wrong.say(lines.get(name, Place(file, 0)), f"unknown section `{name}`")
    if "\0twice" in lines:
        wrong.say(lines["\0twice"], "a section stands twice")
    for section in _SECTIONS:
        held = document.get(section)
        for mark, place in (held[_LINES] if isinstance(held, dict) else {}).items():
            if mark.startswith("\0") and mark != "\0twice":
                wrong.say(place, f"`{mark[1:]}` stands twice")
    return dict(document)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any], wrong: _Findings) -> dict[str, Any]:
    """What differs laid over the profile below: a value or ladder as a whole, of a rule each part by itself.

    Name, version, status and approval are never inherited: nobody has approved what only differs.
    """
    whole = dict(over)
    for section in _SECTIONS:
        below, above = under.get(section), over.get(section)
        if above is None:
            whole[section] = below
        elif not isinstance(above, dict):
            wrong.say(over[_LINES][section], f"`{section}` is a mapping of what differs")
            whole[section] = below
        elif isinstance(below, dict):
            merged = {**below, **above, _LINES: {**below[_LINES], **above[_LINES]}}
            if section == "rules":
                merged.update(_merged_rows(below, above))
            whole[section] = merged
    return whole


def _merged_rows(below: Mapping[str, Any], above: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for rule, row in above.items():
        if rule != _LINES and isinstance(row, dict) and isinstance(below.get(rule), dict):
            yield rule, {**below[rule], **row}


def _write_whole(document: Mapping[str, Any], keys: Mapping[str, PolicyKey], changes: Mapping[str, str]) -> str:
    """The one self-contained text of a policy: keys in the order of `keys.yaml`, rules in that of the profile."""
    lines = ["# Whole text of a policy, written by the program from what it is based on and what was set by hand."]
    lines += [f"{name}: {_quoted(document[name])}" for name in (*_HEAD, "resolved_from") if name in document]
    lines += ["", "ladders:"]
    lines += [f"  {name}: {_row(row)}" for name, row in document["ladders"].items() if name != _LINES]
    lines += ["", "dose_bands:"]
    lines += [f"  {name}: {_row(row)}" for name, row in document["dose_bands"].items() if name != _LINES]
    lines += ["", "values:"]
    for key, spec in keys.items():
        row = dict(document["values"][key])
        if key in changes:
            is_true = changes[key].lower() == "true"
            row |= {"value": is_true if spec.kind == "flag" else changes[key], "source": SET_BY_HAND}
        lines.append(f"  {key}: {_row(row)}")
    lines += ["", "rules:"]
    lines += [f"  {rule}: {_row(row)}" for rule, row in document["rules"].items() if rule != _LINES]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: {_quoted(row[name])}" for name in row if name != _LINES) + "}"


def _quoted(value: Any) -> str:
    """YAML that is JSON too: text in quotes, so that nothing is taken for a number, a date or a word of YAML."""
    if isinstance(value, Mapping):
        return _row(value)
    if isinstance(value, list):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _read_values(
    section: object,
    keys: Mapping[str, PolicyKey],
    overrides: Mapping[str, str],
    ladders: Mapping[str, tuple[Decimal, ...]],
    wrong: _Findings,
) -> dict[str, Any]:
    if not isinstance(section, dict):
        wrong.say(_WHOLE, "`values` is missing")
        return {}
    lines = section[_LINES]
    for key in overrides:
        if key not in keys:
            wrong.say(_WHOLE, f"unknown key `{key}` set by hand; `policy show` lists the keys")
    values: dict[str, Any] = {}
    for key in section:
        if key != _LINES and key not in keys:
            wrong.say(lines.get(key, _WHOLE), f"unknown key `{key}`")
    for key, spec in keys.items():
        row = section.get(key)
        if row is None:
            wrong.say(_WHOLE, f"`{key}` is missing ({spec.meaning})")
            continue
        place = lines.get(key, _WHOLE)
        if not isinstance(row, dict):
            wrong.say(place, f"`{key}` needs value{', unit' if spec.unit else ''} and source")
            continue
        extra = set(row) - {"value", "unit", "source", "note", _LINES}
        if extra:
            wrong.say(place, f"`{key}` has unknown field(s) {', '.join(sorted(extra))}")
        value = _read_value(key, spec, row, overrides.get(key), ladders, place, wrong)
        if value is not None:
            values[key] = value
    return values


def _read_value(
    key: str,
    spec: PolicyKey,
    row: Mapping[str, Any],
    override: str | None,
    ladders: Mapping[str, tuple[Decimal, ...]],
    place: Place,
    wrong: _Findings,
) -> Number | bool | str | None:
    raw = override if override is not None else row.get("value")
    source = row.get("source")
    if not isinstance(source, str) or not source:
        wrong.say(place, f"`{key}` has no source: a number without a source is an error")
        source = ""
    if override is not None:
        source = SET_BY_HAND
    if spec.kind == "flag":
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and raw.lower() in ("true", "false"):
            return raw.lower() == "true"
        wrong.say(place, f"`{key}` is true or false")
        return None
    if spec.kind == "choice":
        choices = spec.choices or tuple(ladders)
        if str(raw) in choices:
            return str(raw)
        wrong.say(place, f"`{key}` is one of {', '.join(choices)}")
        return None
    if not row.get("unit"):
        wrong.say(place, f"`{key}` has no unit: it is in {spec.unit}")
    elif row["unit"] != spec.unit:
        wrong.say(place, f"`{key}` is in {spec.unit}, not {row['unit']}")
    try:
        number = Decimal(str(raw))
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        wrong.say(place, f"`{key}` is not a number: {raw!r}")
        return None
    if (spec.low is not None and number < spec.low) or (spec.high is not None and number > spec.high):
        wrong.say(place, f"`{key}` = {number} is outside its clinical bounds {spec.low} to {spec.high} {spec.unit}")
        return None
    return Number(key=key, value=number, unit=spec.unit, source=source)


def _read_rules(section: object, known: frozenset[str] | None, wrong: _Findings) -> dict[str, RuleTerms]:
    if not isinstance(section, dict):
        wrong.say(_WHOLE, "`rules` is missing")
        return {}
    lines = section[_LINES]
    rules: dict[str, RuleTerms] = {}
    for rule, row in section.items():
        if rule == _LINES:
            continue
        place = lines.get(rule, _WHOLE)
        if known is not None and rule not in known:
            wrong.say(place, f"no rule is called `{rule}`")
            continue
        if not isinstance(row, dict) or "severity" not in row:
            wrong.say(place, f"`{rule}` needs severity and sources")
            continue
        severity = row["severity"]
        by_reason = (
            {k: v for k, v in severity.items() if k != _LINES} if isinstance(severity, dict) else {"*": severity}
        )
        parsed: dict[str, Severity | None] = {}
        for reason, name in by_reason.items():
            if name in ("off", False):
                parsed[reason] = None
            elif name in list(Severity):
                parsed[reason] = Severity(name)
            else:
                wrong.say(place, f"`{rule}` severity `{name}` is not one of critical, high, medium, info, off")
        citations = []
        for item in row.get("sources") or ():
            source, _, part = str(item).partition(" ")
            citations.append(Citation(source=source, section=part))
        if not citations:
            wrong.say(place, f"`{rule}` has no source")
        status = row.get("status", "active")
        if status not in STATUSES:
            wrong.say(place, f"`{rule}` status is one of {', '.join(STATUSES)}")
        rules[rule] = RuleTerms(rule=rule, severity=parsed, status=status, citations=tuple(citations))
    for rule in sorted((known or frozenset()) - set(rules) - {_LINES}):
        if section.get(rule) is None:
            wrong.say(_WHOLE, f"rule `{rule}` has no severity in this profile; use `off` where it does not apply")
    return rules


def _read_ladders(section: object, wrong: _Findings) -> dict[str, tuple[Decimal, ...]]:
    ladders: dict[str, tuple[Decimal, ...]] = {}
    if not isinstance(section, dict):
        wrong.say(_WHOLE, "`ladders` is missing")
        return ladders
    for name, row in section.items():
        if name == _LINES:
            continue
        place = section[_LINES].get(name, _WHOLE)
        if not isinstance(row, dict) or row.get("unit") != "mg" or not row.get("source"):
            wrong.say(place, f"ladder `{name}` needs steps, unit mg and source")
            continue
        try:
            steps = tuple(Decimal(str(step)) for step in row.get("steps") or ())
        except InvalidOperation:
            steps = ()
        if not steps or list(steps) != sorted(set(steps), reverse=True) or steps[-1] <= 0:
            wrong.say(place, f"ladder `{name}` needs doses in mg, highest first")
            continue
        ladders[name] = steps
    return ladders


def _read_dose_bands(section: object, wrong: _Findings) -> dict[str, tuple[DoseBand, ...]]:
    """Tables of starting doses: rows by falling clearance, down to 0, the last of them without one (on dialysis)."""
    tables: dict[str, tuple[DoseBand, ...]] = {}
    if not isinstance(section, dict):
        wrong.say(_WHOLE, "`dose_bands` is missing")
        return tables
    for name, table in section.items():
        if name == _LINES:
            continue
        place = section[_LINES].get(name, _WHOLE)
        if not isinstance(table, dict) or table.get("unit") != "mL/min" or not table.get("source"):
            wrong.say(place, f"dose table `{name}` needs rows, unit mL/min and source")
            continue
        try:
            bands = tuple(_read_dose_band(name, row, table["source"]) for row in table.get("rows") or ())
        except (InvalidOperation, KeyError, TypeError):
            wrong.say(place, f"dose table `{name}` needs in each row name, from, dose_mg and schedule")
            continue
        borders = [band.at_least.value for band in bands if band.at_least is not None]
        is_ordered = borders == sorted(set(borders), reverse=True) and borders[-1:] == [Decimal(0)]
        if not is_ordered or len(borders) != len(bands) - 1 or bands[-1].at_least is not None:
            wrong.say(place, f"dose table `{name}` needs rows by falling clearance down to 0, then the one on dialysis")
            continue
        tables[name] = bands
    return tables


def _read_dose_band(table: str, row: Mapping[str, str], source: str) -> DoseBand:
    dose, raised = Decimal(row["dose_mg"]), Decimal(row["raised_mg"]) if "raised_mg" in row else None
    schedules = {row["schedule"], row.get("raised_schedule", "daily")}
    if dose <= 0 or (raised is not None and raised <= 0) or not schedules <= {"daily", "alternate-days"}:
        raise KeyError("dose_mg")
    lowest = Decimal(row["from"]) if "from" in row else None
    border = None if lowest is None else Number(f"dose_bands {table} {row['name']}", lowest, "mL/min", source)
    return DoseBand(
        name=row["name"],
        at_least=border,
        dose_mg=dose,
        schedule=row["schedule"],
        source=source,
        raised_mg=raised,
        raised_schedule=row.get("raised_schedule"),
    )
