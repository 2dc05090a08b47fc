"""`myelowatch replay` and `explain` as a person meets them: files in, NDJSON out, sentences where it cannot be."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from streams.ports import NoMeters
from streams.replay import write_dump_head, write_dump_line
from tests.streams.observability.ward_run import NAMES, PARTITIONS, WardRun, run_ward, ward_messages

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]

HOME = "https://hospital.example/patients"


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `myelowatch replay`: exit code, transitions, what was said on stderr."""

    def command(*arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
        code = main(["replay", *(str(each) for each in arguments)])
        said = capsysbinary.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err.decode()

    return command


def supply(day: str, number: int = 1) -> dict[str, Any]:
    """Lenalidomide handed over."""
    return {
        "resourceType": "MedicationDispense",
        "id": f"dispense-{number}",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "L04AX04", "display": "lenalidomide"}]
        },
        "quantity": {"value": 21},
        "daysSupply": {"value": 28},
        "whenHandedOver": f"{day}T10:00:00+09:00",
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 25, "unit": "mg", "code": "mg"}}]}],
    }


def count(day: str, thousands: str, number: int, code: str = "751-8", **changes: Any) -> dict[str, Any]:
    """A neutrophil count."""
    return {
        "resourceType": "Observation",
        "id": f"result-{number}",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": f"{day}T08:00:00+09:00",
        "issued": f"{day}T09:00:00+09:00",
        "valueQuantity": {"value": float(thousands), "unit": "10*3/uL", "code": "10*3/uL"},
    } | changes


PATIENT = {"resourceType": "Patient", "id": "p1", "identifier": [{"system": HOME, "value": "4711"}], "gender": "female"}


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"{HOME}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries} | more


COURSE = bundle(
    PATIENT,
    supply("2026-03-02"),
    count("2026-03-02", "3.1", 1),
    count("2026-03-09", "0.4", 2),
    count("2026-03-16", "1.4", 3),
)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    path = tmp_path / "course.json"
    path.write_text(json.dumps(COURSE))
    return path


def holds(transitions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["transition"], each["at"]) for each in transitions if each["rule"] == "anc-hold"]


HOLD = [("raised", "2026-03-09T00:00:00Z"), ("resolved", "2026-03-16T00:00:00Z")]


def test_a_course_as_a_bundle_gives_its_hold(run: Run, course: Path) -> None:
    code, transitions, said = run(course)
    assert code == 0
    assert holds(transitions) == HOLD
    assert "Messages: 1 received = 1 translated" in said
    assert "Facts:    " in said
    assert transitions[0]["patient"]["id"] == "4711"


def test_the_same_facts_in_any_packing_give_the_same_transitions(run: Run, course: Path, tmp_path: Path) -> None:
    resources = [entry["resource"] for entry in COURSE["entry"]]
    lines = tmp_path / "course.ndjson"
    lines.write_text("\n".join(json.dumps(each) for each in reversed(resources)) + "\n\n")
    packed = tmp_path / "packed.json.gz"
    packed.write_bytes(gzip.compress(course.read_bytes()))
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, each in enumerate(resources):
        (folder / f"{9 - number}.json").write_text(json.dumps(each, indent=2))
    (folder / "readme.txt").write_text("not ours")
    expected = holds(run(course)[1])
    for given in (lines, packed, folder):
        code, transitions, said = run(given)
        assert (code, holds(transitions)) == (0, expected), given
    assert "Files passed over: readme.txt" in said


