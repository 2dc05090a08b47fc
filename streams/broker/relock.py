"""Write `deploy/kafka/jars.lock` anew: `python -m streams.broker.relock VERSION`, for the day Kafka is brought up to date.

Everywhere else the lock is read and believed; only here are versions resolved. Review the change like code: every line
that changes is a program that will run on people's machines.
"""

import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

from streams.broker.jars import sha256_of
from streams.broker.places import kafka_file

HEADER = """\
# The jars of the laptop broker: Apache Kafka {version} and what it needs, in the order of the class path.
# sha256, size in bytes, group:artifact:version. No addresses: those are the business of each machine.
# Written by `python -m streams.broker.relock {version}`; every start compares every jar with this list.
"""


def resolve(kafka_version: str, folder: Path) -> str:
    """Resolve Kafka and its binding for logs, fetch everything, and give the text of the lock."""
    context = MavenContext(repo_cache=folder, resolver=PythonResolver(), timeout=60)
    kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{kafka_version}")
    asked, needed = context.resolver.resolve([kafka])
    jars = [found.artifact for found in asked + needed if found.scope in {None, "compile", "runtime"}]
    log4j = next(jar.version for jar in jars if jar.artifactId == "log4j-core")
    # On its own and without what it depends on (all there already): resolved together with Kafka, the binding's list of
    # managed versions would replace kafka-clients and jackson by older ones, and the broker would not start.
    jars.append(context.create_dependency(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}").artifact)
    lines = []
    for jar in jars:
        path = jar.resolve()
        lines.append(f"{sha256_of(path)} {path.stat().st_size:>9} {jar.groupId}:{jar.artifactId}:{jar.version}")
    return HEADER.format(version=kafka_version) + "\n".join(lines) + "\n"


def main() -> None:
    """Replace the lock in this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        text = resolve(sys.argv[1], Path(folder))
    kafka_file("jars.lock").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
