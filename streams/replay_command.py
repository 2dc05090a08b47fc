"""`myelowatch replay`: files in, transitions out, and an account of everything that came in."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.alerts import Transition, TransitionKind
from schemas.events import PolicyActivation
from schemas.reading import Reading, ReadingContext
from schemas.rejection import RejectionReason
from streams.accounts import Facts, Messages
from streams.feed_maps import load_feed_map
from streams.policy_commands import DEFAULT_PROFILE, activation_of, load, read_overrides
from streams.ports import Medicine
from streams.refusals import CheckFailed, Refusal
from streams.replay import FileReader, LogUnreadable, ReplayOfFiles, ReplayOutcome, ReplayResult, fold_log, read_dump
from streams.replay_input import InputFormat, find_files, lines_of, read_messages
from streams.site_maps import codes_for, load_site_maps

if TYPE_CHECKING:
    from rules.policy.reading import Policy
    from schemas.hl7v2 import FeedMap

SECRET: Final = b"myelowatch replay of files"
"""Keys the patient hash of a replay: the same for everybody, since nothing leaves the files that were given."""

_FILES_LISTED: Final = 12


def replay(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, or - for standard input.")],
    profile: Annotated[str, typer.Option(help="A profile that comes with myelowatch.")] = DEFAULT_PROFILE,
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="A policy file instead.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one number; may be repeated.")
    ] = None,
    rules: Annotated[
        str, typer.Option(metavar="GLOB", help="Print only these rules, for example 'anc-*'. All rules run.")
    ] = "*",
    until: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="What is `now` at the end; default the last instant of the input."),
    ] = None,
    input_format: Annotated[InputFormat, typer.Option("--format", help="What the input holds.")] = InputFormat.AUTO,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Where times without a zone were written, for example Asia/Seoul."),
    ] = None,
    site_map: Annotated[
        list[Path] | None, typer.Option("--site-map", metavar="FILE", help="What local codes mean; may be repeated.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write the transitions here, not to stdout.")] = None,
    rejections: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write everything that cannot be used here, as NDJSON.")
    ] = None,
    feed_map: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="What HL7 v2 senders mean by their own codes (`myelowatch feeds check`)."),
    ] = None,
) -> None:
    """Run files through the same rules, without a broker: try it, backtest, ask what another number would do.

    Examples:

      myelowatch replay patient.json --timezone Asia/Seoul

      myelowatch replay ward/ --set anc_severe=400 --rules 'anc-*' --out alerts.ndjson
    """
    chosen = load(policy or profile, read_overrides(changes))
    zone = zone_named(timezone)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if input_format is InputFormat.LOG:
        if until is not None:
            raise Refusal("--until goes with files: a log has its own ticks, and ends where it ends.")
        _replay_log(inputs, chosen, rules, out, rejections, console)
    else:
        context = reading_context(zone, site_map)
        upto = instant_named(until, zone)
        _replay_files(inputs, chosen, rules, upto, input_format, context, out, rejections, feed_map, console)


def _replay_files(
    inputs: list[str],
    policy: Policy,
    rules: str,
    until: datetime | None,
    input_format: InputFormat,
    context: ReadingContext,
    out: str | None,
    rejections: str | None,
    feed_map: str | None,
    console: Console,
) -> None:
    found = find_files(inputs)
    body = ReplayOfFiles(
        readers=file_readers(load_feed_map(feed_map)),
        context=context,
        medicine=chosen_medicine(policy),
        policy=activation_of(policy),
    )
    with _progress(console) as progress:
        task = progress.add_task("reading", total=None)
        for message in read_messages(found, input_format):
            refuse_unzoned(message.name, body.read(message))
            progress.advance(task)
        body.read_strangers_again()
        progress.update(task, description="replaying", completed=0, total=len(body.entries()))
        outcome = asyncio.run(body.run(until, partial(progress.advance, task)))
    if not outcome.received:
        raise Refusal("The input holds no message.")
    if outcome.outcomes["rejected"] == outcome.received:
        counted = Counter(each.reason.value for each in outcome.rejections)
        first = outcome.rejections[0]
        _write(rejections, (each.to_json() for each in outcome.rejections))
        raise Refusal(
            f"Nothing of the input can be used: {_listed(counted)}. The first: {first.detail}"
            f"{f' ({first.part})' if first.part else ''}. --rejections FILE lists them all."
        )
    shown = write_transitions(outcome.result.transitions, rules, out)
    _write(rejections, (each.to_json() for each in outcome.rejections))
    messages, facts = account(outcome)
    for line in summary(outcome, messages, facts, found.passed_over):
        console.print(line)
    _say_transitions(console, outcome.result, shown, rules)
    if not (messages.balances and facts.balances):
        raise CheckFailed(
            "The account does not balance: something came in that is in none of its places. Please report it."
        )


def _replay_log(
    inputs: list[str], policy: Policy, rules: str, out: str | None, rejections: str | None, console: Console
) -> None:
    try:
        partitions, records = read_dump(lines_of(find_files(inputs)))
    except LogUnreadable as error:
        raise Refusal(
            f"{error} A dump of the patient log has one JSON object a line: partition, offset, timestamp, key, value."
        ) from None
    if not records:
        raise Refusal("The dump holds no record.")
    result = fold_log(
        records, medicine=chosen_medicine(policy), default_policy=activation_of(policy), partitions=partitions
    )
    shown = write_transitions(result.transitions, rules, out)
    _write(rejections, result.held_aside)
    facts = _facts(result)
    console.print(
        f"Log:      {len(records):,} records of {len({each.partition for each in records})} partitions, "
        f"{result.entries:,} entries with facts, {result.ticks:,} ticks"
    )
    console.print(str(facts))
    _say_transitions(console, result, shown, rules)
    if not facts.balances:
        raise CheckFailed(
            "The account does not balance: something came in that is in none of its places. Please report it."
        )


def reading_context(zone: ZoneInfo | None, site_maps: list[Path] | None) -> ReadingContext:
    """The context of files; the maps named on the command line are for every feed of them."""
    return ReadingContext(
        feed="", zone=zone, secret=SECRET, site_codes=codes_for(None, load_site_maps(site_maps or ()))
    )


def chosen_medicine(policy: Policy) -> Medicine:
    """The product's rules; the policy of this command as it was read, with what `--set` changed in it."""
    from streams.medicine import RulesMedicine

    class WithChanges(RulesMedicine):
        def read_policy(self, activation: PolicyActivation) -> Policy:
            return policy if activation.hash == policy.hash else super().read_policy(activation)

    return WithChanges()


