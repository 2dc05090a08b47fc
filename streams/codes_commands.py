"""`myelowatch codes unmapped|check|list|show`: the site's own codes, and what the project's tables know.

Codes and their displays are printed for the person who makes a site map; they go into no log and no metric.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from schemas.codes import tables
from schemas.events import LabResultReported
from schemas.events.lab_result import ResultDoubt
from schemas.reading import Reading, ReadingContext
from streams.refusals import CheckFailed, Refusal
from streams.replay_input import InputFormat, find_files, read_messages

codes_app = typer.Typer(
    help="Codes: which of the site's own mean nothing yet, and what the project's tables know.", no_args_is_help=True
)

_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Code:
    """One code that no table knows, as it was sent."""

    feed: str
    kind: str
    system: str
    code: str
    display: str


SiteMaps = Annotated[
    list[Path] | None, typer.Option("--site-map", metavar="FILE", help="Count by this map; may be repeated.")
]


@codes_app.command("unmapped")
def unmapped(
    inputs: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="FILE", help="Files or folders, as for replay; may be repeated."),
    ] = None,
    site_map: SiteMaps = None,
    input_format: Annotated[InputFormat, typer.Option("--format", help="What the files hold.")] = InputFormat.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    everything: Annotated[bool, typer.Option("--all", help=f"Not only the {_SHOWN} most frequent.")] = False,
) -> None:
    """Count the codes that mean nothing to the rules yet, the most frequent first.

    Without --from the messages that the topics still keep are read again, by the site maps of the settings. What a
    map sets aside with `ignore` is not listed.
    """
    counted = count_files(inputs, input_format, site_map) if inputs else count_topics(site_map)
    ranked = sorted(counted.items(), key=lambda row: (-row[1], *_fields(row[0])))
    shown = ranked if everything or as_json else ranked[:_SHOWN]
    if as_json:
        for code, count in shown:
            typer.echo(json.dumps({"count": count, **_row(code)}, ensure_ascii=False))
        return
    if not ranked:
        typer.echo("Every code that came is known, or set aside by a site map.")
        return
    width = max(len(code.system) + len(code.code) + 1 for code, _ in shown)
    typer.echo(f"{'count':>7}  {'feed':14}  {'what':12}  {'system|code':{width}}  display")
    for code, count in shown:
        named = f"{code.system or 'no system'}|{code.code}"
        typer.echo(f"{count:7,}  {code.feed:14}  {code.kind:12}  {named:{width}}  {code.display}".rstrip())
    rest = len(ranked) - len(shown)
    typer.echo(
        f"{len(ranked):,} codes, {sum(counted.values()):,} times"
        + (f"; {rest:,} rarer ones are listed with --all" if rest else "")
        + ". Those that matter go into a site map (deploy/site-maps/example-edi.yaml shows one)."
    )


def _fields(code: Code) -> tuple[str, ...]:
    return (code.feed, code.kind, code.system, code.code, code.display)


def _row(code: Code) -> dict[str, str]:
    return {"feed": code.feed, "what": code.kind, "system": code.system, "code": code.code, "display": code.display}


def _codes_in(reading: Reading, feed: str) -> Iterator[tuple[Code, int]]:
    """Unknown codes, and known ones under a system that is not theirs."""
    for each in reading.unmapped:
        yield Code(feed, each.kind, each.system, each.code, each.display or ""), each.count
    for entry in reading.entries:
        for fact in entry.facts:
            if isinstance(fact, LabResultReported) and fact.doubt is ResultDoubt.CODE_SYSTEM and fact.codes:
                first = fact.codes[0]
                yield Code(feed, "result", first.system, first.code, f"{first.display or ''} (is it LOINC?)".strip()), 1


def count_files(inputs: list[str], input_format: InputFormat, site_maps: list[Path] | None) -> Counter[Code]:
    """The unmapped codes of files."""
    from zoneinfo import ZoneInfo

    from streams.replay_command import file_readers, reading_context

    # No rule runs here: a zone only places times, and a code means the same in any.
    context = reading_context(ZoneInfo("UTC"), site_maps)
    readers, counted = file_readers(), Counter[Code]()
    messages = 0
    for message in read_messages(find_files(inputs), input_format):
        reading = readers[message.protocol](message.body, replace(context, feed=message.feed))
        for code, count in _codes_in(reading, message.feed):
            counted[code] += count
        messages += 1
    if not messages:
        raise Refusal("The input holds no message.")
    return counted


def count_topics(site_maps: list[Path] | None) -> Counter[Code]:
    """The unmapped codes of what intake and the inlets still keep."""
    from streams.readers import build_contexts, build_readers
    from streams.settings import load_settings
    from streams.topic_reading import read_topic
    from streams.topics import SOURCES
    from streams.translate import feed_and_protocol

    given: dict[str, Any] = {"site_maps": tuple(site_maps)} if site_maps else {}
    settings = load_settings(**given)
    contexts: dict[str, ReadingContext] = build_contexts(settings)
    readers, counted = build_readers(), Counter[Code]()
    for subject in SOURCES:
        for record in read_topic(settings, subject):
            feed, protocol = feed_and_protocol(record, settings.topics)
            context, reader = contexts.get(feed), readers.get(protocol)
            if context is None or reader is None:
                continue
            for code, count in _codes_in(reader(record.value or b"", dict(record.headers), context), feed):
                counted[code] += count
    return counted


@codes_app.command("check")
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="A site map.")]) -> None:
    """Say everything that is wrong with a site map, each with its line; exit 1 if anything is."""
    from streams.site_maps import load_site_maps

    try:
        (found,) = load_site_maps([file])
    except Refusal as error:
        raise CheckFailed(str(error)) from None
    meant = Counter(each.meaning for each in found.codes.values())
    counted = ", ".join(f"{count} {meaning}" for meaning, count in sorted(meant.items()))
    feeds = ", ".join(sorted(found.feeds)) or "every feed"
    typer.echo(
        f"{file}: usable. {found.title}: {len(found.codes)} codes of {len(found.uris)} systems ({counted}), for {feeds}."
    )


@codes_app.command("list")
def list_words(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="analyte, medicine, condition, procedure, ...")],
) -> None:
    """List the words of one kind that a site map may use, with their titles."""
    words = _words()
    if kind not in words:
        raise Refusal(f"No kind is called {kind!r}. There is: {', '.join(words)}.")
    for name, title in sorted(words[kind].items()):
        typer.echo(f"{name:36} {title}".rstrip())


@codes_app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="For example dvt, lmwh, anc.")]) -> None:
    """Show one word: what it is, what stands under it, and the codes that mean it (`...*`: everything that begins so)."""
    known = tables()
    kinds = [kind for kind, words in _words().items() if name in words]
    if name in known.medicine_classes:
        typer.echo(f"{name}: a class of medicines")
        for medicine in sorted(known.medicine_classes[name]):
            typer.echo(f"  {medicine:28} {known.medicine_titles[medicine]}")
        return
    if not kinds:
        raise Refusal(f"Nothing is called {name!r}. `myelowatch codes list KIND` names what there is.")
    for kind in kinds:
        typer.echo(f"{name}: {kind}, {_words()[kind][name]}".rstrip(", "))
        for line in known.codes_of(kind, name):
            typer.echo(f"  {line}")


def _words() -> dict[str, dict[str, str]]:
    known = tables()
    return {
        "analyte": {name: each.title for name, each in known.analytes.items()},
        "medicine": dict(known.medicine_titles),
        "condition": dict(known.concept_titles),
        "procedure": dict(known.procedure_titles),
        "vaccine": dict.fromkeys(known.vaccines, ""),
        "substance": dict.fromkeys(known.substances, ""),
        "statement": {name: each.title for name, each in known.statements.items()},
    }
