"""The medicine as the bodies see it: `rules.watch.step`, the bytes of a record, and the policy of an activation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rules import watch
from rules.catalogue import RULES_VERSION
from rules.policy.reading import PolicyUnusable
from rules.policy.terms import Policy
from rules.record import Record, read_record, write_record
from schemas.events import Entry, PolicyActivation
from streams.policy_commands import Use, activation_of, load, read, require_status
from streams.ports import Heard, MustStop, Standing


class RulesMedicine:
    """The product's own rules. Policies are read once by hash."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._policies: dict[str, Policy] = {}

    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None = None
    ) -> watch.Stepped:
        """See `rules.watch.step`."""
        return watch.step(record, entry, watch.Heard(heard.known_at, heard.partition, heard.offset), policy, history)

    def read_record(self, raw: bytes) -> Record:
        """See `rules.record.read_record`."""
        return read_record(raw)

    def write_record(self, record: Any) -> bytes:
        """See `rules.record.write_record`."""
        return write_record(record)

    def mark_not_monitored(self, record: Any, since: datetime) -> Record:
        """See `rules.watch.mark_not_monitored`."""
        return watch.mark_not_monitored(record, since)

    def read_policy(self, activation: PolicyActivation) -> Policy:
        """The activated policy; raises `MustStop` where these rules cannot judge exactly by it."""
        known = self._policies.get(activation.hash)
        if known is not None and activation.rules_version == RULES_VERSION:
            return known
        if activation.rules_version != RULES_VERSION:
            raise MustStop(
                f"The policy {activation.profile} {activation.version} in force was activated for rules version "
                f"{activation.rules_version}, and this worker has {RULES_VERSION}. Install that version, or activate "
                "the policy again with `myelowatch policy activate` from this one."
            )
        try:
            policy = read(activation.text)
        except PolicyUnusable as error:
            raise MustStop(
                f"The policy {activation.profile} {activation.version} in force cannot be read by these rules: {error}"
            ) from error
        if policy.hash != activation.hash:
            raise MustStop(
                f"The policy {activation.profile} {activation.version} in force has the hash {activation.hash}, and its "
                f"text reads as {policy.hash} here: this worker would judge by other numbers. Install the version that "
                "activated it."
            )
        self._policies[activation.hash] = policy
        return policy

    def standing(self, record: Any) -> Standing:
        """What the counts show of a record."""
        open_alerts = tuple((alert.rule, alert.severity.value) for alert in record.register if not alert.superseded_by)
        return Standing(
            open_alerts=open_alerts,
            is_watched=record.header.is_enrolled,
            # Its facts were asked back after an unmerge and are not here yet: until then nobody watches.
            is_unwatched=bool(record.kin.waiting) and record.kin.moved_to is None,
        )


def load_activation(name_or_file: str, use: Use = Use.JUDGE) -> PolicyActivation:
    """A profile's name or a policy file to what the log carries; refuses with every error and its line.

    Refuses as well where the status of the policy does not allow what it is wanted for.
    """
    policy = load(name_or_file)
    require_status(policy, use, name_or_file)
    return activation_of(policy)
