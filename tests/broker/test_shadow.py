"""The shadow monitor beside a live worker, both started as their commands are: what it says, and whom it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.alerts import Transition
from schemas.events import EntryKind, entry_from_json
from streams.app import trial_group_name
from streams.broker import LaptopKafka
from streams.intake import Intake
from streams.medicine import RulesMedicine, load_activation
from streams.policy_activation import activate_policy
from streams.policy_commands import Use
from streams.readers import build_contexts, build_readers
from streams.replay import fold_log
from streams.state import read_frame
from streams.ticker import Ticker
from streams.topics import Subject
from tests.broker.pipeline import Pipeline, WorkerProcess, wait_until
from tests.broker.test_pipeline_rules import SECRET, cbc_bundle

TRIAL = """\
profile: site
based_on: {base}
version: "1"
status: {status}
effective_from: "2027-01-01"
approved_by: "nobody yet"
"""


@pytest.fixture
def pipeline(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(
        kafka,
        topic_prefix,
        tmp_path,
        MYELOWATCH_FEEDS__LAB__TIMEZONE="Asia/Seoul",
        MYELOWATCH_KEY_SECRET=SECRET,
        MYELOWATCH_METRICS_PORT="0",
    )
    yield pipeline
    pipeline.close()


class Ward:
    """A live worker and a shadow monitor over the same log."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline = pipeline
        self.file = folder / "trial.yaml"
        self.processes: list[WorkerProcess] = []

    def start(self, base: str, status: str = "shadow") -> WorkerProcess:
        """A shadow monitor that tries a site's policy, which stands on a profile."""
        self.file.write_text(TRIAL.format(base=base, status=status))
        return self.run("--shadow", MYELOWATCH_SHADOW__POLICY_FILE=str(self.file))

    def run(self, *options: str, **environment: str) -> WorkerProcess:
        process = WorkerProcess({**self.pipeline.environment, **environment}, "streams", "worker", *options)
        self.processes.append(process)
        return process

    def send(self, *counts: str, begin: int = 0) -> None:
        """A patient for each count."""
        intake = Intake(
            self.pipeline.settings, readers=build_readers(), contexts=build_contexts(self.pipeline.settings)
        )
        for number, anc in enumerate(counts, start=begin):
            body = cbc_bundle(anc, f"SYN-{number}")
            intake.send(body, feed="lab", protocol="fhir", control_id=f"b{number}")
        intake.settle()
        intake.close()

    def tick(self) -> None:
        """Time passes: a tick reaches every partition of the log."""
        before = self._ticks()
        ticker = Ticker(self.pipeline.settings)
        ticker.tick()
        ticker.close()
        wanted = before + self.pipeline.settings.partitions
        wait_until(lambda: self._ticks() >= wanted, "a tick in every partition of the log", self.processes[0])

    def _ticks(self) -> int:
        return sum(row.header("kind") == b"tick" for row in self.pipeline.read(Subject.LOG))

    def settle(self) -> None:
        """Both have judged everything that is in the log."""
        self.pipeline.wait_until_drained(*self.processes)
        group = trial_group_name(self.pipeline.settings)

        def is_judged() -> bool:
            committed = self.pipeline.committed(group=group)
            return all(end == 0 or committed.get(part) == end for part, end in self.pipeline.ends().items())

        wait_until(is_judged, "the shadow monitor to judge the log", self.processes[-1])

    def tried(self) -> list[Transition]:
        rows = self.pipeline.read(Subject.SHADOW)
        return [Transition.model_validate_json(row.value or b"") for row in rows]

    def oracle(self) -> list[Transition]:
        """What the log means under the policy on trial, whatever was activated in it."""
        log = [row for row in self.pipeline.read(Subject.LOG) if not is_activation(row.value)]
        trial = load_activation(str(self.file), Use.TRY)
        count = self.pipeline.settings.partitions
        return fold_log(log, medicine=RulesMedicine(), default_policy=trial, partitions=count).transitions


def is_activation(value: bytes | None) -> bool:
    return entry_from_json(value or b"").kind is EntryKind.POLICY


