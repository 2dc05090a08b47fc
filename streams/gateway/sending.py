"""`myelowatch send hl7 FILE`: each message over MLLP, with its answer; straight to intake where no gateway runs."""

from __future__ import annotations

import socket
import sys
from typing import Final

import typer

from streams.refusals import CheckFailed, ExitCode, Refusal

_CONNECT_SECONDS: Final = 3.0


def send_hl7_file(file: str, to: str | None, feed: str | None) -> int:
    """Send every message of a file; the exit code: 1 where an answer was not positive or none came."""
    from streams.gateway.mllp_client import MllpClient, NoAnswer
    from streams.replay_input import InputFormat, find_files, read_messages
    from streams.settings import load_settings

    settings = load_settings()
    host, port = _place(to) if to is not None else (settings.ports.host, settings.ports.mllp)
    found = find_files([file])
    messages = list(read_messages(found, InputFormat.HL7))
    if not messages:
        raise Refusal(f"{file} holds no message.")
    if not _answers(host, port):
        if to is not None:
            raise Refusal(f"Nothing listens at {host}:{port}. Start it with `myelowatch gateway`, or check --to.")
        return _straight(file, feed)
    refused = 0
    with MllpClient(host, port) as client:
        for message in messages:
            try:
                answer = client.send(message.body)
            except NoAnswer as error:
                raise CheckFailed(
                    f"{message.name}: {error}. Send the file again: a message that comes twice has no second effect."
                ) from None
            refused += not answer.is_positive
            why = "" if answer.is_positive else f": {'; '.join(answer.errors)}"
            typer.echo(f"{message.name}: {answer.code}{why}")
    return ExitCode.CHECK_FAILED if refused else ExitCode.DONE


def _straight(file: str, feed: str | None) -> int:
    from pathlib import Path

    from streams.feed_maps import load_feed_maps
    from streams.gateway.files import Backfill
    from streams.ports import NotAcknowledged
    from streams.replay_input import STDIN, InputFormat
    from streams.settings import load_settings

    settings = load_settings()
    backfill = Backfill(settings, load_feed_maps(settings))
    try:
        path = None if file == STDIN else Path(file)
        taken = backfill.take(path, feed=feed, live=True, again=True, wanted=InputFormat.HL7)
    except NotAcknowledged as error:
        raise CheckFailed(f"Not everything was acknowledged ({error}). Send the file again.") from None
    finally:
        backfill.close()
    print("No gateway runs here: sent straight to intake.", file=sys.stderr)
    typer.echo(f"{taken.messages} message{'' if taken.messages == 1 else 's'} kept.")
    return ExitCode.DONE


def _place(to: str) -> tuple[str, int]:
    host, _, port = to.rpartition(":")
    if not host or not port.isdigit():
        raise Refusal(f"--to is host:port, such as 127.0.0.1:2575, not {to!r}.")
    return host.strip("[]"), int(port)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
