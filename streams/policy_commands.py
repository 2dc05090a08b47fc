"""`myelowatch policy check|show|diff|activate`, and how a policy is found: by profile name or as a file.

The medicine reads text; the files are read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
import yaml

from streams.refusals import CheckFailed, Refusal

if TYPE_CHECKING:
    from rules.policy.reading import Policy
    from schemas.events import PolicyActivation

DEFAULT_PROFILE: Final = "kr-panel"

policy_app = typer.Typer(
    help="The numbers the rules decide by: check a file, show or compare profiles, put one in force.",
    no_args_is_help=True,
)

Profile = Annotated[str, typer.Option("--profile", help="A profile that comes with myelowatch.")]


def profiles() -> tuple[str, ...]:
    """The names of the profiles that come with myelowatch."""
    folder = files("rules.policy")
    named = (Path(each.name) for each in folder.iterdir() if each.name.endswith(".yaml"))
    return tuple(sorted(each.stem for each in named if each.stem not in ("ctcae", "keys", "sources")))


def keys_text() -> str:
    """The table of policy keys."""
    return files("rules.policy").joinpath("keys.yaml").read_text(encoding="utf-8")


def grading_text() -> str:
    """The CTCAE tables that alerts are annotated with."""
    return files("rules.policy").joinpath("ctcae.yaml").read_text(encoding="utf-8")


def profile_text(profile: str) -> str:
    """The YAML of a profile that comes with myelowatch."""
    if profile not in profiles():
        raise Refusal(
            f"No profile is called {profile!r}. There is: {', '.join(profiles())}. A file of your own goes to --policy."
        )
    return files("rules.policy").joinpath(f"{profile}.yaml").read_text(encoding="utf-8")


def policy_text(name_or_file: str) -> str:
    """The YAML of a profile, or of a file where no profile has that name."""
    if name_or_file in profiles():
        return profile_text(name_or_file)
    path = Path(name_or_file)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refusal(f"{name_or_file} is not a text file in UTF-8.") from None
    except OSError as error:
        raise Refusal(
            f"{name_or_file} is neither a profile ({', '.join(profiles())}) nor a file that can be read ({error.strerror})."
        ) from None


def read_overrides(pairs: list[str] | None) -> dict[str, str]:
    """`--set key=value`, as often as given."""
    overrides: dict[str, str] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise Refusal(f"--set wants key=value, for example --set anc_severe=400; got {pair!r}.")
        overrides[key.strip()] = value.strip()
    return overrides


def read(text: str, overrides: Mapping[str, str] | None = None) -> Policy:
    """Text to policy, with every rule of the catalogue required; raises `PolicyUnusable`."""
    from rules.catalogue import BY_ID
    from rules.policy.reading import read_policy

    return read_policy(
        text, keys_text(), known_rules=frozenset(BY_ID), overrides=overrides, grading_text=grading_text()
    )


def load(name_or_file: str, overrides: Mapping[str, str] | None = None) -> Policy:
    """A policy ready to judge, or a refusal with every error and its line."""
    from rules.policy.reading import PolicyUnusable

    text = policy_text(name_or_file)
    try:
        return read(text, overrides)
    except PolicyUnusable as error:
        raise Refusal(_errors(name_or_file, error)) from None


def activation_of(policy: Policy) -> PolicyActivation:
    """The log's form of a policy: everything that is needed to judge by it again."""
    from rules.catalogue import RULES_VERSION
    from schemas.events import PolicyActivation

    return PolicyActivation(
        profile=policy.profile,
        version=policy.version,
        hash=policy.hash,
        rules_version=RULES_VERSION,
        text=policy.text,
    )


def _errors(name: str, error: Exception) -> str:
    wrong = getattr(error, "errors", ())
    lines = [f"{name}:{each.line}: {each.message}" if each.line else f"{name}: {each.message}" for each in wrong]
    return "\n".join([*lines, f"{len(lines)} error{'' if len(lines) == 1 else 's'}; nothing was changed."])


@policy_app.command("check")
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or the name of a profile.")],
) -> None:
    """Say everything that is wrong with a policy file, each with its line; exit 1 if anything is."""
    from rules.policy.reading import PolicyUnusable

    text = policy_text(file)
    try:
        policy = read(text)
    except PolicyUnusable as error:
        raise CheckFailed(_errors(file, error)) from None
    typer.echo(
        f"{file}: usable. Profile {policy.profile} {policy.version} ({policy.status}), hash {policy.hash}, "
        f"{len(policy.rules)} rules."
    )


