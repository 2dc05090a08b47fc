"""The field map of a feed: every error at once, with its line; and the dry run."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.codes.tables import tables
from schemas.hl7v2 import STANDARD, FeedMap, FeedMapUnusable, read_feed_map
from streams.cli import main
from tests.schemas.hl7v2.writing import message, obr, obx

WHOLE = """
senders:
  - {application: LAB, facility: HOSP}
processing_ids: [P]
versions: ["2.3", "2.5.1"]
charset: KS X 1001
unread: ignore
blank_status: final
dispenses: [OMP^O09]
merges: [A40, A34]
patient: {field: 3, authority: HOSP, type: PI, first_of_several: true}
sexes: {"1": male, "2": female}
authorities: {HOSP: "urn:example:hospital"}
systems: {LOINC: LN, KCD: KCD8}
codes:
  - {system: 99LAB, code: "0012", means: {system: LN, code: 751-8}, unit: 10*3/uL}
  - {code: ANC, means: {system: LN, code: 751-8}}
units: {"천/㎕": 10*3/uL}
"""


def errors_of(text: str) -> tuple[str, ...]:
    with pytest.raises(FeedMapUnusable) as unusable:
        read_feed_map(text)
    return unusable.value.errors


def test_a_map_that_says_everything() -> None:
    found = read_feed_map(WHOLE)
    assert set(found.model_fields_set) == set(FeedMap.model_fields)
    local = found.local("99LAB", "0012")
    assert local is not None
    assert (local.unit, found.system("LOINC"), found.patient.first_of_several) == ("10*3/uL", "LN", True)


def test_an_empty_map_is_the_standard() -> None:
    assert read_feed_map("") == read_feed_map("# nothing yet\n") == STANDARD


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("charset: klingon", "line 1: charset: no character set we can read"),
        ("\ncodez: []", "line 2: codez: no such name in a feed map"),
        ("codes:\n  - {code: X}", "line 2: codes[0].means: must be given"),
        (
            "codes:\n  - code: X\n    means: {system: ZZ, code: y}",
            "line 3: codes[0].means.system: no code system we know",
        ),
        ("units: {x: furlong}", "line 1: units.x: no analyte of ours comes in this unit"),
        ("unread: perhaps", "line 1: unread: Input should be 'reject' or 'ignore'"),
        ("merges: [A01]", "line 1: merges[0]:"),
        ("patient:\n  field: 5", "line 2: patient.field:"),
        ("charset: 8859/1\ncharset: UTF-8", "line 2: charset stands here twice"),
        ("- a", "line 1: the map must be names with values"),
        ("a: [", "line 1: not YAML"),
        ("a: &a\n  b: *a", "line 1: an alias inside what it names"),
    ],
)
def test_each_error_has_its_line(text: str, error: str) -> None:
    assert any(each.startswith(error) for each in errors_of(text)), errors_of(text)


def test_every_error_is_told_at_once() -> None:
    text = "charset: klingon\ncodes:\n  - {code: A, means: {system: LN, code: 751-8}}\n" * 1
    text += "  - {code: A, means: {system: LN, code: 751-8}, unit: parsec}\nunits: {x: furlong}\n"
    assert [each.split(":")[0] for each in errors_of(text)] == ["line 1", "line 4", "line 4", "line 5"]


def test_meanings_that_no_rule_uses_are_found() -> None:
    found = read_feed_map("codes: [{code: A, means: {system: LN, code: 99999-9}}]")
    assert [local.code for local in found.unknown_meanings(tables())] == ["A"]
    assert read_feed_map(WHOLE).unknown_meanings(tables()) == ()


def test_the_map_of_the_page_is_a_good_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "hl7v2.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1].split("```")[0]
    found = read_feed_map(shown)
    assert set(found.model_fields_set) == set(FeedMap.model_fields)
    assert found.unknown_meanings(tables()) == ()


# --- the dry run


def test_feeds_check_says_what_each_message_becomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.yaml").write_text("codes: [{code: ANC, means: {system: LN, code: 751-8}}]", encoding="utf-8")
    body = message(obr(), obx(_3="ANC"), obx(_3="XYZ"), pid="PID|1||1001^^^HOSP^MR||CANARY")
    (tmp_path / "sample.hl7").write_bytes(body)
    assert main(["feeds", "check", str(tmp_path / "map.yaml"), str(tmp_path / "sample.hl7")]) == 0
    told = capsys.readouterr()
    assert told.out == "sample.hl7: AA translated: 1 lab-result\n"
    assert "1 OBX no system|XYZ" in told.err
    assert "CANARY" not in told.out + told.err


def test_feeds_check_ends_with_1_where_a_message_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "map.yaml").write_text("", encoding="utf-8")
    (tmp_path / "sample.hl7").write_bytes(message(obr(), obx(), pid="PID|1") + message(obr(), obx()))
    assert main(["feeds", "check", str(tmp_path / "map.yaml"), str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "sample.hl7:1: AE rejected: no-patient in PID[1]-3" in told.out
    assert "1 of 2 messages" in told.err


def test_feeds_check_ends_with_2_where_the_map_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "map.yaml").write_text("charset: klingon\nunread: no\n", encoding="utf-8")
    assert main(["feeds", "check", str(tmp_path / "map.yaml")]) == 2
    assert capsys.readouterr().err.count("line ") == 2
    assert main(["feeds", "check", str(tmp_path / "nothing.yaml")]) == 2
