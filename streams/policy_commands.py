"""`myelowatch policy check|show|diff|activate`, and how a policy is found: by profile name or as a file.

The medicine reads text; the files are read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.refusals import CheckFailed, Refusal

if TYPE_CHECKING:
    from rules.policy.reading import Policy
    from rules.policy.terms import DoseBand, RuleTerms
    from schemas.events import PolicyActivation

DEFAULT_PROFILE: Final = "kr-panel"
_HEAD: Final = ("profile", "version", "status", "effective_from", "approved_by")
_NO_PROFILES: Final = ("ambiguities", "ctcae", "keys", "sources")
"""The other files of the folder."""

policy_app = typer.Typer(
    help="The numbers the rules decide by: check a file, show or compare profiles, put one in force.",
    no_args_is_help=True,
)

Profile = Annotated[str, typer.Option("--profile", help="A profile that comes with myelowatch.")]


def profiles() -> tuple[str, ...]:
    """The names of the profiles that come with myelowatch."""
    folder = files("rules.policy")
    named = (Path(each.name) for each in folder.iterdir() if each.name.endswith(".yaml"))
    return tuple(sorted(each.stem for each in named if each.stem not in _NO_PROFILES))


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
        text,
        keys_text(),
        known_rules=frozenset(BY_ID),
        overrides=overrides,
        grading_text=grading_text(),
        bases={name: profile_text(name) for name in profiles()},
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
    places = (f"{each.file or name}:{each.line}" if each.line else each.file or name for each in wrong)
    lines = [f"{place}: {each.message}" for place, each in zip(places, wrong, strict=True)]
    return "\n".join([*lines, f"{len(lines)} error{'' if len(lines) == 1 else 's'}; nothing was changed."])


class Use(StrEnum):
    """What a policy is wanted for."""

    REPLAY = "replayed"
    TRY = "run by the shadow monitor"
    JUDGE = "put in force"


_MAY: Final = {
    "draft": (Use.REPLAY,),
    "shadow": (Use.REPLAY, Use.TRY),
    "active": (Use.REPLAY, Use.TRY, Use.JUDGE),
    "retired": (Use.REPLAY,),
}
"""What a version of each status may be used for; any may be checked, shown and compared."""

_INSTEAD: Final = {
    "draft": "It is still being written: give it the status `shadow` to try it, or `active` once it is approved, "
    "with `approved_by`.",
    "shadow": "It is on trial: run it with `myelowatch worker --shadow`, and give it the status `active` once it is "
    "approved, with `approved_by`.",
    "retired": "It was taken out of use: begin a new version from it.",
}


def may_be(status: str) -> tuple[Use, ...]:
    """What a policy of this status may be used for."""
    return _MAY[status]


def require_status(policy: Policy, use: Use, name: str) -> None:
    """Refuse, with what to do, where the status of a policy does not allow this."""
    if use not in _MAY[policy.status]:
        raise Refusal(f"{name} has the status {policy.status!r} and cannot be {use}. {_INSTEAD[policy.status]}")


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
    based = f", based on {policy.resolved_from}" if policy.resolved_from else ""
    typer.echo(
        f"{file}: usable. Profile {policy.profile} {policy.version} ({policy.status}{based}), hash {policy.hash}, "
        f"{len(policy.rules)} rules."
    )


Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="key=value", help="Change a single key; may be repeated.")
]


@policy_app.command("show")
def show(
    profile: Profile = DEFAULT_PROFILE,
    file: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Show a file instead.")] = None,
    changes: Changes = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print a policy: every key with what it means, unit, bounds and source, every rule with its severity."""
    policy = load(file or profile, read_overrides(changes))
    told = describe_policy(policy)
    if as_json:
        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    for name, value in told["head"].items():
        typer.echo(f"{name.replace('_', ' '):15} {value}")
    typer.echo(f"{'may be':15} {', '.join(may_be(policy.status))}")
    typer.echo(
        "\nkeys: value, unit, source; what it means, what it may be, which ambiguity it resolves (docs/ambiguities.md)"
    )
    for key in told["keys"]:
        value = f"{key['value']} {key['unit']}".strip()
        typer.echo(f"  {key['key']:32} {value:18} {key['source']}")
        numbers = ", ".join(str(number) for number in key["ambiguities"])
        also = f" Ambiguity {numbers}." if numbers else ""
        typer.echo(f"      {key['meaning']}. May be {key['bounds']}.{also}")
    typer.echo("\nladders (mg)")
    for name, steps in told["ladders"].items():
        typer.echo(f"  {name:32} {' '.join(steps)}")
    typer.echo("\nstarting doses by clearance")
    for name, bands in told["dose_bands"].items():
        typer.echo(f"  {name:32} {'; '.join(bands)}")
    typer.echo("\nrules")
    for rule in told["rules"]:
        sources = "; ".join(rule["sources"])
        status = "" if rule["status"] == "active" else f" ({rule['status']})"
        typer.echo(f"  {rule['rule']:26} {rule['severity'] + status:32} {sources}")


def describe_policy(policy: Policy) -> dict[str, Any]:
    """A policy as data: what `policy show --json` prints."""
    from rules.policy.reading import read_keys

    head = {name: getattr(policy, name) for name in (*_HEAD, "hash")}
    if policy.resolved_from:
        head["based_on"] = policy.resolved_from
    keys = []
    for key, spec in read_keys(keys_text()).items():
        value, unit, source = shown(policy, key)
        keys.append(
            {
                "key": key,
                "value": value,
                "unit": unit,
                "source": source,
                "meaning": spec.meaning,
                "bounds": spec.bounds or " or ".join(policy.ladders),
                "ambiguities": list(spec.ambiguities),
            }
        )
    return {
        "head": head,
        "keys": keys,
        "ladders": {name: [f"{step:f}" for step in steps] for name, steps in policy.ladders.items()},
        "dose_bands": {name: [_band(band) for band in bands] for name, bands in policy.dose_bands.items()},
        "rules": [
            {
                "rule": rule.rule,
                "severity": severities(policy, rule.rule),
                "status": rule.status,
                "sources": _sources(rule),
            }
            for rule in policy.rules.values()
        ],
    }


@policy_app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="A profile or a policy file.")],
    new: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say in words what differs between two policies: numbers, rules switched on or off, severities, sources."""
    from streams.policy_differences import compare, in_words

    differences = compare(load(old), load(new))
    if as_json:
        typer.echo(json.dumps(differences.as_json(), indent=1, ensure_ascii=False))
        return
    for line in in_words(differences):
        typer.echo(line)


def _band(band: DoseBand) -> str:
    """For people: a row of a table of starting doses."""
    clearance = "on dialysis" if band.at_least is None else f"from {band.at_least} {band.at_least.unit}"
    return f"{clearance} {band.shown}"


def _sources(rule: RuleTerms) -> list[str]:
    return [f"{each.source} {each.section}".strip() for each in rule.citations]


def shown(policy: Policy, key: str) -> tuple[str, str, str]:
    """Value, unit, source of a key as text."""
    from rules.policy.terms import Number

    value = getattr(policy.terms, key)
    if isinstance(value, Number):
        return f"{value.value:f}", value.unit, value.source
    return (str(value).lower() if isinstance(value, bool) else str(value)), "", policy.sources[key]


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
    require_status(policy, Use.JUDGE, file)
    partitions = activate_policy(activation_of(policy))
    typer.echo(
        f"Profile {policy.profile} {policy.version} (hash {policy.hash}) is written to {partitions} partitions of the "
        "patient log. Workers judge by it from there on; workers with other rules stop and say so."
    )
