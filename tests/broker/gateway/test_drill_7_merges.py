"""Drill 7, from socket to alert: A40 while an alert is open and a check pending, MRG = PID, A to B to C, merge first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.alerts import Transition, TransitionKind
from schemas.rejection import Rejection
from schemas.values.patient import build_patient_key
from streams.broker import LaptopKafka
from streams.gateway.mllp_client import MllpClient
from streams.medicine import RulesMedicine, load_activation
from streams.ports import Arrived
from streams.replay import ReplayResult, fold_log
from streams.state import Recovery, is_patient_key, read_frame
from streams.topics import Subject
from tests.broker.gateway.door import Door
from tests.broker.gateway.test_rejected import WORKER
from tests.broker.pipeline import WorkerProcess, wait_until

NOW = datetime.now(UTC).replace(microsecond=0)
HOLD = "anc-hold"


def at(**ago: float) -> str:
    """An HL7 time so long ago."""
    return f"{NOW - timedelta(**ago):%Y%m%d%H%M%S}+0000"


def head(kind: str, control_id: str) -> str:
    return f"MSH|^~\\&|LAB|HOSP|MW|HOSP|{at()}||{kind}|{control_id}|P|2.5.1"


def number(name: str) -> str:
    return f"{name}^^^HOSP^MR"


def adt(kind: str, control_id: str, survivor: str, retired: str) -> bytes:
    """A merge, or an unlink of the two."""
    other = f"PID|2||{number(retired)}" if kind.endswith("A37") else f"MRG|{number(retired)}"
    lines = [head(kind, control_id), "EVN||20260301", f"PID|1||{number(survivor)}", other]
    return ("\r".join(lines) + "\r").encode()


def dispensed(control_id: str, patient: str) -> bytes:
    lines = [
        head("RDS^O13^RDS_O13", control_id),
        f"PID|1||{number(patient)}",
        f"ORC|RE|O{control_id}|d{control_id}",
        "TQ1|1|25^mg|QD|||28^d",
        f"RXD|1|643720^lenalidomide 25 mg^RXNORM|{at(days=3)}|21|{{capsule}}||d{control_id}",
        "RXR|PO^Oral^HL70162",
    ]
    return ("\r".join(lines) + "\r").encode()


def counted(control_id: str, patient: str, anc: str, **ago: float) -> bytes:
    lines = [
        head("ORU^R01^ORU_R01", control_id),
        f"PID|1||{number(patient)}",
        f"OBR|1||F{control_id}|57021-8^CBC^LN|||{at(**ago)}|||||||||||||||{at(**ago)}|||F",
        f"OBX|1|NM|751-8^Neutrophils^LN||{anc}|10*3/uL|>1.5||||F",
    ]
    return ("\r".join(lines) + "\r").encode()


class Ward:
    """A gateway, its topics, and the numbers of its patients."""

    def __init__(self, door: Door, client: MllpClient) -> None:
        self.door = door
        self.client = client

    def key(self, name: str) -> str:
        return build_patient_key("HOSP", name, self.door.settings.secret())

    def send(self, *messages: bytes) -> None:
        for each in messages:
            assert self.client.send(each).code == "AA"

    def said(self, name: str | None = None) -> list[Transition]:
        said = [Transition.model_validate_json(row.value or b"") for row in self.door.kept(Subject.LIFECYCLE)]
        return [each for each in said if name is None or each.patient.key == self.key(name)]

    def holds(self, name: str) -> list[Transition]:
        return [each for each in self.said(name) if each.rule == HOLD]

    def next_check(self, name: str) -> datetime | None:
        """The due check in the newest record."""
        recovery = Recovery()
        for row in self.door.kept(Subject.STATE):
            recovery.read(row.key or b"", row.value)
        return read_frame(recovery.held[self.key(name).encode()]).next_check

    def check_oracle(self) -> ReplayResult:
        """The log, folded without a broker, says what was said and kept."""
        log: list[Arrived] = self.door.kept(Subject.LOG)
        oracle = fold_log(log, medicine=RulesMedicine(), default_policy=load_activation("kr-panel"), partitions=4)
        assert {each.transition_id for each in self.said()} == {each.transition_id for each in oracle.transitions}
        recovery = Recovery()
        for row in self.door.kept(Subject.STATE):
            recovery.read(row.key or b"", row.value)
        kept = {key: read_frame(raw) for key, raw in recovery.held.items() if is_patient_key(key)}
        assert kept == dict(oracle.records())
        facts = sum(oracle.facts.values())
        assert oracle.facts_offered == facts
        return oracle


@pytest.fixture
def door(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> Door:
    return Door(kafka, topic_prefix, tmp_path / "door", **WORKER)


@pytest.fixture
def ward(door: Door) -> Iterator[Ward]:
    with door.open() as gateway, gateway.client() as client:
        yield Ward(door, client)


@pytest.fixture
def working(door: Door) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts workers; all of them are gone at the end."""
    running: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        running.append(WorkerProcess(door.environment, "streams", "worker"))
        return running[-1]

    yield start
    for worker in running:
        worker.kill()


