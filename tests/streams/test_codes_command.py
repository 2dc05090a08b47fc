"""`myelowatch codes` as a person meets it, and the setting that puts a site map in force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.inlet import Dispense, LabReport, LabResult, MedicineCode, PatientIdentity, write_structured
from streams.cli import main
from streams.readers import build_contexts
from streams.refusals import Refusal
from streams.settings import load_settings

WHO = PatientIdentity(authority="urn:ward", id="P-1")
MAP = """site_map: Ward
feeds: [{feed}]
systems:
  - {{id: lab, uri: "urn:lab", hl7v2: [99LAB]}}
  - {{id: edi, uri: "urn:edi"}}
codes:
  - {{system: lab, code: L1, analyte: anc}}
  - {{system: edi, code: E25, medicine: lenalidomide, strength_mg: "25"}}
  - {{system: lab, code: L9, ignore: comment line}}
"""


def result(code: str, number: str, system: str = "urn:lab", display: str | None = None) -> LabResult:
    """One result under a local code."""
    return LabResult.model_validate(
        {"code": code, "system": system, "display": display, "id": f"{code}/{number}", "value": number,
         "unit": "10*3/uL", "status": "final"}
    )  # fmt: skip


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """Four messages of one feed: a local neutrophil count three times, a comment, a local capsule."""
    days = ("2026-06-01", "2026-06-08", "2026-06-15")
    events = [
        LabReport(
            patient=WHO, report_id=day, collected_at=f"{day}T09:00:00+09:00", issued_at=f"{day}T11:00:00+09:00",
            results=(result("L1", "0.4", display="Neutrophils"), result("L9", "1")),
        )
        for day in days
    ]  # fmt: skip
    capsule = Dispense.model_validate(
        {
            "patient": WHO, "id": "rx1", "medicine": MedicineCode(system="urn:edi", code="E25", display="len 25"),
            "handed_over_at": "2026-06-01T12:00:00+09:00", "quantity": "21", "days_supply": 28, "dose_mg": "25",
        }
    )  # fmt: skip
    path = tmp_path / "feed.ndjson"
    lines = [
        write_structured(event, event_id=f"e{n}", source="/site/x/feed/ward")
        for n, event in enumerate([*events, capsule])
    ]
    path.write_bytes(b"\n".join(lines))
    return path


@pytest.fixture
def site_map(tmp_path: Path) -> Path:
    """A map for every feed."""
    path = tmp_path / "map.yaml"
    path.write_text(MAP.format(feed="").replace("feeds: []\n", ""))
    return path


def test_unmapped_codes_by_frequency_with_feed_system_code_and_display(
    messages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codes", "unmapped", "--from", str(messages)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["3", "3", "1"]
    assert "urn:lab|L1" in lines[1]
    assert "Neutrophils" in lines[1]
    assert "medicine" in lines[3]
    assert "urn:edi|E25" in lines[3]
    assert "3 codes, 7 times" in lines[4]
    assert main(["codes", "unmapped", "--from", str(messages), "--json"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first["count"] == 3
    assert (first["what"], first["system"], first["code"], first["display"]) == (
        "result",
        "urn:lab",
        "L1",
        "Neutrophils",
    )
    assert first["feed"]


def test_a_site_map_takes_its_codes_off_the_list_those_set_aside_too(
    messages: Path, site_map: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codes", "unmapped", "--from", str(messages), "--site-map", str(site_map)]) == 0
    assert "Every code that came is known" in capsys.readouterr().out


def test_a_known_code_under_a_foreign_system_is_on_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = LabReport(
        patient=WHO, report_id="r", collected_at="2026-06-01T09:00:00+09:00", issued_at="2026-06-01T09:00:00+09:00",
        results=(result("751-8", "2.0", system="urn:elsewhere"),),
    )  # fmt: skip
    path = tmp_path / "one.ndjson"
    path.write_bytes(write_structured(report, event_id="e", source="/site/x/feed/ward"))
    assert main(["codes", "unmapped", "--from", str(path)]) == 0
    assert "urn:elsewhere|751-8  (is it LOINC?)" in capsys.readouterr().out


def test_replay_reads_by_a_site_map(messages: Path, site_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(messages), "--rules", "anc-hold"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["replay", str(messages), "--rules", "anc-hold", "--site-map", str(site_map)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["transition"] for each in told][:1] == ["raised"]
    assert told[0]["evidence"][0]["received"]["code"] == "L1", "evidence shows the code as it was sent"


# --- the setting ---


def settings(tmp_path: Path, *maps: Path) -> dict[str, str]:
    secret = tmp_path / "secret"
    secret.write_text("sixteen characters at least")
    return {
        "MYELOWATCH_KEY_SECRET_FILE": str(secret),
        "MYELOWATCH_FEEDS__WARD__TIMEZONE": "Asia/Seoul",
        "MYELOWATCH_FEEDS__OTHER__TIMEZONE": "Asia/Seoul",
        "MYELOWATCH_SITE_MAPS": json.dumps([str(each) for each in maps]),
    }


def test_a_map_of_the_settings_is_in_force_for_its_feeds(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP.format(feed="ward"))
    contexts = build_contexts(load_settings(settings(tmp_path, path)))
    assert contexts["ward"].codes.analyte_of("urn:lab", "L1") is not None
    assert contexts["other"].codes.analyte_of("urn:lab", "L1") is None


def test_a_map_with_an_error_stops_the_start_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP.format(feed="ward").replace("analyte: anc", "analyte: ANC"))
    with pytest.raises(Refusal, match=r"map.yaml:7: no analyte is called 'ANC'"):
        build_contexts(load_settings(settings(tmp_path, path)))
    with pytest.raises(Refusal, match="cannot be read"):
        build_contexts(load_settings(settings(tmp_path, tmp_path / "nowhere.yaml")))


def test_two_maps_that_disagree_stop_the_start(tmp_path: Path, site_map: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(site_map.read_text())
    with pytest.raises(Refusal, match="Two site maps disagree"):
        build_contexts(load_settings(settings(tmp_path, site_map, other)))


# --- looking things up ---


def test_check_says_what_a_map_holds_or_what_is_wrong(site_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", "check", str(site_map)]) == 0
    assert (
        "usable. Ward: 3 codes of 2 systems (1 analyte, 1 ignore, 1 medicine), for every feed."
        in capsys.readouterr().out
    )
    site_map.write_text(site_map.read_text().replace("code: L9", "code: L1"))
    assert main(["codes", "check", str(site_map)]) == 1
    assert "map.yaml:8: the code L1 of lab stands twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["list", "analyte"], "anc "),
        (["list", "condition"], "dvt "),
        (["show", "anc"], "loinc|751-8"),
        (["show", "lenalidomide"], "rxnorm|643720 (25 mg)"),
        (["show", "lmwh"], "enoxaparin"),
        (["show", "vte"], "and all of dvt"),
        (["show", "dvt"], "icd-10|I801*"),
        (["show", "platelet-transfusion"], "snomed|"),
        (["show", "influenza"], "cvx|"),
        (["show", "immobilisation"], "urn:myelowatch:codes|immobilisation"),
    ],
)
def test_the_words_and_their_codes(arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codes", *arguments]) == 0
    assert part in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "analytes"], "There is: analyte"),
        (["show", "nobody"], "Nothing is called 'nobody'"),
        (["unmapped", "--from", "/nowhere"], "/nowhere"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codes", *arguments]) == 2
    assert sentence in capsys.readouterr().err
