"""The `myelowatch` command.

Only the table of commands stands here; each is imported when it is asked for, so that `--help` is quick
and `replay` never loads the stream engine. Exit codes: 0 done, 1 a check failed, 2 unusable input or
settings. A refusal is a sentence on stderr that says what to do, never a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from streams.refusals import ExitCode, Refusal


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives (`module:name` of a function or a Typer app) and its line in the list."""

    place: str
    help: str


COMMANDS: Final = {
    "demo": Command(
        "streams.demo:run_demo", "Everything on this machine: a real Kafka, every role, a ward of synthetic patients."
    ),
    "up": Command("streams.processes:up", "Run every role from the settings, supervised."),
    "worker": Command("streams.processes:worker", "Run one worker: translate and judge what the topics bring."),
    "gateway": Command("streams.processes:gateway", "Open the front door: MLLP, HTTP intake, watched folders."),
    "tick": Command("streams.processes:tick", "Write the ticks by which time passes in the log."),
    "broker": Command("streams.broker.commands:broker_app", "The laptop Kafka: start, stop, status."),
    "topics": Command("streams.topics_commands:topics_app", "Create, check or list the topics."),
    "replay": Command(
        "streams.replay_command:replay", "Run files through the same rules, without a broker; transitions as NDJSON."
    ),
    "feeds": Command("streams.feeds_command:feeds_app", "The field maps of HL7 v2 feeds: check one, try it on files."),
    "rules": Command("streams.rules_commands:rules_app", "The catalogue of rules: list, show."),
    "policy": Command(
        "streams.policy_commands:policy_app", "The numbers the rules decide by: check, show, diff, activate."
    ),
    "codes": Command(
        "streams.codes_commands:codes_app", "Codes: which of the site's own mean nothing yet, what the tables know."
    ),
    "explain": Command("streams.explain:explain", "Say why an alert was raised, with every fact, number and source."),
    "simulate": Command(
        "streams.simulator.commands:simulate_command", "Write the messages of synthetic patients to files."
    ),
    "intake": Command(
        "streams.gateway.file_commands:intake", "Take files in: backfills, resumable, history unless --live."
    ),
    "rejected": Command(
        "streams.gateway.rejected_commands:rejected_app", "What is held and cannot be used: list, show, retry, drop."
    ),
    "send": Command("streams.send:send_app", "Send an event or a FHIR file, as a polite test client."),
    "doctor": Command(
        "streams.doctor:doctor", "Check settings, broker, topics, clock and policy; say how to mend what is wrong."
    ),
    "settings": Command("streams.settings_command:settings", "Print the settings in force, secrets redacted."),
}
"""In the order of the list that `--help` prints."""


class _LazyGroup(TyperGroup):
    """Knows every command by its line, and loads the one that is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = COMMANDS.get(cmd_name)
        return None if command is None else TyperCommand(cmd_name, help=command.help, callback=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # Unknown names are handled above, with the nearest known ones.
        self.commands = {name: self.get_command(ctx, name) for name in COMMANDS}
        name, found, rest = super().resolve_command(ctx, args)
        return (name, load(name), rest) if name is not None and found is not None else (name, found, rest)


def load(name: str) -> Any:
    """Import a command and make it ready to run."""
    module, _, attribute = COMMANDS[name].place.partition(":")
    found: typer.Typer | Callable[..., object] = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = get_command(found)
    else:
        single = typer.Typer(add_completion=False)
        single.command(name)(found)
        command = get_command(single)
    command.name = name
    return command


app = typer.Typer(
    cls=_LazyGroup,
    name="myelowatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Watches laboratory and pharmacy feeds of people taking lenalidomide and dexamethasone for multiple myeloma, "
    "and says what to do, why, and on which evidence.",
    epilog="Begin with `myelowatch demo`, or `myelowatch replay FILE` on a FHIR file of your own.",
)


@app.callback(invoke_without_command=True)
def _root(
    show_version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    if show_version:
        from streams.observability.metrics import build_version

        typer.echo(f"myelowatch {build_version()}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code says how it went."""
    try:
        answer = get_command(app).main(
            args=sys.argv[1:] if arguments is None else arguments, prog_name="myelowatch", standalone_mode=False
        )
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return _say("Stopped.", ExitCode.CHECK_FAILED)
    except Refusal as refusal:
        return _say(str(refusal), refusal.exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough. Without this, Python complains again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the last place where a fault can become a sentence
        return _unexpected(error)
    return answer if isinstance(answer, int) else ExitCode.DONE


def _unexpected(error: Exception) -> int:
    """A usage error, a refusal of another room, or a fault of ours: a sentence for the first two."""
    show = getattr(error, "show", None)
    if callable(show) and hasattr(error, "exit_code"):
        show()
        return ExitCode.UNUSABLE
    if os.environ.get("MYELOWATCH_TRACEBACK"):
        raise error
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    # The text of an exception may quote its input, and the input may be a patient's.
    return _say(
        f"This is a fault of myelowatch: {type(error).__name__} at {place}. Please report it. "
        "MYELOWATCH_TRACEBACK=1 shows the whole traceback, which may hold data of the input.",
        ExitCode.CHECK_FAILED,
    )


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
