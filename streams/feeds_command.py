"""`myelowatch feeds check`: is the field map right, and what does it make of these messages? Nothing is sent anywhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from schemas.reading import ReadingContext
from schemas.rejection import IgnoreReason
from streams.feed_maps import load_feed_map
from streams.refusals import CheckFailed, Refusal
from streams.replay_input import InputFormat, find_files, read_messages

if TYPE_CHECKING:
    from schemas.hl7v2 import FeedMap
    from schemas.reading import Reading

feeds_app = typer.Typer(add_completion=False, no_args_is_help=True, help="The field maps of HL7 v2 feeds.")

_SECRET: Final = b"a dry run keys nothing that leaves it"
_LISTED: Final = 40


@feeds_app.callback()
def _group() -> None:
    """The field maps of HL7 v2 feeds."""


@feeds_app.command("check")
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The field map, YAML.")],
    samples: Annotated[
        list[str] | None, typer.Argument(metavar="[MESSAGES]...", help="HL7 v2 files or folders to try it on.")
    ] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="The feed's timezone, for times without one.")] = "UTC",
    decimal_comma: Annotated[bool, typer.Option(help="The feed prints 1,2 for one and two tenths.")] = False,
) -> None:
    """Check a field map, every error with its line; with messages, show what each would be answered and become.

    Content of messages is never shown: codes, places and counts only.
    """
    from schemas.codes.tables import tables

    feed_map = load_feed_map(file)
    assert feed_map is not None
    typer.echo(
        f"{file}: usable; {len(feed_map.codes)} local codes, {len(feed_map.units)} units, "
        f"{len(feed_map.senders)} senders.",
        err=True,
    )
    for local in feed_map.unknown_meanings(tables()):
        typer.echo(f"{local.system}|{local.code}: no rule uses {local.means.system}|{local.means.code}.", err=True)
    if samples:
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Refusal(f"{timezone!r} is no timezone of the IANA list, such as Asia/Seoul.") from None
        context = ReadingContext(feed="dry-run", zone=zone, secret=_SECRET, decimal_comma=decimal_comma)
        _try(samples, feed_map, context)


def _try(samples: list[str], feed_map: FeedMap, context: ReadingContext) -> None:
    from schemas.hl7v2 import MessageUnreadable, code_of, peek, read_message, verdict_of

    unknown: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    rejected = received = 0
    for message in read_messages(find_files(samples), InputFormat.HL7):
        received += 1
        try:
            header = peek(message.body, feed_map)
        except MessageUnreadable as error:
            rejected += 1
            sys.stdout.write(f"{message.name}: no answer possible: {error.detail}\n")
            continue
        code = code_of(header, verdict_of(header.faults))
        reading = read_message(message.body, context, feed_map)
        rejected += bool(reading.rejections)
        for ignored in reading.ignored:
            if ignored.reason is IgnoreReason.UNKNOWN_CODE:
                unknown[ignored.what] += ignored.count
        unread.update(reading.unread)
        sys.stdout.write(f"{message.name}: {code.value} {reading.outcome.value}: {'; '.join(_said(reading))}\n")
    for title, counts in (("Codes without a meaning", unknown), ("Not read", unread)):
        if counts:
            listed = ", ".join(f"{count} {what}" for what, count in counts.most_common(_LISTED))
            typer.echo(f"{title}: {listed}", err=True)
    if rejected:
        raise CheckFailed(f"{rejected} of {received} messages cannot be used as they are, in whole or in part.")


def _said(reading: Reading) -> Iterable[str]:
    kinds = Counter(fact.kind for entry in reading.entries for fact in entry.facts)
    for kind, count in sorted(kinds.items()):
        yield f"{count} {kind}"
    for merge in reading.merges:
        yield f"{merge.kind}{' (undone)' if merge.is_undone else ''}"
    for rejection in reading.rejections:
        place = f" in {rejection.part}" if rejection.part else ""
        yield f"{rejection.reason.value}{place}: {rejection.detail}"
    if not (kinds or reading.merges or reading.rejections):
        yield "nothing that a rule reads"
