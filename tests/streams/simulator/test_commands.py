"""`myelowatch simulate`: files, manifest, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.refusals import Refusal
from streams.simulator import Mishap
from streams.simulator.commands import OutputFormat, simulate_command


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("output_format", [OutputFormat.EVENTS, OutputFormat.FHIR])
def test_the_same_seed_writes_the_same_files(tmp_path: Path, output_format: OutputFormat) -> None:
    for name in ("one", "two"):
        simulate_command(6, 6, 2, tmp_path / name, output_format)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert any(path.startswith(f"{output_format.value}/") for path in tree(tmp_path / "one"))


def test_the_manifest_lists_every_mishap_and_no_clock(tmp_path: Path) -> None:
    simulate_command(out=tmp_path / "ward")
    manifest = json.loads((tmp_path / "ward" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["mishaps"]) == [mishap.value for mishap in Mishap]
    assert all(met["patients"] and met["messages"] for met in manifest["mishaps"].values())
    assert (manifest["patients"], manifest["seed"]) == (40, 7)
    assert not [key for key in manifest if "made_at" in key or "created" in key]


def test_a_ward_can_be_written_anew_into_its_own_folder(tmp_path: Path) -> None:
    simulate_command(4, 4, 1, tmp_path / "ward", OutputFormat.FHIR)
    simulate_command(4, 4, 1, tmp_path / "ward", OutputFormat.EVENTS)
    assert sorted(tree(tmp_path / "ward")) == ["events/events.ndjson", "manifest.json"]


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(Refusal, match="new or empty folder") as refused:
        simulate_command(1, 1, 1, tmp_path)
    assert refused.value.exit_code == 2
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_stray_file_beside_ours_is_left_alone(tmp_path: Path) -> None:
    simulate_command(2, 2, 1, tmp_path / "ward")
    (tmp_path / "ward" / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        simulate_command(2, 2, 1, tmp_path / "ward")
    assert refused.value.exit_code == 2


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ward").write_text("", encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        simulate_command(1, 1, 1, tmp_path / "ward")
    assert refused.value.exit_code == 2


def test_hl7_is_one_file_a_patient(tmp_path: Path) -> None:
    simulate_command(2, 2, 1, tmp_path / "ward", OutputFormat.HL7)
    written = sorted((tmp_path / "ward" / "hl7").iterdir())
    assert len(written) == 2
    assert all(path.suffix == ".hl7" and path.read_bytes().startswith(b"MSH|^~\\&|") for path in written)
