"""`myelowatch rejected list|show|retry|drop`: what is held and cannot be used, and what a person does about it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from streams.refusals import CheckFailed, Refusal

if TYPE_CHECKING:
    from streams.gateway.rejected import Held

rejected_app = typer.Typer(
    help="Messages that are held and cannot be used: list them, show one, have them read again, or give them up.",
    no_args_is_help=True,
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `list` shows them.")]
Feed = Annotated[str | None, typer.Option("--feed", help="Only of this feed.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only for this reason.")]
All = Annotated[bool, typer.Option("--all", help="Every open one that the other options leave.")]


@rejected_app.command("list")
def list_(
    feed: Feed = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--closed", help="Also what was retried or dropped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List what is held: id, when, feed, reason, what to mend. No content of any message."""
    found = [each for each in _register().values() if everything or each.fate.value == "open"]
    found = _filtered(found, feed, reason)
    for each in found:
        typer.echo(_as_json(each) if as_json else _line(each))
    if not as_json:
        reasons = Counter(each.first.reason.value for each in found)
        counted = ", ".join(f"{count} {name}" for name, count in reasons.most_common())
        typer.echo(f"{len(found)} held{': ' + counted if counted else ''}.", err=True)


@rejected_app.command("show")
def show(
    identifier: Annotated[str, typer.Argument(metavar="ID")],
    original: Annotated[
        bool, typer.Option("--original", help="Also the message as received: it holds data of a patient.")
    ] = False,
) -> None:
    """Show everything that was refused of one message and where its original lies."""
    from streams.gateway.rejected import Register
    from streams.settings import load_settings

    register = Register(load_settings())
    held = _find(register.read(), [identifier])[0]
    first = held.first
    typer.echo(f"{held.id}  {held.fate.value}")
    typer.echo(f"  feed      {first.source.feed or '(none)'}")
    typer.echo(f"  message   {first.source.message}")
    typer.echo(f"  rejected  {first.rejected_at.isoformat() if first.rejected_at else ''}")
    typer.echo(
        f"  original  {first.original_topic} partition {first.original_partition} offset {first.original_offset}"
    )
    typer.echo(f"  sha256    {first.sha256}")
    for each in held.rejections:
        typer.echo(f"  {each.reason.value}: {each.detail}{f' ({each.part})' if each.part else ''}")
    if original:
        sys.stdout.flush()
        sys.stdout.buffer.write((register.original(held).value or b"").replace(b"\r", b"\n") + b"\n")


@rejected_app.command("retry")
def retry(identifiers: Ids = None, feed: Feed = None, reason: Reason = None, every: All = False) -> None:
    """Have messages read again by today's maps and settings, in the order in which they came."""
    _act("retry", identifiers, feed, reason, every=every)


@rejected_app.command("drop")
def drop(identifiers: Ids = None, feed: Feed = None, reason: Reason = None, every: All = False) -> None:
    """Note that nobody will use them. Nothing is deleted."""
    _act("drop", identifiers, feed, reason, every=every)


def _act(what: str, identifiers: list[str] | None, feed: str | None, reason: str | None, *, every: bool) -> None:
    from streams.gateway.rejected import Register
    from streams.ports import NotAcknowledged
    from streams.settings import load_settings

    if bool(identifiers) == every:
        raise Refusal(
            f"Say which: `myelowatch rejected {what} ID...`, or --all (with --feed or --reason to narrow it)."
        )
    register = Register(load_settings())
    held = register.read()
    chosen = _find(held, identifiers) if identifiers else [each for each in held.values() if each.fate.value == "open"]
    chosen = _filtered(chosen, feed, reason)
    try:
        count = register.retry(chosen) if what == "retry" else register.drop(chosen)
    except NotAcknowledged as error:
        raise CheckFailed(
            f"The brokers did not confirm everything ({error}). `list` shows what is still open."
        ) from None
    done = "sent to be read again" if what == "retry" else "given up"
    typer.echo(f"{count} message{'' if count == 1 else 's'} {done}.")


def _register() -> dict[str, Held]:
    from streams.gateway.rejected import Register
    from streams.settings import load_settings

    return Register(load_settings()).read()


def _find(held: dict[str, Held], identifiers: list[str]) -> list[Held]:
    found = []
    for wanted in identifiers:
        matching = [each for name, each in held.items() if name.startswith(wanted)]
        if len(matching) != 1:
            many = "several messages begin" if matching else "no message is held"
            raise Refusal(f"{wanted}: {many} with this id. `myelowatch rejected list` shows them.")
        found.append(matching[0])
    return found


def _filtered(found: list[Held], feed: str | None, reason: str | None) -> list[Held]:
    return [
        each
        for each in found
        if (feed is None or each.first.source.feed == feed)
        and (reason is None or any(one.reason.value == reason for one in each.rejections))
    ]


def _line(held: Held) -> str:
    first = held.first
    at = first.rejected_at.strftime("%Y-%m-%d %H:%M:%S") if first.rejected_at else "?"
    more = f" (+{len(held.rejections) - 1})" if len(held.rejections) > 1 else ""
    return f"{held.id}  {at}  {held.fate.value:7}  {first.source.feed:12}  {first.reason.value}: {first.detail}{more}"


def _as_json(held: Held) -> str:
    import orjson

    rows = [each.model_dump(mode="json", exclude_none=True) for each in held.rejections]
    return orjson.dumps({"id": held.id, "fate": held.fate.value, "rejections": rows}).decode()
