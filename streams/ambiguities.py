"""docs/ambiguities.md: each unclear place of the guideline, how it was resolved, and by which policy key.

The texts stand in `rules/policy/ambiguities.yaml`, the numbers of the keys in `keys.yaml`, the values in the
profiles; this joins them. Written with the pages of the rules: `python -m streams.rules_commands --write-docs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from streams.policy_commands import keys_text, shown

if TYPE_CHECKING:
    from rules.policy.reading import Policy, PolicyKey

NEEDS = "needs a clinician before real use"


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """One place of part 1.13 of the clinical reference."""

    number: int
    title: str
    unclear: str
    resolved: str
    needs: str
    """What a clinician has to settle before real use; empty where the source itself settles it."""
    keys: tuple[PolicyKey, ...]
    """The policy keys that decide it."""


def read_ambiguities() -> tuple[Ambiguity, ...]:
    """All of them, in order."""
    from rules.policy.reading import read_keys

    keys = read_keys(keys_text()).values()
    text = files("rules.policy").joinpath("ambiguities.yaml").read_text(encoding="utf-8")
    return tuple(
        Ambiguity(
            number=number,
            title=row["title"],
            unclear=row["unclear"],
            resolved=row["resolved"],
            needs=row.get("needs", ""),
            keys=tuple(key for key in keys if number in key.ambiguities),
        )
        for number, row in yaml.safe_load(text).items()
    )


def write_ambiguities(policies: Sequence[Policy]) -> str:
    """The page; `policies` are the profiles it shows, the default first."""
    found = read_ambiguities()
    lines = [
        "# Where the guideline is unclear, and how each place was resolved",
        "",
        (
            "The Korean expert-panel guideline contradicts itself in places, leaves numbers out, and lost signs in print. Each "
            "such place has a number, a resolution that the program follows by default, and the policy keys by which a site "
            "decides otherwise: `myelowatch policy show` prints them, a policy file that is `based_on` a profile changes them "
            "for good, and `myelowatch replay --set key=value` shows what a change would say."
        ),
        "",
        f"Places marked *{NEEDS}* rest on a choice of this project and not on the source.",
        "",
        "| number | about | |",
        "| --- | --- | --- |",
        *(f"| [{each.number}](#{each.number}) | {each.title} | {_mark(each)} |" for each in found),
    ]
    for each in found:
        lines += ["", *_section(each, policies)]
    return "\n".join(lines) + "\n"


def _mark(ambiguity: Ambiguity) -> str:
    return f"*{NEEDS}*" if ambiguity.needs else ""


def _section(ambiguity: Ambiguity, policies: Sequence[Policy]) -> Iterable[str]:
    yield f'<a id="{ambiguity.number}"></a>'
    yield ""
    yield f"## {ambiguity.number}. {ambiguity.title}"
    yield ""
    yield f"**What is unclear.** {ambiguity.unclear}"
    yield ""
    yield f"**How it was resolved.** {ambiguity.resolved}"
    if ambiguity.needs:
        yield ""
        yield f"***{NEEDS[0].upper()}{NEEDS[1:]}.*** {ambiguity.needs}"
    if ambiguity.keys:
        yield ""
        yield f"| policy key | decides | {' | '.join(policy.profile for policy in policies)} | may be |"
        yield f"| --- | --- | {' | '.join('---' for _ in policies)} | --- |"
        for key in ambiguity.keys:
            values = " | ".join(" ".join(shown(policy, key.key)[:2]).strip() for policy in policies)
            yield f"| `{key.key}` | {key.meaning} | {values} | {key.bounds} |"
