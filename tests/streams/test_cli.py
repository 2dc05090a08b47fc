"""The command: what it lists, how fast it answers, and how it says no."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli import COMMANDS, load, main
from streams.refusals import CheckFailed, Refusal

CONTRACT = {
    *("demo", "up", "worker", "tick", "broker", "topics", "replay", "rules", "policy", "explain", "simulate", "send"),
    *("doctor", "settings", "gateway", "feeds", "intake", "rejected", "codes"),
}
"""Part 1 of the contract without the back door; `feeds`, `intake`, `rejected` and `codes` are added beside it."""


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(COMMANDS) == CONTRACT


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_loads_and_teaches(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(name).name == name
    assert main([name, "--help"]) == 0
    assert "Usage: myelowatch" in capsys.readouterr().out


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )


def test_help_loads_nothing_heavy() -> None:
    """Half a second for `--help` is a promise; what would break it is an import."""
    done = run_python(
        "import sys; from streams.cli import main; main(['--help']);"
        "print([m for m in ('faust', 'kafka', 'pydantic', 'aiokafka', 'rules', 'schemas') if m in sys.modules],"
        "file=sys.stderr)"
    )
    assert done.stderr.strip() == "[]"
    assert "replay" in done.stdout


def test_replay_does_not_load_the_stream_engine(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    done = run_python(
        "import sys; from streams.cli import main; "
        f"main(['replay', {str(tmp_path / 'a.json')!r}, '--format', 'events']);"
        "print([m for m in ('faust', 'kafka', 'mode', 'aiokafka') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]"
    assert "Nothing of the input can be used" in done.stderr


def test_nothing_asked_for_is_a_usage_error_that_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "replay" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rulez"], "Did you mean 'rules'"),
        (["replay"], "INPUT"),
        (["replay", "x", "--format", "xml"], "xml"),
        (["rules", "show"], "Missing argument"),
        (["up", "--role", "desk"], "No role is called desk"),
        (["simulate", "--patients", "many"], "--patients"),
    ],
)
def test_a_usage_error_is_one_sentence_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELOWATCH_KEY_SECRET", "0123456789abcdef")
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("myelowatch ")


def _raising(error: BaseException) -> object:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Refusal("Set the zone."), 2, "Set the zone.\n"),
        (CheckFailed("Two topics are missing."), 1, "Two topics are missing.\n"),
    ],
)
def test_a_refusal_is_its_sentence(
    error: Refusal, code: int, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.settings_command.settings", _raising(error))
    assert main(["settings"]) == code
    assert capsys.readouterr().err == sentence


def test_a_fault_of_ours_names_its_line_and_quotes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MYELOWATCH_TRACEBACK", raising=False)
    monkeypatch.setattr("streams.settings_command.settings", _raising(ValueError("patient Hong, 900101-1234567")))
    assert main(["settings"]) == 1
    said = capsys.readouterr().err
    assert "ValueError at test_cli.py:" in said
    assert "900101" not in said
    assert "Traceback" not in said


def test_ctrl_c_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.settings_command.settings", _raising(KeyboardInterrupt()))
    assert main(["settings"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_hangs_up_is_no_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m streams rules list --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("[")


def test_mistakes_in_the_settings_are_all_told_and_exit_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELOWATCH_PARTITIONS", "none")
    monkeypatch.setenv("MYELOWATCH_FEEDS__LAB__TIMEZONE", "Seoul")
    for command in (["settings"], ["worker"], ["tick"], ["up"]):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "partitions" in said
        assert "Seoul" in said
        assert "Traceback" not in said


def test_settings_are_shown_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELOWATCH_KEY_SECRET", "a-secret-nobody-may-see")
    assert main(["settings"]) == 0
    shown = capsys.readouterr().out
    assert "nobody" not in shown
    assert "key_secret: (hidden)" in shown
    assert "partitions: 12" in shown


# --- rules ---


def test_rules_list_as_json_has_a_row_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    anc = rows["anc-hold"]
    assert anc["family"] == "haematology"
    assert anc["section"] == "1.10"
    assert anc["form"] == "alert"
    assert anc["subject"] == "episode"
    assert anc["severity"] == {"severe": "critical", "repeat": "high", "label": "high"}
    assert anc["status"] == "active"
    assert anc["closes"]
    assert anc["version"]
    assert anc["citations"][0]["source"] == "S2"
    assert anc["file"] == "rules/haematology/anc_hold.py"
    numbers = {number["key"]: number for number in anc["thresholds"]}
    assert numbers["anc_severe"] | {"source": ""} == {
        "key": "anc_severe",
        "value": "500",
        "unit": "cells/uL",
        "source": "",
    }
    assert numbers["anc_severe"]["source"]


def test_every_rule_says_what_it_asks_and_by_which_numbers() -> None:
    from rules.catalogue import CATALOGUE
    from streams.policy_commands import load as load_policy
    from streams.rules_commands import read_card

    policy = load_policy("kr-panel")
    for entry in CATALOGUE:
        card = read_card(entry)
        assert card.question.endswith((".", "?")), entry.id
        assert card.parts.get("Watches for"), entry.id
        assert "Numbers" in card.parts, entry.id
        for key in card.numbers:
            assert hasattr(policy.terms, key), f"{entry.id} names {key}, which is no policy key"


def test_rules_list_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    from rules.catalogue import CATALOGUE

    assert main(["rules", "list"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == len(CATALOGUE) + 2
    assert "severe critical, repeat high" in out


def test_rules_show_says_how_one_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "anc-hold", "--profile", "kr-panel"]) == 0
    out = capsys.readouterr().out
    (number,) = [line for line in out.splitlines() if line.startswith("| `anc_severe` ")]
    assert "500 cells/uL" in number
    assert "eu-smpc" not in out
    assert "rules/haematology/anc_hold.py:" in out


def test_an_unknown_rule_names_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "anc-hol"]) == 2
    assert "anc-hold" in capsys.readouterr().err


def test_the_index_leads_from_a_rule_to_its_file_and_number() -> None:
    from streams.rules_commands import write_page

    rows = [line for line in write_page().splitlines() if line.startswith("| Hold lenalidomide")]
    assert any("anc_hold.py" in row and "`anc_severe`" in row and "500 cells/uL" in row for row in rows)
    assert any("plt_hold.py" in row and "30000 cells/uL" in row for row in rows)


# --- policy ---


def a_policy(tmp_path: Path, **changes: str) -> Path:
    """The default profile as a file, with texts replaced."""
    from streams.policy_commands import profile_text

    text = profile_text("kr-panel")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


ANC_SEVERE = 'anc_severe: {value: "500", unit: "cells/uL"'


def test_a_usable_policy_is_told_with_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "kr-panel"]) == 0
    assert "usable" in capsys.readouterr().out


def test_every_error_of_a_policy_is_told_at_once_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_policy(
        tmp_path,
        **{
            ANC_SEVERE: 'anc_severe: {value: "50000", unit: "cells/uL"',
            'plt_hold_below: {value: "30000", unit: "cells/uL"': 'plt_hold_below: {value: "30000"',
            "hb_low_below:": "hb_lowe_below:",
        },
    )
    assert main(["policy", "check", str(path)]) == 1
    said = capsys.readouterr().err
    lines = path.read_text().splitlines()
    for key in ("anc_severe", "plt_hold_below", "hb_lowe_below"):
        number = next(place for place, line in enumerate(lines, start=1) if line.strip().startswith(key))
        assert f"{path}:{number}: " in said, key
    assert "4 errors" in said


def test_a_policy_that_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "/nowhere/x.yaml"]) == 2
    assert "neither a profile" in capsys.readouterr().err


def test_a_diff_names_what_differs_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_policy(tmp_path, **{ANC_SEVERE: 'anc_severe: {value: "400", unit: "cells/uL"'})
    assert main(["policy", "diff", "kr-panel", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if "becomes" in line)
    assert line.strip().startswith(
        "Lenalidomide is interrupted on any day at this count: 500 cells/uL becomes 400 cells/uL"
    )
    assert line.endswith("[anc_severe; S2 Hematologic toxicities rec 1]")
    assert main(["policy", "diff", "kr-panel", "kr-panel"]) == 0
    assert "judge alike" in capsys.readouterr().out


def test_a_policy_is_shown_with_units_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show"]) == 0
    out = capsys.readouterr().out
    assert any(line.split()[:3] == ["anc_severe", "500", "cells/uL"] for line in out.splitlines())
    assert "anc-hold" in out


def test_only_an_active_policy_is_put_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_policy(tmp_path, **{"status: active\neffective": "status: draft\neffective"})
    assert main(["policy", "activate", str(path)]) == 2
    assert "draft" in capsys.readouterr().err
