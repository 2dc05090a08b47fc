"""`myelowatch rules list|show`, and docs/rules.md: the catalogue joined with the policy that fills it.

Everything shown is read from where it decides: the entry, the module's own docstring, the policy. The
page is written by `python -m streams.rules_commands --write-docs`, and a test holds the file equal.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.policy_commands import DEFAULT_PROFILE, Profile, load, profiles, severities, shown
from streams.refusals import Refusal

if TYPE_CHECKING:
    from rules.entry import RuleEntry
    from rules.policy.reading import Policy

rules_app = typer.Typer(
    help="The catalogue of rules, with the numbers and sources each decides by.", no_args_is_help=True
)

_HEADINGS: Final = ("Watches for", "Stays silent", "Cannot assess", "Numbers")
_HOUSE: Final = Path(__file__).resolve().parents[1]
_PAGE: Final = _HOUSE / "docs" / "rules.md"


@dataclass(frozen=True, slots=True)
class RuleCard:
    """What the module of a rule says of itself, and where it stands."""

    question: str
    """First line of the docstring: what the rule asks."""
    parts: dict[str, str]
    """The four parts of the docstring by heading."""
    numbers: tuple[str, ...]
    """Policy keys it decides by."""
    file: str
    line: int


def read_card(entry: RuleEntry) -> RuleCard:
    """The card of a rule, from the module or function that assesses it."""
    function = inspect.unwrap(entry.assess)
    module = inspect.getmodule(function)
    own = inspect.getdoc(function) or ""
    # A module that holds one rule is described by its own docstring, one that holds several by each function's.
    text = own if "Numbers" in own else (inspect.getdoc(module) or own)
    parts: dict[str, str] = {}
    heading = None
    for line in text.splitlines():
        found = next((each for each in _HEADINGS if line.startswith(each)), None)
        if found is not None:
            heading, line = found, line[len(found) :]
        if heading is not None:
            parts[heading] = f"{parts.get(heading, '')} {line.strip()}".strip()
    numbers = tuple(re.findall(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", parts.get("Numbers", "")))
    path = Path(inspect.getsourcefile(function) or "")
    file = path.relative_to(_HOUSE).as_posix() if path.is_relative_to(_HOUSE) else path.name
    return RuleCard(
        question=text.splitlines()[0].strip() if text else "",
        parts=parts,
        numbers=numbers,
        file=file,
        line=inspect.getsourcelines(function)[1],
    )


def describe(entry: RuleEntry, policy: Policy) -> dict[str, Any]:
    """One rule as data: the row of `rules list --json`."""
    terms = policy.rules.get(entry.id)
    card = read_card(entry)
    return {
        "id": entry.id,
        "section": entry.section,
        "family": entry.family,
        "form": entry.form.value,
        "subject": entry.subject.value,
        "severity": {reason: level.value if level else "off" for reason, level in terms.severity.items()}
        if terms
        else {"*": "off"},
        "closes": entry.closes,
        "status": terms.status if terms else "off",
        "version": entry.version,
        "is_hold": entry.is_hold,
        "reads": list(entry.reads),
        "superseded_by": list(entry.superseded_by),
        "acted_by": list(entry.acted_by),
        "citations": [{"source": each.source, "section": each.section} for each in terms.citations] if terms else [],
        "thresholds": [_threshold(policy, key) for key in card.numbers],
        "file": card.file,
        "profile": policy.profile,
    }


def _threshold(policy: Policy, key: str) -> dict[str, str]:
    value, unit, source = shown(policy, key)
    return {"key": key, "value": value, "unit": unit, "source": source}


@rules_app.command("list")
def list_rules(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
    profile: Profile = DEFAULT_PROFILE,
    file: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Severities of a file instead.")] = None,
) -> None:
    """List every rule with family, form, subject, severity and status."""
    from rules.catalogue import CATALOGUE

    policy = load(file or profile)
    if as_json:
        typer.echo(json.dumps([describe(entry, policy) for entry in CATALOGUE], indent=1, ensure_ascii=False))
        return
    typer.echo(f"{'rule':26} {'family':12} {'form':8} {'subject':8} {'status':8} severity ({policy.profile})")
    for entry in CATALOGUE:
        terms = policy.rules.get(entry.id)
        typer.echo(
            f"{entry.id:26} {entry.family:12} {entry.form.value:8} {entry.subject.value:8} "
            f"{terms.status if terms else 'off':8} {severities(policy, entry.id)}"
        )
    typer.echo(f"{len(CATALOGUE)} rules. `myelowatch rules show ID` says how one decides.")


@rules_app.command("show")
def show(
    rule: Annotated[str, typer.Argument(metavar="ID", help="For example anc-hold.")],
    profile: Profile = DEFAULT_PROFILE,
    file: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Numbers of a file instead.")] = None,
) -> None:
    """Say how one rule decides: what it watches for, its numbers with their sources, what closes it, and its file."""
    from rules.catalogue import BY_ID

    entry = BY_ID.get(rule)
    if entry is None:
        from difflib import get_close_matches

        near = get_close_matches(rule, BY_ID, n=3)
        hint = f" Near to it: {', '.join(near)}." if near else ""
        raise Refusal(f"No rule is called {rule!r}.{hint} `myelowatch rules list` names them all.")
    policy = load(file or profile)
    card, row = read_card(entry), describe(entry, policy)
    typer.echo(f"{entry.id}: {card.question}")
    for heading, text in card.parts.items():
        if heading != "Numbers":
            typer.echo(f"  {heading:14} {text}")
    typer.echo(f"  {'Subject':14} one alert a {entry.subject.value}; {entry.form.value}")
    typer.echo(f"  {'Severity':14} {severities(policy, rule)} ({policy.profile} {policy.version})")
    typer.echo(f"  {'Closes':14} {entry.closes}")
    if entry.superseded_by:
        typer.echo(f"  {'Gives way to':14} {', '.join(entry.superseded_by)}")
    typer.echo(f"  {'Reads':14} {', '.join(entry.reads)}")
    for number in row["thresholds"]:
        typer.echo(
            f"  {'Number':14} {number['key']} = {number['value']} {number['unit']}".rstrip() + f"  [{number['source']}]"
        )
    for citation in row["citations"]:
        typer.echo(f"  {'Source':14} {citation['source']} {citation['section']}".rstrip())
    typer.echo(f"  {'Decides in':14} {card.file}:{card.line}")
    typer.echo(f"  {'Version':14} {entry.version}, {row['status']}, clinical reference {entry.section}")


# --- docs/rules.md ---


def write_page() -> str:
    """The generated page: an index first, then one section a rule."""
    from rules.catalogue import CATALOGUE

    policies = [load(name) for name in profiles()]
    lines = [
        "# Rules",
        "",
        "<!-- Generated by `python -m streams.rules_commands --write-docs`; a test holds it equal. -->",
        "",
        (
            "Every rule that runs: the file that decides, the policy keys it decides by, and the number behind each key. The "
            "numbers stand in `rules/policy/<profile>.yaml`, each with its source; what a key means, its unit and its clinical "
            "bounds stand in `rules/policy/keys.yaml`; what a source tag stands for, in `rules/policy/sources.yaml`."
        ),
        "",
        "## Which file decides, by which number",
        "",
        "| what it says | rule | file that decides | policy key | "
        + " | ".join(policy.profile for policy in policies)
        + " | source |",
        "| --- | --- | --- | --- | " + " | ".join("---" for _ in policies) + " | --- |",
    ]
    cards = {entry.id: read_card(entry) for entry in CATALOGUE}
    for entry in CATALOGUE:
        card = cards[entry.id]
        says = card.question
        for key in card.numbers or ("",):
            numbers = [_threshold(policy, key) if key else {} for policy in policies]
            values = " | ".join(f"{each.get('value', '')} {each.get('unit', '')}".strip() for each in numbers)
            source = numbers[0].get("source", "") if numbers else ""
            lines.append(
                f"| {says} | [`{entry.id}`](#{entry.id}) | [`{card.file}`](../{card.file}) "
                f"| {f'`{key}`' if key else ''} | {values} | {source} |"
            )
            says = ""
    family = ""
    for entry in CATALOGUE:
        if entry.family != family:
            family = entry.family
            lines += ["", f"## {family.capitalize()}"]
        lines += ["", *_section(entry, cards[entry.id], policies)]
    return "\n".join(lines) + "\n"


def _section(entry: RuleEntry, card: RuleCard, policies: list[Policy]) -> list[str]:
    lines = [f'<a id="{entry.id}"></a>', "", f"### {entry.id}", "", card.question, "", "| | |", "| --- | --- |"]
    for heading, text in card.parts.items():
        if heading != "Numbers":
            lines.append(f"| {heading} | {text} |")
    lines.append(f"| Subject | one {entry.form.value} a {entry.subject.value} |")
    lines += [f"| Severity, {policy.profile} | {severities(policy, entry.id)} |" for policy in policies]
    lines.append(f"| Closes | {entry.closes} |")
    if entry.superseded_by:
        lines.append(f"| Gives way to | {', '.join(f'`{each}`' for each in entry.superseded_by)} |")
    lines.append(f"| Reads | {', '.join(f'`{each}`' for each in entry.reads)} |")
    if policies and (terms := policies[0].rules.get(entry.id)):
        cited = "; ".join(f"{each.source} {each.section}".strip() for each in terms.citations)
        lines.append(f"| Sources | {cited} |")
    lines.append(f"| Clinical reference | part {entry.section} |")
    return lines


def main(arguments: list[str]) -> int:
    """Write the page, or say whether the file is as it would be written."""
    page = write_page()
    if arguments == ["--write-docs"]:
        _PAGE.parent.mkdir(exist_ok=True)
        _PAGE.write_text(page, encoding="utf-8")
        return 0
    if arguments == ["--check-docs"]:
        if _PAGE.is_file() and _PAGE.read_text(encoding="utf-8") == page:
            return 0
        print("docs/rules.md is not what would be written now: run `make docs`.", file=sys.stderr)
        return 1
    print("python -m streams.rules_commands --write-docs | --check-docs", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