@pytest.fixture
def ward(pipeline: Pipeline, tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(pipeline, tmp_path)
    yield ward
    for process in ward.processes:
        process.kill()


def ids(transitions: list[Transition]) -> list[str]:
    return sorted(transition.transition_id for transition in transitions)


def test_a_trial_says_what_its_policy_would_say_and_the_live_topics_get_nothing_from_it(ward: Ward) -> None:
    """700 is watched by the Korean panel and holds treatment by the US label."""
    ward.run()
    ward.start("uspi")
    ward.send("0.7", "0.4", "3.0")
    ward.settle()
    ward.tick()
    ward.settle()
    tried, live = ward.tried(), ward.pipeline.said()
    assert ids(tried) == ids(ward.oracle())
    trial = load_activation(str(ward.file), Use.TRY)
    assert {transition.policy.hash for transition in tried} == {trial.hash}
    assert ("anc-hold", "label") in {(transition.rule, transition.reason) for transition in tried}
    assert "anc-low-watch" not in {transition.rule for transition in tried}

    in_force = load_activation("kr-panel")
    assert {transition.policy.hash for transition in live} == {in_force.hash}
    assert ("anc-hold", "label") not in {(transition.rule, transition.reason) for transition in live}
    assert "anc-low-watch" in {transition.rule for transition in live}
    current = [Transition.model_validate_json(row.value) for row in ward.pipeline.read(Subject.CURRENT) if row.value]
    assert {transition.policy.hash for transition in current} == {in_force.hash}
    for subject in (Subject.ATTENTION, Subject.REJECTED):
        assert ward.pipeline.read(subject) == []


def test_equal_policies_say_equal_ids_each_in_its_own_place(ward: Ward) -> None:
    ward.run()
    ward.start("kr-panel")
    ward.send("0.7", "0.4", "3.0")
    ward.settle()
    ward.tick()
    ward.settle()
    live = ward.pipeline.said()
    assert live
    assert ids(ward.tried()) == ids(live)


def test_another_policy_put_in_force_leaves_the_trial_alone_and_another_trial_judges_anew(ward: Ward) -> None:
    ward.run()
    first = ward.start("kr-panel")
    ward.send("0.7")
    ward.settle()
    activate_policy(load_activation("eu-smpc"), ward.pipeline.settings)
    ward.settle()
    assert {transition.policy.profile for transition in ward.tried()} == {"site"}
    assert {transition.rule for transition in ward.tried() if transition.rule.startswith("anc")} == {"anc-low-watch"}
    assert first.stop() == 0
    ward.start("uspi")
    ward.tick()
    ward.settle()
    anew = [transition for transition in ward.tried() if transition.cause == "policy-change"]
    assert ("anc-hold", "raised") in {(transition.rule, transition.transition) for transition in anew}
    assert "anc-hold" not in {transition.rule for transition in ward.pipeline.said()}


def test_its_state_is_its_own(ward: Ward) -> None:
    ward.run()
    ward.start("uspi")
    ward.send("0.7")
    ward.settle()
    live, trial = (
        {row.key: row.value for row in ward.pipeline.read(subject)} for subject in (Subject.STATE, Subject.SHADOW_STATE)
    )
    patients = [key for key in live if key and not key.startswith(b"~")]
    assert patients
    for key in patients:
        assert read_frame(live[key] or b"").payload != read_frame(trial[key] or b"").payload


@pytest.mark.parametrize(("status", "said"), [("draft", "still being written"), ("retired", "taken out of use")])
def test_a_policy_that_may_not_be_tried_is_refused_with_what_to_do(ward: Ward, status: str, said: str) -> None:
    process = ward.start("uspi", status)
    assert process.wait() == 2
    assert said in process.output


def test_without_a_policy_on_trial_it_says_how_to_name_one(ward: Ward) -> None:
    process = ward.run("--shadow")
    assert process.wait() == 2
    assert "MYELOWATCH_SHADOW__POLICY_FILE" in process.output
