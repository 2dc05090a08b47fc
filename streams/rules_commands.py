"""`myelowatch rules list|show`, docs/rules.md and docs/rules/: the catalogue joined with the policies that fill it.

Everything shown is read from where it decides: the entry, the module's own docstring, the policy. The
pages are written by `python -m streams.rules_commands --write-docs`, and a test holds the files equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.ambiguities import write_ambiguities
from streams.policy_commands import DEFAULT_PROFILE, Profile, load, profiles, severities, shown
from streams.refusals import Refusal
from streams.rule_pages import GENERATED, HOUSE, read_card, write_rule_page

if TYPE_CHECKING:
    from rules.entry import RuleEntry
    from rules.policy.reading import Policy

rules_app = typer.Typer(
    help="The catalogue of rules, with the numbers and sources each decides by.", no_args_is_help=True
)

_PAGE: Final = HOUSE / "docs" / "rules.md"
_FOLDER: Final = HOUSE / "docs" / "rules"
_AMBIGUITIES: Final = HOUSE / "docs" / "ambiguities.md"


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
    profile: Annotated[
        str | None, typer.Option("--profile", help="Only the numbers of this profile; default: all that come with it.")
    ] = None,
    file: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Numbers of a file instead.")] = None,
) -> None:
    """Say how one rule decides: its page in docs/rules, with an example that is run now."""
    from rules.catalogue import BY_ID

    entry = BY_ID.get(rule)
    if entry is None:
        from difflib import get_close_matches

        near = get_close_matches(rule, BY_ID, n=3)
        hint = f" Near to it: {', '.join(near)}." if near else ""
        raise Refusal(f"No rule is called {rule!r}.{hint} `myelowatch rules list` names them all.")
    chosen = [load(file)] if file is not None else [load(profile)] if profile is not None else shipped()
    typer.echo(write_rule_page(entry, chosen).rstrip())


# --- docs/rules.md and docs/rules/ ---


def shipped() -> list[Policy]:
    """The profiles that come with myelowatch, the default one first."""
    return [load(name) for name in sorted(profiles(), key=lambda name: (name != DEFAULT_PROFILE, name))]


def write_page() -> str:
    """The index: what each rule says, the file that decides, the policy keys it decides by, and their numbers."""
    from rules.catalogue import CATALOGUE

    policies = shipped()
    head = ("what it says", "rule", "file that decides", "policy key", *(p.profile for p in policies), "source")
    lines = [
        "# Rules",
        "",
        GENERATED,
        "",
        (
            "Every rule that runs: the file that decides, the policy keys it decides by, and the number behind each key. The "
            "page of a rule says the rest: exact trigger, sources in plain words, how it closes, and an example that is run. The "
            "numbers stand in `rules/policy/<profile>.yaml`, each with its source; what a key means, its unit and its clinical "
            "bounds stand in `rules/policy/keys.yaml`; what a source tag stands for, in `rules/policy/sources.yaml`."
        ),
    ]
    family = ""
    for entry in CATALOGUE:
        if entry.family != family:
            family = entry.family
            lines += ["", f"## {family.capitalize()}", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
        card = read_card(entry)
        says = card.question
        for key in card.numbers or ("",):
            numbers = [_threshold(policy, key) if key else {} for policy in policies]
            values = " | ".join(f"{each.get('value', '')} {each.get('unit', '')}".strip() for each in numbers)
            source = "; ".join(dict.fromkeys(each.get("source", "") for each in numbers))
            lines.append(
                f"| {says} | [`{entry.id}`](rules/{entry.id}.md) | [`{card.file}`](../{card.file}) "
                f"| {f'`{key}`' if key else ''} | {values} | {source} |"
            )
            says = ""
    return "\n".join(lines) + "\n"


def write_pages() -> dict[Path, str]:
    """Every generated page of the rules, by its file."""
    from rules.catalogue import CATALOGUE

    policies = shipped()
    pages = {_PAGE: write_page(), _AMBIGUITIES: f"{GENERATED}\n\n{write_ambiguities(policies)}"}
    for entry in CATALOGUE:
        pages[_FOLDER / f"{entry.id}.md"] = f"{GENERATED}\n\n{write_rule_page(entry, policies)}"
    return pages


def settle(pages: Mapping[Path, str], folder: Path, *, is_check: bool) -> list[Path]:
    """Write the pages and take away what is left over in their folder, or only say which files are not as they should be."""
    wrong = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    strangers = sorted(set(folder.glob("*.md")) - set(pages)) if folder.is_dir() else []
    if not is_check:
        folder.mkdir(parents=True, exist_ok=True)
        for path in wrong:
            path.write_text(pages[path], encoding="utf-8")
        for path in strangers:
            path.unlink()
    return [*wrong, *strangers]


def main(arguments: list[str]) -> int:
    """Write the pages, or say which file is not as it would be written."""
    if arguments not in (["--write-docs"], ["--check-docs"]):
        print("python -m streams.rules_commands --write-docs | --check-docs", file=sys.stderr)
        return 2
    is_check = arguments == ["--check-docs"]
    wrong = settle(write_pages(), _FOLDER, is_check=is_check)
    if not is_check:
        return 0
    for path in wrong:
        print(f"{path.relative_to(HOUSE)} is not what would be written now: run `make docs`.", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