@policy_app.command("show")
def show(
    profile: Profile = DEFAULT_PROFILE,
    file: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Show a file instead.")] = None,
) -> None:
    """Print a policy: every number with unit and source, every rule with its severity."""
    from rules.policy.reading import read_keys

    policy = load(file or profile)
    keys = read_keys(keys_text())
    typer.echo(f"profile         {policy.profile}")
    typer.echo(f"version         {policy.version}")
    typer.echo(f"status          {policy.status}")
    typer.echo(f"effective from  {policy.effective_from}")
    typer.echo(f"approved by     {policy.approved_by}")
    typer.echo(f"hash            {policy.hash}")
    typer.echo("\nnumbers")
    for key in keys:
        value, unit, source = shown(policy, key)
        typer.echo(f"  {key:32} {f'{value} {unit}'.strip():18} {source}")
    typer.echo("\nladders (mg)")
    for name, steps in policy.ladders.items():
        typer.echo(f"  {name:32} {' '.join(f'{step:f}' for step in steps)}")
    typer.echo("\nrules")
    for rule in policy.rules.values():
        sources = "; ".join(f"{each.source} {each.section}".strip() for each in rule.citations)
        typer.echo(f"  {rule.rule:26} {severities(policy, rule.rule):32} {sources}")


@policy_app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="A profile or a policy file.")],
    new: Annotated[str, typer.Argument(metavar="B", help="Another.")],
) -> None:
    """Print what differs between two policies: numbers, ladders, severities, sources."""
    lines = differences(load(old), load(new))
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("The two judge alike: no number, severity or source differs.")


def differences(old: Policy, new: Policy) -> list[str]:
    """One line a difference, in the order of the key table and the catalogue."""
    from rules.policy.reading import read_keys

    lines = []
    for name in ("profile", "version", "status", "effective_from", "approved_by"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            lines.append(f"{name}: {before} -> {after}")
    for key in read_keys(keys_text()):
        before, after = shown(old, key), shown(new, key)
        if before[:2] != after[:2]:
            lines.append(f"{key}: {' '.join(before[:2]).strip()} -> {' '.join(after[:2]).strip()}  [{after[2]}]")
        elif before[2] != after[2]:
            lines.append(f"{key}: source {before[2]} -> {after[2]}")
    for ladder in sorted({*old.ladders, *new.ladders}):
        before, after = old.ladders.get(ladder), new.ladders.get(ladder)
        if before != after:
            lines.append(f"ladder {ladder}: {_steps(before)} -> {_steps(after)}")
    for rule in dict.fromkeys([*old.rules, *new.rules]):
        before_severity, after_severity = severities(old, rule), severities(new, rule)
        if before_severity != after_severity:
            lines.append(f"rule {rule}: {before_severity} -> {after_severity}")
        one, other = old.rules.get(rule), new.rules.get(rule)
        if one and other and one.status != other.status:
            lines.append(f"rule {rule}: status {one.status} -> {other.status}")
        if one and other and one.citations != other.citations:
            lines.append(f"rule {rule}: sources differ")
    return lines


def _steps(steps: object) -> str:
    return " ".join(f"{step:f}" for step in steps) if isinstance(steps, tuple) else "none"


def shown(policy: Policy, key: str) -> tuple[str, str, str]:
    """Value, unit, source of a key as text."""
    from rules.policy.terms import Number

    value = getattr(policy.terms, key)
    if isinstance(value, Number):
        return f"{value.value:f}", value.unit, value.source
    # Terms keep flags and choices bare: their source stands in the text only.
    source = yaml.safe_load(policy.text)["values"][key]["source"]
    return (str(value).lower() if isinstance(value, bool) else str(value)), "", str(source)


def severities(policy: Policy, rule: str) -> str:
    """The severity of a rule in words: `critical`, or by reason `severe critical, repeat high`."""
    terms = policy.rules.get(rule)
    if terms is None:
        return "not in this policy"
    named = {reason: severity.value if severity else "off" for reason, severity in terms.severity.items()}
    if list(named) == ["*"]:
        return named["*"]
    return ", ".join(f"{'otherwise' if reason == '*' else reason} {word}" for reason, word in named.items())


@policy_app.command("activate")
def activate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A policy file, or the name of a profile.")],
) -> None:
    """Put a policy in force: written to every partition of the patient log, it judges everything after that place."""
    from streams.policy_activation import activate_policy

    policy = load(file)
    if policy.status != "active":
        raise Refusal(
            f"{file} has the status {policy.status!r}. Only a policy whose status is `active` can be put in force; "
            "set it once it is approved, with `approved_by`."
        )
    partitions = activate_policy(activation_of(policy))
    typer.echo(
        f"Profile {policy.profile} {policy.version} (hash {policy.hash}) is written to {partitions} partitions of the "
        "patient log. Workers judge by it from there on; workers with other rules stop and say so."
    )
