"""Text to one frozen policy, or every error with its line. No file access here.

A profile is YAML. Every number has a value, the unit that `keys.yaml` asks for, and a source; an
unknown key, a missing unit, a number outside its clinical bounds or a rule nobody knows is an
error, and all errors are reported together.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import yaml

from rules.grading import read_grading
from rules.policy.terms import Number, Policy, RuleTerms, Terms
from schemas.alerts import Citation, Severity

__all__ = [
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

_HEAD = ("profile", "version", "status", "effective_from", "approved_by")
_STATUSES = ("draft", "shadow", "active", "retired")


@dataclass(frozen=True, slots=True)
class PolicyError:
    """One thing wrong, with the line it stands on (1-based; 0 for the whole file)."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


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
        )
    names = [field.name for field in dataclasses.fields(Terms)]
    if names != list(keys):
        odd = sorted(set(names) ^ set(keys)) or "the order differs"
        raise RuntimeError(f"keys.yaml and rules.policy.terms.Terms disagree: {odd}")
    return keys


class _Lines(yaml.SafeLoader):
    """Safe loader that keeps the line of every mapping key, and every scalar as its text."""


def _mapping(loader: _Lines, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
    out: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in out:
            lines.setdefault("\0twice", key_node.start_mark.line + 1)
            lines["\0" + key] = key_node.start_mark.line + 1
        out[key] = loader.construct_object(value_node, deep=True)
        lines[key] = key_node.start_mark.line + 1
    out["\0lines"] = lines
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

    def say(self, line: int, message: str) -> None:
        self.errors.append(PolicyError(line, message))


def read_policy(
    text: str,
    keys_text: str,
    *,
    known_rules: frozenset[str] | None = None,
    overrides: Mapping[str, str] | None = None,
    grading_text: str | None = None,
) -> Policy:
    """Read a whole profile; `overrides` are `key=value` changes of single keys (value only).

    Raises `PolicyUnusable` with every error. The hash covers the text and the overrides, so
    that two policies that could judge differently never share one.
    """
    keys = read_keys(keys_text)
    wrong = _Findings()
    try:
        document = yaml.load(text, Loader=_Lines)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyUnusable(
            (PolicyError(mark.line + 1 if mark else 0, f"not YAML: {getattr(error, 'problem', error)}"),)
        ) from None
    if not isinstance(document, dict):
        raise PolicyUnusable((PolicyError(0, "a policy is a mapping with profile, version, values and rules"),))
    lines = document["\0lines"]
    for name in _HEAD:
        if not isinstance(document.get(name), str) or not document[name]:
            wrong.say(lines.get(name, 0), f"`{name}` is missing: state it as text")
    if document.get("status") not in _STATUSES:
        wrong.say(lines.get("status", 0), f"`status` is one of {', '.join(_STATUSES)}")
    for name in document:
        if name not in (*_HEAD, "values", "rules", "ladders", "\0lines"):
            wrong.say(lines.get(name, 0), f"unknown section `{name}`")
    if "\0twice" in lines:
        wrong.say(lines["\0twice"], "a section stands twice")
    ladders = _read_ladders(document.get("ladders"), wrong)
    values = _read_values(document.get("values"), keys, overrides or {}, ladders, wrong)
    rules = _read_rules(document.get("rules"), known_rules, wrong)
    if wrong.errors:
        raise PolicyUnusable(tuple(sorted(wrong.errors, key=lambda error: error.line)))
    changed = "".join(f"\n{key}={value}" for key, value in sorted((overrides or {}).items()))
    return Policy(
        profile=document["profile"],
        version=document["version"],
        status=document["status"],
        effective_from=document["effective_from"],
        approved_by=document["approved_by"],
        hash=hashlib.sha256((text + changed).encode()).hexdigest()[:16],
        text=text,
        terms=Terms(**values),
        rules=rules,
        ladders=ladders,
        grading=read_grading(grading_text) if grading_text is not None else None,
    )


def _read_values(
    section: object,
    keys: Mapping[str, PolicyKey],
    overrides: Mapping[str, str],
    ladders: Mapping[str, tuple[Decimal, ...]],
    wrong: _Findings,
) -> dict[str, Any]:
    if not isinstance(section, dict):
        wrong.say(0, "`values` is missing")
        return {}
    lines = section["\0lines"]
    for key in overrides:
        if key not in keys:
            wrong.say(0, f"unknown key `{key}` set by hand; `policy show` lists the keys")
    values: dict[str, Any] = {}
    for key in section:
        if key != "\0lines" and key not in keys:
            wrong.say(lines.get(key, 0), f"unknown key `{key}`")
    for mark, line in lines.items():
        if mark.startswith("\0") and mark != "\0twice":
            wrong.say(line, f"`{mark[1:]}` stands twice")
    for key, spec in keys.items():
        row = section.get(key)
        if row is None:
            wrong.say(0, f"`{key}` is missing ({spec.meaning})")
            continue
        line = lines.get(key, 0)
        if not isinstance(row, dict):
            wrong.say(line, f"`{key}` needs value{', unit' if spec.unit else ''} and source")
            continue
        extra = set(row) - {"value", "unit", "source", "note", "\0lines"}
        if extra:
            wrong.say(line, f"`{key}` has unknown field(s) {', '.join(sorted(extra))}")
        value = _read_value(key, spec, row, overrides.get(key), ladders, line, wrong)
        if value is not None:
            values[key] = value
    return values


def _read_value(
    key: str,
    spec: PolicyKey,
    row: Mapping[str, Any],
    override: str | None,
    ladders: Mapping[str, tuple[Decimal, ...]],
    line: int,
    wrong: _Findings,
) -> Number | bool | str | None:
    raw = override if override is not None else row.get("value")
    source = row.get("source")
    if not isinstance(source, str) or not source:
        wrong.say(line, f"`{key}` has no source: a number without a source is an error")
        source = ""
    if spec.kind == "flag":
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and raw.lower() in ("true", "false"):
            return raw.lower() == "true"
        wrong.say(line, f"`{key}` is true or false")
        return None
    if spec.kind == "choice":
        choices = spec.choices or tuple(ladders)
        if str(raw) in choices:
            return str(raw)
        wrong.say(line, f"`{key}` is one of {', '.join(choices)}")
        return None
    if not row.get("unit"):
        wrong.say(line, f"`{key}` has no unit: it is in {spec.unit}")
    elif row["unit"] != spec.unit:
        wrong.say(line, f"`{key}` is in {spec.unit}, not {row['unit']}")
    try:
        number = Decimal(str(raw))
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        wrong.say(line, f"`{key}` is not a number: {raw!r}")
        return None
    if (spec.low is not None and number < spec.low) or (spec.high is not None and number > spec.high):
        wrong.say(line, f"`{key}` = {number} is outside its clinical bounds {spec.low} to {spec.high} {spec.unit}")
        return None
    return Number(key=key, value=number, unit=spec.unit, source=source)


def _read_rules(section: object, known: frozenset[str] | None, wrong: _Findings) -> dict[str, RuleTerms]:
    if not isinstance(section, dict):
        wrong.say(0, "`rules` is missing")
        return {}
    lines = section["\0lines"]
    rules: dict[str, RuleTerms] = {}
    for rule, row in section.items():
        if rule == "\0lines":
            continue
        line = lines.get(rule, 0)
        if known is not None and rule not in known:
            wrong.say(line, f"no rule is called `{rule}`")
            continue
        if not isinstance(row, dict) or "severity" not in row:
            wrong.say(line, f"`{rule}` needs severity and sources")
            continue
        severity = row["severity"]
        by_reason = (
            {k: v for k, v in severity.items() if k != "\0lines"} if isinstance(severity, dict) else {"*": severity}
        )
        parsed: dict[str, Severity | None] = {}
        for reason, name in by_reason.items():
            if name in ("off", False):
                parsed[reason] = None
            elif name in list(Severity):
                parsed[reason] = Severity(name)
            else:
                wrong.say(line, f"`{rule}` severity `{name}` is not one of critical, high, medium, info, off")
        citations = []
        for item in row.get("sources") or ():
            source, _, part = str(item).partition(" ")
            citations.append(Citation(source=source, section=part))
        if not citations:
            wrong.say(line, f"`{rule}` has no source")
        status = row.get("status", "active")
        if status not in _STATUSES:
            wrong.say(line, f"`{rule}` status is one of {', '.join(_STATUSES)}")
        rules[rule] = RuleTerms(rule=rule, severity=parsed, status=status, citations=tuple(citations))
    for rule in sorted((known or frozenset()) - set(rules) - {"\0lines"}):
        if section.get(rule) is None:
            wrong.say(0, f"rule `{rule}` has no severity in this profile; use `off` where it does not apply")
    return rules


def _read_ladders(section: object, wrong: _Findings) -> dict[str, tuple[Decimal, ...]]:
    ladders: dict[str, tuple[Decimal, ...]] = {}
    if not isinstance(section, dict):
        wrong.say(0, "`ladders` is missing")
        return ladders
    for name, row in section.items():
        if name == "\0lines":
            continue
        line = section["\0lines"].get(name, 0)
        if not isinstance(row, dict) or row.get("unit") != "mg" or not row.get("source"):
            wrong.say(line, f"ladder `{name}` needs steps, unit mg and source")
            continue
        try:
            steps = tuple(Decimal(str(step)) for step in row.get("steps") or ())
        except InvalidOperation:
            steps = ()
        if not steps or list(steps) != sorted(set(steps), reverse=True) or steps[-1] <= 0:
            wrong.say(line, f"ladder `{name}` needs doses in mg, highest first")
            continue
        ladders[name] = steps
    return ladders
