"""The product's medicine as the simulated workers use it: the same answers, each worked out once.

`step` is pure, so an answer can be kept and given again when a worker that crashed asks the same once more;
records are interned, so that asking the same is seen without comparing them. That the answers do not hang on
this is shown by seeds that run without it (`is_remembered=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.events import Entry, PolicyActivation
from streams.medicine import RulesMedicine
from streams.ports import Heard, Standing, SteppedLike


class RuleFailed(RuntimeError):
    """A rule raises for one patient, as a fault of its own would."""


class SharedPolicies:
    """Policies are read once for all simulated processes: reading one costs more than a whole seed."""

    medicine = RulesMedicine()


class SimulatedMedicine:
    """The rules, with patients and instants at which they fail."""

    def __init__(self, failing: frozenset[tuple[str, datetime]], *, is_remembered: bool = True) -> None:
        """`failing` holds (patient key, `known_at`) at which a rule raises."""
        self._rules = SharedPolicies.medicine
        self._failing = failing
        self._is_remembered = is_remembered
        self._answers: dict[tuple[Any, ...], tuple[SteppedLike, Any, Entry]] = {}
        self._records: dict[bytes, Any] = {}
        self._written: dict[int, tuple[Any, bytes]] = {}
        self.steps = 0
        self.looks_behind = 0
        """How often segments behind the cut of a record were asked for."""

    def step(
        self, record: Any, entry: Entry, heard: Heard, policy: Any, history: Mapping[str, bytes] | None = None
    ) -> SteppedLike:
        """The answer of the rules, or `RuleFailed`."""
        patient = record.header.key if record is not None else (entry.patient.key if entry.patient else "")
        if (patient, heard.known_at) in self._failing:
            raise RuleFailed(f"patient {patient} is not to be seen in any log")
        if not self._is_remembered:
            return self._rules.step(record, entry, heard, policy, history)
        if history is not None:
            self.looks_behind += 1
        pages = None if history is None else tuple(sorted(history.items()))
        # The entry too: where workers write into the log themselves, another stands at this offset in another schedule.
        question = (id(record) if record is not None else patient, id(entry), heard, policy.hash, pages)
        held = self._answers.get(question)
        if held is None:
            self.steps += 1
            # With what was asked about, so that its identity is not given to something else.
            held = self._answers[question] = self._rules.step(record, entry, heard, policy, history), record, entry
        return held[0]

    def write_record(self, record: Any) -> bytes:
        """The bytes of a record; the record that was written first with these bytes stands for all."""
        if not self._is_remembered:
            return self._rules.write_record(record)
        known = self._written.get(id(record))
        if known is not None:
            return known[1]
        raw = self._rules.write_record(record)
        self._written[id(record)] = (record, raw)
        self._records.setdefault(raw, record)
        return raw

    def read_record(self, raw: bytes) -> Any:
        """The record of these bytes."""
        if not self._is_remembered:
            return self._rules.read_record(raw)
        record = self._records.get(raw)
        if record is None:
            record = self._records[raw] = self._rules.read_record(raw)
            self._written[id(record)] = (record, raw)
        return record

    def mark_not_monitored(self, record: Any, since: datetime) -> Any:
        """See `rules.watch.mark_not_monitored`."""
        return self._rules.mark_not_monitored(record, since)

    def read_policy(self, activation: PolicyActivation) -> Any:
        """Read once by hash."""
        return self._rules.read_policy(activation)

    def standing(self, record: Any) -> Standing:
        """See `streams.medicine`."""
        return self._rules.standing(record)