def test_standard_input_is_a_file(run: Run, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(course.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert holds(run("-")[1]) == HOLD


def test_twice_gives_the_same_bytes_and_out_is_what_stdout_would_be(
    course: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    outputs = []
    for _ in range(2):
        assert main(["replay", str(course)]) == 0
        outputs.append(capsysbinary.readouterr().out)
    out = tmp_path / "out.ndjson"
    assert main(["replay", str(course), "--out", str(out)]) == 0
    assert capsysbinary.readouterr().out == b""
    assert outputs[0] == outputs[1] == out.read_bytes()


def test_another_number_judges_otherwise(run: Run, course: Path) -> None:
    _, transitions, _ = run(course, "--set", "anc_severe=300")
    assert holds(transitions) == []
    _, transitions, _ = run(course, "--set", "anc_severe=450")
    assert holds(transitions) == HOLD
    hashes = {each["policy"]["hash"] for each in transitions}
    assert hashes != {each["policy"]["hash"] for each in run(course)[1]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("anc_severe", "key=value"),
        ("anc_sever=400", "unknown key `anc_sever`"),
        ("anc_severe=5", "outside its clinical bounds"),
        ("anc_severe=few", "is not a number"),
    ],
)
def test_a_change_that_no_policy_may_have_is_refused(run: Run, course: Path, change: str, sentence: str) -> None:
    code, transitions, said = run(course, "--set", change)
    assert (code, transitions) == (2, [])
    assert sentence in said


def test_only_wanted_rules_are_printed_and_all_run(run: Run, course: Path) -> None:
    _, everything, _ = run(course)
    _, some, said = run(course, "--rules", "anc-*")
    assert some == [each for each in everything if each["rule"].startswith("anc-")]
    assert f"Printed: {len(some)}" in said or len(some) == len(everything)


def test_until_is_now_at_the_end(run: Run, course: Path) -> None:
    _, transitions, said = run(course, "--until", "2026-03-10T00:00:00Z")
    assert holds(transitions) == HOLD[:1]
    assert "facts could not be known by" in said
    _, transitions, _ = run(course, "--until", "2026-06-01T00:00:00Z")
    assert transitions[-1]["at"] > "2026-03-17"
    assert transitions[-1]["cause"] == "time-passed"


def test_a_bundle_that_is_one_message_is_known_at_its_own_time(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "message.json"
    path.write_text(json.dumps(COURSE | {"type": "transaction", "timestamp": "2026-03-20T12:00:00Z"}))
    _, transitions, _ = run(path)
    assert {each["at"] for each in transitions} == {"2026-03-20T12:00:00Z"}


UNZONED = bundle(PATIENT, supply("2026-03-02"), count("2026-03-09", "0.4", 2, effectiveDateTime="2026-03-09"))


def test_a_time_without_a_zone_is_never_guessed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "unzoned.json"
    path.write_text(json.dumps(UNZONED))
    code, transitions, said = run(path)
    assert (code, transitions) == (2, [])
    assert "--timezone Asia/Seoul" in said
    code, transitions, _ = run(path, "--timezone", "Asia/Seoul")
    assert code == 0
    assert [kind for kind, _ in holds(transitions)] == ["raised"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/nowhere"], "neither a file nor a folder"),
        (["{empty}"], "No file to read"),
        (["{course}", "--timezone", "Seoul"], "no timezone"),
        (["{course}", "--until", "soon"], "wants an instant"),
        (["{course}", "--until", "2026-03-10"], "has no zone"),
        (["{course}", "--profile", "us"], "neither a profile"),
        (["{course}", "--format", "hl7"], "Nothing of the input can be used"),
        (["{hl7}"], "Nothing of the input can be used"),
        (["{text}"], "neither FHIR JSON"),
        (["{text}", "--format", "fhir"], "Nothing of the input can be used"),
        (["{broken}"], "damaged"),
        (["{course}", "--out", "/nowhere/x"], "cannot be written"),
        (["{text}", "--format", "log"], "Line 1"),
        (["{course}", "--format", "log", "--until", "2026-03-10T00:00:00Z"], "its own ticks"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_exit_2(
    run: Run, course: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    names = {"course": course, "empty": tmp_path / "empty", "hl7": tmp_path / "a.hl7", "text": tmp_path / "a.json"}
    names["broken"] = tmp_path / "b.json.gz"
    names["empty"].mkdir()
    names["hl7"].write_text("MSH|^~\\&|LAB\r")
    names["text"].write_text("anything\n")
    names["broken"].write_bytes(gzip.compress(b"{}" * 500)[:-20])
    code, _, said = run(*(each.format(**names) for each in arguments))
    assert code == 2
    assert sentence in said
    assert "Traceback" not in said


def test_what_cannot_be_used_is_listed_and_the_rest_goes_on(run: Run, course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "1.json").write_bytes(course.read_bytes())
    (folder / "2.ndjson").write_text(json.dumps(PATIENT) + "\n{not json\n")
    rejected = tmp_path / "rejected.ndjson"
    code, transitions, said = run(folder, "--rejections", rejected)
    assert code == 0
    assert holds(transitions) == HOLD
    assert "1 rejected (1 not-json)" in said
    (line,) = rejected.read_text().splitlines()
    assert json.loads(line)["reason"] == "not-json"


async def test_a_dump_of_the_log_is_the_oracle(run: Run, tmp_path: Path) -> None:
    """The same ward through both bodies and from the dump of their log: the same transitions, byte for byte."""
    ward = WardRun(NoMeters())
    await run_ward(ward, list(ward_messages(patients=6, weeks=10)))
    log = [row for partition in range(PARTITIONS) for row in ward.log_of(partition)]
    dump = tmp_path / "log.ndjson"
    dump.write_bytes(b"\n".join([write_dump_head(PARTITIONS), *(write_dump_line(each) for each in log)]))
    code, transitions, said = await asyncio.to_thread(run, dump, "--format", "log")
    written = [json.loads(row.value or b"") for row in ward.world.records(f"{NAMES.prefix}.alert.lifecycle.v1")]
    assert code == 0
    assert transitions == written
    assert len(transitions) > 10
    assert "records of 2 partitions" in said


# --- explain ---


def test_an_alert_is_explained_from_its_transitions_alone(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "alerts.ndjson"
    assert main(["replay", str(course), "--out", str(out), "--until", "2026-03-10T00:00:00Z"]) == 0
    (hold,) = [each for each in map(json.loads, out.read_text().splitlines()) if each["rule"] == "anc-hold"]
    capsys.readouterr()
    assert main(["explain", hold["alert_id"][:10], "--from", str(out)]) == 0
    text = capsys.readouterr().out
    for part in (
        "anc-hold (severe)",
        "400 cells/uL (received as 0.4 10*3/uL)",
        "anc_severe = 500 cells/uL",
        "100 cells/uL below anc_severe",
        "S2 Hematologic toxicities rec 1",
        "What would change it",
        "raised",
        "state     open",
    ):
        assert part in text, part


@pytest.mark.parametrize(("alert", "sentence"), [("ffff", "No alert 'ffff'"), ("", "begins more than one alert")])
def test_an_alert_that_is_not_there_or_not_one_is_a_sentence(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], alert: str, sentence: str
) -> None:
    out = tmp_path / "alerts.ndjson"
    assert main(["replay", str(course), "--out", str(out)]) == 0
    assert main(["explain", alert, "--from", str(out)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_holds_no_transitions_is_named_with_its_line(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "abc", "--from", str(course)]) == 2
    assert "Line 1 of" in capsys.readouterr().err
    assert main(["explain", "abc", "--from", "/nowhere"]) == 2
