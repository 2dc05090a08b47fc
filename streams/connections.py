"""How kafka-python's clients reach the brokers, and how long a starting role waits for them."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from streams.refusals import Refusal
from streams.settings import KafkaSettings, Security

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaProducer

_RETRY_SECONDS: Final = 1.0
_ONE_TRY_MS: Final = 5_000


class BrokersAway(Refusal):
    """No broker answered in the time the settings allow."""


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """The arguments every kafka-python client takes."""
    options: dict[str, Any] = {"bootstrap_servers": kafka.servers, "security_protocol": kafka.security.value}
    if kafka.security is not Security.PLAINTEXT:
        options["ssl_context"] = tls_context(kafka)
    if kafka.security is Security.SASL_SSL:
        assert kafka.password is not None, "checked by the settings"
        options["sasl_mechanism"] = kafka.mechanism
        options["sasl_plain_username"] = kafka.username
        options["sasl_plain_password"] = kafka.password.get_secret_value()
    return options


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """TLS that checks the broker's name and certificate; our own certificate where one is set."""
    context = ssl.create_default_context(cafile=None if kafka.ca_file is None else str(kafka.ca_file))
    if kafka.certificate_file is not None:
        context.load_cert_chain(kafka.certificate_file, kafka.key_file)
    return context


def connect_admin(
    kafka: KafkaSettings,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    patience_seconds: float | None = None,
) -> KafkaAdminClient:
    """An admin client, waiting for brokers that are away; raises `BrokersAway` with a sentence, never hangs."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    # The client reports every refused connection as an error of its own; we say it in one sentence.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    patience = kafka.patience_seconds if patience_seconds is None else patience_seconds
    deadline = time.monotonic() + patience
    said = False
    while True:
        try:
            return KafkaAdminClient(**client_options(kafka), bootstrap_timeout_ms=_ONE_TRY_MS)
        except (KafkaError, OSError) as error:
            if time.monotonic() >= deadline:
                raise BrokersAway(
                    f"No Kafka broker answers at {kafka.brokers} ({type(error).__name__}). Start it "
                    "(`myelowatch broker start` on a laptop), or set MYELOWATCH_BROKERS to where it is."
                ) from error
            if not said:
                say(f"Waiting for Kafka at {kafka.brokers} (up to {patience:.0f} s) ...")
                said = True
            time.sleep(_RETRY_SECONDS)


def build_producer(kafka: KafkaSettings, **options: Any) -> KafkaProducer:
    """A producer whose records count only when all in-sync copies have them."""
    from kafka import KafkaProducer

    return KafkaProducer(**{**client_options(kafka), "acks": "all", "enable_idempotence": True, **options})
