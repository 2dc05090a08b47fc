"""What an installation sets: environment `MYELOWATCH_*`, `MYELOWATCH_*_FILE` for secrets, and one YAML file.

The environment rules over the file. The file is `MYELOWATCH_SETTINGS`, else `myelowatch.yaml` in the
working folder where there is one. `load_settings` reads everything and raises `SettingsUnusable` with
*all* mistakes, each a sentence that names the setting; `show_settings` prints what is in force with
secrets left out. Clinical numbers are not settings: they are policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streams.gateway_settings import DoorSettings, GatewaySettings, SilenceSettings
from streams.refusals import Refusal
from streams.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX, TopicNames

ENVIRONMENT_PREFIX: Final = "MYELOWATCH_"
DEFAULT_FILE: Final = "myelowatch.yaml"
SMALLEST_SECRET: Final = 16

ALIASES: Final = {"brokers": ("kafka", "brokers"), "metrics_port": ("ports", "metrics")}
"""Short names for what is set most: `MYELOWATCH_BROKERS`, `MYELOWATCH_METRICS_PORT`."""

NOT_SETTINGS: Final = frozenset(
    {
        "MYELOWATCH_SETTINGS",
        "MYELOWATCH_CACHE",
        "MYELOWATCH_JAVA",
        "MYELOWATCH_MAVEN_REPOSITORY",
        "MYELOWATCH_TRACEBACK",
    }
)
"""Names of the environment that other parts of the program read themselves."""

_HIDDEN: Final = "(hidden)"


class SettingsUnusable(Refusal):
    """The settings cannot be used; `errors` are sentences, all of them."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a timezone of the IANA list, such as Asia/Seoul") from None
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FeedSettings(_Part):
    """One sender. `timezone` has no default: a time without a zone must never be guessed."""

    timezone: Annotated[str, AfterValidator(_known_zone)]
    live_from: AwareDatetime | None = None
    decimal_comma: bool = False
    preferred_authority: str | None = None
    identity: Literal["identifier", "resource-id"] = "identifier"
    field_map: Path | None = None
    """What this sender means by what it sends in HL7 v2 (`schemas.hl7v2.FeedMap`), in a YAML file."""
    door: DoorSettings = DoorSettings()
    silence: SilenceSettings = SilenceSettings()

    @property
    def zone(self) -> ZoneInfo:
        """The feed's timezone."""
        return ZoneInfo(self.timezone)


class Security(StrEnum):
    """How clients reach the brokers."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_SSL = "SASL_SSL"


class KafkaSettings(_Part):
    """Where Kafka is, and how to get in."""

    brokers: str = "127.0.0.1:9092"
    security: Security = Security.PLAINTEXT
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    replication_factor: int = Field(default=1, ge=1, le=9)
    min_insync_replicas: int = Field(default=1, ge=1, le=9)
    patience_seconds: float = Field(default=60, ge=0)
    """How long a starting role waits for brokers that do not answer before it gives up with a sentence."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError("min_insync_replicas cannot be above replication_factor")
        if self.security is Security.SASL_SSL and (self.username is None or self.password is None):
            raise ValueError("security SASL_SSL needs username and password")
        return self

    @property
    def servers(self) -> list[str]:
        """The brokers as a list."""
        return [each.strip() for each in self.brokers.split(",") if each.strip()]


class WorkerSettings(_Part):
    """How the worker works; the defaults are measured."""

    batch_entries: int = Field(default=500, ge=1, le=5_000)
    batch_milliseconds: int = Field(default=50, ge=1, le=5_000)
    acknowledge_within_seconds: float = Field(default=30, gt=0, le=300)
    session_seconds: float = Field(default=10, ge=1, le=60)
    heartbeat_seconds: float = Field(default=3, ge=0.1, le=20)
    commit_seconds: float = Field(default=1, ge=0.1, le=60)
    fetch_wait_milliseconds: int = Field(default=100, ge=1, le=1_500)
    stop_within_seconds: float = Field(default=10, ge=1, le=120)
    instance_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,200}$")
    """A stable name makes a quick restart keep its partitions (static membership); two workers never share one."""
    store: Literal["memory", "rocksdb"] = "rocksdb"
    cached_records: int = Field(default=8_192, ge=16)

    @model_validator(mode="after")
    def _heartbeat_fits(self) -> Self:
        if self.heartbeat_seconds * 2 > self.session_seconds:
            raise ValueError("heartbeat_seconds must be at most half of session_seconds")
        return self


