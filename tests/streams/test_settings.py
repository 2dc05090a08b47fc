"""Settings: the environment over the file, secrets from files and never shown, every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import Settings, SettingsUnusable, load_settings, show_settings

SECRET = "a-very-secret-secret"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_usable() -> None:
    settings = load_settings({})
    assert (settings.prefix, settings.partitions, settings.ports.mllp) == ("onc", 12, 2575)


def test_the_environment_rules_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "myelowatch.yaml").write_text(
        "prefix: abc\npartitions: 4\nkafka: {brokers: 'a:1,b:2'}\nfeeds: {lab: {timezone: Asia/Seoul}}\n"
    )
    settings = load_settings({"MYELOWATCH_PARTITIONS": "6", "MYELOWATCH_KAFKA__PATIENCE_SECONDS": "5"})
    assert (settings.prefix, settings.partitions) == ("abc", 6)
    assert settings.kafka.servers == ["a:1", "b:2"]
    assert settings.kafka.patience_seconds == 5
    assert settings.feeds["lab"].zone.key == "Asia/Seoul"


def test_a_feed_from_the_environment() -> None:
    settings = load_settings(
        {
            "MYELOWATCH_FEEDS__LAB__TIMEZONE": "Asia/Seoul",
            "MYELOWATCH_FEEDS__LAB__LIVE_FROM": "2026-01-01T00:00:00+09:00",
        }
    )
    assert settings.feeds["lab"].live_from is not None


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    settings = load_settings({"MYELOWATCH_KEY_SECRET_FILE": str(file)})
    assert settings.secret() == SECRET.encode()
    assert SECRET not in show_settings(settings)
    assert SECRET not in repr(settings)


def test_every_mistake_at_once() -> None:
    with pytest.raises(SettingsUnusable) as refused:
        load_settings(
            {
                "MYELOWATCH_PARTITIONS": "none",
                "MYELOWATCH_FEEDS__LAB__TIMEZONE": "Mars/Olympus",
                "MYELOWATCH_FEEDS__OTHER__LIVE_FROM": "2026-01-01T00:00:00Z",
                "MYELOWATCH_TYPO": "1",
                "MYELOWATCH_KEY_SECRET_FILE": "/nowhere/at/all",
                "MYELOWATCH_WORKER__HEARTBEAT_SECONDS": "9",
            }
        )
    text = str(refused.value)
    for part in (
        "partitions",
        "feeds.lab.timezone",
        "feeds.other.timezone",
        "MYELOWATCH_TYPO",
        "KEY_SECRET_FILE",
        "half",
    ):
        assert part in text
    assert "none" not in text.replace("None", ""), "values are not repeated: they may be secrets"


@pytest.mark.parametrize("text", ["[1]", "{", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "myelowatch.yaml").write_text(text)
    with pytest.raises(SettingsUnusable):
        load_settings({})


def test_a_named_file_must_exist() -> None:
    with pytest.raises(SettingsUnusable, match="cannot be read"):
        load_settings({"MYELOWATCH_SETTINGS": "/nowhere.yaml"})


def test_without_a_secret_the_sentence_says_how_to_make_one() -> None:
    with pytest.raises(SettingsUnusable, match="MYELOWATCH_KEY_SECRET_FILE"):
        load_settings({}).secret()


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(SettingsUnusable, match="shorter than 16"):
        load_settings({"MYELOWATCH_KEY_SECRET": "short"})


def test_shown_settings_can_be_read_again(tmp_path: Path) -> None:
    settings = load_settings({"MYELOWATCH_FEEDS__LAB__TIMEZONE": "Asia/Seoul"})
    (tmp_path / "again.yaml").write_text(show_settings(settings))
    again = load_settings({}, file=tmp_path / "again.yaml")
    assert Settings.model_dump(again) == Settings.model_dump(settings)