def file_readers(feed_map: FeedMap | None = None) -> dict[str, FileReader]:
    """The readers of translate, told that their messages come from files; each loaded when the first one comes."""

    def hl7(raw: bytes, context: ReadingContext) -> Reading:
        from schemas.hl7v2 import STANDARD, read_message

        # A file is no production port: messages marked as tests (MSH-11) are read like any other.
        chosen = (feed_map or STANDARD).model_copy(update={"processing_ids": ("P", "T", "D")})
        return read_message(raw, context, chosen, mode="file")

    def fhir(raw: bytes, context: ReadingContext) -> Reading:
        from schemas.fhir import read_fhir

        return read_fhir(raw, context, mode="file")

    def event(raw: bytes, context: ReadingContext) -> Reading:
        from schemas.inlet import read_event

        return read_event(raw, None, replace(context, obeys_known_at=True), mode="file")

    return {"fhir": fhir, "event": event, "hl7v2": hl7}


def account(outcome: ReplayOutcome) -> tuple[Messages, Facts]:
    """Both equations of promise 1 over a replay."""
    messages = Messages(
        received=outcome.received,
        translated=outcome.outcomes["translated"],
        partly=outcome.outcomes["partly"],
        ignored=outcome.outcomes["ignored"],
        rejected=outcome.outcomes["rejected"],
        waiting=outcome.waiting,
        rejected_by=Counter(each.reason.value for each in outcome.rejections),
    )
    return messages, _facts(outcome.result)


def _facts(result: ReplayResult) -> Facts:
    return Facts(
        translated=result.facts_offered,
        applied=result.fact_total("applied"),
        duplicate=result.fact_total("duplicate"),
        ignored=result.fact_total("ignored"),
        quarantined=result.fact_total("quarantined"),
        forwarded=result.fact_total("forwarded"),
        ignored_by=result.ignored,
    )


