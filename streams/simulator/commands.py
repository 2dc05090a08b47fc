"""`myelowatch simulate`: a ward of synthetic patients as files, with a list of what goes wrong in it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from streams.refusals import Refusal
from streams.simulator.event_writer import write_events
from streams.simulator.fhir_writer import write_fhir
from streams.simulator.happenings import Happening, Mishap
from streams.simulator.hl7_writer import write_hl7
from streams.simulator.ward import DEFAULT_PATIENTS, DEFAULT_SEED, DEFAULT_WEEKS, simulate

MANIFEST: Final = "manifest.json"
MADE_BY: Final = "myelowatch simulate"


class OutputFormat(StrEnum):
    """What the files hold."""

    EVENTS = "events"
    FHIR = "fhir"
    HL7 = "hl7"


class FolderNotOurs(Refusal):
    """The folder holds something that `simulate` did not write; the message says what to do."""


def simulate_command(
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients.")] = DEFAULT_PATIENTS,
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How long the ward is open.")] = DEFAULT_WEEKS,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = DEFAULT_SEED,
    out: Annotated[Path, typer.Option(help="An empty or new folder.")] = Path("simulated"),
    output_format: Annotated[OutputFormat, typer.Option("--format", help="What to write.")] = OutputFormat.EVENTS,
) -> None:
    """Write synthetic patients: pathways with cycles, counts, holds and named mishaps. Same seed, same bytes."""
    console = Console(stderr=True)
    prepare_folder(out)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("patients", total=patients)
        happenings = list(simulate(patients, weeks, seed, walked=lambda: progress.advance(task)))
    manifest = write_ward(happenings, out, output_format)
    manifest |= {"patients": patients, "weeks": weeks, "seed": seed}
    (out / MANIFEST).write_text(json.dumps(dict(sorted(manifest.items())), indent=2) + "\n", encoding="utf-8")
    met = sum(1 for each in manifest["mishaps"].values() if each["patients"])
    console.print(
        f"{len(happenings)} messages about {patients} synthetic patients in {out / output_format.value}; "
        f"{met} of {len(Mishap)} kinds of mishap happened, listed in {out / MANIFEST}.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def prepare_folder(out: Path) -> None:
    """Make the folder, or empty one that `simulate` wrote before; anything else is refused."""
    if out.exists() and not out.is_dir():
        raise FolderNotOurs(f"{out} is a file: name a folder with --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{out} cannot be made ({error.strerror}): name another folder with --out.") from error
    ours = {MANIFEST, *(each.value for each in OutputFormat)}
    found = sorted(path.name for path in out.iterdir())
    if found and (not _was_made_by_us(out / MANIFEST) or set(found) - ours):
        raise FolderNotOurs(
            f"{out} is not empty and was not written by `{MADE_BY}`: name a new or empty folder with --out."
        )
    for name in found:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_ward(happenings: list[Happening], out: Path, output_format: OutputFormat) -> dict[str, Any]:
    """Write the messages into a folder of their own below `out`; the manifest's contents are answered."""
    folder = out / output_format.value
    folder.mkdir()
    if output_format is OutputFormat.FHIR:
        write_fhir(happenings, folder)
    elif output_format is OutputFormat.HL7:
        write_hl7(happenings, folder)
    else:
        write_events(happenings, folder)
    return {"made_by": MADE_BY, "format": output_format.value, **count_ward(happenings)}


def count_ward(happenings: Iterable[Happening]) -> dict[str, Any]:
    """What is in a ward: messages by kind, and for each mishap the patients it met and its messages."""
    kinds: Counter[str] = Counter()
    messages: Counter[Mishap] = Counter()
    met: dict[Mishap, set[str]] = {mishap: set() for mishap in Mishap}
    first = last = None
    for happening in happenings:
        kinds[type(happening.what).__name__.lower()] += 1
        first = first or happening.known_at
        last = happening.known_at
        if happening.mishap is not None:
            messages[happening.mishap] += 1
            met[happening.mishap].add(happening.patient)
    return {
        "messages": dict(sorted(kinds.items())),
        "first_known_at": None if first is None else first.isoformat(),
        "last_known_at": None if last is None else last.isoformat(),
        "mishaps": {mishap.value: {"patients": sorted(met[mishap]), "messages": messages[mishap]} for mishap in Mishap},
    }


def _was_made_by_us(manifest: Path) -> bool:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("made_by") == MADE_BY
