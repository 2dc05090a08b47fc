"""What differs between two policies, in words a pharmacist reads and as data.

Numbers come with what they mean and their unit, rules with the question they ask; what a change of a key
does is not computed here (`myelowatch replay` with either policy shows it on patients).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from streams.policy_commands import describe_policy, keys_text, severities, shown

if TYPE_CHECKING:
    from rules.policy.reading import Policy


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies."""

    profile: str
    version: str
    status: str
    effective_from: str
    approved_by: str
    hash: str

    @property
    def named(self) -> str:
        """For people."""
        return f"{self.profile} {self.version}"


@dataclass(frozen=True, slots=True)
class KeyDifference:
    """A key whose value or source differs."""

    key: str
    meaning: str
    unit: str
    before: str
    after: str
    source_before: str
    source_after: str
    ambiguities: tuple[int, ...]

    @property
    def judges_otherwise(self) -> bool:
        """Whether the value itself differs, not only what it rests on."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class TableDifference:
    """A ladder of doses, or a table of starting doses, that differs."""

    kind: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """A rule that is switched on or off, or whose severity, status or sources differ."""

    rule: str
    question: str
    change: str
    """`switched-on`, `switched-off`, `severity`, `status`, `sources`."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that differs, in the order of the key table and of the catalogue."""

    a: Side
    b: Side
    keys: tuple[KeyDifference, ...]
    tables: tuple[TableDifference, ...]
    rules: tuple[RuleDifference, ...]

    @property
    def judge_alike(self) -> bool:
        """Whether the two would say the same of every patient."""
        decides = [rule for rule in self.rules if rule.change != "sources"]
        return not (any(key.judges_otherwise for key in self.keys) or self.tables or decides)

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {**asdict(self), "judge_alike": self.judge_alike}


def compare(old: Policy, new: Policy) -> Differences:
    """Compare two policies."""
    return Differences(
        a=_side(old),
        b=_side(new),
        keys=tuple(_keys(old, new)),
        tables=tuple(_tables(old, new)),
        rules=tuple(_rules(old, new)),
    )


def _side(policy: Policy) -> Side:
    return Side(policy.profile, policy.version, policy.status, policy.effective_from, policy.approved_by, policy.hash)


def _keys(old: Policy, new: Policy) -> list[KeyDifference]:
    from rules.policy.reading import read_keys

    found = []
    for key, spec in read_keys(keys_text()).items():
        (before, unit, source_before), (after, _, source_after) = shown(old, key), shown(new, key)
        if (before, source_before) != (after, source_after):
            found.append(
                KeyDifference(key, spec.meaning, unit, before, after, source_before, source_after, spec.ambiguities)
            )
    return found


def _tables(old: Policy, new: Policy) -> list[TableDifference]:
    one, other = describe_policy(old), describe_policy(new)
    found = []
    for kind in ("ladders", "dose_bands"):
        for name in dict.fromkeys([*one[kind], *other[kind]]):
            before, after = tuple(one[kind].get(name, ())), tuple(other[kind].get(name, ()))
            if before != after:
                found.append(TableDifference(kind, name, before, after))
    return found


def _rules(old: Policy, new: Policy) -> list[RuleDifference]:
    questions = _questions()
    found = []
    for rule in dict.fromkeys([*questions, *old.rules, *new.rules]):
        one, other = old.rules.get(rule), new.rules.get(rule)
        if one is None and other is None:
            continue
        question = questions.get(rule, rule)
        before, after = severities(old, rule), severities(new, rule)
        if before != after:
            was_on, is_on = _is_on(old, rule), _is_on(new, rule)
            change = "severity" if was_on == is_on else "switched-on" if is_on else "switched-off"
            found.append(RuleDifference(rule, question, change, before, after))
        if one is not None and other is not None:
            if one.status != other.status:
                found.append(RuleDifference(rule, question, "status", one.status, other.status))
            if one.citations != other.citations:
                found.append(RuleDifference(rule, question, "sources", _cited(old, rule), _cited(new, rule)))
    return found


def _questions() -> dict[str, str]:
    """What each rule asks, in the order of the catalogue."""
    from rules.catalogue import CATALOGUE
    from streams.rule_pages import read_card

    return {entry.id: read_card(entry).question.rstrip(".") for entry in CATALOGUE}


def _is_on(policy: Policy, rule: str) -> bool:
    terms = policy.rules.get(rule)
    return terms is not None and any(terms.severity.values())


def _cited(policy: Policy, rule: str) -> str:
    return "; ".join(f"{each.source} {each.section}".strip() for each in policy.rules[rule].citations)


# --- in words ---


def in_words(told: Differences) -> list[str]:
    """The comparison as lines; the first says which two, the last what it comes to."""
    lines = [f"From {told.a.named} ({told.a.status}) to {told.b.named} ({told.b.status})"]
    for name in ("effective_from", "approved_by"):
        before, after = getattr(told.a, name), getattr(told.b, name)
        if before != after:
            lines.append(f"  {name.replace('_', ' ')}: {before} becomes {after}")
    values = [key for key in told.keys if key.judges_otherwise]
    lines += _section("Numbers and choices", [_value_in_words(key) for key in values])
    lines += _section("Tables of doses", [_table_in_words(table) for table in told.tables])
    for change, title in _CHANGES.items():
        lines += _section(title, [_rule_in_words(rule) for rule in told.rules if rule.change == change])
    sources = [f"{key.meaning}: {key.source_before} becomes {key.source_after}  [{key.key}]"
               for key in told.keys if not key.judges_otherwise]  # fmt: skip
    sources += [_rule_in_words(rule) for rule in told.rules if rule.change == "sources"]
    lines += _section("The same, resting on another source", sources)
    if told.judge_alike:
        lines.append("The two judge alike: no number, table or severity differs.")
    return lines


_CHANGES = {
    "switched-off": "Rules switched off",
    "switched-on": "Rules switched on",
    "severity": "Severity changed",
    "status": "Status of a rule changed",
}


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", f"{title} ({len(rows)})", *(f"  {row}" for row in rows)] if rows else []


def _value_in_words(key: KeyDifference) -> str:
    before, after = _with_unit(key.before, key.unit), _with_unit(key.after, key.unit)
    numbers = f", ambiguity {', '.join(str(each) for each in key.ambiguities)}" if key.ambiguities else ""
    return f"{key.meaning}: {before} becomes {after}  [{key.key}{numbers}; {key.source_after}]"


def _with_unit(value: str, unit: str) -> str:
    words = {"true": "yes", "false": "no"}
    if unit == "cells/uL":
        value = f"{int(value):,}" if value.isdigit() else value
    return f"{words.get(value, value)} {unit}".strip()


def _table_in_words(table: TableDifference) -> str:
    what = "ladder (mg)" if table.kind == "ladders" else "starting doses"
    before, after = ("; ".join(each) or "none" for each in (table.before, table.after))
    return f"{what} {table.name}: {before} becomes {after}"


def _rule_in_words(rule: RuleDifference) -> str:
    return f"{rule.question}: {rule.before} becomes {rule.after}  [{rule.rule}]"
