"""`myelowatch intake FILE...`: a backfill, resumable, with a progress bar; history unless `--live`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from streams.refusals import CheckFailed, Refusal


def intake(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Files or folders (FHIR, HL7 v2, events; .gz of any), or - for standard input."
        ),
    ],
    live: Annotated[
        bool, typer.Option("--live", help="What the files say may page. Without it they are history and page nobody.")
    ] = False,
    feed: Annotated[
        str | None, typer.Option("--feed", help="The configured feed the files are of; needed where there are several.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Take files from their beginning, also those that were taken before.")
    ] = False,
    wanted: Annotated[str, typer.Option("--format", help="auto, fhir, hl7 or events.")] = "auto",
) -> None:
    """Take the messages of files in: kept like any other, in order. Run it again after an interruption: it goes on."""
    from streams.connections import connect_admin
    from streams.feed_maps import load_feed_maps
    from streams.gateway.files import Backfill
    from streams.ports import NotAcknowledged
    from streams.replay_input import InputFormat, find_files
    from streams.settings import load_settings
    from streams.topic_admin import check_topics
    from streams.topics import Subject

    if wanted not in ("auto", "fhir", "hl7", "events"):
        raise Refusal(f"--format is auto, fhir, hl7 or events, not {wanted!r}.")
    settings = load_settings()
    maps = load_feed_maps(settings)
    found = find_files(files)
    admin = connect_admin(settings.kafka, say=lambda sentence: typer.echo(sentence, err=True))
    try:
        wrong = check_topics(admin, settings, (Subject.INTAKE,))
    finally:
        admin.close()
    if wrong:
        raise Refusal("\n".join(wrong))
    backfill = Backfill(settings, maps)
    messages = sent = before = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            for path in found.files:
                task = bar.add_task(_shown(path), total=None)
                taken = backfill.take(
                    path,
                    feed=feed,
                    live=live,
                    again=again,
                    wanted=InputFormat(wanted),
                    on_progress=partial(_show, bar, task),
                )
                messages, sent, before = messages + taken.messages, sent + taken.sent, before + taken.before
    except NotAcknowledged as error:
        raise CheckFailed(
            f"The brokers did not confirm everything ({error}). Run the same command again: it goes on where it stopped."
        ) from None
    finally:
        backfill.close()
    skipped = f" ({before} of them by an earlier start)" if before else ""
    how = "may page" if live else "as history, pages nobody"
    typer.echo(
        f"{messages} message{'' if messages == 1 else 's'} of {len(found.files)} files are kept{skipped}; {how}."
    )
    if before and not sent:
        typer.echo("Nothing was sent: these files were taken before. --again takes them once more.", err=True)


def _show(bar: Progress, task: TaskID, done: int, of: int) -> None:
    bar.update(task, completed=done, total=of)


def _shown(path: Path | None) -> str:
    return "standard input" if path is None else path.name
