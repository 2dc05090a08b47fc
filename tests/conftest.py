"""What all tests share: the laptop Kafka of the session, and how properties are searched."""

import pytest
from hypothesis import settings

from tests.broker_fixture import kafka, topic_prefix

__all__ = ["kafka", "topic_prefix"]

# A machine with two busy cores is slow for reasons that say nothing about the code.
settings.register_profile("myelowatch", deadline=None, print_blob=True)
settings.load_profile("myelowatch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the broker is a broker test, marked or not: `make fast` must never start one."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.broker)
