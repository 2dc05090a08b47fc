"""The facts behind an alert: from the files that were replayed, from a dump of the log, or from the broker's log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schemas.alerts import Transition
from schemas.events import Entry, EntryKind
from schemas.events.entry import entry_from_json
from streams.policy_commands import activation_of, load, read
from streams.ports import Arrived
from streams.refusals import Refusal
from streams.replay import LogUnreadable, ReplayOfFiles, fold_log, read_dump
from streams.replay_command import (
    chosen_medicine,
    file_readers,
    instant_named,
    reading_context,
    refuse_unzoned,
    zone_named,
)
from streams.replay_input import InputFormat, find_files, lines_of, read_messages

if TYPE_CHECKING:
    from rules.policy.reading import Policy


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was said, the entries it was said of with when each was known, and the policies at hand by hash."""

    transitions: Sequence[Transition]
    entries: Sequence[Entry]
    policies: Mapping[str, Policy]

    def entries_of(self, patient_key: str) -> list[Entry]:
        """The entries of one patient, in their order."""
        return [each for each in self.entries if each.patient is not None and each.patient.key == patient_key]


def replay_input(
    inputs: list[str],
    input_format: InputFormat,
    timezone: str | None,
    until: str | None,
    policy: Policy,
    site_maps: list[Path] | None,
) -> Replayed:
    """Run files or a dump of the log as `myelowatch replay` does, and keep the entries."""
    zone = zone_named(timezone)
    if input_format is InputFormat.LOG:
        return _replay_log(inputs, policy)
    body = ReplayOfFiles(
        readers=file_readers(),
        context=reading_context(zone, site_maps),
        medicine=chosen_medicine(policy),
        policy=activation_of(policy),
    )
    for message in read_messages(find_files(inputs), input_format):
        refuse_unzoned(message.name, body.read(message))
    body.read_strangers_again()
    outcome = asyncio.run(body.run(instant_named(until, zone)))
    return Replayed(outcome.result.transitions, body.entries(), {policy.hash: policy})


def _replay_log(inputs: list[str], policy: Policy) -> Replayed:
    try:
        partitions, records = read_dump(lines_of(find_files(inputs)))
    except LogUnreadable as error:
        raise Refusal(
            f"{error} A dump of the patient log has one JSON object a line: partition, offset, timestamp, key, value."
        ) from None
    result = fold_log(
        records, medicine=chosen_medicine(policy), default_policy=activation_of(policy), partitions=partitions
    )
    return _of_log(records, None, [policy], result.transitions)


def log_of_broker(patient_key: str) -> Replayed:
    """One patient's entries from the patient log of the broker in the settings, and every policy activated there."""
    from streams.settings import load_settings
    from streams.topic_reading import read_topic
    from streams.topics import Subject

    settings = load_settings()
    policy = load(str(settings.policy_file) if settings.policy_file is not None else settings.profile)
    return _of_log(read_topic(settings, Subject.LOG), patient_key, [policy], ())


def _of_log(
    records: Iterable[Arrived], patient_key: str | None, known: Iterable[Policy], transitions: Sequence[Transition]
) -> Replayed:
    policies = {policy.hash: policy for policy in known}
    entries = []
    for record in records:
        try:
            entry = entry_from_json(record.value or b"")
        except ValidationError:
            continue
        if entry.policy is not None and entry.policy.hash not in policies:
            try:
                policies[entry.policy.hash] = read(entry.policy.text)
            except ValueError:
                continue  # a policy of other rules: what it judged is explained from its transitions alone
        wanted = entry.patient is not None and (patient_key is None or entry.patient.key == patient_key)
        if entry.kind is EntryKind.FACTS and wanted:
            stamp = datetime.fromtimestamp(record.stamp_ms / 1000, UTC)
            entries.append(entry.model_copy(update={"known_at": entry.known_at or stamp}))
    return Replayed(transitions, entries, policies)
