"""`myelowatch send event|fhir|hl7 FILE`: a polite test client, straight to intake.

Does what the front door will do: keys each message by its patient, writes it with all copies confirmed,
and says where it is kept. What it cannot read it sends too, keyed by its feed: translate will say why.
"""

from __future__ import annotations

from typing import Annotated

import typer

from streams.refusals import CheckFailed, Refusal

send_app = typer.Typer(help="Send an event, a FHIR or an HL7 v2 file, as a polite test client.", no_args_is_help=True)

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A file, or - for standard input; one message or one a line.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="ADDRESS", help="Brokers (host:port) other than those of the settings.")
]
Feed = Annotated[
    str | None, typer.Option("--feed", help="The configured feed to send as; needed where there are several.")
]


@send_app.command("event")
def send_event(file: File, to: To = None, feed: Feed = None) -> None:
    """Send our own events: structured CloudEvents, one a line."""
    _send(file, "event", to, feed)


@send_app.command("hl7")
def send_hl7(
    file: File,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="The MLLP port (host:port) of a gateway; default: ours."),
    ] = None,
    feed: Feed = None,
) -> None:
    """Send HL7 v2 over MLLP and print each answer; straight to intake where no gateway of ours runs."""
    from streams.gateway.sending import send_hl7_file

    raise typer.Exit(send_hl7_file(file, to, feed))


@send_app.command("fhir")
def send_fhir(file: File, to: To = None, feed: Feed = None) -> None:
    """Send FHIR R4: one resource or Bundle, or one a line."""
    _send(file, "fhir", to, feed)


def _send(file: str, protocol: str, to: str | None, feed: str | None) -> None:
    from streams.connections import connect_admin
    from streams.intake import Intake
    from streams.ports import NotAcknowledged
    from streams.readers import build_contexts, build_readers
    from streams.replay_input import FHIR_FEED, InputFormat, find_files, read_messages
    from streams.settings import load_settings
    from streams.topic_admin import check_topics
    from streams.topics import Subject

    settings = load_settings(kafka={"brokers": to}) if to else load_settings()
    contexts, readers = build_contexts(settings), build_readers()
    wanted = InputFormat.FHIR if protocol == "fhir" else InputFormat.EVENTS
    messages = list(read_messages(find_files([file]), wanted))
    if not messages:
        raise Refusal(f"{file} holds no message.")
    named = {
        message.name: _feed(feed or (message.feed if message.feed != FHIR_FEED else None), sorted(contexts))
        for message in messages
    }
    admin = connect_admin(settings.kafka, say=lambda sentence: typer.echo(sentence, err=True))
    try:
        wrong = check_topics(admin, settings, (Subject.INTAKE,))
    finally:
        admin.close()
    if wrong:
        raise Refusal("\n".join(wrong))
    intake = Intake(settings, readers=readers, contexts=contexts)
    try:
        for message in messages:
            intake.send(message.body, feed=named[message.name], protocol=protocol)
        kept = intake.settle()
    except NotAcknowledged as error:
        raise CheckFailed(
            f"Not everything was acknowledged ({error}); {intake.acknowledged} of {len(messages)} certainly are kept. "
            "Send the file again: a message that comes twice has no second effect."
        ) from None
    finally:
        intake.close()
    typer.echo(f"{kept} message{'' if kept == 1 else 's'} kept in {settings.topics[Subject.INTAKE]}.")
    for message in messages:
        for rejection in readers[protocol](message.body, {}, contexts[named[message.name]]).rejections:
            part = f" ({rejection.part})" if rejection.part else ""
            typer.echo(f"{message.name}: cannot be used{part}: {rejection.reason.value}, {rejection.detail}", err=True)


def _feed(named: str | None, configured: list[str]) -> str:
    if not configured:
        raise Refusal("No feed is configured: set one, for example MYELOWATCH_FEEDS__LAB__TIMEZONE=Asia/Seoul.")
    if named is None and len(configured) == 1:
        return configured[0]
    if named in configured:
        assert named is not None
        return named
    if named is None:
        raise Refusal(f"Say which feed to send as with --feed: {', '.join(configured)}.")
    raise Refusal(f"No feed is called {named!r} in the settings; there is {', '.join(configured)}. Choose with --feed.")