def test_a40_while_an_alert_is_open_and_a_check_pending(ward: Ward, working: Callable[[], WorkerProcess]) -> None:
    worker = working()
    ward.send(dispensed("1", "A"), counted("2", "A", "0.4", hours=2))
    wait_until(lambda: ward.holds("A"), "the hold of A", worker)
    wait_until(lambda: ward.next_check("A"), "the due check of A", worker)
    (raised,) = ward.holds("A")

    ward.send(adt("ADT^A40^ADT_A39", "3", "B", "A"))
    worker.kill()  # wherever it stands
    worker = working()
    wait_until(lambda: len(ward.holds("A")) == 2, "the hold of A to be carried on", worker)
    (carried,) = ward.holds("B")
    assert (carried.transition, carried.continues) == (TransitionKind.RAISED, raised.alert_id)
    assert (carried.severity, carried.cause) == (raised.severity, "patients-merged")
    assert ward.holds("A")[1].transition is TransitionKind.SUPERSEDED
    assert ward.next_check("A") is None
    assert ward.next_check("B") is not None

    ward.send(adt("ADT^A40^ADT_A39", "4", "C", "B"))
    wait_until(lambda: any(each.evidence for each in ward.holds("C")), "C to carry it on", worker)
    wait_until(lambda: len(ward.holds("B")) == 2, "the hold of B to be carried on", worker)
    assert ward.holds("C")[0].continues == carried.alert_id
    new = [each for each in ward.said() if each.transition is TransitionKind.RAISED and each.continues is None]
    assert {each.patient.key for each in new} == {ward.key("A")}, "nothing that only goes on is new"
    ward.send(counted("5", "A", "2.5", minutes=5))  # for A, two tombstones away
    wait_until(lambda: any(row.header("kind") == b"move" and b'"forwarded"' in (row.value or b"")
                           and (row.key or b"").decode() == ward.key("C")
                           for row in ward.door.kept(Subject.LOG)), "A's message to reach C", worker)  # fmt: skip

    ward.send(adt("ADT^A37^ADT_A37", "6", "C", "B"))
    wait_until(lambda: ward.holds("C")[-1].transition in ("withdrawn", "resolved"), "C to let go", worker)
    wait_until(lambda: ward.next_check("B") is not None, "B to be watched again", worker)
    assert ward.next_check("C") is None
    assert ward.check_oracle().fact_total("forwarded") > 0


def test_a_merge_with_itself_is_answered_and_one_that_leads_in_a_circle_held(
    ward: Ward, working: Callable[[], WorkerProcess]
) -> None:
    worker = working()
    answer = ward.client.send(adt("ADT^A40^ADT_A39", "1", "A", "A"))
    assert answer.code == "AE"
    ward.send(adt("ADT^A40^ADT_A39", "2", "B", "A"))
    wait_until(
        lambda: any(b'"move-acknowledged"' in (row.value or b"") for row in ward.door.kept(Subject.LOG)),
        "the merge to be carried out",
        worker,
    )
    ward.send(adt("ADT^A40^ADT_A39", "3", "A", "B"))

    def held() -> list[Rejection]:
        return [Rejection.model_validate_json(row.value or b"") for row in ward.door.kept(Subject.REJECTED)]

    wait_until(lambda: any(each.reason == "merge-refused" for each in held()), "the refusal", worker)
    refused = next(each for each in held() if each.reason == "merge-refused")
    assert "take that merge back first" in refused.detail
    ward.check_oracle()


def test_a_merge_that_comes_before_either_patient(ward: Ward, working: Callable[[], WorkerProcess]) -> None:
    ward.send(adt("ADT^A40^ADT_A39", "1", "Y", "X"), dispensed("2", "X"), counted("3", "Y", "0.4", hours=2))
    worker = working()
    wait_until(lambda: ward.holds("Y"), "the hold of Y", worker)
    assert ward.said("X") == []
    ward.check_oracle()