def summary(outcome: ReplayOutcome, messages: Messages, facts: Facts, passed_over: list[str]) -> Iterable[str]:
    """What came in and where it is; what was not read, by kind."""
    yield str(messages)
    yield str(facts)
    if outcome.facts_waiting:
        yield f"Waiting:  {outcome.facts_waiting:,} facts could not be known by {outcome.until}"
    if outcome.ignored_parts:
        counted = Counter({f"{what} ({reason})": count for (reason, what), count in outcome.ignored_parts.items()})
        yield f"Ignored:  {_listed(counted)}"
    if outcome.unread_parts:
        yield f"Not read: {_listed(outcome.unread_parts)}"
    if outcome.result.quarantined:
        yield f"Quarantined: {outcome.result.quarantined:,} entries; their patients are not monitored"
    if passed_over:
        more = f" and {len(passed_over) - _FILES_LISTED} more" if len(passed_over) > _FILES_LISTED else ""
        yield f"Files passed over: {', '.join(passed_over[:_FILES_LISTED])}{more}"


def _say_transitions(console: Console, result: ReplayResult, shown: int, rules: str) -> None:
    kinds = Counter(each.transition.value for each in result.transitions)
    open_now = _open(result.transitions)
    console.print(
        f"Transitions: {len(result.transitions):,} ({_listed(kinds) or 'none'}); "
        f"{len(open_now):,} alerts open at the end; {len(result.records()):,} patients"
    )
    if shown != len(result.transitions):
        console.print(f"Printed: {shown:,} of them, of rules like {rules}")


def _open(transitions: Iterable[Transition]) -> set[str]:
    over = (TransitionKind.RESOLVED, TransitionKind.WITHDRAWN, TransitionKind.SUPERSEDED)
    newest = {each.alert_id: each.transition for each in transitions}
    return {alert for alert, kind in newest.items() if kind not in over}


def write_transitions(transitions: Iterable[Transition], rules: str, out: str | None) -> int:
    """The transitions of the wanted rules as NDJSON; how many there were."""
    wanted = [each for each in transitions if fnmatchcase(each.rule, rules)]
    if out is None:
        _write_lines(sys.stdout.buffer, (each.to_json() for each in wanted))
        sys.stdout.buffer.flush()
    else:
        _write(out, (each.to_json() for each in wanted))
    return len(wanted)


def _write(file: str | None, lines: Iterable[bytes]) -> None:
    if file is None:
        return
    try:
        with Path(file).open("wb") as stream:
            _write_lines(stream, lines)
    except OSError as error:
        raise Refusal(f"{file} cannot be written ({error.strerror}).") from None


def _write_lines(stream: BinaryIO, lines: Iterable[bytes]) -> None:
    stream.writelines(line + b"\n" for line in lines)


def refuse_unzoned(name: str, reading: Reading) -> None:
    """Refuse with a sentence where times of a message had no zone: nothing is guessed."""
    for rejection in reading.rejections:
        if rejection.reason is RejectionReason.ZONE_MISSING:
            raise Refusal(
                f"{name} holds times without a zone. Say where they were written with --timezone, for example "
                f"--timezone Asia/Seoul; nothing is guessed. (First: {rejection.detail.split(':', 1)[0]})"
            )


def zone_named(name: str | None) -> ZoneInfo | None:
    """The zone of --timezone; None where none was named."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(f"{name!r} is no timezone; write one of the IANA list, for example Asia/Seoul or UTC.") from None


def instant_named(text: str | None, zone: ZoneInfo | None) -> datetime | None:
    """The instant of --until; None where none was named."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"--until wants an instant, for example 2026-03-31T12:00:00+09:00; got {text!r}.") from None
    if instant.tzinfo is None:
        if zone is None:
            raise Refusal(f"--until {text} has no zone: add one (for example +09:00 or Z), or give --timezone.")
        instant = instant.replace(tzinfo=zone)
    return instant.astimezone(UTC)


def _listed(counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{count:,} {name}" for name, count in ordered)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
