"""`myelowatch explain ALERT_ID`: the whole reasoning of an alert as text, from its transitions alone.

What is shown of the decision is what was written when it was decided, so that an explanation a year later is
the explanation of that day. What would change it is worked out anew where the facts are at hand: each nearest
value or date is one that was put through the same rules and the same policy again (`streams.what_if`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import ValidationError

from rules.catalogue import BY_ID
from schemas.alerts import Evidence, Threshold, Transition, TransitionKind
from streams.policy_commands import DEFAULT_PROFILE, load, read_overrides
from streams.refusals import Refusal
from streams.replay_input import InputFormat

if TYPE_CHECKING:
    from streams.explain_input import Replayed
    from streams.what_if import Explored

_OVER = frozenset({TransitionKind.RESOLVED, TransitionKind.WITHDRAWN, TransitionKind.SUPERSEDED})
_WIDTH = 110


def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT_ID", help="The alert_id of a transition, or its beginning.")],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Transitions as `replay` writes them; `-` reads stdin."),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="INPUT", help="What was replayed, to work out what would change it."),
    ] = None,
    profile: Annotated[str, typer.Option(help="The profile that --input was replayed by.")] = DEFAULT_PROFILE,
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE", help="The policy file instead.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="What was changed in it; may be repeated.")
    ] = None,
    input_format: Annotated[InputFormat, typer.Option("--format", help="What --input holds.")] = InputFormat.AUTO,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where times of --input without a zone were written.")
    ] = None,
    site_map: Annotated[
        list[Path] | None, typer.Option("--site-map", metavar="FILE", help="The site maps of that replay.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="What was `now` at the end of that replay.")
    ] = None,
) -> None:
    """Say why an alert was raised: facts, numbers, thresholds, citation, and what would change it.

    Without --from and --input it is looked up on the notification topic of the broker in the settings, and its
    facts in the patient log. With --input the nearest value or date that would flip it is worked out, and each
    is run through the rules again:

      myelowatch explain 46ad5948 --input patient.json --timezone Asia/Seoul
    """
    from streams.explain_input import log_of_broker, replay_input

    replayed: Replayed | None = None
    if inputs:
        replayed = replay_input(
            inputs, input_format, timezone, until, load(policy or profile, read_overrides(changes)), site_map
        )
    if source is not None:
        where, transitions = source, read_transitions(source)
    elif replayed is not None:
        where, transitions = "what --input says", iter(replayed.transitions)
    else:
        where, transitions = "the notification topic", _from_topic()
    found = find(alert, transitions)
    if not found:
        raise Refusal(
            f"No alert {alert!r} in {where}. Its id is the field `alert_id` of a transition; "
            "replays of other input have other alerts."
        )
    ids = sorted({each.alert_id for each in found})
    if len(ids) > 1:
        raise Refusal(f"{alert!r} begins more than one alert: {', '.join(ids[:5])}. Write more of the one you mean.")
    if replayed is None and source is None:
        replayed = log_of_broker(found[-1].patient.key)
    for line in explanation(found, _explore(standing(found), replayed)):
        typer.echo(line)


_NO_FACTS: Final = "Nearest values that would flip it are not worked out: the facts are not at hand. Give what was replayed with --input."


def _explore(stood: Transition, replayed: Replayed | None) -> Explored | str:
    """What would flip it, or the sentence why that is not known."""
    from streams.what_if import explore

    if replayed is None:
        return _NO_FACTS
    judged_by = replayed.policies.get(stood.policy.hash)
    if judged_by is None:
        return (
            "Nearest values that would flip it are not worked out: it was judged by the policy "
            f"{stood.policy.profile} {stood.policy.version} (hash {stood.policy.hash}), which is not at hand. "
            "Name it with --profile, --policy and --set."
        )
    found = explore(replayed.entries_of(stood.patient.key), stood, judged_by)
    if found is None:
        return (
            "Nearest values that would flip it are not worked out: with the facts given the alert does not come "
            "about again, so they are not all that it stood on."
        )
    return found


def standing(transitions: Sequence[Transition]) -> Transition:
    """The last transition that held the alert open: what it stood on."""
    return next((each for each in reversed(transitions) if each.transition not in _OVER), transitions[-1])


def read_transitions(source: str) -> Iterator[Transition]:
    """Transitions from NDJSON; a refusal names the first line that is none."""
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise Refusal(f"{source} cannot be read ({error.strerror}).") from None
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Transition.model_validate_json(line)
        except ValidationError:
            raise Refusal(
                f"Line {number} of {source} is not a transition. `myelowatch replay ... --out FILE` writes such a file."
            ) from None


def find(alert: str, transitions: Iterable[Transition]) -> list[Transition]:
    """All transitions of the alerts whose id begins so, each once, in order."""
    wanted = {each.transition_id: each for each in transitions if each.alert_id.startswith(alert)}
    return sorted(wanted.values(), key=lambda each: (each.alert_id, each.sequence))


def explanation(transitions: Sequence[Transition], found: Explored | str = _NO_FACTS) -> Iterator[str]:
    """The text, line by line: what is now, why, by which numbers, what would flip it, and how it came about."""
    now = transitions[-1]
    # What an alert stood on is in the last transition that held it open; what ended it is in the one that did.
    stood = standing(transitions)
    entry = BY_ID.get(now.rule)
    reason = f" ({now.reason})" if now.reason else ""
    yield stood.title
    yield ""
    yield from _rows(
        ("rule", f"{now.rule}{reason}, version {now.rule_version}"),
        ("severity", now.severity.value + (", provisional" if now.provisional else "")),
        ("state", _state(now)),
        ("alert", now.alert_id),
        ("patient", f"{now.patient.id} of {now.patient.authority} (key {now.patient.key})"),
        ("place", _place(now)),
        ("policy", f"{now.policy.profile} {now.policy.version}, hash {now.policy.hash}"),
    )
    yield ""
    yield from _paragraph(stood.message)
    yield ""
    yield "What to do" if now is stood else "What to do while it stood"
    yield from _advice(stood)
    if now is not stood:
        yield ""
        yield "What ended it"
        yield from _paragraph(f"{now.title}. {now.message}", indent="  ")
        for evidence in now.evidence:
            yield from _evidence(evidence)
    yield ""
    yield "Facts it stands on" if now is stood else "Facts it stood on"
    for evidence in stood.evidence:
        yield from _evidence(evidence)
    if not stood.evidence:
        yield "  none: it speaks of something that did not come"
    if stood.thresholds:
        yield ""
        yield "Numbers of the policy"
        for threshold in stood.thresholds:
            yield f"  {threshold.key} = {_number(threshold.value)} {threshold.unit}"
    if stood.grades:
        yield ""
        yield "Grades (annotation only; no rule decides on them)"
        for grade in stood.grades:
            yield f"  {grade.term}: grade {grade.grade} (CTCAE {grade.version})"
    yield ""
    yield "Sources"
    for citation in stood.citations:
        yield f"  {citation.source} {citation.section}".rstrip()
    if now.missing:
        yield ""
        yield "What could not be assessed"
        for missing in now.missing:
            since = f", since {_time(missing.since)}" if missing.since else ""
            yield f"  {missing.rule}: {missing.what}{since}"
    if now.context:
        yield ""
        yield "Also shown"
        for note in now.context:
            yield from _paragraph(note, indent="  ")
    yield ""
    yield "What would change it" if now is stood else "What would have changed it"
    if isinstance(found, str):
        for distance in _distances(stood.evidence, stood.thresholds):
            yield f"  {distance}"
        yield from _paragraph(found, indent="  ")
    else:
        yield from _flips(found)
    if entry is not None:
        yield from _paragraph(f"It closes with: {entry.closes}.", indent="  ")
        if entry.superseded_by:
            yield f"  It gives way to {', '.join(entry.superseded_by)} on the same subject."
    yield "  A correction or retraction of a fact above re-decides it; if it never was true, it is withdrawn."
    if stood.thresholds:
        yield f"  A policy with another {' or '.join(each.key for each in stood.thresholds)} could judge otherwise."
    yield ""
    yield "How it came about"
    for each in transitions:
        late = "" if each.at == each.effective_at else f", effective {_time(each.effective_at)}"
        yield (
            f"  {each.sequence:3}  {_time(each.at)}  {each.transition.value:10}  {each.severity.value:8}  "
            f"{each.cause.value}, by {each.caused_by}{late}"
        )


def _state(now: Transition) -> str:
    if now.transition is TransitionKind.SUPERSEDED:
        return f"superseded by {now.superseded_by} at {_time(now.at)}"
    if now.transition in _OVER:
        return f"{now.transition.value} at {_time(now.at)} ({now.cause.value})"
    notes = [
        word for word, holds in (("historical", now.historical), ("patient not monitored", now.not_monitored)) if holds
    ]
    return ", ".join(["open", *notes])


def _place(now: Transition) -> str:
    parts = [
        f"{name} {number}"
        for name, number in (
            ("course", now.course),
            ("cycle", now.cycle),
            ("day", now.cycle_day),
            ("episode", now.episode),
        )
        if number is not None
    ]
    inferred = " (day 1 of the cycle was inferred, not recorded)" if now.cycle_inferred else ""
    return (", ".join(parts) or "before treatment") + inferred


def _advice(now: Transition) -> Iterator[str]:
    advice = now.advice
    if advice is None:
        yield "  nothing is asked for"
        return
    details = [
        advice.agent,
        f"{advice.dose_mg} mg" if advice.dose_mg else None,
        advice.schedule,
        f"next check by {_time(advice.next_check)}" if advice.next_check else None,
    ]
    yield "  " + ", ".join([advice.action.value.replace("-", " "), *(each for each in details if each)])


def _evidence(evidence: Evidence) -> Iterator[str]:
    received, normalised = evidence.received, evidence.normalised
    shown = ""
    if normalised is not None:
        shown = f"{_number(normalised.value)} {normalised.unit}"
    if received is not None and received.value is not None:
        as_received = f"{received.value} {received.unit or ''}".strip()
        shown = f"{shown} (received as {as_received})" if shown and shown != as_received else shown or as_received
    yield f"  {evidence.what}: {shown}" if shown else f"  {evidence.what}"
    details = []
    if received is not None and received.code is not None:
        details.append(f"code {received.code} of {received.system or 'no system'}")
    if received is not None and received.status is not None:
        details.append(f"status {received.status}")
    if evidence.collected_at is not None:
        details.append(f"collected {_time(evidence.collected_at)}")
    if evidence.issued_at is not None:
        details.append(f"issued {_time(evidence.issued_at)}")
    if details:
        yield f"      {', '.join(details)}"
    if evidence.source is not None:
        place = f", {evidence.source.position}" if evidence.source.position else ""
        yield f"      from feed {evidence.source.feed}, message {evidence.source.message}{place}"


def _distances(evidence: Sequence[Evidence], thresholds: Sequence[Threshold]) -> Iterator[str]:
    """How far each value stands from each number of the same unit."""
    for each in evidence:
        if each.normalised is None:
            continue
        try:
            value = Decimal(each.normalised.value)
        except InvalidOperation:
            continue
        for threshold in thresholds:
            if threshold.unit != each.normalised.unit:
                continue
            limit = Decimal(threshold.value)
            if value == limit:
                yield f"{each.what} is exactly {threshold.key} ({_number(threshold.value)} {threshold.unit})."
            else:
                side = "below" if value < limit else "above"
                distance = _number(f"{abs(value - limit):f}")
                yield f"{each.what} is {distance} {threshold.unit} {side} {threshold.key} ({_number(threshold.value)})."


def _flips(found: Explored) -> Iterator[str]:
    """Number by number: the nearest value or date with another answer, and the last one with the same."""
    if found.first_at is not None:
        yield f"  Before {_time(found.first_at)} it did not stand: by then what it misses would have kept it quiet."
    told: dict[str, str] = {}
    for answered in found.answered:
        threshold = answered.threshold
        yield f"  {threshold.key} = {_number(threshold.value)} {threshold.unit}".rstrip()
        for flip in answered.flips:
            line = f"{flip.what}: {flip.nearest} instead of {flip.was}, and {flip.then}; at {flip.last} it is the same."
            if line in told:
                line = f"{flip.what}: as under {told[line]}."
            else:
                told[line] = threshold.key
            yield from _paragraph(line, indent="      ")
        if not answered.flips:
            tried = " and ".join(answered.tried)
            yield from _paragraph(
                f"No other {tried} across it flips the alert by itself."
                if tried
                else "No value or time that it stands on can be moved across it.",
                indent="      ",
            )
    if found.answered:
        yield from _paragraph(
            "Each of these was run through the rules again; one fact is changed at a time, in the steps it was "
            "reported in, and everything known later is left out.",
            indent="  ",
        )


def _number(text: str) -> str:
    try:
        return f"{Decimal(text):,f}"
    except InvalidOperation:
        return text


def _time(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="minutes")


def _rows(*rows: tuple[str, str]) -> Iterator[str]:
    for name, text in rows:
        yield f"{name:10}{text}"


def _paragraph(text: str, indent: str = "") -> Iterator[str]:
    yield fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _from_topic() -> Iterator[Transition]:
    from streams.settings import load_settings
    from streams.topic_reading import read_topic
    from streams.topics import Subject

    for record in read_topic(load_settings(), Subject.LIFECYCLE):
        try:
            yield Transition.model_validate_json(record.value or b"")
        except ValidationError:
            continue