class ShadowSettings(_Part):
    """The policy on trial: a profile that comes with myelowatch, or a file; the file rules over the profile."""

    profile: str | None = None
    policy_file: Path | None = None

    @property
    def policy(self) -> str | None:
        """Name or file of the policy on trial; None where nothing is tried."""
        return str(self.policy_file) if self.policy_file is not None else self.profile


class PortSettings(_Part):
    """Where each role listens; loopback unless `host` says otherwise. None takes the role's own default."""

    host: str = "127.0.0.1"
    mllp: int = Field(default=2575, ge=0, le=65_535)
    http: int = Field(default=8080, ge=0, le=65_535)
    console: int = Field(default=8090, ge=0, le=65_535)
    metrics: int | None = Field(default=None, ge=0, le=65_535)


class Settings(BaseSettings):
    """Everything an installation sets."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    prefix: str = Field(default=DEFAULT_PREFIX, pattern=r"^[a-z0-9]+(\.[a-z0-9]+)*$")
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1_000)
    retention_days: int | None = Field(default=None, ge=1)
    """Rules over the table for every topic that forgets by time."""
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    ports: PortSettings = PortSettings()
    gateway: GatewaySettings = GatewaySettings()
    feeds: dict[str, FeedSettings] = Field(default_factory=dict)
    site_maps: tuple[Path, ...] = ()
    """YAML files that say what the site's own codes mean; each is checked when a role starts."""
    key_secret: SecretStr | None = None
    """Keys the hash of patient numbers. Lost or changed, every patient is a stranger."""
    profile: str = "kr-panel"
    policy_file: Path | None = None
    shadow: ShadowSettings = ShadowSettings()
    explicit_known_at: bool = False
    """Demo, tests and file replay only: a header `known_at` rules over the broker's stamp."""
    tick_seconds: float = Field(default=10, ge=0.1, le=60)
    state: Path = Path(".myelowatch")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load_settings` passes in already has the environment in it."""
        return (init_settings, env_settings)

    @model_validator(mode="after")
    def _feeds_are_named(self) -> Self:
        for name in self.feeds:
            if not name or not all(letter.isalnum() or letter in "._-" for letter in name):
                raise ValueError(f"feed {name!r}: a feed's name has letters, digits, dots, dashes and underscores only")
        secret = self.key_secret
        if secret is not None and len(secret.get_secret_value()) < SMALLEST_SECRET:
            raise ValueError(f"key_secret is shorter than {SMALLEST_SECRET} characters")
        return self

    @property
    def topics(self) -> TopicNames:
        """The names of the topics."""
        return TopicNames(self.prefix)

    def secret(self) -> bytes:
        """The key secret, or the sentence that says how to make one."""
        if self.key_secret is None:
            sentence = (
                "No key secret is set. Put at least 16 random characters into a file and name it in "
                "MYELOWATCH_KEY_SECRET_FILE; keep a copy, for with another secret every patient is a stranger."
            )
            raise SettingsUnusable((sentence,))
        return self.key_secret.get_secret_value().encode()


def load_settings(environment: Mapping[str, str] | None = None, file: Path | None = None, **given: Any) -> Settings:
    """Read file and environment; `given` rules over both. Raises `SettingsUnusable` with every mistake."""
    environment = os.environ if environment is None else environment
    errors: list[str] = []
    values = _read_file(environment, file, errors)
    _merge(values, _read_environment(environment, errors))
    _merge(values, given)
    try:
        settings = _Plain(**values)
    except ValidationError as error:
        errors.extend(_sentences(error))
        raise SettingsUnusable(tuple(errors)) from None
    if errors:
        raise SettingsUnusable(tuple(errors))
    return settings


class _Plain(Settings):
    """The same, from values alone: `load_settings` has read the environment itself, to name every mistake."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values only."""
        return (init_settings,)


def show_settings(settings: Settings) -> str:
    """The settings in force as YAML, without secrets."""
    shown = _redacted(settings.model_dump(mode="python"))
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def _redacted(value: Any) -> Any:
    match value:
        case dict():
            return {key: _redacted(each) for key, each in value.items()}
        case SecretStr():
            return _HIDDEN
        case StrEnum() | Path():
            return str(value)
        case tuple():
            return [_redacted(each) for each in value]
        case datetime():
            return value.isoformat()
        case _:
            return value


def _read_file(environment: Mapping[str, str], file: Path | None, errors: list[str]) -> dict[str, Any]:
    named = file or (Path(environment["MYELOWATCH_SETTINGS"]) if environment.get("MYELOWATCH_SETTINGS") else None)
    path = named or Path(DEFAULT_FILE)
    if named is None and not path.is_file():
        return {}
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        errors.append(f"The settings file {path} cannot be read ({error.strerror}).")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        errors.append(f"The settings file {path} is not YAML{line}.")
    else:
        if read is None:
            return {}
        if isinstance(read, dict):
            return read
        errors.append(f"The settings file {path} must be a mapping of setting names to values.")
    return {}


def _read_environment(environment: Mapping[str, str], errors: list[str]) -> dict[str, Any]:
    """`MYELOWATCH_KAFKA__BROKERS=...`; a name that ends in `_FILE` (and is no setting itself) names a secret's file."""
    values: dict[str, Any] = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in NOT_SETTINGS:
            continue
        short = name[len(ENVIRONMENT_PREFIX) :].lower()
        path = list(ALIASES.get(short, short.split("__")))
        field = _field(path)
        if field is None and path[-1].endswith("_file"):
            secret_path = [*path[:-1], path[-1].removesuffix("_file")]
            field = _field(secret_path)
            if field is not None and "SecretStr" in str(field.annotation):
                try:
                    text = Path(text).read_text(encoding="utf-8").rstrip("\r\n")
                except (OSError, UnicodeDecodeError) as error:
                    errors.append(
                        f"{name}: the file it names cannot be read ({getattr(error, 'strerror', 'not text')})."
                    )
                    continue
                path = secret_path
        if field is None and not _is_open(path):
            errors.append(f"{name} is not a setting (see `myelowatch settings`).")
            continue
        target = values
        for part in path[:-1]:
            target = target.setdefault(part, {})
        target[path[-1]] = _value(text, field)
    return values


def _field(path: list[str]) -> Any:
    model: type[BaseModel] = Settings
    field: Any = None
    for depth, part in enumerate(path):
        field = model.model_fields.get(part)
        if field is None:
            return None
        if depth < len(path) - 1:
            # `Part | None` is a part that may be left out.
            inner = [each for each in (field.annotation, *get_args(field.annotation)) if _is_part(each)]
            if not inner:
                return None
            model = inner[0]
    return field


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_open(path: list[str]) -> bool:
    """`MYELOWATCH_FEEDS__LAB__TIMEZONE`: the names of feeds are the installation's own."""
    return len(path) == 3 and path[0] == "feeds" and path[2] in FeedSettings.model_fields


def _value(text: str, field: Any) -> Any:
    """Text as it is; a mapping (feeds as one JSON text) or a list is read as YAML."""
    if field is not None and any(kind in str(field.annotation) for kind in ("dict", "tuple")):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            return text
    return text


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        held = below.get(key)
        if isinstance(held, dict) and isinstance(value, Mapping):
            _merge(held, value)
        else:
            below[key] = dict(value) if isinstance(value, Mapping) else value


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "this is not a setting (see `myelowatch settings`)"
        elif fault["type"] == "missing":
            message = "this must be set"
        sentences.append(f"{place}: {message}." if place else f"{message[:1].upper()}{message[1:]}.")
    return sentences
